"""Reports for a terminal."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from toolchain.preview.findings import Finding

_MOST = 3
"""Violations of one rule that are shown where they are advice: a stack of dev may have many."""


def findings(found: Sequence[Finding]) -> Iterator[str]:
    """What policies found, lines for a person: by rule, those that must hold first and whole."""
    if not found:
        return
    yield "Policies:"
    ordered = sorted(
        found, key=lambda f: (f.waived is not None, not f.mandatory, f.rule, f.fix, f.waived or "", f.resource, f.message)
    )
    for (rule, fix, waived, mandatory), group in groupby(ordered, key=lambda f: (f.rule, f.fix, f.waived, f.mandatory)):
        members = list(group)
        word = "waived" if waived is not None else "must hold" if mandatory else "advice"
        yield f"  [{word}] {rule}: {len(members)} violation{'s' * (len(members) != 1)}"
        shown = members if mandatory and waived is None else members[:_MOST]
        for finding in shown:
            yield f"      {finding.resource}: {finding.message}" if finding.resource else f"      {finding.message}"
        if len(members) > len(shown):
            yield f"      and {len(members) - len(shown)} more"
        if waived is not None:
            yield f"      waived: {waived}"
        elif fix:
            yield f"      fix: {fix}"
