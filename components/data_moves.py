"""What a change of the places where data lives means: the text of the warning, and of the risk in a preview. Pure, and imports little."""

from collections.abc import Mapping
from typing import Any, Final

OWN: Final = "own"
"""Stands for a server of the stack's own, whose data lies on its volumes."""


def moves(olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    """What does not go along, a sentence for each kind of data that has another place now; what has none told is left out.

    Args:
        olds: The places as deployed, by kind (`components.data_places.of`).
        news: Those of now.
    """
    return [
        say(olds[kind], news[kind])
        for kind, say in _SAYS.items()
        if isinstance(olds.get(kind), Mapping) and isinstance(news.get(kind), Mapping) and olds[kind] != news[kind]
    ]


def _database(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    return (
        f"the database goes from {_of_database(old)} to {_of_database(new)}: its rows, schemas and users are not moved. "
        "Dump it there and restore it here (docs/services.md), or set back supastack:supabase.database and "
        "supastack:supabase.managed.ref"
    )


def _storage(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    return (
        f"Storage's files go from {_of_storage(old)} to {_of_storage(new)}: they are not moved, and not found (Object not found). "
        "Copy them first (docs/services.md), or set back supastack:supabase.storage, supastack:supabase.projectRef, "
        "supastack:supabase.managed.ref and supastack:objectStorage"
    )


def _buckets(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    return (
        f"the apps' first bucket goes from {_of_bucket(old)} to {_of_bucket(new)}: its objects are not moved. "
        "Copy them first (docs/services.md), or set back supastack:objectStorage"
    )


_SAYS: Final = {"database": _database, "storage": _storage, "buckets": _buckets}
KINDS: Final = tuple(_SAYS)
"""Kinds of data whose places are told."""


def _of_database(place: Mapping[str, Any]) -> str:
    name = f"database {place.get('name')}"
    match place.get("engine"):
        case "managed":
            return f"the managed project {place.get('ref')} ({name})"
        case "external":
            return f"the server {place.get('server')} of others ({name})"
        case engine:
            return f"the stack's own server ({engine}, {name})"


def _of_storage(place: Mapping[str, Any]) -> str:
    inside = f"bucket {place.get('bucket')}, tenant {place.get('tenant')}"
    match place.get("backend"):
        case "managed":
            return f"the managed project {place.get('ref')}"
        case "file":
            return f"its volume ({inside})"
        case _:
            return f"{_store(place)} ({inside})"


def _of_bucket(place: Mapping[str, Any]) -> str:
    return f"{place.get('bucket')} in {_store(place)}"


def _store(place: Mapping[str, Any]) -> str:
    return "the stack's own store" if place.get("store") == OWN else f"the store {place.get('store')}"
