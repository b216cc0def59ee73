"""Settings by which a deployed stack would become another one: a new target or namespace has none of its data.

The engine would end with an error of its own about something protected, which names no setting; and whoever takes that protection away
gets a second, empty stack beside data that nobody has any more.
"""

from typing import NoReturn

from components.targets.kubernetes.logs_namespace import logs_namespace
from toolchain.context import Context
from toolchain.stack.config import project_name
from toolchain.stack.describe import Description, SettingsProblem
from toolchain.stack.state import VOLUME, StackState


def refuse(context: Context, description: Description, state: StackState | None) -> None:
    """Raise SettingsProblem where the stack's data is on another target or in another namespace than the settings name.

    What keeps no data (a managed stack; one on Docker without a volume of worth) may become anything.
    """
    if state is None:
        return
    volumes = state.kept(VOLUME)
    if volumes and description.target != "docker":
        _refuse(context, "target", description.target, "docker", f"volume {_few(volumes)}")
    namespaces = sorted(state.namespaces)
    if not namespaces:
        return
    if description.cluster is None:
        _refuse(context, "target", description.target, "kubernetes", f"namespace {_few(namespaces)}")
    now = description.cluster.namespace
    if {now, logs_namespace(now)}.isdisjoint(namespaces):
        was = state.cluster.get("namespace") or namespaces[0]
        _refuse(context, "kubernetes.namespace", now, was, f"namespace {_few(namespaces)}")


def _refuse(context: Context, setting: str, now: str, was: str, holds: str) -> NoReturn:
    key, stack = f"{project_name(context.root)}:{setting}", context.stack
    raise SettingsProblem(
        f"{key} = {now}\n"
        f"  why: stack {stack} is deployed with {was}, and its data is in {holds}. Another target or namespace is another stack, which "
        "would begin without that data. Nothing was touched\n"
        f"  fix: set it back to {was}. To move: make a stack of its own (`cp Pulumi.{context.base_stack}.yaml Pulumi.NAME.yaml`, without "
        f"stackId), move the data by dump (docs/services.md, docs/managed.md), then `make purge{context.variables}`, which goes by what "
        "is deployed, whatever is set. Who needs nothing of the data purges first"
    )


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
