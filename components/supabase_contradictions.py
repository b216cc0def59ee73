"""What the settings of the Supabase services can't say together: what needs what, and what adapts."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from components.setting_contradictions import Context, Values, rule
from components.setting_schema import Path, Problem, key_text, shown
from components.setting_types import ObjectStorageEngine
from components.supabase_settings.auth_phone import VARIABLES
from components.supabase_settings.storage import StorageBackend


@dataclass(frozen=True)
class _Need:
    """One service can't do without another."""

    service: str
    needed: str
    why: str
    named: str
    """The one of both whose setting is not the default, and which the user therefore wrote."""


_NEEDS: Final = (
    _Need("studio", "meta", "Studio does all its work on the database through it", "meta"),
    _Need(
        "studio", "gateway", "Studio has no login of its own: the gateway's is the only one, and the way to the API", "gateway"
    ),
    _Need("storage", "rest", "Storage asks it for the rights of its files", "rest"),
    _Need("vector", "analytics", "Vector has nowhere else to bring the logs", "vector"),
)


def _runs(values: Values, service: str) -> bool:
    supabase = values["supabase"]
    return bool(supabase["enabled"] and supabase[service]["enabled"])


@rule("supabase.enabled", *(f"supabase.{name}.enabled" for need in _NEEDS for name in (need.service, need.needed)))
def _what_is_needed_is_there(values: Values, _context: Context) -> Iterator[Problem]:
    for need in _NEEDS:
        if _runs(values, need.service) and not _runs(values, need.needed):
            yield Problem(
                path=("supabase", need.named, "enabled"),
                value=shown(values["supabase"][need.named]["enabled"]),
                reason=f"{need.service} needs {need.needed}: {need.why}",
                fix=f"turn {need.needed} on, or turn {need.service} off: supabase.{need.service}.enabled: false",
            )


# -- the way out -----------------------------------------------------------------------------------------------------

_PLACES: Final[Mapping[str, Mapping[str, str | None]]] = {
    "postgres": {"PGDATA": None, "POSTGRES_DB": "supabase.database.name"},
    "storage": {"FILE_STORAGE_BACKEND_PATH": None, "GLOBAL_S3_BUCKET": "supabase.storage.bucket"},
    "studio": {"SNIPPETS_MANAGEMENT_FOLDER": None},
}
"""Variables that say where data are kept, by service, with the setting that says it instead."""


@rule("supabase.services", "serviceSecrets")
def _data_stay_where_their_volumes_are(values: Values, context: Context) -> Iterator[Problem]:
    for service, variables in _PLACES.items():
        given = values["supabase"]["services"].get(service, {}).get("env", {})
        for variable, setting in variables.items():
            places: dict[Path, bool] = {
                ("supabase", "services", service, "env", variable): variable in given,
                ("serviceSecrets", service, variable): f"serviceSecrets.{service}.{variable}" in context.secrets,
            }
            for path in (path for path, there in places.items() if there):
                reason = "it says where the data are: elsewhere they would go with the container, or not be found"
                yield Problem(path=path, value=None, reason=reason, fix=f"use {setting}" if setting else "remove it")


# -- gateway ---------------------------------------------------------------------------------------------------------


@rule("supabase.enabled", "supabase.gateway.enabled", "supabase.gateway.tlsCertificate", "tlsKey")
def _certificate_has_its_key(values: Values, context: Context) -> Iterator[Problem]:
    if _runs(values, "gateway") and "tlsCertificate" in values["supabase"]["gateway"] and "tlsKey" not in context.secrets:
        path, fix = ("supabase", "gateway", "tlsCertificate"), _set_secret(context, "tlsKey")
        yield Problem(path=path, value="(a certificate)", reason="its key is not given", fix=fix, missing=("tlsKey",))


# -- auth ------------------------------------------------------------------------------------------------------------


def _has_secret(context: Context, setting: str, name: str) -> bool:
    """Whether a secret is in a mapping of secrets; in one that can't be read as a whole, it is taken for there."""
    return setting in context.secrets or f"{setting}.{name}" in context.secrets


