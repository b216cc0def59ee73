"""Claims, and folders that go with the pod."""

import shlex
import subprocess

import pytest

from components.service import Image, Mount, Volume
from tests.unit.components.targets.kubernetes.making import container, data, pod, render, service


def claim(manifests, number=0):
    return manifests["supabase-it"].body["spec"]["volumeClaimTemplates"][number]


def sizes(*volumes, **settings):
    found = render(service("postgres", volumes=volumes), **settings)["supabase-postgres"].body["spec"]["volumeClaimTemplates"]
    return [t["spec"]["resources"]["requests"]["storage"] for t in found]


def test_a_claim_is_for_one_node_and_of_the_class_that_the_settings_name():
    spec = claim(render(service(volumes=(data(),))))["spec"]
    assert spec["accessModes"] == ["ReadWriteOnce"]
    assert "storageClassName" not in spec
    assert claim(render(service(volumes=(data(),)), storageClass="fast"))["spec"]["storageClassName"] == "fast"


def test_a_size_is_the_settings_else_the_volumes_own():
    assert sizes(data()) == ["8Gi"]
    assert sizes(data(size_mib=64)) == ["64Mi"]
    assert sizes(data(), volumeSizes={"postgres": "20gb"}) == ["20Gi"]


def test_the_setting_is_the_first_volumes_size():
    assert sizes(data(), data("more", "/more", size_mib=64), volumeSizes={"postgres": "20gb"}) == ["20Gi", "64Mi"]


def test_a_claim_says_what_its_data_is():
    notes = claim(render(service(volumes=(data(),), identity="postgres-17"), paired={"data": "abc"}))["metadata"]["annotations"]
    assert notes == {
        "supastack.io/stack-id": "feedfacefeedface",
        "supastack.io/identity": "postgres-17",
        "supastack.io/paired-secret": "abc",
    }


def test_what_may_be_lost_is_no_claim():
    found = render(service(volumes=(data(), Volume("cache", "/cache", precious=False, size_mib=512))))
    assert [t["metadata"]["name"] for t in found["supabase-it"].body["spec"]["volumeClaimTemplates"]] == ["data"]
    assert {"name": "cache", "emptyDir": {"sizeLimit": "512Mi"}} in pod(found["supabase-it"])["volumes"]


def test_every_folder_that_is_written_to_has_a_limit():
    spec = pod(render(service(writable=("/var/run/it",), shm_mib=128))["supabase-it"])
    folders = {v["name"]: v["emptyDir"] for v in spec["volumes"]}
    assert folders == {
        "tmp": {"sizeLimit": "256Mi"},
        "scratch-1": {"sizeLimit": "256Mi"},
        "shm": {"medium": "Memory", "sizeLimit": "128Mi"},
    }


def prepared(tmp_path, *volumes):
    """Runs the preparing container's script on folders of this machine."""
    (init,) = pod(render(service(volumes=volumes))["supabase-it"])["initContainers"]
    for volume in volumes:
        (tmp_path / "supastack" / volume.name).mkdir(parents=True, exist_ok=True)
    script = init["command"][-1].replace("/supastack/", f"{shlex.quote(str(tmp_path))}/supastack/")
    subprocess.run(["/bin/sh", "-eu", "-c", script], check=True)
    return tmp_path / "supastack"


def test_a_database_owns_its_folder_which_is_not_the_root_of_the_claim(tmp_path):
    volume = data(owned=True)
    folder = prepared(tmp_path, volume) / "data" / "data"
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "PG_VERSION").write_text("17")
    prepared(tmp_path, volume)
    assert (folder / "PG_VERSION").read_text() == "17"
    mounts = container(render(service(volumes=(volume,)))["supabase-it"])["volumeMounts"]
    assert {"name": "data", "mountPath": "/data", "subPath": "data"} in mounts


def test_a_volume_is_filled_from_the_image_once(tmp_path):
    image = tmp_path / "image"
    (image / "sub").mkdir(parents=True)
    (image / "sub" / "a.conf").write_text("first")
    volume = data(path=str(image), filled=True)
    # A copy that was interrupted.
    (tmp_path / "supastack/data/.making").mkdir(parents=True)
    (tmp_path / "supastack/data/.making/half").write_text("x")
    folder = prepared(tmp_path, volume) / "data" / "data"
    assert (folder / "sub/a.conf").read_text() == "first"
    assert not (folder / "half").exists()
    (folder / "root.key").write_text("key")
    (image / "sub" / "a.conf").write_text("second")
    prepared(tmp_path, volume)
    assert ((folder / "sub/a.conf").read_text(), (folder / "root.key").read_text()) == ("first", "key")


@pytest.mark.parametrize("owned", [True, False])
def test_only_what_must_be_prepared_is(owned):
    assert ("initContainers" in pod(render(service(volumes=(data(owned=owned),)))["supabase-it"])) is owned


def test_pods_that_share_a_claim_have_one_group():
    files = service("files", volumes=(data("files-data"),), image=Image("files", "files:1", user=2000))
    found = render(files, service(mounts=(Mount("files-data", "/files"),)))
    groups = {name: pod(found[f"supabase-{name}"])["securityContext"]["fsGroup"] for name in ("files", "it")}
    assert groups == {"files": 2000, "it": 2000}
