"""The state of a stack in a bucket: a real MinIO on the tests' daemon stands for S3, as delivery.yaml names it."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from tests.integration.clone import Clone
from tests.integration.daemon import Daemon
from toolchain.images import recipes

PREVIEW = {
    "config": {
        "supastack:target": "docker",
        "supastack:imageSource": "local",
        "supastack:ports": "auto",
        "supastack:supabase": {"enabled": False},
        "supastack:objectStorage": {"enabled": False},
    }
}
KEYS = {"AWS_ACCESS_KEY_ID": "team", "AWS_SECRET_ACCESS_KEY": "of the test's own", "PULUMI_CONFIG_PASSPHRASE": "of previews"}


@pytest.fixture
def bucket(daemon: Daemon) -> Iterator[Any]:
    """A MinIO with the bucket `state`; yields its container and the URL that delivery.yaml has."""
    (reference,) = (recipe.reference for recipe in map(recipes.load, recipes.names()) if "/minio:" in recipe.reference)
    client = docker.DockerClient(base_url=daemon.host)
    server = client.containers.run(
        reference,
        ["sh", "-c", "mkdir -p /tmp/data/state && exec minio server /tmp/data"],
        entrypoint=[],
        detach=True,
        network_mode="host",
        environment={"MINIO_ROOT_USER": KEYS["AWS_ACCESS_KEY_ID"], "MINIO_ROOT_PASSWORD": KEYS["AWS_SECRET_ACCESS_KEY"]},
    )
    try:
        deadline = time.monotonic() + 60
        while b"API:" not in server.logs() and time.monotonic() < deadline:
            time.sleep(0.2)
        yield server, "s3://state?endpoint=http://127.0.0.1:9000&s3ForcePathStyle=true&region=us-east-1"
    finally:
        server.remove(force=True, v=True)


def files(server: Any) -> str:
    return server.exec_run(["find", "/tmp/data/state", "-name", "pr-7.json"]).output.decode()


def test_a_stack_whose_state_is_in_s3_is_made_by_one_clone_and_removed_by_another(
    bucket: Any, daemon: Daemon, tmp_path: Path
) -> None:
    server, url = bucket
    first, second = Clone(tmp_path / "first", daemon), Clone(tmp_path / "second", daemon)
    first.create()
    (first.root / "Pulumi.preview.yaml").write_text(yaml.safe_dump(PREVIEW))
    plan = {"state": {"preview": {"backend": url, "secretsProvider": "passphrase"}}}
    (first.root / "delivery.yaml").write_text(yaml.safe_dump(plan))
    second.root.parent.mkdir()
    second.home.mkdir()
    subprocess.run(["cp", "-r", first.root, second.root], check=True)
    first.run("make", "--no-print-directory", "pr-up", **KEYS, PR="7")
    assert files(server)
    assert not list(first.root.glob(".supastack/state/**/pr-7.json"))
    listed = second.run("make", "--no-print-directory", "pr-list", **KEYS).stdout
    assert "pr-7" in listed
    second.run("make", "--no-print-directory", "pr-down", **KEYS, PR="7")
    assert files(server) == ""
    client = docker.DockerClient(base_url=daemon.host)
    assert not [c.name for c in client.containers.list(all=True) if "-pr-7-" in c.name]
