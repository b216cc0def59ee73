"""The object store's engines, their jobs, and one that others run."""

import json
import re

import pulumi
import pytest

from components.encode import encode
from components.object_storage import ObjectStorage, known, notes, reached, services
from components.releases import UnknownImage
from components.service import Address, Kind, Secret
from components.targets.placement import TargetKind
from tests.conftest import holders_of, unwrapped
from tests.unit.components.placements import placement

CONTAINER = "docker:index/container:Container"


def plain(text):
    """A text with its references filled in, as a target would."""
    return "".join(
        part
        if isinstance(part, str)
        else encode(f"{part.name}-value", part.encoding)
        if isinstance(part, Secret)
        else f"<{part.capability}>"
        for part in text.parts
        if isinstance(part, str | Secret | Address)
    )


def of(engine, *, local=False, **settings):
    return services({"placement": placement(local_images=local), "settings": {"engine": engine, **settings}})


@pytest.mark.parametrize("engine", ["minio", "seaweedfs", "rustfs"])
def test_every_engine_has_a_server_and_a_job_that_waits_for_it(engine):
    server, job = of(engine)
    assert (server.kind, job.kind) == (Kind.SERVER, Kind.JOB)
    assert "s3" in server.provides
    assert server.identity == engine
    assert [e.gate.value for e in job.connects if e.capability == "s3"] == ["healthy"]


@pytest.mark.parametrize("engine", ["minio", "seaweedfs", "rustfs"])
def test_the_job_makes_every_bucket_and_takes_no_secret_by_argument(engine):
    _, job = of(engine, buckets=["one-bucket", "two-bucket"])
    script = plain(job.files[0].content)
    assert "one-bucket" in script
    assert "two-bucket" in script
    assert job.files[0].content.secrets == frozenset(), "credentials come by environment"
    # SeaweedFS' shell talks to the master, inside the stack's network, which asks for no credentials.
    assert bool(job.secrets) is (engine != "seaweedfs")


def test_minios_policy_allows_the_buckets_and_nothing_else():
    _, job = of("minio", buckets=["one-bucket"])
    script = plain(job.files[0].content)
    policy = json.loads(script.split("printf '%s' '")[1].split("' >")[0])
    assert policy["Statement"][0]["Resource"] == ["arn:aws:s3:::one-bucket", "arn:aws:s3:::one-bucket/*"]


@pytest.mark.parametrize("engine", ["minio", "rustfs"])
def test_the_job_asks_for_no_program_that_mcs_image_has_not(engine):
    """No grep, sed, awk, find or jq (minio/mc#4469, minio/mc#4764)."""
    _, job = of(engine, buckets=["one-bucket"])
    assert not {"grep", "sed", "awk", "find", "jq", "xargs"} & set(re.findall(r"[a-z]+", plain(job.files[0].content)))


def test_seaweedfs_identities_are_json_and_only_root_is_admin():
    server, _ = of("seaweedfs", buckets=["app-bucket"])
    identities = {i["name"]: i for i in json.loads(plain(server.files[0].content))["identities"]}
    assert identities["app"]["credentials"] == [{"accessKey": "access-key-value", "secretKey": "secret-key-value"}]
    assert all(action.endswith(":app-bucket") for action in identities["app"]["actions"])
    assert "Admin" in identities["root"]["actions"]


def test_the_fallback_stands_in_only_where_there_is_no_image():
    wanted = {"engine": "seaweedfs", "fallback": "minio"}
    local = {"placement": placement(local_images=True), "settings": wanted}
    assert services(local)[0].name == "minio"
    assert len(notes(local)) == 1
    real = {"placement": placement(local_images=False), "settings": wanted}
    assert services(real)[0].name == "seaweedfs"
    assert notes(real) == ()


def test_an_engine_without_an_image_and_without_a_fallback_is_refused_with_the_way_out():
    with pytest.raises(UnknownImage, match=r"seaweedfs.*objectStorage\.engine"):
        of("seaweedfs", local=True)


EXTERNAL = {"engine": "external", "endpoint": "https://s3.example.com", "accessKey": "AKIAEXAMPLE1", "buckets": ["theirs"]}


