"""The API of the whole stack at its own URL: the real gateway, the real postgres-meta behind it, and stubs that say for whom they stand."""

from dataclasses import dataclass

import pytest

from tests.integration.stack.whole import Whole

pytestmark = [pytest.mark.docker, pytest.mark.engine]

OPEN, KEY, SERVICE, LOGIN = "open", "key", "service role", "login"


@dataclass(frozen=True)
class Route:
    path: str
    service: str
    guard: str


TO_STUBS = (
    Route("/auth/v1/verify?token=x", "auth", OPEN),
    Route("/auth/v1/.well-known/jwks.json", "auth", OPEN),
    Route("/auth/v1/user", "auth", KEY),
    Route("/rest/v1/todos?select=*", "rest", KEY),
    Route("/rest/v1/", "rest", SERVICE),
    Route("/graphql/v1", "rest", KEY),
    Route("/realtime/v1/api/broadcast", "realtime", KEY),
    Route("/realtime/v1/websocket?vsn=1.0.0", "realtime", KEY),
    Route("/storage/v1/object/public/avatars/me.png", "storage", OPEN),
    Route("/storage/v1/s3/", "storage", OPEN),
    Route("/functions/v1/hello", "functions", OPEN),
    Route("/project/default", "studio", LOGIN),
)
to_stubs = pytest.mark.parametrize("route", TO_STUBS, ids=lambda route: route.path)


@to_stubs
def test_a_route_leads_to_the_stub_of_its_own_service(whole_up: Whole, route: Route):
    given = {"auth": whole_up.login} if route.guard == LOGIN else {}
    headers = {} if route.guard == LOGIN else {"apikey": whole_up.outputs["SERVICE_ROLE_KEY"]}
    answer = whole_up.call(route.path, headers, **given)
    assert (answer.status, answer.stub) == (501, route.service)
    assert answer.json["stub"] is True
    assert f"stands for {route.service}" in answer.json["message"]


@to_stubs
def test_without_a_key_or_with_a_wrong_one_nothing_guarded_is_reached(whole_up: Whole, route: Route):
    for headers in ({}, {"apikey": "wrong"}, {"apikey": whole_up.outputs["ANON_KEY"][:-4] + "AAAA"}):
        answer = whole_up.call(route.path, headers)
        # What is open checks by itself, whatever key comes along.
        assert (answer.status, answer.stub) == ((501, route.service) if route.guard == OPEN else (401, None)), headers


@pytest.mark.parametrize("path", ["/rest/v1/", "/pg/tables"])
def test_what_is_the_service_roles_alone_is_refused_to_anon(whole_up: Whole, path: str):
    for key in ("ANON_KEY", "PUBLISHABLE_KEY"):
        assert whole_up.keyed(path, key).status == 403, key
    for key in ("SERVICE_ROLE_KEY", "SECRET_KEY"):
        assert whole_up.keyed(path, key).status in {200, 501}, key


@pytest.mark.parametrize("key", ["ANON_KEY", "SERVICE_ROLE_KEY", "PUBLISHABLE_KEY", "SECRET_KEY"])
def test_each_key_of_the_outputs_is_taken(whole_up: Whole, key: str):
    assert whole_up.keyed("/rest/v1/todos", key).stub == "rest"
    assert whole_up.keyed("/auth/v1/settings", key).stub == "auth"
    assert whole_up.keyed("/realtime/v1/websocket?vsn=1.0.0", key).stub == "realtime"
    # Realtime's clients send it in the query.
    assert whole_up.call(f"/realtime/v1/websocket?apikey={whole_up.outputs[key]}").stub == "realtime"


def test_the_urls_of_the_outputs_lead_to_their_services(whole_up: Whole):
    found = {
        name: whole_up.keyed(whole_up.outputs[name] + below).stub
        for name, below in {
            "REST_URL": "/todos",
            "GRAPHQL_URL": "",
            "FUNCTIONS_URL": "/hello",
            "STORAGE_S3_URL": "/",
        }.items()
    }
    assert found == {"REST_URL": "rest", "GRAPHQL_URL": "rest", "FUNCTIONS_URL": "functions", "STORAGE_S3_URL": "storage"}


@pytest.mark.parametrize("url", ["STUDIO_URL", "API_URL"])
def test_studio_asks_for_its_login_on_either_port(whole_up: Whole, url: str):
    user, password = whole_up.login
    at = whole_up.outputs[url] + "/project/default"
    assert whole_up.call(at, auth=(user, password)).stub == "studio"
    for wrong in (None, (user, "wrong"), ("wrong", password), (user, ""), (user, whole_up.outputs["JWT_SECRET"])):
        answer = whole_up.call(at, auth=wrong)
        assert (answer.status, answer.stub) == (401, None)
    assert whole_up.keyed(at, "SERVICE_ROLE_KEY").status == 401, "a key is no login"


def test_no_key_reaches_the_api_on_studios_port(whole_up: Whole):
    for path in ("/rest/v1/todos", "/pg/tables", "/auth/v1/user"):
        assert whole_up.keyed(whole_up.outputs["STUDIO_URL"] + path, "SERVICE_ROLE_KEY").status == 401, path


@pytest.mark.parametrize(
    ("path", "status"),
    [("/mcp", 403), ("/realtime/v1/api/tenants", 403), ("/analytics/v1/api", 401), ("/rest/v1/%2e%2e%2fpg/tables", 400)],
)
def test_what_is_shut_is_shut_for_every_key(whole_up: Whole, path: str, status: int):
    answer = whole_up.keyed(path, "SERVICE_ROLE_KEY")
    assert (answer.status, answer.stub) == (status, None)


def test_real_rows_come_through_the_real_postgres_meta_from_the_real_database(whole_up: Whole):
    with whole_up.clone.daemon.network(), whole_up.sql() as connection:
        connection.execute("create table public.seen_by_meta (id int primary key, note text)")
        connection.execute("insert into public.seen_by_meta values (1, 'straight from the database')")
    try:
        tables = whole_up.keyed("/pg/tables?included_schemas=public", "SERVICE_ROLE_KEY")
        assert tables.status == 200
        assert tables.stub is None
        assert "seen_by_meta" in {table["name"] for table in tables.json}
        rows = whole_up.keyed(
            "/pg/query", "SECRET_KEY", method="POST", json={"query": "select id, note, current_user from public.seen_by_meta"}
        )
        assert rows.status == 200
        assert rows.json == [{"id": 1, "note": "straight from the database", "current_user": "postgres"}]
    finally:
        with whole_up.clone.daemon.network(), whole_up.sql() as connection:
            connection.execute("drop table public.seen_by_meta")


def test_the_schemas_that_the_services_need_are_in_the_real_database(whole_up: Whole):
    listed = whole_up.keyed("/pg/schemas", "SERVICE_ROLE_KEY").json
    assert {"auth", "storage", "extensions", "public", "_realtime"} <= {schema["name"] for schema in listed}


def test_a_page_from_elsewhere_may_call_the_api_and_not_postgres_meta(whole_up: Whole):
    elsewhere = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}
    asked = whole_up.call("/rest/v1/todos", elsewhere, method="OPTIONS")
    assert asked.status in {200, 204}
    assert asked.headers["access-control-allow-origin"] in {"*", "https://shop.example"}
    assert "access-control-allow-origin" not in whole_up.call("/pg/tables", elsewhere, method="OPTIONS").headers
