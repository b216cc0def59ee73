"""MonoPilot: a Next.js app on Vercel, with Supabase and Upstash Redis, and many tenants (seed 004).

The seed names no variable but those that supabase-js, its Redis client and Next.js go by in its examples; the others are named by us, after
what the seed says that they hold. As `envFiles` it has no tenant, and those lines are left out.
"""

from typing import Final

from components import cache_lifetimes
from components.env_app import App, Group, Variable
from components.env_rules import Rule

LIFETIMES: Final = ("productCatalog", "bomLookups", "settings", "userPermissions")
"""Kinds of data that the seed's table has a lifetime for."""

MONOPILOT: Final = App(
    "monopilot",
    (
        Group(
            "The tenant, whose rows carry ORG_ID",
            (
                Variable(key="TENANT_ID", value="${TENANT_ID}", required=False),
                Variable(key="TENANT_NAME", value="${TENANT_NAME}", required=False),
                Variable(key="TENANT_TIER", value="${TENANT_TIER}", required=False),
                Variable(key="TENANT_REGION", value="${TENANT_REGION}", required=False),
                Variable(key="TENANT_COMPLIANCE", value="${TENANT_COMPLIANCE}", required=False),
                Variable(key="ORG_ID", value="${ORG_ID}", required=False),
            ),
        ),
        Group(
            "Supabase. NEXT_PUBLIC_ values end up in the browser; the service role key must not: no row is hidden from it",
            (
                Variable(key="NEXT_PUBLIC_SUPABASE_URL", value="${API_URL}"),
                Variable(key="NEXT_PUBLIC_SUPABASE_ANON_KEY", value="${ANON_KEY}"),
                Variable(key="SUPABASE_SERVICE_ROLE_KEY", value="${SERVICE_ROLE_KEY}"),
            ),
        ),
        Group(
            "The database: pooled for queries, direct for migrations, a replica for reports, dashboards and exports",
            (
                Variable(key="DATABASE_URL", value="${POOLER_URL}", instead="${DB_URL}"),
                Variable(key="DIRECT_URL", value="${DB_URL}"),
                Variable(key="READ_DATABASE_URL", value="${READ_URL}", required=False),
                Variable(key="DB_POOL_SIZE", value="${DB_POOL_SIZE}", required=False, setting="app.poolSize"),
            ),
        ),
        Group(
            "The cache, and how many seconds each kind of data stays in it",
            (
                Variable(key="REDIS_URL", value="${REDIS_URL}"),
                *(
                    Variable(key=name, value=f"${{{name}}}", rule=Rule.INTEGER, required=False, setting="cache.lifetimes")
                    for name in map(cache_lifetimes.variable, LIFETIMES)
                ),
            ),
        ),
        Group(
            "Tasks by the clock, as JSON by name",
            (Variable(key="SCHEDULED_TASKS", value="${SCHEDULED_TASKS}", required=False, setting="supabase.database.schedule"),),
        ),
    ),
    expands=True,
)
"""Next.js reads env files with dotenv-expand. The port is as planned: the seed names none."""
