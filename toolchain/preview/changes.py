"""What a preview would do, as data: one `Change` for each resource.

Read from the engine's event log (`--event-log`, seen with 3.258: it needs PULUMI_DEBUG_COMMANDS), not from `preview --json`: the log is
written beside what the terminal shows, so that one run gives both; it also has a run's errors, what policies said and what a refresh
found, which the other has in part or not at all. Secrets are masked in it by the engine, and stand as `[secret]` here.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from toolchain.preview import risks
from toolchain.preview.values import at, plain
from toolchain.stack.state import name_of, type_of


class Op(StrEnum):
    """What would happen to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    READ = "read"
    REFRESH = "refresh"
    """It was changed by other hands: the real thing is not as the state says."""
    SAME = "same"


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    """A property that changes.

    Attributes:
        path: As `envs[2]` or `spec.replicas`.
        old: Its value now; None: it has none.
        new: Its value then; None: it has none.
        replaces: It can't be changed in place, so the resource is made anew.
    """

    path: str
    old: Any
    new: Any
    replaces: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What would happen to one resource.

    Attributes:
        urn: Its URN.
        type: Its type, as `docker:index/container:Container`.
        name: Its name in the program.
        op: What happens.
        keys: Top level properties that force a replacement.
        old: Its inputs now, secrets as `[secret]`; empty where it is new.
        new: Its inputs then, secrets as `[secret]` and what is not known yet as such; empty where it goes.
        properties: What changes, sorted by path. A provider that gives no details is known by the top level properties only.
        protected: Pulumi refuses to delete it.
        retained: It stays where it is when the stack lets go of it.
        parent: URN of the component that it belongs to; empty for the stack itself.
        risk: What happens to data by this; None: nothing.
        gone: It was there, and is not there any more (REFRESH only).
    """

    urn: str
    type: str
    name: str
    op: Op
    keys: tuple[str, ...] = ()
    old: Mapping[str, Any] = field(default_factory=dict)
    new: Mapping[str, Any] = field(default_factory=dict)
    properties: tuple[Property, ...] = ()
    protected: bool = False
    retained: bool = False
    parent: str = ""
    risk: str | None = None
    gone: bool = False

    @property
    def component(self) -> str:
        """Name of the component that it belongs to; empty for what belongs to the stack itself."""
        return "" if type_of(self.parent) == _STACK else name_of(self.parent)


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnostic:
    """What the engine, the program or a provider said.

    Attributes:
        severity: `warning` or `error`.
        message: One or more lines.
        urn: Of the resource that it is about; empty where it is about none.
    """

    severity: str
    message: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """What a policy pack of the engine's own found.

    Attributes:
        pack: Its name.
        policy: The rule.
        message: What is wrong.
        urn: Of the resource; empty where it is about the stack.
        mandatory: It ends the run.
    """

    pack: str
    policy: str
    message: str
    urn: str
    mandatory: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """A whole preview or refresh.

    Attributes:
        changes: One a resource, SAME too, sorted by URN. A resource whose real thing has changed by other hands has one more, REFRESH.
        diagnostics: Warnings and errors, in their order, each once.
        violations: What policy packs found.
        outputs: The stack's outputs then, secrets as `[secret]`; None where the run did not come so far.
        old_outputs: Those of now.
        complete: The run came to its end: what is missing here is not because it stopped.
    """

    changes: tuple[Change, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    violations: tuple[Violation, ...] = ()
    outputs: Mapping[str, Any] | None = None
    old_outputs: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True

    def of(self, *ops: Op) -> tuple[Change, ...]:
        """Those with one of these operations."""
        return tuple(change for change in self.changes if change.op in ops)

    @property
    def steps(self) -> tuple[Change, ...]:
        """Those that a deployment would carry out."""
        return self.of(Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE)


_STACK: Final = "pulumi:pulumi:Stack"
_OPS: Final[Mapping[str, Op]] = {
    "create": Op.CREATE,
    "import": Op.CREATE,
    "update": Op.UPDATE,
    "replace": Op.REPLACE,
    "create-replacement": Op.REPLACE,
    "delete-replaced": Op.REPLACE,
    "import-replacement": Op.REPLACE,
    "read-replacement": Op.READ,
    "delete": Op.DELETE,
    "read": Op.READ,
    "same": Op.SAME,
}
"""By the engine's own word (pulumi/sdk go/common/apitype/events.go, `OpType`). Others are steps between these, or forget what is gone."""
_PARTS: Final = ("delete-replaced", "create-replacement", "import-replacement")
"""Halves of a replacement; the step `replace` tells of both, and of why."""
_NOT_SEEN_OFF: Final = re.compile(r"Detected that \S+ exited prematurely\.")
"""What the engine says of a plugin that took more than five seconds to hear that it may go, as on a machine with too much to do
(pulumi/sdk go/common/resource/plugin/plugin.go, `Plugin.Close`): said when all is done, so of a run that succeeded it is no error."""


