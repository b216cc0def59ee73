"""Writes digests into the text of a stack file, line by line: comments and all else stay as they are."""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from toolchain.announce import fail

_KEYS: Final = ("config", "supastack:images", "digests")


def with_digests(text: str, digests: Mapping[str, str]) -> str:
    """The text with these digests by role, in the place of those that it has for them.

    Raises ToolchainError where the file is written in a way that can't be edited by lines: the text says what to do.
    """
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    first, last, indent = 0, len(lines), -1
    for depth, key in enumerate(_KEYS):
        found = _key(lines, key, first, last)
        if found is None:
            missing = _KEYS[depth:]
            at, step = _end(lines, first, last), _step(lines)
            own = _indent_of_children(lines, first, last, indent, step)
            new = [f"{' ' * (own + n * step)}{name}:\n" for n, name in enumerate(missing)]
            inner = own + len(missing) * step
            lines[at:at] = [*new, *(_line(inner, role, value) for role, value in sorted(digests.items()))]
            return _checked(text, "".join(lines), digests)
        number, indent, rest = found
        if rest and not rest.startswith("#"):
            fail(
                f"line {number + 1} has `{lines[number].strip()}`: a group in one line can't be edited in place.\n"
                f"  Write what is in it on lines of its own, below `{key}:`, and run the same again."
            )
        first, last = number + 1, _after(lines, number + 1, last, indent)
    inner = _indent_of_children(lines, first, last, indent, _step(lines))
    for role, value in sorted(digests.items(), reverse=True):
        held = _key(lines, role, first, last)
        if held is None:
            at = _end(lines, first, last)
            lines[at:at] = [_line(inner, role, value)]
            last += 1
        else:
            comment = re.search(r"\s#.*$", lines[held[0]].rstrip("\n"))
            lines[held[0]] = _line(held[1], role, value).rstrip("\n") + (comment[0] if comment else "") + "\n"
    return _checked(text, "".join(lines), digests)


def _line(indent: int, role: str, digest: str) -> str:
    return f"{' ' * indent}{role}: {digest}\n"


def _key(lines: list[str], key: str, first: int, last: int) -> tuple[int, int, str] | None:
    """Line, indentation and rest of a key among the children that stand between two lines."""
    wanted = None
    for number in range(first, last):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        wanted = indent if wanted is None else wanted
        found = re.match(r"""(?P<quote>["']?)(?P<key>[^"'#]+?)(?P=quote)\s*:(?:\s+(?P<rest>.*))?$""", line.strip())
        if indent == wanted and found and found["key"] in (key, key.replace(":", ":config:", 1), key.rpartition(":")[2]):
            return number, indent, (found["rest"] or "").strip()
    return None


def _after(lines: list[str], first: int, last: int, indent: int) -> int:
    """The first line after the children of a key."""
    for number in range(first, last):
        line = lines[number]
        if line.strip() and not line.lstrip().startswith("#") and len(line) - len(line.lstrip(" ")) <= indent:
            return number
    return last


def _end(lines: list[str], first: int, last: int) -> int:
    """Where something is added to what stands between two lines: after the last that says something."""
    for number in range(last - 1, first - 1, -1):
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            return number + 1
    return first


def _indent_of_children(lines: list[str], first: int, last: int, indent: int, step: int) -> int:
    for number in range(first, last):
        line = lines[number]
        if line.strip() and not line.lstrip().startswith("#"):
            return len(line) - len(line.lstrip(" "))
    return indent + step if indent >= 0 else 0


def _step(lines: list[str]) -> int:
    """By how much the file indents."""
    return next((len(line) - len(line.lstrip(" ")) for line in lines if line.startswith(" ") and line.strip()), 2)


def _checked(old: str, new: str, digests: Mapping[str, str]) -> str:
    """The new text, if it says what the old one did and the digests, and nothing else."""
    try:
        wanted, is_now = yaml.safe_load(old) or {}, yaml.safe_load(new)
    except yaml.YAMLError as error:
        fail(f"the stack file can't be edited by lines: {error}")
    held: Any = wanted
    for key in _KEYS:
        if held.get(key) is None:
            held[key] = {}
        held = held[key]
    held.update(digests)
    if wanted != is_now:
        fail("the stack file is written in a way that can't be edited by lines; nothing was changed. Add the digests by hand.")
    return new
