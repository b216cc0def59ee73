"""What the settings of a managed Supabase project, and of a stack that runs nothing, can't say together."""

import binascii
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from components import keys, managed
from components.database_contradictions import not_scheduled
from components.setting_contradictions import Context, Values, rule
from components.setting_schema import Problem, default_of, key_text, shown
from components.setting_types import Compat, SupabaseSettings, Target
from components.supabase_settings.database_engine import DatabaseEngine
from components.supabase_settings.managed import ManagedSslMode

EXTERNAL: Final = "external"
"""The engine of a capability that others run."""
_PATH: Final = ("supabase", "managed")
_ROLE_KEYS: Final = {"anonKey": keys.ANON, "serviceRoleKey": keys.SERVICE_ROLE}
_OF_A_PROJECT: Final = frozenset(
    {
        *("databasePassword", "jwtSecret", "publishableKey", "secretKey", "s3ProtocolAccessKeyId", "s3ProtocolAccessKeySecret"),
        *_ROLE_KEYS,
    }
)
"""Secret settings that a managed project has a use for."""


def as_ruled(values: Values) -> Values:
    """The values as the rules are to see them: where others run the project, the stack's own Supabase is off."""
    supabase = values.get("supabase")
    if not isinstance(supabase, Mapping) or "ref" not in supabase.get("managed", {}):
        return values
    if not supabase.get("enabled", True):
        return {**values, "supabase": {**supabase, "managed": {}}}
    return {**values, "supabase": {**supabase, "enabled": False}}


def _project(values: Values) -> Mapping[str, Any] | None:
    """Settings of the managed project; None where there is none."""
    given: Mapping[str, Any] = values["supabase"]["managed"]
    return given if "ref" in given else None


@rule("target", "supabase.enabled", "supabase.managed.ref")
def _the_project_is_named(values: Values, context: Context) -> Iterator[Problem]:
    if values["target"] is Target.MANAGED and values["supabase"]["enabled"] and _project(values) is None:
        yield Problem(
            path=(*_PATH, "ref"),
            value=None,
            reason="target is managed, so the stack runs no Supabase of its own, and nothing names the project that it uses",
            fix=f"give the project's reference: pulumi config set --path {context.project}:supabase.managed.ref REF --stack "
            f"{context.stack}; or turn it off: supabase.enabled: false",
        )


@rule("target", "cache.enabled", "cache.engine", "objectStorage.enabled", "objectStorage.engine", "plainDatabase.enabled")
def _nothing_runs_on_the_managed_target(values: Values, _context: Context) -> Iterator[Problem]:
    if values["target"] is not Target.MANAGED:
        return
    reason = "target is managed: the stack runs nothing, it only tells of what others run"
    for group in ("cache", "objectStorage"):
        engine = values[group]["engine"]
        if values[group]["enabled"] and engine.value != EXTERNAL:
            yield Problem(
                path=(group, "engine"),
                value=shown(engine.value),
                reason=reason,
                fix=f"name one that others run, with engine: external, or turn it off: {group}.enabled: false",
            )
    if values["plainDatabase"].get("enabled"):
        yield Problem(
            path=("plainDatabase", "enabled"), value=shown(True), reason=reason, fix="remove it, or choose another target"
        )


@rule("supabase.enabled", "supabase.managed", "databasePassword", "compat")
def _the_databases_password_is_given(values: Values, context: Context) -> Iterator[Problem]:
    if _project(values) is not None and "databasePassword" not in context.secrets and values["compat"] is not Compat.CLI:
        yield Problem(
            path=("databasePassword",),
            value=None,
            reason="the project has its password already, and nobody can make it here",
            fix=f"run: pulumi config set --secret {context.project}:databasePassword --stack {context.stack}  (it asks for the value)",
            missing=("databasePassword",),
        )


@rule("compat", "supabase.enabled", "supabase.managed")
def _published_keys_are_not_the_projects(values: Values, _context: Context) -> Iterator[Problem]:
    if _project(values) is not None and values["compat"] is Compat.CLI:
        yield Problem(
            path=("compat",),
            value=shown(Compat.CLI.value),
            reason="the Supabase CLI's keys and password are those of local stacks; the project has its own",
            fix="remove it",
        )


@rule("supabase.enabled", "supabase.managed", "supabase.projectRef", "supabase.database.engine")
def _there_is_one_project(values: Values, _context: Context) -> Iterator[Problem]:
    given, supabase = _project(values), values["supabase"]
    if given is None:
        return
    own = supabase.get("projectRef")
    if own is not None and own != given["ref"]:
        reason = f"supabase.managed.ref says {given['ref']} for the same"
        yield Problem(path=("supabase", "projectRef"), value=shown(own), reason=reason, fix="remove it")
    engine = supabase["database"]["engine"]
    if engine is not DatabaseEngine.BUILTIN:
        yield Problem(
            path=("supabase", "database", "engine"),
            value=shown(engine.value),
            reason="supabase.managed.ref names a project that others run with its database: there would be two",
            fix="remove one of the two",
        )


@rule("supabase.enabled", "supabase.managed.region", "supabase.managed.poolerHost")
def _the_pooler_is_in_the_region(values: Values, _context: Context) -> Iterator[Problem]:
    given = _project(values) or {}
    said = managed.region_of(given.get("poolerHost"))
    if said is not None and given.get("region", said) != said:
        yield Problem(
            path=(*_PATH, "region"),
            value=shown(given["region"]),
            reason=f"the pooler of a project stands beside it, and poolerHost is in {said}",
            fix="take both from the project's dashboard, or remove it: poolerHost says the region",
        )


