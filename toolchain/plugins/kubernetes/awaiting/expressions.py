"""The annotation pulumi.com/waitFor: `condition=Ready`, `condition=Ready=False`, `jsonpath={.status.phase}=Bound`, or a JSON list of these.

metadata/overrides.go, ReadyCondition; pkg/jsonpath. Of JSONPath only fields and list positions are known here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolchain.plugins.common.errors import UserError
from toolchain.plugins.kubernetes.diff import Path, parse_path

from .look import READY, Look, condition, waiting


@dataclass(frozen=True)
class Wanted:
    """One expression. `path` is empty for a condition; `value` None asks only that there is one."""

    text: str
    condition: str = ""
    path: Path = ()
    value: str | None = None


def parse(text: str) -> list[Wanted]:
    """The expressions of an annotation. Raises UserError for what is not known."""
    try:
        given = json.loads(text)
    except ValueError:
        given = text
    if not isinstance(given, list):
        given = [text]
    if not given:
        raise UserError("the annotation pulumi.com/waitFor has no expression")
    return [_parsed(str(entry)) for entry in given]


def _parsed(text: str) -> Wanted:
    if text.startswith("condition="):
        name, _, value = text.removeprefix("condition=").partition("=")
        return Wanted(text, condition=name, value=value or "True")
    found = re.fullmatch(r"jsonpath=['\"]?\{?\.?([^{}]+?)\}?['\"]?(?:=(.*))?", text)
    if found is None:
        raise UserError(f'the annotation pulumi.com/waitFor has {text!r}; an expression begins with "condition=" or "jsonpath="')
    if any(sign in found[1] for sign in "*?@:("):
        raise UserError(
            f"the annotation pulumi.com/waitFor has {text!r}; this stand-in knows only fields and list positions in a path"
        )
    return Wanted(text, path=parse_path(found[1]), value=found[2])


def look(wanted: Sequence[Wanted], live: Mapping[str, Any]) -> Look:
    """Whether every expression holds."""
    for entry in wanted:
        if not _holds(entry, live):
            return waiting(f"{entry.text} does not hold yet")
    return READY


def _holds(wanted: Wanted, live: Mapping[str, Any]) -> bool:
    if wanted.condition:
        return str(condition(live, wanted.condition).get("status")).lower() == str(wanted.value).lower()
    value: Any = live
    for part in wanted.path:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and part < len(value) else None
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return False
    return wanted.value is None or (json.dumps(value) if isinstance(value, bool) else str(value)) == wanted.value
