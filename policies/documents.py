"""The table of rules in docs/policies.md, made from the rules: between two marker lines, what is around them is written by hand."""

from pathlib import Path
from typing import Final

from policies.catalogue import RULES
from policies.model import Rule

DOCUMENT: Final = "docs/policies.md"
MARKS: Final = ("<!-- policies:begin -->", "<!-- policies:end -->")


def table() -> str:
    """The table, and below it a paragraph a rule."""
    rows = ["| Rule | What must be so | In prod | Looks at |", "| --- | --- | --- | --- |"]
    rows += [f"| [`{rule.id}`](#{rule.id}) | {rule.demand} | {rule.level.value} | {_looks_at(rule)} |" for rule in RULES]
    return "\n".join([*rows, *(_paragraph(rule) for rule in RULES)])


def _looks_at(rule: Rule) -> str:
    found = ["resources"] if rule.resource is not None else []
    if rule.stack is not None:
        found.append("the stack as a whole")
    return ", ".join(found)


def _paragraph(rule: Rule) -> str:
    where = "Says nothing outside of prod." if rule.prod_only else ""
    masked = f"**Not seen where secrets are masked.** {rule.masked}" if rule.masked else ""
    lines = [
        f"\n### {rule.id}\n",
        f"{rule.demand} {rule.reason} {where}".rstrip(),
        "",
        f"**Fix.** {rule.fix[0].upper()}{rule.fix[1:]}.",
    ]
    return "\n".join([*lines, *(["", masked] if masked else [])])


def renew(root: Path, *, write: bool) -> bool:
    """Bring the document in line with the rules; without `write` only look. Returns whether it was out of date.

    Raises ValueError where the marker lines are missing.
    """
    path = root / DOCUMENT
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise ValueError(f"{path} has no lines {MARKS[0]} and {MARKS[1]}")
    new = f"{before}{begin}\n{table()}\n{end}{after}"
    if write and new != text:
        path.write_text(new, encoding="utf-8")
    return new != text
