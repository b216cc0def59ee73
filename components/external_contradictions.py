"""What the settings of a cache and an object store that others run can't say together, and which of them have no effect."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.cache_address import is_loopback
from components.external_settings import ExternalCacheSettings
from components.managed_contradictions import not_a_certificate
from components.others_database import only_used
from components.setting_contradictions import Context, Values, rule
from components.setting_schema import Problem, default_of, key_text, shown
from components.setting_types import CacheEngine, CacheSettings, ObjectStorageEngine
from components.setting_values import bytes_of
from components.supabase_settings.database_engine import BackupStore, DatabaseEngine
from components.tenant_settings import Tier

_OWN_CACHE: Final = ("memory", "maxMemory", "evictionPolicy", "appendOnly", "appendFsync", "commander")
"""Settings of a server that the stack runs."""
TAKEN: Final = frozenset(
    {
        *("public", "auth", "storage", "realtime", "extensions", "graphql", "graphql_public", "vault", "pgbouncer"),
        *("supabase_functions", "supabase_migrations", "cron", "net", "information_schema"),
    }
)
"""Schemas of PostgreSQL and Supabase, and the one that apps work in unless told."""


@rule("cache.enabled", "cache.engine", "cache.external", "cachePassword")
def _an_external_cache_is_named(values: Values, context: Context) -> Iterator[Problem]:
    cache = values["cache"]
    if not cache["enabled"] or cache["engine"] is not CacheEngine.EXTERNAL:
        return
    external, path = cache["external"], ("cache", "external")
    if "host" not in external:
        yield Problem(
            path=(*path, "host"),
            value=None,
            reason="engine is external, and nothing says where the cache is",
            fix='give its name or address, as in "eu1-fit-cat-12345.upstash.io"',
        )
    if external["anonymous"] and "user" in external:
        yield Problem(
            path=(*path, "user"),
            value=None,
            reason="cache.external.anonymous says that nobody logs in",
            fix="keep one of the two",
        )
    elif not external["anonymous"] and "cachePassword" not in context.secrets:
        yield Problem(
            path=("cachePassword",),
            value=None,
            reason="an external cache has its password, and nobody else can make it",
            fix=f"run: pulumi config set --secret {context.project}:cachePassword --stack {context.stack}"
            "  (where the server asks for none, set cache.external.anonymous)",
            missing=("cachePassword",),
        )


@rule("cache.enabled", "cache.engine", "cache.external", "objectStorage", "supabase.enabled", "supabase.database")
def _authorities_can_be_read(values: Values, context: Context) -> Iterator[Problem]:
    for path, given in _authorities(values):
        if wrong := not_a_certificate(context.root / given):
            fix = "name the authority's certificate, in PEM; a path starts from the project's folder"
            yield Problem(path=path, value=shown(given), reason=wrong, fix=fix)


def _authorities(values: Values) -> Iterator[tuple[tuple[str, ...], str]]:
    """Files of authorities that something is verified by, with their settings."""
    cache, store, supabase = values["cache"], values["objectStorage"], values["supabase"]
    if cache["enabled"] and cache["engine"] is CacheEngine.EXTERNAL and cache["external"]["tls"]:
        yield from _file(("cache", "external"), cache["external"])
    if store["enabled"] and store["engine"] is ObjectStorageEngine.EXTERNAL and store.get("endpoint", "").startswith("https:"):
        yield from _file(("objectStorage",), store)
    if supabase["enabled"] and supabase["database"]["engine"] is DatabaseEngine.EXTERNAL:
        yield from _file(("supabase", "database", "external"), supabase["database"]["external"])
    if supabase["enabled"] and "readReplicaCaCertificate" in supabase["database"] and supabase["database"]["readReplicas"]:
        yield ("supabase", "database", "readReplicaCaCertificate"), supabase["database"]["readReplicaCaCertificate"]


def _file(group: tuple[str, ...], settings: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    if "caCertificate" in settings:
        yield (*group, "caCertificate"), settings["caCertificate"]


@rule("supabase.database.testSchema", "supabase.database.createTestSchema")
def _tests_have_a_schema_of_their_own(values: Values, _context: Context) -> Iterator[Problem]:
    supabase = values["supabase"]
    schema = supabase["database"].get("testSchema")
    if schema in TAKEN:
        yield Problem(
            path=("supabase", "database", "testSchema"),
            value=shown(schema),
            reason="tests empty and drop what is in their schema, and this one holds what is no test's",
            fix='choose another, as "test"',
        )
    if schema is None and supabase["database"]["createTestSchema"]:
        yield Problem(
            path=("supabase", "database", "createTestSchema"),
            value=shown(True),
            reason="nothing says which schema that is",
            fix='name it: supabase.database.testSchema, as "test"; or remove it',
        )


def external_warnings(values: Values, context: Context) -> Iterator[str]:
    """What is allowed but worth saying of what others run, one line each. The settings have no problem."""
    yield from _of_the_cache(values["cache"], context)
    if values["verify"] and not _others_run_something(values):
        yield f"{key_text(context.project, ('verify',))} has no effect: the stack runs everything itself"
    database = values["supabase"]["database"]
    if database["createTestSchema"] and "ref" not in values["supabase"]["managed"] and not only_used(database):
        create = key_text(context.project, ("supabase", "database", "createTestSchema"))
        yield f"{create} has no effect: a database that the stack runs or prepares has the schema anyway"
    if "caCertificate" in database["external"] and database["engine"] is DatabaseEngine.EXTERNAL and not values["verify"]:
        path = ("supabase", "database", "external", "caCertificate")
        yield f"{key_text(context.project, path)} has no effect: {key_text(context.project, ('verify',))} is false"
    if values["supabase"]["enabled"]:
        yield from _of_replicas(database, values["verify"], context)
    store = values["objectStorage"]
    if "caCertificate" in store and store["enabled"]:
        key = key_text(context.project, ("objectStorage", "caCertificate"))
        if store["engine"] is not ObjectStorageEngine.EXTERNAL:
            yield f"{key} has no effect: {key_text(context.project, ('objectStorage', 'engine'))} is {store['engine'].value}"
        elif store["endpoint"].startswith("http://"):
            yield f"{key} has no effect: {key_text(context.project, ('objectStorage', 'endpoint'))} is http"


def _of_replicas(database: Mapping[str, Any], verify: bool, context: Context) -> Iterator[str]:
    def key(name: str) -> str:
        return key_text(context.project, ("supabase", "database", name))

    for name in ("readReplicaSslmode", "readReplicaCaCertificate"):
        if name in database and not database["readReplicas"]:
            yield f"{key(name)} has no effect: {key('readReplicas')} names no server"
    if "readReplicaCaCertificate" in database and database["readReplicas"] and not verify:
        yield f"{key('readReplicaCaCertificate')} has no effect: {key_text(context.project, ('verify',))} is false"


def _others_run_something(values: Values) -> bool:
    """Whether there is something to ask."""
    cache, store, supabase = values["cache"], values["objectStorage"], values["supabase"]
    return bool(
        (cache["enabled"] and cache["engine"] is CacheEngine.EXTERNAL)
        or (store["enabled"] and store["engine"] is ObjectStorageEngine.EXTERNAL)
        or "ref" in supabase["managed"]
        or (supabase["enabled"] and _others_run_a_database(supabase["database"]))
        or any(tenant["tier"] is Tier.ENTERPRISE for tenant in values["tenants"])
        or any("redisUrl" in secrets for secrets in values.get("tenantSecrets", {}).values())
    )


def _others_run_a_database(database: Mapping[str, Any]) -> bool:
    """Whether that is so of the stack's database, a replica of it, or the store of its backups."""
    backup = database["cnpg"]["backup"]
    backed_up = database["engine"] is DatabaseEngine.CLOUDNATIVEPG and "schedule" in backup
    return bool(
        database["engine"] is DatabaseEngine.EXTERNAL
        or database["readReplicas"]
        or (backed_up and backup["store"] is BackupStore.EXTERNAL)
    )


