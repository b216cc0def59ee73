"""Release files: which images a release is made of, and what they can do.

A release is data (`components/releases/<name>.yaml`). `local.yaml` is laid over it where images are built on the machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from components.service import Image

_FOLDER = Path(__file__).with_name("releases")
_LOCAL = "local"
DEFAULT = "2026-09"


class GatewayKind(StrEnum):
    """Which program is the API gateway."""

    ENVOY = "envoy"
    KONG = "kong"


@dataclass(frozen=True, kw_only=True)
class Features:
    """What a release can do, and how its services are told.

    Attributes:
        gateway: The API gateway.
        pooler: It has Supavisor.
        opaque_keys: Its gateway knows sb_publishable_ and sb_secret_ keys, and its services ES256 tokens.
        auth_url_has_path: API_EXTERNAL_URL ends in /auth/v1 (upstream since 0.7.0).
        openapi_root_closed: The root of the REST API is for the service role only (upstream since 0.7.0).
        legacy_names: Storage and imgproxy are told by their older variables (PGRST_JWT_SECRET, IMGPROXY_ENABLE_WEBP_DETECTION).
        logs_gate: Vector starts before the database and Studio after analytics, unless the settings say otherwise.
    """

    gateway: GatewayKind
    pooler: bool
    opaque_keys: bool
    auth_url_has_path: bool
    openapi_root_closed: bool
    legacy_names: bool
    logs_gate: bool


class UnknownImage(LookupError):
    """A role for which the release, or this machine, has no image."""


@dataclass(frozen=True)
class Release:
    """A set of images that belong together.

    Attributes:
        name: As in the `release` setting.
        postgres_major: PostgreSQL's major version.
        local: Whether its images are built on this machine.
        features: What it can do.
        users: User id by role, where a source names it.
    """

    name: str
    postgres_major: int
    local: bool
    features: Features
    users: Mapping[str, int]
    _images: Mapping[str, Image]

    def image(self, role: str) -> Image:
        """The image of a role.

        Raises:
            UnknownImage: there is none.
        """
        if role in self._images:
            return self._images[role]
        if self.local:
            raise UnknownImage(
                f"no image of {role} can be built on this machine, and supastack:imageSource is local. Take another engine (for the "
                f"object store: supastack:objectStorage.engine or its fallback), or set supastack:imageSource to registry."
            )
        raise UnknownImage(f"release {self.name} has no image of {role}. Take another engine, or another supastack:release.")

    def image_if_any(self, role: str) -> Image:
        """The same, and a nameless one where there is none: for what is turned off."""
        return self._images.get(role, Image(role, ""))

    def has(self, role: str) -> bool:
        """Whether there is an image for the role."""
        return role in self._images


@cache
def _read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text())
    return data


def names() -> list[str]:
    """All releases, oldest first."""
    return sorted(p.stem for p in _FOLDER.glob("*.yaml") if p.stem != _LOCAL)


def load(name: str, *, local: bool) -> Release:
    """The release of that name; `local` takes the images built on this machine, and only those.

    Raises:
        UnknownImage: there is no such release.
    """
    if name not in names():
        raise UnknownImage(f"there is no release {name}; there are {', '.join(names())}")
    data = _read(_LOCAL if local else name)
    images = {
        role: Image(role, entry)
        if isinstance(entry, str)
        else Image(role, entry["reference"], entry["kind"], entry.get("note", ""))
        for role, entry in data["images"].items()
    }
    # What the services can do is the release's, wherever their images come from; user ids are the image's.
    features = _features(_read(name)["features"])
    return Release(name, data["postgresMajor"], local, features, data.get("users", {}), images)


def _features(data: Mapping[str, Any]) -> Features:
    return Features(
        gateway=GatewayKind(data["gateway"]),
        pooler=data["pooler"],
        opaque_keys=data["opaqueKeys"],
        auth_url_has_path=data["authUrlHasPath"],
        openapi_root_closed=data["openapiRootClosed"],
        legacy_names=data["legacyNames"],
        logs_gate=data["logsGate"],
    )
