"""Who runs the database, and what follows from it for those that talk to it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from components import others_database
from components.identity import identity
from components.operated import Backup, Operated, Pooling
from components.service import Edge, Port, Secret, Service, Text, text
from components.services import postgres, secret_names
from components.services.context import Context
from components.supabase_settings.database_engine import OWN_ROLES, BackupStore, DatabaseEngine, SslMode
from components.supabase_settings.pooler import PoolMode

# What upstream's images load at their start (`show shared_preload_libraries` of 17.6, as others report it), and what ours does.
_LOADED: Final = ("pg_stat_statements", "pgaudit", "plpgsql", "plpgsql_check", "pg_cron", "pg_net", "pgsodium", "auto_explain")
_LOADED_SINCE_17: Final = ("pg_tle", "plan_filter", "supabase_vault")
_LOADED_LOCALLY: Final = ("pg_stat_statements", "pg_cron")
_SUPABASE: Final = "_supabase"
READ: Final = "postgresRead"
"""Where standbys are read from, beside the names in the port plan."""
READ_SERVICE: Final = "postgres-ro"
"""Its host name: the operator's, for a cluster of that name."""
POOLER_SERVICE: Final = "postgres-pooler"
"""Host name of the operator's own pooler."""


def of(settings: Mapping[str, Any]) -> DatabaseEngine:
    """The engine, by the completed `supabase` group."""
    found: DatabaseEngine = settings["database"]["engine"]
    return found


def asleep(settings: Mapping[str, Any]) -> bool:
    """Whether the database is put to sleep, so that nothing that needs it can run."""
    return of(settings) is DatabaseEngine.CLOUDNATIVEPG and bool(settings["database"]["cnpg"]["hibernate"])


def reached_over_network(settings: Mapping[str, Any]) -> bool:
    """Whether it is prepared by a job, since its server is none of the image's own."""
    return of(settings) is not DatabaseEngine.BUILTIN


def server(c: Context) -> Service | None:
    """The server as a service; None where others run it."""
    match of(c.settings):
        case DatabaseEngine.BUILTIN:
            return postgres.postgres(c)
        case DatabaseEngine.CLOUDNATIVEPG:
            return _operated(c)
        case DatabaseEngine.EXTERNAL:
            return None


def administrator(c: Context) -> dict[str, Text]:
    """Environment of a job that logs in as a superuser: who, and the password."""
    own = text(Secret(secret_names.DATABASE_PASSWORD))
    match of(c.settings):
        case DatabaseEngine.BUILTIN:
            return {"ADMIN_USER": text(postgres.ADMIN), "ADMIN_PASSWORD": own}
        case DatabaseEngine.CLOUDNATIVEPG:
            return {"ADMIN_USER": text(postgres.USER), "ADMIN_PASSWORD": own}
        case DatabaseEngine.EXTERNAL:
            user = c.settings["database"]["external"]["user"]
            password = own if user in OWN_ROLES else text(Secret(secret_names.EXTERNAL_DATABASE_PASSWORD))
            return {"ADMIN_USER": text(user), "ADMIN_PASSWORD": password}


def ssl(c: Context) -> dict[str, Text]:
    """Environment by which libpq's programs are told whether to encrypt; empty where the server is the stack's own."""
    if of(c.settings) is not DatabaseEngine.EXTERNAL:
        return {}
    return {"PGSSLMODE": text(c.settings["database"]["external"]["sslmode"].value)}


def query(c: Context) -> str:
    """What a connection URL ends with that libpq or a driver like it reads; empty where the driver's own default holds."""
    return _query(c.settings["database"]["external"]["sslmode"]) if of(c.settings) is DatabaseEngine.EXTERNAL else ""


def replica_query(c: Context, host: str) -> str:
    """The same of a read replica that others run at this host."""
    return _query(others_database.replica_sslmode(c.settings["database"], host))


def _query(mode: SslMode) -> str:
    return "" if mode is SslMode.PREFER else f"?sslmode={mode.value}"


