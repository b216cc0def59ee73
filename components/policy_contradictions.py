"""What policies say that only the program can see: where secrets are masked, nobody else knows that one is published."""

from collections.abc import Iterator

from components import secret_settings
from components.policy_settings import Environment
from components.setting_contradictions import Context, Values, rule
from components.setting_schema import Path, Problem, key_text


@rule("environment", "policies.waivers", "tenants", "tenantSecrets")
def _no_open_cache_of_a_tenant_in_prod(values: Values, context: Context) -> Iterator[Problem]:
    if values["environment"] is not Environment.PROD:
        return
    from components.tenant_contradictions import open_caches
    from policies.ids import PUBLIC_TLS
    from policies.values import is_public

    waivers = values["policies"]["waivers"]
    if PUBLIC_TLS in waivers:
        return
    for name, host in open_caches(values):
        path = ("tenantSecrets", name, "redisUrl")
        if is_public(host) and f"{PUBLIC_TLS}/{'.'.join(path)}" not in waivers:
            key = key_text(context.project, path)
            yield Problem(
                path=path,
                value=None,
                reason="it is redis:// at a public host: the password and what is cached travel unencrypted, and the stack is prod "
                "(policy public-tls)",
                fix=f"give it as rediss://: pulumi config set --secret --path '{key}' --stack {context.stack}",
            )


@rule("environment", "policies.waivers")
def _no_published_secret_in_prod(values: Values, context: Context) -> Iterator[Problem]:
    if values["environment"] is Environment.PROD:
        for path, waived in _published(values):
            if not waived:
                key = key_text(context.project, path)
                yield Problem(
                    path=path,
                    value=None,
                    reason="anybody can read this value in a public repository, and the stack is prod (policy well-known-keys)",
                    fix=f"leave it out, so that one is generated, or run: pulumi config set --secret {key} --stack {context.stack}",
                )


def policy_warnings(values: Values, context: Context) -> Iterator[str]:
    """Secrets that anybody can read, where they are let be: in staging, and in prod by a waiver. A stack of dev may have them."""
    if values["environment"] is not Environment.DEV:
        for path, _ in _published(values):
            yield f"{key_text(context.project, path)}: anybody can read this value in a public repository (policy well-known-keys)"


def _published(values: Values) -> Iterator[tuple[Path, bool]]:
    """Secret settings with a published value, and whether that is waived."""
    from policies.ids import WELL_KNOWN_KEYS  # a stack of dev does not pay for it
    from policies.secrecy import is_weak_password

    waivers = values["policies"]["waivers"]
    for path, value in secret_settings.given(values):
        if value and is_weak_password(value):
            yield path, WELL_KNOWN_KEYS in waivers or f"{WELL_KNOWN_KEYS}/{'.'.join(path)}" in waivers
