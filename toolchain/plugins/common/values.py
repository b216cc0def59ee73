"""Plain Python values for inputs and outputs, and what of them is unknown or secret.

The SDK's PropertyValue keeps secrets apart but not unknowns: it reads them as ordinary strings and can't write its own Computed
(3.272, pulumi/provider/experimental/property_value.py). So unknown values are the string UNKNOWN here, both ways.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pulumi.provider.experimental.property_value import Computed, PropertyValue

Plain = Any
"""None, bool, int, float, str, or a list or dict of these."""

Properties = Mapping[str, PropertyValue]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a value that is not known yet (pulumi, sdk/go/common/resource/plugin/rpc.go, UnknownStringValue)."""

_UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""The same for strings, booleans, numbers, lists and objects (same file)."""

_SHORTEST_SECRET = 4
"""Shorter texts are not blanked out of messages: they would take ordinary words with them."""


def to_plain(value: PropertyValue) -> Plain:
    """The value without its secret marks; whole numbers become int, unknown values UNKNOWN."""
    raw = value.value
    if isinstance(raw, Computed):
        return UNKNOWN
    if isinstance(raw, str):
        return UNKNOWN if raw in _UNKNOWNS else raw
    if isinstance(raw, bool) or raw is None:
        return raw
    if isinstance(raw, float):
        return int(raw) if raw.is_integer() else raw
    if isinstance(raw, Mapping):
        return {key: to_plain(item) for key, item in raw.items()}
    if isinstance(raw, tuple | list):
        return [to_plain(item) for item in raw]
    return raw  # an asset or a reference: check refuses it by its type


def plain_map(properties: Properties) -> dict[str, Plain]:
    """All of `properties` that are not null, as plain values."""
    values = {key: to_plain(value) for key, value in properties.items()}
    return {key: value for key, value in values.items() if value is not None}


def to_property(value: Plain) -> PropertyValue:
    """The wire form of a plain value; a PropertyValue stays as it is."""
    if isinstance(value, PropertyValue):
        return value
    if isinstance(value, bool | str) or value is None:
        return PropertyValue(value)
    if isinstance(value, int | float):
        return PropertyValue(float(value))
    if isinstance(value, Mapping):
        return PropertyValue({key: to_property(item) for key, item in value.items()})
    return PropertyValue([to_property(item) for item in value])


def property_map(values: Mapping[str, Plain], secret: Iterable[str] = ()) -> dict[str, PropertyValue]:
    """The wire form of `values` without what is None; the properties named in `secret` are secret as a whole."""
    hidden = set(secret)
    found = {key: to_property(value) for key, value in values.items() if value is not None}
    return {key: value.with_secret(True) if key in hidden else value for key, value in found.items()}


def with_secrets_of(values: Properties, *sources: Properties) -> dict[str, PropertyValue]:
    """`values` with the secrets of the same-named properties of `sources` marked.

    As the engine does for plugins that know nothing of secrets, which the official bridged ones are (pulumi,
    pkg/resource/plugin/provider_plugin.go, annotateSecrets): inside objects one by one, a list with a secret in it as a whole. So
    previews show and hide the same under either plugin.
    """
    return {key: _with_secret(value, [s[key] for s in sources if key in s]) for key, value in values.items()}


def _with_secret(value: PropertyValue, sources: list[PropertyValue]) -> PropertyValue:
    if value.is_secret or not any(source.contains_secret() for source in sources):
        return value
    inside = [source.value for source in sources if isinstance(source.value, Mapping) and not source.is_secret]
    if isinstance(value.value, Mapping) and len(inside) == len(sources):
        return PropertyValue(
            {
                key: _with_secret(item, [m[key] for m in inside if key in m]) if any(key in m for m in inside) else item
                for key, item in value.value.items()
            }
        )
    return value.with_secret(True)


def secret_keys(*sources: Properties) -> set[str]:
    """The properties that hold a secret anywhere inside, in any of `sources`."""
    return {key for source in sources for key, value in source.items() if value.contains_secret()}


def secret_strings(*sources: Properties) -> frozenset[str]:
    """Every string inside a secret value, and the part of it after `=`: what must not stand in a message."""
    found: set[str] = set()
    for source in sources:
        for value in source.values():
            for text in _strings_of_secrets(value, hidden=False):
                found.update((text, text.partition("=")[2]))
    return frozenset(text for text in found if len(text) >= _SHORTEST_SECRET)


def _strings_of_secrets(value: PropertyValue, *, hidden: bool) -> Iterator[str]:
    hidden = hidden or value.is_secret
    raw = value.value
    if isinstance(raw, str):
        if hidden and raw not in _UNKNOWNS:
            yield raw
    elif isinstance(raw, Mapping):
        for item in raw.values():
            yield from _strings_of_secrets(item, hidden=hidden)
    elif isinstance(raw, tuple | list):
        for item in raw:
            yield from _strings_of_secrets(item, hidden=hidden)


def has_unknown(value: Plain) -> bool:
    """Whether `value` is, or holds anywhere, a value that is not known yet."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return bool(value == UNKNOWN)
