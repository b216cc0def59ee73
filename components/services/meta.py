"""The database management API (postgres-meta), which Studio works by.

Environment and port are those of upstream's compose files, the health check is the Supabase CLI's (apps/cli-go/internal/start/
start.go): upstream's compose file has none. It opens connections as it is asked, so it waits for nothing.
"""

from typing import Final

from components.service import Address, AddressPart, Edge, Port, Secret, Service, text
from components.services import node, postgres, secret_names
from components.services.context import Context

PORT: Final = 8080
_CHECK = f"fetch('http://127.0.0.1:{PORT}/health').then((r) => {{if (!r.ok) throw new Error(r.status)}})"


def meta(c: Context) -> Service:
    """The database management API (postgres-meta)."""
    legacy = c.release.features.legacy_names
    env = {
        "PG_META_DB_HOST": text(Address("postgres", AddressPart.HOST)),
        "PG_META_DB_NAME": text(postgres.database(c)),
        "PG_META_DB_PASSWORD": text(Secret(secret_names.DATABASE_PASSWORD)),
        "PG_META_DB_PORT": text(Address("postgres", AddressPart.PORT)),
        "PG_META_DB_USER": text(postgres.ADMIN if legacy else postgres.USER),
        "PG_META_PORT": text(str(PORT)),
    }
    if not legacy:
        env["CRYPTO_KEY"] = text(Secret(secret_names.PG_META_CRYPTO_KEY))
    return Service(
        name="meta",
        image=c.release.image_if_any("meta"),
        # At rest it has 75 to 118 MB (KahitSan/supabase-air, DIGITALOCEAN-BENCHMARKS.md). Its check is another Node for a moment: with that
        # we saw up to 174 MB on our image of it, and it killed at 144 MiB.
        resources=c.memory("meta", 192),
        env=env,
        ports=(Port("http", PORT),),
        health=node.health("node", "-e", _CHECK, start_period=30),
        connects=(Edge("postgres"),),
        provides={"meta": "http"},
        replicable=True,
    )
