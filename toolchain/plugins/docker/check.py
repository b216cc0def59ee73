"""Check: refuses what the plugin doesn't know or can't be right, and fills in defaults and the automatic name."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from toolchain.plugins.common.values import UNKNOWN

from .fields import Field, Fields, Kind, ResourceType

DEFAULTS_KEY = "__defaults"
"""The input under which the bridge lists what it filled in (pulumi-terraform-bridge, schema.go: defaultsKey)."""

_OFFICIAL = "is a field of the official docker plugin that this stand-in does not have"

_NAME_LIMIT = 255
"""pulumi-docker, provider/resources.go, SetAutonaming."""

_NAME_HEX = 7


def problems(kind: ResourceType, inputs: Mapping[str, Any], explanation: str = "") -> list[str]:
    """Everything that is wrong with `inputs`, each as a sentence that names the field and never its value.

    `explanation` says what a stand-in is; it ends each refusal of a field that only the official plugin has.
    """
    found = list(_field_problems(kind, kind.fields, inputs, path=""))
    unknown = [f"{problem}. {explanation}".strip() if problem.endswith(_OFFICIAL) else problem for problem in found]
    return unknown or kind.rule(inputs)


def fill(kind: ResourceType, inputs: Mapping[str, Any], old_inputs: Mapping[str, Any], name: str, seed: bytes) -> dict[str, Any]:
    """What check adds to `inputs`: defaults, and the automatic name of the bridge (name-1234567).

    The name stays once it is chosen; the engine's seed makes preview and update agree on it.
    """
    added: dict[str, Any] = {}
    old_defaults = old_inputs.get(DEFAULTS_KEY) or []
    if kind.autonamed and inputs.get("name") is None:
        kept = old_inputs.get("name") if "name" in old_defaults else None
        added["name"] = kept or _automatic_name(name, seed)
    for key, declared in kind.fields.items():
        if inputs.get(key) is None and declared.default is not None:
            added[key] = declared.default
    return {**added, DEFAULTS_KEY: sorted(added)}


def has_fixed_name(kind: ResourceType, checked: Mapping[str, Any]) -> bool:
    """Whether the program itself gave a name that two resources can't have at once, so that a replacement must delete first.

    pulumi-terraform-bridge, pkg/tfbridge/schema.go: nameRequiresDeleteBeforeReplace.
    """
    defaults = checked.get(DEFAULTS_KEY)
    return kind.autonamed and isinstance(defaults, list) and "name" in checked and "name" not in defaults


def fill_nested(declared: Field, value: Any) -> Any:
    """The value with the defaults of its nested fields."""
    if not isinstance(declared.item, Mapping) or value is None or value == UNKNOWN:
        return value
    if isinstance(value, list):
        return [_with_defaults(declared.item, item) for item in value]
    return _with_defaults(declared.item, value)


def _with_defaults(fields: Fields, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    missing = {key: item.default for key, item in fields.items() if item.default is not None and value.get(key) is None}
    return {**value, **missing}


def _automatic_name(name: str, seed: bytes) -> str:
    digits = hashlib.sha256(seed).hexdigest() if seed else secrets.token_hex(_NAME_HEX)
    return f"{name[: _NAME_LIMIT - _NAME_HEX - 1]}-{digits[:_NAME_HEX]}"


def _field_problems(kind: ResourceType, fields: Fields, values: Mapping[str, Any], path: str) -> Iterator[str]:
    for key in values:
        at = f"{path}{key}"
        if key.startswith("__"):
            continue
        if key not in fields:
            yield _unknown_field(kind, _without_index(at), at)
        elif fields[key].output_only:
            yield f"{at} is set by the plugin and can't be given"
    for key, declared in fields.items():
        value = values.get(key)
        at = f"{path}{key}"
        if value is None:
            if declared.required and not (key == "name" and kind.autonamed and not path):
                yield f"{at} is missing"
        elif key in values and not declared.output_only:
            yield from _value_problems(kind, declared, value, at)


def _value_problems(kind: ResourceType, declared: Field, value: Any, at: str) -> Iterator[str]:
    if value == UNKNOWN:
        return
    if not _fits(declared.kind, value):
        yield f"{at} must be a {declared.kind.value}"
        return
    for item, where in _items(declared, value, at):
        if item != UNKNOWN:
            yield from _item_problems(kind, declared, item, where)
    if declared.rule is not None:
        problem = declared.rule(value)
        if problem:
            yield f"{at} {problem}"


def _items(declared: Field, value: Any, at: str) -> Iterator[tuple[Any, str]]:
    if isinstance(value, list):
        yield from ((item, f"{at}[{index}]") for index, item in enumerate(value))
    elif declared.kind is Kind.MAP:
        yield from ((item, f"{at}.{key}") for key, item in value.items())
    elif declared.kind is Kind.OBJECT:
        yield value, at


def _item_problems(kind: ResourceType, declared: Field, item: Any, at: str) -> Iterator[str]:
    if isinstance(declared.item, Mapping):
        if isinstance(item, Mapping):
            yield from _field_problems(kind, declared.item, item, path=f"{at}.")
        else:
            yield f"{at} must be an object"
        return
    wanted = Kind.STRING if declared.kind is Kind.MAP else declared.item
    if wanted is not None and not _fits(wanted, item):
        yield f"{at} must be a {wanted.value}"


def _fits(kind: Kind, value: Any) -> bool:
    match kind:
        case Kind.STRING:
            return isinstance(value, str)
        case Kind.BOOL:
            return isinstance(value, bool)
        case Kind.INT:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.LIST | Kind.SET:
            return isinstance(value, list)
        case Kind.MAP | Kind.OBJECT:
            return isinstance(value, Mapping)


def _unknown_field(kind: ResourceType, plain_path: str, at: str) -> str:
    if plain_path in kind.official_only:
        return f"{at} {_OFFICIAL}"
    return f"{at} is not a field of {kind.token}"


def _without_index(path: str) -> str:
    return ".".join(part.partition("[")[0] for part in path.split("."))
