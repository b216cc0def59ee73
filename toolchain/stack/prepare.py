"""What is done before an engine changes a stack: everything that is missing set up, everything a killed engine left cleared."""

import math
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from toolchain import setup
from toolchain.announce import fail, note
from toolchain.context import Context
from toolchain.stack import another_stack, describe, locks, orphans, torn
from toolchain.stack.config import (
    PrivateConfig,
    config_file,
    group_in,
    has_private_config,
    project_name,
    uses_private_state,
    value_in,
)
from toolchain.stack.describe import Cluster, Description
from toolchain.stack.docker_access import connect
from toolchain.stack.engine import Engine
from toolchain.stack.state import CONTAINER, NETWORK, VOLUME, StackState, name_of, type_of

if TYPE_CHECKING:
    from toolchain.stack.cluster_access import Place

_SHARED_BACKEND_SECONDS = 900.0


@dataclass(frozen=True)
class Prepared:
    """A stack that an engine may work on."""

    context: Context
    description: Description
    state: StackState | None
    """As it was before; None where the stack was made just now."""


@contextmanager
def for_up(context: Context, *, confirmed: bool = False) -> Iterator[Prepared]:
    """Get everything ready for `pulumi up`, and hold the stack until it is done.

    `confirmed`: what a lost state left in a cluster may be taken over.

    Raises ToolchainError, for wrong settings before anything is touched.
    """
    with locks.exclusive(context):
        context, description, export = _set_up(context, images=True)
        if description.needs_docker:
            from toolchain.setup import docker as setup_docker

            setup_docker.remember(context)
        engine = Engine(context)
        state = _cleared(engine, export)
        another_stack.refuse(context, description, state)
        if description.cluster is not None:
            state = _ready_cluster(engine, description, state, confirmed=confirmed)
        if state is None:
            engine.create_stack()
        elif description.needs_docker:
            foreign = remove_orphans(context, state)
            if foreign:
                note(f"left alone, since another stack made them (another clone's, or its state is gone): {', '.join(foreign)}")
        try:
            yield Prepared(context, description, state)
        finally:
            _after(context)


@contextmanager
def for_preview(context: Context) -> Iterator[Prepared]:
    """Get everything ready for `pulumi preview`. Makes the stack where it is missing, and nothing else.

    Where images come from is left open where it is: only `up` finds that out and writes it down.
    """
    context, description, export = _set_up(context, images=False)
    engine = Engine(context)
    state = engine.parse_state(export) if export else engine.read_state()
    another_stack.refuse(context, description, state)
    if description.cluster is not None:
        context = _same_cluster(context, description.cluster, state)
    if state is None:
        with locks.exclusive(context):
            engine.create_stack()
    try:
        yield Prepared(context, description, state)
    finally:
        _after(context)


@contextmanager
def for_destroy(context: Context) -> Iterator[tuple[Context, StackState | None]]:
    """Get ready for `pulumi destroy`. The settings are not asked for: a stack must go also where they are wrong."""
    with locks.exclusive(context):
        if has_private_config(context):
            PrivateConfig(context).sync()
        context = setup.ensure(context, setup.Needs())
        state = _cleared(Engine(context), None)
        if state is not None:
            # What made it says how it goes: the settings at hand may name another target by now.
            on_docker = _has_docker_objects(state, context) or (target(context) == "docker" and not state.cluster)
            in_use = partial(_has_docker_objects, state)
            plugins = state.plugins or describe.plugins_of(target(context))
            needs = setup.Needs(plugins=plugins, docker=on_docker, docker_host=docker_host(context), docker_in_use=in_use)
            context = setup.ensure(context, needs)
            if on_docker:
                remove_orphans(context, state)
            state = _start_cluster(Engine(context), state)
        try:
            yield context, state
        finally:
            _after(context)