def read(path: Path, *, refresh: bool = False) -> Preview:
    """What an event log says. Raises OSError where there is none, ValueError where it is none. `refresh`: as `parse`."""
    with path.open(encoding="utf-8") as lines:
        return parse((json.loads(line) for line in lines if line.strip()), refresh=refresh)


def parse(events: Iterable[Mapping[str, Any]], *, refresh: bool = False) -> Preview:
    """What the events of a run say. `refresh`: the run was a refresh, whose steps are what it found."""
    found: dict[str, Change] = {}
    drift: dict[str, Change] = {}
    said: dict[Diagnostic, None] = {}
    violations: dict[Violation, None] = {}
    outputs: Mapping[str, Any] | None = None
    old_outputs: Mapping[str, Any] = {}
    complete = False
    for event in events:
        if "resourcePreEvent" in event or "resOutputsEvent" in event:
            metadata = (event.get("resourcePreEvent") or event.get("resOutputsEvent") or {})["metadata"]
            after = "resOutputsEvent" in event
            urn = str(metadata["urn"])
            if metadata["type"] == _STACK and metadata["op"] != "refresh" and after:
                outputs = plain((metadata.get("new") or {}).get("outputs") or {})
                old_outputs = plain((metadata.get("old") or {}).get("outputs") or {})
            if refresh or metadata["op"] == "refresh":
                # Before it has looked, a refresh knows nothing.
                if after and (change := _drifted(metadata)) is not None:
                    drift[urn] = change
            elif (op := _OPS.get(str(metadata["op"]))) is not None and not (metadata["op"] in _PARTS and urn in found):
                found[urn] = _change(metadata, op)
        elif "diagnosticEvent" in event:
            if (diagnostic := _diagnostic(event["diagnosticEvent"])) is not None:
                said[diagnostic] = None
        elif "policyEvent" in event:
            violations[_violation(event["policyEvent"])] = None
        elif "summaryEvent" in event:
            complete = event["summaryEvent"].get("result", "succeeded") == "succeeded"
    if complete:
        said = {d: None for d in said if _NOT_SEEN_OFF.match(d.message) is None}
    return Preview(
        changes=tuple(sorted([*drift.values(), *(c for c in found.values() if not _is_noise(c))], key=lambda c: (c.urn, c.op))),
        diagnostics=tuple(said),
        violations=tuple(violations),
        outputs=outputs,
        old_outputs=old_outputs,
        complete=complete and not any(d.severity == "error" for d in said),
    )


def _change(metadata: Mapping[str, Any], op: Op) -> Change:
    old, new = metadata.get("old") or {}, metadata.get("new") or {}
    if op is Op.DELETE:
        new = {}
    properties = _properties(metadata, old, new) if op in (Op.UPDATE, Op.REPLACE) else ()
    change = Change(
        urn=metadata["urn"],
        type=metadata["type"],
        name=name_of(metadata["urn"]),
        op=op,
        keys=tuple(metadata.get("keys") or ()),
        old=plain(old.get("inputs") or {}),
        new=plain(new.get("inputs") or {}),
        properties=properties,
        protected=bool(old.get("protect") or new.get("protect")),
        retained=bool(old.get("retainOnDelete") or new.get("retainOnDelete")),
        parent=new.get("parent") or old.get("parent") or "",
    )
    return _with_risk(change)


