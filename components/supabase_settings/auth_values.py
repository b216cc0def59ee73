"""Checks of what auth's settings take: addresses, durations, names and numbers in GoTrue's own forms."""

import re
from typing import Final
from urllib.parse import urlsplit

from components.setting_values import Refused

PROVIDERS: Final = (
    *("apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github", "gitlab", "google", "kakao", "keycloak"),
    *("linkedin", "linkedin_oidc", "notion", "slack", "slack_oidc", "spotify", "twitch", "twitter", "vercel_marketplace"),
    *("workos", "x", "zoom"),
)
"""External sign-in providers: the fields of ProviderConfiguration in supabase/auth internal/conf/configuration.go (d7a9ca6), and
`x` of the CLI's config.toml (3.1.0)."""

HOOKS: Final = (
    *("before_user_created", "custom_access_token", "mfa_verification_attempt", "password_verification_attempt"),
    *("send_email", "send_sms"),
)
"""Hooks that the CLI knows: supabase/cli apps/cli-go/internal/start/start.go (962d57c)."""

MAILS: Final = ("invite", "confirmation", "recovery", "magic_link", "email_change", "reauthentication")
"""Mails that have a template: EmailContentConfiguration in supabase/auth internal/conf/configuration.go (d7a9ca6)."""

# HookConfiguration.ValidateExtensibilityPoint there: plain http is for these hosts alone.
_HTTP_HOOK_HOSTS = ("localhost", "127.0.0.1", "::1", "host.docker.internal")
_POSTGRES_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,62}"


def _one_of(names: tuple[str, ...], text: str, what: str) -> str:
    if text not in names:
        raise Refused(f"there is no such {what}", f"name one of these: {', '.join(names)}")
    return text


def provider_name(text: str) -> str:
    """Check the name of an external sign-in provider."""
    return _one_of(PROVIDERS, text, "provider")


def hook_name(text: str) -> str:
    """Check the name of a hook."""
    return _one_of(HOOKS, text, "hook")


def mail_name(text: str) -> str:
    """Check the name of a mail that auth sends."""
    return _one_of(MAILS, text, "mail")


def redirect_url(text: str) -> str:
    """Check an address, or a pattern of addresses, that a sign-in may lead back to.

    Patterns are GoTrue's globs (`*`, `**`, `?`), also of an app's own scheme. A comma would part it in two.
    """
    fix = 'write it as in "https://shop.example.com/**" or "myapp://callback"'
    if "@" in text:
        raise Refused("it holds a user or a password", fix, hidden=True)
    if not re.fullmatch(r"[A-Za-z*][A-Za-z0-9+.*-]*://[!-+\--~]{1,1000}", text):
        raise Refused("it is not an address, or has a space or a comma in it", fix, hidden=True)
    return text


def go_duration(text: str) -> str:
    """Check a time in Go's notation, above zero: GoTrue takes 0 for its own default."""
    if not re.fullmatch(r"(?:[0-9]{1,6}(?:h|ms|m|s))+", text) or not re.search(r"[1-9]", text):
        raise Refused("it is not a length of time", 'write numbers with h, m, s or ms, as in "60s" or "24h"')
    return text


def host_name(text: str) -> str:
    """Check the name or the address of a host."""
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?", text):
        raise Refused("it is not the name or address of a host", 'write it as in "smtp.example.com", without port')
    return text


def account_name(text: str) -> str:
    """Check an id or a user name that another service gave out: visible ASCII, no space, no comma around ids."""
    if not re.fullmatch(r"[!-~]{1,1000}", text):
        raise Refused("it is empty, or has a space or a character that is not ASCII", "copy it as it was given out")
    return text


def code_template(text: str) -> str:
    """Check the text of a message with a code in it, which Go's templates put where `{{ .Code }}` stands."""
    if not re.search(r"\{\{\s*\.Code\s*\}\}", text) or not text.isprintable() or len(text) > 500:
        raise Refused(
            "it has no place for the code, more than one line, or over 500 characters", "write {{ .Code }} where it goes"
        )
    return text


def phone_number(text: str) -> str:
    """Check a phone number: country code and number, digits alone (GoTrue drops a leading +)."""
    if not re.fullmatch(r"[1-9][0-9]{5,14}", text):
        raise Refused("it is not a phone number", "write country code and number as digits, without + and spaces")
    return text


def one_time_code(text: str) -> str:
    """Check a code of 6 to 10 digits: GoTrue makes no others."""
    if not re.fullmatch(r"[0-9]{6,10}", text, re.ASCII):
        raise Refused("it is not a code", 'write 6 to 10 digits in quotes, as in "123456"', hidden=True)
    return text


def hook_uri(text: str) -> str:
    """Check where a hook is: a function of the database, or an address; plain http is for this machine alone (GoTrue's rule)."""
    fix = 'write "pg-functions://postgres/SCHEMA/FUNCTION" or an https address'
    if re.search(r"[@\s]", text):
        raise Refused("it holds a user or password, or a space", fix, hidden=True)
    try:
        url = urlsplit(text)
        host = url.hostname or ""
    except ValueError:
        raise Refused("it is not an address", fix, hidden=True) from None
    if not text.isascii() or len(text) > 1000 or not host:
        raise Refused("it is not the address of a hook", fix, hidden=True)
    if url.scheme == "pg-functions":
        if not re.fullmatch(rf"/{_POSTGRES_NAME}/{_POSTGRES_NAME}", url.path):
            raise Refused("it does not name a schema and a function", fix, hidden=True)
    elif url.scheme == "http" and host not in _HTTP_HOOK_HOSTS:
        raise Refused(f"GoTrue takes plain http for {', '.join(_HTTP_HOOK_HOSTS)} alone", fix, hidden=True)
    elif url.scheme not in ("http", "https"):
        raise Refused("it is neither a function of the database nor an address", fix, hidden=True)
    return text


def hook_secret(text: str) -> str:
    """Check the secrets that a hook's requests are signed with, as GoTrue does at its start: with others it would end.

    The forms are those of Standard Webhooks (symmetricSecretFormat and asymmetricSecretFormat there); several are parted by `|`.
    """
    forms = r"v1,whsec_[A-Za-z0-9+/=]{32,88}|v1a,whpk_[A-Za-z0-9+/=]{44,200}:whsk_[A-Za-z0-9+/=]{44,200}"
    if not all(re.fullmatch(forms, one) for one in text.split("|")):
        raise Refused(
            "it is not a secret for a hook",
            "write v1,whsec_ and 24 to 64 random bytes in base64: openssl rand -base64 32",
            hidden=True,
        )
    return text
