"""What the toolchain is told about a stack."""

import json

import pytest
import yaml

from components import describe
from tests.clone_root import ROOT


def told(capsys, tmp_path, config, code=0):
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(json.dumps({"config": config}))
    assert describe.main(["--stack", "dev", "--config", str(file)]) == code
    shown = capsys.readouterr()
    return json.loads(shown.out) if code == 0 else shown.err


def test_images_of_a_registry_name_the_registry_to_ask(capsys, tmp_path):
    found = told(capsys, tmp_path, {})
    assert found["image_source"] is None
    assert found["registries"] == ["registry-1.docker.io"]
    assert {i["kind"] for i in found["images"]} == {"registry"}


def test_local_images_need_no_registry_and_the_fallback_is_said(capsys, tmp_path):
    found = told(capsys, tmp_path, {"supastack:imageSource": "local", "supastack:objectStorage": {"fallback": "minio"}})
    assert found["registries"] == []
    assert {i["kind"] for i in found["images"]} == {"local", "stub"}
    assert any("minio stands in" in note for note in found["notes"])


def test_an_encrypted_secret_is_no_problem_and_is_not_told(capsys, tmp_path):
    found = told(capsys, tmp_path, {"supastack:adminPassword": {"secure": "v1:abc"}})
    assert "v1:abc" not in json.dumps(found)


def test_all_that_is_wrong_is_told_at_once(capsys, tmp_path):
    problems = told(capsys, tmp_path, {"supastack:instance": 13, "supastack:targt": "docker"}, code=2)
    assert "supastack:instance" in problems
    assert "did you mean" in problems


def test_the_production_example_lacks_its_secrets_and_nothing_else(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    example = ROOT / "Pulumi.prod.yaml"
    assert describe.main(["--stack", "prod", "--config", str(example)]) == 2
    assert "2 settings are not right" in capsys.readouterr().err
    config = yaml.safe_load(example.read_text())["config"]
    hidden = {f"supastack:{name}": {"secure": "v1:abc"} for name in ("objectStorageSecretKey", "smtpPassword")}
    found = told(capsys, tmp_path, {**config, **hidden})
    assert (found["target"], found["needs_docker"]) == ("kubernetes", False)


def test_an_external_store_with_an_encrypted_key_needs_nothing_here(capsys, tmp_path):
    store = {"engine": "external", "endpoint": "https://s3.example.com", "accessKey": "AKIAEXAMPLE1"}
    found = told(capsys, tmp_path, {"supastack:objectStorage": store, "supastack:objectStorageSecretKey": {"secure": "v1:abc"}})
    roles = {i["role"] for i in found["images"]}
    assert {"postgres", "valkey"} <= roles
    assert roles.isdisjoint({"seaweedfs", "minio", "rustfs"})


@pytest.mark.parametrize(
    ("images", "reference", "setting"),
    [
        ({}, "docker.io/postgrest/postgrest:", "supastack:release"),
        ({"overrides": {"rest": "own.example/rest:1"}}, "own.example/rest:1", "supastack:images.overrides.rest"),
        ({"digests": {"rest": f"sha256:{'0' * 64}"}}, "docker.io/postgrest/postgrest:", "supastack:images.digests.rest"),
        ({"mirror": "mirror.example/hub"}, "mirror.example/hub/postgrest/postgrest:", "supastack:images.mirror"),
    ],
)
def test_an_image_is_told_with_the_setting_that_names_it(capsys, tmp_path, images, reference, setting):
    found = told(capsys, tmp_path, {"supastack:images": images} if images else {})
    (image,) = (i for i in found["images"] if i["role"] == "rest")
    assert image["setting"] == setting
    assert image["reference"].startswith(reference)


def test_every_published_port_is_told_with_its_name(capsys, tmp_path):
    found = told(capsys, tmp_path, {"supastack:instance": 2})
    assert {"name": "postgres", "port": 55322, "bind": "127.0.0.1"} in found["ports"]
