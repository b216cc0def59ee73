"""CleanMateX: a plain PostgreSQL beside a Supabase, Redis and MinIO (seed 003, `.env.example`: its variables, groups and order).

Its constants are the seed's. What it marks as optional in development (the keys of services outside) is empty there and here: give such a
value by the secret setting `appSecrets`, or by `envFiles.cleanmatex.variables` where it is none.
"""

from types import MappingProxyType
from typing import Final

from components.env_app import App, Group, Variable
from components.env_rules import Rule

CLEANMATEX: Final = App(
    "cleanmatex",
    (
        Group("Environment", (Variable(key="NODE_ENV", value="development"),)),
        Group(
            "Database (Direct PostgreSQL)",
            (
                Variable(key="DATABASE_URL", value="${PLAIN_DB_URL}"),
                Variable(key="DATABASE_POOL_MIN", value="2", rule=Rule.INTEGER),
                Variable(key="DATABASE_POOL_MAX", value="10", rule=Rule.INTEGER),
            ),
        ),
        Group(
            "Supabase",
            (
                Variable(key="NEXT_PUBLIC_SUPABASE_URL", value="${API_URL}"),
                Variable(key="NEXT_PUBLIC_SUPABASE_ANON_KEY", value="${ANON_KEY}"),
                Variable(key="SUPABASE_SERVICE_ROLE_KEY", value="${SERVICE_ROLE_KEY}"),
            ),
        ),
        Group(
            "Redis",
            (
                Variable(key="REDIS_URL", value="${REDIS_URL}"),
                Variable(key="REDIS_DB", value="0", rule=Rule.INTEGER),
            ),
        ),
        Group(
            "MinIO (S3)",
            (
                Variable(key="S3_ENDPOINT", value="${S3_ENDPOINT}"),
                Variable(key="S3_ACCESS_KEY", value="${S3_ACCESS_KEY}"),
                Variable(key="S3_SECRET_KEY", value="${S3_SECRET_KEY}"),
                Variable(key="S3_BUCKET", value="${S3_BUCKET}"),
            ),
        ),
        Group(
            "Application",
            (
                Variable(key="APP_PORT", value="${BACKEND_PORT}", setting="ports.backend"),
                Variable(key="APP_URL", value="${BACKEND_URL}"),
                Variable(key="WEB_ADMIN_URL", value="${APP_URL}"),
            ),
        ),
        # The one that auth signs with, so that the backend can verify the tokens of those who signed in there.
        Group(
            "JWT",
            (
                Variable(key="JWT_SECRET", value="${JWT_SECRET}"),
                # The `s` is jsonwebtoken's unit (npm `ms`); a number alone would be read as milliseconds when it comes as text.
                Variable(key="JWT_EXPIRES_IN", value="${JWT_EXPIRY}s"),
            ),
        ),
        Group(
            "Feature Flags",
            (
                Variable(key="ENABLE_ASSEMBLY", value="true", rule=Rule.BOOLEAN),
                Variable(key="ENABLE_MARKETPLACE", value="false", rule=Rule.BOOLEAN),
                Variable(key="ENABLE_AI_FEATURES", value="false", rule=Rule.BOOLEAN),
            ),
        ),
        Group(
            "External Services (Optional in dev)",
            tuple(
                Variable(key=key, value="", required=False, secret=secret)
                for key, secret in (
                    ("WHATSAPP_API_KEY", True),
                    ("WHATSAPP_PHONE_NUMBER", False),
                    ("TWILIO_ACCOUNT_SID", False),
                    ("TWILIO_AUTH_TOKEN", True),
                    ("SENDGRID_API_KEY", True),
                    ("STRIPE_SECRET_KEY", True),
                )
            ),
        ),
    ),
    expands=True,
    # Its web admin (Next.js) is what people open; APP_PORT is its backend's (NestJS).
    ports=MappingProxyType({"app": 3000, "backend": 3001}),
)
