"""What is not a matter of keys: paths, headers, CORS, WebSockets, large bodies, https, services that are away, and what is logged."""

import contextlib
import http.client
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.gateway import routes
from components.services import secret_names as names
from tests.integration.gateway import world
from tests.integration.gateway.conftest import Certificate
from tests.integration.gateway.world import ANON, LOGIN, PASSWORD, PUBLISHABLE, SECRET, SECRETS, SERVICE, TEST_ID, Gateway
from tests.integration.images.conftest import Box, Dock, wait_for

pytestmark = pytest.mark.docker
KEY = {"apikey": ANON}
LARGE = world.LARGE


# -- paths and headers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/rest/v1/a%2Fb", "/auth/v1/verify%2f..%2fadmin", "/realtime/v1/api%5Ctenants", "/pg/a%2fb", "/api%2Fmcp", "/%2F"]
)
def test_an_encoded_slash_is_refused_where_rules_look_at_paths(gateway: Gateway, path: str) -> None:
    headers = {"apikey": SERVICE, **LOGIN}
    assert gateway.call(path, headers).refused(400) == "a slash is percent-encoded"
    assert gateway.call(path, headers, port=8100).refused(400)


@pytest.mark.parametrize("path", ["/storage/v1/object/b/a%2Fb%5Cc.png", "/functions/v1/hello/a%2Fb"])
def test_an_encoded_slash_reaches_storage_and_functions_as_it_is(gateway: Gateway, path: str) -> None:
    assert gateway.call(path).reached.path == "/" + path.split("/", 3)[3]


def test_an_encoded_slash_in_the_query_is_fine(gateway: Gateway) -> None:
    target = "/authorize?redirect_to=http%3A%2F%2Flocalhost%3A3000%2F"
    assert gateway.call(f"/auth/v1{target}").reached.target == target


def test_the_path_of_an_object_arrives_as_it_was_signed(gateway: Gateway) -> None:
    # S3 clients encode all but the unreserved characters, and storage checks the signature over the path as it comes.
    path = "/s3/b/a%20b/%28c%29%27%21%2A%2B%3D%40%3A%2C%24%26%3B~-_.%C3%A4%23%3F"
    assert gateway.call(f"/storage/v1{path}").reached.path == path


def test_a_header_with_an_underscore_is_refused(gateway: Gateway) -> None:
    answer = gateway.call("/functions/v1/hello", {"x_custom": "1"})
    assert (answer.status, answer.seen) == (400, [])
    assert gateway.call("/functions/v1/hello", {"x-custom": "a_b"}).reached.header("x-custom") == "a_b"


def test_a_caller_can_not_steer_the_gateway_by_headers(gateway: Gateway) -> None:
    forged = {
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-retry-on": "5xx",
        "x-envoy-original-path": "/forged",
        "x-envoy-internal": "true",
    }
    seen = gateway.call("/rest/v1/todos", {**KEY, **forged}).reached
    assert seen.header("x-envoy-original-path") == "/rest/v1/todos"
    for name in ("x-envoy-upstream-rq-timeout-ms", "x-envoy-retry-on", "x-envoy-internal"):
        assert seen.header(name) is None


def test_graphql_is_a_call_in_its_own_schema(gateway: Gateway) -> None:
    assert gateway.call("/graphql/v1", KEY, method="POST", body=b"{}").reached.header("content-profile") == "graphql_public"
    assert gateway.call("/rest/v1/todos", KEY).reached.header("content-profile") is None


def test_no_port_of_the_containers_is_told_to_services(gateway: Gateway) -> None:
    # Storage would build URLs and check signatures with it.
    assert gateway.call("/storage/v1/upload/resumable").reached.header("x-forwarded-port") is None


def test_a_proxy_before_it_is_believed_about_the_host(gateway: Gateway) -> None:
    seen = gateway.call(
        "/storage/v1/x", {"X-Forwarded-Host": "api.example.com", "X-Forwarded-Prefix": "/base/storage/v1"}
    ).reached
    assert seen.header("x-forwarded-host") == "api.example.com"
    assert seen.header("x-forwarded-prefix") == "/base/storage/v1"


# -- CORS -------------------------------------------------------------------------------------------------------------


def preflight(gateway: Gateway, path: str, origin: str) -> Any:
    wanted = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,apikey,x-own",
    }
    return gateway.call(path, wanted, method="OPTIONS")


