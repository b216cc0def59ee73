"""Where the peers' programs are, kept in the cache by pins: Supabase CLI (npm), docker compose, actionlint (Go), checkov (pip)."""

import os
import subprocess
import sys
from pathlib import Path

from toolchain.context import Context
from toolchain.setup.folders import cached, key_of

FOLDER = Path(__file__).resolve().parent
_COMPOSE = "github.com/docker/compose/v2"


def supabase_cli() -> Path:
    """The Supabase CLI's program.

    Raises:
        subprocess.CalledProcessError: npm could not install it.
    """
    pins = FOLDER / "supabase_cli"
    files = [pins / "package.json", pins / "package-lock.json"]

    def make(temporary: Path) -> None:
        for file in files:
            (temporary / file.name).write_bytes(file.read_bytes())
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=temporary, check=True, capture_output=True)

    folder = cached(Context.of().cache / f"peer-supabase-cli-{key_of(*files)}", make)
    return folder / "node_modules/@supabase/cli-linux-x64/bin/supabase"


def compose() -> Path:
    """The program of docker compose.

    Raises:
        subprocess.CalledProcessError: it could not be built.
    """
    pins = FOLDER / "compose"
    files = [pins / "go.mod", pins / "go.sum"]
    (version,) = {line.split()[-1] for line in files[0].read_text().splitlines() if line.startswith(f"require {_COMPOSE}")}

    def make(temporary: Path) -> None:
        env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}
        flags = f"-s -w -X {_COMPOSE}/internal.Version={version}"
        command = ["go", "build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", temporary / "docker-compose"]
        subprocess.run([*command, f"{_COMPOSE}/cmd"], cwd=pins, env=env, check=True, capture_output=True)

    return cached(Context.of().cache / f"peer-compose-{key_of(*files)}", make) / "docker-compose"


def actionlint() -> Path:
    """The program of actionlint, which judges the workflows.

    Raises:
        subprocess.CalledProcessError: it could not be built.
    """
    pins = FOLDER / "actionlint"

    def make(temporary: Path) -> None:
        env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}
        command = ["go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", temporary / "actionlint"]
        package = "github.com/rhysd/actionlint/cmd/actionlint"
        subprocess.run([*command, package], cwd=pins, env=env, check=True, capture_output=True)

    return cached(Context.of().cache / f"peer-actionlint-{key_of(pins / 'go.mod', pins / 'go.sum')}", make) / "actionlint"


def checkov() -> Path:
    """The Python that has checkov: it is run as a module, since its programs would not survive the folder's other name.

    Raises:
        subprocess.CalledProcessError: it could not be installed.
    """
    return python_with("peer-checkov", FOLDER / "checkov/checkov.txt", "--no-deps")


def python_with(name: str, pins: Path, *options: str) -> Path:
    """A Python in a virtual environment of its own with what a file of pins lists, kept by these.

    Args:
        name: What its folder in the cache is called, before the key.
        pins: A requirements file with hashes.
        options: More for `pip install`.

    Raises:
        subprocess.CalledProcessError: it could not be installed.
    """

    def make(temporary: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", temporary], check=True, capture_output=True)
        pip = [temporary / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*pip, *options, "-r", pins], check=True, capture_output=True)

    return cached(Context.of().cache / f"{name}-{key_of(pins, sys.version)}", make) / "bin/python"
