"""Services of a Supabase stack that do not run: those that the settings turn on and that have no image, and settings of the others."""

from collections.abc import Iterable, Mapping
from typing import Any

from components.releases import Release
from components.services import secret_names
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


def without_effect(settings: Mapping[str, Any], secrets: Iterable[str], running: Iterable[str]) -> list[str]:
    """What is set for services that do not run.

    Args:
        settings: The completed `supabase` group.
        secrets: Names of the user's own secrets.
        running: Names of the services that run.
    """
    given, there = tuple(secrets), frozenset(running)
    found = []
    for service in sorted(set(SERVICES) - there):
        if any(settings["services"].get(service, {}).values()):
            found.append(f"supastack:supabase.services.{service} has no effect: {service} is not part of this stack")
        if any(name.startswith(secret_names.of_service(service, "")) for name in given):
            found.append(f"supastack:serviceSecrets.{service} has no effect: {service} is not part of this stack")
    if settings["gateway"]["mcp"] and "studio" not in there:
        found.append("supastack:supabase.gateway.mcp has no effect: studio is not part of this stack")
    return found
