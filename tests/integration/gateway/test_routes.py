"""Every route, through a real Envoy: where it leads, and who is let in. What is expected is typed from the contract, section 3."""

from dataclasses import dataclass

import pytest

from components.gateway import routes
from tests.integration.gateway.world import ANON, LOGIN, PASSWORD, SERVICE, USER, Gateway
from tests.unit.gateway.contexts import context

pytestmark = pytest.mark.docker
TENANT_HOST = "realtime-dev.supabase-realtime"
KEYS = {"anon": {"apikey": ANON}, "service role": {"apikey": SERVICE}, "login": LOGIN, "nobody": {}}


@dataclass(frozen=True)
class Case:
    path: str
    upstream: str
    arrives: str
    let_in: tuple[str, ...]
    prefix: str | None = None
    host: str | None = None


ALL = ("anon", "service role", "login", "nobody")
KEY = ("anon", "service role")
CASES = (
    Case("/auth/v1/verify?token=x&type=signup", "auth", "/verify?token=x&type=signup", ALL, "/auth/v1/verify"),
    Case("/auth/v1/callback?code=x", "auth", "/callback?code=x", ALL, "/auth/v1/callback"),
    Case("/auth/v1/authorize?provider=github", "auth", "/authorize?provider=github", ALL, "/auth/v1/authorize"),
    Case("/auth/v1/sso/saml/acs", "auth", "/sso/saml/acs", ALL, "/auth/v1/sso/saml/acs"),
    Case("/auth/v1/sso/saml/metadata", "auth", "/sso/saml/metadata", ALL, "/auth/v1/sso/saml/metadata"),
    Case("/auth/v1/.well-known/jwks.json", "auth", "/.well-known/jwks.json", ALL, "/auth/v1/.well-known/jwks.json"),
    Case(
        "/.well-known/oauth-authorization-server/auth/v1",
        "auth",
        "/.well-known/oauth-authorization-server",
        ALL,
        "/.well-known/oauth-authorization-server/auth/v1",
    ),
    Case("/auth/v1/token?grant_type=password", "auth", "/token?grant_type=password", KEY, "/auth/v1"),
    # Their names begin alike, and they are not open.
    Case("/auth/v1/verify-all", "auth", "/verify-all", KEY, "/auth/v1"),
    Case("/auth/v1/sso", "auth", "/sso", KEY, "/auth/v1"),
    Case("/functions/v1/hello/world?x=1", "functions", "/hello/world?x=1", ALL, "/functions/v1"),
    Case("/storage/v1/object/public/b/a.png", "storage", "/object/public/b/a.png", ALL, "/storage/v1"),
    Case("/storage/v1/upload/resumable", "storage", "/upload/resumable", ALL, "/storage/v1"),
    Case("/rest/v1/", "rest", "/", ("service role",), "/rest/v1"),
    Case("/rest/v1/?x=1", "rest", "/?x=1", ("service role",), "/rest/v1"),
    Case("/rest/v1/todos?select=*", "rest", "/todos?select=*", KEY, "/rest/v1"),
    Case("/graphql/v1", "rest", "/rpc/graphql", KEY, "/graphql/v1"),
    Case("/realtime/v1/api/broadcast", "realtime", "/api/broadcast", KEY, "/realtime/v1/api", TENANT_HOST),
    Case("/realtime/v1/websocket?vsn=1.0.0", "realtime", "/socket/websocket?vsn=1.0.0", KEY, "/realtime/v1", TENANT_HOST),
    Case("/pg/tables", "meta", "/tables", ("service role",), "/pg"),
    Case("/", "studio", "/", ("login",)),
    Case("/project/default", "studio", "/project/default", ("login",)),
    # Without its slash it is no route of the API, as upstream.
    Case("/rest/v1", "studio", "/rest/v1", ("login",)),
)
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)


@each
@pytest.mark.parametrize("who", ALL)
def test_a_route_leads_where_the_contract_says_and_lets_in_whom_it_says(gateway: Gateway, case: Case, who: str) -> None:
    answer = gateway.call(case.path, {"Host": "api.example", **KEYS[who]})
    if who not in case.let_in:
        answer.refused(403 if who == "anon" and "service role" in case.let_in else 401)
        return
    seen = answer.reached
    assert (seen.upstream, seen.target) == (case.upstream, case.arrives)
    assert seen.header("x-forwarded-prefix") == case.prefix
    assert seen.header("host") == (case.host or "api.example")
    assert seen.header("x-forwarded-host") == "api.example"


