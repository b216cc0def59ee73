"""Markdown as GitHub renders it, with text in it that others wrote: nothing of it becomes markup, a mention, a reference or a link.

What is data stands in code, where GitHub makes none of these (GitHub Flavored Markdown, 6.1 and 4.5); `prose` is for sentences.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

LIMIT = 65_536
"""Characters that GitHub takes in one comment ("body is too long (maximum is 65536 characters)")."""

_BREAK = "\u200b"
"""A space of no width: takes an @ or a # from what follows."""


def code(text: str, longest: int = 160) -> str:
    """Text as a span of code on one line; what is longer than `longest` characters is cut, and says by how much."""
    line = _printable(text).replace("\n", "⏎").replace("\t", " ")
    rest = len(line) - longest
    if rest > 0:
        line = f"{line[:longest]}… ({rest} more)"
    if not line.strip():
        return "(empty)" if not line else "(blank)"
    fence = "`" * (_longest_run(line, "`") + 1)
    # Between fences one space at each side is taken away, which a backtick at an end needs.
    pad = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def block(text: str, longest: int = 4_000) -> str:
    """Text of several lines as a block of code, cut to `longest` characters."""
    shown = _printable(text).strip("\n")
    if len(shown) > longest:
        shown = f"{shown[:longest].rstrip()}\n… ({len(shown) - longest} more characters)"
    fence = "`" * max(3, _longest_run(shown, "`") + 1)
    return f"{fence}text\n{shown}\n{fence}"


def prose(text: str) -> str:
    """A sentence on one line, within a line of markdown: shown as it is written, whatever is in it; what stands in `...` is code."""
    pieces = re.split(r"`([^`]+)`", " ".join(_printable(text).split()))
    return "".join(code(piece) if index % 2 else _escaped(piece, first=index == 0) for index, piece in enumerate(pieces))


def _escaped(text: str, *, first: bool) -> str:
    text = re.sub(r"([\\`*_{}\[\]<>|~$&])", r"\\\1", text)
    if first:
        # At the beginning of a list's item these begin a heading, another list or a line.
        text = re.sub(r"^(?=[#+=-])|^(\d+)(?=[.)])", r"\1\\", text)
    # A mention, a reference, an emoji and a link are found in what was rendered, so a backslash does not help.
    return re.sub(r"(@|#(?=\w)|\bGH(?=-)|:(?=//)|:(?=[\w+\\-]+:)|\b[wW]{3}(?=\.))", rf"\1{_BREAK}", text)


@dataclass(frozen=True)
class Section:
    """A part of a comment.

    Attributes:
        head: What stands above it, whole lines of markdown.
        items: Its parts, each whole lines of markdown.
        weight: Of sections that do not fit, that of the least weight is cut first.
        folded: What is shown of it where it is folded up; None: it is open.
        what: What its items are, in the plural, to say how many were cut.
    """

    head: str
    items: Sequence[str] = ()
    weight: int = 0
    folded: str | None = None
    what: str = "lines"
    cut: int = field(default=0)

    def text(self) -> str:
        """The section, with how much of it was cut."""
        left = [*self.items]
        if self.cut:
            left.append(f"- *{self.cut} more {self.what}: cut, since a comment holds {LIMIT:,} characters.*")
        inner = "\n".join(left)
        if self.folded is not None:
            return f"<details>\n<summary>{self.folded}</summary>\n\n{self.head}{inner}\n\n</details>"
        return "\n\n".join(part for part in (self.head.rstrip("\n"), inner) if part)


def comment(sections: Iterable[Section], limit: int = LIMIT) -> str:
    """The sections in their order, no longer than `limit`: the lightest loses its last items first, and says how many."""
    kept = list(sections)
    text = _joined(kept)
    for index in sorted(range(len(kept)), key=lambda i: (kept[i].weight, i)):
        excess = len(text) - limit
        if excess <= 0:
            break
        kept[index] = _without(kept[index], excess)
        text = _joined(kept)
    # Heads alone are too much only far below GitHub's limit.
    while len(text) > limit and len(kept) > 1:
        kept.remove(min(kept, key=lambda section: section.weight))
        text = _joined([*kept, Section(f"*Whole sections were cut, since a comment holds {LIMIT:,} characters.*")])
    return text[:limit]


def _without(section: Section, excess: int) -> Section:
    """The section with as many items less as it takes."""
    items = list(section.items)
    # What is said of the cut takes room as well.
    excess += 120
    count = 0
    while items and excess > 0:
        excess -= len(items.pop()) + 1
        count += 1
    return replace(section, items=tuple(items), cut=section.cut + count)


def _joined(sections: Sequence[Section]) -> str:
    return "\n\n".join(text for section in sections if (text := section.text())) + "\n"


def _longest_run(text: str, character: str) -> int:
    return max((len(run) for run in re.findall(rf"{re.escape(character)}+", text)), default=0)


def _printable(text: str) -> str:
    """The text without what is not seen but acts: control characters, and those that turn the direction of a line round."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in text)
