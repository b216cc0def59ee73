"""What a resource type is to a stand-in: its fields, their kinds and rules, and what a change of each brings about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Rule = Callable[[Any], str | None]
"""Says what is wrong with a known value, without repeating it (it may be secret); None when nothing is."""


class Kind(Enum):
    """The kind of a field."""

    STRING = "string"
    BOOL = "boolean"
    INT = "whole number"
    MAP = "map of strings"


@dataclass(frozen=True)
class Field:
    """One property of a resource.

    Attributes:
        required: the program must give it.
        default: stands in where the program says nothing.
        replaces: a change makes a new resource, otherwise it is an update; or a function of the old and the new value that tells.
        output_only: only the plugin sets it.
        secret: always secret, whatever it is made from.
        derives_from: inputs whose text goes into this output; it is secret where one of them is.
        rule: checks one known value.
    """

    kind: Kind
    required: bool = False
    default: Any = None
    replaces: bool | Callable[[Any, Any], bool] = False
    output_only: bool = False
    secret: bool = False
    derives_from: tuple[str, ...] = ()
    rule: Rule | None = None


@dataclass(frozen=True)
class ResourceType:
    """A resource type.

    Attributes:
        token: as programs name it, such as random:index/randomId:RandomId.
        fields: its properties by name.
        rule: checks values against one another, some of which may be unknown; gives every problem as a sentence.
    """

    token: str
    fields: Mapping[str, Field]
    rule: Callable[[Mapping[str, Any]], list[str]] = field(default=lambda _: [])


def at_least(floor: int) -> Rule:
    """A number not below `floor`."""
    return lambda value: None if value >= floor else f"must be at least {floor}"
