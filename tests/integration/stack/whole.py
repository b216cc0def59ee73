"""The whole stack as one meets it who uses it: by its addresses, its keys, and what the daemon says of its containers."""

import contextlib
import io
import json
import re
import tarfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import requests
import yaml
from docker.models.containers import Container

from tests.integration.clone import Clone

REAL = ("cache-valkey", "objects-minio", *(f"supabase-{name}" for name in ("gateway", "imgproxy", "mail", "meta", "postgres")))
"""Servers of the dev stack that local images really are."""
STUBS = tuple(f"supabase-{name}" for name in ("auth", "functions", "pooler", "realtime", "rest", "storage", "studio"))
"""Those that a stub stands for."""
OPTIONAL = ("imgproxy", "mail", "studio")
"""Services of the dev stack that nothing else needs."""


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def stub(self) -> str | None:
        """The service that a stub stands for, if one has answered."""
        return self.headers.get("x-supastack-stub")


class Whole:
    """One stack of a clone, up. What it says of itself is read once."""

    def __init__(self, clone: Clone, stack: str = "dev", shown: str = "") -> None:
        """`shown` is what its first up printed."""
        self.clone = clone
        self.stack = stack
        self.shown = shown
        self.outputs = clone.outputs(stack)

    # -- a person's view

    @contextlib.contextmanager
    def settings(self, **groups: Any) -> Iterator[None]:
        """These settings stand in the stack's file too meanwhile, beside or in place of its own."""
        file = self.clone.root / f"Pulumi.{self.stack}.yaml"
        before = file.read_text()
        given = {f"supastack:{name}": value for name, value in groups.items()}
        file.write_text(yaml.safe_dump({"config": _merged(yaml.safe_load(before)["config"], given)}, sort_keys=False))
        try:
            yield
        finally:
            file.write_text(before)

    def up(self, *, code: int | None = 0) -> str:
        """What `make up` prints."""
        return self.clone.make("up", code=code, STACK=self.stack).stdout

    # -- the daemon's view

    def containers(self) -> dict[str, Container]:
        """All containers, by component and service (`supabase-auth`)."""
        prefix = f"supastack-{self.stack}-"
        found = self.clone.daemon.client().containers.list(all=True, filters={"label": f"supastack.stack={self.stack}"})
        return {c.name.removeprefix(prefix): c for c in found}

    def container(self, name: str) -> Container:
        """A container, by component and service."""
        return self.clone.daemon.client().containers.get(f"supastack-{self.stack}-{name}")

    def ids(self) -> dict[str, str]:
        """Id of each container that runs: another one, or one more start, makes another."""
        return {n: f"{c.id} {c.attrs['State']['StartedAt']}" for n, c in self.containers().items() if c.status == "running"}

    def states(self) -> dict[str, str]:
        """`healthy` or `unhealthy` for what runs and has a health check, else the container's state, by name.

        The daemon runs a check at its interval only, the first time after one, so what it calls `starting` is waited for.
        """
        deadline = time.monotonic() + 180
        while "starting" in (found := self._states()).values() and time.monotonic() < deadline:
            time.sleep(1)
        return found

    def until_states(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """The states, once those in `wanted` are as they are there, or when it took too long.

        A check that a busy machine was too slow for makes a container `unhealthy` until its next one.
        """
        deadline = time.monotonic() + 180
        while not wanted.items() <= (found := self.states()).items() and time.monotonic() < deadline:
            time.sleep(1)
        return found

    def _states(self) -> dict[str, str]:
        found = {n: (c.attrs["State"], c.status) for n, c in self.containers().items()}
        return {
            n: (state.get("Health", {}).get("Status") if state["Running"] else None) or own for n, (state, own) in found.items()
        }

    def is_well(self) -> bool:
        """Whether all are healthy, or are jobs that have ended well; a check that a busy machine was too slow for is waited for."""
        deadline = time.monotonic() + 180
        while (wrong := set(self.states().values()) - {"healthy", "exited"}) and time.monotonic() < deadline:
            time.sleep(1)
        return not wrong and all(c.attrs["State"]["ExitCode"] == 0 for c in self.containers().values() if c.status == "exited")

    def env(self, name: str) -> dict[str, str]:
        """The environment that a container was given."""
        return dict(line.split("=", 1) for line in self.container(name).attrs["Config"]["Env"])

    def file(self, name: str, path: str) -> bytes:
        """A file of a container."""
        chunks, _ = self.container(name).get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            held = archive.extractfile(archive.getmembers()[0])
            assert held is not None
            return held.read()

    def address(self, host: str, seen_from: str) -> str:
        """The address that a host name has inside a container."""
        code, said = self.container(seen_from).exec_run(["getent", "ahostsv4", host])
        assert code == 0, f"{seen_from} does not know {host}"
        return str(said.decode().split()[0])

    # -- a client's view

    def call(self, url: str, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
        """GET, or another `method`, in the daemon's network. A path is one of the API's."""
        method, where = more.pop("method", "GET"), url if "://" in url else self.outputs["API_URL"] + url
        with self.clone.daemon.network():
            done = requests.request(method, where, headers=headers, timeout=30, **more)
        return Answer(done.status_code, {name.lower(): value for name, value in done.headers.items()}, done.content)

    def keyed(self, path: str, key: str = "ANON_KEY", **more: Any) -> Answer:
        """The same with one of the outputs as the key."""
        return self.call(path, {"apikey": self.outputs[key]}, **more)

    def sql(self, user: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A connection to the database, as one of its roles: all have the same password. To be used in the daemon's network."""
        url = urlsplit(self.outputs["DB_URL"])
        return psycopg.connect(
            host=url.hostname,
            port=url.port,
            dbname=url.path[1:],
            user=user,
            password=unquote(url.password or ""),
            connect_timeout=10,
        )

    @property
    def login(self) -> tuple[str, str]:
        """Studio's."""
        return self.outputs["DASHBOARD_USERNAME"], self.outputs["DASHBOARD_PASSWORD"]


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    found = dict(one)
    for name, value in other.items():
        found[name] = _merged(one[name], value) if isinstance(value, dict) and isinstance(one.get(name), dict) else value
    return found


def steps(shown: str) -> dict[str, int]:
    """Counts of the last summary that Pulumi printed: {"created": 31, ...}.

    Those that `errored` are left out: a failed step shows in the exit code, and on a busy machine the stack counts as one for a
    plugin that was not seen off in time (toolchain.preview.changes).
    """
    block = shown[shown.rindex("Resources:") :].split("Duration", 1)[0]
    return {what: int(count) for count, what in re.findall(r"(\d+) (created|updated|replaced|deleted|unchanged)", block)}
