"""PgBouncer before the plain PostgreSQL. The image finds pgbouncer.ini and userlist.txt in place and writes none (edoburu/pgbouncer)."""

from typing import Final

from components.plain_settings import PgbouncerMode
from components.service import Address, AddressPart, Edge, File, Health, Image, Port, Resources, Secret, Service, Text, text
from components.services.plain_postgres import PASSWORD

PORT: Final = 6432
_FOLDER: Final = "/etc/pgbouncer"


def _configuration(name: str, user: str, mode: PgbouncerMode, max_clients: int, pool_size: int) -> Text:
    return text(
        "[databases]\n",
        f"{name} = host=",
        Address("plain-postgres", AddressPart.HOST),
        " port=",
        Address("plain-postgres", AddressPart.PORT),
        f" dbname={name}\n",
        "\n[pgbouncer]\n",
        "listen_addr = 0.0.0.0\n",
        f"listen_port = {PORT}\n",
        "unix_socket_dir =\n",
        # The seed's md5 can't log in at a server that keeps SCRAM secrets, as PostgreSQL does since 14.
        "auth_type = scram-sha-256\n",
        f"auth_file = {_FOLDER}/userlist.txt\n",
        # Other users are looked up with this one's rights: whoever can log in at the server can log in here.
        f"auth_user = {user}\n",
        f"pool_mode = {mode.value}\n",
        f"max_client_conn = {max_clients}\n",
        f"default_pool_size = {pool_size}\n",
        # Drivers on JDBC send it, and PgBouncer would refuse them.
        "ignore_startup_parameters = extra_float_digits\n",
        f"admin_users = {user}\n",
    )


def pgbouncer(
    image: Image, *, name: str, user: str, mode: PgbouncerMode, max_clients: int, pool_size: int, memory_mib: int
) -> Service:
    """The pooler.

    Args:
        image: PgBouncer.
        name: The database.
        user: Its owner.
        mode: pool_mode.
        max_clients: max_client_conn.
        pool_size: default_pool_size.
        memory_mib: Memory limit in MiB.
    """
    return Service(
        name="pgbouncer",
        image=image,
        resources=Resources(memory_mib=memory_mib),
        # For the health check's psql.
        env={
            "PGDATABASE": text(name),
            "PGHOST": text("127.0.0.1"),
            "PGPASSWORD": text(Secret(PASSWORD)),
            "PGPORT": text(str(PORT)),
            "PGUSER": text(user),
        },
        files=(
            File(f"{_FOLDER}/pgbouncer.ini", _configuration(name, user, mode, max_clients, pool_size)),
            # The password as it is: with it PgBouncer can log in by SCRAM, too. A settings' password has no quotes.
            File(f"{_FOLDER}/userlist.txt", text(f'"{user}" "', Secret(PASSWORD), '"\n')),
        ),
        ports=(Port("pgbouncer", PORT, publish="pgbouncer"),),
        # Through the pooler to the server. Without that a query waits for two minutes, longer than its check.
        health=Health(("timeout", "4", "psql", "--no-psqlrc", "-qAt", "-c", "select 1"), interval=5, retries=12, start_period=10),
        # It tries again by itself.
        connects=(Edge("plain-postgres"),),
        provides={"pgbouncer": "pgbouncer"},
    )
