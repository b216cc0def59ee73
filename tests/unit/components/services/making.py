"""Services of a Supabase stack, for tests."""

from components.encode import encode
from components.service import Address, AddressPart, Secret
from components.supabase_stack import services
from tests.unit.components.placements import placement

STORE = {
    "endpoint": "http://minio:9000",
    "bucket": "files",
    "region": "eu-central-1",
    "access_key": "key",
    "secret_key": "secret",
}


def made(name, settings=None, *, secrets=(), release="2026-09", **args):
    """The service of that name in a stack with these settings and the user's own secrets."""
    stack = services(
        {
            "placement": placement(release=release, local_images=False),
            "settings": settings or {},
            "secrets": dict.fromkeys(secrets, "given"),
            **args,
        }
    )
    return next(service for service in stack if service.name == name)


def written(text):
    """A text with its references in braces: `{jwt-secret}`, `{postgres}`, `{postgres.host}`."""
    parts = []
    for part in text.parts:
        if isinstance(part, Secret):
            parts.append(encode(f"{{{part.name}}}", part.encoding) if part.encoding.value == "json" else f"{{{part.name}}}")
        elif isinstance(part, Address):
            parts.append(f"{{{part.capability}{'' if part.part is AddressPart.HOST_PORT else '.' + part.part.value}}}")
        else:
            parts.append(part)
    return "".join(parts)


def env(service):
    """The environment of a service, as texts."""
    return {name: written(text) for name, text in service.env.items()}


def edges(service):
    """Capabilities that a service connects to."""
    return {edge.capability for edge in service.connects}