def _operated(c: Context) -> Service:
    service, given = postgres.postgres(c), c.settings["database"]["cnpg"]
    local = service.image.kind != "registry"
    major = c.release.postgres_major
    loaded = _LOADED_LOCALLY if local else (*_LOADED, *(_LOADED_SINCE_17 if major >= 17 else ()))
    user = given.get("userId", service.image.user)
    if user is None:
        # Without it the operator's own default is taken, and the server finds no such user.
        raise UserUnknown(service.image.reference)
    pooling = None if given["hibernate"] else _pooler(c, given["pooler"], local=local)
    return replace(
        service,
        image=replace(service.image, user=user),
        entrypoint=(),
        command=(),
        env={},
        files=(),
        # What a server of the stack's own kept stays where it is; to find it beside this one is refused by what wrote it.
        volumes=tuple(
            replace(volume, idle=True, paired_secret=None, paired_setting=None, login_secret=None) for volume in service.volumes
        ),
        ports=(Port("postgres", postgres.PORT, publish="postgres"),),
        connects=(*service.connects, *(_to_store(c, given["backup"]))),
        identity=identity(
            f"cloudnativepg-{major}", database=None if postgres.database(c) == postgres.DEFAULT_DATABASE else postgres.database(c)
        ),
        provides={**service.provides, **({pooling.capability: "postgres"} if pooling and pooling.capability else {})},
        operated=Operated(
            instances=given["instances"],
            storage=given["storage"],
            wal_storage=given.get("walStorage"),
            user=user,
            group=given.get("groupId", user),
            database=postgres.database(c),
            admin=postgres.ADMIN,
            password=secret_names.DATABASE_PASSWORD,
            parameters={**_parameters(c), **({"cron.database_name": postgres.database(c)} if "pg_cron" in loaded else {})},
            preload=loaded,
            schemas={_SUPABASE: ("_analytics", "_supavisor")},
            hibernate=given["hibernate"],
            vault_key=None if local else secret_names.VAULT_ROOT_KEY,
            backup=_backup(c, given["backup"]),
            pooler=pooling,
        ),
    )


class UserUnknown(ValueError):
    """The image's user id is not known, and the operator must be told it."""

    def __init__(self, reference: str) -> None:
        super().__init__(
            f"the user id of postgres in {reference} is not known, and CloudNativePG must be told it: set "
            f"supabase.database.cnpg.userId to what `docker run --rm --entrypoint id {reference} -u postgres` says, and "
            "supabase.database.cnpg.groupId to what it says with -g"
        )


def _parameters(c: Context) -> dict[str, str]:
    # wal_level is logical by default there, and can't be less with standbys (CloudNativePG, "PostgreSQL configuration").
    found = postgres.parameters_of(c)
    found.setdefault("max_slot_wal_keep_size", "1GB")
    return found


def _backup(c: Context, given: Mapping[str, Any]) -> Backup | None:
    if "schedule" not in given:
        return None
    plan = {"schedule": given["schedule"], "retention": given["retention"]}
    if given["store"] is BackupStore.STACK:
        assert c.s3 is not None  # components.database_contradictions
        return Backup(
            **plan,
            destination=given.get("destination", f"s3://{c.s3.bucket}/postgres-backup"),
            endpoint=c.s3.endpoint,
            region=c.s3.region,
            access_key=secret_names.S3_ACCESS_KEY,
            secret_key=secret_names.S3_SECRET_KEY,
        )
    return Backup(
        **plan,
        destination=given["destination"],
        endpoint=given.get("endpoint"),
        region=given["region"],
        access_key=secret_names.DATABASE_BACKUP_ACCESS_KEY,
        secret_key=secret_names.DATABASE_BACKUP_SECRET_KEY,
    )


def _to_store(c: Context, given: Mapping[str, Any]) -> tuple[Edge, ...]:
    """The way of backups to a store of the stack's own."""
    own = given["store"] is BackupStore.STACK and c.s3 is not None and not c.s3.external
    return (Edge("s3"),) if own and "schedule" in given else ()


def _pooler(c: Context, given: Mapping[str, Any], *, local: bool) -> Pooling | None:
    if not given["enabled"]:
        return None
    image = c.release.image_if_any("pgbouncer") if local else None
    # Where Supavisor runs, the outputs are its own: it tells its tenants apart, and apps know it.
    alone, session = "pooler" not in c.running, given["mode"] is PoolMode.SESSION
    return Pooling(
        name=POOLER_SERVICE,
        instances=given["instances"],
        mode=given["mode"].value,
        capability=("pooler-session" if session else "pooler") if alone else None,
        publish=("poolerSession" if session else "poolerTransaction") if alone else None,
        image=image if image is not None and image.reference else None,
    )
