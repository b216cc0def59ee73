"""What others run, as a stack's settings name it: where it is, what it is asked with, and which settings said so. Plain data."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import pulumi

from components import cache, managed, others_database
from components.endpoints import Endpoint
from components.managed import Project
from components.plan import Plan
from components.services.postgres import USER
from components.setting_groups import complete
from components.setting_types import ObjectStorageEngine
from components.settings import ROOT
from components.supabase_settings.database_engine import OWN_ROLES, BackupStore, DatabaseEngine, SslMode
from components.verification import tenant_cache

Held = Callable[[str], pulumi.Input[str] | None]
"""A secret setting by name; None where it is not given."""
Endpoints = Iterator[dict[str, Any]]

_API_KEYS: Final = ("anonKey", "serviceRoleKey", "publishableKey", "secretKey")
_BANNED: Final = (
    "or this machine's address is banned after wrong passwords, which looks the same: see the project's dashboard (Database settings, "
    "Network bans)"
)
"""Supabase's article 'Error: "Connection refused" when trying to connect to Supabase database'."""
_AMAZON: Final = "https://s3.{region}.amazonaws.com"


class _Named:
    """How settings and what mends them are spelled for a stack, or for one tenant of it."""

    def __init__(self, plan: Plan, tenant: str | None = None) -> None:
        self.project, self.stack, self.tenant = plan.settings.project, plan.settings.stack, tenant

    def what(self, thing: str) -> str:
        return thing if self.tenant is None else f"{thing} of tenant {self.tenant}"

    def key(self, *path: str) -> str:
        """The spelling of a setting; those of a managed project by their names in its group."""
        return f"{self.project}:{'.'.join(path)}"

    def of_project(self, name: str) -> str:
        return (
            self.key("supabase", "managed", name) if self.tenant is None else self.key(f"tenants[{self.tenant}]", "project", name)
        )

    def secret(self, name: str) -> str:
        return self.key(name) if self.tenant is None else self.key("tenantSecrets", self.tenant, name)

    def fix(self, name: str) -> str:
        path = "" if self.tenant is None else "--path "
        return f"pulumi config set --secret {path}{self.secret(name)} --stack {self.stack}"


def endpoints(plan: Plan) -> list[dict[str, Any]]:
    """Everything that is asked. Secrets in it are secret outputs."""
    found: list[dict[str, Any]] = []
    named, settings = _Named(plan), plan.settings
    if (project := settings.supabase.managed) is not None:
        found += _of_project(project, named, plan.secret)
        database = settings.given("supabase")["database"]
        if (schema := database.get("testSchema")) is not None and not database["createTestSchema"]:
            found[0] |= _schema(schema, named)
    elif settings.supabase.enabled:
        found += _of_database(plan, named)
    for tenant in settings.tenants:
        theirs = _Named(plan, tenant.id)
        if tenant.project is not None:
            found += _of_project(tenant.project, theirs, _held(tenant.secrets))
        if (url := tenant.secrets.get("redisUrl")) is not None:
            setting, fix = theirs.secret("redisUrl"), theirs.fix("redisUrl")
            found.append(tenant_cache.endpoint(url.get_secret_value(), theirs.what("the cache"), setting, fix))
    found += _of_cache(plan, named)
    found += _of_store(plan, named)
    return [_hidden(endpoint) for endpoint in found]


def session(plan: Plan) -> dict[str, Any]:
    """How a managed project's database is reached for statements of an own session: by the pooler, which has an IPv4 address, if it can."""
    project = plan.settings.supabase.managed
    assert project is not None
    found = {endpoint["what"]: endpoint for endpoint in _of_project(project, _Named(plan), plan.secret)}
    return _hidden(found.get("the pooler, session mode") or found["the database itself"])


def _schema(schema: str, named: _Named) -> dict[str, str]:
    """What is asked of a database in which the tests' schema has to be, since it is not made there."""
    return {
        "schema": schema,
        "schema_setting": named.key("supabase", "database", "testSchema"),
        "schema_fix": "make it there (CREATE SCHEMA), or have it made: supabase.database.createTestSchema",
    }


def _held(secrets: Mapping[str, Any]) -> Held:
    def held(name: str) -> pulumi.Input[str] | None:
        value = secrets.get(name)
        return None if value is None else str(value.get_secret_value())

    return held


def _hidden(endpoint: dict[str, Any]) -> dict[str, Any]:
    from components.verification.wrong import SECRET

    # What is not given stays away: the engine hands no null on.
    return {
        name: pulumi.Output.secret(value) if name in SECRET else value for name, value in endpoint.items() if value is not None
    }


