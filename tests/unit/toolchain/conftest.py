"""A machine of a test's own: clone, HOME, cache and PATH in a temporary folder, and servers on loopback."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from toolchain import context as context_module
from toolchain.context import Context


@dataclass
class Machine:
    """Folders of a pretended machine. What is put into `bin` is all that its PATH has, beside what every system has (`system`)."""

    root: Path
    home: Path
    bin: Path

    def program(self, name: str, script: str, folder: Path | None = None) -> Path:
        """Put a shell script on PATH."""
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def pulumi(self, version: str, folder: Path | None = None, language_host: bool = True) -> Path:
        """Put a pulumi that tells this version on PATH."""
        if language_host:
            self.program("pulumi-language-python", "exit 1", folder)
        return self.program("pulumi", f'[ "$1" = version ] && echo v{version}', folder)

    def context(self, stack: str = "dev", instance: int | None = None) -> Context:
        made = Context.of(stack, instance)
        made.private.mkdir(exist_ok=True)
        return made


OURS = re.compile(r"go|gofmt|pulumi.*|docker.*|containerd.*|ctr|runc|rootlesskit.*|colima|limactl")
"""Programs that the toolchain looks for: a machine has those that a test gives it, wherever the real one has its own."""


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real machine's /usr/bin and /bin but for what the toolchain looks for."""
    made = tmp_path_factory.mktemp("system")
    for folder in (Path("/usr/bin"), Path("/bin")):
        for program in folder.iterdir():
            if not OURS.fullmatch(program.name) and not (made / program.name).is_symlink():
                (made / program.name).symlink_to(program)
    return made


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: Path) -> Machine:
    made = Machine(tmp_path / "clone", tmp_path / "home", tmp_path / "bin")
    for folder in (made.root, made.home, made.bin):
        folder.mkdir()
    for module in ("engine", "language_host"):
        (made.root / "toolchain" / module).mkdir(parents=True)
        (made.root / "toolchain" / module / "go.mod").write_text(f"module {module}\n")
        (made.root / "toolchain" / module / "go.sum").write_text("")
    for name in [n for n in os.environ if n.startswith(("PULUMI_", "DOCKER_", "COLIMA_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "VERBOSE", "GOTOOLCHAIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.setenv("PATH", f"{made.bin}:{system}")
    monkeypatch.setattr(context_module, "ROOT", made.root)
    return made


@dataclass
class Server:
    """An HTTP server on loopback that answers from a table and remembers what it was asked."""

    url: str
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    wait: Callable[[], object] = lambda: None
    """Called before each answer: a test makes the server hang with it."""


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(f"{self.command} {self.path}")
            served.wait()
            status, body = served.answers.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 - the name that the base class looks for

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Server(f"http://127.0.0.1:{httpd.server_port}")
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
    yield served
    httpd.shutdown()
    httpd.server_close()
