"""Every value of a stack that an env file can refer to, by the name that stands in `${NAME}`: the outputs, and what only apps need.

The first seventeen are named as by `supabase status -o env` (Supabase CLI 3.1.0).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from components import cache_lifetimes, ports
from components.env_rules import Rule


@dataclass(frozen=True, slots=True)
class Source:
    """One value.

    Attributes:
        about: What it is, for people.
        rule: What a well-formed one is.
        secret: It is never shown.
    """

    about: str
    rule: Rule = Rule.TEXT
    secret: bool = False


def port_name(planned: str) -> str:
    """The name of a planned port's value: `mailWeb` is MAIL_WEB_PORT."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", planned).upper() + "_PORT"


_URL, _POSTGRES, _REDIS = Rule.HTTP_URL, Rule.POSTGRES_URL, Rule.REDIS_URL

OUTPUTS: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "API_URL": Source("The API gateway, which the clients of Supabase talk to", _URL),
        "REST_URL": Source("REST API", _URL),
        "GRAPHQL_URL": Source("GraphQL API", _URL),
        "FUNCTIONS_URL": Source("Edge functions", _URL),
        "STORAGE_S3_URL": Source("Storage's own S3 endpoint", _URL),
        "MCP_URL": Source("Studio's MCP server", _URL),
        "STUDIO_URL": Source("Studio; it asks for DASHBOARD_USERNAME and DASHBOARD_PASSWORD", _URL),
        "MAILPIT_URL": Source("The mails that the stack has sent", _URL),
        "DB_URL": Source("The database itself, without a pooler in between", _POSTGRES, secret=True),
        "JWT_SECRET": Source("Signs and verifies HS256 tokens", secret=True),
        "ANON_KEY": Source("Key of whoever is not signed in; browsers may have it", Rule.ANON_KEY),
        "SERVICE_ROLE_KEY": Source(
            "Key that row level security does not hold; servers alone may have it", Rule.SERVICE_KEY, secret=True
        ),
        "PUBLISHABLE_KEY": Source("ANON_KEY's successor (sb_publishable_)", Rule.ANON_KEY),
        "SECRET_KEY": Source("SERVICE_ROLE_KEY's successor (sb_secret_)", Rule.SERVICE_KEY, secret=True),
        "S3_PROTOCOL_ACCESS_KEY_ID": Source("Access key id for STORAGE_S3_URL"),
        "S3_PROTOCOL_ACCESS_KEY_SECRET": Source("Secret key for STORAGE_S3_URL", secret=True),
        "S3_PROTOCOL_REGION": Source("Region for STORAGE_S3_URL"),
        "JWKS": Source(
            'The keys that verify the stack\'s tokens, as JSON {"keys": [...]}; JWT_SECRET is among them', secret=True
        ),
        "POOLER_URL": Source("The database through the pooler, a connection for each transaction", _POSTGRES, secret=True),
        "POOLER_SESSION_URL": Source("The database through the pooler, a connection for each session", _POSTGRES, secret=True),
        "READ_URL": Source("The database's first read replica, or its standbys", _POSTGRES, secret=True),
        "READ_URLS": Source("All read replicas, with commas between", secret=True),
        "TEST_SCHEMA": Source("The schema that tests keep to"),
        "TEST_DATABASE_URL": Source(
            "The database with that schema, through the pooler where there is one", _POSTGRES, secret=True
        ),
        "TEST_DIRECT_URL": Source("The database itself with that schema", _POSTGRES, secret=True),
        "DASHBOARD_USERNAME": Source("Login of Studio"),
        "DASHBOARD_PASSWORD": Source("Its password", secret=True),
        "PROJECT_REF": Source("The stack's reference, as a hosted project's"),
        "PLAIN_DB_URL": Source("The PostgreSQL without Supabase", _POSTGRES, secret=True),
        "PGBOUNCER_URL": Source("The same through PgBouncer", _POSTGRES, secret=True),
        "REDIS_URL": Source("The cache", _REDIS, secret=True),
        "REDIS_COMMANDER_URL": Source("Redis Commander", _URL),
        "S3_ENDPOINT": Source("The object store", _URL),
        "S3_ACCESS_KEY": Source("Its access key id"),
        "S3_SECRET_KEY": Source("Its secret key", secret=True),
        "S3_BUCKET": Source("Its first bucket"),
        "S3_REGION": Source("Its region"),
        "APP_URL": Source("Where the app is", _URL),
        "BACKEND_URL": Source("Where the app's backend is, where that is a server of its own", _URL),
        "INSTANCE_ID": Source("The number of this copy on the machine", Rule.INTEGER),
    }
)
"""Outputs of the stack that are single values."""

_OF_APPS: Final[Mapping[str, Source]] = {
    "SETUP_PASSWORD": Source("Opens the app's set-up page", secret=True),
    "ADMIN_EMAIL": Source("The app's first administrator", Rule.EMAIL),
    "ADMIN_PASSWORD": Source("The administrator's password", secret=True),
    "ADMIN_NAME": Source("The administrator's name"),
    "JWT_EXPIRY": Source("Seconds that a token is valid for", Rule.INTEGER),
    "SITE_URL": Source("Where auth sends people back to", _URL),
    "API_SCHEMAS": Source("Schemas of the REST API, as a JSON list"),
    "API_MAX_ROWS": Source("Rows that the REST API gives at most", Rule.INTEGER),
    "DB_MAJOR_VERSION": Source("Major version of PostgreSQL", Rule.INTEGER),
    "DB_POOL_SIZE": Source("Connections to the database that one process of the app opens at most", Rule.INTEGER),
    "SCHEDULED_TASKS": Source("The scheduled tasks, as JSON by name"),
    cache_lifetimes.ALL: Source("How long each kind of data stays in the cache, as JSON in seconds"),
}

OF_TENANTS: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "TENANT_ID": Source("The tenant"),
        "TENANT_NAME": Source("Its name for people"),
        "ORG_ID": Source("Id that its rows have in the app's tables"),
        "TENANT_TIER": Source("standard, or enterprise: with a project of its own"),
        "TENANT_REGION": Source("Where its data is"),
        "TENANT_COMPLIANCE": Source("Rule sets that it is held to, with commas between"),
    }
)
"""What only the env file of a tenant has."""

SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {
        **OUTPUTS,
        **_OF_APPS,
        **OF_TENANTS,
        **{port_name(name): Source(f"The port `{name}` of the port plan", Rule.PORT) for name in ports.BASE},
    }
)
"""All of them, but those that the settings name: `find` knows them too."""


def find(name: str) -> Source | None:
    """The value of a name; None where no stack can have one. Each lifetime of the cache is one (`components.cache_lifetimes`)."""
    if re.fullmatch(rf"{cache_lifetimes.PREFIX}[A-Z0-9_]+", name):
        return Source("How long that stays in the cache, in seconds", Rule.INTEGER)
    return SOURCES.get(name)
