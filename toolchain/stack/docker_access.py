"""The Docker daemon as the toolchain sees it: containers, networks and volumes by label, through the `docker` SDK."""

import contextlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from toolchain.announce import ToolchainError, fail
from toolchain.context import Context

if TYPE_CHECKING:
    from docker import DockerClient

STACK_ID = "supastack.stack-id"
PROJECT = "supastack.project"
STACK = "supastack.stack"
COMPONENT = "supastack.component"
SERVICE = "supastack.service"
IMAGE_KIND = "supastack.image-kind"
PRECIOUS = "supastack.precious"

_SECONDS = 60


@dataclass(frozen=True)
class Published:
    """A port of a container that the machine has."""

    address: str
    """Address of the machine that it is bound to."""
    port: int
    """On the machine."""
    inside: int
    """In the container."""


@dataclass(frozen=True)
class Container:
    """A container as the daemon describes it."""

    id: str
    name: str
    image: str
    status: str
    """`created`, `running`, `restarting`, `exited`, `paused`, `dead` or `removing`."""
    health: str | None
    """`starting`, `healthy` or `unhealthy`; None without a health check."""
    exit_code: int
    out_of_memory: bool = False
    error: str = ""
    """What the daemon says where it could not start the container."""
    last_check: str = ""
    """The output of the last health check that failed."""
    labels: dict[str, str] = field(default_factory=dict)
    made: float = 0.0
    """Seconds since 1970."""
    ports: tuple[Published, ...] = ()
    """What it publishes, or is to publish when it runs again; by port of the machine."""

    @property
    def is_optional(self) -> bool:
        """Whether nothing else needs it."""
        return self.labels.get("supastack.optional") == "true"

    @property
    def is_job(self) -> bool:
        """Whether it is meant to end."""
        return self.labels.get("supastack.kind") == "job"

    @property
    def is_well(self) -> bool:
        """Whether it is as it should be: running and not unhealthy, or a job that ended with 0."""
        if self.is_job:
            return self.status in ("running", "exited") and self.exit_code == 0
        return self.status == "running" and self.health in (None, "healthy")

    @property
    def state(self) -> str:
        """For people: `running, healthy`, `exited with code 1`."""
        if self.status == "exited":
            return "done" if self.is_job and self.exit_code == 0 else f"exited with code {self.exit_code}"
        return f"{self.status}, {self.health}" if self.health else self.status


@dataclass(frozen=True)
class Thing:
    """A network or volume."""

    id: str
    name: str
    labels: dict[str, str]
    made: float = 0.0
    """Seconds since 1970."""


class Daemon:
    """The objects of one daemon."""

    def __init__(self, client: "DockerClient") -> None:
        self.client = client

    def containers(self, **labels: str) -> list[Container]:
        """All containers with these labels, stopped ones too; without any, those of all stacks.

        Keyword names are the constants above in lower case.
        """
        listed = self.client.api.containers(all=True, filters={"label": _filters(labels) or [STACK_ID]})
        found: list[dict[str, Any]] = []
        for item in listed:
            # It may be gone between the list and the look.
            with contextlib.suppress(_not_found()):
                found.append(self.client.api.inspect_container(item["Id"]))
        # The daemon asks at its interval only, the first time after one: what it calls "starting" may long be well.
        early = [i for i in found if ((i.get("State") or {}).get("Health") or {}).get("Status") == "starting"]
        with ThreadPoolExecutor(max_workers=8) as pool:
            well = dict(zip((i["Id"] for i in early), pool.map(self._passes, early), strict=True))
        return sorted((_container(i, well=well.get(i["Id"], False)) for i in found), key=lambda c: c.name)

    def _passes(self, inspected: dict[str, Any]) -> bool:
        """Whether a container's health check passes now."""
        test = (inspected["Config"].get("Healthcheck") or {}).get("Test") or []
        if test[:1] != ["CMD"] or not (inspected.get("State") or {}).get("Running"):
            return False
        from docker.errors import APIError

        try:
            made = self.client.api.exec_create(inspected["Id"], test[1:])["Id"]
            self.client.api.exec_start(made)
            return bool(self.client.api.exec_inspect(made)["ExitCode"] == 0)
        except APIError:
            return False  # it has stopped meanwhile

    def networks(self, **labels: str) -> list[Thing]:
        """All networks with these labels."""
        listed = self.client.api.networks(filters={"label": _filters(labels)})
        return sorted(
            (Thing(n["Id"], n["Name"], n.get("Labels") or {}, _time(n.get("Created"))) for n in listed), key=lambda t: t.name
        )

    def volumes(self, **labels: str) -> list[Thing]:
        """All volumes with these labels; without any, those of all stacks."""
        listed = self.client.api.volumes(filters={"label": _filters(labels) or [STACK_ID]}).get("Volumes") or []
        return sorted((Thing(v["Name"], v["Name"], v.get("Labels") or {}) for v in listed), key=lambda t: t.name)

    @property
    def id(self) -> str:
        """What tells this daemon from others, by whatever way it is reached."""
        return str(self.client.api.info().get("ID") or self.client.api.base_url)

    def has_image(self, reference: str) -> bool:
        """Whether an image is there."""
        try:
            self.client.api.inspect_image(reference)  # type: ignore[no-untyped-call]
        except _not_found():
            return False
        return True

    def image_name(self, reference: str) -> str:
        """The name of an image that a container was made from by its id; the id, shortened, where it has lost its name."""
        if not reference.startswith("sha256:"):
            return reference
        tags: list[str] = []
        with contextlib.suppress(_not_found()):
            inspected: dict[str, Any] = self.client.api.inspect_image(reference)  # type: ignore[no-untyped-call]
            tags = inspected.get("RepoTags") or []
        return min(tags, default=reference[: len("sha256:") + 12])

    def remove_container(self, identifier: str) -> None:
        """Stop it with its own grace period, then remove it. Its volumes stay, unnamed ones too."""
        with contextlib.suppress(_not_found()):
            with contextlib.suppress(self._conflict()):
                self.client.api.stop(identifier)
            self.client.api.remove_container(identifier, v=False, force=True)

    def remove_network(self, identifier: str) -> None:
        """Remove a network, cutting off containers that are still in it."""
        with contextlib.suppress(_not_found()):
            members = self.client.api.inspect_network(identifier).get("Containers") or {}
            for member in members:
                with contextlib.suppress(_not_found()):
                    self.client.api.disconnect_container_from_network(member, identifier, force=True)
            self.client.api.remove_network(identifier)

    def remove_volume(self, name: str) -> None:
        """Remove a volume and the data in it."""
        with contextlib.suppress(_not_found()):
            self.client.api.remove_volume(name)

    def last_lines(self, identifier: str, lines: int) -> str:
        """The end of a container's log."""
        raw: bytes = self.client.api.logs(identifier, stdout=True, stderr=True, tail=lines)
        return raw.decode(errors="replace")

    @staticmethod
    def _conflict() -> type[Exception]:
        from docker.errors import APIError

        return APIError


