"""A server on loopback that stands for GitHub's REST API: the few paths that delivery asks, every request recorded. It is no GitHub."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LOGIN = "github-actions[bot]"


class GitHub:
    """What it has, and what it was asked."""

    def __init__(self) -> None:
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.issues: list[dict[str, Any]] = []
        self.pulls: dict[int, str] = {}
        self.asked: list[tuple[str, str]] = []
        """Method and path of each request, without the repository."""
        self.tokens: set[str] = set()
        self.api = ""
        self.answer: tuple[int, dict[str, Any]] | None = None
        """What it answers to everything, if anything."""
        self._next = 1000

    def environment(self, token: str = "ghs_token-of-the-test") -> dict[str, str]:
        return {"GITHUB_API_URL": self.api, "GITHUB_REPOSITORY": "team/app", "GITHUB_TOKEN": token}

    def add_comment(self, number: int, body: str, login: str = LOGIN) -> dict[str, Any]:
        made = {"id": self._id(), "body": body, "user": {"login": login}, "html_url": f"{self.api}/c"}
        self.comments.setdefault(number, []).append(made)
        return made

    def _id(self) -> int:
        self._next += 1
        return self._next

    def respond(self, method: str, path: str, given: dict[str, Any]) -> tuple[int, Any]:
        if self.answer:
            return self.answer
        parts = urlsplit(path)
        query = {key: value[-1] for key, value in parse_qs(parts.query).items()}
        match (method, parts.path.split("/")[1:]):
            case ("GET", ["issues", number, "comments"]):
                return 200, _page(self.comments.get(int(number), []), query)
            case ("POST", ["issues", number, "comments"]):
                return 201, self.add_comment(int(number), given["body"])
            case ("PATCH", ["issues", "comments", number]):
                (found,) = (c for all_ in self.comments.values() for c in all_ if c["id"] == int(number))
                return 200, _changed(found, given)
            case ("GET", ["issues"]):
                labelled = [i for i in self.issues if i["state"] == query["state"] and query["labels"] in i["labels"]]
                return 200, _page(labelled, query)
            case ("POST", ["issues"]):
                made = {**given, "number": self._id(), "state": "open", "user": {"login": LOGIN}}
                self.issues.append(made)
                return 201, made
            case ("PATCH", ["issues", number]):
                (found,) = (i for i in self.issues if i["number"] == int(number))
                return 200, _changed(found, given)
            case ("GET", ["pulls", number]) if int(number) in self.pulls:
                return 200, {"state": self.pulls[int(number)]}
        return 404, {"message": "Not Found"}


def _page(found: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    size, page = int(query["per_page"]), int(query["page"])
    return found[(page - 1) * size : page * size]


def _changed(found: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    found.update(given)
    return found


@contextmanager
def serving() -> Iterator[GitHub]:
    """Run one."""
    github = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            match = re.fullmatch(r"/repos/team/app(/.*)", self.path)
            path = match[1] if match else self.path
            github.asked.append((self.command, path))
            github.tokens.add(self.headers.get("Authorization", ""))
            code, answer = github.respond(self.command, path, given) if match else (404, {"message": "Not Found"})
            body = json.dumps(answer).encode()
            self.send_response(code)
            if code in (301, 302, 307):
                self.send_header("Location", answer["to"])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = _any  # noqa: N815 - the names that the server looks for

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github.api = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