@pytest.mark.parametrize("case", [case for case in CASES if case.let_in != ALL], ids=lambda case: case.path)
def test_a_wrong_key_and_a_wrong_login_are_refused_wherever_one_is_needed(gateway: Gateway, case: Case) -> None:
    for headers in (
        {"apikey": ANON[:-1]},
        {"apikey": f"{SERVICE} "[::-1]},
        {"apikey": "sb_secret_unknown"},
        {"Authorization": f"Bearer {SERVICE}"},
        {"Authorization": "Basic c3VwYWJhc2U6d3Jvbmc="},
        {"Authorization": "Basic bm9ib2R5OnBhc3M="},
    ):
        gateway.call(case.path, headers).refused(401)


@pytest.mark.parametrize(
    "path",
    [
        "/realtime/v1/api/openapi",
        "/realtime/v1/api/tenants",
        "/realtime/v1/api/tenants/x",
        "/mcp",
        "/mcp/x",
        "/api/mcp",
        "/api/mcp/x",
    ],
)
@pytest.mark.parametrize("who", ALL)
def test_what_is_closed_is_closed_to_everybody(gateway: Gateway, path: str, who: str) -> None:
    assert gateway.call(path, KEYS[who]).refused(403) == "Access is forbidden."


@pytest.mark.parametrize(
    "path",
    [
        "/realtime/v1//api/tenants",
        "/realtime/v1/api/./tenants",
        "/realtime/v1/api/x/../tenants",
        "/realtime/v1/api/%74enants",
        "/realtime/v1/x/%2e%2e/api/tenants",
        "/realtime/v1\\api\\tenants",
    ],
)
def test_a_closed_path_that_is_written_otherwise_is_closed_too(gateway: Gateway, path: str) -> None:
    gateway.call(path, KEYS["service role"]).refused(403)


@pytest.mark.parametrize("path", ["/rest/v1//", "/rest/v1/.", "/rest/v1/x/..", "/rest/v1/%2e"])
def test_the_root_of_the_rest_api_that_is_written_otherwise_is_closed_too(gateway: Gateway, path: str) -> None:
    gateway.call(path, KEYS["anon"]).refused(403)


def test_every_row_of_the_table_is_met_by_these_paths(gateway: Gateway) -> None:
    del gateway
    table = routes.table(context())
    paths = [case.path.partition("?")[0] for case in CASES]
    paths += ["/realtime/v1/api/openapi", "/realtime/v1/api/tenants", "/mcp", "/api/mcp", "/auth/v1/a%2Fb"]
    assert {route.name for route in table} == {found.name for path in paths if (found := routes.find(table, path))}


def test_studio_on_its_own_port_asks_for_the_login_too(gateway: Gateway) -> None:
    studio = 8100
    seen = gateway.call("/project/default", LOGIN, port=studio).reached
    assert (seen.upstream, seen.path) == ("studio", "/project/default")
    for headers in (KEYS["anon"], KEYS["service role"], {}, {"Authorization": f"Basic {USER}:{PASSWORD}"}):
        answer = gateway.call("/", headers, port=studio)
        answer.refused(401)
        assert answer.headers["www-authenticate"].startswith("Basic ")
    gateway.call("/api/mcp", LOGIN, port=studio).refused(403)
    # The API is not there: Studio's port is Studio's.
    assert gateway.call("/rest/v1/todos", {**LOGIN, "apikey": SERVICE}, port=studio).reached.upstream == "studio"


def test_studio_never_sees_the_login(gateway: Gateway) -> None:
    for port in (8000, 8100):
        assert gateway.call("/", LOGIN, port=port).reached.header("authorization") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_passed_on(gateway: Gateway, method: str) -> None:
    body = b"x" if method in ("POST", "PUT", "PATCH") else None
    assert gateway.call("/rest/v1/todos", KEYS["anon"], method=method, body=body).reached.method == method