# -- a Supabase project ----------------------------------------------------------------------------------------------


def _of_project(project: Project, named: _Named, held: Held) -> Endpoints:
    def database(what: str, at: Endpoint, user: str, setting: str, user_setting: str) -> dict[str, Any]:
        return {
            "kind": "postgres",
            "what": named.what(what),
            "at": str(at),
            "setting": named.of_project(setting),
            "host": at.host,
            "port": at.port,
            "user": user,
            "user_setting": named.of_project(user_setting),
            "database": project.database,
            "database_setting": named.of_project("database"),
            "password": held("databasePassword"),
            "password_setting": named.secret("databasePassword"),
            "password_fix": named.fix("databasePassword"),
            # Whatever the apps are told: who asks whether all is well wants to know whom it asked.
            "sslmode": "verify-full",
            "ca": project.ca_certificate,
            "banned_fix": _BANNED,
        }

    own = project.database_user
    at = Endpoint(project.database_host, project.database_port)
    yield database("the database itself", at, own, "databaseHost", "databaseUser")
    if (host := project.pooler_host) is not None:
        # In this order a password is tried where the one before can't be reached.
        ways = {
            "session": (project.pooler_session_port, "poolerSessionPort"),
            "transaction": (project.pooler_port, "poolerPort"),
        }
        for mode, (port, setting) in ways.items():
            said = "poolerHost" if port in (6543, 5432) else setting
            yield database(f"the pooler, {mode} mode", Endpoint(host, port), project.pooler_user, said, "poolerUser")
    for replica in project.replicas:
        yield database("a read replica", replica, own, "readReplicas", "databaseUser")
    yield from _of_api(project, named, held)
    yield from _of_storage(project, named, held)


def _of_api(project: Project, named: _Named, held: Held) -> Endpoints:
    given = [name for name in _API_KEYS if held(name) is not None]
    for name in given or (None,):
        yield {
            "kind": "api",
            "what": named.what("the API" if name is None else f"the API, asked with {name}"),
            "at": project.api_url,
            "setting": named.of_project("apiUrl" if not project.api_url.endswith(".supabase.co") else "ref"),
            "url": project.api_url,
            **_authority(project, project.api_url),
            **({} if name is None else {"key": held(name), "key_setting": named.secret(name), "key_fix": named.fix(name)}),
        }


def _authority(project: Project, url: str) -> dict[str, Any]:
    """What the certificate of an API is verified by: the machine's authorities, since the database's own signs no API of the platform.

    At a host of one's own, which may have any certificate, both count.
    """
    host = urlsplit(url).hostname or ""
    if project.ca_certificate is None or host.endswith(".supabase.co"):
        return {}
    return {"ca": project.ca_certificate, "ca_also": True}


def _of_storage(project: Project, named: _Named, held: Held) -> Endpoints:
    access, key = held("s3ProtocolAccessKeyId"), held("s3ProtocolAccessKeySecret")
    if access is None or key is None:
        return
    url = project.storage_s3_url
    yield {
        "kind": "store",
        "what": named.what("Storage's S3 endpoint"),
        "at": url,
        "setting": named.of_project("storageS3Url"),
        "url": url,
        "region": project.region or "us-east-1",
        "region_setting": named.of_project("region"),
        "access_key": access,
        "secret_key": key,
        "key_setting": named.secret("s3ProtocolAccessKeySecret"),
        "key_fix": named.fix("s3ProtocolAccessKeySecret"),
        **_authority(project, url),
    }


# -- an external database --------------------------------------------------------------------------------------------


def _of_database(plan: Plan, named: _Named) -> Endpoints:
    given: Any = complete("supabase", plan.settings.given("supabase"))
    database = given["database"]
    backup = database["cnpg"]["backup"]
    if database["engine"] is DatabaseEngine.CLOUDNATIVEPG and "schedule" in backup and backup["store"] is BackupStore.EXTERNAL:
        yield _of_backups(plan, named, backup)
    if database["engine"] is DatabaseEngine.EXTERNAL:
        yield _of_external(plan, named, database)
    for replica in database["readReplicas"]:
        yield _of_replica(plan, named, database, managed.endpoint(replica))


