"""What a resource type is to this plugin: its fields, their types, defaults, rules, and what a change of each brings about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Rule = Callable[[Any], str | None]
"""Says what is wrong with a known value, without repeating it (it may be secret); None when nothing is."""


class Kind(Enum):
    """The type of a field; SET is a list whose order and repetitions mean nothing."""

    STRING = "string"
    BOOL = "boolean"
    INT = "whole number"
    LIST = "list"
    SET = "list without order"
    MAP = "map of strings"
    OBJECT = "object"


@dataclass(frozen=True)
class Field:
    """One property of a resource.

    Attributes:
        item: for LIST and SET the kind of one element, or the fields of it; for OBJECT its fields.
        default: what check puts in where the program says nothing.
        computed: where the program says nothing, the daemon's value stands and is no difference.
        replaces: a change makes a new resource; otherwise it is an update.
        output_only: only the plugin sets it.
        empty_is_unset: an empty string in the program counts as saying nothing.
        derives_from: inputs whose text goes into this output; it is secret where one of them is.
        rule: checks one known value.
    """

    kind: Kind
    item: "Kind | Mapping[str, Field] | None" = None
    required: bool = False
    default: Any = None
    computed: bool = False
    replaces: bool = False
    output_only: bool = False
    empty_is_unset: bool = False
    derives_from: tuple[str, ...] = ()
    rule: Rule | None = None


Fields = Mapping[str, Field]


@dataclass(frozen=True)
class ResourceType:
    """A resource type.

    Attributes:
        token: as programs name it, such as docker:index/volume:Volume.
        official_only: fields that the official plugin has and this one refuses by name.
        autonamed: check makes a name where the program gives none.
        delete_before_replace: a replacement deletes the old one first, even if its name was made up.
        schema_version: the version of the state's form; the official plugin reads it when it takes a state over.
        rule: checks values against one another; gives every problem as a sentence.
    """

    token: str
    fields: Fields
    official_only: frozenset[str] = frozenset()
    autonamed: bool = True
    delete_before_replace: bool = False
    schema_version: int = 0
    rule: Callable[[Mapping[str, Any]], list[str]] = field(default=lambda _: [])
