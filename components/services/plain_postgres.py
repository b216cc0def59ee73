"""A PostgreSQL without Supabase: the official image, or one that is told the same way; and the job that sets it up.

Environment, paths and the order of the initialisation are docker-library/postgres'.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from components import sql
from components.encode import encode
from components.identity import identity, source_of
from components.service import Encoding, Image, Port, Resources, Secret, Service, Volume, text
from components.services import postgres
from components.services.psql_job import psql_job

PASSWORD: Final = "password"  # the secret's name, not its value
PORT: Final = 5432
DATA: Final = "/var/lib/postgresql/data"


def plain_postgres(
    image: Image, *, name: str, user: str, memory_mib: int, parameters: Mapping[str, str], runs_as: int | None
) -> Service:
    """The PostgreSQL server.

    Args:
        image: PostgreSQL, its major version at the beginning of the tag.
        name: The database.
        user: Its owner, the superuser.
        memory_mib: Memory limit in MiB.
        parameters: PostgreSQL's parameters, by name.
        runs_as: User id that the image runs as, where it is known.
    """
    return Service(
        name="plain-postgres",
        image=image,
        resources=Resources(memory_mib=memory_mib),
        command=("postgres", *(word for key, value in sorted(parameters.items()) for word in ("-c", f"{key}={value}"))),
        env={
            "PGDATA": text(DATA),
            "POSTGRES_DB": text(name),
            "POSTGRES_PASSWORD": text(Secret(PASSWORD)),
            "POSTGRES_USER": text(user),
        },
        files=postgres.completeness(),
        ports=(Port("postgres", PORT, publish="plainPostgres"),),
        volumes=(
            Volume(
                "data",
                DATA,
                precious=True,
                paired_secret=PASSWORD,
                paired_setting="supastack:plainDatabasePassword",
                owned=True,
            ),
        ),
        writable=("/var/run/postgresql",),
        health=postgres.health(),
        provides={"plain-postgres": "postgres"},
        # Both are made once, when the volume is filled.
        identity=identity(f"plain-postgres{_major(image)}", database=f"{name}-of-{user}", user=runs_as, source=source_of(image)),
        stop_grace=30,
    )


def _major(image: Image) -> str:
    found = re.search(r":(\d+)[^/]*$", image.reference)
    return f"-{found[1]}" if found else ""


def plain_setup(image: Image, *, name: str, user: str, extensions: list[str], read_only_role: str | None) -> Service:
    """The job that creates extensions and the role that may read; it can run again at any time."""
    wanted: dict[str, Any] = {"extensions": extensions, **({} if read_only_role is None else {"readOnlyRole": read_only_role})}
    said = sql.read("plain/setup.sql").replace("@WANTED@", encode(json.dumps(wanted, sort_keys=True), Encoding.SQL))
    return psql_job(
        "plain-setup", image, said, file="setup.sql", server="plain-postgres", database=name, user=user, password=PASSWORD
    )
