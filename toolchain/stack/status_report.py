"""All instances on this machine, gathered from its daemons, as text for people and as plain data for programs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolchain.announce import ToolchainError, note
from toolchain.context import Context
from toolchain.stack.config import project_name, uses_private_state
from toolchain.stack.docker_access import connect, others
from toolchain.stack.engine import Engine
from toolchain.stack.state import CONTAINER, StackState
from toolchain.stack.status import Instance, Service, States, look

_KINDS = {"registry": "real", "local": "real, built here", "stub": "stub"}


def gather(context: Context, state: StackState | None) -> list[Instance]:
    """The instances on every daemon that answers: the stack's own first, then those in the usual places.

    Args:
        context: With the daemon of the stack in its environment, where that answers.
        state: Of the stack, where it was read already.
    """
    states = _states(context, state)
    found: dict[str, list[Instance]] = {}
    for place in (context, *others(context)):
        address = place.env.get("DOCKER_HOST") or "the default socket"
        try:
            with connect(place) as daemon:
                identity = daemon.id
                if identity not in found:
                    found[identity] = look(daemon, address, states)
        except ToolchainError as error:
            note(str(error))
    return [instance for every in found.values() for instance in every]


def _states(context: Context, state: StackState | None) -> States:
    """What the states of this clone know; of a backend that is shared, only the stack's own is asked."""
    project = project_name(context.root)
    private = uses_private_state(context)
    exports = {}
    if private and context.pulumi.is_file():
        folder = context.private / "state" / ".pulumi" / "stacks" / project
        names = {path.name.removesuffix(".gz").removesuffix(".json") for path in _state_files(folder)} - {context.stack}
        # All at once: each takes a moment.
        exports = {name: Engine(_of(context, name)).start_export() for name in sorted(names)}
    read = {} if state is None else {context.stack: state}
    for name, export in exports.items():
        try:
            found = Engine(_of(context, name)).parse_state(export)
        except ToolchainError as error:
            note(str(error))
            return States(_known(project, read), complete=False)
        if found is not None:
            read[name] = found
    return States(_known(project, read), complete=private)


def _state_files(folder: Path) -> Iterable[Path]:
    return [*folder.glob("*.json"), *folder.glob("*.json.gz")]


def _of(context: Context, stack: str) -> Context:
    return replace(context, stack=stack, base_stack=stack, instance=None)


def _known(project: str, states: Mapping[str, StackState]) -> dict[tuple[str, str, str], frozenset[str]]:
    return {
        (project, stack, state.stack_id): frozenset(state.ids(CONTAINER))
        for stack, state in states.items()
        if state.stack_id is not None
    }


# ---- as text ---------------------------------------------------------------------------------------------------------


def rows(services: Sequence[Service]) -> list[str]:
    """Services, a line each, those that are optional below the others."""
    needed = [s for s in services if not s.optional]
    optional = [s for s in services if s.optional]
    cells = [_row(s) for s in (*needed, *optional)]
    widths = [max(len(row[column]) for row in cells) for column in range(4)] if cells else []
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    if optional:
        lines.insert(len(needed), "optional:")
    return lines


def _row(service: Service) -> tuple[str, str, str, str]:
    state = service.state if not service.job or service.state == "done" else f"job, {service.state}"
    # An operator chooses the image of what it makes.
    image = f"{service.image} ({_KINDS.get(service.image_kind, service.image_kind)})" if service.image else ""
    ports = ", ".join(f"{p.address}:{p.port}" for p in service.ports)
    orphan = "orphan: its stack's state does not know it" if service.orphan else ""
    return (service.service, state, image, "  ".join(filter(None, (ports, orphan))))


def heading(instance: Instance, several_daemons: bool) -> str:
    """One line: which instance, and how it is."""
    needed = [s for s in instance.services if s.needed]
    words = {
        "up": f"up, {len(needed)} of {len(needed)} services well",
        "not well": f"not well, {sum(s.well for s in needed)} of {len(needed)} services well",
        "down": f"down; its data is kept in {', '.join(instance.volumes)}" if instance.volumes else "down",
    }[instance.state]
    whose = "; of another clone, or its state is lost" if instance.known is False else ""
    where = f"; on {instance.daemon}" if several_daemons else ""
    return f"{instance.project} {instance.stack} ({instance.stack_id}): {words}{whose}{where}"


def text(instances: Sequence[Instance], told: Instance | None) -> str:
    """All instances but one that is told of elsewhere; empty where there is no other."""
    rest = [i for i in instances if told is None or i.key != told.key]
    if not rest:
        return ""
    several = len({i.daemon for i in instances}) > 1
    blocks = ["\n".join([f"  {heading(i, several)}", *(f"    {line}" for line in rows(i.services))]) for i in rest]
    return "\n\n".join(["Other instances on this machine:" if told else "Instances on this machine:", *blocks])


# ---- as data ---------------------------------------------------------------------------------------------------------


def data(instances: Iterable[Instance]) -> list[dict[str, Any]]:
    """The same as plain data (docs/status.md tells the fields)."""
    return [
        {
            "project": i.project,
            "stack": i.stack,
            "stackId": i.stack_id,
            "daemon": i.daemon,
            "cluster": None if i.cluster is None else dict(i.cluster),
            "state": i.state,
            "ofThisClone": i.known,
            "services": [_service(s) for s in i.services],
            "volumes": list(i.volumes),
        }
        for i in instances
    ]


def _service(service: Service) -> dict[str, Any]:
    return {
        "component": service.component,
        "service": service.service,
        "container": service.container,
        "kind": "job" if service.job else "server",
        "optional": service.optional,
        "status": service.status,
        "health": service.health,
        "state": service.state,
        "well": service.well,
        "image": service.image,
        "imageKind": service.image_kind,
        "ports": [{"address": p.address, "port": p.port, "inside": p.inside} for p in service.ports],
        "orphan": service.orphan,
    }
