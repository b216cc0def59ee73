"""The comment on a pull request: what its deployment would do, worst first."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any, Final

from toolchain.preview.changes import Change, Diagnostic, Op, Preview
from toolchain.preview.differences import around, leaves, shown
from toolchain.preview.findings import Finding
from toolchain.preview.markdown import LIMIT, Section, block, code, comment, prose
from toolchain.preview.values import HIDDEN, UNKNOWN
from toolchain.stack.state import name_of

_MOST_LINES = 12
"""Differences that are shown of one resource."""
_DERIVED: Final = ("ENV_VALUES", "IMAGES", "NOTES", "WORKLOADS")
"""Outputs that only repeat what resources and notes say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What a report is about.

    Attributes:
        stack: The stack.
        commit: The commit, as short as one wants it; None: not known.
        notes: What the stack's settings lead to, for people.
        findings: What policies found.
    """

    stack: str
    commit: str | None = None
    notes: Sequence[str] = ()
    findings: Sequence[Finding] = ()


def marker(what: str, stack: str) -> str:
    """The line, not seen, by which the comment is found that is to be edited. `what`: `preview` or `drift`."""
    return f"<!-- supastack {what}: {stack} -->"


def render(preview: Preview, subject: Subject, limit: int = LIMIT) -> str:
    """The whole comment, for GitHub: no longer than `limit` characters, always the same for the same preview."""
    at = f" at {code(subject.commit)}" if subject.commit else ""
    head = f"{marker('preview', subject.stack)}\n## Preview of stack {code(subject.stack)}{at}\n\n{_summary(preview, subject)}"
    steps = preview.steps
    replaced, deleted = preview.of(Op.REPLACE), preview.of(Op.DELETE)
    return comment(
        [
            Section(head, weight=100),
            *errors(preview.diagnostics),
            *_findings(subject.findings, mandatory=True),
            *at_risk(preview.changes),
            *_deleted(deleted),
            *_replaced(replaced),
            *_changed(preview.of(Op.UPDATE)),
            *_created(preview.of(Op.CREATE)),
            *_outputs(preview, steps),
            *_drifted(preview.of(Op.REFRESH)),
            *_findings(subject.findings, mandatory=False),
            *_notes(preview.diagnostics, subject.notes),
        ],
        limit,
    )


def failed(subject: Subject, error: str) -> str:
    """The comment where the preview could not even begin: wrong settings, say."""
    at = f" at {code(subject.commit)}" if subject.commit else ""
    head = f"{marker('preview', subject.stack)}\n## Preview of stack {code(subject.stack)}{at}\n\n{_FAILED}"
    return comment([Section(head), Section("", [block(error, 40_000)])])


_FAILED: Final = "> [!CAUTION]\n> **The preview failed:** a deployment would not get through."
_SO_FAR: Final = " What stands below is what was seen until then."


def counts(preview: Preview) -> dict[str, int]:
    """How many resources each operation has, those of none left out."""
    found = {op.value: len(preview.of(op)) for op in (Op.DELETE, Op.REPLACE, Op.UPDATE, Op.CREATE, Op.SAME)}
    return {op: count for op, count in found.items() if count}


def _summary(preview: Preview, subject: Subject) -> str:
    if not preview.complete:
        return f"{_FAILED}{_SO_FAR if preview.steps else ''}"
    by_op = counts(preview)
    words = {"delete": "to delete", "replace": "to replace", "update": "to change", "create": "to create"}
    steps = [f"**{by_op[op]} {word}**" for op, word in words.items() if op in by_op]
    same = by_op.get("same", 0)
    stay = f"{same} {'stays as it is' if same == 1 else 'stay as they are'}"
    line = f"{', '.join(steps)}; {stay}." if steps else f"**Nothing would change**; {stay}."
    if any(f.mandatory and not f.waived for f in subject.findings):
        line += "\n\n> [!CAUTION]\n> **Policies forbid this deployment.**"
    return line


def errors(diagnostics: Iterable[Diagnostic]) -> list[Section]:
    wrong = [d for d in diagnostics if d.severity == "error"]
    # The engine's last word says nothing, where there is another.
    told = [d for d in wrong if not _FAILURE.fullmatch(d.message)] or wrong
    items = [f"{_whose(d.urn)}{block(d.message)}" for d in told]
    return [Section("### Errors", items, 95, what="errors")] if items else []


_FAILURE: Final = re.compile(r"(preview|update|refresh) failed")


def _whose(urn: str) -> str:
    return f"{code(name_of(urn))}:\n" if urn else ""


def _findings(findings: Sequence[Finding], *, mandatory: bool) -> list[Section]:
    """One section: those that forbid the deployment, or all others."""
    mine = [f for f in findings if (f.mandatory and f.waived is None) is mandatory]
    if not mine:
        return []
    ordered = sorted(mine, key=lambda f: (f.waived is not None, f.rule, f.fix, f.waived or "", f.resource, f.message))
    groups = [list(group) for _, group in groupby(ordered, key=lambda f: (f.rule, f.fix, f.waived))]
    items = [_rule(group, len(group) if mandatory else _FEW) for group in groups]
    if mandatory:
        return [Section(f"### :no_entry: Policies that must hold: {len(items)}", items, 90, what="rules")]
    return [Section("", items, 30, f"Policies, advice and waivers: {len(items)}", "rules")]


_FEW: Final = 5
"""Violations of one rule that are shown where they are advice: a stack of dev may have many."""


def _rule(findings: Sequence[Finding], most: int) -> str:
    """What one rule has found."""
    first = findings[0]
    lines = [f"- {code(first.rule)}: {len(findings)} violation{'s' * (len(findings) != 1)}"]
    if first.waived is not None:
        lines.append(f"  - Waived: {prose(first.waived)}")
    elif first.fix:
        lines.append(f"  - Fix: {prose(first.fix)}")
    for finding in findings[:most]:
        where = f"{code(finding.resource)}: " if finding.resource else ""
        lines.append(f"  - {where}{prose(finding.message)}")
    if len(findings) > most:
        lines.append(f"  - and {len(findings) - most} more")
    return "\n".join(lines)


def at_risk(changes: Sequence[Change]) -> list[Section]:
    items = [
        f"- **{_VERBS[change.op]}** {_named(change)}: {prose(change.risk)}{_aside(change) if change.op in (Op.DELETE, Op.REPLACE) else ''}"
        for change in _sorted(changes)
        if change.risk
    ]
    if not items:
        return []
    return [Section("### :rotating_light: Data at risk\n> [!CAUTION]\n> Save what matters first.", items, 85, what="resources")]


_VERBS: Final = {Op.DELETE: "deleted", Op.REPLACE: "replaced", Op.REFRESH: "gone", Op.UPDATE: "changed", Op.CREATE: "created"}


def _aside(change: Change) -> str:
    """What else has to be known of one that goes."""
    protected = "; protected: Pulumi refuses until the protection is taken off" if change.protected else ""
    retained = "; it stays where it is, and the stack lets go of it" if change.retained and change.op is Op.DELETE else ""
    return protected + retained


def _deleted(changes: Sequence[Change]) -> list[Section]:
    if not changes:
        return []
    head = f"### :x: Deleted: {len(changes)}\n> [!CAUTION]\n> After the deployment these are gone."
    items = [f"- {_named(c)}{_aside(c)}" for c in _sorted(changes)]
    return [Section(head, items, 80, what="resources")]


def _replaced(changes: Sequence[Change]) -> list[Section]:
    if not changes:
        return []
    head = f"### :warning: Replaced: {len(changes)}\n> [!WARNING]\n> These are removed and made anew: what they serve is away meanwhile."
    items = []
    for change in _sorted(changes):
        forced = sorted({p.path for p in change.properties if p.replaces} or set(change.keys))
        why = f", forced by {', '.join(code(path) for path in forced)}" if forced else ", with what it depends on"
        items.append("\n".join([f"- {_named(change)}{why}{_aside(change)}", *_differences(change)]))
    return [Section(head, items, 70, what="resources")]


def _changed(changes: Sequence[Change]) -> list[Section]:
    items = ["\n".join([f"- {_named(change)}", *_differences(change)]) for change in _sorted(changes)]
    return [Section(f"### Changed: {len(items)}", items, 50, what="resources")] if items else []


def _created(changes: Sequence[Change]) -> list[Section]:
    found = []
    for component, group in groupby(_sorted(changes), key=_component):
        members = list(group)
        items = [f"- {_named(change)}" for change in members]
        found.append(Section("", items, 10, f"{escape(component)}: {len(members)} created", "resources"))
    return [Section(f"### Created: {len(changes)}", weight=11), *found] if found else []


def _component(change: Change) -> str:
    # A component stands with what belongs to it.
    return change.component or (change.name if change.type.startswith("supastack:") else "the stack itself")


def _outputs(preview: Preview, steps: Sequence[Change]) -> list[Section]:
    if preview.outputs is None or not preview.old_outputs or not preview.complete:
        return []
    items = []
    for name in sorted({*preview.outputs, *preview.old_outputs} - {*_DERIVED}):
        for path, old, new in leaves(name, preview.old_outputs.get(name), preview.outputs.get(name)):
            # What will be known later is most often what it was.
            if new != UNKNOWN:
                items.append(f"- {_difference(path, old, new)}")
    return [Section(f"### Outputs: {len(items)}", items, 20, what="outputs")] if items and steps else []


def _drifted(changes: Sequence[Change]) -> list[Section]:
    if not changes:
        return []
    head = "### Changed by other hands\nThe deployment sets these back; what was found, against what was deployed:"
    return [Section(head, drift_items(changes), 40, what="resources")]


def drift_items(changes: Sequence[Change]) -> list[str]:
    """What a refresh found, a list item for each resource."""
    return [
        f"- {_named(change)}: gone" if change.gone else "\n".join([f"- {_named(change)}", *_differences(change)])
        for change in _sorted(changes)
    ]


def _notes(diagnostics: Iterable[Diagnostic], notes: Iterable[str]) -> list[Section]:
    # What the program warns of when it runs is among its notes.
    said = dict.fromkeys([*notes, *(d.message for d in diagnostics if d.severity == "warning")])
    items = [f"- {prose(text[:1000])}" for text in said]
    return [Section(f"### Notes: {len(items)}", items, 25, what="notes")] if items else []


def _named(change: Change) -> str:
    return f"{code(change.name)} ({code(_short(change.type))})"


def _short(kind: str) -> str:
    """`docker:Container` of `docker:index/container:Container`."""
    kind = kind.removeprefix("pulumi-python:dynamic/")
    package, _, rest = kind.partition(":")
    module, _, name = rest.rpartition(":")
    module = module.split("/")[0] if module.startswith("index") else module
    return f"{package}:{name}" if module in ("", "index") else f"{package}:{module}:{name}"


def _sorted(changes: Iterable[Change]) -> list[Change]:
    return sorted(changes, key=lambda c: (_component(c), c.name, c.urn))


def _differences(change: Change) -> list[str]:
    lines = []
    for p in change.properties:
        within = list(leaves(p.path, p.old, p.new)) or [(p.path, p.old, p.new)]
        for path, old, new in within:
            if old is None and new is None:
                lines.append(f"  - {code(path)}")
            else:
                lines.append(f"  - {_difference(path, old, new)}{' (replaces)' if p.replaces else ''}")
    # The same member of two lists may be told twice by a provider.
    lines = list(dict.fromkeys(lines))
    rest = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"  - and {rest} more properties"] if rest > 0 else lines


def _difference(path: str, old: Any, new: Any) -> str:
    if old is None:
        return f"{code(path)}: new, {_value(new)}"
    if new is None:
        return f"{code(path)}: {_value(old)} → removed"
    if isinstance(old, str) and isinstance(new, str) and ("\n" in old or "\n" in new):
        before, after, where = around(old, new)
        return f"{code(path)}: {_value(before)} → {_value(after)} {where}"
    return f"{code(path)}: {_value(old)} → {_value(new)}"


def _value(value: Any) -> str:
    if value in (HIDDEN, UNKNOWN):
        return f"`{value}`"
    return code(shown(value))


def data(preview: Preview, subject: Subject) -> dict[str, Any]:
    """The same as plain data: `make preview FORMAT=json`."""
    return {
        "stack": subject.stack,
        "commit": subject.commit,
        "complete": preview.complete,
        "counts": counts(preview),
        "changes": [_as_data(change) for change in preview.changes if change.op is not Op.SAME],
        "findings": [
            {
                "rule": f.rule,
                "resource": f.resource,
                "message": f.message,
                "fix": f.fix,
                "mandatory": f.mandatory,
                "waived": f.waived,
            }
            for f in subject.findings
        ],
        "diagnostics": [{"severity": d.severity, "message": d.message, "urn": d.urn} for d in preview.diagnostics],
        "notes": list(subject.notes),
    }


def _as_data(change: Change) -> Mapping[str, Any]:
    return {
        "urn": change.urn,
        "type": change.type,
        "name": change.name,
        "component": change.component,
        "op": change.op.value,
        "gone": change.gone,
        "protected": change.protected,
        "retained": change.retained,
        "risk": change.risk,
        "properties": [{"path": p.path, "old": p.old, "new": p.new, "replaces": p.replaces} for p in change.properties],
    }
