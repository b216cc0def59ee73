"""Diff: what differs between the state and what is planned, and whether it replaces. Pure: nothing is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .schema import ResourceType
from .values import has_unknown


@dataclass(frozen=True)
class Change:
    """A property that differs: "add", "delete" or "update", and whether the resource must be replaced for it."""

    kind: str
    replaces: bool


def with_defaults(kind: ResourceType, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """`inputs` with the defaults of the fields that it does not give."""
    given = {key: value for key, value in inputs.items() if value is not None}
    return {key: declared.default for key, declared in kind.fields.items() if declared.default is not None} | given


def changes(kind: ResourceType, state: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Change]:
    """The inputs in which `planned` asks for something else than `state` has."""
    found = {}
    for key, declared in kind.fields.items():
        old, new = state.get(key), planned.get(key)
        if declared.output_only or (not has_unknown(new) and _without_nulls(old) == _without_nulls(new)):
            continue
        word = "delete" if new is None else "add" if old is None else "update"
        replaces = declared.replaces if isinstance(declared.replaces, bool) else declared.replaces(old, new)
        found[key] = Change(word, replaces)
    return found


def _without_nulls(value: Any) -> Any:
    return {key: item for key, item in value.items() if item is not None} if isinstance(value, Mapping) else value
