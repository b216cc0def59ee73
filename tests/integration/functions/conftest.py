"""The router of the edge functions in a real Deno, as the service's own data gives it, with a stand-in for the runtime's workers."""

import json
import os
import platform
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.encode import encode
from components.service import Address, AddressPart, Secret, Text
from components.services import functions, secret_names
from components.supabase_stack import services
from tests.integration.functions import tokens
from tests.unit.components.placements import placement

VERSION = "2.9.6"
PACKAGES = {
    # machine: (package, hash of what the registry sent when it was pinned; None: it was not there to be read)
    "x86_64": (
        "@deno/linux-x64-glibc",
        "sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==",
    ),
    "aarch64": ("@deno/linux-arm64-glibc", None),
}
HIDDEN = "a-secret-of-the-functions"
SECRETS = {
    secret_names.JWT_SECRET: tokens.SECRET,
    secret_names.JWT_JWKS: tokens.JWKS,
    secret_names.function("STRIPE_KEY"): HIDDEN,
}
SETTINGS: dict[str, Any] = {
    "functions": {
        "each": {"open": {"verifyJwt": False}, "closed": {"enabled": False}},
        "memoryLimit": "200mb",
        "timeout": 7,
        "cpuHardLimit": 900,
    },
    "services": {"functions": {"env": {"GREETING": "hello"}}},
}
FOLDERS = ("hello", "open", "closed", "boom", "broken", "limit", "slow", "retired", "odd", "_shared")


@pytest.fixture(scope="session", autouse=True)
def daemon() -> None:
    """No container is needed here: in place of the daemon of the other integration tests."""


@pytest.fixture(scope="session")
def deno() -> str:
    """The program, from npm, installed once and kept in the user's cache."""
    if platform.machine() not in PACKAGES:
        pytest.fail(f"no Deno is known for {platform.machine()}")
    if shutil.which("npm") is None:
        pytest.fail("npm not found: the tests run the router with the real Deno. Install npm (Debian: apt-get install npm).")
    package, integrity = PACKAGES[platform.machine()]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "supastack" / f"deno-{VERSION}"
    program = folder / "node_modules" / package / "deno"
    if program.exists():
        return str(program)
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    making.mkdir(parents=True)
    (making / "package.json").write_text(json.dumps({"private": True, "dependencies": {package: VERSION}}))
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=making, check=True, capture_output=True)
    lock = json.loads((making / "package-lock.json").read_text())["packages"]
    if integrity is not None:
        assert lock[f"node_modules/{package}"]["integrity"] == integrity, "Deno is not what was pinned"
    (making / "node_modules" / package / "deno").chmod(0o755)
    try:
        making.rename(folder)
    except OSError:  # another run was faster
        shutil.rmtree(making)
    return str(program)


def resolved(text: Text) -> str:
    """A text as a target would write it."""
    ends = {AddressPart.HOST: "{}", AddressPart.PORT: "80", AddressPart.HOST_PORT: "{}:80"}
    return "".join(
        encode(SECRETS.get(part.name, part.name), part.encoding)
        if isinstance(part, Secret)
        else ends[part.part].format(part.capability)
        if isinstance(part, Address)
        else str(part)
        for part in text.parts
    )


def service(**over: Any) -> Any:
    """The functions' service, with a secret of the user's, and all keys."""
    args = {
        "placement": placement(local_images=False),
        "settings": {**SETTINGS, **over},
        "secrets": dict.fromkeys(SECRETS, ""),
    }
    return next(made for made in services(args) if made.name == "functions")


def write(made: Any, folder: Path) -> None:
    """The service's files as the container would have them, with a folder for each function of the tests."""
    for file in made.files:
        path = folder / file.path.removeprefix(f"{functions.ROUTER}/")
        path.write_text(resolved(file.content).replace(functions.FOLDER, str(folder / "functions")))
    for name in FOLDERS:
        (folder / "functions" / name).mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("runtime.ts"), folder)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Router:
    """The router, listening."""

    url: str
    log: Path

    def call(self, path: str, *, token: str | None = None, method: str = "GET", body: str = "", **headers: str) -> Answer:
        """Call it; `token` as a bearer token. Underscores in headers' names stand for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.url + path, method=method, headers=sent, data=body.encode() or None)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as answer:
            return Answer(answer.code, dict(answer.headers), answer.read().decode())


@pytest.fixture(scope="session")
def router(deno: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    """The router as the settings above make it, without the network: imports can come from its own folder alone."""
    folder = tmp_path_factory.mktemp("router")
    made = service()
    write(made, folder)
    log = folder / "log"
    # The image's own variables: functions must not see them.
    own = {"PATH": "/usr/bin", "HOME": str(folder), "DENO_DIR": str(folder / "cache"), "DENO_NO_UPDATE_CHECK": "1"}
    environment = {**own, **{name: resolved(text) for name, text in made.env.items()}}
    allowed = (f"--allow-read={folder}", "--allow-env", "--allow-net=127.0.0.1", "--no-remote", "--no-npm")
    with log.open("w") as written:
        process = subprocess.Popen(
            [deno, "run", "--quiet", *allowed, "runtime.ts"],
            cwd=folder,
            env={**environment, "DENO_SERVE_ADDRESS": "tcp:127.0.0.1:0"},
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
        )
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://"), log.read_text()
        yield Router(url, log)
        process.kill()
        process.wait()