@pytest.mark.parametrize(
    "path", ["/auth/v1/verify", "/auth/v1/token", "/rest/v1/t", "/storage/v1/b", "/functions/v1/f", "/graphql/v1"]
)
def test_a_page_of_any_origin_may_ask_first_without_a_key(gateway: Gateway, path: str) -> None:
    answer = preflight(gateway, path, "https://app.example")
    assert (answer.status, answer.seen) == (200, [])
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-methods"] == "PATCH"
    # A star would not do: it does not stand for Authorization.
    assert answer.headers["access-control-allow-headers"] == "authorization,apikey,x-own"
    assert answer.headers["access-control-allow-credentials"] is None


def test_a_page_reads_answers_and_refusals(gateway: Gateway) -> None:
    for headers, status in ((KEY, 200), ({}, 401), ({"apikey": "unknown"}, 401)):
        answer = gateway.call("/rest/v1/todos", {**headers, "Origin": "https://app.example"})
        assert answer.status == status
        # The service's own header is replaced, not doubled.
        assert answer.headers.get_all("access-control-allow-origin") == ["https://app.example"]
        assert answer.headers["access-control-expose-headers"] == "*"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:54321", True),
        ("http://localhost:3000", True),
        ("https://localhost", True),
        ("http://[::1]:3000", True),
        ("https://app.example", False),
        ("http://localhost.evil.example", False),
        ("http://evil.example/http://localhost", False),
    ],
)
def test_the_database_api_is_for_pages_of_this_machine(gateway: Gateway, origin: str, allowed: bool) -> None:
    answer = preflight(gateway, "/pg/tables", origin)
    assert (answer.status == 200, answer.headers["access-control-allow-origin"]) == (allowed, origin if allowed else None)


def test_the_database_api_is_for_pages_of_the_public_url(other: Gateway) -> None:
    for origin in ("https://api.example.com", "http://127.0.0.1:54323"):
        assert preflight(other, "/pg/tables", origin).headers["access-control-allow-origin"] == origin
    assert preflight(other, "/pg/tables", "https://api.example.com:8443").status == 401


# -- WebSockets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [f"/realtime/v1/websocket?apikey={PUBLISHABLE}&vsn=1.0.0", "/functions/v1/chat"])
def test_a_websocket_goes_both_ways(gateway: Gateway, path: str) -> None:
    status, back, seen = gateway.upgrade(path, {})
    assert (status, back) == (b"HTTP/1.1 101 Switching Protocols", b"HELLO\n")
    assert len(seen) == 1


def test_a_websocket_without_a_key_and_one_to_another_service_are_refused(gateway: Gateway) -> None:
    assert gateway.upgrade("/realtime/v1/websocket", {})[0].startswith(b"HTTP/1.1 401")
    status, _, seen = gateway.upgrade("/rest/v1/todos", KEY)
    assert (status[:12], seen) == (b"HTTP/1.1 403", [])


# -- large bodies -----------------------------------------------------------------------------------------------------


