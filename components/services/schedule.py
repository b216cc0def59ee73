"""The job that gives the database its tasks by the clock (pg_cron)."""

from typing import Final

from components.encode import encode
from components.service import Encoding, Service
from components.services import database_engine, postgres
from components.services.context import Context
from components.services.psql_job import psql_job
from components.services.secret_names import DATABASE_PASSWORD
from components.supabase_settings.database_engine import DatabaseEngine

PREFIX: Final = "supastack:"
"""What the names of our tasks begin with in `cron.job`, so that those of others stay."""


def schedule(c: Context) -> Service | None:
    """The job; None where the settings name no task, or the database is others': what it has is not known.

    It can run again at any time. A task of ours that is turned off, or off the list, is taken out; so the last one is to be turned off
    before it goes.
    """
    tasks = c.settings["database"]["schedule"]
    if not tasks or database_engine.of(c.settings) is DatabaseEngine.EXTERNAL:
        return None
    wanted = {PREFIX + name: task for name, task in sorted(tasks.items()) if task["enabled"] and "sql" in task}
    kept = ", ".join(encode(name, Encoding.SQL) for name in wanted)
    statements = [
        "CREATE EXTENSION IF NOT EXISTS pg_cron;\n",
        "SELECT cron.unschedule(jobid) FROM cron.job WHERE username = current_user "  # noqa: S608 - the names are checked
        f"AND jobname LIKE '{PREFIX}%' AND jobname <> ALL (ARRAY[{kept}]::text[]);\n",
    ]
    for name, task in wanted.items():
        # Quoted, the texts are SQL's alone: psql replaces nothing in them.
        told = ", ".join(encode(part, Encoding.SQL) for part in (name, task["schedule"], task["sql"]))
        statements.append(f"SELECT cron.schedule({told});\n")
    return psql_job(
        "schedule",
        c.release.image_if_any("postgres"),
        "".join(statements),
        file="schedule.sql",
        server="postgres",
        database=postgres.database(c),
        user=postgres.USER,
        password=DATABASE_PASSWORD,
    )
