"""Finds the Docker daemon to use, and asks it whether it answers."""

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from toolchain.announce import fail
from toolchain.context import Context
from toolchain.setup import docker_start
from toolchain.setup.folders import write_private

DEFAULT_SOCKET = Path("/var/run/docker.sock")
_SECONDS = 3.0
_VARIABLES = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")


@dataclass(frozen=True)
class Daemon:
    """A Docker daemon and how its address was found."""

    host: str | None
    """As in DOCKER_HOST; None is the default socket."""
    source: str
    """For the user: `DOCKER_HOST`, `the Docker context "colima"` ..."""
    env: dict[str, str] = field(default_factory=dict)
    """Further variables that clients need to reach it (TLS)."""


def ensure(context: Context, configured_host: str | None = None, in_use: Callable[[Context], bool] = lambda _: False) -> Context:
    """The context with DOCKER_HOST set where it is not the default socket. Starts a daemon if none answers and it can.

    `configured_host` is the stack's own setting; it wins over everything. A daemon that was named (by the setting, DOCKER_HOST,
    DOCKER_CONTEXT or `docker context use`) and does not answer is an error, since another one would hold other data. So is the
    one that `remember` wrote down, while `in_use` says that the stack has objects there; it is asked only then.
    Raises ToolchainError.
    """
    daemon = named(configured_host)
    known = None if daemon else remembered(context)
    daemon = daemon or known
    only_default = False
    if daemon:
        problem = docker_start.wait_while_silent(daemon.source, partial(problem_of, daemon))
        if problem is None:
            return with_daemon(context, daemon)
        needed = daemon is not known or in_use(context)
        # On the default socket a daemon that ended, as by a reboot, is started below.
        only_default = needed and daemon is known and daemon.host is None and problem != docker_start.SILENT
        if needed and not only_default:
            fail(
                f"the Docker daemon at {daemon.host or DEFAULT_SOCKET} does not answer: {problem}.\n"
                f"  It was named by {daemon.source}. Start it, or change that."
            )
    problems = []
    for daemon in [Daemon(None, str(DEFAULT_SOCKET))] if only_default else candidates():
        problem = docker_start.wait_while_silent(daemon.source, partial(problem_of, daemon))
        if problem is None:
            return with_daemon(context, daemon)
        if problem == docker_start.SILENT:
            # It holds the data of stacks, maybe; another one, or a second one of the same folder, would not.
            fail(
                f"the Docker daemon at {daemon.source} is there, and {problem}.\n"
                "  Restart it, or name another one by DOCKER_HOST or `docker context use`."
            )
        problems.append(f"{daemon.source}: {problem}")
    docker_start.start(context, problems, lambda: problem_of(Daemon(None, str(DEFAULT_SOCKET))))
    return context


def remember(context: Context) -> None:
    """Write down which daemon the stack is brought up on, so that later commands take no other one where none is named."""
    path = _memory(context)
    chosen = {name: context.env[name] for name in _VARIABLES if context.env.get(name)}
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, json.dumps(chosen) + "\n")


def remembered(context: Context) -> Daemon | None:
    """The daemon of the stack's last `up`; None where there was none."""
    path = _memory(context)
    try:
        env = {str(name): str(value) for name, value in json.loads(path.read_text()).items() if name in _VARIABLES}
    except (OSError, ValueError, AttributeError):
        return None
    source = f"the last `up` of stack {context.stack}, whose containers and data are there ({path}); DOCKER_HOST names another"
    return Daemon(env.pop("DOCKER_HOST", None), source, env)


def _memory(context: Context) -> Path:
    return context.private / "docker" / f"{context.stack}.json"


def named(configured_host: str | None = None) -> Daemon | None:
    """The daemon that the stack's setting, the environment or Docker's own configuration names, or None."""
    if configured_host:
        return Daemon(configured_host, "the setting supastack:docker.host")
    if os.environ.get("DOCKER_HOST"):
        return Daemon(os.environ["DOCKER_HOST"], "DOCKER_HOST")
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    name, source = os.environ.get("DOCKER_CONTEXT", ""), "DOCKER_CONTEXT"
    if not name:
        source = f"the current context in {folder / 'config.json'}"
        with contextlib.suppress(OSError, ValueError, AttributeError):
            name = json.loads((folder / "config.json").read_text()).get("currentContext") or ""
    if name in ("", "default"):
        return None
    return _of_context(folder, name, source)


