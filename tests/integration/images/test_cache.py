"""The valkey and redis images, run as valkey/valkey and redis are."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.integration.images.conftest import Box, Dock

pytestmark = pytest.mark.docker

PASSWORD = "cache-Test_0123456789"
CONFIGURATION = f"dir /data\nbind * -::*\nport 6379\nappendonly yes\nappendfsync everysec\nrequirepass {PASSWORD}\n"
CONFIG_PATH = "/etc/supastack/cache.conf"


@dataclass
class Engine:
    name: str
    reference: str

    @property
    def server(self) -> str:
        return f"{self.name}-server"

    @property
    def cli(self) -> str:
        return f"{self.name}-cli"


@pytest.fixture(params=["valkey", "redis"])
def engine(request: pytest.FixtureRequest, image: Callable[[str], str]) -> Engine:
    return Engine(request.param, image(request.param))


def configured(dock: Dock, engine: Engine, volume: str, **more: object) -> Box:
    box = dock.box(
        engine.reference,
        engine.server,
        CONFIG_PATH,
        env={"REDISCLI_AUTH": PASSWORD},
        volumes={"/data": volume},
        files={CONFIG_PATH: CONFIGURATION},
        health=("sh", "-c", f'test "$({engine.cli} ping)" = PONG'),
        **more,
    )
    return box.healthy()


def test_a_configuration_file_gives_it_a_password(dock: Dock, engine: Engine) -> None:
    server = configured(dock, engine, dock.volume())
    assert server.ok(engine.cli, "ping") == "PONG"
    assert "NOAUTH" in server.run("env", "-u", "REDISCLI_AUTH", engine.cli, "ping")[1]
    assert PASSWORD not in server.ok("cat", "/proc/1/cmdline")


def test_other_containers_reach_it_without_a_password_where_none_is_set(dock: Dock, engine: Engine) -> None:
    # A stock server is in protected mode then, and refuses; upstream's images are compiled without it.
    server = dock.box(engine.reference).ready(engine.cli, "ping")
    assert dock.once(engine.reference, engine.cli, "-h", server.name, "ping").strip() == "PONG"
    # What was added for that leaves the default snapshots alone.
    assert server.ok(engine.cli, "config", "get", "save").split("\n") == ["save", "3600 1 300 100 60 10000"]


def test_protected_mode_that_was_asked_for_stays(dock: Dock, engine: Engine) -> None:
    named = dock.box(engine.reference, engine.server, "--protected-mode", "yes").ready(engine.cli, "ping")
    assert named.ok(engine.cli, "config", "get", "protected-mode").endswith("yes")
    files = {"/etc/own.conf": "protected-mode yes\n"}
    written = dock.box(engine.reference, "/etc/own.conf", files=files).ready(engine.cli, "ping")
    assert written.ok(engine.cli, "config", "get", "protected-mode").endswith("yes")


def test_keys_survive_a_new_container(dock: Dock, engine: Engine) -> None:
    volume = dock.volume()
    first = configured(dock, engine, volume)
    first.ok(engine.cli, "set", "kept", "7")
    first.container.stop(timeout=30)
    assert first.exit_code() == 0
    first.container.remove()
    second = configured(dock, engine, volume)
    assert second.ok(engine.cli, "get", "kept") == "7"


def test_options_alone_mean_the_server(dock: Dock, engine: Engine) -> None:
    server = dock.box(engine.reference, "--maxmemory", "64mb", "--appendonly", "yes").ready(engine.cli, "ping")
    assert server.ok(engine.cli, "config", "get", "maxmemory").endswith("67108864")


def test_it_runs_as_its_own_user_on_a_volume_that_belonged_to_root(dock: Dock, engine: Engine) -> None:
    volume = dock.volume()
    dock.once(engine.reference, "sh", "-c", "echo x > /data/old && chown -R 0:0 /data", volumes={"/data": volume})
    server = configured(dock, engine, volume)
    assert server.ok("stat", "-c", "%u %g", "/proc/1") == "999 999"
    assert server.ok("stat", "-c", "%u", "/data/old") == "999"
    assert server.ok("id", "-u", engine.name) == "999"


def test_it_runs_under_another_user_that_owns_the_folder(dock: Dock, engine: Engine) -> None:
    server = dock.box(engine.reference, user="999:999").ready(engine.cli, "ping")
    assert server.ok("stat", "-c", "%u", "/proc/1") == "999"


def test_a_folder_that_cannot_be_written_is_named(dock: Dock, engine: Engine) -> None:
    volume = dock.volume()
    # Not empty: the daemon fills an empty volume from the image each time, with the image's owner and mode.
    dock.once(engine.reference, "sh", "-c", "touch /data/x && chown 0:0 /data && chmod 0755 /data", volumes={"/data": volume})
    refused = dock.box(engine.reference, engine.server, user="1234:1234", volumes={"/data": volume})
    assert refused.exit_code() == 1
    assert "/data can't be written by user 1234" in refused.logs()


def test_another_command_runs_as_it_is(dock: Dock, engine: Engine) -> None:
    assert engine.name in dock.once(engine.reference, engine.cli, "--version")