def _set_secret(context: Context, setting: str, name: str | None = None) -> str:
    key = key_text(context.project, (setting,) if name is None else (setting, name))
    path = "" if name is None else "--path "
    return f"run: pulumi config set --secret {path}'{key}' --stack {context.stack}"


def _hook_runs(auth: Values, name: str) -> bool:
    return bool(auth["hooks"].get(name, {}).get("enabled"))


@rule(
    *("supabase.enabled", "supabase.mail.enabled", "supabase.auth.enabled", "supabase.auth.hooks", "supabase.auth.smtp.host"),
    *("supabase.auth.email.enabled", "supabase.auth.email.enableConfirmations"),
)
def _mails_can_be_sent(values: Values, _context: Context) -> Iterator[Problem]:
    auth = values["supabase"]["auth"]
    asked = _runs(values, "auth") and auth["email"]["enabled"] and auth["email"]["enableConfirmations"]
    if asked and not _runs(values, "mail") and "host" not in auth["smtp"] and not _hook_runs(auth, "send_email"):
        yield Problem(
            path=("supabase", "mail", "enabled"),
            value=shown(values["supabase"]["mail"]["enabled"]),
            reason="users must confirm their address, and without the mail catcher there is no server that takes the mail: "
            "every sign-up would fail",
            fix="give supabase.auth.smtp.host, or turn off supabase.auth.email.enableConfirmations, or leave the mail catcher on",
        )


@rule("supabase.enabled", "supabase.auth.enabled", "supabase.auth.smtp", "smtpPassword")
def _smtp_login_is_complete(values: Values, context: Context) -> Iterator[Problem]:
    smtp, path = values["supabase"]["auth"]["smtp"], ("supabase", "auth", "smtp", "user")
    if not _runs(values, "auth") or "user" not in smtp:
        return
    if "host" not in smtp:
        reason = "there is no server that it is for: the stack's own mail catcher takes no login"
        yield Problem(path=path, value=shown(smtp["user"]), reason=reason, fix="give supabase.auth.smtp.host, or remove it")
    elif "smtpPassword" not in context.secrets:
        reason = "there is no password to it"
        fix, missing = _set_secret(context, "smtpPassword"), ("smtpPassword",)
        yield Problem(path=path, value=shown(smtp["user"]), reason=reason, fix=fix, missing=missing)


@rule("supabase.enabled", "supabase.auth.enabled", "supabase.auth.external", "authProviderSecrets")
def _providers_are_complete(values: Values, context: Context) -> Iterator[Problem]:
    if not _runs(values, "auth"):
        return
    for name, provider in sorted(values["supabase"]["auth"]["external"].items()):
        path = ("supabase", "auth", "external", name)
        if not provider["enabled"]:
            continue
        if "clientId" not in provider:
            fix = "give the client id that the provider gave out, or turn the provider off"
            yield Problem(path=(*path, "clientId"), value=None, reason="nobody could sign in by it without one", fix=fix)
        # GoTrue: "unable to find URL for the Keycloak provider".
        if name == "keycloak" and "url" not in provider:
            fix = 'give the address of the realm, as in "https://keycloak.example.com/realms/main"'
            yield Problem(path=(*path, "url"), value=None, reason="Keycloak has no address of its own", fix=fix)
        if not _has_secret(context, "authProviderSecrets", name):
            fix = _set_secret(context, "authProviderSecrets", name)
            reason, missing = "the provider's secret is not given", ("authProviderSecrets", name)
            yield Problem(path=(*path, "enabled"), value=shown(True), reason=reason, fix=fix, missing=missing)


@rule("supabase.enabled", "supabase.auth.enabled", "supabase.auth.hooks", "authHookSecrets")
def _hooks_are_complete(values: Values, context: Context) -> Iterator[Problem]:
    if not _runs(values, "auth"):
        return
    for name, hook in sorted(values["supabase"]["auth"]["hooks"].items()):
        path = ("supabase", "auth", "hooks", name)
        if not hook["enabled"]:
            continue
        if "uri" not in hook:
            fix = "give the function of the database, or the address, or turn the hook off"
            yield Problem(path=(*path, "uri"), value=None, reason="there is nothing to ask", fix=fix)
        elif hook["uri"].startswith("http") and not _has_secret(context, "authHookSecrets", name):
            reason = "the secret that its requests are signed with is not given"
            fix, missing = _set_secret(context, "authHookSecrets", name), ("authHookSecrets", name)
            yield Problem(path=(*path, "enabled"), value=shown(True), reason=reason, fix=fix, missing=missing)


