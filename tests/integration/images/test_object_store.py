"""The minio image, run as minio/minio and minio/mc are."""

from collections.abc import Callable

import pytest

from components.service import Image
from components.services.object_store import buckets_job
from components.setting_types import ObjectStorageEngine
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


def given(dock: Dock, reference: str, server: Box, access_key: str, secret_key: str) -> None:
    """Run the job that a stack runs, with these credentials for its app."""
    job = buckets_job(ObjectStorageEngine.MINIO, Image("minio", reference), ("mine",))
    env = {**client(host=server.name), "ACCESS_KEY": access_key, "SECRET_KEY": secret_key}
    (script,) = job.files
    files = {script.path: "".join(str(part) for part in script.content.parts)}
    dock.once(reference, *job.command, env=env, entrypoint=list(job.entrypoint), files=files)


def test_the_job_in_it_makes_buckets_and_a_user_who_sees_only_them(dock: Dock, image: Callable[[str], str]) -> None:
    server = serve(dock, image("minio"))
    server.ok("mc", "mb", "store/theirs", env=client())
    # Twice, as a second deployment runs it again.
    for _ in range(2):
        given(dock, image("minio"), server, "app-user", "app-Test_01234")
    app = client("app-user", "app-Test_01234")
    server.ok("sh", "-c", "printf x | mc pipe store/mine/x", env=app)
    code, output = server.run("sh", "-c", "printf x | mc pipe store/theirs/x", env=app)
    assert code != 0
    assert "Insufficient permissions" in output


def test_a_key_that_was_changed_is_of_no_use_any_more(dock: Dock, image: Callable[[str], str]) -> None:
    server = serve(dock, image("minio"))
    given(dock, image("minio"), server, "leaked-user", "leaked-Test_01234")
    server.ok("sh", "-c", 'printf "%s\\n%s\\n" someones someones-Test_01234 | mc admin user add store', env=client())
    server.ok("mc", "admin", "policy", "attach", "store", "readwrite", "--user", "someones", env=client())
    given(dock, image("minio"), server, "app-user", "old-Test_01234")
    given(dock, image("minio"), server, "app-user", "app-Test_01234")
    for user, password in (("leaked-user", "leaked-Test_01234"), ("app-user", "old-Test_01234")):
        assert server.run("mc", "ls", "store/mine", env=client(user, password))[0] != 0
    server.ok("mc", "ls", "store/mine", env=client("app-user", "app-Test_01234"))
    # Who was given rights by hand keeps them.
    server.ok("mc", "ls", "store/mine", env=client("someones", "someones-Test_01234"))


def test_the_root_credentials_may_come_from_files(dock: Dock, image: Callable[[str], str]) -> None:
    files = {"/run/secrets/access_key": "file-user", "/run/secrets/secret_key": "file-Test_01234"}
    server = dock.box(image("minio"), *SERVE, files=files, health=HEALTH).healthy()
    server.ok("mc", "mb", "store/box", env=client("file-user", "file-Test_01234"))
    assert server.run("mc", "ls", "store", env=client("minioadmin", "minioadmin"))[0] != 0
