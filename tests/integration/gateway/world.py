"""A real Envoy with recording upstreams.

The upstreams are servers of this process on the network that the container is in; each tells what reached it. The container gets what
its service says: command, environment, files and health check.
"""

import base64
import contextlib
import hashlib
import http.client
import json
import socket
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from components.encode import encode
from components.service import Address, AddressPart, Secret, Service, Text
from components.services import secret_names as names
from tests.integration.images.conftest import Box, Dock

TEST_ID = "x-test-id"
LARGE = 160 * 2**20
"""Bytes; more than the memory that a gateway has."""
USER, PASSWORD = "supabase", 'pass:"word\\'

# A user may bring a key of his own: nothing in it may end a string of the configuration.
SECRETS: Mapping[str, str] = {
    names.ANON_KEY: "anon.\"\\'%]]--{}$&|<>%FOO%",
    names.SERVICE_ROLE_KEY: 'service.$(x)`"\\n%[[${y}#',
    names.ANON_KEY_ASYMMETRIC: 'es256-anon."\\',
    names.SERVICE_ROLE_KEY_ASYMMETRIC: 'es256-service."\\',
    names.PUBLISHABLE_KEY: "sb_publishable_abc-DEF_12345678",
    names.SECRET_KEY: "sb_secret_abc-DEF_12345678",
    names.DASHBOARD_HTPASSWD: f"{USER}:{{SHA}}{base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()}",
    names.DASHBOARD_PASSWORD: PASSWORD,
}
ANON, SERVICE = SECRETS[names.ANON_KEY], SECRETS[names.SERVICE_ROLE_KEY]
PUBLISHABLE, SECRET = SECRETS[names.PUBLISHABLE_KEY], SECRETS[names.SECRET_KEY]
ANON_TOKEN, SERVICE_TOKEN = SECRETS[names.ANON_KEY_ASYMMETRIC], SECRETS[names.SERVICE_ROLE_KEY_ASYMMETRIC]
USERS_TOKEN = "eyJ.a-user.signature"
LOGIN = {"Authorization": f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"}


@dataclass
class Seen:
    """A request as it reached an upstream."""

    upstream: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: int = 0

    def header(self, name: str) -> str | None:
        """The value of a header; all values, if there are several."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class Recorder:
    """Upstreams that record what reaches them and answer so or as `answers` says, and do what single paths ask for."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.seen: dict[str, list[Seen]] = {}
        self.answers: dict[str, Any] = {}
        self.first_bytes = threading.Event()
        self.ended = threading.Event()
        self._servers: dict[str, ThreadingHTTPServer] = {}

    def at(self, upstream: str) -> tuple[str, int]:
        """Where an upstream is, which is started by that."""
        if upstream not in self._servers:
            server = ThreadingHTTPServer((self.host, 0), self._handler(upstream))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self._servers[upstream] = server
        return self.host, self._servers[upstream].server_address[1]

    def close(self) -> None:
        self.ended.set()
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def _handler(self, upstream: str) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def handle_any(self) -> None:
                seen = Seen(upstream, self.command, self.path, self.headers.items())
                recorder.seen.setdefault(self.headers.get(TEST_ID, ""), []).append(seen)
                if self.headers.get("Upgrade", "").lower() == "websocket":
                    return self._websocket()
                for chunk in self._chunks():
                    seen.body += len(chunk)
                    recorder.first_bytes.set()
                if "/drop" in self.path:
                    self.close_connection = True
                    return self.connection.shutdown(socket.SHUT_RDWR)
                if "/silent" in self.path:
                    recorder.ended.wait(60)
                if "/talks" in self.path:
                    return self._talk()
                size = LARGE if "/large" in self.path else 0
                body = json.dumps(recorder.answers.get(upstream, {"upstream": upstream, "body": seen.body})).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                # As the services do, which know CORS themselves.
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Content-Length", str(size or len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    for _ in range(size // 2**20):
                        self.wfile.write(bytes(2**20))
                    self.wfile.write(b"" if size else body)
                return None

            def _chunks(self) -> Iterator[bytes]:
                if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                    while size := int(self.rfile.readline(), 16):
                        yield self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    return
                left = int(self.headers.get("Content-Length", 0))
                while left:
                    chunk = self.rfile.read(min(left, 65536))
                    left -= len(chunk)
                    yield chunk

            def _talk(self) -> None:
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for _ in range(8):
                    self.wfile.write(b"2\r\nx\n\r\n")
                    recorder.ended.wait(0.5)
                self.wfile.write(b"0\r\n\r\n")

            def _websocket(self) -> None:
                # The frames are no concern of the gateway's: bytes go there and back.
                self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                self.wfile.write(self.rfile.readline().upper())
                self.close_connection = True

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):
                    return self.handle_any
                raise AttributeError(name)

        return Handler


