"""What a Supabase stack does not have: services that the settings turn on and that have no image, and settings that nothing reads."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from components import secret_settings
from components.releases import Release
from components.services import database_engine, secret_names
from components.supabase_settings.database_engine import DatabaseEngine
from components.supabase_settings.override import SERVICES


def refusals(release: Release, asked: Iterable[str]) -> list[str]:
    """What is wrong where the settings turn on by name what the release, or this machine, has not got."""
    return [
        f"supastack:supabase.{service}.enabled is true, and {why}"
        for service in sorted(asked)
        if (why := release.absence(release.role(service))) is not None
    ]


def notes(release: Release, on: Iterable[str], asked: Iterable[str]) -> list[str]:
    """What is left out where it is on by default only."""
    return [
        f"{service} is left out: " + (release.absence(release.role(service)) or "")
        for service in sorted(set(on) - set(asked))
        if not release.has(release.role(service))
    ]


_NOT_IN_2024: Final = {
    "logflarePrivateAccessToken": "its Logflare and Vector have one token, logflarePublicAccessToken",
    "openaiApiKey": "its Studio is given none",
    "pgMetaCryptoKey": "its Studio and postgres-meta are given none",
    "s3ProtocolAccessKeyId": "its Storage has no S3 endpoint",
    "s3ProtocolAccessKeySecret": "its Storage has no S3 endpoint",
}
"""Secret settings that the releases of 2024 make no use of (`Features.legacy_names`), and why."""

_OF_SB_KEYS: Final = ("publishableKey", "secretKey", "signingKey")


def without_effect(
    release: Release, settings: Mapping[str, Any], secrets: Mapping[str, object], running: Iterable[str]
) -> list[str]:
    """What is set for services that do not run, or do not know it.

    Args:
        release: The release.
        settings: The completed `supabase` group.
        secrets: The user's own secrets, by their names in the stack; with `compat: cli` the Supabase CLI's among them.
        running: Names of the services that run.
    """
    given, there = tuple(secrets), frozenset(running)
    if not there:
        return []
    found = [*_unknown_to(release, settings, secrets)]
    for service in sorted(set(SERVICES) - there):
        if any(settings["services"].get(service, {}).values()):
            found.append(f"supastack:supabase.services.{service} has no effect: {service} is not part of this stack")
        if any(name.startswith(secret_names.of_service(service, "")) for name in given):
            found.append(f"supastack:serviceSecrets.{service} has no effect: {service} is not part of this stack")
    if settings["gateway"]["mcp"] and "studio" not in there:
        found.append("supastack:supabase.gateway.mcp has no effect: studio is not part of this stack")
    return found


def _unknown_to(release: Release, settings: Mapping[str, Any], secrets: Mapping[str, object]) -> Iterator[str]:
    published = secret_settings.cli()
    own = {
        setting
        for setting, name in secret_settings.SINGLE.items()
        # Who says `compat: cli` asked for none by its name.
        if name in secrets and secrets[name] != published.get(setting)
    }
    if release.features.legacy_names:
        for setting in sorted(own & _NOT_IN_2024.keys()):
            yield f"supastack:{setting} has no effect: with release {release.name}, {_NOT_IN_2024[setting]}"
    # Another engine is spoken of with the settings (`database_contradictions`).
    if "vaultRootKey" in own and database_engine.of(settings) is DatabaseEngine.CLOUDNATIVEPG:
        image = release.image(release.role("postgres"))
        if image.kind != "registry":
            yield f"supastack:vaultRootKey has no effect: {image.reference}, which is built on this machine, has no vault"
    chosen = settings["keys"].get("asymmetric")
    if not release.features.opaque_keys:
        why = f"release {release.name} knows neither sb_ keys nor ES256 tokens"
        if chosen:
            yield f"supastack:supabase.keys.asymmetric has no effect: {why}"
    elif chosen is False:
        why = "supastack:supabase.keys.asymmetric is false"
    else:
        return
    for setting in sorted(own & set(_OF_SB_KEYS)):
        yield f"supastack:{setting} has no effect: {why}"
