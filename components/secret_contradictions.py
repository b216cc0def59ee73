"""What the keys and secrets in the settings can't say together, and which keys end soon.

A secret that can't be read here (the stack file without its passphrase) is only known to be there.
"""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from components import certificates, cli_keys, keys, secret_settings, secret_values
from components.setting_contradictions import Context, Values, rule
from components.setting_schema import Problem, key_text, shown
from components.setting_types import Compat, Target

SOON: Final = timedelta(days=60)
"""From how long before its end on a key is warned of."""
CERTIFICATE_SOON: Final = timedelta(days=30)
"""The same for the gateway's certificate: those of 90 days are renewed when 30 are left (Let's Encrypt's advice)."""

_ROLE_KEYS: Final = ("anonKey", "serviceRoleKey")


def _readable(values: Values, name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) and value else None


@rule("jwtSecret", *_ROLE_KEYS, "compat", "supabase.managed.ref")
def _role_keys_fit_the_jwt_secret(values: Values, context: Context) -> Iterator[Problem]:
    if _of_others(values) and "jwtSecret" not in context.secrets:
        return  # the project's own secret has signed them, and need not be known here
    for name in _ROLE_KEYS:
        if name not in context.secrets or values["compat"] is Compat.CLI:
            continue
        key, secret = _readable(values, name), _readable(values, "jwtSecret")
        if "jwtSecret" not in context.secrets:
            reason = "jwtSecret is not given, and the one that is generated has not signed it"
            fix = f"give it too: pulumi config set --secret {context.project}:jwtSecret --stack {context.stack}"
            yield Problem(path=(name,), value=None, reason=reason, fix=fix, missing=("jwtSecret",))
        elif key and secret and not keys.is_signed_with(key, secret):
            reason = "it is not signed with jwtSecret: every service would refuse it"
            yield Problem(
                path=(name,), value=None, reason=reason, fix="take both from the same stack, or leave it out: it is made"
            )


def _of_others(values: Values) -> bool:
    """Whether the keys are those of a project that others run."""
    return "ref" in values["supabase"]["managed"]


@rule("publishableKey", "secretKey", "compat", "supabase.managed.ref")
def _sb_keys_are_whole(values: Values, _context: Context) -> Iterator[Problem]:
    # How Supabase's platform makes the checksum of its own is not told anywhere.
    if _of_others(values):
        return
    for name, (prefix, known) in secret_values.OPAQUE.items():
        key = _readable(values, name)
        if key and key != known and not keys.is_opaque_key(key, prefix):
            yield Problem(
                path=(name,),
                value=None,
                reason=f"it is not a key of a self-hosted stack: {prefix}, 22 characters, _ and the checksum of both",
                fix="take it over whole from where it was made, or leave it out: it is made",
            )


def _certificate(values: Values) -> str | None:
    """The gateway's certificate, where there is a gateway."""
    supabase = values["supabase"]
    text: str | None = supabase["gateway"].get("tlsCertificate")
    return text if supabase["enabled"] and supabase["gateway"]["enabled"] else None


_CERTIFICATE: Final = ("supabase", "gateway", "tlsCertificate")
_OF_GATEWAY: Final = ("supabase.enabled", "supabase.gateway.enabled", ".".join(_CERTIFICATE))


@rule(*_OF_GATEWAY, "tlsKey")
def _certificate_belongs_to_its_key(values: Values, _context: Context) -> Iterator[Problem]:
    certificate, key = _certificate(values), _readable(values, "tlsKey")
    if certificate and key and not certificates.belongs(certificate, key):
        yield Problem(
            path=("tlsKey",),
            value=None,
            reason="it is not the key of supabase.gateway.tlsCertificate, so the gateway would not start",
            fix="give both from the same place, and among several certificates the server's own first",
        )


@rule(*_OF_GATEWAY)
def _certificate_has_not_ended(values: Values, context: Context) -> Iterator[Problem]:
    certificate = _certificate(values)
    if certificate and (end := certificates.days(certificate)[1]) < context.today:
        key = key_text(context.project, _CERTIFICATE)
        yield Problem(
            path=_CERTIFICATE,
            value="(a certificate)",
            reason=f"it, or one of those it rests on, ended on {end}: no client would take it",
            fix=f"have it renewed: pulumi config set --path '{key}' --stack {context.stack} < fullchain.pem",
        )


@rule("logflarePublicAccessToken", "logflarePrivateAccessToken")
def _logflare_has_two_tokens(values: Values, _context: Context) -> Iterator[Problem]:
    public, private = (_readable(values, f"logflare{kind}AccessToken") for kind in ("Public", "Private"))
    if public and public == private:
        yield Problem(
            path=("logflarePrivateAccessToken",),
            value=None,
            reason="it is the public token too: whoever may send logs could read and manage all of them",
            fix="choose another one, or leave it out: it is generated",
        )