def test_an_upload_is_passed_on_while_it_still_comes(gateway: Gateway) -> None:
    gateway.recorder.first_bytes.clear()
    with contextlib.closing(gateway.connection()) as connection:
        connection.putrequest("POST", "/storage/v1/object/b/large.bin")
        connection.putheader("Content-Length", str(LARGE))
        connection.putheader(TEST_ID, "large-upload")
        connection.endheaders()
        connection.send(bytes(2**20))
        # Nobody waits for the whole: the service has the beginning before the rest is sent.
        assert gateway.recorder.first_bytes.wait(60)
        for _ in range(LARGE // 2**20 - 1):
            connection.send(bytes(2**20))
        assert connection.getresponse().status == 200
    (seen,) = gateway.recorder.seen["large-upload"]
    assert seen.body == LARGE


def test_a_download_that_is_larger_than_the_gateways_memory_arrives_whole(gateway: Gateway) -> None:
    answer = gateway.call("/storage/v1/object/b/large.bin")
    assert (answer.status, len(answer.body)) == (200, LARGE)


def test_an_upload_of_unknown_length_arrives(gateway: Gateway) -> None:
    with contextlib.closing(gateway.connection()) as connection:
        connection.request(
            "PATCH", "/storage/v1/upload/resumable/x", iter([b"a" * 70000, b"b"]), {TEST_ID: "chunked"}, encode_chunked=True
        )
        assert connection.getresponse().status == 200
    assert gateway.recorder.seen["chunked"][0].body == 70001


# -- https ------------------------------------------------------------------------------------------------------------


def test_the_api_is_served_by_https_with_the_given_certificate(gateway: Gateway, certificate: Certificate) -> None:
    trusted = certificate.trusted()
    seen = gateway.call("/rest/v1/todos", KEY, port=8443, tls=trusted).reached
    assert (seen.upstream, seen.header("x-forwarded-proto")) == ("rest", "https")
    gateway.call("/rest/v1/todos", port=8443, tls=trusted).refused(401)
    gateway.call("/", port=8443, tls=trusted).refused(401)
    assert gateway.call("/", LOGIN, port=8443, tls=trusted).reached.upstream == "studio"
    with pytest.raises(ssl.SSLCertVerificationError):
        gateway.connection(8443, tls=ssl.create_default_context())


def test_without_a_certificate_there_is_no_https(other: Gateway) -> None:
    with pytest.raises(ConnectionRefusedError):
        other.connection(8443)


# -- services that are away -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def alone(start: Callable[..., Gateway]) -> Gateway:
    """A gateway whose auth's name is not known, and whose realtime does not listen."""
    from components.services.gateway import HTTP_PORT

    return start(elsewhere={"auth": ("auth.nowhere.invalid", 9999), "realtime": ("127.0.0.1", HTTP_PORT + 1)})


def test_it_is_healthy_and_serves_the_others_while_services_are_away(alone: Gateway) -> None:
    # Started and healthy: the fixture waits for that.
    assert alone.call("/rest/v1/todos", KEY).reached.upstream == "rest"
    for path in ("/auth/v1/user", "/realtime/v1/api/broadcast"):
        alone.call(path, KEY).refused(503)
        # A missing service is told only to those whom it would have served.
        alone.call(path).refused(401)
    assert alone.call("/rest/v1/todos", KEY).reached.upstream == "rest"


def test_a_service_is_found_by_its_name_and_again_when_it_comes_back_elsewhere(
    start: Callable[..., Gateway], place: Dock, image: Callable[[str], str]
) -> None:
    def stub() -> Box:
        return place.box(image("stub"), env={"STUB_PORTS": "3000", "STUB_SERVICE": "rest"})

    rest = stub()
    before = world.address(rest)
    gateway = start(elsewhere={"rest": (rest.name, 3000)})
    assert gateway.call("/rest/v1/todos", KEY).status == 501
    rest.container.stop(timeout=10)
    # Takes the address that became free.
    stub()
    rest.container.start()
    assert world.address(rest) != before
    wait_for(lambda: gateway.call("/rest/v1/todos", KEY).status == 501, "the service at its new address")


def test_a_service_that_ends_the_connection_costs_one_502_or_503_and_no_more(gateway: Gateway) -> None:
    answer = gateway.call("/rest/v1/drop", KEY, method="POST", body=b"x")
    assert answer.status in (502, 503)
    # Not sent again: the service may have done it already.
    assert len(answer.seen) == 1
    assert gateway.call("/rest/v1/todos", KEY).reached.upstream == "rest"


def test_a_service_that_is_not_part_of_the_stack_is_said_to_be_none(other: Gateway) -> None:
    for headers in ({}, KEY, LOGIN):
        assert other.call("/functions/v1/hello", headers).refused(404) == "functions is not part of this stack"


# -- services that take long ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def impatient(start: Callable[..., Gateway]) -> Gateway:
    """A gateway with the table's times cut down: silence of 2 s ends a request, and functions have 3 s altogether."""
    whole = routes.table
    with pytest.MonkeyPatch.context() as patch:
        short = {None: None, 410: 3}
        patch.setattr(routes, "table", lambda c: tuple(replace(r, idle=2, timeout=short[r.timeout]) for r in whole(c)))
        return start()


def test_a_service_that_says_nothing_ends_the_request(impatient: Gateway) -> None:
    answer = impatient.call("/rest/v1/silent", KEY)
    assert (answer.status, len(answer.seen)) == (504, 1)


def test_an_answer_is_not_cut_as_long_as_it_comes(impatient: Gateway) -> None:
    # 4 s altogether.
    assert impatient.call("/storage/v1/talks").body == b"x\n" * 8


def test_a_function_has_an_end(impatient: Gateway) -> None:
    with pytest.raises(http.client.IncompleteRead):
        impatient.call("/functions/v1/talks")
    assert impatient.call("/functions/v1/silent").status == 504


# -- by settings ------------------------------------------------------------------------------------------------------


def test_mcp_that_is_let_through_needs_the_service_role(other: Gateway) -> None:
    seen = other.call("/mcp?features=docs", {"apikey": SERVICE}, method="POST", body=b"{}").reached
    assert (seen.upstream, seen.target) == ("studio", "/api/mcp?features=docs")
    other.call("/mcp", KEY).refused(403)
    other.call("/mcp", LOGIN).refused(401)
    other.call("/api/mcp", {"apikey": SERVICE}).refused(401)
    assert other.call("/api/mcp", LOGIN).reached.target == "/api/mcp"


def test_analytics_that_is_let_through_needs_the_login(other: Gateway, gateway: Gateway) -> None:
    seen = other.call("/analytics/v1/api/endpoints/query/x?a=1", {**LOGIN, "x-api-key": "logflares"}).reached
    assert (seen.upstream, seen.target) == ("analytics", "/api/endpoints/query/x?a=1")
    assert (seen.header("authorization"), seen.header("x-api-key")) == (None, "logflares")
    other.call("/analytics/v1/x", {"apikey": SERVICE}).refused(401)
    # Else it is no route, and Studio's.
    assert gateway.call("/analytics/v1/x", LOGIN).reached.upstream == "studio"


# -- the container ----------------------------------------------------------------------------------------------------


def test_the_health_check_asks_for_an_answer(gateway: Gateway) -> None:
    assert gateway.box.health() == "healthy"
    (command,) = {tuple(gateway.box.container.attrs["Config"]["Healthcheck"]["Test"][1:])}
    assert gateway.box.run(*command)[0] == 0
    # Port 1 is closed, 8100 answers 401 there: neither is health.
    for port in ("1", "8100"):
        assert gateway.box.run(*(word.replace("/8000", f"/{port}") for word in command))[0] != 0


def test_it_runs_as_its_own_user_and_knows_no_secret_by_environment_or_argument(gateway: Gateway) -> None:
    assert gateway.box.ok("stat", "-c", "%U", "/proc/1") == "envoy"
    told = str(gateway.box.container.attrs["Config"]) + gateway.box.ok("cat", "/proc/1/cmdline")
    for name, value in SECRETS.items():
        assert value not in told, name
    assert "admin" not in gateway.box.ok("cat", "/etc/envoy/envoy.yaml")


def test_what_it_logs_tells_the_request_and_no_secret(gateway: Gateway) -> None:
    gateway.call(f"/rest/v1/logged?apikey={SECRET}&select=*", {"Referer": f"http://x/?token={SECRET}", "User-Agent": "tests/1"})
    gateway.call("/auth/v1/verify?token=of-a-mail")
    gateway.call("/", LOGIN)
    gateway.call("/gateway/health")
    line = r'"GET /rest/v1/logged HTTP/1.1" 200'
    wait_for(lambda: line in gateway.box.logs(), "the line")
    logged = gateway.box.logs()
    assert f'{line} 31 "-" "tests/1"' in logged
    for name, value in {**SECRETS, "mail": "of-a-mail", "password": PASSWORD, "login": LOGIN["Authorization"]}.items():
        assert value not in logged, name
    assert "/gateway/health" not in logged
    # Warnings and errors come there too.
    assert "[warning]" not in logged
    assert "script log" not in logged
    assert "[error]" not in logged


def test_its_memory_limit_is_enough_for_many_at_once(gateway: Gateway) -> None:
    done = []

    def load() -> None:
        with contextlib.suppress(http.client.HTTPException, OSError):
            done.append(len(gateway.call("/storage/v1/object/b/large.bin").body))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [LARGE] * 4
    stats = gateway.box.container.stats(stream=False)["memory_stats"]
    used = stats["usage"] - stats["stats"].get("total_inactive_file", stats["stats"].get("inactive_file", 0))
    assert used < stats["limit"] * 3 // 4
    gateway.box.container.reload()
    assert gateway.box.container.attrs["RestartCount"] == 0


def test_a_secret_of_any_form_leaves_the_configuration_whole(gateway: Gateway) -> None:
    parsed = json.loads(gateway.box.ok("cat", "/etc/envoy/envoy.yaml"))
    listeners = {one["name"]: json.dumps(one) for one in parsed["static_resources"]["listeners"]}
    assert set(listeners) == {"api", "api-tls", "studio"}
    for name in (names.ANON_KEY, names.SERVICE_ROLE_KEY, names.SECRET_KEY):
        held = {listener for listener, text in listeners.items() if json.dumps(SECRETS[name]) in text}
        # Studio's port lets nobody in by a key, so it need not know any.
        assert held == {"api", "api-tls"}
