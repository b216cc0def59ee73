"""Studio, the dashboard.

Environment, port and health checks are those of upstream's compose files. It has no login of its own, so its port is not published:
who wants to see it comes by the gateway, which asks for one.
"""

from typing import Final

from components.service import Address, AddressPart, Edge, Port, Secret, Service, Text, Volume, text
from components.services import functions, node, postgres, rest, secret_names
from components.services.context import Context

PORT: Final = 3000
SNIPPETS: Final = "/app/snippets"
FUNCTIONS: Final = "/app/edge-functions"


def _check(legacy: bool) -> str:
    if legacy:
        return (
            f"require('http').get('http://localhost:{PORT}/api/profile', "
            "(r) => {if (r.statusCode !== 200) throw new Error(r.statusCode)})"
        )
    return (
        f"fetch('http://localhost:{PORT}/api/platform/profile').then((r) => {{if (r.status !== 200) throw new Error(r.status)}})"
    )


def _logs(c: Context) -> dict[str, Text]:
    """Where it gets the logs from."""
    if not c.runs("analytics"):
        return {} if c.release.features.legacy_names else {"ENABLED_FEATURES_LOGS_ALL": text("false")}
    url = {"LOGFLARE_URL": text("http://", Address("analytics"))}
    if c.release.features.legacy_names:
        return {
            **url,
            "LOGFLARE_API_KEY": text(Secret(secret_names.LOGFLARE_PUBLIC_ACCESS_TOKEN)),
            "NEXT_ANALYTICS_BACKEND_PROVIDER": text("postgres"),
            "NEXT_PUBLIC_ENABLE_LOGS": text("true"),
        }
    return {
        **url,
        "ENABLED_FEATURES_LOGS_ALL": text("true"),
        "LOGFLARE_PRIVATE_ACCESS_TOKEN": text(Secret(secret_names.LOGFLARE_PRIVATE_ACCESS_TOKEN)),
    }


def _since_2024(c: Context) -> dict[str, Text]:
    env = {
        "AUTH_JWT_SECRET": text(Secret(secret_names.JWT_SECRET)),
        "EDGE_FUNCTIONS_MANAGEMENT_FOLDER": text(FUNCTIONS),
        "HOSTNAME": text("0.0.0.0"),  # all addresses of its own container
        "PGRST_DB_EXTRA_SEARCH_PATH": text(rest.extra_search_path(c)),
        "PGRST_DB_MAX_ROWS": text(rest.max_rows(c)),
        "PGRST_DB_SCHEMAS": text(rest.schemas(c)),
        "PG_META_CRYPTO_KEY": text(Secret(secret_names.PG_META_CRYPTO_KEY)),
        "POSTGRES_DB": text(postgres.database(c)),
        "POSTGRES_HOST": text(Address("postgres", AddressPart.HOST)),
        "POSTGRES_PORT": text(Address("postgres", AddressPart.PORT)),
        "POSTGRES_USER_READ_WRITE": text(postgres.USER),
        "SNIPPETS_MANAGEMENT_FOLDER": text(SNIPPETS),
    }
    if c.asymmetric:
        env["SUPABASE_PUBLISHABLE_KEY"] = text(Secret(secret_names.PUBLISHABLE_KEY))
        env["SUPABASE_SECRET_KEY"] = text(Secret(secret_names.SECRET_KEY))
    if secret_names.OPENAI_API_KEY in c.secrets:
        env["OPENAI_API_KEY"] = text(Secret(secret_names.OPENAI_API_KEY))
    return env


def studio(c: Context) -> Service:
    """Studio, the dashboard."""
    settings = c.settings["studio"]
    legacy = c.release.features.legacy_names
    # It shows the functions; an older release does not look there.
    mounts, folders = ((), ()) if legacy else functions.source(c, FUNCTIONS)
    return Service(
        name="studio",
        image=c.release.image_if_any("studio"),
        # At rest it has 166 to 181 MB (KahitSan/supabase-air, DIGITALOCEAN-BENCHMARKS.md); its check is another Node for a moment, of 50.
        resources=c.memory("studio", 256),
        env={
            "DEFAULT_ORGANIZATION_NAME": text(settings["defaultOrganization"]),
            "DEFAULT_PROJECT_NAME": text(settings["defaultProject"]),
            "POSTGRES_PASSWORD": text(Secret(secret_names.DATABASE_PASSWORD)),
            "STUDIO_PG_META_URL": text("http://", Address("meta")),
            "SUPABASE_ANON_KEY": text(Secret(secret_names.ANON_KEY)),
            "SUPABASE_PUBLIC_URL": text(c.urls.api),
            "SUPABASE_SERVICE_KEY": text(Secret(secret_names.SERVICE_ROLE_KEY)),
            "SUPABASE_URL": text("http://", Address("gateway")),
            **_logs(c),
            **({} if legacy else _since_2024(c)),
        },
        ports=(Port("http", PORT),),
        # Queries that people keep are worth as much as data. An older release does not look there; they stay all the same.
        volumes=(Volume("studio-snippets", SNIPPETS, precious=True, size_mib=1024, idle=legacy),),
        mounts=mounts,
        folders=folders,
        health=node.health("node", "-e", _check(legacy), start_period=60),
        connects=(
            Edge("meta"),
            Edge("gateway"),
            *(() if legacy else (Edge("postgres"),)),
            *((Edge("analytics"),) if c.runs("analytics") else ()),
        ),
        outside=("openai",) if secret_names.OPENAI_API_KEY in c.secrets and not legacy else (),
        provides={"studio": "http"},
        identity="studio",
        optional=True,
        # What Next.js keeps beside the program was not read.
        writable=None,
        # It keeps people's queries.
        stop_grace=30,
    )