@rule("supabase.keys.issuedAt", "supabase.keys.expiresAt")
def _keys_end_after_they_begin(values: Values, _context: Context) -> Iterator[Problem]:
    issued, expires = values["supabase"]["keys"]["issuedAt"], values["supabase"]["keys"]["expiresAt"]
    if expires <= issued:
        yield Problem(
            path=("supabase", "keys", "expiresAt"),
            value=shown(str(expires)),
            reason=f"the keys would end before they begin (supabase.keys.issuedAt = {issued})",
            fix="choose a later day",
        )


@rule("compat", "target", "bindAddress", "docker.host")
def _published_keys_stay_on_this_machine(values: Values, context: Context) -> Iterator[Problem]:
    if values["compat"] is not Compat.CLI:
        return
    reason = None
    host = values["docker"].get("host") or context.docker_host
    if values["target"] is not Target.DOCKER:
        reason = f"target is {values['target'].value}"
    elif not ipaddress.ip_address(values["bindAddress"]).is_loopback:
        reason = f"bindAddress is {values['bindAddress']}, which others reach"
    elif not _is_here(host):
        reason = f"the Docker daemon is on another machine ({'docker.host' if 'host' in values['docker'] else 'DOCKER_HOST'})"
    if reason:
        yield Problem(
            path=("compat",),
            value=shown(Compat.CLI.value),
            reason=f"the Supabase CLI's keys and password are published, so they are only for this machine: {reason}",
            fix='remove it, or use it with target docker, a loopback bindAddress as "127.0.0.1" and a local Docker daemon',
        )


def _is_here(host: str | None) -> bool:
    """Whether the address of a Docker daemon is this machine's; None: its usual socket."""
    url = urlsplit(host or "unix:///")
    if url.scheme != "tcp":
        return url.scheme in ("unix", "npipe")
    try:
        return url.hostname == "localhost" or ipaddress.ip_address(url.hostname or "").is_loopback
    except ValueError:
        return False


@rule("compat")
def _published_keys_are_not_mixed_with_own_ones(values: Values, context: Context) -> Iterator[Problem]:
    if values["compat"] is not Compat.CLI:
        return
    for name in secret_settings.cli():
        if name in context.secrets:
            yield Problem(
                path=(name,),
                value=None,
                reason="compat is cli, which gives the Supabase CLI's own in its place",
                fix=f"run: pulumi config rm {key_text(context.project, (name,))} --stack {context.stack}, or remove compat",
            )


def key_warnings(values: Values, context: Context) -> Iterator[str]:
    """Keys that have not begun, end within 60 days, or have ended, one line each. A line does not count days: it is the same tomorrow.

    The gateway's certificate is among them, from 30 days before its end on.
    """
    if not values["supabase"]["enabled"]:
        return
    if certificate := _certificate(values):
        name, (begin, end) = key_text(context.project, _CERTIFICATE), certificates.days(certificate)
        if begin > context.today:
            yield f"{name}: the certificate begins on {begin}; clients refuse it before that day"
        if end - context.today <= CERTIFICATE_SOON:
            yield f"{name}: the certificate, or one of those it rests on, ends on {end}; have it renewed"
    if (issued := values["supabase"]["keys"]["issuedAt"]) > context.today:
        begins = key_text(context.project, ("supabase", "keys", "issuedAt"))
        yield f"{begins}: the stack's API keys begin on {issued}; services refuse them before that day (PostgREST: JWT issued at future)"
    for path, keys_end, end in _ends(values):
        if end - context.today <= SOON:
            late = "; that day has come" if end <= context.today else ""
            yield f"{key_text(context.project, path)}: {keys_end} on {end}{late}; {_REMEDY[path]}"


_REMEDY: Final[dict[tuple[str, ...], str]] = {
    ("supabase", "keys", "expiresAt"): "choose a later day, and give the new keys to all that use the old ones",
    ("anonKey",): "give a new one, signed with jwtSecret, to the stack and to all that use it",
    ("serviceRoleKey",): "give a new one, signed with jwtSecret, to the stack and to all that use it",
    ("compat",): "a newer Supastack may know those of a newer Supabase CLI; else take the stack's own",
}


def _ends(values: Values) -> Iterator[tuple[tuple[str, ...], str, date]]:
    """Where it is said when keys end, whose, and the day on which they do."""
    made: Any = values["supabase"]["keys"]
    own = {name for name in _ROLE_KEYS if values.get(name)}
    if values["compat"] is Compat.CLI:
        yield ("compat",), "the Supabase CLI's keys end", _day(cli_keys.EXPIRES)
        own = set(_ROLE_KEYS)
    if len(own) < len(_ROLE_KEYS) or made.get("asymmetric") is not False:
        yield ("supabase", "keys", "expiresAt"), "the stack's API keys end", made["expiresAt"]
    for name in _ROLE_KEYS:
        if (key := _readable(values, name)) and (end := keys.expiry(key)) is not None:
            yield (name,), "this key ends", _day(end)


def _day(end: int) -> date:
    """The day of a time in seconds; the last that there is for one after it."""
    last = datetime.max.replace(tzinfo=UTC)
    return (datetime.fromtimestamp(end, UTC) if end < last.timestamp() else last).date()
