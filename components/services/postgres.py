"""The database of the Supabase stack.

Environment, paths and health check are those of the `supabase/postgres` image: `PGPORT` and its kin are read by the image's
migrate.sh, `POSTGRES_HOST` is its socket folder, and `POSTGRES_USER` is set by the image and must not be given.
"""

from collections.abc import Mapping

from components.service import Health, Image, Port, Resources, Secret, Service, Volume, text

PORT = 5432
DATABASE = "postgres"
USER = "postgres"
PASSWORD = "database-password"  # the secret's name, not its value


def postgres(
    image: Image,
    *,
    major: int,
    memory_mib: int,
    parameters: Mapping[str, str],
    jwt_expiry: int = 3600,
) -> Service:
    """The PostgreSQL server.

    Args:
        image: A `supabase/postgres` image, or one that keeps to its contract.
        major: PostgreSQL's major version: data of another one is not readable.
        memory_mib: Memory limit in MiB.
        parameters: PostgreSQL's own settings by name; they win over the image's configuration file.
        jwt_expiry: Seconds a user's token lives.
    """
    return Service(
        name="postgres",
        image=image,
        resources=Resources(memory_mib=memory_mib),
        command=(
            "postgres",
            "-c",
            "config_file=/etc/postgresql/postgresql.conf",
            *(word for name, value in sorted(parameters.items()) for word in ("-c", f"{name}={value}")),
        ),
        env={
            "JWT_EXP": text(str(jwt_expiry)),
            "PGDATABASE": text(DATABASE),
            "PGPASSWORD": text(Secret(PASSWORD)),
            "PGPORT": text(str(PORT)),
            "POSTGRES_DB": text(DATABASE),
            "POSTGRES_HOST": text("/var/run/postgresql"),
            "POSTGRES_PASSWORD": text(Secret(PASSWORD)),
            "POSTGRES_PORT": text(str(PORT)),
        },
        ports=(Port("postgres", PORT, publish="postgres"),),
        volumes=(
            Volume(
                "postgres-data",
                "/var/lib/postgresql/data",
                precious=True,
                paired_secret=PASSWORD,
                paired_setting="supastack:databasePassword",
            ),
            # The image fills it: conf files, and later the root key of vault, without which the data's secrets are lost.
            Volume("postgres-config", "/etc/postgresql-custom", precious=True),
        ),
        # TCP, since the image's temporary init server listens on the socket alone.
        health=Health(("pg_isready", "-U", USER, "-h", "localhost"), interval=2, retries=30, start_period=10),
        provides={"postgres": "postgres"},
        identity=f"postgres-{major}",
        stop_grace=30,
    )
