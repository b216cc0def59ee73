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
    """A module of a target that looks at the real thing. Each returns problems; a value that is not known yet is None."""

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


class _Provider(ResourceProvider):
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        given = _known(marked(news))
        probe = cast("Probe", importlib.import_module(given["probe"]))
        look = {Look.BEFORE: probe.before, Look.PAIRED: probe.paired, Look.AFTER: probe.after}[Look(given["look"])]
        problems = look(given["parameters"], preview=bool(given["preview"]))
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
            parameters: What they are told; may hold outputs.
            opts: Resource options.
        """
        super().__init__(
            _Provider(),
            name,
            {
                "look": look.value,
                "probe": probe,
                "parameters": dict(parameters),
                "preview": pulumi.runtime.is_dry_run(),
            },
            opts,
        )
