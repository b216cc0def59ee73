"""Texts with references to values of the stack: `${NAME}`, or `${NAME.part}` for one part of a URL.

Plain text in, plain text out; what the names stand for is in `components.env_sources`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

PARTS: Final = ("host", "port", "user", "password", "path")
"""What can be taken out of a URL; user, password and path are decoded, and the path has no slash before it."""

_USUAL_PORTS: Final = {"http": 80, "https": 443, "postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}

_TOKEN = re.compile(r"\$\$\{|\$\{(?P<inside>[^}]*)(?P<end>\}?)")
_INSIDE = re.compile(rf"(?P<name>[A-Z][A-Z0-9_]*)(?:\.(?P<part>{'|'.join(PARTS)}))?")


class TemplateError(ValueError):
    """A text whose references can't be read. The message says what to write, never the text: a secret may stand in it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A value of the stack, or one part of it.

    Attributes:
        name: Of the value (`components.env_sources`).
        part: One of `PARTS`; None: the whole.
    """

    name: str
    part: str | None = None

    def of(self, value: str) -> str:
        """What stands in its place; of a URL without that part nothing, or the usual port of its scheme."""
        if self.part is None:
            return value
        url = urlsplit(value)
        match self.part:
            case "host":
                return url.hostname or ""
            case "port":
                return str(url.port or _USUAL_PORTS.get(url.scheme) or "")
            case "user":
                return unquote(url.username or "")
            case "password":
                return unquote(url.password or "")
            case _:
                return unquote(url.path.removeprefix("/"))


Parts = tuple[str | Reference, ...]


def parse(text: str) -> Parts:
    """The pieces of a text. `$${` stands for `${`; any other `$` for itself.

    Raises:
        TemplateError: a `${` is not the beginning of a reference.
    """
    pieces: list[str | Reference] = []
    done = 0
    for found in _TOKEN.finditer(text):
        pieces.append(text[done : found.start()])
        done = found.end()
        if found["inside"] is None:
            pieces.append("${")
            continue
        inside = _INSIDE.fullmatch(found["inside"])
        if not found["end"] or not inside:
            parts = ", ".join(PARTS)
            raise TemplateError(f'"${{" begins no reference: write ${{NAME}}, ${{NAME.part}} (part: {parts}), or $${{ for itself')
        pieces.append(Reference(inside["name"], inside["part"]))
    pieces.append(text[done:])
    return tuple(piece for piece in pieces if piece != "")


def references(text: str) -> tuple[Reference, ...]:
    """The references in a text, in their order.

    Raises:
        TemplateError: as `parse`.
    """
    return tuple(piece for piece in parse(text) if isinstance(piece, Reference))


def names(text: str) -> tuple[str, ...]:
    """The names that a text refers to, each once, in their order.

    Raises:
        TemplateError: as `parse`.
    """
    return tuple(dict.fromkeys(reference.name for reference in references(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its references replaced.

    Raises:
        TemplateError: as `parse`.
        KeyError: there is no value of a name.
    """
    return filler(text)(values)


def filler(text: str) -> Callable[[Mapping[str, str]], str]:
    """`fill`, with the text read beforehand."""
    pieces = parse(text)

    def filled(values: Mapping[str, str]) -> str:
        return "".join(piece if isinstance(piece, str) else piece.of(values[piece.name]) for piece in pieces)

    return filled
