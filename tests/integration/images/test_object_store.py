"""The minio image, run as minio/minio and minio/mc are."""

import json
from collections.abc import Callable

import pytest

from tests.integration.images.conftest import Box, Dock

pytestmark = pytest.mark.docker

USER = "root-user"
PASSWORD = "root-Test_0123456789"
HEALTH = ("mc", "ready", "local")
SERVE = ("server", "/data", "--console-address", ":9001")


def serve(dock: Dock, reference: str, volume: str | None = None, **more: object) -> Box:
    env = {"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": PASSWORD}
    volumes = {"/data": volume} if volume else {}
    return dock.box(reference, *SERVE, env=env, volumes=volumes, health=HEALTH, **more).healthy()


def client(user: str = USER, password: str = PASSWORD, host: str = "localhost") -> dict[str, str]:
    return {"MC_HOST_store": f"http://{user}:{password}@{host}:9000"}


def test_its_health_address_and_its_console_answer(dock: Dock, image: Callable[[str], str]) -> None:
    server = serve(dock, image("minio"))
    server.ok("curl", "-fsS", "http://localhost:9000/minio/health/live")
    assert "<title>MinIO Console</title>" in server.ok("curl", "-fsS", "http://localhost:9001/")


def test_objects_survive_a_new_container(dock: Dock, image: Callable[[str], str]) -> None:
    volume = dock.volume()
    first = serve(dock, image("minio"), volume)
    first.ok("mc", "mb", "store/kept", env=client())
    first.ok("sh", "-c", "printf seven | mc pipe store/kept/note", env=client())
    first.container.stop(timeout=30)
    assert first.exit_code() == 0
    first.container.remove()
    second = serve(dock, image("minio"), volume)
    assert second.ok("mc", "cat", "store/kept/note", env=client()) == "seven"


def test_a_wrong_password_is_refused(dock: Dock, image: Callable[[str], str]) -> None:
    server = serve(dock, image("minio"))
    code, output = server.run("mc", "ls", "store", env=client(password="wrong-wrong"))
    assert code != 0
    assert "signature" in output


def test_a_job_in_it_makes_buckets_and_a_user_who_sees_only_them(dock: Dock, image: Callable[[str], str]) -> None:
    server = serve(dock, image("minio"))
    resources = ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": resources}]}
    script = "\n".join(
        [
            "set -eu",
            "mc mb --ignore-existing store/mine store/theirs",
            f"printf '%s' '{json.dumps(policy)}' > /tmp/policy.json",
            "mc admin policy create store mine /tmp/policy.json",
            'printf \'%s\\n%s\\n\' "$ACCESS_KEY" "$SECRET_KEY" | mc admin user add store',
            'mc admin policy attach store mine --user "$ACCESS_KEY" || mc admin user info store "$ACCESS_KEY" | grep -q mine',
        ]
    )
    job = {
        "env": {**client(host=server.name), "ACCESS_KEY": "app-user", "SECRET_KEY": "app-Test_01234"},
        "entrypoint": ["/bin/sh"],
        "files": {"/etc/supastack/buckets.sh": script},
    }
    # Twice, as a second deployment runs it again.
    for _ in range(2):
        dock.once(image("minio"), "/etc/supastack/buckets.sh", **job)
    app = client("app-user", "app-Test_01234")
    server.ok("sh", "-c", "printf x | mc pipe store/mine/x", env=app)
    code, output = server.run("sh", "-c", "printf x | mc pipe store/theirs/x", env=app)
    assert code != 0
    assert "Insufficient permissions" in output


def test_the_root_credentials_may_come_from_files(dock: Dock, image: Callable[[str], str]) -> None:
    files = {"/run/secrets/access_key": "file-user", "/run/secrets/secret_key": "file-Test_01234"}
    server = dock.box(image("minio"), *SERVE, files=files, health=HEALTH).healthy()
    server.ok("mc", "mb", "store/box", env=client("file-user", "file-Test_01234"))
    assert server.run("mc", "ls", "store", env=client("minioadmin", "minioadmin"))[0] != 0
