"""The job that puts tables into the publication that Realtime tells changes of."""

from pathlib import Path
from typing import Final

from components.encode import encode
from components.service import Address, AddressPart, Edge, Encoding, File, Gate, Kind, Resources, Secret, Service, text
from components.services import postgres
from components.services.context import Context
from components.services.secret_names import DATABASE_PASSWORD

_SCRIPT: Final = (Path(__file__).with_name("files") / "realtime-tables.sql").read_text()


def realtime_tables(c: Context) -> Service | None:
    """The job; None where the settings name no tables, or nothing runs that would tell of them.

    It can run again at any time, and takes no table out. A table that is not there yet is named in its log and left.
    """
    tables = c.settings["realtime"]["tables"]
    if not tables or "realtime" not in c.running:
        return None
    path = "/etc/supastack/realtime-tables.sql"
    wanted = ", ".join(encode(table, Encoding.SQL) for table in tables)
    return Service(
        name="realtime-tables",
        kind=Kind.JOB,
        # For its psql.
        image=c.release.image_if_any("postgres"),
        resources=Resources(memory_mib=64),
        entrypoint=("psql",),
        command=("--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", path),
        env={
            "PGDATABASE": text(postgres.database(c)),
            "PGHOST": text(Address("postgres", AddressPart.HOST)),
            "PGPASSWORD": text(Secret(DATABASE_PASSWORD)),
            "PGPORT": text(Address("postgres", AddressPart.PORT)),
            # A table can be added by its owner alone, or by a superuser.
            "PGUSER": text("supabase_admin"),
        },
        files=(File(path, text(_SCRIPT.replace("@TABLES@", wanted))),),
        connects=(Edge("postgres", Gate.HEALTHY),),
    )
