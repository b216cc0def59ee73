"""Which instances there are on this machine, told from what runs and what is kept there: labels on containers and volumes, no config.

A stack's state is asked for one thing only: whether a container of it is known there, or was left by an engine that was killed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from toolchain.stack.docker_access import (
    COMPONENT,
    IMAGE_KIND,
    PRECIOUS,
    PROJECT,
    SERVICE,
    STACK,
    STACK_ID,
    Container,
    Daemon,
    Published,
    Thing,
)

UP, NOT_WELL, DOWN = "up", "not well", "down"
"""What an instance can be; down: nothing runs, and its data is kept."""


@dataclass(frozen=True)
class Service:
    """One container of an instance; in a cluster one workload or job."""

    component: str
    service: str
    container: str
    job: bool
    optional: bool
    state: str
    """For people: `running, healthy`."""
    status: str
    """Docker's: `running`, `exited` ...; in a cluster `running`, `exited` of a job that has ended, or `missing`."""
    health: str | None
    """Docker's: `starting`, `healthy` or `unhealthy`; None without a health check, and for a job in a cluster."""
    well: bool
    image: str
    image_kind: str
    """`registry`, `local` or `stub`."""
    ports: tuple[Published, ...]
    orphan: bool | None = None
    """Whether its stack's state does not know it; None: that state is not at hand."""

    @property
    def needed(self) -> bool:
        """Whether the instance is not well without it."""
        return not self.optional and not self.orphan


@dataclass(frozen=True)
class Instance:
    """A stack as it is found on a daemon or in a cluster."""

    project: str
    stack: str
    stack_id: str
    daemon: str | None
    """Its address; None in a cluster."""
    services: tuple[Service, ...]
    volumes: tuple[str, ...]
    """Those whose data is kept when the stack goes down; in a cluster claims, each as `<namespace>/<name>`."""
    known: bool | None = None
    """Whether this clone has its state; None: that can't be told."""
    cluster: Mapping[str, str] | None = None
    """`context` and `namespace`, as its state has them; None on Docker."""

    @property
    def state(self) -> str:
        """`UP`, `NOT_WELL` or `DOWN`; of those that are needed."""
        needed = [s for s in self.services if s.needed]
        if not needed:
            return DOWN
        return UP if all(s.well for s in needed) else NOT_WELL

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others."""
        return (self.project, self.stack, self.stack_id)


@dataclass(frozen=True)
class States:
    """What this clone's states know.

    Attributes:
        containers: Ids of the containers in the state of each stack, by project, stack and the stack's id.
        complete: Whether all states of the clone were looked at.
    """

    containers: Mapping[tuple[str, str, str], frozenset[str]] = field(default_factory=dict)
    complete: bool = False


def look(daemon: Daemon, address: str, states: States) -> list[Instance]:
    """All instances on a daemon, by project and stack. Raises what the daemon does where it does not answer."""
    containers: dict[tuple[str, str, str], list[Container]] = {}
    volumes: dict[tuple[str, str, str], list[Thing]] = {}
    for container in daemon.containers():
        containers.setdefault(_key(container.labels), []).append(container)
    for volume in daemon.volumes():
        volumes.setdefault(_key(volume.labels), []).append(volume)
    names = {reference: daemon.image_name(reference) for reference in {c.image for every in containers.values() for c in every}}
    found = []
    for key in sorted({*containers, *volumes}):
        ids = states.containers.get(key)
        found.append(
            Instance(
                *key,
                daemon=address,
                services=tuple(_service(c, names, ids) for c in containers.get(key, ())),
                volumes=tuple(v.name for v in volumes.get(key, ()) if v.labels.get(PRECIOUS) == "true"),
                known=True if ids is not None else False if states.complete else None,
            )
        )
    # A volume that a stack took over keeps the labels of the one that made it: of that one nothing else may be left.
    return [instance for instance in found if instance.services or instance.volumes]


def of_stack(daemon: Daemon, stack_id: str, known: Iterable[str]) -> list[Service]:
    """The services that carry a stack's id. `known`: ids of the containers in its state."""
    containers = daemon.containers(stack_id=stack_id)
    names = {reference: daemon.image_name(reference) for reference in {c.image for c in containers}}
    return [_service(container, names, frozenset(known)) for container in containers]


def _key(labels: Mapping[str, str]) -> tuple[str, str, str]:
    return (labels.get(PROJECT, ""), labels.get(STACK, ""), labels.get(STACK_ID, ""))


def _service(container: Container, images: Mapping[str, str], known: Iterable[str] | None) -> Service:
    labels = container.labels
    return Service(
        component=labels.get(COMPONENT, ""),
        service=labels.get(SERVICE, container.name),
        container=container.name,
        job=container.is_job,
        optional=container.is_optional,
        state=container.state,
        status=container.status,
        health=container.health,
        well=container.is_well,
        image=images[container.image],
        image_kind=labels.get(IMAGE_KIND, ""),
        ports=container.ports,
        orphan=None if known is None else container.id not in known,
    )
