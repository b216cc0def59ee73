"""The rules of `policies/` over what a preview saw: `make preview` asks them itself, whatever engine and language host there are.

The same rules are a policy pack for Pulumi's own command line (policies/__main__.py). The language host that is built here can't start
packs, and a pack needs packages of its own; so what must hold is never left to it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from toolchain.announce import ToolchainError, note
from toolchain.context import Context
from toolchain.preview.changes import Op, Preview
from toolchain.preview.findings import Finding
from toolchain.stack.config import config_file, parse, project_name

if TYPE_CHECKING:
    from policies.evaluate import Report
    from policies.model import Stack

_ENCRYPTED = "secure"
PROD = "prod"


class Forbidden(ToolchainError):
    """A policy that must hold does not; nothing was touched."""


@dataclass(frozen=True)
class Judge:
    """What finds the violations of a preview of a stack, by the settings that it had before the preview ran."""

    settings: Mapping[str, Any]

    @property
    def environment(self) -> str:
        """What the stack is for, as its config says, without checking anything."""
        return str(self.settings.get("environment") or "dev")

    def __call__(self, preview: Preview) -> Sequence[Finding]:
        """What policies find in it."""
        from policies.catalogue import RULES
        from policies.evaluate import evaluate

        stack = stack_of(self.settings, preview)
        if not preview.complete:
            # What was not seen can't be allowed.
            message = "the preview did not come to its end, so the rules could not be asked"
            return [Finding(rule="policies", resource="", message=message, mandatory=stack.environment == PROD)]
        how = "the same rules as the policy pack's; secrets are masked here"
        note(f"policies: {len(RULES)} rules for environment {stack.environment}, asked by make itself ({how}): docs/policies.md")
        return findings(evaluate(stack))


def judge(context: Context) -> Judge:
    """The judge of a stack, by its settings as they are now: to be asked for before anything runs. Raises as `settings`."""
    return Judge(settings(context))


def settings(context: Context) -> dict[str, Any]:
    """The settings of a stack as they are written, without secrets. Raises ToolchainError where its config can't be read."""
    project = project_name(context.root)
    try:
        config = parse(config_file(context).read_text(encoding="utf-8"), project)["config"]
    except (OSError, ValueError) as error:
        raise ToolchainError(f"the config of stack {context.stack} can't be read: {error}") from None
    found = {}
    for key, value in config.items():
        namespace, _, name = key.partition(":")
        if namespace == project:
            found[name] = _plain(value)
    return {name: value for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    """A setting without what is encrypted in it; groups that were set by command are JSON."""
    if isinstance(value, Mapping):
        if set(value) == {_ENCRYPTED}:
            return None
        inner = {name: _plain(part) for name, part in value.items()}
        return {name: part for name, part in inner.items() if part is not None}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return _plain(json.loads(value))
        except ValueError:
            return value
    return value


def stack_of(given: Mapping[str, Any], preview: Preview) -> "Stack":
    """What the rules look at: the stack as it would be."""
    from policies.model import Resource, Stack

    group = given.get("policies")
    waivers = group.get("waivers") if isinstance(group, Mapping) else None
    there = [change for change in preview.changes if change.op not in (Op.DELETE, Op.REFRESH) and change.new]
    return Stack(
        environment=str(given.get("environment") or "dev"),
        settings=given,
        waivers=waivers if isinstance(waivers, Mapping) else {},
        resources=tuple(Resource(type=c.type, name=c.name, properties=c.new, urn=c.urn, protect=c.protected) for c in there),
        today=datetime.now(UTC).date(),
    )


def findings(report: "Report") -> tuple[Finding, ...]:
    """The report in the form that previews render; a waiver without an effect is a finding too."""
    found = [
        Finding(
            rule=finding.rule.id,
            resource=finding.where,
            message=finding.message,
            fix=finding.rule.fix,
            mandatory=finding.mandatory,
            waived=finding.waived,
        )
        for finding in report.findings
    ]
    for key in report.idle:
        rule, _, resource = key.partition("/")
        message = "it is waived, and nothing violates it"
        found.append(Finding(rule=rule, resource=resource, message=message, fix=f"remove policies.waivers.{key}"))
    return tuple(found)


def stop(context: Context, found: Sequence[Finding]) -> None:
    """End a deployment that a policy forbids, after saying all that was found. Raises Forbidden."""
    from toolchain.preview import text

    for line in text.findings(found):
        print(line, file=sys.stderr)
    count = sum(finding.mandatory and finding.waived is None for finding in found)
    if count:
        violations = f"{count} violation{'s' * (count != 1)}"
        raise Forbidden(
            f"policies that must hold in prod do not ({violations}): nothing has been touched.\n"
            f"  Mend what is named above, or waive a rule with its reason: {project_name(context.root)}:policies.waivers (docs/policies.md)"
        )