def candidates() -> list[Daemon]:
    """Sockets that exist in the places where daemons put them."""
    home = Path.home()
    colima = Path(os.environ.get("COLIMA_HOME") or home / ".colima")
    places = [
        (home / ".docker" / "run" / "docker.sock", "Docker Desktop"),
        (home / ".docker" / "desktop" / "docker.sock", "Docker Desktop"),
        (colima / "default" / "docker.sock", "Colima"),
        (home / ".orbstack" / "run" / "docker.sock", "OrbStack"),
        (home / ".rd" / "docker.sock", "Rancher Desktop"),
    ]
    if os.environ.get("XDG_RUNTIME_DIR"):
        places.insert(0, (Path(os.environ["XDG_RUNTIME_DIR"]) / "docker.sock", "rootless Docker"))
    found = [Daemon(f"unix://{path}", f"{what} ({path})") for path, what in places if path.exists()]
    default = [Daemon(None, str(DEFAULT_SOCKET))] if DEFAULT_SOCKET.exists() else []
    return default + found


def problem_of(daemon: Daemon) -> str | None:
    """Why the daemon does not answer, or None if it does."""
    host = daemon.host or f"unix://{DEFAULT_SOCKET}"
    scheme = urlsplit(host).scheme
    if scheme == "ssh":
        return _problem_over_ssh(host)
    try:
        connection = _connection(host, {**os.environ, **daemon.env})
        connection.request("GET", "/_ping")
        status = connection.getresponse().status
        connection.close()
    except FileNotFoundError:
        return "there is no such socket"
    except ConnectionRefusedError:
        return "nothing listens there"
    except PermissionError:
        return "permission denied (sudo usermod -aG docker $USER, then log in again)"
    except (TimeoutError, BlockingIOError):  # the latter where too many wait at its socket
        return docker_start.SILENT
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
    return None if status == 200 else f"it answers with HTTP status {status}"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(self._path)


def _connection(host: str, env: dict[str, str]) -> http.client.HTTPConnection:
    url = urlsplit(host)
    if url.scheme == "unix":
        return _UnixConnection(url.path)
    if url.scheme not in ("tcp", "http", "https"):
        raise ValueError(f"{url.scheme or host} is no scheme of a Docker host; unix, tcp, http, https and ssh are")
    tls = url.scheme == "https" or env.get("DOCKER_TLS_VERIFY")
    if not tls:
        return http.client.HTTPConnection(url.hostname or "localhost", url.port or 2375, timeout=_SECONDS)
    secure = ssl.create_default_context()
    if env.get("DOCKER_CERT_PATH"):
        certificates = Path(env["DOCKER_CERT_PATH"])
        if (certificates / "ca.pem").exists():
            secure.load_verify_locations(certificates / "ca.pem")
        if (certificates / "cert.pem").exists():
            secure.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    return http.client.HTTPSConnection(url.hostname or "localhost", url.port or 2376, timeout=_SECONDS, context=secure)


def _problem_over_ssh(host: str) -> str | None:
    """Over SSH only the docker command can ask; without it the daemon is believed to be there."""
    docker = shutil.which("docker")
    if docker is None:
        return None
    try:
        command = [docker, "-H", host, "version", "--format", "{{.Server.Version}}"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return "no answer within 20 s"
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it fails"])[-1]


def _of_context(folder: Path, name: str, source: str) -> Daemon:
    """A Docker context, read as the docker command keeps it: below a folder named by the hash of the context's name."""
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / key / "meta.json"
    try:
        host = str(json.loads(meta.read_text())["Endpoints"]["docker"]["Host"])
    except (OSError, ValueError, KeyError, TypeError):
        fail(
            f'the Docker context "{name}" (from {source}) does not exist. See: docker context ls; or: docker context use default'
        )
    tls = folder / "contexts" / "tls" / key / "docker"
    env = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tls)} if tls.exists() else {}
    default = f"unix://{DEFAULT_SOCKET}"
    return Daemon(None if host == default else host, f'the Docker context "{name}" ({source})', env)


def with_daemon(context: Context, daemon: Daemon) -> Context:
    """The context with this daemon in its environment."""
    return context.with_env(**({"DOCKER_HOST": daemon.host} if daemon.host else {}), **daemon.env)
