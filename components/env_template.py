"""Texts with references to values of the stack: `${NAME}`, or `${NAME.part}` for one part of a URL.

Plain text in, plain text out; what the names stand for is in `components.env_sources`. A query behind a URL that has one already goes on
with it: the same text serves a database that must be told how to encrypt, and one that need not.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

PARTS: Final = ("host", "port", "user", "password", "path", "prisma")
"""What can be taken out of a URL; user, password and path are decoded, and the path has no slash before it.

`prisma` is the whole URL with the encryption in the words of Prisma's own connector, which takes those of libpq that it does not know for
`sslmode=prefer`, and verifies nothing then (prisma-engines, quaint, connector/postgres/url.rs).
"""

WHOLE: Final = (None, "prisma")
"""Parts that are the whole URL."""

_USUAL_PORTS: Final = {"http": 80, "https": 443, "postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}

_QUERY = re.compile(r"\?([\w.~%=&+-]*)", re.ASCII)
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
            case "prisma":
                return _for_prisma(value)
            case _:
                return unquote(url.path.removeprefix("/"))


def _for_prisma(url: str) -> str:
    """The URL as Prisma's connector reads it; one without a query stays as it is."""
    words = {"sslmode=verify-ca": "sslmode=require&sslaccept=strict", "sslmode=verify-full": "sslmode=require&sslaccept=strict"}
    before, mark, query = url.partition("?")
    said = [words.get(pair, re.sub(r"^sslrootcert=", "sslcert=", pair)) for pair in query.split("&")]
    return before + mark + "&".join(said)


def _with_query(url: str, query: str) -> str:
    """The URL with more in its query; what is said again counts in its place."""
    before, _, own = url.partition("?")
    pairs = {pair.partition("=")[0]: pair for pair in (*own.split("&"), *query.split("&")) if pair}
    return f"{before}?{'&'.join(pairs.values())}"


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
        found: list[str] = []
        for before, piece in zip((None, *pieces), pieces, strict=False):
            more = (
                _QUERY.match(piece) if isinstance(piece, str) and isinstance(before, Reference) and before.part in WHOLE else None
            )
            if not isinstance(piece, str):
                found.append(piece.of(values[piece.name]))
            elif more and "?" in found[-1]:
                found[-1] = _with_query(found[-1], more[1])
                found.append(piece[more.end() :])
            else:
                found.append(piece)
        return "".join(found)

    return filled
