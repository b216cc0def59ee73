"""A fake API server on loopback: objects by path, answers in JSON, rights by table."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class FakeServer:
    """What the server knows.

    Attributes:
        objects: Object by path; a list of objects is a list.
        refused: HTTP status by path.
        forbidden: What its user may not do, as `verb resource`; `* *` stands for everything at once.
        seen: Headers of every request, with its path.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {"/version": {"gitVersion": "v1.34.4"}}
        self.refused: dict[str, int] = {}
        self.forbidden: set[str] = set()
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def answer(self, path: str, body: Any) -> tuple[int, Any]:
        where = urlsplit(path)
        if where.path in self.refused:
            return self.refused[where.path], {"message": "so it is", "code": self.refused[where.path]}
        if where.path == REVIEW:
            asked = body["spec"]["resourceAttributes"]
            return 201, {"status": {"allowed": f"{asked['verb']} {asked['resource']}" not in self.forbidden}}
        if where.path not in self.objects:
            return 404, {"message": "not found", "code": 404}
        found = self.objects[where.path]
        if isinstance(found, list):
            selector = parse_qs(where.query).get("labelSelector", [""])[0]
            wanted = dict(part.split("=", 1) for part in selector.split(",") if part)
            found = {"items": [o for o in found if wanted.items() <= (o["metadata"].get("labels") or {}).items()]}
        return 200, found

    def kubeconfig(self, folder: Path, **user: Any) -> Path:
        """Writes a kubeconfig with the context `test`."""
        file = folder / "kubeconfig"
        config = {
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": user or {"token": "t0ken"}}],
        }
        file.write_text(yaml.safe_dump(config))
        return file


@contextmanager
def serving() -> Iterator[FakeServer]:
    """A server that runs."""
    fake = FakeServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            fake.seen.append((self.path, dict(self.headers)))
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, found = fake.answer(self.path, body)
            data = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _do  # noqa: N815 - the names that the base class looks for

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