def _of_external(plan: Plan, named: _Named, database: Mapping[str, Any]) -> dict[str, Any]:
    at, path = database["external"], ("supabase", "database", "external")
    schema = None if others_database.makes_test_schema(database) else database.get("testSchema")
    secret = "databasePassword" if at["user"] in OWN_ROLES else "externalDatabasePassword"
    return {
        "kind": "postgres",
        "what": "the external database",
        "at": str(Endpoint(at["host"], at["port"])),
        "setting": named.key(*path, "host"),
        "host": at["host"],
        "port": at["port"],
        "user": at["user"],
        "user_setting": named.key(*path, "user"),
        "database": database["name"],
        "database_setting": named.key("supabase", "database", "name"),
        "password": plan.secret(secret),
        "password_setting": named.secret(secret),
        "password_fix": named.fix(secret),
        **_encryption(at["sslmode"], at.get("caCertificate")),
        **({} if schema is None else _schema(schema, named)),
    }


def _of_replica(plan: Plan, named: _Named, database: Mapping[str, Any], at: Endpoint) -> dict[str, Any]:
    """A read replica that others run. A password that the stack makes itself is not there yet: then nobody logs in."""
    return {
        "kind": "postgres",
        "what": "a read replica",
        "at": str(at),
        "setting": named.key("supabase", "database", "readReplicas"),
        "host": at.host,
        "port": at.port,
        "user": USER,
        "user_setting": named.key("supabase", "database", "readReplicas"),
        "database": database["name"],
        "database_setting": named.key("supabase", "database", "name"),
        "password": plan.secret("databasePassword"),
        "password_setting": named.secret("databasePassword"),
        "password_fix": named.fix("databasePassword"),
        **_encryption(others_database.replica_sslmode(database, at.host), others_database.replica_authority(database)),
    }


def _encryption(mode: SslMode, authority: str | None) -> dict[str, Any]:
    """Where the settings promise no encryption, there is no certificate to verify."""
    verified = authority is not None or mode is SslMode.REQUIRE
    return {"sslmode": "verify-full" if verified else mode.value, "ca": _file(authority)}


def _of_backups(plan: Plan, named: _Named, backup: Mapping[str, Any]) -> dict[str, Any]:
    path = ("supabase", "database", "cnpg", "backup")
    url = backup.get("endpoint") or _AMAZON.format(region=backup["region"])
    return {
        "kind": "store",
        "what": "the store of the database's backups",
        "at": url,
        "setting": named.key(*path, "endpoint"),
        "url": url,
        "region": backup["region"],
        "region_setting": named.key(*path, "region"),
        "bucket": backup["destination"].removeprefix("s3://").partition("/")[0],
        "bucket_setting": named.key(*path, "destination"),
        "access_key": backup["accessKey"],
        "secret_key": plan.secret("databaseBackupSecretKey"),
        "key_setting": named.secret("databaseBackupSecretKey"),
        "key_fix": named.fix("databaseBackupSecretKey"),
    }


# -- cache and store -------------------------------------------------------------------------------------------------


def _of_cache(plan: Plan, named: _Named) -> Endpoints:
    at = cache.external(plan.cache_args(plan.placement()))
    if at is None:
        return
    yield {
        "kind": "cache",
        "what": "the cache",
        "at": str(Endpoint(at["host"], at["port"])),
        "setting": named.key("cache", "external", "host"),
        "host": at["host"],
        "port": at["port"],
        "user": at.get("user"),
        "user_setting": named.key("cache", "external", "anonymous"),
        "password": None if at["anonymous"] else plan.secret("cachePassword"),
        "password_setting": named.secret("cachePassword"),
        "password_fix": named.fix("cachePassword"),
        "anonymous_fix": "give it, and take cache.external.anonymous out",
        "tls": at["tls"],
        "tls_fix": "set cache.external.tls where it speaks TLS",
        "ca": _file(at.get("caCertificate")),
    }


def _of_store(plan: Plan, named: _Named) -> Endpoints:
    store = complete("objectStorage", plan.settings.given("objectStorage"))
    if not store["enabled"] or store["engine"] is not ObjectStorageEngine.EXTERNAL:
        return
    for bucket in store["buckets"]:
        yield {
            "kind": "store",
            "what": f"the object store's bucket {bucket}",
            "at": store["endpoint"],
            "setting": named.key("objectStorage", "endpoint"),
            "url": store["endpoint"],
            "region": store["region"],
            "region_setting": named.key("objectStorage", "region"),
            "bucket": bucket,
            "bucket_setting": named.key("objectStorage", "buckets"),
            "access_key": store["accessKey"],
            "secret_key": plan.secret("objectStorageSecretKey"),
            "key_setting": named.secret("objectStorageSecretKey"),
            "key_fix": named.fix("objectStorageSecretKey"),
            "ca": _file(store.get("caCertificate")),
        }


def _file(path: str | None) -> str | None:
    return None if path is None else str((ROOT / path).resolve())
