"""The algebra of a stack's private config: a tracked file, an overlay over it, and what the engine wrote since.

Pulumi writes into the stack file that it reads: the salt, secrets, values set by command. For a local stack this must not dirty
the tracked file, so the engine gets a private file. That file is `render(tracked, overlay)`. Whatever differs in it later was
written by a command, and `fold` moves it into the overlay. All here is pure; files are in `config.py`.

A document is a dict of plain values as YAML gives them. A path is a tuple of keys. A mapping is looked into, so that a value set
by command below `supastack:cache` and an edit beside it both count; lists, scalars, `{}` and `{"secure": ...}` are leaves.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

KeyPath = tuple[str, ...]

KEEPS = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""Top-level keys that always stay as the engine wrote them: without them, the stack's secrets can't be read any more."""


class _Missing:
    """There is no value at a path."""

    def __repr__(self) -> str:
        return "MISSING"

    def __deepcopy__(self, _memo: object) -> "_Missing":
        return self


class _Blocked(_Missing):
    """There can be no value at a path, since something above it is not a mapping."""

    def __repr__(self) -> str:
        return "BLOCKED"


MISSING = _Missing()
BLOCKED = _Blocked()


@dataclass(frozen=True)
class Entry:
    """One value written by the engine or the toolchain."""

    value: Any
    over: Any = MISSING
    """What the tracked file said at this path when the value was written, or MISSING."""


@dataclass
class Overlay:
    """What was written over or beside the tracked file. No path in it lies below another."""

    entries: dict[KeyPath, Entry] = field(default_factory=dict)
    superseded: dict[KeyPath, Any] = field(default_factory=dict)
    """Values that a later edit of the tracked file replaced. Kept, used by nothing, so that no secret is ever lost."""


@dataclass(frozen=True)
class Note:
    """Something the user should be told, about one path. `kind` is `tracked-wins`, `comes-back` or `kept-secret`."""

    kind: str
    path: KeyPath

    def text(self, tracked_file: str, overlay_file: str) -> str:
        """The note as one line."""
        name = ".".join(self.path[1:]) if self.path[0] == "config" else ".".join(self.path)
        if self.kind == "tracked-wins":
            return (
                f"{name}: {tracked_file} was edited after the value was set by command; the file's value counts now "
                f"(the former one is kept under 'superseded' in {overlay_file})"
            )
        if self.kind == "comes-back":
            return f"{name}: stands in {tracked_file}, so it is set again; remove it there to be rid of it"
        return f"{name}: no longer in {tracked_file}; the secret set by command stays (`pulumi config rm` removes it)"


def is_leaf(value: Any) -> bool:
    """Whether a value is taken as a whole: all but mappings with something in them, and secrets."""
    return not isinstance(value, dict) or not value or is_secret(value)


def is_secret(value: Any) -> bool:
    """Whether a value is a secret as Pulumi writes it: a mapping with the one key `secure`."""
    return isinstance(value, dict) and set(value) == {"secure"}


def get(document: Any, path: KeyPath) -> Any:
    """The value at a path, MISSING where there is none, BLOCKED where something above is not a mapping."""
    for key in path:
        if not isinstance(document, dict) or is_secret(document):
            return BLOCKED
        if key not in document:
            return MISSING
        document = document[key]
    return document


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same: as `==`, but 1, 1.0 and True differ, and BLOCKED is not MISSING."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def differences(before: Any, after: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths at which two documents differ, as high as needed and as low as possible."""
    if isinstance(before, dict) and isinstance(after, dict) and not is_secret(before) and not is_secret(after):
        # A value emptied by command is a value of its own: `{}` is not the same as nothing.
        if len(path) > 1 and before and not after:
            yield path
            return
        for key in [*before, *(k for k in after if k not in before)]:
            yield from differences(before.get(key, MISSING), after.get(key, MISSING), (*path, key))
    elif not same(before, after):
        if before is MISSING and not is_leaf(after):
            for key, value in after.items():
                yield from differences(MISSING, value, (*path, key))
        else:
            yield path


def fold(
    overlay: Overlay, rendered: dict[str, Any], written: dict[str, Any], tracked: dict[str, Any]
) -> tuple[Overlay, list[Note]]:
    """Move what was written since the last rendering into the overlay.

    `rendered` is what was rendered, from `tracked` as it was then; `written` is what stands there now. Folding the same twice
    gives the same overlay, so a crash after it loses nothing.
    """
    result = Overlay(dict(overlay.entries), dict(overlay.superseded))
    notes: dict[KeyPath, Note] = {}
    for changed in differences(rendered, written):
        path = next((p for p in result.entries if changed[: len(p)] == p), changed)
        for below in [p for p in result.entries if p[: len(path)] == path]:
            del result.entries[below]
        value, over = get(written, path), get(tracked, path)
        if isinstance(value, _Missing):
            if not isinstance(over, _Missing):
                notes[path] = Note("comes-back", path)
        elif not same(value, over):
            result.superseded.pop(path, None)
            result.entries[path] = Entry(copy.deepcopy(value), copy.deepcopy(over))
    return result, list(notes.values())


def render(tracked: dict[str, Any], overlay: Overlay) -> tuple[dict[str, Any], Overlay, list[Note]]:
    """The private document, and the overlay without what a later edit of the tracked file replaced."""
    document: dict[str, Any] = copy.deepcopy(tracked)
    left = Overlay({}, dict(overlay.superseded))
    notes: list[Note] = []
    for path, entry in overlay.entries.items():
        now = get(tracked, path)
        over = entry.over
        if path[0] not in KEEPS and not same(now, over):
            if now is MISSING and is_secret(entry.value):
                # A secret given in plain text by mistake, set by command and then taken out of the file: as it should be.
                over = MISSING
                notes.append(Note("kept-secret", path))
            else:
                left.superseded[path] = entry.value
                notes.append(Note("tracked-wins", path))
                continue
        left.entries[path] = Entry(entry.value, over)
        _put(document, path, copy.deepcopy(entry.value))
    return document, left, notes


def _put(document: dict[str, Any], path: KeyPath, value: Any) -> None:
    for key in path[:-1]:
        document = document.setdefault(key, {})
    document[path[-1]] = value
