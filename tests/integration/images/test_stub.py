"""The stub: answers health checks, says that it is a stub, and does nothing else."""

from collections.abc import Callable

import pytest

from tests.integration.images.conftest import Box, Dock, as_json

pytestmark = pytest.mark.docker


NODE_CHECK = "fetch('http://localhost:3000/api/platform/profile').then((r) => {if (r.status !== 200) throw new Error(r.status)})"
WGET = ("wget", "--no-verbose", "--tries=1", "--spider")
CURL = ("curl", "-sSfL", "--head", "-o", "/dev/null")
SERVICES = {
    # Service: name on the network, ports, its command, its health command as upstream's compose files have it.
    "auth": ((9999,), (), (*WGET, "http://localhost:9999/health")),
    "rest": ((3000, 3001), (), ("postgrest", "--ready")),
    "realtime": (
        (4000,),
        (),
        ("sh", "-c", f'{" ".join(CURL)} -H "Authorization: Bearer X" http://localhost:4000/api/tenants/realtime-dev/health'),
    ),
    "storage": ((5000,), (), (*WGET, "http://storage:5000/status")),
    "imgproxy": ((5001,), (), ("imgproxy", "health")),
    "functions": (
        (9000,),
        ("start", "--user-worker-request-idle-timeout", "150000", "--main-service", "/home/deno/functions/main"),
        ("sh", "-c", "timeout 1 bash -c '</dev/tcp/127.0.0.1/9000'"),
    ),
    "studio": ((3000,), (), ("sh", "-c", f'node -e "{NODE_CHECK}"')),
    "pooler": (
        (5432, 6543, 4000),
        ("sh", "-c", '/app/bin/migrate && /app/bin/supavisor eval "$(cat /etc/pooler/pooler.exs)" && /app/bin/server'),
        (*CURL, "http://127.0.0.1:4000/api/health"),
    ),
    "analytics": ((4000,), (), ("sh", "-c", "curl -sSfL -o /dev/null http://localhost:4000/health")),
    "vector": ((9001,), ("--config", "/etc/vector/vector.yml"), ("sh", "-c", f"{' '.join(WGET)} http://vector:9001/health")),
    "kong": ((8000, 8443), ("kong", "docker-start"), ("kong", "health")),
    "gateway": ((8000,), (), ("sh", "-c", "timeout 1 bash -c '</dev/tcp/127.0.0.1/8000'")),
}


def start(dock: Dock, reference: str, service: str, **env: str) -> Box:
    """A stub, started as the target starts it, but with the service's own command, under the service's name."""
    ports, command, health = SERVICES[service]
    given = {"STUB_PORTS": ",".join(map(str, ports)), "STUB_SERVICE": service, **env}
    # Named by the hosts file, as one network has many tests' containers.
    return dock.box(reference, *command, env=given, health=health, entrypoint=["stub"], extra_hosts={service: "127.0.0.1"})


@pytest.mark.parametrize("service", SERVICES)
def test_it_passes_the_health_check_of_each_service_that_it_stands_for(
    dock: Dock, image: Callable[[str], str], service: str
) -> None:
    start(dock, image("stub"), service).healthy()


@pytest.mark.parametrize("service", SERVICES)
def test_no_health_check_passes_while_nothing_listens(dock: Dock, image: Callable[[str], str], service: str) -> None:
    box = start(dock, image("stub"), service, STUB_DELAY="3600")
    health = SERVICES[service][2]
    assert box.run(*health)[0] != 0


def test_ports_come_by_environment_and_by_argument_and_other_arguments_are_ignored(
    dock: Dock, image: Callable[[str], str]
) -> None:
    arguments = ("start", "--idle-timeout", "150000", "--limit", "99999", "-1", "0", "", "4000", "9999")
    box = dock.box(image("stub"), *arguments, env={"STUB_PORTS": "9999,5000"}).healthy()
    assert "health checks on port 9999, 5000, 4000," in box.logs()
    for port in ("9999", "5000", "4000"):
        box.ok("curl", "-fsS", f"http://localhost:{port}/health")


def test_a_health_command_that_names_an_address_asks_that_one(dock: Dock, image: Callable[[str], str]) -> None:
    box = dock.box(image("stub"), "3000").healthy()
    box.ok("node", "-e", NODE_CHECK)
    assert box.run("node", "-e", NODE_CHECK.replace("3000", "3999"))[0] != 0
    assert box.run("node", "-e", NODE_CHECK.replace("profile", "other"))[0] != 0


def test_with_a_delay_it_is_not_there_at_first_and_then_it_is(dock: Dock, image: Callable[[str], str]) -> None:
    box = dock.box(image("stub"), env={"STUB_PORTS": "9999", "STUB_DELAY": "15"})
    assert box.run("bash", "-c", "</dev/tcp/127.0.0.1/9999")[0] != 0
    box.healthy()
    box.ok("curl", "-fsS", "http://localhost:9999/health")


def test_it_stops_when_told_during_its_delay(dock: Dock, image: Callable[[str], str]) -> None:
    box = dock.box(image("stub"), "9999", env={"STUB_DELAY": "3600"})
    box.container.stop(timeout=30)
    assert box.exit_code() == 0


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


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({}, "set STUB_PORTS"),
        ({"STUB_PORTS": "0"}, '"0" is no port'),
        ({"STUB_PORTS": "80", "STUB_DELAY": "soon"}, 'STUB_DELAY: "soon" is no number of seconds'),
        ({"STUB_PORTS": "80", "STUB_DELAY": "-1"}, 'STUB_DELAY: "-1" is no number of seconds'),
    ],
)
def test_without_a_port_or_with_a_wrong_setting_it_says_so(
    dock: Dock, image: Callable[[str], str], env: dict[str, str], says: str
) -> None:
    box = dock.box(image("stub"), env=env)
    assert box.exit_code() == 1
    assert says in box.logs()


def test_it_runs_without_root_and_stops_when_told(dock: Dock, image: Callable[[str], str]) -> None:
    box = dock.box(image("stub"), "9999").healthy()
    assert box.ok("id", "-u") == "65532"
    box.container.stop(timeout=30)
    assert box.exit_code() == 0
