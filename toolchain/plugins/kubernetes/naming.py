"""Names that the plugin makes up: of objects, and of field managers (provider/pkg/metadata/naming.go; provider.go, fieldManagerName)."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from toolchain.plugins.common.values import UNKNOWN

from . import annotations
from .objects import Object, annotation_of, name_of, pluck, text_at, with_annotation, with_metadata

FIELD_MANAGER = "__fieldManager"
INITIAL_API_VERSION = "__initialApiVersion"
INPUTS = "__inputs"

_HEX = 8
"""Digits that make a name unique (pulumi, sdk/go/common/resource/resource_id.go, NewUniqueName)."""


def is_autonamed(item: Mapping[str, Any]) -> bool:
    """Whether an object's name was made up by this plugin."""
    return annotations.is_true(item, annotations.AUTONAMED)


def has_name(item: Mapping[str, Any]) -> bool:
    """Whether the program gives a name, known or not."""
    return pluck(item, "metadata") == UNKNOWN or bool(pluck(item, "metadata", "name"))


def named(item: Mapping[str, Any], old: Mapping[str, Any], resource: str, seed: bytes) -> Object:
    """`item` with a name: its own, else the one made up before, else a new one, `<resource>-<8 hex digits>`.

    The engine's seed makes preview and update agree on it.
    """
    if has_name(item) or text_at(item, "metadata", "generateName"):
        return dict(item)
    known = name_of(old) if is_autonamed(old) else ""
    name = known if old else f"{resource}-{_digits(seed)}"
    return with_annotation(with_metadata(item, name=name), annotations.AUTONAMED, "true") if name else dict(item)


def field_manager(state: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """Who owns the fields that are applied: the annotation's name, else the one in the state, else a new one."""
    known = state.get(FIELD_MANAGER)
    return annotation_of(inputs, annotations.PATCH_FIELD_MANAGER) or (
        str(known) if known else f"pulumi-kubernetes-{_digits(b'')}"
    )


def _digits(seed: bytes) -> str:
    return hashlib.sha256(seed).hexdigest()[:_HEX] if seed else secrets.token_hex(_HEX // 2)
