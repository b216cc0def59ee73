"""The outputs of a Supabase stack, as plain texts: named as by `supabase status -o env`, each only for what runs."""

from collections.abc import Mapping
from typing import Final

from components import managed, schema_for_tests
from components.endpoints import Endpoint
from components.service import Secret, Text, text
from components.services import database_engine, postgres, storage
from components.services import secret_names as names
from components.services.context import Context

NAMES: Final = (
    "API_URL",
    "REST_URL",
    "GRAPHQL_URL",
    "FUNCTIONS_URL",
    "STORAGE_S3_URL",
    "MCP_URL",
    "STUDIO_URL",
    "MAILPIT_URL",
    "DB_URL",
    "READ_URL",
    "READ_URLS",
    "POOLER_URL",
    "POOLER_SESSION_URL",
    *schema_for_tests.NAMES,
    "JWT_SECRET",
    "ANON_KEY",
    "SERVICE_ROLE_KEY",
    "PUBLISHABLE_KEY",
    "SECRET_KEY",
    "JWKS",
    "S3_PROTOCOL_ACCESS_KEY_ID",
    "S3_PROTOCOL_ACCESS_KEY_SECRET",
    "S3_PROTOCOL_REGION",
    "DASHBOARD_USERNAME",
    "DASHBOARD_PASSWORD",
    "PROJECT_REF",
)
"""All there can be."""


def outputs(c: Context, published: Mapping[str, Endpoint]) -> dict[str, Text]:
    """The outputs of what runs, by name.

    Args:
        c: What the stack is made from.
        published: Where the host reaches what is published, by name in the port plan.
    """
    if "postgres" not in c.running:
        return {}
    found = {"PROJECT_REF": text(c.project_ref), **_keys(c), **_databases(c, published)}
    if "api" in published:
        found |= _behind_the_gateway(c)
    if "studio" in published:
        found |= {
            "STUDIO_URL": text(c.urls.studio),
            "DASHBOARD_USERNAME": text(c.settings["studio"]["username"]),
            "DASHBOARD_PASSWORD": text(Secret(names.DASHBOARD_PASSWORD)),
        }
    if "mailWeb" in published:
        found["MAILPIT_URL"] = text(f"http://{published['mailWeb']}")
    return found


def _behind_the_gateway(c: Context) -> dict[str, Text]:
    # Paths of the gateway's route map (supabase-contract.md, 3), as the CLI spells them.
    paths = {
        "API_URL": ("gateway", ""),
        "REST_URL": ("rest", "/rest/v1"),
        "GRAPHQL_URL": ("rest", "/graphql/v1"),
        "FUNCTIONS_URL": ("functions", "/functions/v1"),
        "STORAGE_S3_URL": ("storage", "/storage/v1/s3"),
        "MCP_URL": ("studio", "/mcp"),
    }
    shut = set[str]()
    if not c.settings["gateway"]["mcp"]:
        shut.add("MCP_URL")
    # Storage of 2024 is given no keys for it.
    if not c.settings["storage"]["s3Protocol"]["enabled"] or c.release.features.legacy_names:
        shut.add("STORAGE_S3_URL")
    found = {
        name: text(c.urls.api + path) for name, (service, path) in paths.items() if service in c.running and name not in shut
    }
    if "STORAGE_S3_URL" in found:
        found |= {
            "S3_PROTOCOL_ACCESS_KEY_ID": text(Secret(names.S3_PROTOCOL_ACCESS_KEY_ID)),
            "S3_PROTOCOL_ACCESS_KEY_SECRET": text(Secret(names.S3_PROTOCOL_ACCESS_KEY_SECRET)),
            "S3_PROTOCOL_REGION": text(storage.region(c)),
        }
    return found


def _keys(c: Context) -> dict[str, Text]:
    held = {"JWT_SECRET": names.JWT_SECRET, "ANON_KEY": names.ANON_KEY, "SERVICE_ROLE_KEY": names.SERVICE_ROLE_KEY}
    if c.asymmetric:
        held |= {"PUBLISHABLE_KEY": names.PUBLISHABLE_KEY, "SECRET_KEY": names.SECRET_KEY, "JWKS": names.JWT_JWKS}
    return {name: text(Secret(secret)) for name, secret in held.items()}


def _databases(c: Context, published: Mapping[str, Endpoint]) -> dict[str, Text]:
    # Supavisor tells its tenants apart by the login (supabase-contract.md, supavisor); the operator's pooler has but one.
    pooled = f"{postgres.USER}.{c.project_ref}" if "pooler" in c.running else postgres.USER
    ways = {
        "DB_URL": ("postgres", postgres.USER),
        "READ_URL": (database_engine.READ, postgres.USER),
        "POOLER_URL": ("poolerTransaction", pooled),
        "POOLER_SESSION_URL": ("poolerSession", pooled),
    }
    found = {
        name: managed.url(user, published[port], postgres.database(c), _query(c, port))
        for name, (port, user) in ways.items()
        if port in published
    }
    # A list of the user's own names more than the standbys.
    replicas = [
        managed.url(postgres.USER, at, postgres.database(c), database_engine.replica_query(c, at.host))
        for at in map(managed.endpoint, c.settings["database"]["readReplicas"])
    ]
    return found | managed.read_urls(replicas or [found[name] for name in ("READ_URL",) if name in found])


def _query(c: Context, port: str) -> str:
    """What the URL of the database itself ends with; its poolers have no say in how it is reached."""
    return database_engine.query(c) if port == "postgres" else ""
