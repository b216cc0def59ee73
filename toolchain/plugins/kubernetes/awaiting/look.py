"""What one look at a live object tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolchain.plugins.kubernetes.objects import pluck


@dataclass(frozen=True)
class Look:
    """What one look at a live object tells.

    Attributes:
        ready: it does what it is for.
        failed: it never will; waiting longer is of no use.
        waiting_for: what is missing, as a sentence without a full stop.
    """

    ready: bool
    failed: bool = False
    waiting_for: str = ""


READY = Look(ready=True)


def waiting(text: str) -> Look:
    """Not ready yet."""
    return Look(ready=False, waiting_for=text)


def failed(text: str) -> Look:
    """It won't get ready."""
    return Look(ready=False, failed=True, waiting_for=text)


def condition(live: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition of an object's status; empty where there is none."""
    for entry in pluck(live, "status", "conditions") or []:
        if isinstance(entry, Mapping) and entry.get("type") == kind:
            return entry
    return {}


def number(live: Mapping[str, Any], *path: str, default: int = 0) -> int:
    """A number in an object."""
    found = pluck(live, *path)
    return found if isinstance(found, int) else default


def is_observed(live: Mapping[str, Any]) -> bool:
    """Whether the controller has seen the latest change."""
    return number(live, "status", "observedGeneration") >= number(live, "metadata", "generation")
