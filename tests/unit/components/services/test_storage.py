"""What Storage and imgproxy are told, with files on the volume and in a store."""

import pulumi
import pytest

from components.service import Mount
from components.services import storage as module
from components.supabase_stack import notes, outputs, services
from tests.unit.components.placements import placement
from tests.unit.components.services.making import STORE, edges, env, made, written

S3 = {"storage": {"backend": "s3"}}
EXTERNAL = {**STORE, "endpoint": "https://s3.example.com", "external": True}


def test_files_on_the_volume_are_seen_by_imgproxy_and_changed_by_storage_alone():
    found = env(made("storage"))
    assert (found["STORAGE_BACKEND"], found["FILE_STORAGE_BACKEND_PATH"]) == ("file", "/var/lib/storage")
    assert found["GLOBAL_S3_BUCKET"] == "supabase-storage"
    assert not {"GLOBAL_S3_ENDPOINT", "AWS_ACCESS_KEY_ID"} & found.keys()
    images = made("imgproxy")
    assert images.mounts == (Mount("storage-data", "/var/lib/storage", read_only=True),)
    assert env(images)["IMGPROXY_LOCAL_FILESYSTEM_ROOT"] == "/"


def test_files_in_the_stacks_store_go_there_with_its_keys_and_region():
    service = made("storage", S3, object_store=STORE)
    found = env(service)
    assert {
        name: found[name] for name in found if ("S3" in name and "PROTOCOL_ACCESS" not in name) or name.startswith("AWS")
    } == {
        "AWS_ACCESS_KEY_ID": "{s3-access-key}",
        "AWS_SECRET_ACCESS_KEY": "{s3-secret-key}",
        "GLOBAL_S3_BUCKET": "files",
        "GLOBAL_S3_ENDPOINT": "http://minio:9000",
        "GLOBAL_S3_FORCE_PATH_STYLE": "true",
        "GLOBAL_S3_PROTOCOL": "http",
    }
    # It signs its requests to the store with REGION: another one is refused there.
    assert (found["STORAGE_BACKEND"], found["REGION"]) == ("s3", "eu-central-1")
    assert "s3" in edges(service)
    assert service.outside == ()
    images = made("imgproxy", S3, object_store=STORE)
    assert (images.mounts, edges(images), images.outside) == ((), {"s3"}, ())
    assert "IMGPROXY_LOCAL_FILESYSTEM_ROOT" not in env(images)


def test_clients_of_the_s3_endpoint_are_told_the_region_that_storage_has():
    for settings, more, region in (({}, {}, "local"), (S3, {"object_store": STORE}, "eu-central-1")):
        args = {"placement": placement(local_images=False), "settings": settings, **more}
        told = outputs(args, services(args))
        assert written(told["S3_PROTOCOL_REGION"]) == region == env(made("storage", settings, **more))["REGION"]


def test_an_s3_endpoint_that_is_off_is_told_to_nobody():
    args = {"placement": placement(local_images=False), "settings": {"storage": {"s3Protocol": {"enabled": False}}}}
    assert not [name for name in outputs(args, services(args)) if "S3" in name]


def test_where_storage_has_no_keys_for_its_s3_endpoint_nobody_is_told_of_one():
    for release in ("2024-01", "2024-05", "2026-09"):
        args = {"placement": placement(release=release, local_images=False), "settings": {}}
        has_keys = "S3_PROTOCOL_ACCESS_KEY_ID" in env(made("storage", release=release))
        assert any("S3" in name for name in outputs(args, services(args))) is has_keys is (release == "2026-09")


def test_a_store_of_others_is_outside():
    service, images = (made(name, S3, object_store=EXTERNAL) for name in ("storage", "imgproxy"))
    assert env(service)["GLOBAL_S3_PROTOCOL"] == "https"
    assert service.outside == images.outside == ("s3",)
    assert "s3" not in edges(service) | edges(images)


def test_a_store_with_an_authority_of_its_own_is_trusted_by_storage_and_imgproxy():
    for name, variable in (("storage", "NODE_EXTRA_CA_CERTS"), ("imgproxy", "SSL_CERT_FILE")):
        service = made(name, S3, object_store={**EXTERNAL, "authority": "-----BEGIN..."})
        (file,) = service.files
        assert env(service)[variable] == file.path
        assert file.content.parts == ("-----BEGIN...",)
        assert not made(name, S3, object_store=EXTERNAL).files


@pytest.mark.parametrize("off", [{}, {"storage": {"enabled": False}}, S3])
def test_the_volume_stays_wherever_the_files_go(off):
    store = {"object_store": STORE} if off is S3 else {}
    (volume,) = made("storage", off, **store).volumes
    assert (volume.name, volume.path, volume.precious) == ("storage-data", "/var/lib/storage", True)
    assert made("storage", off, **store).identity == made("storage").identity


def test_a_store_that_is_chosen_and_not_named_is_refused():
    with pytest.raises(pulumi.InputPropertyError, match="the store must be named"):
        made("storage", S3)
    made("storage", {"storage": {"backend": "s3", "enabled": False}})
    made("storage", {**S3, "enabled": False})


def test_without_imgproxy_storage_gives_images_as_they_are():
    assert env(made("storage"))["IMGPROXY_URL"] == "http://{imgproxy}"
    for settings in ({"imgproxy": {"enabled": False}}, {"storage": {"imageTransformation": {"enabled": False}}}):
        service = made("storage", settings)
        assert env(service)["ENABLE_IMAGE_TRANSFORMATION"] == "false"
        assert "IMGPROXY_URL" not in env(service)
        assert "imgproxy" not in edges(service)


