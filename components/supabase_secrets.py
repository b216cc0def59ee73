"""The secrets of a Supabase stack: which there are, and how each is made.

Some are generated and live in the state, the others are made from those (`components.keys`), the same at every run. A user's own
value takes the place of either, and what is made from it follows.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import pulumi

from components import keys, secrets
from components.services import secret_names as names

# Names of resources are made of these: they must not change. All are kept with the data (`SecretSpec.keeps_data`): sessions, sealed
# columns and the keys in people's env files hang on them as the database does on its password.
_GENERATED = (
    secrets.SecretSpec(names.DATABASE_PASSWORD),
    secrets.SecretSpec(names.JWT_SECRET, length=40),
    secrets.SecretSpec(names.PUBLISHABLE_KEY, length=keys.OPAQUE_RANDOM),
    secrets.SecretSpec(names.SECRET_KEY, length=keys.OPAQUE_RANDOM),
    secrets.SecretSpec(names.SIGNING_KEY, length=64),
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


_WHERE_USED = (
    # Lost, it is made anew: the job then logs in with what the database has.
    secrets.SecretSpec(names.DATABASE_SYNC_PASSWORD, keeps_data=False),
    secrets.SecretSpec(names.VAULT_ROOT_KEY, length=64),
)
"""Those that only some stacks have."""
_SYNCHRONISED = (
    # With it a password reaches the database that was changed while nothing of the stack ran.
    secrets.SecretSpec(names.DATABASE_SYNC_PASSWORD),
)
"""Those of a stack whose database follows its secrets, whatever it runs now: what is protected can't leave the program again."""


class SupabaseSecrets(Mapping[str, pulumi.Output[str]]):
    """Every secret of a stack by its name; what is made from others is made when it is asked for first."""

    def __init__(self, known: Mapping[str, pulumi.Output[str]], derived: Mapping[str, Callable[[], pulumi.Output[str]]]) -> None:
        self._known = dict(known)
        self._derived = dict(derived)

    def __getitem__(self, name: str) -> pulumi.Output[str]:
        if name not in self._known:
            self._known[name] = pulumi.Output.secret(self._derived[name]())
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._known, **self._derived})

    def __len__(self) -> int:
        return len({**self._known, **self._derived})


def make(
    component: pulumi.ComponentResource,
    name: str,
    *,
    settings: Mapping[str, Any],
    given: Mapping[str, pulumi.Input[str]],
    used: Iterable[str] = (),
    synchronised: bool = False,
) -> Mapping[str, pulumi.Output[str]]:
    """Every secret by its name. But for a few, all are made whatever the services use, so that another release finds the same ones.

    Args:
        component: Parent of what is made.
        name: The component's name.
        settings: The completed `supabase` group.
        given: The user's own values by secret name.
        used: Names of those that the services use.
        synchronised: Whether a kept database follows changed secrets (`components.targets.placement.secrets_change`).
    """
    always = (*_GENERATED, *(_SYNCHRONISED if synchronised else ()))
    wanted = frozenset(used) - {spec.name for spec in always}
    generated = secrets.make(component, name, (*always, *(spec for spec in _WHERE_USED if spec.name in wanted)), {})
    known = {secret: value for secret, value in generated.items() if secret not in _SHAPED}
    known |= {secret: pulumi.Output.secret(value) for secret, value in given.items()}
    if names.SIGNING_KEY in known:
        known[names.SIGNING_KEY] = known[names.SIGNING_KEY].apply(keys.complete_signing_key)
    made: SupabaseSecrets = SupabaseSecrets(known, _derived(lambda secret: made[secret], generated, settings))
    return made


_SHAPED = frozenset({names.PUBLISHABLE_KEY, names.SECRET_KEY, names.SIGNING_KEY, names.VAULT_ROOT_KEY})
"""Names of those that a generated text is only the random part of."""


def _derived(
    secret: Callable[[str], pulumi.Output[str]],
    generated: Mapping[str, pulumi.Output[str]],
    settings: Mapping[str, Any],
) -> dict[str, Callable[[], pulumi.Output[str]]]:
    """How each is made that no one gave.

    Args:
        secret: The stack's secret of a name, given or made.
        generated: The random texts.
        settings: The completed `supabase` group.
    """
    issued, expires = settings["keys"]["issuedAt"], settings["keys"]["expiresAt"]
    user = settings["studio"].get("username", "supabase")

    def shaped(name: str, shape: Callable[[str], str]) -> Callable[[], pulumi.Output[str]]:
        return lambda: generated[name].apply(shape)

    def token(make: Callable[[str, Mapping[str, Any]], str], key: str, role: str) -> Callable[[], pulumi.Output[str]]:
        claims = keys.claims(role, issued, expires)
        return lambda: secret(key).apply(lambda value: make(value, claims))

    def both(make: Callable[[str, str], str]) -> Callable[[], pulumi.Output[str]]:
        pair = (names.SIGNING_KEY, names.JWT_SECRET)
        return lambda: pulumi.Output.all(*map(secret, pair)).apply(lambda values: make(*values))

    where_used = {names.VAULT_ROOT_KEY: shaped(names.VAULT_ROOT_KEY, lambda text: hashlib.sha256(text.encode()).hexdigest())}
    return {
        **{name: make for name, make in where_used.items() if name in generated},
        names.PUBLISHABLE_KEY: shaped(names.PUBLISHABLE_KEY, partial(keys.opaque_key, keys.PUBLISHABLE_PREFIX)),
        names.SECRET_KEY: shaped(names.SECRET_KEY, partial(keys.opaque_key, keys.SECRET_PREFIX)),
        names.SIGNING_KEY: shaped(names.SIGNING_KEY, keys.signing_key),
        names.ANON_KEY: token(keys.shared_token, names.JWT_SECRET, keys.ANON),
        names.SERVICE_ROLE_KEY: token(keys.shared_token, names.JWT_SECRET, keys.SERVICE_ROLE),
        names.ANON_KEY_ASYMMETRIC: token(keys.signed_token, names.SIGNING_KEY, keys.ANON),
        names.SERVICE_ROLE_KEY_ASYMMETRIC: token(keys.signed_token, names.SIGNING_KEY, keys.SERVICE_ROLE),
        names.JWT_KEYS: both(keys.key_list),
        names.JWT_JWKS: both(keys.key_set),
        names.DASHBOARD_HTPASSWD: lambda: secret(names.DASHBOARD_PASSWORD).apply(partial(keys.htpasswd, user)),
    }
