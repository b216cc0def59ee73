"""The database of the Supabase stack.

Environment and paths are those of the `supabase/postgres` image: `PGPORT` and its kin are read by the image's migrate.sh,
`POSTGRES_HOST` is its socket folder, and `POSTGRES_USER` is set by the image and must not be given. On an empty volume the image runs its
init-scripts as postgres and its migrations as supabase_admin, each by name; the files of `components.sql` stand among them, placed one by
one, since a folder laid over the image's own would hide what makes the roles (supabase-community/supabase-kubernetes#100).
"""

from components import sql
from components.identity import identity, source_of
from components.service import Edge, File, Health, Port, Secret, Service, Volume, text
from components.services.context import Context
from components.services.secret_names import DATABASE_PASSWORD as PASSWORD
from components.services.secret_names import DATABASE_SYNC_PASSWORD
from components.setting_groups import mib, parameters

PORT = 5432
DEFAULT_DATABASE = "postgres"
"""What upstream calls it, and hard-codes in places."""
USER = "postgres"
ADMIN = "supabase_admin"
"""The superuser, POSTGRES_USER of the image."""
DATA = "/var/lib/postgresql/data"

_INIT = "/docker-entrypoint-initdb.d"
SCRIPTS = (
    # As postgres, while it is a superuser. webhooks makes the role whose password roles sets (supabase/supabase#18836).
    "init-scripts/98-webhooks.sql",
    "init-scripts/99-jwt.sql",
    "init-scripts/99-roles.sql",
    # As supabase_admin.
    "migrations/97-_supabase.sql",
    "migrations/98-database.sql",
    "migrations/99-logs.sql",
    "migrations/99-pooler.sql",
    "migrations/99-realtime.sql",
)


def database(context: Context) -> str:
    """Name of the stack's database."""
    name: str = context.settings["database"]["name"]
    return name


def completeness() -> tuple[File, ...]:
    """Files that mark a database as initialised to its end, and look for the mark; for every image with the official entrypoint.

    That entrypoint takes any data folder with a PG_VERSION in it for a database, also one whose first start was interrupted. The mark
    tells the server's user id as well: what a registry's image runs as is known once it has started.
    """
    return (
        sql.file("mark.sh", f"{_INIT}/zz-supastack.sh", 0o755),
        sql.file("health.sh", "/etc/supastack/health.sh"),
        sql.file("complete.sh", "/etc/supastack/complete.sh"),
    )


def health() -> Health:
    """The health check of a database that `completeness` belongs to."""
    return Health(("sh", "/etc/supastack/health.sh"), interval=2, retries=30, start_period=10)


def postgres(context: Context) -> Service:
    """The PostgreSQL server."""
    settings = context.settings["database"]
    name = database(context)
    major, user = context.release.postgres_major, context.release.users.get("postgres")
    owner, image = context.settings.get("dataOwner"), context.release.image_if_any("postgres")
    return Service(
        name="postgres",
        image=image,
        resources=context.memory("postgres", mib(settings["memory"])),
        command=(
            "postgres",
            "-c",
            "config_file=/etc/postgresql/postgresql.conf",
            *(word for key, value in sorted(parameters_of(context).items()) for word in ("-c", f"{key}={value}")),
        ),
        env={
            "JWT_EXP": text(str(context.settings["auth"]["jwtExpiry"])),
            "PGDATABASE": text(name),
            "PGPASSWORD": text(Secret(PASSWORD)),
            "PGPORT": text(str(PORT)),
            "POSTGRES_DB": text(name),
            "POSTGRES_HOST": text("/var/run/postgresql"),
            "POSTGRES_PASSWORD": text(Secret(PASSWORD)),
            "POSTGRES_PORT": text(str(PORT)),
            # Read by the health check: files of that user are wanted, whoever wrote them.
            **({} if owner is None else {"SUPASTACK_DATA_OWNER": text(str(owner))}),
        },
        files=(*(sql.file(script, f"{_INIT}/{script}") for script in SCRIPTS), *completeness()),
        ports=(Port("postgres", PORT, publish="postgres"),),
        volumes=(
            Volume(
                "postgres-data",
                DATA,
                precious=True,
                paired_secret=PASSWORD,
                paired_setting="supastack:databasePassword",
                # With it the password is a published one, and none can be given.
                paired_hint="or take back supastack:compat, if that was changed",
                login_secret=DATABASE_SYNC_PASSWORD if context.synchronised else None,
                owned=True,
            ),
            # The image fills it: conf files, and later the root key of vault, without which the data's secrets are lost.
            Volume("postgres-config", "/etc/postgresql-custom", precious=True, size_mib=64, filled=True),
        ),
        writable=("/var/run/postgresql",),
        health=health(),
        # Web hooks of tables (pg_net) call functions by the gateway, or anybody.
        connects=(Edge("gateway"),) if context.runs("gateway") else (),
        outside=("webhooks",),
        provides={"postgres": "postgres"},
        identity=identity(
            f"postgres-{major}",
            database=None if name == DEFAULT_DATABASE else name,
            user=user if owner != user else None,
            source=source_of(image),
        ),
        stop_grace=30,
    )


def parameters_of(context: Context) -> dict[str, str]:
    """Parameters that the settings ask for. On the command line they win over the image's configuration files."""
    found = parameters(context.settings["database"])
    if (name := database(context)) != DEFAULT_DATABASE:
        # The workers of these two serve one database only: by the image's configuration, and by default, the one named postgres.
        found |= {"cron.database_name": name, "pg_net.database_name": name}
    return found
