"""Values that are not known yet, as a dynamic provider gets them; and those that never will be, since what makes them has failed."""

from typing import Any

import pulumi
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN


def marked(value: Any) -> Any:
    """The value with the wire's own mark (`rpc.UNKNOWN`) for all that is not known yet.

    The SDK hands that over at the top of the inputs, and an object of its own below (pulumi 3.272, `runtime/rpc.py`), which it can't
    send back.
    """
    if isinstance(value, dict):
        return {k: marked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [marked(v) for v in value]
    return UNKNOWN if isinstance(value, Unknown) else value


def whatever_happened(output: pulumi.Output[str], instead: str) -> pulumi.Output[str]:
    """The output; `instead` where it is not known in a deployment, which goes on after what makes it has failed.

    The engine leaves out whatever depends on a failure, but has its inputs checked first, and without the unknown ones (pulumi
    pkg/resource/deploy/step_generator.go, `allowUnknowns`): a required one would be missing, which ends the whole deployment. The
    dependency stays, so nothing is ever made with `instead`.
    """
    if pulumi.runtime.is_dry_run():
        return output
    return output.apply(lambda value: instead if isinstance(value, Unknown) else value, run_with_unknowns=True)
