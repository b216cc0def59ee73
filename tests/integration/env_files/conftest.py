"""The programs that read env files, as they are: npm packages by node, bash, sh, and the docker client."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import IO

import pytest

from tests.integration.daemon import Daemon, why_none

PACKAGES = {
    # name here: (package, version, hash of what the registry sent when it was pinned)
    "dotenv": (
        "dotenv",
        "18.0.10",
        "sha512-89FAA1xchzK2mxVWdr5F/0rldwiueXs6zJM86rO66EzekR1iBdiXRthyG+m5GvkJaFH3C2LESzamTkgndmLT2A==",
    ),
    "dotenv16": (
        "dotenv",
        "16.4.7",
        "sha512-47qPchRCykZC03FhkYAhrvwU4xDBFIj1QPqaarj6mdM/hgUzfPHcpkHJOn3mJAufFeeAxAzeGsr5X0M4k6fLZQ==",
    ),
    # What Vercel's CLI has.
    "dotenv4": (
        "dotenv",
        "4.0.0",
        "sha512-XcaMACOr3JMVcEv0Y/iUM2XaOsATRZ3U1In41/1jjK6vJZ2PZbQ1bzCG8uvaByfaBpl9gqc9QWJovpUGBXLLYQ==",
    ),
    "next-env": (
        "@next/env",
        "16.4.6",
        "sha512-SunBjJ6t+oBtecS3dTjdVuMhUogP5wD/vrGL5EVuQYM1iS4O5ilL51HkiJ3sPjMzRHiCChvr4dbaSJbR7F3lxA==",
    ),
    "next-env-14": (
        "@next/env",
        "14.2.30",
        "sha512-KBiBKrDY6kxTQWGzKjQB7QirL3PiiOkV7KW98leHFjtVRKtft76Ra5qSA/SL75xT44dp6hOcqiiJ6iievLOYug==",
    ),
}
NODE_READERS = ("dotenv", "dotenv-fast", "dotenv16", "next-env", "next-env-14")


@pytest.fixture(scope="session")
def packages() -> Path:
    """A folder with the packages of `PACKAGES`, installed once and kept in the user's cache."""
    key = sha256(json.dumps(PACKAGES, sort_keys=True).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "supastack" / f"env-readers-{key}"
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        pytest.fail(
            f"{' and '.join(missing)} not found: the tests read env files with the real npm packages. Install Node.js"
            " with npm (Debian: apt-get install nodejs npm).",
            pytrace=False,
        )
    if folder.exists():
        return folder
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    making.mkdir(parents=True)
    wanted = {name: f"npm:{package}@{version}" for name, (package, version, _) in PACKAGES.items()}
    (making / "package.json").write_text(json.dumps({"private": True, "dependencies": wanted}))
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=making, check=True, capture_output=True)
    lock = json.loads((making / "package-lock.json").read_text())["packages"]
    for name, (_, _, integrity) in PACKAGES.items():
        assert lock[f"node_modules/{name}"]["integrity"] == integrity, f"{name} is not what was pinned"
    try:
        making.rename(folder)
    except OSError:  # another run was faster
        shutil.rmtree(making)
    return folder


class Node:
    """One node process that reads texts with all of `NODE_READERS`."""

    def __init__(self, packages: Path) -> None:
        self.process = subprocess.Popen(
            ["node", str(Path(__file__).with_name("readers.js"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={"PATH": os.environ["PATH"], "NODE_PATH": str(packages / "node_modules")},
        )

    def read(self, texts: Sequence[str]) -> list[dict[str, dict[str, str]]]:
        """For each text what each reader found."""
        stdin, stdout = _pipes(self.process)
        stdin.write(json.dumps(texts) + "\n")
        stdin.flush()
        answer: list[dict[str, dict[str, str]]] = json.loads(stdout.readline())
        return answer


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


@pytest.fixture(scope="session")
def node(packages: Path) -> Iterator[Node]:
    """What npm's dotenv and Next.js read."""
    reader = Node(packages)
    yield reader
    reader.process.kill()
    reader.process.wait()


class Shell:
    """What `set -a; . file` puts into the environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, text: str, shell: str = "bash") -> Mapping[str, str]:
        """The environment after it; empty if the shell failed or wrote to stderr."""
        file = self.folder / "sourced.env"
        file.write_bytes(text.encode())
        script = 'set -a; . "$1"; set +a; exec env -0'
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        done = subprocess.run([shell, "-c", script, shell, str(file)], capture_output=True, check=False, env=env)
        if done.returncode or done.stderr:
            return {}
        return dict(entry.partition("=")[::2] for entry in done.stdout.decode().split("\0") if entry)

    def read_each(self, written: Iterable[str]) -> list[str | None]:
        """What bash makes of each of many right-hand sides; None where it fails or says something."""
        folder = self.folder / "each"
        folder.mkdir(exist_ok=True)
        count = 0
        for count, text in enumerate(written, start=1):
            (folder / str(count)).write_bytes(f"V={text}\n".encode())
        # In a subshell each, since some of them end the shell.
        script = """
            cd "$1"
            for ((i = 1; i <= $2; i++)); do
              (V=; said=$( { set -a; . "./$i"; } 2>&1 </dev/null ) && [ -z "$said" ] && . "./$i" && printf "%s:%s\\0" "$i" "$V")
            done 2>/dev/null
        """
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        command = ["bash", "-c", script, "bash", str(folder), str(count)]
        done = subprocess.run(command, capture_output=True, check=False, env=env, stdin=subprocess.DEVNULL)
        found = dict(entry.split(":", 1) for entry in done.stdout.decode().split("\0") if entry)
        return [found.get(str(number)) for number in range(1, count + 1)]


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """What a shell reads."""
    return Shell(tmp_path_factory.mktemp("shell"))


@pytest.fixture(scope="session")
def docker_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bytes], dict[str, str]]]:
    """What a container gets from an env file: the real client reads it, a daemon of the tests' own keeps it. Nothing is run."""
    if problem := why_none():
        pytest.fail(problem)
    folder = tmp_path_factory.mktemp("docker")
    daemon = Daemon(folder / "daemon")
    daemon.start()
    docker = ["docker", "--host", daemon.host]
    empty = subprocess.run(["tar", "-cf", "-", "-T", "/dev/null"], capture_output=True, check=True).stdout
    subprocess.run([*docker, "import", "-", "env-files:empty"], input=empty, capture_output=True, check=True)
    file = folder / "file.env"

    def read(content: bytes) -> dict[str, str]:
        file.write_bytes(content)
        create = [*docker, "create", "--env-file", str(file), "env-files:empty", "nothing"]
        made = subprocess.run(create, capture_output=True, check=True).stdout.decode().strip()
        try:
            inspect = [*docker, "inspect", "--format", "{{json .Config.Env}}", made]
            entries = json.loads(subprocess.run(inspect, capture_output=True, check=True).stdout)
        finally:
            subprocess.run([*docker, "rm", made], capture_output=True, check=True)
        given = dict(entry.partition("=")[::2] for entry in entries or [])
        given.pop("PATH", None)  # docker's own
        return given

    yield read
    daemon.remove()
