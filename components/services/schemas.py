"""The job that makes further schemas in the database, as one that tests keep to."""

from components.others_database import makes_test_schema
from components.service import Service
from components.services import postgres
from components.services.context import Context
from components.services.psql_job import psql_job
from components.services.secret_names import DATABASE_PASSWORD


def schemas(c: Context) -> Service | None:
    """The job; None where the settings name no schema. That of the tests is one of them, unless the database is only used.

    It can run again at any time, and drops nothing. The schemas belong to the login that the app has.
    """
    database = c.settings["database"]
    names = [*database.get("schemas", []), *([database["testSchema"]] if makes_test_schema(database) else [])]
    if not names:
        return None
    # The names are checked to need no quotes, but might be words of SQL.
    statements = [
        f'CREATE SCHEMA IF NOT EXISTS "{name}";\nGRANT ALL ON SCHEMA "{name}" TO {postgres.USER};\n'
        for name in dict.fromkeys(names)
    ]
    return psql_job(
        "schemas",
        c.release.image_if_any("postgres"),
        "".join(statements),
        file="schemas.sql",
        server="postgres",
        database=postgres.database(c),
        user=postgres.USER,
        password=DATABASE_PASSWORD,
    )
