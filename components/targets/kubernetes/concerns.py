"""Which Secret of a component a secret is kept in: one for each concern, so that who may read one need not see the others."""

from typing import Final

_OTHERS: Final = "credentials"
"""Of a component that has one server, and the password of that."""

# By the names in components/services/secret_names.py.
_BY_NAME: Final = {
    "anon-key": "keys",
    "anon-key-asymmetric": "keys",
    "dashboard-htpasswd": "dashboard",
    "dashboard-password": "dashboard",
    "database-backup-access-key": "backup",
    "database-backup-secret-key": "backup",
    "database-password": "database",
    "database-sync-password": "database",
    "external-database-password": "database",
    "jwt-jwks": "jwt",
    "jwt-keys": "jwt",
    "jwt-secret": "jwt",
    "logflare-private-access-token": "logs",
    "logflare-public-access-token": "logs",
    "openai-api-key": "openai",
    "pg-meta-crypto-key": "encryption",
    "publishable-key": "keys",
    "realtime-db-enc-key": "encryption",
    "s3-access-key": "s3",
    "s3-protocol-access-key-id": "s3-protocol",
    "s3-protocol-access-key-secret": "s3-protocol",
    "s3-secret-key": "s3",
    "secret-key": "keys",
    "secret-key-base": "encryption",
    "service-role-key": "keys",
    "service-role-key-asymmetric": "keys",
    "signing-key": "jwt",
    "smtp-password": "smtp",
    "tls-key": "tls",
    "vault-enc-key": "encryption",
    "vault-root-key": "encryption",
}
_BY_BEGINNING: Final = {"auth-": "auth", "function-": "functions", "service-": "services"}
_OF_COMPONENT: Final = "supabase"
"""The component that these names are of: `secret-key` is another thing in an object store."""


def concern(component: str, secret: str) -> str:
    """The concern of a secret."""
    if component != _OF_COMPONENT:
        return _OTHERS
    if secret in _BY_NAME:
        return _BY_NAME[secret]
    return next((found for beginning, found in _BY_BEGINNING.items() if secret.startswith(beginning)), _OTHERS)


def secret_object(component: str, secret: str) -> str:
    """Name of the Secret that holds it; its key there is the secret's own name."""
    return f"{component}-{concern(component, secret)}"
