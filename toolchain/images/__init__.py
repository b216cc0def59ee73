"""Images built on this machine, for machines that reach no image registry. See README.md in this folder."""

import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from toolchain.announce import Step, fail
from toolchain.images import base, programs, recipes
from toolchain.images.daemon import Daemon
from toolchain.images.recipes import Recipe
from toolchain.setup.folders import cached, locked

__all__ = ["Recipe", "available", "ensure", "ensure_base"]


class StepMaker(Protocol):
    """`toolchain.announce.step`."""

    def __call__(self, name: str, text: str, /) -> AbstractContextManager[Step]:
        """Announce a step."""
        ...


def available() -> dict[str, Recipe]:
    """All local images by name. Raises ToolchainError if a recipe is wrong."""
    return {name: recipes.load(name) for name in recipes.names()}


def ensure(
    references: Sequence[str], docker_host: str | None, step: StepMaker, environment: Mapping[str, str] | None = None
) -> None:
    """Have these local images (`supastack.local/<name>:<tag>`) in a daemon: `docker_host`, None: the one of the environment.

    `environment` has the variables of Docker's clients (DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH); None: the process's.

    One that is there and made from the same inputs is left alone. Else it is loaded from the cache; else built and put
    there. Raises ToolchainError, for a reference that no recipe makes before anything is done.
    """
    wanted = recipes.of_references(references)
    if not wanted:
        return
    daemon = Daemon(docker_host, environment)
    for recipe in wanted:
        with step("images", recipe.reference) as current:
            _ensure(recipe, daemon, current)


def is_cached(recipe: Recipe) -> bool:
    """Whether the image can be loaded from the cache, so that it needs no network."""
    return (_cache() / f"image-{recipe.name}-{recipe.inputs}" / "image.tar.gz").exists()


def ensure_base(step: StepMaker) -> Path:
    """The packed file system of the base image, made if it is not in the cache: the only part that needs root."""
    folder = _cache() / f"image-base-{recipes.base_inputs()}"
    if not folder.exists():
        with step("images", f"make the Debian {recipes.SUITE} base") as current:

            def make(temporary: Path) -> None:
                base.make(recipes.SUITE, temporary / "base.tar.gz", current.progress)

            cached(folder, make)
            current.done(f"made the Debian {recipes.SUITE} base")
    return folder / "base.tar.gz"


def _ensure(recipe: Recipe, daemon: Daemon, current: Step) -> None:
    inputs = recipe.inputs
    if daemon.label(recipe.reference, "supastack.inputs") == inputs:
        current.skip(f"{recipe.reference} is there")
        return
    folder = _cache() / f"image-{recipe.name}-{inputs}"
    packed = folder / "image.tar.gz"
    if packed.exists():
        current.progress("loading")
        daemon.load(packed, recipe.reference)
        current.done(f"loaded {recipe.reference}")
        return
    with locked(_cache() / f".image-{recipe.name}.lock"):
        if not packed.exists():
            _build(recipe, daemon, current)
            current.progress("saving for later")
            cached(folder, lambda temporary: daemon.save(recipe.reference, temporary / "image.tar.gz"))
            current.done(f"built {recipe.reference} ({recipe.kind}, for {recipe.stands_for})")
            return
    _ensure(recipe, daemon, current)


def _build(recipe: Recipe, daemon: Daemon, current: Step) -> None:
    if daemon.machine != platform.machine():
        fail(
            f"{recipe.reference} can't be built here: this machine is {platform.machine()} and its Docker daemon"
            f" {daemon.machine}. Build it on a machine like the daemon's, or let the daemon reach an image registry."
        )
    from toolchain.announce import step

    packed_base = ensure_base(step)
    # Its name tells what it is made from, so that clones with different recipes do not take each other's.
    reference = f"{recipes.REGISTRY}/base:{recipes.SUITE}-{recipes.base_inputs()}"
    if daemon.label(reference, "supastack.kind") != "base":
        current.progress("importing the base")
        daemon.import_base(packed_base, reference, {"supastack.kind": "base"})
    files = dict(recipe.context_files()) | programs.ensure(recipe, _cache(), current.progress)

    def show(line: str) -> None:
        if line.startswith("Step "):
            current.progress(line.partition(" : ")[0].lower())

    daemon.build(recipe.reference, files, {**base.proxy(), "BASE": reference}, recipe.labels, show)


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "supastack"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
