"""Rules about how long keys and tokens are good for."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from policies import ids
from policies.model import Resource, Rule, Stack, Violation
from policies.values import at, containers, number, pod, variables

LEAST: Final = 300
MOST: Final = 86400
"""Seconds that an access token may be good for: five minutes to a day. Chosen by us; GoTrue's default is an hour."""
SOON: Final = timedelta(days=60)
"""From how long before their end on keys are told of: as the settings' own warning has it."""
LONGEST: Final = timedelta(days=3653)
"""How long keys may live: ten years, as those that upstream's key generator makes."""
_EXPIRY: Final = ("GOTRUE_JWT_EXP", "JWT_EXPIRY", "JWT_EXP")
_ISSUED, _EXPIRES = date(2026, 1, 1), date(2036, 1, 1)
"""The settings' defaults (components/supabase_settings/keys.py; held by a test)."""


def _sane(seconds: float) -> str | None:
    if seconds > MOST:
        return f"access tokens are good for {int(seconds)} s, more than a day: one that leaks can't be taken back before"
    if seconds < LEAST:
        return f"access tokens are good for {int(seconds)} s, less than five minutes: clocks that differ end sessions"
    return None


def _expiry(resource: Resource) -> Iterator[str]:
    own = (
        [resource.properties]
        if resource.type == "docker:index/container:Container"
        else containers(pod(resource.properties, resource.kind) or {})
    )
    found = {name: number(value) for container in own for name, value in variables(container) if name in _EXPIRY}
    for name, seconds in found.items():
        if seconds is not None and (wrong := _sane(seconds)):
            yield f"{name}: {wrong}"


def _expiry_setting(stack: Stack) -> Iterator[Violation]:
    seconds = number(at(stack.settings, "supabase", "auth", "jwtExpiry"))
    if seconds is not None and (wrong := _sane(seconds)):
        yield Violation(where="supabase.auth.jwtExpiry", message=wrong)


def _lifetimes(stack: Stack) -> Iterator[Violation]:
    if at(stack.settings, "supabase", "enabled") is False:
        return
    keys = at(stack.settings, "supabase", "keys")
    issued, expires = _day(at(keys, "issuedAt")) or _ISSUED, _day(at(keys, "expiresAt")) or _EXPIRES
    where = "supabase.keys.expiresAt"
    if expires - issued > LONGEST:
        years = (expires - issued).days // 365
        yield Violation(where=where, message=f"the API keys live from {issued} to {expires}, {years} years: longer than ten")
    if stack.today is not None and expires - stack.today <= SOON:
        yield Violation(where=where, message=f"the API keys {'have ended' if expires <= stack.today else 'end'} on {expires}")


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


RULES: Final = (
    Rule(
        id=ids.JWT_EXPIRY,
        demand="An access token is good for five minutes to a day.",
        reason="Services take it without asking auth, so signing out or a ban counts only once it has ended.",
        fix="set supabase.auth.jwtExpiry, as 3600",
        resource=_expiry,
        stack=_expiry_setting,
        masked="On Docker the variable; the setting it is made of is seen.",
    ),
    Rule(
        id=ids.KEY_LIFETIMES,
        demand="API keys live no longer than ten years, and do not end within 60 days.",
        reason="Keys that have ended stop every client at once; such as never end can only be changed by force.",
        fix="set supabase.keys.issuedAt and expiresAt, and give the new keys to all that use the old ones",
        stack=_lifetimes,
    ),
)
