"""The job that puts tables into the publication that Realtime tells changes of."""

from pathlib import Path
from typing import Final

from components.encode import encode
from components.service import Encoding, Service
from components.services import postgres
from components.services.context import Context
from components.services.psql_job import psql_job
from components.services.secret_names import DATABASE_PASSWORD

_SCRIPT: Final = (Path(__file__).with_name("files") / "realtime-tables.sql").read_text()


def realtime_tables(c: Context) -> Service | None:
    """The job; None where the settings name no tables, or nothing runs that would tell of them.

    It can run again at any time, and takes no table out. A table that is not there yet is named in its log and left.
    """
    tables = c.settings["realtime"]["tables"]
    if not tables or "realtime" not in c.running:
        return None
    wanted = ", ".join(encode(table, Encoding.SQL) for table in tables)
    return psql_job(
        "realtime-tables",
        c.release.image_if_any("postgres"),
        _SCRIPT.replace("@TABLES@", wanted),
        file="realtime-tables.sql",
        server="postgres",
        database=postgres.database(c),
        # A table can be added by its owner alone, or by a superuser.
        user=postgres.ADMIN,
        password=DATABASE_PASSWORD,
    )
