"""The secrets of a Supabase stack: which there are, and how each is made."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components import secrets
from components.releases import Release
from components.services import secret_names as names

_GENERATED = (
    secrets.SecretSpec(names.DATABASE_PASSWORD),
    secrets.SecretSpec(names.JWT_SECRET, length=40),
    secrets.SecretSpec(names.DASHBOARD_PASSWORD),
    secrets.SecretSpec(names.SECRET_KEY_BASE, length=64),
    secrets.SecretSpec(names.REALTIME_DB_ENC_KEY, length=16),
    secrets.SecretSpec(names.VAULT_ENC_KEY, length=32),
    secrets.SecretSpec(names.PG_META_CRYPTO_KEY, length=32),
    secrets.SecretSpec(names.S3_PROTOCOL_ACCESS_KEY_ID, length=32),
    secrets.SecretSpec(names.S3_PROTOCOL_ACCESS_KEY_SECRET, length=64),
    secrets.SecretSpec(names.LOGFLARE_PUBLIC_ACCESS_TOKEN),
    secrets.SecretSpec(names.LOGFLARE_PRIVATE_ACCESS_TOKEN),
)


def make(
    component: pulumi.ComponentResource,
    name: str,
    *,
    settings: Mapping[str, Any],
    release: Release,
    given: Mapping[str, pulumi.Input[str]],
) -> dict[str, pulumi.Output[str]]:
    """Every secret by its name.

    Args:
        component: Parent of what is made.
        name: The component's name.
        settings: The completed `supabase` group.
        release: What the services can do.
        given: The user's own values by secret name.
    """
    del settings, release
    made = secrets.make(component, name, _GENERATED, given)
    return {**{own: pulumi.Output.secret(value) for own, value in given.items()}, **made}
