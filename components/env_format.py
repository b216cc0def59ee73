"""How env files are written and read.

- `dotenv` is for npm's dotenv, for Next.js (dotenv followed by dotenv-expand) and for `set -a; . file` in bash or sh. All of them
  read the same value, or the value is refused. Sources of the rules: the parsers of npm `dotenv` 18 and `@next/env` 16, and
  "Quoting" in the bash manual; the tests hold them against these programs.
- `docker` is for `docker run --env-file`: `KEY=value` lines without quoting (docs of `docker run`, tried on a real client).
- `toml` is for the Supabase CLI's `config.toml`: dotted keys; whole numbers, `true`, `false` and JSON lists of those and of texts stand
  as they are, all else is a text (TOML 1.0).
"""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Format(StrEnum):
    """How values are written."""

    DOTENV = "dotenv"
    DOCKER = "docker"
    TOML = "toml"


def assignment(key: str, value: str, fmt: Format) -> str:
    """One line, with its end. Only for values that `unwritable` has nothing against."""
    return f"{key} = {write(value, fmt)}\n" if fmt is Format.TOML else f"{key}={write(value, fmt)}\n"


def write(value: str, fmt: Format) -> str:
    """A value as it stands after `KEY=`. Only for values that `unwritable` has nothing against."""
    match fmt:
        case Format.DOCKER:
            return value
        case Format.TOML:
            return _toml(value)
        case Format.DOTENV:
            return _dotenv(value)


def unwritable(value: str, fmt: Format) -> str | None:
    """Why a format can't carry a value, without the value; None when it can."""
    match fmt:
        case Format.DOCKER:
            return _not_docker(value)
        case Format.TOML:
            return _not_text(value)
        case Format.DOTENV:
            return _not_dotenv(value)


_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
"""Means itself everywhere. Not `~`, which a shell replaces after `=` and `:`."""

_GUARD = " # it's the value's own backslash"
"""npm dotenv takes a backslash before the closing quote for an escape if a later quote, in this line or any below, looks like
the end of a value. The apostrophe here is the next quote, and does not."""

_EXPANDED = re.compile(r"\$\{?[A-Za-z0-9_]|\\\$")
"""What dotenv-expand replaces. (It looks at the last `$` only; counting on that would be daring.)"""
_NOT_IN_DOUBLE = re.compile(r'["`]|\\(?:[$"`\\\nnr]|\Z)|\$[*@#?$!({\[-]')
"""Within double quotes bash or npm dotenv would take these for something else. A `$` before a name is refused in any case."""


