"""The Pulumi engine and its Python language host, built from their Go modules where the official download can't be had."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from toolchain import pins
from toolchain.announce import fail, step
from toolchain.context import Context
from toolchain.setup.folders import cached, key_of
from toolchain.setup.system import run

_SDK = "github.com/pulumi/pulumi/sdk/v3"
_HELPERS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
"""Scripts of the Python host: one runs the program, one the dynamic providers."""


def folder(context: Context) -> Path:
    """Where the built engine is or would be kept: keyed by every pin it is made from."""
    modules = (context.root / "toolchain" / name / f for name in ("engine", "language_host") for f in ("go.mod", "go.sum"))
    key = key_of(*modules, pins.ENGINE_MODULE, pins.LANGUAGE_HOST_MODULE, pins.HELPERS_MODULE, sys.platform, os.uname().machine)
    return context.cache / f"engine-{key}"


def go_problem() -> str | None:
    """Why the engine can't be built with the Go on PATH, or None if it can."""
    go = shutil.which("go")
    if go is None:
        return "there is no `go` on PATH"
    try:
        done = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return f"{go} does not run"
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    if not found:
        return f"{go} does not tell its version"
    version = tuple(int(n or 0) for n in found.groups())
    if version < pins.version_tuple(pins.GO_BOOTSTRAP_FLOOR):
        return f"{go} is {found[0]}, and {pins.GO_BOOTSTRAP_FLOOR} or newer is needed"
    if version < pins.version_tuple(pins.GO_FLOOR) and os.environ.get("GOTOOLCHAIN", "auto") == "local":
        return f"{go} is {found[0]}, {pins.GO_FLOOR} is needed, and GOTOOLCHAIN=local forbids it to fetch that"
    return None


def build(context: Context) -> Path:
    """Build engine and language host and put the host's helper scripts beside them. Returns the engine. Raises ToolchainError."""

    def make(temporary: Path) -> None:
        _build_engine(context, temporary)
        _build_language_host(context, temporary)
        _copy_helpers(temporary)

    return cached(folder(context), make) / "pulumi"


def _build_engine(context: Context, target: Path) -> None:
    version = f"-X {_SDK}/go/common/version.Version={pins.ENGINE_MODULE}"
    with step("engine", f"build pulumi {pins.ENGINE_MODULE} from its Go module") as current:
        package = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
        _go_build(context.root / "toolchain" / "engine", package, target / "pulumi", version, current.progress)
        current.done(f"built pulumi {pins.ENGINE_MODULE} from its Go module")


def _build_language_host(context: Context, target: Path) -> None:
    with step("engine", f"build the Python language host {pins.LANGUAGE_HOST_MODULE}") as current:
        package = f"{_SDK}/python/cmd/pulumi-language-python"
        module = context.root / "toolchain" / "language_host"
        _go_build(module, package, target / "pulumi-language-python", "", current.progress)
        current.done(f"built the Python language host {pins.LANGUAGE_HOST_MODULE}")


def _copy_helpers(target: Path) -> None:
    module = f"{_SDK}@v{pins.HELPERS_MODULE}"
    with step("engine", f"fetch the Python host's scripts {pins.HELPERS_MODULE}") as current:
        output = run(["go", "mod", "download", "-json", module], f"fetching {module}", cwd=target, env=_go_env())
        # Lines about the download itself may precede the JSON.
        about = json.JSONDecoder().raw_decode(output, output.index("{"))[0]
        if about.get("Sum") != pins.HELPERS_SUM:
            fail(f"{module} has the checksum {about.get('Sum')}, expected {pins.HELPERS_SUM}. Nothing of it was used.")
        for script in _HELPERS:
            copy = target / Path(script).name
            shutil.copyfile(Path(about["Dir"]) / script, copy)
            copy.chmod(0o755)
        current.done(f"fetched the Python host's scripts {pins.HELPERS_MODULE}")


def _go_env() -> dict[str, str]:
    # Static binaries, the modules as pinned, whatever the user's own Go settings say. go.sum checks what is downloaded.
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}


def _go_build(module: Path, package: str, target: Path, ldflags: str, progress: Callable[[str], None]) -> None:
    what = f"building {target.name}"
    fetched = 0

    def fetching(line: str) -> None:
        nonlocal fetched
        if line.startswith("go: downloading"):
            fetched += 1
            progress(f"{fetched} Go modules fetched")

    listed = run(["go", "list", "-mod=readonly", "-deps", package], what, cwd=module, env=_go_env(), on_line=fetching)
    total = sum(1 for line in listed.splitlines() if line and " " not in line)
    compiled = 0

    def compiling(line: str) -> None:
        nonlocal compiled
        # `-v` names each package as it is compiled; those in Go's build cache are not named.
        if line and " " not in line:
            compiled += 1
            progress(f"{compiled} of {total} packages")

    command = ["go", "build", "-v", "-mod=readonly", "-trimpath", "-ldflags", f"-s -w {ldflags}".strip()]
    run([*command, "-o", str(target), package], what, cwd=module, env=_go_env(), on_line=compiling)
