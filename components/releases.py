"""Release files: which images a release is made of, and what they can do.

A release is data (`components/releases/<name>.yaml`). `local.yaml` is laid over it where images are built on the machine.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from components import image_reference
from components.service import Image

_FOLDER = Path(__file__).with_name("releases")
_LOCAL = "local"
DEFAULT = "2026-09"
LOCAL_PREFIX: Final = "supastack.local/"
"""How references of images begin that are built on this machine: no registry has them, and none is asked."""


class GatewayKind(StrEnum):
    """Which program is the API gateway, and the role of its image."""

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
        legacy_names: Its services are told as upstream's sets of 2024 told them. Storage: PGRST_JWT_SECRET. imgproxy:
            IMGPROXY_ENABLE_WEBP_DETECTION. Logflare, Vector and Studio: one LOGFLARE_API_KEY. Realtime: FLY_APP_NAME, and a
            command that migrates and seeds. postgres-meta: as supabase_admin, without CRYPTO_KEY.
            PostgREST: without an admin server. What each takes stands in tests/contract/upstream.
    """

    gateway: GatewayKind
    pooler: bool
    opaque_keys: bool
    auth_url_has_path: bool
    openapi_root_closed: bool
    legacy_names: bool


@dataclass(frozen=True, kw_only=True)
class ImageOverrides:
    """What the settings say of the images (`images`).

    Attributes:
        mirror: Where all images of registries are taken from instead, as `mirror.example.com/hub`.
        references: Full reference of an image by its role: taken as it is, also in place of a local one, and never mirrored.
        digests: `sha256:...` by role. It belongs to one tag: Docker takes the image of the digest, whatever the tag says, so
            with another release there must be another one. Without effect on images that are built here.
    """

    mirror: str | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


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
        users: User id that an image can run as, by role, where a source names it.
    """

    name: str
    postgres_major: int
    local: bool
    features: Features
    users: Mapping[str, int]
    _images: Mapping[str, Image]
    _named: frozenset[str]

    def role(self, service: str) -> str:
        """Role of the image of one of the Supabase stack's services."""
        return self.features.gateway.value if service == "gateway" else service

    def image(self, role: str) -> Image:
        """The image of a role.

        Raises:
            UnknownImage: there is none.
        """
        if (why := self.absence(role)) is not None:
            raise UnknownImage(why)
        return self._images[role]

    def image_if_any(self, role: str) -> Image:
        """The same, and a nameless one where there is none: for what is turned off."""
        return self._images.get(role, Image(role, ""))

    def has(self, role: str) -> bool:
        """Whether there is an image for the role, in the release and where it is to be had from."""
        return role in self._images

    def absence(self, role: str) -> str | None:
        """Why there is no image of a role, and what to do about it; None where there is one."""
        if role in self._images:
            return None
        if role in self._named:
            return (
                f"no image of {role} can be built on this machine, and supastack:imageSource is local. Take another engine (for the "
                f"object store: supastack:objectStorage.engine or its fallback), name an image with "
                f"supastack:images.overrides.{role}, or set supastack:imageSource to registry."
            )
        return (
            f"release {self.name} has no image of {role}: none stands in its sources. Do without it or take another engine, name an "
            f"image with supastack:images.overrides.{role}, or take another supastack:release."
        )


@cache
def _read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text())
    return data


def names() -> list[str]:
    """All releases, oldest first."""
    return sorted(p.stem for p in _FOLDER.glob("*.yaml") if p.stem != _LOCAL)


@cache
def roles() -> tuple[str, ...]:
    """Every role that an image can have in some release."""
    return tuple(sorted({role for name in names() for role in _read(name)["images"]}))


def load(name: str, *, local: bool, overrides: ImageOverrides | None = None) -> Release:
    """The release of that name.

    Args:
        name: As in the `release` setting.
        local: Take the images built on this machine, and only those; a role that the release itself has not got stays out.
        overrides: What the settings say of the images.

    Raises:
        UnknownImage: there is no such release, or an override names a role that there is not.
        ValueError: a reference, a digest or the mirror is malformed. The settings check that first.
    """
    if name not in names():
        raise UnknownImage(f"there is no release {name}; there are {', '.join(names())}")
    given = overrides or ImageOverrides()
    _check(given)
    named = frozenset(_read(name)["images"]) | given.references.keys()
    data = _read(_LOCAL if local else name)
    images = {role: _image(role, entry) for role, entry in data["images"].items() if role in named}
    images = {role: _placed(image, given) for role, image in images.items()}
    for role, reference in given.references.items():
        images[role] = _digested(Image(role, str(image_reference.parse(reference)), _kind(reference)), given)
    # What the services can do is the release's, wherever their images come from; user ids are the image's.
    features = _features(_read(name)["features"])
    users = {role: user for role, user in data.get("users", {}).items() if role not in given.references}
    images = {role: replace(image, user=users.get(role)) for role, image in images.items()}
    major = data["postgresMajor"]
    if "postgres" in given.references:
        major = _major(given.references["postgres"]) or major
    return Release(name, major, local, features, users, images, named)


def _check(given: ImageOverrides) -> None:
    for group, held in (("overrides", given.references), ("digests", given.digests)):
        if unknown := sorted(held.keys() - set(roles())):
            raise UnknownImage(
                f"supastack:images.{group} names {', '.join(unknown)}, which no release knows. Name one of these: {', '.join(roles())}."
            )
    for role, reference in given.references.items():
        if reference.startswith(LOCAL_PREFIX) and reference not in (built := _built()):
            raise UnknownImage(
                f"supastack:images.overrides.{role} = {reference}: {LOCAL_PREFIX} is for images that are built on this machine, and "
                f"this is none of them: {', '.join(sorted(built))}."
            )


def _image(role: str, entry: str | Mapping[str, str]) -> Image:
    if isinstance(entry, str):
        return Image(role, entry)
    return Image(role, entry["reference"], entry["kind"], entry.get("note", ""))


def _kind(reference: str) -> str:
    """Whether a reference that the user names is of a registry, or one of the images built here."""
    return _built()[reference] if reference.startswith(LOCAL_PREFIX) else "registry"


def _built() -> Mapping[str, str]:
    """Kind by reference of the images that are built here."""
    return {image.reference: image.kind for role, entry in _read(_LOCAL)["images"].items() if (image := _image(role, entry))}


def _placed(image: Image, given: ImageOverrides) -> Image:
    """A release's own image, behind the mirror. One that is built here comes from no registry, and has no digest there."""
    if image.kind != "registry":
        return image
    if given.mirror is not None:
        image = Image(image.role, image_reference.mirrored(image.reference, given.mirror), image.kind, image.note)
    return _digested(image, given)


def _digested(image: Image, given: ImageOverrides) -> Image:
    digest = given.digests.get(image.role)
    if digest is None or image.kind != "registry":
        return image
    return Image(image.role, image_reference.with_digest(image.reference, digest), image.kind, image.note)


def _major(reference: str) -> int | None:
    """PostgreSQL's major version by an image's tag (`17.6.1.136`, `16-alpine`); None where it does not tell."""
    found = re.match(r"([1-9][0-9])(?=[.-]|$)", image_reference.parse(reference).tag or "")
    return int(found[1]) if found else None


def _features(data: Mapping[str, Any]) -> Features:
    return Features(
        gateway=GatewayKind(data["gateway"]),
        pooler=data["pooler"],
        opaque_keys=data["opaqueKeys"],
        auth_url_has_path=data["authUrlHasPath"],
        openapi_root_closed=data["openapiRootClosed"],
        legacy_names=data["legacyNames"],
    )
