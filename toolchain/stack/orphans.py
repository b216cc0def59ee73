"""Before an up: what carries this stack's id but is not in its state was left by a killed engine, and is removed."""

from dataclasses import dataclass

from toolchain.announce import note
from toolchain.stack.docker_access import PROJECT, STACK, STACK_ID, Container, Daemon, Thing
from toolchain.stack.state import CONTAINER, NETWORK, StackState


@dataclass(frozen=True)
class Leftovers:
    """What was found on the daemon beside what the state knows."""

    containers: list[Container]
    networks: list[Thing]
    foreign: list[str]
    """Objects with this stack's project and name but another stack's id: another clone's, never ours to remove."""


def find(daemon: Daemon, state: StackState, project: str, stack: str) -> Leftovers:
    """Look for leftovers. Nothing is ours while the state has no stack id.

    The id alone does not tell: a stack that adopted another's volumes has the other's id.
    """
    stack_id = state.stack_id
    known = state.ids(CONTAINER) | state.ids(NETWORK)
    ours = {STACK_ID: stack_id, PROJECT: project, STACK: stack}
    containers = daemon.containers(stack_id=stack_id, project=project, stack=stack) if stack_id else []
    networks = daemon.networks(stack_id=stack_id, project=project, stack=stack) if stack_id else []
    named: list[tuple[str, Container | Thing]] = [
        *(("container", c) for c in daemon.containers(project=project, stack=stack)),
        *(("network", n) for n in daemon.networks(project=project, stack=stack)),
        *(("volume", v) for v in daemon.volumes(project=project, stack=stack)),
    ]
    return Leftovers(
        [c for c in containers if c.id not in known and ours.items() <= c.labels.items()],
        [n for n in networks if n.id not in known and ours.items() <= n.labels.items()],
        [f"{kind} {thing.name}" for kind, thing in named if thing.labels.get(STACK_ID) != stack_id],
    )


def remove(daemon: Daemon, state: StackState, project: str, stack: str, older_than: float) -> list[str]:
    """Name and remove this stack's leftover containers and networks. Returns what is named like them but another stack's.

    `older_than`: what was made after this time (seconds since 1970) is left alone, since its engine may be at work still.
    """
    found = find(daemon, state, project, stack)
    things: list[Container | Thing] = [*found.containers, *found.networks]
    young = {thing.id for thing in things if thing.made > older_than}
    for container in [c for c in found.containers if c.id not in young]:
        note(f"leftover: removing container {container.name} ({container.state}), of this stack but not in its state")
        daemon.remove_container(container.id)
    for network in [n for n in found.networks if n.id not in young]:
        note(f"leftover: removing network {network.name}, of this stack but not in its state")
        daemon.remove_network(network.id)
    return found.foreign