def _ready_cluster(engine: Engine, description: Description, state: StackState | None, *, confirmed: bool) -> StackState | None:
    """Have the stack's own cluster, with the images that were built here, and a state that names it as the settings do."""
    from toolchain.stack import cluster_access, cluster_place  # they bring Pulumi's SDK along: for those alone that need it

    assert description.cluster is not None
    context, place = engine.context, _place(description.cluster)
    cluster_access.ensure_running(context, place)
    if state is not None:
        # In a cluster of this clone's own, what is missing went with it, by `make cluster-down`.
        anew = confirmed or cluster_access.is_own(context, place)
        cluster_place.prove(context, state, place, confirmed=anew)
        state = cluster_place.follow(engine, state, place, confirmed=anew)
    cluster_access.bring_images(context, place, description.built_here)
    given = _setting(context, "stackId")
    adopts = given if isinstance(given, str) and given else None
    if state is not None or adopts is not None:
        _clear_cluster(context, place, state or StackState({}), adopts, confirmed=confirmed)
    return state


def _start_cluster(engine: Engine, state: StackState) -> StackState:
    if not state.cluster:
        return state
    from toolchain.stack import cluster_access, cluster_place

    state = cluster_place.for_removal(engine, state)
    place = cluster_access.place_of(engine.context, state)
    cluster_access.ensure_running(engine.context, place)
    _refuse_another(place, state)
    _clear_cluster(engine.context, place, state)
    return state


def _clear_cluster(
    context: Context, place: "Place", state: StackState, adopts: str | None = None, *, confirmed: bool = False
) -> None:
    """Remove what a killed engine left in the cluster, or a lost state whose id is given."""
    from toolchain.stack import cluster_access, cluster_orphans

    with cluster_access.connect(place) as access:
        instance = cluster_access.instance_of(context)
        lost = cluster_orphans.lost(access, state, instance, adopts)
        # The id stays in the settings, and whoever's machine has another backend by mistake must not stop what runs.
        if lost and not confirmed:
            fail(
                f"namespace {', '.join(lost)} in context {place.context} holds the stack with id {adopts} (supastack:stackId), of which "
                f"the state here knows nothing. Nothing was touched.\n"
                f"  Where its state is elsewhere, go by that: PULUMI_BACKEND_URL, `state` in delivery.yaml, or the clone that has it.\n"
                f"  To take it over: `{context.again} CONFIRM={context.stack}`. Its services stop meanwhile, and each secret that the "
                f"settings do not give is made anew: the database's password is a must (docs/kubernetes.md, A lost state)."
            )
        # Without it the up would be refused when all services are gone already.
        if lost and adopts and not _gives(context, "databasePassword"):
            command = cluster_orphans.holds_password(access, lost, adopts)
            if command is not None:
                fail(
                    f"stack {context.stack} takes over namespace {', '.join(lost)}, whose database opens with its old password alone, and "
                    f"{project_name(context.root)}:databasePassword is not set. Nothing was touched.\n"
                    f"  Give it back: {command} | pulumi config set --secret {project_name(context.root)}:databasePassword"
                )
        cluster_orphans.remove(access, state, older_than=_grace(context), instance=instance, adopts=adopts)


def _same_cluster(context: Context, cluster: Cluster, state: StackState | None) -> Context:
    """See that the cluster is the stack's. Returns what a preview of it runs with."""
    if state is None or not state.cluster:
        return context
    from toolchain.stack import cluster_access, cluster_place

    place = _place(cluster)
    if state.namespaces:
        cluster_access.ensure_running(context, place)
        cluster_place.prove(context, state, place, confirmed=cluster_access.is_own(context, place))
    return cluster_place.follow_unwritten(context, state, place)


def _refuse_another(place: "Place", state: StackState) -> None:
    from toolchain.stack import cluster_access

    if state.namespaces:
        with cluster_access.connect(place) as access:
            cluster_access.refuse_another(access, state)


def _place(cluster: Cluster) -> "Place":
    from toolchain.stack import cluster_access

    return cluster_access.Place(cluster.kubeconfig, cluster.context, cluster.namespace)


def remove_orphans(context: Context, state: StackState) -> list[str]:
    """Remove what a killed engine left on the daemon. Returns objects of our name that another stack made."""
    with connect(context) as daemon:
        return orphans.remove(daemon, state, project_name(context.root), context.stack, older_than=_grace(context))


def target(context: Context) -> str:
    """The stack's target as its config says, without checking anything."""
    value = _setting(context, "target")
    return value if isinstance(value, str) and value else "docker"


