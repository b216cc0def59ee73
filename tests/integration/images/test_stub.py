"""The stub: answers health checks, says that it is a stub, and does nothing else."""

from collections.abc import Callable

import pytest

from tests.integration.images.conftest import Dock, as_json

pytestmark = pytest.mark.docker


def test_it_answers_the_health_checks_of_the_services_it_stands_for(dock: Dock, image: Callable[[str], str]) -> None:
    # Ports by environment and by argument; other arguments are the service's own.
    box = dock.box(image("stub"), "start", "--main-service", "/x", "4000", env={"STUB_PORTS": "9999,5000"}).healthy()
    box.ok("wget", "--no-verbose", "--tries=1", "--spider", "http://localhost:9999/health")
    box.ok("wget", "--no-verbose", "--tries=1", "--spider", "http://localhost:5000/status")
    box.ok("curl", "-sSf", "--head", "-o", "/dev/null", "http://localhost:4000/api/tenants/realtime-dev/health")
    box.ok("timeout", "1", "bash", "-c", "</dev/tcp/127.0.0.1/4000")
    for program in (("postgrest", "--ready"), ("kong", "health"), ("node", "-e", "fetch('http://x')"), ("imgproxy", "health")):
        box.ok(*program)


def test_it_answers_everything_else_with_501_and_says_what_it_is(dock: Dock, image: Callable[[str], str]) -> None:
    box = dock.box(image("stub"), env={"STUB_PORTS": "9999", "STUB_SERVICE": "supabase/gotrue"}).healthy()
    for method, path in (("GET", "/"), ("POST", "/token"), ("POST", "/health"), ("GET", "/health/x")):
        answer = box.ok("curl", "-sS", "-i", "-X", method, f"http://localhost:9999{path}")
        head, _, body = answer.replace("\r", "").partition("\n\n")
        assert head.startswith("HTTP/1.1 501 Not Implemented"), (method, path)
        assert "X-Supastack-Stub: supabase/gotrue" in head
        content = as_json(body)
        assert content["stub"] is True
        assert "This is a stub that stands for supabase/gotrue" in content["message"]
    assert "This is a stub that stands for supabase/gotrue" in box.logs()


def test_its_health_paths_can_be_chosen(dock: Dock, image: Callable[[str], str]) -> None:
    box = dock.box(image("stub"), env={"STUB_PORTS": "3000", "STUB_HEALTH": "/alive"}).healthy()
    box.ok("curl", "-fsS", "http://localhost:3000/alive")
    assert box.run("curl", "-fsS", "http://localhost:3000/health")[0] != 0


@pytest.mark.parametrize(("env", "says"), [({}, "set STUB_PORTS"), ({"STUB_PORTS": "0"}, '"0" is no port')])
def test_without_a_port_it_says_so(dock: Dock, image: Callable[[str], str], env: dict[str, str], says: str) -> None:
    box = dock.box(image("stub"), env=env)
    assert box.exit_code() == 1
    assert says in box.logs()


def test_it_runs_without_root_and_stops_when_told(dock: Dock, image: Callable[[str], str]) -> None:
    box = dock.box(image("stub"), "9999").healthy()
    assert box.ok("id", "-u") == "65532"
    box.container.stop(timeout=30)
    assert box.exit_code() == 0
