"""Removes a stack with its data, in an order in which it can be killed anywhere and run again.

The stack id is read before the state that holds it goes, and written down until the last object that carries it is gone.
"""

import contextlib
import json
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.announce import fail, note
from toolchain.context import Context
from toolchain.setup.folders import write_private
from toolchain.stack import locks, prepare
from toolchain.stack.config import PrivateConfig, has_private_config, project_name
from toolchain.stack.docker_access import PROJECT, STACK, STACK_ID, Daemon, connect, locate
from toolchain.stack.engine import Engine
from toolchain.stack.state import VOLUME, StackState


@dataclass(frozen=True)
class Ours:
    """By what the objects of a stack are known. Two stacks share an id where one has adopted the other's volumes."""

    stack_ids: list[str]
    volumes: list[str]
    """The volumes that the state lists, by name: adopted ones carry the labels of the stack that made them."""
    cluster: dict[str, str] = field(default_factory=dict)
    """Kubeconfig and context of a stack on Kubernetes, as its provider has them; empty for another."""


@dataclass(frozen=True)
class Purged:
    """How a purge ended."""

    code: int
    """The engine's exit code; 0: all is gone."""
    found: bool
    """Whether there was something: a state, or what an earlier purge had not come to."""


def purge(context: Context, confirm: str | None) -> int:
    """Remove the stack, as `remove` does. Returns the exit code alone."""
    return remove(context, confirm).code


def remove(context: Context, confirm: str | None) -> Purged:
    """Remove the stack. `confirm`: its name, asked for where it is None.

    Raises ToolchainError where it is another name, before anything is touched.
    """
    _confirmed(context, confirm)
    journal = context.private / "stacks" / f"{context.stack}.purge"
    # Held to the end: another command's stack of this name would lose its config.
    with locks.exclusive(context):
        with prepare.for_destroy(context) as (ready, state):
            ours = _remembered(journal, state)
            if state is None and not ours.stack_ids:
                note(f"there is no stack {context.stack}: nothing to remove")
            if state is not None:
                code = Engine(ready).destroy("--ignore-protect")
                if code != 0:
                    note("not everything is gone; run the same again")
                    return Purged(code, found=True)
            if ours.cluster:
                remove_namespaces(ready, ours)
            if ours.stack_ids and (ours.volumes or (not ours.cluster and prepare.target(context) != "managed")):
                # Without a state nothing has looked for the daemon yet.
                remove_labelled(ready if state else locate(ready, prepare.docker_host(ready)), ours)
            if state is not None:
                Engine(ready).remove_stack()
        if has_private_config(context):
            PrivateConfig(context).remove()
        journal.unlink(missing_ok=True)
    found = state is not None or bool(ours.stack_ids)
    if found:
        note(f"stack {context.stack} is gone")
    return Purged(0, found)


def remove_namespaces(context: Context, ours: Ours) -> None:
    """Remove every namespace of the stack with all that is in it, its claims too, and no other."""
    from toolchain.stack import cluster_access

    at = ours.cluster
    path = context.root / Path(at["kubeconfig"]).expanduser()
    place = cluster_access.Place(path, at.get("context", ""), at.get("namespace", ""))
    instance = cluster_access.instance_of(context)
    with cluster_access.connect(place) as access:
        for name in sorted({name for stack_id in ours.stack_ids for name in access.namespaces(stack_id, instance)}):
            note(f"removing namespace {name} and its data")
            access.remove_namespace(name)


def remove_labelled(context: Context, ours: Ours) -> None:
    """Remove every container, network and volume of the stack, and nothing else."""
    project = project_name(context.root)
    with connect(context) as daemon:
        for stack_id in ours.stack_ids:
            _remove_labelled(daemon, {STACK_ID: stack_id, PROJECT: project, STACK: context.stack}, ours.volumes)


def _remove_labelled(daemon: Daemon, labels: dict[str, str], volumes: Collection[str]) -> None:
    stack_id = labels[STACK_ID]
    for container in daemon.containers(stack_id=stack_id):
        if labels.items() <= container.labels.items():
            note(f"removing container {container.name}")
            daemon.remove_container(container.id)
    for network in daemon.networks(stack_id=stack_id):
        if labels.items() <= network.labels.items():
            note(f"removing network {network.name}")
            daemon.remove_network(network.id)
    for volume in daemon.volumes(stack_id=stack_id):
        adopted = volume.name in volumes and volume.labels.get(STACK_ID) == stack_id
        if adopted or labels.items() <= volume.labels.items():
            note(f"removing volume {volume.name} and its data")
            daemon.remove_volume(volume.name)


def _confirmed(context: Context, confirm: str | None) -> None:
    if confirm is None:
        if sys.stdin is None or not sys.stdin.isatty():
            fail(f"purge removes the data of stack {context.stack} for good. To confirm: CONFIRM={context.stack}")
        print(f"This removes stack {context.stack} with all its data, for good. Type its name to go on: ", end="", flush=True)
        confirm = sys.stdin.readline().strip()
    if confirm != context.stack:
        fail(f"'{confirm}' is not the name of the stack, {context.stack}: nothing was removed")


def _remembered(journal: Path, state: StackState | None) -> Ours:
    """What is to be removed: the state's, and that of a purge of this stack that was cut short."""
    stack_ids: set[str] = set()
    volumes: set[str] = set()
    cluster: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        before = json.loads(journal.read_text())
        stack_ids.update(before["stack-ids"])
        volumes.update(before.get("volumes", ()))
        cluster = dict(before.get("cluster", {}))
    if state and state.stack_id:
        journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        stack_ids.add(state.stack_id)
        volumes |= state.ids(VOLUME)
        cluster = state.cluster or cluster
        write_private(journal, json.dumps({"stack-ids": sorted(stack_ids), "volumes": sorted(volumes), "cluster": cluster}))
    return Ours(sorted(stack_ids), sorted(volumes), cluster)
