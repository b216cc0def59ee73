"""What the settings of the database's engine can't say together, and which of them have no effect."""

from collections.abc import Iterator
from typing import Any, Final

from components.others_database import makes_test_schema
from components.setting_contradictions import Context, Values, rule
from components.setting_schema import Problem, default_of, key_text, shown
from components.setting_types import Compat, Target
from components.setting_values import bytes_of
from components.supabase_settings.database_engine import (
    OWN_ROLES,
    BackupStore,
    CnpgSettings,
    DatabaseEngine,
    ExternalDatabaseSettings,
    SslMode,
)
from components.supabase_settings.storage import StorageBackend

_PATH: Final = ("supabase", "database")


def _database(values: Values) -> dict[str, Any] | None:
    """Settings of the database; None where there is none."""
    database: dict[str, Any] = values["supabase"]["database"]
    return database if values["supabase"]["enabled"] else None


@rule("target", "supabase.enabled", "supabase.database.engine")
def _the_operator_is_in_a_cluster(values: Values, _context: Context) -> Iterator[Problem]:
    database = _database(values)
    if database is None or database["engine"] is not DatabaseEngine.CLOUDNATIVEPG or values["target"] is Target.KUBERNETES:
        return
    yield Problem(
        path=(*_PATH, "engine"),
        value=shown(database["engine"].value),
        reason=f"CloudNativePG is an operator of Kubernetes, and target is {values['target'].value}",
        fix="use builtin, or an external database; or deploy to a cluster: target: kubernetes",
    )


@rule("supabase.enabled", "supabase.database.engine", "supabase.database.cnpg.instances")
def _standbys_have_their_operator(values: Values, _context: Context) -> Iterator[Problem]:
    database = _database(values)
    if database is None or database["engine"] is DatabaseEngine.CLOUDNATIVEPG or database["cnpg"]["instances"] == 1:
        return
    yield Problem(
        path=(*_PATH, "cnpg", "instances"),
        value=str(database["cnpg"]["instances"]),
        reason=f"engine is {database['engine'].value}, which has no standbys that the stack could make",
        fix="set supabase.database.engine to cloudnativepg, or remove it",
    )


@rule(
    *("supabase.enabled", "supabase.database.engine", "supabase.database.external", "supabase.database.schemas"),
    *("databasePassword", "externalDatabasePassword", "compat"),
)
def _an_external_database_is_named(values: Values, context: Context) -> Iterator[Problem]:
    database = _database(values)
    if database is None or database["engine"] is not DatabaseEngine.EXTERNAL:
        return
    external = database["external"]
    own = "databasePassword" in context.secrets or values["compat"] is Compat.CLI
    if "host" not in external:
        yield Problem(
            path=(*_PATH, "external", "host"),
            value=None,
            reason="engine is external, and nothing says where the database is",
            fix='give its name or address, as in "db.example.com"',
        )
    if external["user"] not in OWN_ROLES and "externalDatabasePassword" not in context.secrets:
        yield _missing(context, "externalDatabasePassword", f"the role {external['user']} can't log in without its password")
    if external["user"] in OWN_ROLES and not own:
        yield _missing(context, "databasePassword", f"the role {external['user']} can't log in without its password")
    elif not external["bootstrap"] and not own:
        yield _missing(
            context, "databasePassword", "a database that is there has its passwords: all roles of the services have this one"
        )


def _missing(context: Context, name: str, reason: str) -> Problem:
    fix = f"run: {_secret(context, name)}"
    return Problem(path=(name,), value=None, reason=f"engine is external: {reason}", fix=fix, missing=(name,))


def _secret(context: Context, name: str) -> str:
    return f"pulumi config set --secret {context.project}:{name} --stack {context.stack}"


