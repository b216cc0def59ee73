"""The job that prepares an empty database on a server that is not the image's own, or checks one that others prepared."""

from typing import Final

from components import sql
from components.service import Address, AddressPart, Edge, File, Gate, Kind, Resources, Secret, Service, Text, text
from components.services import database_engine, postgres
from components.services.context import Context
from components.services.psql_job import for_psql
from components.services.secret_names import DATABASE_PASSWORD
from components.supabase_settings.database_engine import DatabaseEngine

NAME: Final = "database-bootstrap"
FOLDER: Final = "/etc/supastack"
_OWN: Final = f"{FOLDER}/initdb"
_LOGINS: Final = {
    "authenticator": "rest",
    "postgres": "postgres",
    "supabase_admin": "postgres",
    "supabase_auth_admin": "auth",
    "supabase_storage_admin": "storage",
}
"""Roles that services log in as, by the service that must run for it."""


def database_bootstrap(c: Context) -> Service | None:
    """The job; None where the image initialises its own server, or the database sleeps.

    What it made it never makes again: the mark is a table in the database itself. So it can run as often as it is told to.
    """
    if not database_engine.reached_over_network(c.settings) or database_engine.asleep(c.settings):
        return None
    external = database_engine.of(c.settings) is DatabaseEngine.EXTERNAL
    if external and not c.settings["database"]["external"]["bootstrap"]:
        return _job(c, "check.sh", ("check.sql",), _what_is_needed(c))
    env = {
        "JWT_EXP": text(str(c.settings["auth"]["jwtExpiry"])),
        "POSTGRES_DB": text(postgres.database(c)),
        "POSTGRES_PASSWORD": text(Secret(DATABASE_PASSWORD)),
        "POSTGRES_USER": text(postgres.ADMIN),
        "SUPASTACK_RELEASE": text(c.release.name),
        # The operator is told of that database, too.
        **({} if external else {"OPERATOR_MAKES": text("_supabase")}),
    }
    own = tuple(sql.file(script, f"{_OWN}/{script}") for script in postgres.SCRIPTS)
    return _job(c, "bootstrap.sh", ("begin.sql", "end.sql"), env, own)


def _what_is_needed(c: Context) -> dict[str, Text]:
    found = {"LOGINS": text(" ".join(role for role, service in _LOGINS.items() if c.runs(service)))}
    if c.runs("pooler") or c.runs("analytics"):
        found["NEEDS_SUPABASE"] = text("yes")
    return found


def _job(c: Context, script: str, files: tuple[str, ...], env: dict[str, Text], more: tuple[File, ...] = ()) -> Service:
    return job(
        c,
        NAME,
        script,
        files,
        {"DATABASE_PASSWORD": text(Secret(DATABASE_PASSWORD)), **database_engine.administrator(c), **env},
        more,
    )


def job(c: Context, name: str, script: str, files: tuple[str, ...], env: dict[str, Text], more: tuple[File, ...] = ()) -> Service:
    """A job that runs one of the scripts that work over the network, with the image's psql."""
    return Service(
        name=name,
        kind=Kind.JOB,
        image=for_psql(c.release.image_if_any("postgres")),
        resources=Resources(memory_mib=128),
        entrypoint=("sh", f"{FOLDER}/{script}"),
        env={
            "PGDATABASE": text(postgres.database(c)),
            "PGHOST": text(Address("postgres", AddressPart.HOST)),
            "PGPORT": text(Address("postgres", AddressPart.PORT)),
            # A cluster of an operator's begins with pulling its image and making its volumes. Chosen by us.
            "WAIT_SECONDS": text("600"),
            **env,
        },
        files=(*(sql.file(f"network/{file}", f"{FOLDER}/{file}") for file in ("lib.sh", script, *files)), *more),
        connects=(Edge("postgres", Gate.HEALTHY),),
    )
