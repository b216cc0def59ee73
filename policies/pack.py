"""The rules as a policy pack of Pulumi's. Only here is `pulumi_policy` imported.

A policy's level is fixed when the pack starts, and only then the engine says which stack it is for. So each rule is two policies: one
that is mandatory, which speaks in prod, and `<id>-advice`, which speaks elsewhere and for rules that are advice everywhere.
"""

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from policies import evaluate
from policies.catalogue import RULES
from policies.model import Level, Resource, Rule, Stack
from policies.values import UNKNOWN

NAME: Final = "supastack"
_ADVICE: Final = "-advice"
_SECRET_TAG: Final = "secure"


def serve(root: Path) -> None:
    """Serve the pack to the engine that started it; returns when the engine ends it. `root`: the folder with the stack files."""
    from pulumi_policy import PolicyPack

    PolicyPack(name=NAME, policies=policies(root))


def policies(root: Path) -> list[Any]:
    """Pulumi's policies: those of each rule, for resources and for the stack."""
    return [made for rule in RULES for made in _of_rule(rule, root)]


def _of_rule(rule: Rule, root: Path) -> Iterator[Any]:
    from pulumi_policy import EnforcementLevel, ResourceValidationPolicy, StackValidationPolicy

    wanted = [(rule.id + _ADVICE, EnforcementLevel.ADVISORY, False)]
    if rule.level is Level.MANDATORY:
        wanted.append((rule.id, EnforcementLevel.MANDATORY, True))
    for name, level, mandatory in wanted:
        about = {"description": f"{rule.demand} {rule.reason}", "enforcement_level": level}
        if rule.resource is not None:
            yield ResourceValidationPolicy(name=name, validate=_resource_check(rule, mandatory, root), **about)
        if rule.stack is not None:
            stack_name = name if rule.resource is None else name.replace(rule.id, f"{rule.id}-stack", 1)
            yield StackValidationPolicy(name=stack_name, validate=_stack_check(rule, mandatory, root), **about)


def _resource_check(rule: Rule, mandatory: bool, root: Path) -> Callable[[Any, Callable[..., None]], None]:
    def validate(args: Any, report: Callable[..., None]) -> None:
        resource = Resource(
            type=args.resource_type,
            name=args.name,
            properties=plain(args.props),
            urn=args.urn,
            protect=bool(args.opts.protect),
        )
        stack = _stack(resource.urn, root)
        if not _speaks(rule, mandatory, stack) or rule.resource is None:
            return
        for message in rule.resource(resource):
            if evaluate.waiver(rule, resource.name, stack) is None:
                report(f"{resource.name}: {message}. Fix: {rule.fix}")

    return validate


def _stack_check(rule: Rule, mandatory: bool, root: Path) -> Callable[[Any, Callable[..., None]], None]:
    def validate(args: Any, report: Callable[..., None]) -> None:
        resources = tuple(
            Resource(type=r.resource_type, name=r.name, properties=plain(r.props), urn=r.urn, protect=bool(r.opts.protect))
            for r in args.resources
        )
        stack = _stack(resources[0].urn if resources else "", root, resources)
        if not _speaks(rule, mandatory, stack) or rule.stack is None:
            return
        for found in rule.stack(stack):
            if evaluate.waiver(rule, found.where, stack) is None:
                report(f"{found.where}: {found.message}. Fix: {rule.fix}", found.urn or None)

    return validate


def _speaks(rule: Rule, mandatory: bool, stack: Stack) -> bool:
    return evaluate.counts(rule, stack) and evaluate.is_mandatory(rule, stack) is mandatory


def _stack(urn: str, root: Path, resources: tuple[Resource, ...] = ()) -> Stack:
    """The stack that a URN belongs to, with its settings."""
    # urn:pulumi:<stack>::<project>::... - whose settings they are, a copy of this project under another name says there.
    name, _, rest = urn.removeprefix("urn:pulumi:").partition("::")
    settings = _settings(name, rest.partition("::")[0], root)
    policies = settings.get("policies")
    waivers = policies.get("waivers") if isinstance(policies, Mapping) else None
    return Stack(
        environment=str(settings.get("environment") or "dev"),
        settings=settings,
        waivers=waivers if isinstance(waivers, Mapping) else {},
        resources=resources,
        today=_today(),
    )


def _today() -> date:
    return datetime.now(UTC).date()


@cache
def _settings(stack: str, project: str, root: Path) -> dict[str, Any]:
    """The settings as the engine hands them over, where it does, else those of the stack's file (`_file`), without secrets.

    An engine that starts packs by the language host hands them to the pack's server, which keeps them to itself (pulumi_policy 1.21.0,
    `ConfigureStack`); one that starts them by a script puts them into the environment, secrets in plain and not told apart: no rule
    may put a setting's value into a message as it is.
    """
    handed = os.environ.get("PULUMI_CONFIG")
    given: Mapping[str, Any] = json.loads(handed) if handed else _of_file(_file(stack, root))
    found: dict[str, Any] = {}
    for key, value in given.items():
        # Without a namespace it is the project's, as the engine reads it.
        namespace, _, name = str(key).removeprefix("config:").rpartition(":")
        if namespace.removesuffix(":config") in ("", project) and not _is_secret(value):
            found[name] = _read(value)
    return found


def _file(stack: str, root: Path) -> Path:
    """The file that the engine has the settings from.

    In a clone that keeps its own state that is a private one (toolchain/stack/config.py), where what was set by command is, and all that
    further instances and previews of pull requests have. With a backend of the user's own it is the tracked one.
    """
    folder = root / ".supastack"
    private, tracked = folder / "stacks" / f"Pulumi.{stack}.yaml", root / f"Pulumi.{stack}.yaml"
    own = os.environ.get("PULUMI_BACKEND_URL", "") in ("", f"file://{folder / 'state'}")
    return private if private.is_file() and (own or not tracked.is_file()) else tracked


def _of_file(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        return {}
    config = content.get("config") if isinstance(content, dict) else None
    return config if isinstance(config, dict) else {}


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {_SECRET_TAG}


def _read(value: Any) -> Any:
    """A setting as the engine hands it over: groups are JSON."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def plain(value: Any) -> Any:
    """Properties without what is not known yet: asked for that, Pulumi's own raise an error each."""
    from pulumi_policy.proxy import UnknownValueError

    try:
        if isinstance(value, str | int | float | bool) or value is None:
            return value
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        if isinstance(value, Mapping):
            return {str(key): _known(value, key) for key in value}
        if isinstance(value, Sequence):  # a proxy of Pulumi's
            return [_known(value, index) for index in range(len(value))]
    except UnknownValueError:
        return UNKNOWN
    return str(value)


def _known(holder: Any, key: Any) -> Any:
    from pulumi_policy.proxy import UnknownValueError

    try:
        return plain(holder[key])
    except UnknownValueError:
        return UNKNOWN
