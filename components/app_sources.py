"""The values that an app in the stack can refer to: those of env files, and the way to the API from inside."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from components import env_sources
from components.env_rules import Rule
from components.env_sources import Source

INTERNAL_API_URL: Final = "INTERNAL_API_URL"
"""What a program in the stack calls; API_URL is what browsers call."""

MORE: Final[Mapping[str, Source]] = MappingProxyType(
    {INTERNAL_API_URL: Source("The API gateway, as programs in the stack reach it", Rule.HTTP_URL)}
)
"""What env files don't know: they are read outside the stack."""


def find(name: str) -> Source | None:
    """The value of a name; None where no stack can have one."""
    return MORE.get(name) or env_sources.find(name)


PORTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "DB_URL": ("postgres",),
        "POOLER_URL": ("poolerTransaction",),
        "POOLER_SESSION_URL": ("poolerSession",),
        "TEST_DATABASE_URL": ("poolerTransaction", "postgres"),
        "TEST_DIRECT_URL": ("postgres",),
        "PLAIN_DB_URL": ("plainPostgres",),
        "PGBOUNCER_URL": ("pgbouncer",),
        "REDIS_URL": ("cache",),
        "S3_ENDPOINT": ("objectStore",),
    }
)
"""Ports, by their names in the port plan, of each URL that an app is given as it is reached from inside; the first that there is. All the
others are for browsers, too."""

READ: Final = "postgres-read"
"""Standbys that are servers of their own; those of an operator are servers of the capability `postgres`."""
CAPABILITIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "DB_URL": ("postgres",),
        "READ_URL": ("postgres", READ),
        "READ_URLS": ("postgres", READ),
        "POOLER_URL": ("pooler",),
        "POOLER_SESSION_URL": ("pooler-session",),
        "TEST_DATABASE_URL": ("pooler", "postgres"),
        "TEST_DIRECT_URL": ("postgres",),
        "PLAIN_DB_URL": ("plain-postgres",),
        "PGBOUNCER_URL": ("pgbouncer",),
        "REDIS_URL": ("redis",),
        "S3_ENDPOINT": ("s3",),
        INTERNAL_API_URL: ("gateway",),
    }
)
"""What an app connects to that is given such a URL."""

GATEWAY_URLS: Final = ("API_URL", "REST_URL", "GRAPHQL_URL", "FUNCTIONS_URL", "STORAGE_S3_URL")
"""Addresses of the gateway as clients know it, which may be one inside the cluster."""


def host_port(app: str) -> str:
    """Name of an app's own host port among the ports of the stack."""
    return f"apps.{app}"