def _drifted(metadata: Mapping[str, Any]) -> Change | None:
    """What a refresh found of one resource; None: it is as the state says."""
    if metadata["type"].startswith("pulumi:providers:"):
        return None  # Nobody's hands: the settings name its place otherwise now, where the program runs before the refresh.
    old, new = metadata.get("old") or {}, metadata.get("new") or {}
    gone = metadata["op"] == "delete" or not new
    properties = () if gone else _properties(metadata, old, new, found=True)
    if not (gone and old) and not properties:
        return None
    change = Change(
        urn=metadata["urn"],
        type=metadata["type"],
        name=name_of(metadata["urn"]),
        op=Op.REFRESH,
        old=plain(old.get("inputs") or {}),
        new=plain(new.get("inputs") or {}),
        properties=properties,
        protected=bool(old.get("protect")),
        retained=bool(old.get("retainOnDelete")),
        parent=old.get("parent") or "",
        gone=gone,
    )
    return _with_risk(change)


def _with_risk(change: Change) -> Change:
    risk = risks.of(
        change.type,
        change.old,
        goes=change.op in (Op.DELETE, Op.REPLACE) or change.gone,
        anew=change.op is Op.REPLACE,
        gone=change.gone,
        retained=change.retained,
    )
    if change.op is Op.UPDATE:
        risk = risks.moved(change.type, change.old, change.new)
    return replace(change, risk=risk)


def _properties(
    metadata: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any], *, found: bool = False
) -> tuple[Property, ...]:
    """What changes; `found`: by other hands, so that what is there now is in the outputs."""
    keys = set(metadata.get("keys") or ())
    detailed = metadata.get("detailedDiff") or {}
    before = {kind: plain(old.get(kind) or {}) for kind in ("inputs", "outputs")}
    after = plain(new.get("outputs" if found else "inputs") or {})
    properties = []
    # A dynamic provider's changes come without any of both.
    inputs = plain(new.get("inputs") or {})
    differing = {name for name in {*before["inputs"], *inputs} if before["inputs"].get(name) != inputs.get(name)}
    for path in sorted(detailed or metadata.get("diffs") or ([] if found else differing)):
        how = detailed.get(path) or {}
        kind = str(how.get("diffKind", ""))
        was = before["inputs"] if how.get("inputDiff") or not detailed else before["outputs"]
        value = None if kind.startswith("add") else at(was, path)
        if value is None and not kind.startswith("add"):
            value = at(before["inputs"], path)
        then = None if kind.startswith("delete") else at(after, path)
        replaces = kind.endswith("-replace") or (not detailed and path in keys)
        properties.append(Property(path=path, old=value, new=then, replaces=replaces))
    return tuple(properties)


def _diagnostic(event: Mapping[str, Any]) -> Diagnostic | None:
    severity, message = str(event.get("severity", "")), str(event.get("message", "")).strip()
    # What is shown while it lasts is no result; `info#err` is what the program itself has written on stderr.
    if severity not in ("warning", "error") or event.get("ephemeral") or not message:
        return None
    return Diagnostic(severity=severity, message=message, urn=str(event.get("urn") or ""))


def _violation(event: Mapping[str, Any]) -> Violation:
    return Violation(
        pack=str(event.get("policyPackName", "")),
        policy=str(event.get("policyName", "")),
        message=str(event.get("message", "")).strip(),
        urn=str(event.get("resourceUrn") or ""),
        mandatory=event.get("enforcementLevel") == "mandatory",
    )


def _is_noise(change: Change) -> bool:
    """A provider that nobody named, or whose version alone differs: the engine does not count these either."""
    if not change.type.startswith("pulumi:providers:"):
        return False
    return change.name.startswith("default") or (change.op is Op.UPDATE and not change.properties)
