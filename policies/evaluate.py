"""All rules over a stack, with its waivers: what is found, in an order that stays."""

from collections.abc import Iterator
from dataclasses import dataclass

from policies.catalogue import RULES
from policies.model import PROD, Level, Rule, Stack


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One violation of one rule.

    Attributes:
        rule: The rule.
        where: Name of the resource, or the setting.
        message: What is wrong; never a secret.
        mandatory: It ends a preview and a deployment: the rule is, the environment is prod, and nothing waives it.
        waived: The waiver's reason; None: it is not waived.
        urn: Of the resource; empty for a setting.
    """

    rule: Rule
    where: str
    message: str
    mandatory: bool
    waived: str | None = None
    urn: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What the rules found.

    Attributes:
        findings: Mandatory ones first, then advice, then what is waived; each by rule, place and message.
        idle: Keys of waivers that nothing came of: they can go.
    """

    findings: tuple[Finding, ...] = ()
    idle: tuple[str, ...] = ()

    @property
    def mandatory(self) -> tuple[Finding, ...]:
        """Those that end a preview."""
        return tuple(finding for finding in self.findings if finding.mandatory)


def counts(rule: Rule, stack: Stack) -> bool:
    """Whether a rule says anything in a stack's environment."""
    return stack.environment == PROD or not rule.prod_only


def violations(rule: Rule, stack: Stack) -> Iterator[tuple[str, str, str]]:
    """What one rule finds, whatever is waived: place, message, URN."""
    if rule.resource is not None:
        for resource in stack.resources:
            for message in rule.resource(resource):
                yield resource.name, message, resource.urn
    if rule.stack is not None:
        for found in rule.stack(stack):
            yield found.where, found.message, found.urn


def waiver(rule: Rule, where: str, stack: Stack) -> str | None:
    """The key of the waiver that counts for a violation; None: there is none."""
    return next((key for key in (f"{rule.id}/{where}", rule.id) if key in stack.waivers), None)


def is_mandatory(rule: Rule, stack: Stack) -> bool:
    """Whether a violation of a rule ends a run in this environment."""
    return rule.level is Level.MANDATORY and stack.environment == PROD


def evaluate(stack: Stack) -> Report:
    """What all rules find in a stack."""
    used: set[str] = set()
    found: dict[Finding, tuple[bool, bool, int, str, str]] = {}
    for order, rule in enumerate(RULES):
        if not counts(rule, stack):
            continue
        for where, message, urn in violations(rule, stack):
            key = waiver(rule, where, stack)
            if key is not None:
                used.add(key)
            finding = Finding(
                rule=rule,
                where=where,
                message=message,
                mandatory=key is None and is_mandatory(rule, stack),
                waived=None if key is None else stack.waivers[key],
                urn=urn,
            )
            found[finding] = (finding.waived is not None, not finding.mandatory, order, where, message)
    elsewhere = {rule.id for rule in RULES if rule.secrets}
    idle = (key for key in set(stack.waivers) - used if key.partition("/")[0] not in elsewhere)
    return Report(findings=tuple(sorted(found, key=lambda f: found[f])), idle=tuple(sorted(idle)))