def docker_host(context: Context) -> str | None:
    """The daemon that the stack's config names, without checking anything."""
    value = _setting(context, "docker")
    host = value.get("host") if isinstance(value, dict) else None
    return host if isinstance(host, str) else None


def _gives(context: Context, secret: str) -> bool:
    """Whether the settings give a secret, or name the Secret of the cluster that has it."""
    there = (group_in(context, f"{project_name(context.root)}:kubernetes") or {}).get("existingSecrets")
    return _setting(context, secret) is not None or (isinstance(there, dict) and secret in there)


def _setting(context: Context, name: str) -> object:
    return value_in(context, f"{project_name(context.root)}:{name}")


def _set_up(context: Context, images: bool) -> tuple[Context, Description, "subprocess.Popen[str] | None"]:
    config = config_file(context)
    asked = describe.start(context, config)
    torn.mend(context)
    # Read meanwhile, where there is an engine; both take most of their time to start.
    export = Engine(context).start_export() if context.pulumi.is_file() and _may_exist(context) else None
    description = describe.finish(asked)
    if description.needs_docker and description.image_source is None and not images:
        if uses_private_state(context):
            note("images: shown as from their registries; `make up` builds them here where a registry can't be reached")
    elif description.needs_docker and description.image_source is None:
        state = Engine(context).parse_state(export) if export else None
        export = None
        if _choose_image_source(context, description, state):
            config = config_file(context)
            description = describe.finish(describe.start(context, config))
    needs = setup.Needs(
        plugins=description.plugins,
        # What runs in a cluster is built by Docker all the same, where it is built here.
        docker=description.needs_docker or (images and bool(description.built_here)),
        docker_host=description.docker_host,
        docker_in_use=lambda ready: _has_docker_objects(Engine(ready).read_state(), ready),
        images=tuple(description.built_here) if images else (),
    )
    return setup.ensure(context, needs), description, export


def _choose_image_source(context: Context, description: Description, state: StackState | None) -> bool:
    """Decide once where images come from, and write it down. Returns whether the settings changed by it."""
    if state and state.ids(CONTAINER):
        # It came up without the choice, so it runs on what `unset` means.
        choice, why = "registry", "the stack runs on images from registries"
    else:
        from toolchain.setup import registry

        # The choice stays with the stack, so one lost packet must not make it.
        missing = registry.unreachable(description.registries) and registry.unreachable(description.registries)
        choice = "local" if missing else "registry"
        why = f"{', '.join(missing)} can't be reached" if missing else f"{', '.join(description.registries)} can be reached"
    key = f"{project_name(context.root)}:imageSource"
    if has_private_config(context):
        PrivateConfig(context).sync({key: choice})
        note(f"images: {why}, so they come from {_SOURCES[choice]}; kept as {key}: {choice} (`pulumi config set` changes it)")
        return True
    if choice == "local":
        fail(f"{why}. Where images are to be built here instead, set {key}: local in Pulumi.{context.stack}.yaml")
    return False


def _has_docker_objects(state: StackState | None, _: Context) -> bool:
    return state is not None and any(state.ids(kind) for kind in (CONTAINER, NETWORK, VOLUME))


def _may_exist(context: Context) -> bool:
    return not uses_private_state(context) or Engine(context).exists()


_SOURCES = {"registry": "their registries", "local": "builds on this machine"}


def _cleared(engine: Engine, export: "subprocess.Popen[str] | None") -> StackState | None:
    """The state, with locks and unfinished operations of killed engines cleared."""
    killed = locks.remove_stale(engine.context)
    if (torn.mend(engine.context) or killed) and export:
        export.communicate()
        export = None
    state = engine.parse_state(export) if export else engine.read_state()
    if state is None or not state.pending:
        return state
    for what, urn in state.pending:
        note(f"unfinished: {what} {type_of(urn)} {name_of(urn)}, by an engine that was killed; dropped from the state")
    state = state.without_pending()
    engine.write_state(state)
    return state


def _grace(context: Context) -> float:
    """The time after which no leftover was made: with a shared backend, another machine's engine may be making it right now."""
    return math.inf if uses_private_state(context) else time.time() - _SHARED_BACKEND_SECONDS


def _after(context: Context) -> None:
    if has_private_config(context):
        PrivateConfig(context).sync()