def test_an_external_store_places_nothing_and_gives_out_what_it_was_given(engine):
    recorder = engine(lambda: ObjectStorage("o", {"placement": placement(), "settings": EXTERNAL, "secret_key": "GivenSecret1"}))
    assert recorder.of_type(CONTAINER) == {}
    outputs = recorder.outputs["o"]
    assert holders_of("GivenSecret1", outputs) == {"secret"}
    plain_outputs = unwrapped(outputs)
    assert plain_outputs["endpoint"] == "https://s3.example.com"
    assert plain_outputs["bucket"] == "theirs"


@pytest.mark.parametrize("settings", [{"engine": "minio"}, {"engine": "seaweedfs"}, {"engine": "rustfs"}, EXTERNAL])
def test_every_engine_has_the_same_secrets_since_protected_ones_could_not_leave_with_another(engine, settings):
    args = {
        "placement": placement(local_images=settings["engine"] == "minio"),
        "settings": settings,
        "secret_key": "GivenSecret1",
    }
    recorder = engine(lambda: ObjectStorage("o", args))
    made = recorder.of_type("random:index/randomPassword:RandomPassword")
    assert set(made) == {"o-root-user", "o-root-password", "o-access-key", "o-secret-key"}


@pytest.mark.parametrize(("target", "protected"), [("docker", True), ("kubernetes", True), ("managed", False)])
def test_an_external_stores_generated_secrets_are_protected_only_where_the_stack_could_run_a_store(engine, target, protected):
    args = {"placement": placement(target=TargetKind(target)), "settings": EXTERNAL, "secret_key": "GivenSecret1"}
    recorder = engine(lambda: ObjectStorage("o", args))
    made = recorder.of_type("random:index/randomPassword:RandomPassword")
    assert [request.protect for request in made.values()] == [protected] * 4


@pytest.mark.parametrize("missing", [(), ("endpoint",), ("accessKey",), ("secret_key",), ("endpoint", "accessKey", "secret_key")])
def test_an_external_store_that_is_turned_off_needs_nothing_and_tells_nothing(engine, missing):
    settings = {k: v for k, v in EXTERNAL.items() if k not in missing} | {"enabled": False}
    args = {"placement": placement(), "settings": settings}
    if "secret_key" not in missing:
        args["secret_key"] = "GivenSecret1"
    recorder = engine(lambda: ObjectStorage("o", args))
    outputs = recorder.outputs["o"]
    assert {unwrapped(outputs)[name] for name in ("endpoint", "access_key", "secret_key")} == {""}
    assert (services(args), reached(args), known(args), notes(args)) == ((), None, {}, ())
    assert len(recorder.of_type("random:index/randomPassword:RandomPassword")) == 4, "protected ones could not leave"


def test_a_store_of_the_stacks_own_that_is_turned_off_tells_nothing_either():
    args = {"placement": placement(), "settings": {"engine": "minio", "enabled": False}}
    assert (reached(args), known(args)) == (None, {})


@pytest.mark.parametrize("missing", ["endpoint", "accessKey", "secret_key"])
def test_an_external_store_names_what_it_lacks(engine, missing):
    settings = {k: v for k, v in EXTERNAL.items() if k != missing}
    args = {"placement": placement(), "settings": settings}
    if missing != "secret_key":
        args["secret_key"] = "GivenSecret1"
    with pytest.raises(pulumi.InputPropertyError) as refused:
        engine(lambda: ObjectStorage("o", args))
    assert missing in refused.value.property_path


def test_rustfs_knows_one_user_and_gives_it_the_keys_of_the_settings(engine):
    args = {
        "placement": placement(local_images=False),
        "settings": {"engine": "rustfs", "accessKey": "GIVENACCESSKEY"},
        "secret_key": "GivenSecret1",
    }
    recorder = engine(lambda: ObjectStorage("o", args))
    outputs = unwrapped(recorder.outputs["o"])
    assert (outputs["access_key"], outputs["secret_key"]) == ("GIVENACCESSKEY", "GivenSecret1")
    assert "RUSTFS_ACCESS_KEY=GIVENACCESSKEY" in unwrapped(recorder.inputs("o-rustfs"))["envs"]


def test_a_wrong_setting_of_a_component_names_the_property(engine):
    with pytest.raises(pulumi.InputPropertyError) as refused:
        engine(lambda: ObjectStorage("o", {"placement": placement(), "settings": {"engine": "minio", "memory": "lots"}}))
    assert refused.value.property_path == "settings.memory"
