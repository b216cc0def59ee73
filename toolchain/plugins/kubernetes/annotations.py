"""The `pulumi.com/` annotations (provider/pkg/metadata/annotations.go and overrides.go)."""

from collections.abc import Mapping
from typing import Any

from .objects import annotation_of

AUTONAMED = "pulumi.com/autonamed"
SKIP_AWAIT = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
REPLACE_UNREADY = "pulumi.com/replaceUnready"
PATCH_FORCE = "pulumi.com/patchForce"
PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager"
DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"

KNOWN = frozenset(
    {
        AUTONAMED,
        SKIP_AWAIT,
        WAIT_FOR,
        TIMEOUT_SECONDS,
        REPLACE_UNREADY,
        PATCH_FORCE,
        PATCH_FIELD_MANAGER,
        DELETION_PROPAGATION,
    }
)


def is_true(item: Mapping[str, Any], name: str) -> bool:
    """Whether an annotation is exactly `true`."""
    return annotation_of(item, name) == "true"


def timeout_of(item: Mapping[str, Any], custom: float, default: float) -> float:
    """Seconds to wait: the program's customTimeouts, else the annotation, else `default`."""
    if custom:
        return custom
    given = annotation_of(item, TIMEOUT_SECONDS)
    return float(given) if given.lstrip("-").isdigit() else default


def propagation_of(item: Mapping[str, Any]) -> str:
    """What becomes of an object's dependents when it is deleted."""
    return {"orphan": "Orphan", "background": "Background"}.get(annotation_of(item, DELETION_PROPAGATION).lower(), "Foreground")