@pytest.mark.parametrize(
    ("settings", "variable", "value"),
    [
        ({"fileSizeLimit": "1gb"}, "FILE_SIZE_LIMIT", str(2**30)),
        ({"bucket": "other"}, "GLOBAL_S3_BUCKET", "other"),
        ({"tenantId": "stub"}, "TENANT_ID", "stub"),
        ({"region": "eu-west-1"}, "REGION", "eu-west-1"),
        ({"maxConnections": 5}, "DATABASE_MAX_CONNECTIONS", "5"),
        ({"imageTransformation": {"maxSize": 4000}}, "IMG_LIMITS_MAX_SIZE", "4000"),
        ({"tus": {"urlPath": "/storage/v1/upload/resumable"}}, "TUS_URL_PATH", "/storage/v1/upload/resumable"),
        ({"tus": {"urlExpiry": 3600}}, "TUS_URL_EXPIRY_MS", "3600000"),
        ({"tus": {"partSize": 10}}, "TUS_PART_SIZE", "10"),
        ({"tus": {"allowS3Tags": False}}, "TUS_ALLOW_S3_TAGS", "false"),
        ({"s3Protocol": {"enabled": False}}, "S3_PROTOCOL_ENABLED", "false"),
    ],
)
def test_a_setting_reaches_storage_under_its_name(settings, variable, value):
    assert env(made("storage", {"storage": settings}))[variable] == value


def test_the_tenant_is_the_project():
    assert env(made("storage", {"projectRef": "abcdefghijklmnopqrst"}))["TENANT_ID"] == "abcdefghijklmnopqrst"


@pytest.mark.parametrize("store", [None, STORE])
def test_uploads_and_the_s3_endpoint_are_the_same_on_both_backends(store):
    found = env(made("storage", S3 if store else {}, **({"object_store": store} if store else {})))
    assert found["STORAGE_PUBLIC_URL"] == "http://127.0.0.1:54321"
    assert found["REQUEST_ALLOW_X_FORWARDED_PATH"] == "true"
    assert found["S3_PROTOCOL_ACCESS_KEY_ID"] == "{s3-protocol-access-key-id}"
    assert found["S3_PROTOCOL_ACCESS_KEY_SECRET"] == "{s3-protocol-access-key-secret}"
    assert "S3_PROTOCOL_ENABLED" not in found


def test_an_s3_endpoint_that_is_off_has_no_keys():
    found = env(made("storage", {"storage": {"s3Protocol": {"enabled": False}}}))
    assert not [name for name in found if name.startswith("S3_PROTOCOL_ACCESS")]


def test_tokens_are_verified_under_the_name_of_the_release():
    assert env(made("storage"))["AUTH_JWT_SECRET"] == "{jwt-secret}"
    assert env(made("storage"))["JWT_JWKS"] == "{jwt-jwks}"
    older = env(made("storage", release="2024-05"))
    assert older["PGRST_JWT_SECRET"] == "{jwt-secret}"
    assert not {"AUTH_JWT_SECRET", "JWT_JWKS", "S3_PROTOCOL_ACCESS_KEY_ID", "STORAGE_PUBLIC_URL"} & older.keys()


def test_imgproxy_is_told_under_the_name_of_the_release():
    assert env(made("imgproxy"))["IMGPROXY_AUTO_WEBP"] == "true"
    assert env(made("imgproxy", {"imgproxy": {"autoWebp": False}}))["IMGPROXY_AUTO_WEBP"] == "false"
    assert env(made("imgproxy", release="2024-05"))["IMGPROXY_ENABLE_WEBP_DETECTION"] == "true"
    assert env(made("imgproxy"))["IMGPROXY_MAX_SRC_RESOLUTION"] == "16.8"
    assert env(made("imgproxy", {"imgproxy": {"maxSrcResolution": 50}}, release="2024-05"))["IMGPROXY_MAX_SRC_RESOLUTION"] == "50"
    assert "IMGPROXY_MAX_SRC_RESOLUTION" not in env(made("imgproxy", release="2024-05"))


def test_the_volume_that_imgproxy_sees_is_the_one_that_storage_writes():
    (volume,) = made("storage").volumes
    (mount,) = made("imgproxy").mounts
    assert (mount.volume, mount.path) == (volume.name, volume.path) == (module.VOLUME, module.FOLDER)


def test_imgproxy_works_on_as_many_images_as_its_memory_is_for():
    assert env(made("imgproxy"))["IMGPROXY_WORKERS"] == "2"
    assert env(made("imgproxy", {"imgproxy": {"workers": 8}}, release="2024-05"))["IMGPROXY_CONCURRENCY"] == "8"


@pytest.mark.parametrize(("name", "value"), [("backend", "s3"), ("bucket", "elsewhere"), ("tenantId", "other")])
def test_another_place_of_the_files_is_said_to_hide_those_of_the_first(name, value):
    said = notes({"placement": placement(local_images=False), "settings": {"storage": {name: value}}})
    (line,) = [line for line in said if "not found" in line]
    assert f"only where supastack:supabase.storage.{name} says" in line


@pytest.mark.parametrize(
    "settings", [{}, {"storage": {"bucket": "elsewhere", "enabled": False}}, {"storage": {"backend": "file"}}]
)
def test_nothing_is_said_of_the_usual_place_or_without_storage(settings):
    assert notes({"placement": placement(local_images=False), "settings": settings}) == []
