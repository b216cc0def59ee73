"""Release files: which images a release is made of, and what they can do.

A release is data (`components/releases/<name>.yaml`). `local.yaml` is laid over it where images are built on the machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from components.service import Image

_FOLDER = Path(__file__).with_name("releases")
_LOCAL = "local"
DEFAULT = "2026-09"


class UnknownImage(LookupError):
    """A role for which the release, or this machine, has no image."""


@dataclass(frozen=True)
class Release:
    """A set of images that belong together.

    Attributes:
        name: As in the `release` setting.
        postgres_major: PostgreSQL's major version.
        local: Whether its images are built on this machine.
    """

    name: str
    postgres_major: int
    local: bool
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
    return Release(name, data["postgresMajor"], local, images)
