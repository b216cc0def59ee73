"""The ids of all rules, in the order of the documents. Each is explained where its function is (docs/policies.md has all of them)."""

from typing import Final

WELL_KNOWN_KEYS: Final = "well-known-keys"
CONFIGMAP_SECRETS: Final = "configmap-secrets"
DATABASE_TLS: Final = "database-tls"
JWT_EXPIRY: Final = "jwt-expiry"
KEY_LIFETIMES: Final = "key-lifetimes"
IMAGE_TAGS: Final = "image-tags"
IMAGE_DIGESTS: Final = "image-digests"
BIND_ADDRESSES: Final = "bind-addresses"
PUBLIC_TLS: Final = "public-tls"
STUDIO_GUARD: Final = "studio-guard"
PROTECTED_DATA: Final = "protected-data"
BACKUPS: Final = "backups"
RESOURCE_LIMITS: Final = "resource-limits"
RESTRICTED_PODS: Final = "restricted-pods"
REPLICAS: Final = "replicas"

IDS: Final = (
    WELL_KNOWN_KEYS,
    CONFIGMAP_SECRETS,
    DATABASE_TLS,
    JWT_EXPIRY,
    KEY_LIFETIMES,
    IMAGE_TAGS,
    IMAGE_DIGESTS,
    BIND_ADDRESSES,
    PUBLIC_TLS,
    STUDIO_GUARD,
    PROTECTED_DATA,
    BACKUPS,
    RESOURCE_LIMITS,
    RESTRICTED_PODS,
    REPLICAS,
)
