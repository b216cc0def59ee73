"""The connection pooler (Supavisor).

Clients log in as `<user>.<tenant>`; the tenant is the project's reference. It is made by a script of ours (files/pooler.exs) between
migrating and serving.
"""

from pathlib import Path
from typing import Final

from components.service import Address, AddressPart, Edge, Encoding, File, Gate, Health, Port, Secret, Service, text
from components.services import postgres
from components.services.context import Context
from components.services.secret_names import DATABASE_PASSWORD, JWT_SECRET, SECRET_KEY_BASE, VAULT_ENC_KEY

SESSION_PORT: Final = 5432
TRANSACTION_PORT: Final = 6543
API_PORT: Final = 4000
SCRIPT: Final = "/etc/pooler/pooler.exs"

_SCRIPT_TEXT: Final = (Path(__file__).with_name("files") / "pooler.exs").read_text()


def pooler(c: Context) -> Service:
    """Supavisor, with one tenant: this stack's database."""
    settings = c.settings["pooler"]
    return Service(
        name="pooler",
        image=c.release.image_if_any("pooler"),
        # At rest it has 191 to 203 MB (KahitSan/supabase-air, DIGITALOCEAN-BENCHMARKS.md).
        resources=c.memory("pooler", 224),
        # The script's text gets into the arguments of a process: no secret may stand in it.
        command=(
            "/bin/sh",
            "-c",
            f'/app/bin/migrate && /app/bin/supavisor eval "$(cat {SCRIPT})" && /app/bin/server',
        ),
        env={
            "API_JWT_SECRET": text(Secret(JWT_SECRET)),
            "CLUSTER_POSTGRES": text("true"),
            "DATABASE_URL": text(
                "ecto://supabase_admin:", Secret(DATABASE_PASSWORD, Encoding.URL), "@", Address("postgres"), "/_supabase"
            ),
            "DB_POOL_SIZE": text(str(settings["dbPoolSize"])),
            "ERL_AFLAGS": text("-proto_dist inet_tcp"),
            "METRICS_JWT_SECRET": text(Secret(JWT_SECRET)),
            "POOLER_DEFAULT_POOL_SIZE": text(str(settings["defaultPoolSize"])),
            "POOLER_MAX_CLIENT_CONN": text(str(settings["maxClientConn"])),
            "POOLER_POOL_MODE": text(settings["poolMode"].value),
            "POOLER_TENANT_ID": text(c.project_ref),
            "PORT": text(str(API_PORT)),
            "POSTGRES_DB": text(postgres.database(c)),
            "POSTGRES_HOST": text(Address("postgres", AddressPart.HOST)),
            "POSTGRES_PASSWORD": text(Secret(DATABASE_PASSWORD)),
            "POSTGRES_PORT": text(Address("postgres", AddressPart.PORT)),
            "REGION": text("local"),
            "SECRET_KEY_BASE": text(Secret(SECRET_KEY_BASE)),
            "VAULT_ENC_KEY": text(Secret(VAULT_ENC_KEY)),
        },
        files=(File(SCRIPT, text(_SCRIPT_TEXT)),),
        ports=(
            Port("session", SESSION_PORT, publish="poolerSession"),
            Port("transaction", TRANSACTION_PORT, publish="poolerTransaction"),
            Port("api", API_PORT),
        ),
        health=Health(("curl", "-sSfL", "--head", "-o", "/dev/null", f"http://127.0.0.1:{API_PORT}/api/health"), start_period=30),
        # It migrates at its start.
        connects=(Edge("postgres", Gate.HEALTHY),),
        provides={"pooler": "transaction", "pooler-session": "session"},
        # A release of Elixir may write beside its program.
        writable=None,
    )
