"""Jobs that give psql a file of statements."""

from dataclasses import replace
from typing import Final

from components.service import Address, AddressPart, Edge, File, Gate, Image, Kind, Resources, Secret, Service, text

FOLDER: Final = "/etc/supastack"
_NOBODY: Final = 65534


def for_psql(image: Image) -> Image:
    """A database server's image for its psql alone, which any user can run: what the server's own is need not be known."""
    return replace(image, user=_NOBODY)


def psql_job(
    name: str,
    image: Image,
    statements: str,
    *,
    file: str,
    server: str,
    database: str,
    user: str,
    password: str,
    after: str | None = None,
) -> Service:
    """A job that runs statements to the first error. They must be such that they can run again at any time.

    Args:
        name: The job's.
        image: A database server's, for its psql.
        statements: What psql is given, its own commands included.
        file: Name of the file in the container that they stand in.
        server: Capability of the database server.
        database: The database.
        user: The role that logs in.
        password: Name of the secret with its password.
        after: Capability that must be healthy before; by default the server itself.
    """
    path = f"{FOLDER}/{file}"
    return Service(
        name=name,
        kind=Kind.JOB,
        image=for_psql(image),
        resources=Resources(memory_mib=64),
        entrypoint=("psql",),
        command=("--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", path),
        env={
            "PGDATABASE": text(database),
            "PGHOST": text(Address(server, AddressPart.HOST)),
            "PGPASSWORD": text(Secret(password)),
            "PGPORT": text(Address(server, AddressPart.PORT)),
            "PGUSER": text(user),
        },
        files=(File(path, text(statements)),),
        connects=(Edge(server, Gate.HEALTHY),) if after is None else (Edge(after, Gate.HEALTHY), Edge(server)),
    )
