"""Reads the settings in a stack file (Pulumi.<stack>.yaml) as the engine does, without decrypting any.

The engine reads YAML with other rules than PyYAML: `yes` and `on` are text, `12:30:00` is no number.
"""

import re
from typing import Any, Final

import yaml

from components.setting_values import Ciphertext


class StackFileError(ValueError):
    """The file is no stack file. The message says where, and repeats nothing of it."""


class _Loader(yaml.SafeLoader):
    """YAML as Pulumi's engine reads it (gopkg.in/yaml.v3; seen with engine 3.258)."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def no_duplicates(self, node: yaml.MappingNode) -> dict[Any, Any]:
        """Make a mapping; a key that stands twice is an error, as it is for the engine."""
        self.flatten_mapping(node)
        keys = [self.construct_object(key) for key, _ in node.value]
        for (key_node, _), key in zip(node.value, keys, strict=True):
            if not isinstance(key, str | int | float | bool | None):
                raise yaml.constructor.ConstructorError(None, None, "a key is not a text", key_node.start_mark)
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, "a key stands twice", key_node.start_mark)
        return {str(key): self.construct_object(value, deep=True) for key, (_, value) in zip(keys, node.value, strict=True)}

    def number(self, node: yaml.ScalarNode) -> int:
        """Make a whole number."""
        text = self.construct_scalar(node).replace("_", "")
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.lstrip("+"))
        if digits[:1] == "0" and digits[1:].isdigit():
            return sign * int(digits, 8)
        return sign * int(digits, 0)

    def fraction(self, node: yaml.ScalarNode) -> float | int:
        """Make a number; one without a fraction is whole, as in the JSON that a program gets."""
        value = float(self.construct_scalar(node).replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
        return int(value) if value.is_integer() else value


_RESOLVED: Final = (
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", "~nN"),
    ("tag:yaml.org,2002:int", r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("tag:yaml.org,2002:merge", r"<<", "<"),
)
for _tag, _pattern, _first in _RESOLVED:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^$"), [""])
_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.no_duplicates)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.number)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.fraction)


def read(text: str) -> dict[str, object]:
    """Return the settings of a stack file by key, with Ciphertext for each that is encrypted. Raises StackFileError."""
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        # A problem can repeat a piece of the text, in quotes.
        problem = re.sub(r"'.*'", "...", error.problem or "it is not YAML")
        raise StackFileError(f"{where}{problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise StackFileError("it is not YAML") from None
    if document is None:
        return {}
    settings = document.get("config") if isinstance(document, dict) else document
    if settings is None and isinstance(document, dict):
        return {}
    if not isinstance(settings, dict):
        raise StackFileError("the settings do not stand below a line `config:`")
    return {key: _without_ciphertext(value) for key, value in settings.items()}


def _without_ciphertext(value: object) -> object:
    """Return a value with Ciphertext in place of `{secure: ...}`."""
    if isinstance(value, dict):
        if value.keys() == {"secure"} and isinstance(value["secure"], str):
            return Ciphertext()
        return {key: _without_ciphertext(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_ciphertext(inner) for inner in value]
    return value
