"""Diff: what the inputs ask for that the live object, as the state has it, does not have. It never asks the cluster.

The outcome is that of a JSON merge patch from the pruned live object to the inputs, turned into paths (provider.go,
convertPatchToDiff); here the two are compared directly.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolchain.plugins.common.values import UNKNOWN, has_unknown

Path = tuple[str | int, ...]

_MISSING = object()


@dataclass(frozen=True)
class Change:
    """A value that differs: "add", "delete" or "update", and whether the object must be replaced for it."""

    kind: str
    replaces: bool = False


def changes(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    replacing: Sequence[str] = (),
    ignored: Collection[str] = (),
    live: Mapping[str, Any] | None = None,
) -> dict[str, Change]:
    """The paths at which `new` differs from `old`, as Pulumi writes paths.

    Args:
        old: the live object, pruned to the shape of the old inputs.
        new: the inputs.
        replacing: paths for whose change the object is replaced, as in `kinds`.
        ignored: property paths that are passed over (`ignoreChanges`), with all below them.
        live: the whole live object of a built-in kind: an empty list or map that is not in it was left out by the API server.
    """
    passed_over = [parse_path(path) for path in ignored]
    found = {}
    for path, word, value in _differences((), old, new, live):
        if not any(contains(prefix, path) for prefix in passed_over):
            found[path_text(path)] = Change(word, any(_touches(path, value, field) for field in replacing))
    return found


def _differences(path: Path, old: Any, new: Any, live: Any) -> Iterator[tuple[Path, str, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _differences((*path, key), old.get(key, _MISSING), new.get(key, _MISSING), _below(live, key))
    elif isinstance(old, list) and isinstance(new, list):
        if not _same(old, new):
            for index in range(max(len(old), len(new))):
                yield from _differences((*path, index), _at(old, index), _at(new, index), _below(live, index))
    elif new is _MISSING:
        yield path, "delete", None
    elif old is _MISSING:
        if live is not _MISSING or new not in ([], {}):
            yield path, "add", new
    elif new == UNKNOWN or not _same(old, new):
        yield path, "update", new


def _same(old: Any, new: Any) -> bool:
    """Whether two values are equal, where 1 is 1.0 but not True, and nothing unknown is inside."""
    return not has_unknown(new) and _typed(old) == _typed(new)


def _typed(value: Any) -> Any:
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, Mapping):
        return {key: _typed(item) for key, item in value.items()}
    return [_typed(item) for item in value] if isinstance(value, list) else value


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else _MISSING


def _below(live: Any, key: str | int) -> Any:
    """The live value below; where the live object is not given at all, None: then nothing counts as left out."""
    if live is None:
        return None
    if isinstance(key, int):
        return _at(live, key) if isinstance(live, list) else _MISSING
    return live.get(key, _MISSING) if isinstance(live, Mapping) else _MISSING


def _touches(path: Path, value: Any, field: str) -> bool:
    """Whether a change at `path` to `value` is one of `field`: at it, below it, or above it with `field` inside `value`."""
    wanted: list[str] = []
    for part in field.lstrip(".").split("."):
        name, star, _ = part.partition("[*]")
        wanted += [name, "*"] if star else [name]
    steps = list(path)
    while steps and wanted:
        step, want = steps.pop(0), wanted.pop(0)
        if (want == "*") != isinstance(step, int) or (want not in ("*", step)):
            return False
    return not wanted or _holds(value, wanted)


def _holds(value: Any, path: Sequence[str]) -> bool:
    if not path:
        return True
    if path[0] == "*":
        return isinstance(value, list) and any(_holds(item, path[1:]) for item in value)
    return isinstance(value, Mapping) and path[0] in value and _holds(value[path[0]], path[1:])


def path_text(path: Path) -> str:
    """A path in Pulumi's notation: `spec.ports[0].name`, `metadata.annotations["a.b/c"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.search(r'[."\[\]]', part):
            quoted = part.replace('"', '\\"')
            text += f'["{quoted}"]'
        else:
            text += f".{part}" if text else part
    return text


_PATH_PART = re.compile(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\[(\*)\]|\.?([^.\[\]]+)')


def parse_path(text: str) -> Path:
    """The parts of a property path; `*` matches any part."""
    parts: list[str | int] = []
    for index, quoted, star, plain in _PATH_PART.findall(text):
        parts.append(int(index) if index else (quoted.replace('\\"', '"') or star or plain))
    return tuple(parts)


def contains(prefix: Path, path: Path) -> bool:
    """Whether `path` is at or below `prefix`."""
    return len(prefix) <= len(path) and all(want in ("*", step) for want, step in zip(prefix, path, strict=False))
