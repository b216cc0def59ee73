"""Supabase's own tools: the names of `supabase status -o env`, and a `supabase/config.toml` (Supabase CLI 3.1.0)."""

from typing import Final

from components.env_app import App, Group, Variable
from components.env_format import Format

_STATUS: Final = (
    "ANON_KEY",
    "API_URL",
    "DB_URL",
    "FUNCTIONS_URL",
    "GRAPHQL_URL",
    "JWT_SECRET",
    "MAILPIT_URL",
    "MCP_URL",
    "PUBLISHABLE_KEY",
    "REST_URL",
    "S3_PROTOCOL_ACCESS_KEY_ID",
    "S3_PROTOCOL_ACCESS_KEY_SECRET",
    "S3_PROTOCOL_REGION",
    "SECRET_KEY",
    "SERVICE_ROLE_KEY",
    "STORAGE_S3_URL",
    "STUDIO_URL",
)
"""What the CLI prints for a stack with all services; as there, those of a service that is off are missing."""

SUPABASE: Final = App(
    "supabase",
    (
        Group(
            "As `supabase status -o env` names them", tuple(Variable(key=k, value=f"${{{k}}}", required=False) for k in _STATUS)
        ),
    ),
)


def _keys(**values: str) -> tuple[Variable, ...]:
    return tuple(Variable(key=key.replace("__", "."), value=value, required=False) for key, value in values.items())


CLI: Final = App(
    "supabase-cli",
    (
        Group("The Supabase CLI's local commands find this stack by it", _keys(project_id="${PROJECT_REF}")),
        Group("", _keys(api__port="${API_PORT}", api__schemas="${API_SCHEMAS}", api__max_rows="${API_MAX_ROWS}")),
        Group(
            "The shadow database is the CLI's own, for `db diff`",
            _keys(db__port="${POSTGRES_PORT}", db__shadow_port="${SHADOW_PORT}", db__major_version="${DB_MAJOR_VERSION}"),
        ),
        Group("", _keys(studio__port="${STUDIO_PORT}")),
        Group(
            "",
            _keys(
                local_smtp__port="${MAIL_WEB_PORT}", local_smtp__smtp_port="${SMTP_PORT}", local_smtp__pop3_port="${POP3_PORT}"
            ),
        ),
        Group("", _keys(analytics__port="${ANALYTICS_PORT}")),
        Group("", _keys(auth__site_url="${SITE_URL}", auth__jwt_expiry="${JWT_EXPIRY}")),
    ),
    format=Format.TOML,
    path="supabase/config.toml",
)
"""It has no key for the database's password, which the CLI takes to be `postgres`: hence only with the CLI's own keys."""