@rule("supabase.enabled", "supabase.managed.sslmode", "supabase.managed.caCertificate", "supabase.managed.sslRootCert")
def _certificates_can_be_verified(values: Values, context: Context) -> Iterator[Problem]:
    given = _project(values)
    if given is None:
        return
    mode = given.get("sslmode")
    if mode in (ManagedSslMode.VERIFY_CA, ManagedSslMode.VERIFY_FULL) and not {"caCertificate", "sslRootCert"} & given.keys():
        yield Problem(
            path=(*_PATH, "sslmode"),
            value=shown(mode.value),
            reason="nothing says by whose certificate: Supabase's platform signs with an authority of its own, which no machine knows",
            fix="download it in the dashboard (database settings, SSL) and name the file: supabase.managed.caCertificate",
        )
    if "caCertificate" in given and (wrong := not_a_certificate(context.root / given["caCertificate"])):
        yield Problem(
            path=(*_PATH, "caCertificate"),
            value=shown(given["caCertificate"]),
            reason=wrong,
            fix="download it in the project's dashboard (database settings, SSL); a path starts from the project's folder",
        )


def not_a_certificate(path: Path) -> str | None:
    """What is wrong with a file that should hold a certificate in PEM; None: nothing. Read here, since all connections hang on it."""
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        return f"the file can't be read: {error.strerror}"
    except UnicodeDecodeError:
        text = ""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    body = text.partition(begin)[2].partition(end)
    try:
        found = bool(body[1]) and bool(binascii.a2b_base64("".join(body[0].split()), strict_mode=True))
    except binascii.Error:
        found = False
    return None if found else "there is no certificate in PEM in that file"


@rule("supabase.enabled", "supabase.managed", *_ROLE_KEYS)
def _keys_are_the_projects(values: Values, context: Context) -> Iterator[Problem]:
    given = _project(values)
    if given is None:
        return
    fix = "take both keys from the same project's dashboard (API keys), whole"
    for name in _ROLE_KEYS:
        key = values.get(name)
        if not isinstance(key, str):
            continue
        claims, end = keys.unverified(key)[1], keys.expiry(key)
        if claims.get("ref") != given["ref"]:
            # The other project is not named: the value is a secret.
            reason = "it is the key of another project: its claim ref is not supabase.managed.ref"
            yield Problem(path=(name,), value=None, reason=reason, fix=fix)
        if end is not None and end < keys.seconds(context.today):
            reason = "it has ended (claim exp): the project refuses it"
            fix_of_it = "make a new one in the project's dashboard (JWT keys), and give it here and to all that use it"
            yield Problem(path=(name,), value=None, reason=reason, fix=fix_of_it)


# -- warnings --------------------------------------------------------------------------------------------------------


def managed_warnings(values: Values, context: Context) -> Iterator[str]:
    """Settings without effect, and what is worth saying, one line each. `values`: as they are. The settings have no problem."""

    def key(*path: str) -> str:
        return key_text(context.project, path)

    supabase, given = values["supabase"], values["supabase"]["managed"]
    differing = [name for name, value in given.items() if value != default_of(SupabaseSettings)["managed"].get(name)]
    if "ref" not in given:
        yield from (f"{key(*_PATH, name)} has no effect without {key(*_PATH, 'ref')}" for name in differing)
        return
    if not supabase["enabled"]:
        yield f"{key(*_PATH, 'ref')} has no effect: {key('supabase', 'enabled')} is false"
        return
    for name in _written(supabase):
        yield f"{key('supabase', name)} has no effect: the project of {key(*_PATH, 'ref')} is run by others, who decide that"
    yield from not_scheduled(supabase["database"], context)
    for name in sorted(context.secrets):
        top = name.partition(".")[0]
        if top in _of_services() and top not in _OF_A_PROJECT:
            yield f"{key(*name.split('.'))} has no effect: it is for a service that the stack would run, and others run the project"
    if given.get("apiUrl", "").startswith("http://"):
        yield f"{key(*_PATH, 'apiUrl')} is http: keys and what users send travel unencrypted"
    if values["target"] is Target.MANAGED and values.get("images"):
        yield from (
            f"{key('images', name)} has no effect: target is managed" for name, given in values["images"].items() if given
        )


def _of_services() -> frozenset[str]:
    from components import secret_settings

    return frozenset((*secret_settings.SINGLE, *secret_settings.MAPPINGS))


def _written(supabase: Mapping[str, Any]) -> list[str]:
    """The groups of the stack's own Supabase that say something else than they would by default."""
    from components.setting_groups import complete

    usual = complete("supabase", {})
    told = ("testSchema", "createTestSchema", "schedule")
    mine = ("enabled", "managed", "projectRef")
    # Their own database may have a schema for tests, too, and apps are told of the tasks.

    def without(groups: Mapping[str, Any]) -> dict[str, Any]:
        return {**groups, "database": {name: value for name, value in groups["database"].items() if name not in told}}

    own, usual = without(supabase), without(usual)
    return [name for name, value in sorted(own.items()) if name not in mine and value != usual.get(name)]
