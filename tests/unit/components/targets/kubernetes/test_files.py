"""Files in ConfigMaps and Secrets, mounted one by one."""

import base64

import pytest

from components.service import File, HostFolder, Secret, text
from components.targets.kubernetes.folders import LIMIT, FolderProblem, problems, read
from tests.unit.components.targets.kubernetes.making import container, pod, render, service

FOLDER = HostFolder("/home/me/functions", "/code", setting="supabase.functions.folder")


def mounted(manifest):
    """Where each key is mounted, by its path in the container: volume and key."""
    return {m["mountPath"]: (m["name"], m["subPath"]) for m in container(manifest)["volumeMounts"] if "subPath" in m}


def test_a_file_is_mounted_alone_with_its_mode():
    found = render(service(files=(File("/etc/it/run.sh", text("go"), 0o755),)))
    assert found["supabase-it-files"].body["data"] == {"etc.it.run.sh": "go"}
    assert mounted(found["supabase-it"]) == {"/etc/it/run.sh": ("files", "etc.it.run.sh")}
    (volume,) = (v for v in pod(found["supabase-it"])["volumes"] if v["name"] == "files")
    assert volume["configMap"]["items"] == [{"key": "etc.it.run.sh", "path": "etc.it.run.sh", "mode": 0o755}]


def test_a_file_with_a_secret_in_it_is_in_a_secret_alone():
    found = render(service(files=(File("/c", text("password ", Secret("jwt-secret"))),)))
    assert "supabase-it-files" not in found
    assert base64.b64decode(found["supabase-it-secret-files"].body["data"]["c"]).decode() == "password <jwt-secret>"


def test_two_paths_that_would_have_one_key_have_two():
    found = render(service(files=(File("/a/b", text("1")), File("/a.b", text("2")))))
    data = found["supabase-it-files"].body["data"]
    paths = mounted(found["supabase-it"])
    assert {path: data[key] for path, (_, key) in paths.items()} == {"/a/b": "1", "/a.b": "2"}


def test_a_folder_of_the_machine_is_taken_along_file_by_file():
    content = {"hello/index.ts": b"serve", "logo.png": b"\x89PNG\xff", ".env": b"TOKEN=x"}
    found = render(service(folders=(FOLDER,)), folder=lambda _: content)
    folder = found["supabase-it-folder"].body
    paths = mounted(found["supabase-it"])
    assert folder["data"][paths["/code/hello/index.ts"][1]] == "serve"
    assert base64.b64decode(folder["binaryData"][paths["/code/logo.png"][1]]) == b"\x89PNG\xff"
    # As the Supabase CLI has it: secrets.
    assert paths["/code/.env"][0] == "secret-files"
    assert base64.b64decode(found["supabase-it-secret-files"].body["data"][paths["/code/.env"][1]]) == b"TOKEN=x"


def test_a_folder_that_is_too_large_is_refused_with_what_to_do():
    with pytest.raises(FolderProblem, match=r"supabase\.functions\.folder.*1\.1 MiB.*big\.bin"):
        render(service(folders=(FOLDER,)), folder=lambda _: {"big.bin": b"x" * (LIMIT + LIMIT // 10), "a": b""})
    render(service(folders=(FOLDER,)), folder=lambda _: {"fits": b"x" * (LIMIT - 10)})


def test_a_folder_is_read_with_what_is_below_it(tmp_path):
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello" / "index.ts").write_text("serve")
    (tmp_path / ".env").write_text("A=b")
    assert read(HostFolder(str(tmp_path), "/code")) == {"hello/index.ts": b"serve", ".env": b"A=b"}


def test_folders_are_looked_at_before_anything_is_made_and_each_is_told_once(tmp_path):
    (tmp_path / "big").write_bytes(b"x" * (LIMIT + 1))
    large = HostFolder(str(tmp_path), "/code", setting="supabase.functions.folder")
    absent = HostFolder(str(tmp_path / "not"), "/code", setting="other.folder")
    found = list(problems([service(folders=(large,)), service("two", folders=(large, absent))]))
    assert [line.split(":")[0] for line in found] == ["supabase.functions.folder", "other.folder"]


def annotations(**about):
    secrets = about.pop("secrets", None)
    body = render(service(**about), secrets=secrets)["supabase-it"].body
    return body["spec"]["template"]["metadata"]["annotations"]


def test_pods_roll_when_a_file_changes():
    one, other = (annotations(files=(File("/a", text(content)),)) for content in "12")
    assert one["supastack.io/config"] != other["supastack.io/config"]


def test_pods_roll_when_a_secret_changes_and_it_can_not_be_seen():
    one, other = (annotations(env={"A": text(Secret("jwt-secret"))}, secrets={"jwt-secret": value}) for value in ("weak", "1234"))
    assert one["supastack.io/secrets"] != other["supastack.io/secrets"]
    assert "weak" not in str(one)


def test_what_consumes_nothing_has_no_mark():
    assert set(annotations()) == {"supastack.io/stack-id"}
