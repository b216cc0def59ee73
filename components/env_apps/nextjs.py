"""The service centre: a Next.js app on a Supabase of its own (seed 000, section 7.6)."""

from typing import Final

from components.env_app import App, Group, Variable

NEXTJS: Final = App(
    "nextjs",
    (
        Group(
            "This instance and the port that the app listens on",
            (
                Variable(key="INSTANCE_ID", value="${INSTANCE_ID}", setting="instance"),
                Variable(key="NEXT_PUBLIC_PORT", value="${APP_PORT}", setting="app.port"),
            ),
        ),
        Group(
            "Supabase. NEXT_PUBLIC_ values end up in the browser; the service role key must not",
            (
                Variable(key="NEXT_PUBLIC_SUPABASE_URL", value="${API_URL}"),
                Variable(key="NEXT_PUBLIC_SUPABASE_ANON_KEY", value="${ANON_KEY}"),
                Variable(key="SUPABASE_SERVICE_ROLE_KEY", value="${SERVICE_ROLE_KEY}"),
            ),
        ),
        Group(
            "Opens the app's /setup page, which makes the first administrator",
            (
                Variable(key="SETUP_PASSWORD", value="${SETUP_PASSWORD}", setting="setupPassword"),
                Variable(key="ADMIN_EMAIL", value="${ADMIN_EMAIL}", setting="admin.email"),
                Variable(key="ADMIN_PASSWORD", value="${ADMIN_PASSWORD}", setting="adminPassword"),
                Variable(key="ADMIN_NAME", value="${ADMIN_NAME}", setting="admin.name"),
            ),
        ),
        Group(
            "The database itself, without a pooler in between",
            (Variable(key="DATABASE_URL", value="${DB_URL}", required=False),),
        ),
    ),
    expands=True,
)
