"""The part of a live object that has the shape of its inputs (provider/util.go, pruneMap and pruneSlice)."""

from collections.abc import Mapping
from typing import Any

from .objects import Object


def prune(live: Mapping[str, Any], shape: Mapping[str, Any]) -> Object:
    """What `live` has at the keys of `shape`, at any depth. Lists are matched by position."""
    return {key: _value(value, shape[key]) for key, value in live.items() if key in shape}


def _value(value: Any, shape: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(shape, Mapping):
        return prune(value, shape)
    if isinstance(value, list) and isinstance(shape, list):
        if value and shape and _kind(value[0]) != _kind(shape[0]):
            return list(value)
        return [_value(item, wanted) for item, wanted in zip(value, shape, strict=False)]
    return value


def _kind(value: Any) -> str:
    return "map" if isinstance(value, Mapping) else type(value).__name__