def _dotenv(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if "'" in value:
        return f'"{value}"'
    return f"'{value}'" + (_GUARD if value.endswith("\\") else "")


def _not_dotenv(value: str) -> str | None:
    if reason := _not_text(value):
        return reason
    if "\r" in value:
        return "it holds a carriage return, which dotenv turns into a line feed"
    if _EXPANDED.search(value):
        return "it holds a $ before a name, a digit or {name, or a backslash before a $, which Next.js would replace"
    if "'" in value and _NOT_IN_DOUBLE.search(value):
        return "it holds a ' together with one of \" ` \\ $ in a way that no quoting makes the same to dotenv and to a shell"
    return None


def _not_docker(value: str) -> str | None:
    if reason := _not_text(value):
        return reason
    if "\n" in value or value.endswith("\r"):
        return "it holds a line break, and docker reads one line a variable, without quoting"
    # Go's bufio.Scanner, which docker reads lines with, gives up at 64 KiB; 1 KiB is left for the key.
    if len(value.encode()) > 63 * 1024:
        return "it is longer than 63 KiB, and docker reads lines of at most 64"
    return None


def _not_text(value: str) -> str | None:
    if "\0" in value:
        return "it holds a NUL character, which no environment variable can"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "it is not valid Unicode text"
    return None


_BARE = re.compile(r"true|false|0|-?[1-9][0-9]{0,17}")


def _toml(value: str) -> str:
    if _BARE.fullmatch(value):
        return value
    if value.startswith("["):
        try:
            items = json.loads(value)
        except ValueError:
            items = None
        if isinstance(items, list) and all(isinstance(item, str | int) for item in items):
            return f"[{', '.join(_basic(i) if isinstance(i, str) else json.dumps(i) for i in items)}]"
    return _basic(value)


def _basic(text: str) -> str:
    """A basic string. JSON's escapes are among TOML's, which wants DEL escaped as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


@dataclass(frozen=True, slots=True)
class Entry:
    """One assignment that was read from a file.

    Attributes:
        key: The variable.
        value: Its value, unquoted but with `$NAME` as it stands. None where docker would take its own environment's.
        line: Where it stands, from 1; 0 in TOML, whose reader does not tell.
    """

    key: str
    value: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says: its assignments in their order, and the lines that no reader understands, by number."""

    entries: tuple[Entry, ...]
    bad_lines: tuple[int, ...]

    @property
    def values(self) -> dict[str, str]:
        """Value by key; of two with one key the last counts."""
        return {e.key: e.value for e in self.entries if e.value is not None}


def read(text: str, fmt: str = Format.DOTENV) -> Reading:
    """What an app finds in a file: for `dotenv` just what npm's dotenv does, for `docker` what `docker run --env-file` does.

    Of TOML, by dotted key: texts as they are, anything else as JSON; a file that is no TOML has its first bad line and nothing else.
    """
    match Format(fmt):
        case Format.DOCKER:
            return _read_docker(text)
        case Format.TOML:
            return _read_toml(text)
        case Format.DOTENV:
            return _read_dotenv(text)


# What \s, `.` and the multi-line ^ and $ are in JavaScript (ECMA-262, 22.2.2); Python's differ.
_SPACES = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
BLANKS = _SPACES
"""What JavaScript's `trim` takes off."""
_S = f"[{_SPACES}]"
_BEGIN = "(?<![^\n\u2028\u2029])"
_END = "(?![^\n\u2028\u2029])"

# Text, since only reading needs it compiled: a program that writes files should not wait for it.
_ASSIGNMENT = (
    rf"{_BEGIN}{_S}*(?:export{_S}+)?"
    r"(?P<key>[A-Za-z0-9_.-]+)"
    rf"(?:{_S}*?=|:{_S}+?)"
    rf"(?P<value>{_S}*(?:'(?:\\'|[^'])*'|\"(?:\\\"|[^\"])*\"|`(?:\\`|[^`])*`)|[^#\r\n]+)?"
    rf"{_S}*(?:#[^\n\r\u2028\u2029]*)?{_END}"
)
_QUOTED = rf"{_BEGIN}(['\"`])([\s\S]*)\1{_END}"


def _read_dotenv(text: str) -> Reading:
    text = re.sub(r"\r\n?", "\n", text)
    entries = []
    understood = set[int]()
    for found in re.finditer(_ASSIGNMENT, text):
        raw = (found["value"] or "").strip(_SPACES)
        value = re.sub(_QUOTED, r"\2", raw)
        if raw.startswith('"'):
            value = value.replace("\\n", "\n").replace("\\r", "\r")
        first = text.count("\n", 0, found.start("key")) + 1
        entries.append(Entry(found["key"], value, first))
        understood.update(range(first, text.count("\n", 0, found.end()) + 2))
    lines = enumerate(text.split("\n"), start=1)
    return Reading(tuple(entries), tuple(n for n, line in lines if n not in understood and _says_something(line)))


_GO_SPACES = _SPACES.replace("\ufeff", "\u0085")
"""What Go's unicode.IsSpace takes for a blank."""


def _read_docker(text: str) -> Reading:
    entries = []
    bad_lines = []
    for number, whole in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        line = whole.removesuffix("\r").lstrip(_GO_SPACES)
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if key and not re.search(r"[ \t]", key):
            entries.append(Entry(key, value if equals else None, number))
        else:
            bad_lines.append(number)
    return Reading(tuple(entries), tuple(bad_lines))


def _says_something(line: str) -> bool:
    return not line.strip(_SPACES).startswith("#") and bool(line.strip(_SPACES))


def _read_toml(text: str) -> Reading:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line ([0-9]+)", str(error))
        return Reading((), (int(line[1]) if line else text.count("\n") + 1,))
    return Reading(tuple(Entry(key, value, 0) for key, value in _flat(found)), ())


def _flat(table: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value if isinstance(value, str) else json.dumps(value, default=str)