def _sends_codes(auth: Values) -> tuple[str, ...] | None:
    """The setting because of which text messages are sent; None where none are."""
    if auth["sms"]["enabled"] and auth["sms"]["enableConfirmations"]:
        return ("sms", "enableConfirmations")
    return ("mfa", "phone", "enrollEnabled") if auth["mfa"]["phone"].get("enrollEnabled") else None


@rule(
    *("supabase.enabled", "supabase.auth.enabled", "supabase.auth.hooks", "supabase.auth.sms"),
    *("supabase.auth.mfa.phone.enrollEnabled", "authSmsSecrets"),
)
def _codes_can_be_sent(values: Values, context: Context) -> Iterator[Problem]:
    auth: Any = values["supabase"]["auth"]
    asked = _sends_codes(auth) if _runs(values, "auth") else None
    if asked is None or _hook_runs(auth, "send_sms"):
        return
    provider = auth["sms"].get("provider")
    if provider is None:
        reason = "nobody is named who sends text messages"
        fix = "give supabase.auth.sms.provider, or the hook send_sms, or turn this off"
        yield Problem(path=("supabase", "auth", *asked), value=shown(True), reason=reason, fix=fix)
        return
    group, variables, secret = VARIABLES[provider]
    for setting in variables:
        if setting not in auth["sms"][group]:
            missing = ("supabase", "auth", "sms", group, setting)
            yield Problem(
                path=missing, value=None, reason=f"{provider.value} needs it", fix="take it over from the provider's page"
            )
    if not _has_secret(context, "authSmsSecrets", secret):
        path = ("supabase", "auth", "sms", "provider")
        fix = _set_secret(context, "authSmsSecrets", secret)
        reason, held = "the provider's secret is not given", ("authSmsSecrets", secret)
        yield Problem(path=path, value=shown(provider.value), reason=reason, fix=fix, missing=held)


# -- storage ---------------------------------------------------------------------------------------------------------


@rule(
    *("supabase.enabled", "supabase.storage.enabled", "supabase.storage.backend", "supabase.storage.bucket"),
    *("objectStorage.enabled", "objectStorage.engine", "objectStorage.endpoint", "objectStorage.buckets"),
)
def _storage_has_its_store(values: Values, _context: Context) -> Iterator[Problem]:
    storage, store = values["supabase"]["storage"], values["objectStorage"]
    if not _runs(values, "storage") or storage["backend"] is not StorageBackend.S3:
        return
    path, value = ("supabase", "storage", "backend"), shown(StorageBackend.S3.value)
    if not store["enabled"]:
        reason = "the object store is turned off (objectStorage.enabled: false)"
        yield Problem(path=path, value=value, reason=reason, fix="turn it on, or keep the files on a volume: backend: file")
        return
    if storage["bucket"] not in store["buckets"]:
        yield Problem(
            path=("supabase", "storage", "bucket"),
            value=shown(storage["bucket"]),
            reason="the object store has no such bucket (objectStorage.buckets), and Storage makes none",
            fix=f"add {storage['bucket']} to objectStorage.buckets",
        )
    if store["engine"] is ObjectStorageEngine.EXTERNAL and _is_loopback(store.get("endpoint", "")):
        reason = "objectStorage.endpoint is a loopback address: inside Storage's container that is the container itself"
        yield Problem(path=path, value=value, reason=reason, fix="give the store's address in the network, or use backend: file")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# -- realtime --------------------------------------------------------------------------------------------------------


@rule("supabase.realtime.tables")
def _no_table_twice(values: Values, _context: Context) -> Iterator[Problem]:
    tables = values["supabase"]["realtime"]["tables"]
    for position, name in enumerate(tables):
        if name in tables[:position]:
            path = ("supabase", "realtime", "tables", position)
            yield Problem(path=path, value=shown(name), reason="it stands in the list twice", fix="remove one of them")


