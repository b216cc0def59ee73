"""What other hands have changed in a stack, told by a refresh that writes nothing down."""

from toolchain.preview.changes import Change, Op, Preview
from toolchain.preview.differences import leaves, shown
from toolchain.preview.markdown import LIMIT, Section, code, comment
from toolchain.preview.report import Subject, at_risk, drift_items, errors, marker

_LONGEST = 100


def found(seen: Preview) -> tuple[Change, ...]:
    """What is not as it was deployed."""
    return seen.of(Op.REFRESH)


def markdown(seen: Preview, subject: Subject, limit: int = LIMIT) -> str:
    """The text of an issue: no longer than `limit` characters, always the same for the same drift."""
    head = f"{marker('drift', subject.stack)}\n## Drift of stack {code(subject.stack)}\n\n"
    if not seen.complete:
        head += "> [!CAUTION]\n> **It could not be told whether anything was changed.**"
        return comment([Section(head), *errors(seen.diagnostics)], limit)
    changed = found(seen)
    if not changed:
        return comment([Section(f"{head}Nothing was changed by other hands.")], limit)
    head += (
        f"**{_count(changed)} not as deployed.** `make up STACK={subject.stack}` sets it back to what the program says; what should stay "
        "has to go into the program."
    )
    items = drift_items(changed)
    return comment([Section(head), *at_risk(changed), Section("### What was found", items, 10, what="resources")], limit)


def text(seen: Preview, subject: Subject) -> str:
    """The same for a terminal."""
    if not seen.complete:
        said = "\n".join(f"  {d.message}" for d in seen.diagnostics if d.severity == "error")
        return f"Stack {subject.stack}: it could not be told whether anything was changed.\n{said}\n"
    changed = found(seen)
    if not changed:
        return f"Stack {subject.stack}: nothing was changed by other hands.\n"
    lines = [f"Stack {subject.stack}: {_count(changed)} not as deployed."]
    for change in sorted(changed, key=lambda c: (not c.risk, c.component, c.name)):
        lines.append(f"  {change.name} ({change.type}){': gone' if change.gone else ''}")
        if change.risk:
            lines.append(f"    data at risk: {change.risk}")
        for p in change.properties:
            lines += [f"    {path}: {_cut(old)} -> {_cut(new)}" for path, old, new in leaves(p.path, p.old, p.new)]
    return "\n".join([*lines, ""])


def _count(changed: tuple[Change, ...]) -> str:
    return "1 resource is" if len(changed) == 1 else f"{len(changed)} resources are"


def _cut(value: object) -> str:
    line = "nothing" if value is None else shown(value).replace("\n", " ")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}... ({len(line) - _LONGEST} more)"
