"""A stack whose settings name another kubeconfig or context than its state: on another machine, after a file moved or was renamed.

The engine refreshes before it runs the program, by the inputs of the provider that stand in the state (pulumi pkg/resource/deploy/
deployment_executor.go, `Execute`). So these have to follow the settings first, once it is seen that both mean the same cluster.
"""

import os
from dataclasses import replace
from pathlib import Path

from toolchain.announce import ToolchainError, fail, note
from toolchain.context import Context
from toolchain.stack.cluster_access import OWN_CLUSTER, STACK_ID, Access, Place, connect, ensure_running, place_of, refuse_another
from toolchain.stack.config import group_in, project_name, value_in
from toolchain.stack.engine import Engine
from toolchain.stack.state import StackState


def moved(context: Context, state: StackState, named: Place) -> bool:
    """Whether the state names another kubeconfig or context than the settings do."""
    if "kubeconfig" not in state.cluster:
        return False
    stands = place_of(context, state)
    return (_path(stands), stands.context) != (_path(named), named.context)


def prove(context: Context, state: StackState, named: Place, *, confirmed: bool = False) -> None:
    """See that a place is the cluster that the stack is in: a namespace of its state is there. Nothing is written.

    `confirmed`: where none is there the stack may be made anew, empty. Raises ToolchainError where none is, or it can't be asked.
    """
    if not state.namespaces:
        return  # Before a namespace nothing of a stack is in a cluster.
    with connect(named) as access:
        refuse_another(access, state)
        if confirmed or any(_is_there(access, state, name, uid) for name, uid in state.namespaces.items()):
            return
    at = state.cluster
    fail(
        f"namespace {' or '.join(sorted(state.namespaces))} of stack {context.stack} is not in context {named.context} of "
        f"{named.kubeconfig}, which the settings name; the state names context {at.get('context')} of {at.get('kubeconfig')}. Nothing "
        f"was touched.\n  {OWN_CLUSTER}\n"
        f"  Where it was deleted, with all its data: `{context.again} CONFIRM={context.stack}` makes the stack anew, empty; "
        f"`pulumi stack rm --force {context.stack}` in an activated shell forgets the stack, and removes nothing."
    )


def follow(engine: Engine, state: StackState, named: Place, *, confirmed: bool = False) -> StackState:
    """The state with what the settings name, written down: for commands that hold the stack. Raises ToolchainError as `prove`."""
    context = engine.context
    if not moved(context, state, named):
        return state
    prove(context, state, named, confirmed=confirmed)
    # Read once more: where others share the state, the cluster took its time to answer.
    fresh = engine.read_state() or state
    fresh = fresh.in_cluster(_shown(context, named.kubeconfig), named.context)
    engine.write_state(fresh)
    note(f"cluster: it is the same by another name; the state names {named.context} in {named.kubeconfig} now")
    return fresh


def follow_unwritten(context: Context, state: StackState, named: Place) -> Context:
    """What a look at a stack runs with, which may have no right to write its state. Raises ToolchainError as `prove`."""
    if not moved(context, state, named):
        return context
    prove(context, state, named)
    # The program is run first then, and says which kubeconfig the refresh is to take (`--run-program`).
    return replace(context, env={**context.env, "PULUMI_RUN_PROGRAM": "true"})


def in_settings(context: Context) -> Place | None:
    """What the stack's config and KUBECONFIG name, without checking anything; None where that is no cluster."""
    project = project_name(context.root)
    given = group_in(context, f"{project}:kubernetes")
    if value_in(context, f"{project}:target") != "kubernetes" or given is None:
        return None
    path, name = given.get("kubeconfig") or context.env.get("KUBECONFIG") or os.environ.get("KUBECONFIG"), given.get("context")
    if not isinstance(path, str) or not isinstance(name, str) or not path or os.pathsep in path:
        return None
    namespace = given.get("namespace")
    own = namespace if isinstance(namespace, str) and namespace else f"{project}-{context.stack}"
    return Place(context.root / Path(path).expanduser(), name, own)


def for_removal(engine: Engine, state: StackState) -> StackState:
    """The state that a removal goes by, changed where the settings name the same cluster otherwise.

    Settings that name no cluster or another one are no hindrance, as long as what the state names answers. Raises ToolchainError else.
    """
    context = engine.context
    named = in_settings(context)
    if named is None or not moved(context, state, named):
        return state
    try:
        if named.kubeconfig.is_file():  # where there never was a cluster, none is made for this
            ensure_running(context, named)
        return follow(engine, state, named)
    except ToolchainError as error:
        stands = place_of(context, state)
        try:
            ensure_running(context, stands)
            with connect(stands) as access:
                access.find("/version")
        except ToolchainError:
            raise error from None
        note(
            f"cluster: the state's own, {stands.context} in {stands.kubeconfig}; what the settings name is not this stack's: {error}"
        )
        return state


def of(context: Context, state: StackState) -> Place:
    """Where a stack is: as its settings say where that is the same cluster, else as its state does. Raises ToolchainError."""
    named = in_settings(context)
    if named is not None and moved(context, state, named):
        try:
            prove(context, state, named)
        except ToolchainError:
            return place_of(context, state)
        return replace(named, namespace=state.cluster.get("namespace", named.namespace))
    return place_of(context, state)


def _is_there(access: Access, state: StackState, name: str, uid: str) -> bool:
    found = access.find(f"/api/v1/namespaces/{name}")
    if found is None:
        return False
    if uid:
        return bool(found["metadata"].get("uid") == uid)
    return (found["metadata"].get("annotations") or {}).get(STACK_ID) == state.stack_id is not None


def _path(place: Place) -> str:
    return os.path.normpath(place.kubeconfig)


def _shown(context: Context, path: Path) -> str:
    """As the program has it (components/targets/kubernetes/ground.py): one inside the project is the same for every clone."""
    path = Path(os.path.normpath(path))
    return str(path.relative_to(context.root)) if path.is_relative_to(context.root) else str(path)
