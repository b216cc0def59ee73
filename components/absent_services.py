"""Services of a Supabase stack that the settings turn on, and of which there is no image."""

from collections.abc import Iterable

from components.releases import Release


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