# -- storage ---------------------------------------------------------------------------------------------------------


@rule("supabase.storage.buckets")
def _policies_say_what_they_can(values: Values, _context: Context) -> Iterator[Problem]:
    for bucket, said in values["supabase"]["storage"]["buckets"].items():
        for name, policy in said["policies"].items():
            command = policy["command"].value
            for key, never in (("using", ("insert",)), ("withCheck", ("select", "delete"))):
                if key in policy and command in never:
                    other = "withCheck" if key == "using" else "using"
                    yield Problem(
                        path=("supabase", "storage", "buckets", bucket, "policies", name, key),
                        value=shown(policy[key]),
                        reason=f"a policy for {command} has no such condition",
                        fix=f"write it as {other}, or choose another command",
                    )


@rule("supabase.storage.buckets")
def _policies_have_names_of_their_own(values: Values, _context: Context) -> Iterator[Problem]:
    holders: dict[str, str] = {}
    for bucket, said in sorted(values["supabase"]["storage"]["buckets"].items()):
        for name in said["policies"]:
            if name in holders:
                yield Problem(
                    path=("supabase", "storage", "buckets", bucket, "policies", name),
                    value=None,
                    reason=f"bucket {holders[name]} has a policy of that name: all are policies on one table, storage.objects",
                    fix=f'give each its own name, as "{name[:40]} ({bucket[:15]})"',
                )
            holders.setdefault(name, bucket)


# -- warnings --------------------------------------------------------------------------------------------------------


def _without_effect(values: Values, context: Context) -> Iterator[str]:
    def key(*path: str) -> str:
        return key_text(context.project, path)

    supabase = values["supabase"]
    if supabase["storage"]["buckets"] and not _runs(values, "storage"):
        yield f"{key('supabase', 'storage', 'buckets')} has no effect: Storage is turned off"
    if supabase["realtime"]["tables"] and not _runs(values, "realtime"):
        yield f"{key('supabase', 'realtime', 'tables')} has no effect: Realtime is turned off"
    if _runs(values, "analytics") and not _runs(values, "vector"):
        yield f"{key('supabase', 'vector', 'enabled')} is false: nobody brings the services' logs to Logflare"
    host = values["docker"].get("host", "")
    if _runs(values, "functions") and "folder" in supabase["functions"] and host and not host.startswith("unix://"):
        yield f"{key('supabase', 'functions', 'folder')} is a folder of the machine of {key('docker', 'host')}, not of this one"


def service_warnings(values: Values, context: Context) -> Iterator[str]:
    """What is allowed but worth saying of the services, one line each."""
    if not values["supabase"]["enabled"]:
        return
    yield from _without_effect(values, context)

    def key(*path: str) -> str:
        return key_text(context.project, path)

    supabase = values["supabase"]
    smtp = supabase["auth"]["smtp"]
    if not _runs(values, "gateway"):
        yield (
            f"{key('supabase', 'gateway', 'enabled')} is false: nobody outside the stack reaches the API and the functions, and "
            "functions are not told where it is"
        )
    if _runs(values, "storage") and supabase["storage"]["imageTransformation"]["enabled"] and not _runs(values, "imgproxy"):
        yield f"{key('supabase', 'imgproxy', 'enabled')} is false: Storage gives images as they are"
    if _runs(values, "imgproxy") and not _runs(values, "storage"):
        yield f"{key('supabase', 'storage', 'enabled')} is false: nobody asks imgproxy for anything"
    if (
        _runs(values, "auth")
        and not _runs(values, "mail")
        and "host" not in smtp
        and not _hook_runs(supabase["auth"], "send_email")
    ):
        yield f"{key('supabase', 'mail', 'enabled')} is false and there is no SMTP server: nobody can have a new password sent"
    if "smtpPassword" in context.secrets and "user" not in smtp:
        yield f"{key('smtpPassword')} has no effect without {key('supabase', 'auth', 'smtp', 'user')}"
    if _runs(values, "auth") and supabase["auth"]["sms"]["enabled"] and not supabase["auth"]["sms"]["enableConfirmations"]:
        yield f"{key('supabase', 'auth', 'sms', 'enableConfirmations')} is false: whoever names a phone number has it"
