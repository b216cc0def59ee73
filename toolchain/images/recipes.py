"""Recipes of local images: one folder each, with a Dockerfile, what it copies, and a recipe.yaml."""

import hashlib
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from toolchain.announce import fail
from toolchain.images import base

FOLDER = Path(__file__).resolve().parent
REGISTRY = "supastack.local"
"""The host part of every local reference. No such host exists, so an image of this name can come from nowhere else."""
SUITE = "trixie"
"""The Debian release of the base image."""
_BUILDER = "1"
"""Part of every inputs hash. Raise it when a change of the builder must rebuild images that are there."""
_KEYS = {"tag", "standsFor", "kind", "note", "cannot", "shared", "go", "wheel", "jar", "npm"}


@dataclass(frozen=True)
class GoBuild:
    """Go programs of an image, pinned by the go.mod and go.sum in the recipe's folder."""

    packages: tuple[str, ...]
    """Import paths of the commands, `.` for the recipe's own."""
    in_container: bool
    """False: built on the host without cgo. True: by the Dockerfile, from vendored modules and a copy of the host's Go."""
    no_checksum_database: str
    """Module for which no checksum database entry can be had (GONOSUMDB); go.sum alone vouches for it. Mostly empty."""


@dataclass(frozen=True)
class Wheel:
    """A program that is taken out of a Python wheel, pinned with its hash by requirements.txt in the recipe's folder."""

    files: dict[str, str]
    """Name in the build context's bin/ -> path inside the wheel."""


@dataclass(frozen=True)
class Jar:
    """Files that are taken out of a jar of a Maven repository."""

    artifact: str
    """`group:artifact:version`."""
    sha256: str
    """Of the jar, in hexadecimal."""
    files: dict[str, str]
    """Name in the build context's bin/ -> path inside the jar."""


@dataclass(frozen=True)
class Recipe:
    """How one local image is made, and what it says of itself."""

    name: str
    tag: str
    stands_for: str
    """The upstream image whose place it takes."""
    kind: str
    """`local`: the real program from another source. `stub`: answers health checks and nothing else."""
    note: str
    cannot: tuple[str, ...]
    """What the upstream image can do and this one can't."""
    shared: tuple[str, ...]
    """Files of toolchain/images/shared that the build context gets too."""
    go: GoBuild | None
    wheel: Wheel | None
    jar: Jar | None
    npm: bool
    """Whether the build context gets node_modules, pinned by the package.json and package-lock.json in the recipe's folder."""

    @property
    def folder(self) -> Path:
        """Where Dockerfile and files are."""
        return FOLDER / self.name

    @property
    def reference(self) -> str:
        """`supastack.local/<name>:<tag>`."""
        return f"{REGISTRY}/{self.name}:{self.tag}"

    @property
    def inputs(self) -> str:
        """Hash over everything the image is made from: all files of the recipe with its pins, the base, the architecture."""
        digest = hashlib.sha256()
        for part in (_BUILDER, base_inputs(), platform.machine()):
            digest.update(part.encode() + b"\0")
        for inner, path in self.context_files():
            mode = "x" if path.stat().st_mode & 0o100 else "-"
            digest.update(f"{inner}\0{mode}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    @property
    def labels(self) -> dict[str, str]:
        """What the image says of itself."""
        cannot = f" Cannot: {'; '.join(self.cannot)}." if self.cannot else ""
        return {
            "supastack.kind": self.kind,
            "supastack.stands-for": self.stands_for,
            "supastack.inputs": self.inputs,
            "supastack.note": self.note + cannot,
        }

    def context_files(self) -> Iterator[tuple[str, Path]]:
        """The files of the build context, by name inside it, in order."""
        found = {str(p.relative_to(self.folder)): p for p in self.folder.rglob("*") if p.is_file()}
        found |= {name: FOLDER / "shared" / name for name in self.shared}
        yield from sorted(found.items())


def base_inputs() -> str:
    """Hash over what the base image is made from. The day it was made is not part of it: remove the cache for a newer one."""
    return hashlib.sha256(f"{base.VERSION} {SUITE}".encode()).hexdigest()[:16]


def load(name: str) -> Recipe:
    """Read one recipe. Raises ToolchainError with every problem of its recipe.yaml."""
    path = FOLDER / name / "recipe.yaml"
    content = yaml.safe_load(path.read_text())
    problems = _problems(content)
    if problems:
        fail(f"{path.relative_to(FOLDER.parent.parent)}: " + "; ".join(problems))
    go: dict[str, Any] | None = content.get("go")
    wheel: dict[str, Any] | None = content.get("wheel")
    jar: dict[str, Any] | None = content.get("jar")
    return Recipe(
        name=name,
        tag=content["tag"],
        stands_for=content["standsFor"],
        kind=content["kind"],
        note=content["note"],
        cannot=tuple(content.get("cannot") or ()),
        shared=tuple(content.get("shared") or ()),
        go=GoBuild(tuple(go["packages"]), bool(go.get("inContainer")), go.get("noChecksumDatabase") or "") if go else None,
        wheel=Wheel(dict(wheel["files"])) if wheel else None,
        jar=Jar(jar["artifact"], jar["sha256"], dict(jar["files"])) if jar else None,
        npm=bool(content.get("npm")),
    )


def _problems(content: object) -> list[str]:
    if not isinstance(content, dict):
        return ["must be a mapping"]
    problems = [f"unknown key {key!r}" for key in content if key not in _KEYS]
    texts = [key for key in ("tag", "standsFor", "kind", "note") if not isinstance(content.get(key), str) or not content[key]]
    problems += [f"{key} must be a text that is not empty" for key in texts]
    if content.get("kind") not in ("local", "stub"):
        problems.append("kind must be local or stub")
    return problems


def names() -> list[str]:
    """The names of all local images."""
    return sorted(path.parent.name for path in FOLDER.glob("*/recipe.yaml"))


def of_references(references: Sequence[str]) -> list[Recipe]:
    """The recipes of local references, each once, in order. Raises ToolchainError for one that no recipe makes."""
    wanted: dict[str, Recipe] = {}
    for reference in references:
        host, _, rest = reference.partition("/")
        name, _, tag = rest.partition(":")
        if host != REGISTRY or "/" in rest or not tag:
            fail(f"{reference}: a local image is written {REGISTRY}/<name>:<tag>, one of: {_known()}")
        if name not in names():
            fail(f"{reference}: there is no recipe toolchain/images/{name}. Local images are: {_known()}")
        recipe = load(name)
        if recipe.tag != tag:
            fail(f"{reference}: the recipe makes {recipe.reference}. Use that tag, or change `tag` in {name}/recipe.yaml.")
        wanted[name] = recipe
    return list(wanted.values())


def _known() -> str:
    return ", ".join(load(name).reference for name in names())
