"""Registers the TypedDicts that declare settings."""

from typing import Any, Final, NotRequired, TypeVar, get_type_hints

T = TypeVar("T")

DECLARED: Final[dict[type, dict[str, Any]]] = {}
"""The annotations of each declared TypedDict, with their `Setting`."""


def declared(cls: type[T]) -> type[T]:
    """Register a TypedDict as settings and make its own annotations plain."""
    DECLARED[cls] = get_type_hints(cls, include_extras=True)
    plain = get_type_hints(cls)
    cls.__annotations__ = {name: NotRequired[hint] for name, hint in plain.items()}
    return cls
