"""The database's own services on a real server: what the target would place, placed by hand into a container."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from components.encode import encode
from components.service import Address, Secret, Service, Text
from components.services import plain_postgres, secret_names
from components.supabase_stack import services
from tests.integration.images.conftest import Box, Dock, client, dock, image
from tests.unit.components.placements import placement

__all__ = ["client", "dock", "image"]  # fixtures

PASSWORD = 'it\'s:a/p@ss #1 & 100% \\ "so"'
"""With what has to be quoted somewhere."""
PLAIN_PASSWORD = "pl;a#in:/@?&=%!$*()-Secret"
"""What a setting may be at most: no quotes, no spaces."""
SECRETS = {secret_names.DATABASE_PASSWORD: PASSWORD, plain_postgres.PASSWORD: PLAIN_PASSWORD}
Placed = Callable[..., Box]


def resolved(text: Text, addresses: Mapping[str, str]) -> str:
    """A text as the target writes it."""
    parts = []
    for part in text.parts:
        if isinstance(part, Secret):
            parts.append(encode(SECRETS[part.name], part.encoding))
        elif isinstance(part, Address):
            host, _, port = addresses[part.capability].partition(":")
            parts.append({"host": host, "port": port, "host:port": f"{host}:{port}"}[part.part.value])
        else:
            parts.append(part)
    return "".join(parts)


@pytest.fixture
def place(dock: Dock, image: Callable[[str], str]) -> Placed:
    """Puts a service into a container as the target does."""

    def put(
        service: Service,
        addresses: Mapping[str, str] | None = None,
        volumes: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        recipe: str | None = None,
        **more: Any,
    ) -> Box:
        if service.entrypoint:
            more["entrypoint"] = list(service.entrypoint)
        box = dock.box(
            image(recipe or service.image.reference.rsplit("/", 1)[-1].partition(":")[0]),
            *service.command,
            env={name: resolved(value, addresses or {}) for name, value in service.env.items()},
            volumes=dict(volumes or {}),
            health=service.health.command if service.health else (),
            start=False,
            **more,
        )
        for file in service.files:
            box.put(file.path, resolved(file.content, addresses or {}), file.mode)
        for path, content in (files or {}).items():
            box.put(path, content)
        box.container.start()
        return box

    return put


def stack(**settings: Any) -> dict[str, Service]:
    """The services of a Supabase stack on local images, by name."""
    return {s.name: s for s in services({"placement": placement(), "settings": settings})}  # type: ignore[typeddict-item]


def database(**settings: Any) -> Service:
    """The database of a stack with these settings of its own."""
    return stack(database=settings)["postgres"]


def sql(box: Box, query: str, user: str = "supabase_admin", database: str = "postgres", **claims: str) -> str:
    """The answer to a query, over the container's own socket."""
    return box.ok("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database, "-c", query)


def rows(box: Box, query: str, **more: str) -> list[str]:
    return sql(box, query, **more).splitlines()
