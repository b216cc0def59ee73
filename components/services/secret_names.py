"""Names of the secrets of a Supabase stack: names, never values. What each is made of: `components.supabase_secrets`."""

from typing import Final

DATABASE_PASSWORD: Final = "database-password"
DATABASE_SYNC_PASSWORD: Final = "database-sync-password"
"""Of the role that brings the others' passwords in line: it stays when those change."""
VAULT_ROOT_KEY: Final = "vault-root-key"
"""64 hex digits: what the vault extension seals with, where the server can't keep it on a volume of its own."""
JWT_SECRET: Final = "jwt-secret"
"""Signs and verifies HS256 tokens; at least 32 characters."""
ANON_KEY: Final = "anon-key"
"""HS256 token of the role anon."""
SERVICE_ROLE_KEY: Final = "service-role-key"
PUBLISHABLE_KEY: Final = "publishable-key"
"""sb_publishable_..."""
SECRET_KEY: Final = "secret-key"
"""sb_secret_..."""
SIGNING_KEY: Final = "signing-key"
"""Private EC P-256 key as JWK (JSON), with kid."""
JWT_KEYS: Final = "jwt-keys"
"""JSON array of the private EC key and of the JWT secret as oct key: GOTRUE_JWT_KEYS."""
JWT_JWKS: Final = "jwt-jwks"
"""JSON object {"keys": [...]} of the public EC key and of the JWT secret as oct key: for those who verify. A secret, for the second."""
ANON_KEY_ASYMMETRIC: Final = "anon-key-asymmetric"
"""ES256 token of the role anon; the gateway's alone."""
SERVICE_ROLE_KEY_ASYMMETRIC: Final = "service-role-key-asymmetric"
DASHBOARD_PASSWORD: Final = "dashboard-password"
DASHBOARD_HTPASSWD: Final = "dashboard-htpasswd"
"""One htpasswd line, `user:{SHA}...`, as Envoy's basic auth reads it."""
SECRET_KEY_BASE: Final = "secret-key-base"
"""64 characters: Realtime, Supavisor."""
REALTIME_DB_ENC_KEY: Final = "realtime-db-enc-key"
"""16 characters: an AES-128 key as it stands."""
VAULT_ENC_KEY: Final = "vault-enc-key"
"""32 characters: Supavisor."""
PG_META_CRYPTO_KEY: Final = "pg-meta-crypto-key"
"""32 characters: Studio and postgres-meta."""
S3_PROTOCOL_ACCESS_KEY_ID: Final = "s3-protocol-access-key-id"
S3_PROTOCOL_ACCESS_KEY_SECRET: Final = "s3-protocol-access-key-secret"
LOGFLARE_PUBLIC_ACCESS_TOKEN: Final = "logflare-public-access-token"
LOGFLARE_PRIVATE_ACCESS_TOKEN: Final = "logflare-private-access-token"

# Only a user can give these.
EXTERNAL_DATABASE_PASSWORD: Final = "external-database-password"
DATABASE_BACKUP_ACCESS_KEY: Final = "database-backup-access-key"
"""No secret by itself, but the other half of one."""
DATABASE_BACKUP_SECRET_KEY: Final = "database-backup-secret-key"
SMTP_PASSWORD: Final = "smtp-password"
OPENAI_API_KEY: Final = "openai-api-key"
TLS_KEY: Final = "tls-key"
"""Private key of the gateway's certificate, PEM."""
S3_ACCESS_KEY: Final = "s3-access-key"
"""Of the object store in which Storage keeps its files."""
S3_SECRET_KEY: Final = "s3-secret-key"


def auth_provider(provider: str) -> str:
    """Secret of an external auth provider (`github`)."""
    return f"auth-provider-{provider}"


def auth_hook(hook: str) -> str:
    """Secret of an auth hook (`send_sms`)."""
    return f"auth-hook-{hook}"


def auth_sms(variable: str) -> str:
    """Secret of an SMS provider, by the end of its variable (`TWILIO_AUTH_TOKEN`)."""
    return f"auth-sms-{variable}"


def function(variable: str) -> str:
    """Secret that the edge functions get, by the variable's name."""
    return f"function-{variable}"


def of_service(service: str, variable: str) -> str:
    """Secret environment variable that a user gives one service."""
    return f"service-{service}-{variable}"