@rule(
    *("supabase.enabled", "supabase.database.engine", "supabase.database.cnpg.backup", "supabase.storage.backend"),
    "databaseBackupSecretKey",
)
def _backups_have_a_store(values: Values, context: Context) -> Iterator[Problem]:
    database = _database(values)
    if database is None or database["engine"] is not DatabaseEngine.CLOUDNATIVEPG or "schedule" not in database["cnpg"]["backup"]:
        return
    backup, path = database["cnpg"]["backup"], (*_PATH, "cnpg", "backup")
    if backup["store"] is BackupStore.STACK:
        storage = values["supabase"]["storage"]
        if storage["backend"] is not StorageBackend.S3 or not storage["enabled"]:
            yield Problem(
                path=(*path, "store"),
                value=shown(backup["store"].value),
                reason="the stack's store is handed to the database where Storage keeps its files in it, and that is not so here",
                fix="set supabase.storage.backend to s3, or name an external store",
            )
        return
    for name in ("destination", "accessKey"):
        if name not in backup:
            reason = "backups can't go to an external store without it"
            yield Problem(path=(*path, name), value=None, reason=reason, fix="take it over from the store's owner")
    if "databaseBackupSecretKey" not in context.secrets:
        reason = "backups can't go to an external store without it"
        fix = f"run: {_secret(context, 'databaseBackupSecretKey')}"
        key = ("databaseBackupSecretKey",)
        yield Problem(path=key, value=None, reason=reason, fix=fix, missing=key)


def database_warnings(values: Values, context: Context) -> Iterator[str]:
    """What is allowed but worth saying of the engine, one line each. The settings have no problem."""
    database = _database(values)
    if database is None:
        return

    def key(*path: str) -> str:
        return key_text(context.project, (*_PATH, *path))

    engine = database["engine"]
    if engine is DatabaseEngine.EXTERNAL:
        yield from not_scheduled(database, context)
    groups = {
        "cnpg": (DatabaseEngine.CLOUDNATIVEPG, CnpgSettings),
        "external": (DatabaseEngine.EXTERNAL, ExternalDatabaseSettings),
    }
    for group, (needed, declared) in groups.items():
        if engine is not needed and any(_differs(declared, name, value) for name, value in database[group].items()):
            yield f"{key(group)} has no effect: {key('engine')} is {engine.value}"
    if "externalDatabasePassword" in context.secrets and (
        engine is not DatabaseEngine.EXTERNAL or database["external"]["user"] in OWN_ROLES
    ):
        why = f"the role {database['external']['user']} logs in with databasePassword, as services do"
        other = f"{key('engine')} is {engine.value}"
        name = key_text(context.project, ("externalDatabasePassword",))
        yield f"{name} has no effect: {why if engine is DatabaseEngine.EXTERNAL else other}"
    if "vaultRootKey" in context.secrets and engine is not DatabaseEngine.CLOUDNATIVEPG:
        yield f"{key_text(context.project, ('vaultRootKey',))} has no effect: {key('engine')} is {engine.value}"
    if engine is DatabaseEngine.EXTERNAL:
        if database["external"]["sslmode"] is SslMode.REQUIRE:
            yield (
                f"{key('external', 'sslmode')} is require: it holds for the stack's jobs, Auth and REST. What the other services must be "
                "told to encrypt, supabase.services.NAME.env says"
            )
        if not database["external"]["bootstrap"]:
            made = [*database.get("schemas", []), *([database["testSchema"]] if makes_test_schema(database) else [])]
            but = f" but for the schemas that are made in it ({', '.join(made)})" if made else ""
            yield f"{key('external', 'bootstrap')} is false: the database is only checked{but}, and never gets a changed password"
    if engine is DatabaseEngine.CLOUDNATIVEPG and database["cnpg"]["hibernate"]:
        yield f"{key('cnpg', 'hibernate')} is true: the database sleeps, and every service of the Supabase stack is off"


def not_scheduled(database: dict[str, Any], context: Context) -> Iterator[str]:
    """The tasks that a database of others would have to run, one line each."""
    for name in sorted(name for name, task in database["schedule"].items() if task["enabled"] and "sql" in task):
        key = key_text(context.project, (*_PATH, "schedule", name, "sql"))
        yield f"{key} is not run from here: others run the database. Schedule it there, by pg_cron's cron.schedule"


def _differs(declared: type, name: str, value: Any) -> bool:
    """Whether a checked value is another than the default; a size is checked into bytes."""
    default = default_of(declared).get(name)
    if isinstance(value, int) and isinstance(default, str):
        return value != bytes_of(default)
    return bool(value != default)
