"""Redis Commander on the real cache: its login, and where the password is not."""

import json

import pytest

from components.cache import services
from components.service import Service
from tests.integration.database.conftest import PLAIN_PASSWORD, Placed
from tests.integration.images.conftest import Box, wait_for
from tests.unit.components.placements import placement

pytestmark = pytest.mark.docker


def cache() -> dict[str, Service]:
    made = services({"placement": placement(), "settings": {"engine": "redis", "appendOnly": True, "commander": True}})  # type: ignore[typeddict-item]
    return {s.name: s for s in made}


@pytest.fixture
def server(place: Placed) -> Box:
    return place(cache()["redis"]).healthy()


@pytest.fixture
def page(place: Placed, server: Box) -> Box:
    return place(cache()["redis-commander"], {"redis": f"{server.name}:6379"}, recipe="redis-commander").healthy()


def ask(box: Box, path: str, token: str = "", body: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and body, asked for beside the server."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    options = json.dumps({"method": "GET" if body is None else "POST", "headers": headers, "port": 8081, "path": path})
    script = (
        f"const q = require('http').request({options}, (r) => "
        "{let b = ''; r.on('data', (d) => b += d); r.on('end', () => console.log(r.statusCode + ' ' + b))});"
        f"q.end({json.dumps('' if body is None else json.dumps(body))})"
    )
    status, _, answer = box.ok("node", "-e", script).partition(" ")
    return int(status), answer


def sign_in(box: Box, password: str) -> dict[str, str]:
    status, answer = ask(box, "/signin", body={"username": "admin", "password": password})
    assert status == 200
    found: dict[str, str] = json.loads(answer)
    return found


def test_what_is_in_the_cache_is_for_who_has_its_password(server: Box, page: Box) -> None:
    server.ok("redis-cli", "set", "greeting", "hello there")
    assert ask(page, "/connections")[0] == 401
    assert sign_in(page, "wrong") == {"ok": False}
    token = sign_in(page, PLAIN_PASSWORD)["bearerToken"]
    status, answer = ask(page, "/connections", token)
    assert status == 200
    assert server.name in answer
    assert PLAIN_PASSWORD not in answer
    connection = json.loads(answer)["connections"][0]["conId"]
    status, answer = ask(page, f"/apiv2/key/{connection}/greeting", token)
    assert (status, "hello there" in answer) == (200, True), answer


def test_it_logs_in_at_the_cache(server: Box, page: Box) -> None:
    address = page.ok("hostname", "-i").split()[0]
    # Its page is there before it has logged in.
    wait_for(lambda: f"{address}:" in server.ok("redis-cli", "client", "list"), f"{address} among the cache's clients")
    assert "NOAUTH" not in page.logs()
    assert "WRONGPASS" not in page.logs()


def test_the_password_is_no_argument_and_not_in_the_log(server: Box, page: Box) -> None:
    for box in (server, page):
        running = " ".join(" ".join(row) for row in box.container.top()["Processes"])
        assert PLAIN_PASSWORD not in running
        assert PLAIN_PASSWORD not in box.logs()


def test_the_cache_keeps_each_write_in_its_append_only_file(server: Box) -> None:
    assert server.ok("redis-cli", "config", "get", "appendonly").split() == ["appendonly", "yes"]
    server.ok("redis-cli", "set", "kept", "1")
    server.container.kill("SIGKILL")
    server.container.start()
    server.healthy()
    assert server.ok("redis-cli", "get", "kept") == "1"
