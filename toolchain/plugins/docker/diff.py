"""Diff: what differs between the state and the program's inputs, and whether it replaces. It never asks the daemon."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from toolchain.plugins.common.values import has_unknown

from .fields import Field, Kind, ResourceType


@dataclass(frozen=True)
class Change:
    """A property that differs: "add", "delete" or "update", and whether the resource must be replaced for it."""

    kind: str
    replaces: bool


def changes(
    kind: ResourceType, state: Mapping[str, Any], inputs: Mapping[str, Any], ignored: Collection[str] = ()
) -> dict[str, Change]:
    """The properties in which `inputs` asks for something else than `state` has; paths in `ignored` are passed over."""
    passed_over = {path.replace("[", ".").partition(".")[0].strip('"') for path in ignored}
    found = {}
    for key, declared in kind.fields.items():
        if declared.output_only or key in passed_over:
            continue
        old, new = state.get(key), inputs.get(key)
        if declared.empty_is_unset and not new:
            continue
        if new is None and declared.computed:
            continue
        if has_unknown(new) or canonical(declared, old) != canonical(declared, new, old):
            found[key] = Change(_word(old, new), declared.replaces)
    return found


def canonical(declared: Field, value: Any, old: Any = None) -> str:
    """A text that is the same for values that mean the same.

    Unset is the type's zero, as in Terraform's older SDK; sets have no order; nested computed values come from `old`.
    """
    return json.dumps(_reduced(declared, value, old), sort_keys=True)


def _reduced(declared: Field, value: Any, old: Any) -> Any:
    match declared.kind:
        case Kind.STRING:
            return value or ""
        case Kind.BOOL:
            return bool(value)
        case Kind.INT:
            return value or 0
        case Kind.MAP:
            return value or {}
        case Kind.OBJECT:
            return _reduced_object(declared, value or {}, old)
        case Kind.LIST | Kind.SET:
            items = value or []
            olds = old if isinstance(old, list) and declared.kind is Kind.LIST else []
            reduced = [
                _reduced_object(declared, item, olds[index] if index < len(olds) else None)
                if isinstance(declared.item, Mapping)
                else item
                for index, item in enumerate(items)
            ]
            if declared.kind is Kind.LIST:
                return reduced
            return sorted({json.dumps(item, sort_keys=True) for item in reduced})


def _reduced_object(declared: Field, value: Any, old: Any) -> Any:
    if not isinstance(declared.item, Mapping) or not isinstance(value, Mapping):
        return value
    before = old if isinstance(old, Mapping) else {}
    return {
        key: _reduced(
            item,
            before.get(key) if item.computed and value.get(key) is None else value.get(key, item.default),
            before.get(key),
        )
        for key, item in declared.item.items()
    }


def _word(old: Any, new: Any) -> str:
    if new is None:
        return "delete"
    return "add" if old is None else "update"
