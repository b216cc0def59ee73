"""Who owns which field of a live object (metadata.managedFields), and what follows for an apply.

await.go: fixCSAFieldManagers, handleSSAIgnoreFields, patchForce.
"""

import copy
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from . import annotations
from .diff import parse_path
from .objects import Object, pluck

_TAKEN_OVER = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    ("pulumi-kubernetes", "Update"),
    ("pulumi-resource-kubernetes", "Update"),
)
"""Managers, by the beginning of their names, whose fields an update takes over: this plugin's own from the creation are among them."""

_OWN_UPDATES = ("pulumi-resource-kubernetes", "pulumi-kubernetes", "pulumi-kubernetes.exe")


def managers_of(live: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of metadata.managedFields."""
    found = pluck(live, "metadata", "managedFields")
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


def taking_over(live: Mapping[str, Any], manager: str) -> list[Object]:
    """The JSON patch that makes `manager` the owner of what was created or applied before; empty when there is nothing to do."""
    entries = managers_of(live)
    taken = [entry for entry in entries if _is_taken(entry)]
    if not taken:
        return []
    own = [entry for entry in entries if entry.get("manager") == manager and entry.get("operation") == "Apply"]
    first = (own or taken)[0]
    fields: Object = {}
    for entry in [*own, *taken]:
        fields = _union(fields, entry.get("fieldsV1") or {})
    merged = {**first, "manager": manager, "operation": "Apply", "fieldsV1": fields}
    kept = [entry for entry in entries if entry not in taken and entry not in own]
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": [merged, *kept]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": pluck(live, "metadata", "resourceVersion")},
    ]


def _is_taken(entry: Mapping[str, Any]) -> bool:
    if entry.get("subresource"):
        return False
    return any(
        str(entry.get("manager", "")).startswith(name) and entry.get("operation") == operation for name, operation in _TAKEN_OVER
    )


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> Object:
    merged = dict(one)
    for key, value in other.items():
        merged[key] = _union(merged[key], value) if key in merged else value
    return merged


def with_ignored(item: Object, live: Mapping[str, Any], manager: str, ignored: Collection[str]) -> Object:
    """The inputs with the ignored fields left to whom they belong: out where only another manager has them, else as they are live.

    As in the official plugin, paths through lists are not followed.
    """
    found = copy.deepcopy(item)
    ours = [entry.get("fieldsV1") or {} for entry in managers_of(live) if entry.get("manager") == manager]
    theirs = [entry.get("fieldsV1") or {} for entry in managers_of(live) if entry.get("manager") != manager]
    for text in ignored:
        path = parse_path(text)
        if not all(isinstance(part, str) for part in path):
            continue
        keys = [str(part) for part in path]
        if _owned(theirs, keys) and not _owned(ours, keys):
            _remove(found, keys)
        elif (value := pluck(live, *keys)) is not None:
            _put(found, keys, value)
    return found


def _owned(fields: Sequence[Mapping[str, Any]], path: Sequence[str]) -> bool:
    return any(pluck(tree, *(f"f:{part}" for part in path)) is not None for tree in fields)


def _remove(item: Object, path: Sequence[str]) -> None:
    parent = pluck(item, *path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)


def _put(item: Object, path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        below = item.setdefault(key, {})
        if not isinstance(below, dict):
            return
        item = below
    item[path[-1]] = copy.deepcopy(value)


def is_forced(item: Mapping[str, Any], live: Mapping[str, Any] | None, *, always: bool, preview: bool) -> bool:
    """Whether an apply takes over fields that others own: by the annotation, the setting or the environment.

    In a preview also where the update itself would take them over first, or where there is no object yet.
    """
    if annotations.is_true(item, annotations.PATCH_FORCE) or always:
        return True
    given = os.environ.get("PULUMI_K8S_ENABLE_PATCH_FORCE")
    if given is not None:
        return given == "true"
    if not preview:
        return False
    return live is None or any(
        entry.get("operation") == "Update" and str(entry.get("manager", "")).startswith(_OWN_UPDATES)
        for entry in managers_of(live)
    )
