"""Values as the engine's event log has them: secrets and what is not known yet stand out, and a property is found by its path."""

import re
from collections.abc import Mapping
from typing import Any, Final

from toolchain.stack.state import SECRET, SIGNATURE

HIDDEN: Final = "[secret]"
"""Stands for every secret, as in what the engine itself prints."""
UNKNOWN: Final = "[known after the deployment]"
"""Stands for what only the deployment makes known."""

_UNKNOWN: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
    }
)
"""What the engine writes for them: text, boolean, number, list, object, asset, archive (pulumi/sdk go/common/resource/plugin/rpc.go)."""

_OWN: Final = ("__", "pulumi:")
"""Properties that begin so are the engine's and the providers' own business."""


def plain(value: Any) -> Any:
    """A value with HIDDEN for each secret in it and UNKNOWN for what is not known; properties of the engine's own are left out."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET:
            return HIDDEN
        return {k: plain(v) for k, v in value.items() if not str(k).startswith(_OWN) and k != SIGNATURE}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return UNKNOWN if isinstance(value, str) and value in _UNKNOWN else value


def at(value: Any, path: str) -> Any:
    """What stands at a property path, as `spec.containers[0].image` or `data["a.b"]`; inside of a secret HIDDEN, None where nothing is."""
    for step in steps(path):
        if value in (HIDDEN, UNKNOWN):
            return value
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def steps(path: str) -> list[str | int]:
    """The names and indexes of a property path."""
    found: list[str | int] = []
    for match in _STEP.finditer(path):
        if match["index"] is not None:
            found.append(int(match["index"]))
        elif match["quoted"] is not None:
            found.append(re.sub(r"\\(.)", r"\1", match["quoted"]))
        else:
            found.append(match["name"])
    return found


_STEP = re.compile(r'\[(?P<index>\d+)\]|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|(?P<name>[^.\[\]]+)')