def _of_the_cache(cache: Mapping[str, Any], context: Context) -> Iterator[str]:
    def key(*path: str) -> str:
        return key_text(context.project, ("cache", *path))

    if not cache["enabled"]:
        return
    external, default = cache["external"], default_of(ExternalCacheSettings)
    if cache["engine"] is not CacheEngine.EXTERNAL:
        if any(value != default.get(name) for name, value in external.items()):
            yield f"{key('external')} has no effect: {key('engine')} is {cache['engine'].value}"
        return
    for name in _OWN_CACHE:
        if _differs(cache, name):
            yield f"{key(name)} has no effect: {key('engine')} is external, and whoever runs the cache decides that"
    if external["anonymous"] and "cachePassword" in context.secrets:
        yield f"{key_text(context.project, ('cachePassword',))} has no effect: {key('external', 'anonymous')} is true"
    if not external["tls"]:
        if "caCertificate" in external:
            yield f"{key('external', 'caCertificate')} has no effect: {key('external', 'tls')} is false"
        if not is_loopback(external["host"]):
            yield f"{key('external', 'tls')} is false: the password and what is cached travel unencrypted"


def _differs(cache: Mapping[str, Any], name: str) -> bool:
    value, default = cache[name], default_of(CacheSettings)[name]
    if isinstance(value, int) and isinstance(default, str):
        return value != bytes_of(default)
    return bool(value != default)
