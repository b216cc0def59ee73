"""Values that are not known yet, as a dynamic provider gets them."""

from typing import Any

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
