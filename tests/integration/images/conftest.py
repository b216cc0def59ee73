"""Containers of local images, run as the upstream image would be, and removed with their volumes and networks."""

import io
import json
import os
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import docker
import docker.errors
import pytest

from toolchain.announce import step
from toolchain.images import available, ensure

UNTIL_TOLD = "do $$ begin while (pg_stat_file('/tmp/go', true)).size is null loop perform pg_sleep(0.1); end loop; end $$;"
"""SQL of a superuser that ends when somebody makes that file in the server's container."""


class Box:
    """One container."""

    def __init__(self, container: Any) -> None:
        self.container = container

    @property
    def name(self) -> str:
        return str(self.container.name)

    def run(self, *command: str, user: str = "", env: dict[str, str] | None = None) -> tuple[int, str]:
        """Run a command inside. Exit code and output."""
        result = self.container.exec_run(list(command), user=user, environment=env or {})
        return result.exit_code, result.output.decode(errors="replace").strip()

    def ok(self, *command: str, user: str = "", env: dict[str, str] | None = None) -> str:
        code, output = self.run(*command, user=user, env=env)
        assert code == 0, f"{command} ended with {code}: {output}"
        return output

    def logs(self) -> str:
        return str(self.container.logs().decode(errors="replace"))

    def state(self) -> str:
        self.container.reload()
        return str(self.container.status)

    def health(self) -> str:
        self.container.reload()
        return str(self.container.attrs["State"].get("Health", {}).get("Status"))

    def healthy(self) -> "Box":
        """Wait for the health check to pass."""
        wait_for(lambda: self.health() == "healthy" or self.state() != "running", f"{self.name} to be healthy")
        assert self.state() == "running", self.logs()
        return self

    def ready(self, *command: str) -> "Box":
        """Wait for a command inside to succeed."""
        wait_for(lambda: self.state() != "running" or self.run(*command)[0] == 0, f"{command} in {self.name}")
        assert self.state() == "running", self.logs()
        return self

    def exit_code(self) -> int:
        return int(self.container.wait(timeout=120)["StatusCode"])

    def put(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Place a file, also before the container is started."""
        raw = content.encode() if isinstance(content, str) else content
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(raw), mode
            archive.addfile(entry, io.BytesIO(raw))
        self.container.put_archive("/", data.getvalue())


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.2)


class Dock:
    """Makes containers, volumes and networks with names of this test, and removes them."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.prefix = f"images-test-{uuid.uuid4().hex[:8]}"
        self._made: list[Any] = []
        self._network = ""

    def network(self) -> str:
        """The network of this test. Not the daemon's default one, which a daemon may lack."""
        if not self._network:
            made = self.client.networks.create(self.prefix)
            self._made.append(made)
            self._network = str(made.name)
        return self._network

    def volume(self) -> str:
        made = self.client.volumes.create(f"{self.prefix}-{len(self._made)}")
        self._made.append(made)
        return str(made.name)

    def box(
        self,
        reference: str,
        *command: str,
        env: dict[str, str] | None = None,
        volumes: dict[str, str] | None = None,
        health: Sequence[str] = (),
        files: dict[str, str] | None = None,
        start: bool = True,
        **more: Any,
    ) -> Box:
        if health:
            more["healthcheck"] = {"test": ["CMD", *health], "interval": 500_000_000, "retries": 200, "timeout": 5_000_000_000}
        container = self.client.containers.create(
            reference,
            list(command),
            name=f"{self.prefix}-{len(self._made)}",
            environment=env or {},
            network=self.network(),
            volumes={volume: {"bind": path, "mode": "rw"} for path, volume in (volumes or {}).items()},
            **more,
        )
        self._made.append(container)
        made = Box(container)
        for path, content in (files or {}).items():
            made.put(path, content)
        if start:
            container.start()
        return made

    def once(self, reference: str, *command: str, **more: Any) -> str:
        """Run a container to its end. Its output."""
        made = self.box(reference, *command, **more)
        assert made.exit_code() == 0, made.logs()
        return made.logs()

    def clean(self) -> None:
        for made in reversed(self._made):
            kind = type(made).__name__
            try:
                if kind == "Container":
                    made.remove(force=True, v=True)
                elif kind == "Volume":
                    made.remove(force=True)
                else:
                    made.remove()
            except docker.errors.NotFound:
                pass


@pytest.fixture(scope="session")
def client() -> Any:
    made = docker.from_env(version="auto")
    made.ping()
    return made


@pytest.fixture
def dock(client: Any) -> Iterator[Dock]:
    made = Dock(client)
    yield made
    made.clean()


@pytest.fixture(scope="session")
def image(client: Any) -> Callable[[str], str]:
    """The reference of a local image that is in the daemon, made if it is not."""
    ready: set[str] = set()

    def have(name: str) -> str:
        reference = available()[name].reference
        if name not in ready:
            ensure([reference], os.environ.get("DOCKER_HOST") or None, step)
            ready.add(name)
        return reference

    return have


def as_json(text: str) -> Any:
    return json.loads(text)
