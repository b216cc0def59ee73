"""The job that makes further schemas in the database, as one that tests keep to."""

from components.service import Address, AddressPart, Edge, File, Gate, Kind, Resources, Secret, Service, text
from components.services import postgres
from components.services.context import Context
from components.services.secret_names import DATABASE_PASSWORD

_FILE = "/etc/supastack/schemas.sql"


def schemas(c: Context) -> Service | None:
    """The job; None where the settings name no schema.

    It can run again at any time, and drops nothing. The schemas belong to the login that the app has.
    """
    names = c.settings["database"].get("schemas", [])
    if not names:
        return None
    # The names are checked to need no quotes, but might be words of SQL.
    statements = [f'CREATE SCHEMA IF NOT EXISTS "{name}";\nGRANT ALL ON SCHEMA "{name}" TO {postgres.USER};\n' for name in names]
    return Service(
        name="schemas",
        kind=Kind.JOB,
        # For its psql.
        image=c.release.image_if_any("postgres"),
        resources=Resources(memory_mib=64),
        entrypoint=("psql",),
        command=("--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", _FILE),
        env={
            "PGDATABASE": text(postgres.database(c)),
            "PGHOST": text(Address("postgres", AddressPart.HOST)),
            "PGPASSWORD": text(Secret(DATABASE_PASSWORD)),
            "PGPORT": text(Address("postgres", AddressPart.PORT)),
            "PGUSER": text(postgres.USER),
        },
        files=(File(_FILE, text("".join(statements))),),
        connects=(Edge("postgres", Gate.HEALTHY),),
    )