@contextmanager
def connect(context: Context) -> Iterator[Daemon]:
    """The daemon that the context's environment names (DOCKER_HOST, or the default socket).

    Raises ToolchainError where it does not answer, also for what goes wrong while it is in use.
    """
    import docker
    import requests

    try:
        client = docker.from_env(
            environment=context.env,
            timeout=_SECONDS,
            use_ssh_client=context.env.get("DOCKER_HOST", "").startswith("ssh://"),
        )
        try:
            yield Daemon(client)
        finally:
            client.close()
    except (docker.errors.DockerException, requests.RequestException) as error:
        host = context.env.get("DOCKER_HOST", "the default socket")
        fail(f"the Docker daemon at {host} can't do what was asked: {_explained(error)}")


def locate(context: Context, configured_host: str | None) -> Context:
    """The context with the daemon that the stack is on, or else one that answers, without starting one.

    It is chosen as `setup.docker.ensure` does: one that is named, else that of the stack's last `up`, else any. Raises ToolchainError
    where it does not answer.
    """
    from toolchain.setup import docker as setup_docker

    chosen = setup_docker.named(configured_host) or setup_docker.remembered(context)
    for daemon in [chosen] if chosen else setup_docker.candidates():
        problem = setup_docker.problem_of(daemon)
        if problem is None:
            return setup_docker.with_daemon(context, daemon)
        if chosen:
            where = chosen.host or setup_docker.DEFAULT_SOCKET
            raise ToolchainError(f"the Docker daemon at {where} does not answer: {problem}. It was named by {chosen.source}")
    raise ToolchainError("no Docker daemon answers, so nothing can be said about containers (docker info tells more)")


def others(context: Context) -> Iterator[Context]:
    """The same context with each daemon in a usual place of this machine that answers."""
    from toolchain.setup import docker as setup_docker

    bare = replace(context, env={name: value for name, value in context.env.items() if not name.startswith("DOCKER_")})
    for daemon in setup_docker.candidates():
        if setup_docker.problem_of(daemon) is None:
            yield setup_docker.with_daemon(bare, daemon)


def _container(inspected: dict[str, Any], *, well: bool = False) -> Container:
    state = inspected.get("State") or {}
    health = state.get("Health") or {}
    checks = [c for c in health.get("Log") or [] if c.get("ExitCode")]
    status = "healthy" if well else health.get("Status")
    return Container(
        id=inspected["Id"],
        name=inspected["Name"].lstrip("/"),
        image=inspected["Config"]["Image"],
        status=state.get("Status", "unknown"),
        health=status if status not in (None, "", "none") else None,
        exit_code=int(state.get("ExitCode") or 0),
        out_of_memory=bool(state.get("OOMKilled")),
        error=state.get("Error") or "",
        last_check=checks[-1].get("Output", "").strip() if checks else "",
        labels=inspected["Config"].get("Labels") or {},
        made=_time(inspected.get("Created")),
        ports=_published((inspected.get("HostConfig") or {}).get("PortBindings") or {}),
    )


def _published(bindings: dict[str, Any]) -> tuple[Published, ...]:
    found = [
        Published(binding.get("HostIp") or "0.0.0.0", int(binding["HostPort"]), int(inside.partition("/")[0]))
        for inside, every in bindings.items()
        for binding in every or ()
        if str(binding.get("HostPort") or "").isdigit()
    ]
    return tuple(sorted(found, key=lambda p: (p.port, p.address)))


def _time(text: str | None) -> float:
    """A time as the daemon writes it (nanoseconds, Z), 0 where it gives none."""
    match = re.match(r"(\d+-\d+-\d+T\d+:\d+:\d+)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$", text or "")
    return datetime.fromisoformat(match[1] + match[2]).timestamp() if match else 0.0


def _filters(labels: dict[str, str]) -> list[str]:
    names = {"stack_id": STACK_ID, "project": PROJECT, "stack": STACK}
    return [f"{names[key]}={value}" for key, value in labels.items()]


def _not_found() -> type[Exception]:
    from docker.errors import NotFound

    return NotFound


def _explained(error: Exception) -> str:
    return str(getattr(error, "explanation", None) or error)
