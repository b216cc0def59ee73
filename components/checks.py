"""What must be true before and after a deployment.

I/O has no place in the program itself, so it is done in the `check` of small dynamic resources: that runs in every preview and in every
up, under a plain `pulumi up` too, and makes no step, since nothing of what it is told is kept. A failure names no property, since
the engine would print its value.
"""

import importlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, cast

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, Resource, ResourceProvider
from pulumi.runtime.rpc import UNKNOWN

from components.unknowns import marked


class Probe(Protocol):
    """A module of a target that looks at the real thing. Each returns problems; a value that is not known yet is None.

    Beside what they are told the parameters have `new`: whether the state knows nothing of the check, so has never passed it.
    """

    def before(self, parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
        """What stands in the way of a deployment."""

    def paired(self, parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
        """A volume whose data was initialised with another secret than the one at hand."""

    def after(self, parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
        """What is wrong with what was deployed; waits for what only needs time."""


class Look(StrEnum):
    """Which function of the probe is asked."""

    BEFORE = "before"
    PAIRED = "paired"
    AFTER = "after"


class _Given(dict[str, Any]):
    """What a probe is told: a None does not survive the way here, so what is missing is None."""

    def __missing__(self, key: str) -> None:
        return None


def _known(value: Any) -> Any:
    """The value with None for all that is not known yet."""
    if isinstance(value, dict):
        return _Given({k: _known(v) for k, v in value.items()})
    if isinstance(value, list):
        return [_known(v) for v in value]
    return None if value == UNKNOWN else value


def _incomplete(parameters: Mapping[str, Any]) -> bool:
    """Whether something of what a gate waits for is not known: the engine leaves that out of the list, in a deployment."""
    return len(parameters["ready"] or ()) < int(parameters["awaited"])


class _Provider(ResourceProvider):
    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        given = _known(marked(news))
        probe = cast("Probe", importlib.import_module(given["probe"]))
        when, preview = Look(given["look"]), bool(given["preview"])
        look = {Look.BEFORE: probe.before, Look.PAIRED: probe.paired, Look.AFTER: probe.after}[when]
        # In a deployment that goes on after an error, what has failed stays unknown. The engine tells of that, and leaves this step
        # and all behind it out; to ask would be to wait for what is not going to come.
        failed = when is Look.AFTER and not preview and _incomplete(given["parameters"])
        # What is kept of it is little, but there is something in every state that it has passed in.
        problems = () if failed else look(_Given({**given["parameters"], "new": not olds}), preview=preview)
        # Only what never changes is kept, so that there is never a step.
        return CheckResult({"look": given["look"]}, [CheckFailure("", problem) for problem in problems])

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["look"], {"look": props["look"]})


class Checks(Resource, module="supastack", name="Checks"):
    """Looks at the real thing, and fails the deployment with every problem found.

    Whoever must not start before takes something from its `urn`: that is known in every preview.
    """

    def __init__(
        self,
        name: str,
        *,
        look: Look,
        probe: str,
        parameters: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """A check.

        Args:
            name: Its name in the stack.
            look: What is asked.
            probe: Module with the functions of `Probe`.
            parameters: What they are told; may hold outputs. `ready`: a list of what must be known before the gate is asked.
            opts: Resource options.
        """
        super().__init__(
            _Provider(),
            name,
            {
                "look": look.value,
                "probe": probe,
                "parameters": {**parameters, **({"awaited": len(parameters["ready"])} if "ready" in parameters else {})},
                "preview": pulumi.runtime.is_dry_run(),
            },
            opts,
        )
