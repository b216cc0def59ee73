"""Which secret settings there are, and which secret of the Supabase stack each is: the one place that says so."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from components import cli_keys, keys
from components.services import secret_names as names
from components.setting_schema import SECRETS
from components.setting_types import Compat
from components.setting_values import Ciphertext

SINGLE: Final[Mapping[str, str]] = {
    "databasePassword": names.DATABASE_PASSWORD,
    "externalDatabasePassword": names.EXTERNAL_DATABASE_PASSWORD,
    "databaseBackupSecretKey": names.DATABASE_BACKUP_SECRET_KEY,
    "jwtSecret": names.JWT_SECRET,
    "anonKey": names.ANON_KEY,
    "serviceRoleKey": names.SERVICE_ROLE_KEY,
    "publishableKey": names.PUBLISHABLE_KEY,
    "secretKey": names.SECRET_KEY,
    "signingKey": names.SIGNING_KEY,
    "dashboardPassword": names.DASHBOARD_PASSWORD,
    "secretKeyBase": names.SECRET_KEY_BASE,
    "realtimeDbEncKey": names.REALTIME_DB_ENC_KEY,
    "vaultEncKey": names.VAULT_ENC_KEY,
    "vaultRootKey": names.VAULT_ROOT_KEY,
    "pgMetaCryptoKey": names.PG_META_CRYPTO_KEY,
    "s3ProtocolAccessKeyId": names.S3_PROTOCOL_ACCESS_KEY_ID,
    "s3ProtocolAccessKeySecret": names.S3_PROTOCOL_ACCESS_KEY_SECRET,
    "logflarePublicAccessToken": names.LOGFLARE_PUBLIC_ACCESS_TOKEN,
    "logflarePrivateAccessToken": names.LOGFLARE_PRIVATE_ACCESS_TOKEN,
    "smtpPassword": names.SMTP_PASSWORD,
    "openaiApiKey": names.OPENAI_API_KEY,
    "tlsKey": names.TLS_KEY,
}
"""Name of the stack's secret by setting."""

MAPPINGS: Final[Mapping[str, Callable[..., str]]] = {
    "authProviderSecrets": names.auth_provider,
    "authHookSecrets": names.auth_hook,
    "authSmsSecrets": names.auth_sms,
    "functionSecrets": names.function,
    "serviceSecrets": names.of_service,
}
"""What names the stack's secret, by setting; it takes the names below the setting."""


def given(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Each secret of the checked settings: where it stands, and its value; None where it can't be read here."""
    for name in SECRETS:
        yield from _leaves((name,), values.get(name))


def _leaves(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], str | None]]:
    if isinstance(value, Ciphertext):
        yield path, None
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves((*path, name), inner)
    elif value:
        yield path, value


def of_supabase(values: Mapping[str, Any]) -> dict[str, str | None]:
    """The user's own secrets of the Supabase stack by their names there, and with `compat: cli` those of the Supabase CLI."""
    found = {_name(path): value for path, value in given(values) if path[0] in SINGLE or path[0] in MAPPINGS}
    if values["compat"] is Compat.CLI:
        found |= {SINGLE[setting]: value for setting, value in cli().items()}
    return found


def _name(path: tuple[str, ...]) -> str:
    return SINGLE[path[0]] if len(path) == 1 else MAPPINGS[path[0]](*path[1:])


def cli() -> dict[str, str]:
    """What `compat: cli` gives, by setting."""
    return {
        "databasePassword": cli_keys.DATABASE_PASSWORD,
        "jwtSecret": cli_keys.JWT_SECRET,
        "anonKey": cli_keys.role_key(keys.ANON),
        "serviceRoleKey": cli_keys.role_key(keys.SERVICE_ROLE),
        "publishableKey": cli_keys.PUBLISHABLE_KEY,
        "secretKey": cli_keys.SECRET_KEY,
        "signingKey": cli_keys.SIGNING_KEY,
        "s3ProtocolAccessKeyId": cli_keys.S3_ACCESS_KEY_ID,
        "s3ProtocolAccessKeySecret": cli_keys.S3_ACCESS_KEY_SECRET,
    }