@dataclass
class Answer:
    """What a caller gets, and what the upstreams saw of it."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seen: list[Seen] = field(default_factory=list)

    @property
    def message(self) -> str:
        """What the gateway itself says."""
        return str(json.loads(self.body)["message"])

    @property
    def reached(self) -> Seen:
        """The one request that reached an upstream."""
        assert self.status == 200, (self.status, self.body)
        assert len(self.seen) == 1, self.seen
        return self.seen[0]

    def refused(self, status: int) -> str:
        """Refused by the gateway itself: its message."""
        assert (self.status, self.seen) == (status, []), (self.status, self.body, self.seen)
        return self.message


class Gateway:
    """A gateway that runs."""

    def __init__(self, box: Box, host: str, recorder: Recorder, network: Callable[[], Any]) -> None:
        self.box = box
        self.host = host
        self.recorder = recorder
        self.network = network

    def connection(self, port: int = 8000, *, tls: ssl.SSLContext | None = None) -> http.client.HTTPConnection:
        """A connection to one of its ports."""
        with self.network():
            if tls is None:
                made = http.client.HTTPConnection(self.host, port, timeout=30)
            else:
                made = http.client.HTTPSConnection(self.host, port, timeout=30, context=tls)
            made.connect()
        return made

    def call(
        self,
        path: str,
        headers: Mapping[str, str] | list[tuple[str, str]] = (),
        *,
        method: str = "GET",
        body: Any = None,
        port: int = 8000,
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        """Send a request, exactly as it is given."""
        mark = uuid.uuid4().hex
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        with contextlib.closing(self.connection(port, tls=tls)) as connection:
            connection.putrequest(method, path, skip_host=any(k.lower() == "host" for k, _ in pairs), skip_accept_encoding=True)
            for key, value in [(TEST_ID, mark), *pairs]:
                connection.putheader(key, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read(), self.recorder.seen.get(mark, []))

    def upgrade(self, path: str, headers: Mapping[str, str]) -> tuple[bytes, bytes, list[Seen]]:
        """Ask for a WebSocket and send a line. The status line, what comes back, and what was seen."""
        mark = uuid.uuid4().hex
        with contextlib.closing(self.connection()) as connection:
            wanted = {"Host": "x", "Connection": "Upgrade", "Upgrade": "websocket", TEST_ID: mark, **headers}
            lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in wanted.items()), "", ""]
            connection.sock.sendall("\r\n".join(lines).encode())
            reader = connection.sock.makefile("rb")
            status = reader.readline().strip()
            while reader.readline().strip():
                pass
            back = b""
            if b" 101 " in status:
                connection.sock.sendall(b"hello\n")
                back = reader.readline()
        return status, back, self.recorder.seen.get(mark, [])


def resolved(value: Text, secrets: Mapping[str, str], at: Callable[[str], tuple[str, int]]) -> str:
    """The text as a target writes it."""
    parts = []
    for part in value.parts:
        if isinstance(part, Secret):
            parts.append(encode(secrets[part.name], part.encoding))
        elif isinstance(part, Address):
            host, port = at(part.capability)
            parts.append(
                {AddressPart.HOST: host, AddressPart.PORT: str(port), AddressPart.HOST_PORT: f"{host}:{port}"}[part.part]
            )
        else:
            parts.append(part)
    return "".join(parts)


def run(
    service: Service,
    reference: str,
    dock: Dock,
    recorder: Recorder,
    network: Callable[[], Any],
    *,
    secrets: Mapping[str, str] = SECRETS,
    elsewhere: Mapping[str, tuple[str, int]] | None = None,
) -> Gateway:
    """Run a gateway's service with the recorder as its upstreams, but for those that are `elsewhere`."""

    def at(capability: str) -> tuple[str, int]:
        return (elsewhere or {}).get(capability) or recorder.at(capability)

    assert service.health is not None
    with network():
        files = {f.path: resolved(f.content, secrets, at) for f in service.files}
        box = dock.box(
            reference,
            *service.command,
            env={k: resolved(v, secrets, at) for k, v in service.env.items()},
            health=service.health.command,
            start=False,
            security_opt=["no-new-privileges:true"],
            mem_limit=f"{service.resources.memory_mib}m",
            memswap_limit=f"{service.resources.memory_mib}m",
        )
        for file in service.files:
            box.put(file.path, files[file.path], mode=file.mode)
        box.container.start()
        box.healthy()
        return Gateway(box, address(box), recorder, network)


def address(box: Box) -> str:
    """Where a container is on its network."""
    box.container.reload()
    (attached,) = box.container.attrs["NetworkSettings"]["Networks"].values()
    return str(attached["IPAddress"])


def host_of(dock: Dock) -> str:
    """This side's address on the containers' network."""
    network = dock.client.networks.get(dock.network())
    return str(network.attrs["IPAM"]["Config"][0]["Gateway"])


def closed_port(host: str) -> tuple[str, int]:
    """A place where nobody listens."""
    with contextlib.closing(socket.socket()) as held:
        held.bind((host, 0))
        return host, held.getsockname()[1]
