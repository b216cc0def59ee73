"""What a well-formed value of an env file is. A rule says why a value is malformed, and never repeats it."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit


class Rule(StrEnum):
    """What a well-formed value is."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    PORT = "port"
    EMAIL = "email"
    HTTP_URL = "http_url"
    POSTGRES_URL = "postgres_url"
    REDIS_URL = "redis_url"
    ANON_KEY = "anon_key"
    SERVICE_KEY = "service_key"


URLS: Final = frozenset({Rule.HTTP_URL, Rule.POSTGRES_URL, Rule.REDIS_URL})
"""Rules of values that are URLs: with something added at the end they still are."""


def malformed(rule: Rule, value: str) -> str | None:
    """Why a value is malformed; None when it is not. An empty one is looked at as any other."""
    return _RULES[rule](value)


def _text(_value: str) -> str | None:
    return None


def _integer(value: str) -> str | None:
    return None if re.fullmatch(r"[0-9]+", value) else "not a whole number"


def _boolean(value: str) -> str | None:
    return None if value in ("true", "false") else "neither true nor false"


def _port(value: str) -> str | None:
    return None if re.fullmatch(r"[0-9]{1,5}", value) and 1 <= int(value) <= 65535 else "not a port (1 to 65535)"


def _email(value: str) -> str | None:
    return None if re.fullmatch(r"[^@\s]+@[^@\s]+", value) else "not an e-mail address"


def _url(*schemes: str) -> Callable[[str], str | None]:
    def rule(value: str) -> str | None:
        try:
            parts = urlsplit(value)
            good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", value)
        except ValueError:  # a port that is none, a bracket that is not closed
            good = False
        return None if good else f"not a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"

    return rule


def _key(kind: str, role: str, other: str) -> Callable[[str], str | None]:
    """An API key of Supabase: `sb_<kind>_...`, or a JSON Web Token (RFC 7519) of this `role`. No signature is looked at."""

    def rule(value: str) -> str | None:
        if value.startswith("sb_"):
            return None if re.fullmatch(rf"sb_{kind}_[A-Za-z0-9_-]+", value) else f"a key of another kind than sb_{kind}_"
        claims = _claims(value)
        if claims is None:
            return f"neither a JSON Web Token nor a key that begins with sb_{kind}_"
        found = claims.get("role")
        if found == role:
            return None
        return f"the {other} key, in the place of the {role} key" if found == other else f"a token whose role is not {role}"

    return rule


def _claims(token: str) -> dict[str, object] | None:
    parts = token.split(".")
    if len(parts) != 3 or not all(re.fullmatch(r"[A-Za-z0-9_-]+", part) for part in parts):
        return None
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(header, dict) and isinstance(claims, dict) else None


_RULES: Mapping[Rule, Callable[[str], str | None]] = {
    Rule.TEXT: _text,
    Rule.INTEGER: _integer,
    Rule.BOOLEAN: _boolean,
    Rule.PORT: _port,
    Rule.EMAIL: _email,
    Rule.HTTP_URL: _url("http", "https"),
    Rule.POSTGRES_URL: _url("postgresql", "postgres"),
    Rule.REDIS_URL: _url("redis", "rediss"),
    Rule.ANON_KEY: _key("publishable", "anon", "service_role"),
    Rule.SERVICE_KEY: _key("secret", "service_role", "anon"),
}
