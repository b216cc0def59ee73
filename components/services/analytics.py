"""The log store (Logflare), with its tables in the stack's own database.

Upstream's other choice, BigQuery, is left out: it needs a Google project and a key file that nothing here could be tried with.
"""

from typing import Final

from components.service import Address, AddressPart, Edge, Encoding, Gate, Health, Port, Secret, Service, Text, text
from components.services.context import Context
from components.services.secret_names import DATABASE_PASSWORD, LOGFLARE_PRIVATE_ACCESS_TOKEN, LOGFLARE_PUBLIC_ACCESS_TOKEN

PORT: Final = 4000
SCHEMA: Final = "_analytics"
DATABASE: Final = "_supabase"
"""Also with the releases of 2024, whose sets kept the schema in the project's: upstream moved it with the same version of Logflare."""


def analytics(c: Context) -> Service:
    """Logflare. It makes its tables at its start, so it waits for the database."""
    own = text("postgresql://supabase_admin:", Secret(DATABASE_PASSWORD, Encoding.URL), "@", Address("postgres"), f"/{DATABASE}")
    return Service(
        name="analytics",
        image=c.release.image_if_any("analytics"),
        # 1.8 GiB at rest, by `docker stats` in TrailBase's benchmark of a Supabase of June 2024, and in supabase/supabase#32713.
        resources=c.memory("analytics", 2048),
        env={
            "DB_DATABASE": text(DATABASE),
            "DB_HOSTNAME": text(Address("postgres", AddressPart.HOST)),
            "DB_PASSWORD": text(Secret(DATABASE_PASSWORD)),
            "DB_PORT": text(Address("postgres", AddressPart.PORT)),
            "DB_SCHEMA": text(SCHEMA),
            "DB_USERNAME": text("supabase_admin"),
            "LOGFLARE_FEATURE_FLAG_OVERRIDE": text("multibackend=true"),
            "LOGFLARE_NODE_HOST": text("127.0.0.1"),
            "LOGFLARE_SINGLE_TENANT": text("true"),
            "LOGFLARE_SUPABASE_MODE": text("true"),
            "POSTGRES_BACKEND_SCHEMA": text(SCHEMA),
            "POSTGRES_BACKEND_URL": own,
            **_tokens(c),
        },
        ports=(Port("http", PORT, publish="analytics" if c.settings["analytics"]["publish"] else None),),
        health=Health(("curl", "-sSfL", "-o", "/dev/null", f"http://localhost:{PORT}/health"), start_period=30),
        connects=(Edge("postgres", Gate.HEALTHY),),
        provides={"analytics": "http"},
        optional=True,
        # A release of Elixir may write beside its program.
        writable=None,
        stop_grace=30,
    )


def _tokens(c: Context) -> dict[str, Text]:
    if c.release.features.legacy_names:
        return {"LOGFLARE_API_KEY": text(Secret(LOGFLARE_PUBLIC_ACCESS_TOKEN)), "LOGFLARE_MIN_CLUSTER_SIZE": text("1")}
    return {
        "LOGFLARE_PRIVATE_ACCESS_TOKEN": text(Secret(LOGFLARE_PRIVATE_ACCESS_TOKEN)),
        "LOGFLARE_PUBLIC_ACCESS_TOKEN": text(Secret(LOGFLARE_PUBLIC_ACCESS_TOKEN)),
    }
