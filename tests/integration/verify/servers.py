"""Local servers that stand where a Supabase project, Upstash and an S3 provider would: real servers, with TLS by an authority of their own.

What only looks like it: the API is a small server of ours that knows one key and records what it was asked; PgBouncer stands for
Supavisor, and knows the login `postgres.<ref>` as a role of that name.
"""

import http.server
import io
import json
import ssl
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.daemon import Daemon
from tests.integration.images.conftest import Box, Dock, wait_for
from tests.integration.verify.authority import Authority

REF = "abcdefghijklmnopqrst"
PASSWORD = "p@ss:word/%9?#&+7Zq"
"""With what a URL has to encode."""
CACHE_PASSWORD = "C@che/Word:%1&+Qz"
ACCESS_KEY = "app-access-key"
SECRET_KEY = "S3cret/Key+Of=Store"
API_KEY = "sb_secret_of-the-project-itself"
BUCKET = "their-bucket"
_POSTGRES = 70
"""User id of `postgres` in both images."""


@dataclass
class Others:
    """Where they are: all on localhost."""

    authority: Authority
    foreign: Authority
    """Signed none of their certificates."""
    postgres: int
    pooler: int
    session: int
    cache: int
    store: int
    api: int
    database: Box
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and key of each request to the API."""

    def sql(self, query: str) -> str:
        """The answer to a query, over the server's own socket."""
        return self.database.ok("psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-c", query)


def _owned(box: Box, path: str, content: str) -> None:
    """A private file of the server's own user."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size, entry.mode, entry.uid, entry.gid = len(content.encode()), 0o600, _POSTGRES, _POSTGRES
        archive.addfile(entry, io.BytesIO(content.encode()))
    box.container.put_archive("/", data.getvalue())


def _published(box: Box, port: int) -> int:
    assert box.state() == "running", box.logs()
    return int(box.container.attrs["NetworkSettings"]["Ports"][f"{port}/tcp"][0]["HostPort"])


def _ports(port: int) -> dict[str, Any]:
    # At every address: the daemon's network is the tests' own, and a certificate that names another one is a test.
    return {"ports": {f"{port}/tcp": None}}


def _postgres(dock: Dock, image: Callable[[str], str], authority: Authority) -> Box:
    certificate, key = authority.issue()
    tls = ("-c", "ssl=on", "-c", "ssl_cert_file=/tls/server.pem", "-c", "ssl_key_file=/tls/server.key")
    env = {"POSTGRES_PASSWORD": PASSWORD}
    box = dock.box(image("postgres-plain"), "postgres", *tls, env=env, start=False, **_ports(5432))
    box.put("/tls/server.pem", certificate)
    _owned(box, "/tls/server.key", key)
    box.container.start()
    # By TCP: while it initialises it listens on its socket alone.
    box.ready("pg_isready", "-h", "127.0.0.1", "-U", "postgres")
    for statement in (
        f"CREATE ROLE \"postgres.{REF}\" LOGIN PASSWORD '{PASSWORD}'",
        f'GRANT CREATE ON DATABASE postgres TO "postgres.{REF}"',
    ):
        box.ok("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-c", statement)
    return box


def _pgbouncer(dock: Dock, image: Callable[[str], str], authority: Authority, server: Box, mode: str) -> Box:
    certificate, key = authority.issue()
    configuration = f"""
[databases]
postgres = host={server.name} port=5432 dbname=postgres
[pgbouncer]
listen_addr = 0.0.0.0
listen_port = 6432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/userlist.txt
pool_mode = {mode}
client_tls_sslmode = require
client_tls_cert_file = /etc/pgbouncer/server.pem
client_tls_key_file = /etc/pgbouncer/server.key
client_tls_ca_file = /etc/pgbouncer/theirs.pem
"""
    box = dock.box(image("pgbouncer"), start=False, **_ports(6432))
    _owned(box, "/etc/pgbouncer/pgbouncer.ini", configuration)
    _owned(box, "/etc/pgbouncer/userlist.txt", f'"postgres.{REF}" "{PASSWORD}"\n')
    _owned(box, "/etc/pgbouncer/server.pem", certificate)
    _owned(box, "/etc/pgbouncer/server.key", key)
    # It asks no client for a certificate, and does not start without an authority for them.
    _owned(box, "/etc/pgbouncer/theirs.pem", authority.file.read_text())
    box.container.start()
    return box


def _cache(dock: Dock, image: Callable[[str], str], authority: Authority) -> Box:
    certificate, key = authority.issue()
    configuration = (
        "port 0\ntls-port 6379\ntls-cert-file /tls/server.pem\ntls-key-file /tls/server.key\ntls-auth-clients no\n"
        f"bind * -::*\nrequirepass {CACHE_PASSWORD}\n"
    )
    files = {"/tls/server.pem": certificate, "/tls/server.key": key, "/tls/cache.conf": configuration}
    return dock.box(image("valkey"), "valkey-server", "/tls/cache.conf", files=files, start=True, **_ports(6379))


def _store(dock: Dock, image: Callable[[str], str], authority: Authority) -> Box:
    certificate, key = authority.issue()
    env = {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY}
    files = {"/tls/public.crt": certificate, "/tls/private.key": key}
    box = dock.box(image("minio"), "server", "/data", "--certs-dir", "/tls", env=env, files=files, **_ports(9000))
    # Not encoded: mc takes the parts as they stand.
    reach = {"MC_HOST_store": f"https://{ACCESS_KEY}:{SECRET_KEY}@localhost:9000"}

    def made() -> bool:
        return box.run("mc", "--insecure", "mb", "--ignore-existing", f"store/{BUCKET}", env=reach)[0] == 0

    wait_for(made, f"the bucket in {box.name}")
    return box


def _api(authority: Authority, asked: list[tuple[str, str | None]], folder: Path) -> http.server.ThreadingHTTPServer:
    class Api(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = self.headers.get("apikey")
            asked.append((self.path, key))
            good = key == API_KEY
            body = json.dumps({"name": "GoTrue"} if good else {"message": f"Invalid API key {key}"}).encode()
            self.send_response(200 if good else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    certificate, key = authority.issue()
    (folder / "api.pem").write_text(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "api.pem")
    server = http.server.ThreadingHTTPServer(("", 0), Api)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@contextmanager
def standing(dock: Dock, image: Callable[[str], str], daemon: Daemon) -> Iterator[Others]:
    """All of them, ready, in the daemon's network."""
    with tempfile.TemporaryDirectory() as folder:
        authority, foreign = Authority(Path(folder), "theirs"), Authority(Path(folder), "foreign")
        database = _postgres(dock, image, authority)
        pooler, session = (_pgbouncer(dock, image, authority, database, mode) for mode in ("transaction", "session"))
        cache, store = _cache(dock, image, authority), _store(dock, image, authority)
        asked: list[tuple[str, str | None]] = []
        with daemon.network():
            api = _api(authority, asked, Path(folder))
        try:
            yield Others(
                authority=authority,
                foreign=foreign,
                postgres=_published(database, 5432),
                pooler=_published(pooler, 6432),
                session=_published(session, 6432),
                cache=_published(cache, 6379),
                store=_published(store, 9000),
                api=api.server_address[1],
                database=database,
                asked=asked,
            )
        finally:
            api.shutdown()
