"""Reports for a terminal."""

from collections.abc import Iterator, Sequence

from toolchain.preview.findings import Finding


def findings(found: Sequence[Finding]) -> Iterator[str]:
    """What policies found, lines for a person; those that must hold first."""
    if not found:
        return
    yield "Policies:"
    for finding in sorted(found, key=lambda f: (f.waived is not None, not f.mandatory, f.rule, f.resource)):
        word = "waived" if finding.waived is not None else "must hold" if finding.mandatory else "advice"
        where = f" {finding.resource}:" if finding.resource else ""
        yield f"  [{word}] {finding.rule}:{where} {finding.message}"
        if finding.waived is not None:
            yield f"      waived: {finding.waived}"
        elif finding.fix:
            yield f"      fix: {finding.fix}"
