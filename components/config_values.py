"""Values of settings as they come, from the engine or from YAML, before they are checked: their types, what is encrypted, defaults."""

import json
import re
from typing import get_origin

from components.setting_schema import Field, default_of, fields
from components.setting_types import PortSettings
from components.setting_values import Ciphertext, variable_text


def ciphertexts(value: object, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    """Return where in a value something is encrypted."""
    if isinstance(value, Ciphertext):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in items for found in ciphertexts(inner, (*path, key))]


def without_ciphertexts(value: object) -> object:
    """Return a value without what is encrypted in it, and without lists that hold such."""
    if not isinstance(value, dict):
        return value
    return {
        name: without_ciphertexts(inner)
        for name, inner in value.items()
        if not isinstance(inner, Ciphertext) and not (isinstance(inner, list) and ciphertexts(inner, ()))
    }


def from_config(field: Field, value: object) -> object:
    """Return a top-level value in the type it is declared with, where it can be read as that; else as it is.

    Pulumi hands a program numbers and groups as text (groups as JSON); read from YAML they have types, which this makes no
    use of for single values, so that both readings agree.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    if not isinstance(value, str):
        return value
    if field.type is int and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if field.type is bool and value in ("true", "false"):
        return value == "true"
    if field.type is PortSettings and value == "auto":
        return {"auto": True}
    if field.group or get_origin(field.type) is dict:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def with_defaults(field: Field, value: object) -> object:
    """Return a value of a setting with the defaults for all that it leaves out, and environment variables as texts."""
    if field.setting.environment and isinstance(value, dict):
        return {name: variable_text(inner) for name, inner in value.items()}
    if field.group is None:
        return value
    if get_origin(field.type) is list and isinstance(value, list):
        return [_merged(field.group, inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if get_origin(field.type) is dict:
        return {name: _merged(field.group, inner) for name, inner in value.items()}
    return _merged(field.group, value)


def _merged(owner: type, value: object) -> object:
    if not isinstance(value, dict):
        return value
    declared = fields(owner)
    given = {name: with_defaults(declared[name], inner) if name in declared else inner for name, inner in value.items()}
    return {**default_of(owner), **given}
