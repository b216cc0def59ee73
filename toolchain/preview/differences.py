"""What differs in a value, down to what a person wants to see: one member of a list, not the whole list twice."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_IDENTITY: Final = ("name", "key", "label", "volumeName", "file", "containerPath", "internal", "host")
"""Properties by which members of a list are told apart, in this order."""


def leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Path, old and new value of everything that differs; None stands for nothing."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from leaves(_under(path, str(key)), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _of_lists(path, old, new)
    else:
        yield path, old, new


def shown(value: Any) -> str:
    """A value on paper: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def around(old: str, new: str) -> tuple[str, str, str]:
    """Of two texts of many lines the first line that differs, and where that is: `line 3 of 20`; of others themselves."""
    before, after = old.splitlines(), new.splitlines()
    if len(before) < 2 and len(after) < 2:
        return old, new, ""
    first = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
    line = ["" if first >= len(lines) else lines[first] for lines in (before, after)]
    return line[0], line[1], f"from line {first + 1} of {len(after)}"


def _of_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    identity = next((k for k in _IDENTITY if _tells_apart(k, old) and _tells_apart(k, new)), None)
    if identity is not None:
        before, after = ({str(member[identity]): member for member in members} for members in (old, new))
        for key in sorted({*before, *after}):
            yield from leaves(f"{path}[{key}]", before.get(key), after.get(key))
    elif all(isinstance(member, str | int | float | bool) for member in (*old, *new)):
        for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag != "equal":
                yield path, _few(old[i:j]), _few(new[k:m])
    elif len(old) == len(new):
        for index, (before_, after_) in enumerate(zip(old, new, strict=True)):
            yield from leaves(f"{path}[{index}]", before_, after_)
    else:
        yield path, old, new


def _few(members: list[Any]) -> Any:
    return None if not members else members[0] if len(members) == 1 else members


def _tells_apart(key: str, members: list[Any]) -> bool:
    values = [str(m[key]) for m in members if isinstance(m, Mapping) and m.get(key) is not None]
    return len(values) == len(members) == len(set(values))


def _under(path: str, key: str) -> str:
    return f"{path}.{key}" if key.replace("-", "").replace("_", "").isalnum() else f'{path}["{key}"]'
