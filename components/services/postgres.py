"""The database of the Supabase stack.

Environment, paths and health check are those of the `supabase/postgres` image: `PGPORT` and its kin are read by the image's
migrate.sh, `POSTGRES_HOST` is its socket folder, and `POSTGRES_USER` is set by the image and must not be given.
"""

from components.identity import identity
from components.service import Health, Port, Secret, Service, Volume, text
from components.services.context import Context
from components.services.secret_names import DATABASE_PASSWORD as PASSWORD
from components.setting_groups import mib, parameters

PORT = 5432
DATABASE = "postgres"
USER = "postgres"
JWT_EXPIRY = 3600


def database(context: Context) -> str:
    """Name of the stack's database."""
    del context
    return DATABASE


def postgres(context: Context) -> Service:
    """The PostgreSQL server."""
    settings = context.settings["database"]
    major, user = context.release.postgres_major, context.release.users.get("postgres")
    return Service(
        name="postgres",
        image=context.release.image_if_any("postgres"),
        resources=context.memory("postgres", mib(settings["memory"])),
        command=(
            "postgres",
            "-c",
            "config_file=/etc/postgresql/postgresql.conf",
            *(word for name, value in sorted(parameters(settings).items()) for word in ("-c", f"{name}={value}")),
        ),
        env={
            "JWT_EXP": text(str(JWT_EXPIRY)),
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
        identity=identity(f"postgres-{major}", user if context.settings.get("dataOwner") != user else None),
        stop_grace=30,
    )
