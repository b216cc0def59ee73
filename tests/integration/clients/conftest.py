"""Two small stacks of one clone side by side: `cli`, instance 1 with the Supabase CLI's keys, and `own`, instance 2 with its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.supabase_settings.override import SERVICES
from tests.integration.clients.supabase_cli import Project
from tests.integration.clone import Clone
from tests.integration.daemon import Daemon
from tests.integration.gateway.conftest import place, start  # noqa: F401
from tests.integration.images.conftest import client, image  # noqa: F401
from tests.integration.stack.whole import Whole

STACKS: dict[str, dict[str, Any]] = {
    # Storage, which the CLI talks to by HTTP, needs rest.
    "cli": {
        "instance": 1,
        "compat": "cli",
        "envFiles": {"supabase-cli": {"path": "../app/supabase/config.toml"}},
        "on": ("gateway", "rest", "storage"),
    },
    "own": {"instance": 2, "envFiles": {}, "on": ("gateway", "meta")},
}
"""Their settings, and which services they have beside the database."""


@pytest.fixture(scope="package")
def machine(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A clone with both stacks up."""
    clone = Clone(Path(tmp_path_factory.mktemp("clients")), daemon)
    clone.create()
    (clone.root.parent / "app/supabase").mkdir(parents=True)
    for stack, settings in STACKS.items():
        on = ("postgres", *settings["on"])
        config = {
            **{name: value for name, value in settings.items() if name != "on"},
            "supabase": {name: {"enabled": False} for name in SERVICES if name not in on},
            "cache": {"enabled": False},
            "objectStorage": {"enabled": False},
        }
        written = {"config": {f"supastack:{name}": value for name, value in config.items()}}
        (clone.root / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(written))
    try:
        for stack in STACKS:
            clone.make("up", STACK=stack)
        yield clone
    finally:
        _remove(daemon)


def _remove(daemon: Daemon) -> None:
    """Frees their ports for other tests. The clone with its state goes too, so nobody has to be told."""
    client = daemon.client()  # noqa: F811
    for stack in STACKS:
        wanted = {"filters": {"label": f"supastack.stack={stack}"}}
        for container in client.containers.list(all=True, **wanted):
            container.remove(force=True)
        for thing in (*client.volumes.list(**wanted), *client.networks.list(**wanted)):
            thing.remove()


@pytest.fixture(scope="package")
def cli(machine: Clone) -> Whole:
    """Instance 1, with the Supabase CLI's keys and its config.toml."""
    return Whole(machine, "cli")


@pytest.fixture(scope="package")
def own(machine: Clone) -> Whole:
    """Instance 2, with keys and a password of its own."""
    return Whole(machine, "own")


@pytest.fixture(scope="package")
def local(cli: Whole) -> Project:
    """An app's folder beside the clone; its `supabase/config.toml` is the one that `make up` wrote."""
    return Project(cli, cli.clone.root.parent / "app")


@pytest.fixture(scope="package")
def remote(own: Whole, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project elsewhere without a config.toml, that reaches instance 2 by the `--remote=` of the summary."""
    shown = own.clone.make("status", STACK=own.stack, SHOW_SECRETS="1").stdout
    return Project(own, tmp_path_factory.mktemp("elsewhere"), flag=Project.flag_in(shown))
