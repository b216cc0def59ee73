"""Keys, through a real Envoy: which are taken, what contradicts what, and what the services get."""

from urllib.parse import quote

import pytest

from tests.integration.gateway.world import (
    ANON,
    ANON_TOKEN,
    LOGIN,
    PUBLISHABLE,
    SECRET,
    SERVICE,
    SERVICE_TOKEN,
    USERS_TOKEN,
    Gateway,
)

pytestmark = pytest.mark.docker
KEY_ROUTES = ("/auth/v1/user", "/rest/v1/todos", "/graphql/v1", "/realtime/v1/api/broadcast")
INVALID, CONFLICT, NONE = "Invalid API key", "Conflicting API keys", "No API key found in request"
TOKENS = [
    pytest.param(ANON, ANON, id="anon"),
    pytest.param(SERVICE, SERVICE, id="service-role"),
    pytest.param(PUBLISHABLE, ANON_TOKEN, id="publishable"),
    pytest.param(SECRET, SERVICE_TOKEN, id="secret"),
]
each_key = pytest.mark.parametrize(("key", "token"), TOKENS)
each_route = pytest.mark.parametrize("path", KEY_ROUTES)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@each_route
@each_key
def test_the_service_gets_the_token_of_the_key(gateway: Gateway, path: str, key: str, token: str) -> None:
    seen = gateway.call(path, {"apikey": key}).reached
    assert seen.header("authorization") == f"Bearer {token}"
    assert seen.header("apikey") == token


@each_route
@each_key
def test_a_key_may_come_in_the_query_and_does_not_reach_the_service_there(
    gateway: Gateway, path: str, key: str, token: str
) -> None:
    seen = gateway.call(f"{path}?a=1&apikey={quote(key, safe='')}&b=%26").reached
    assert seen.header("authorization") == f"Bearer {token}"
    assert seen.target.endswith("?a=1&b=%26")


def test_a_query_of_the_key_alone_leaves_none(gateway: Gateway) -> None:
    seen = gateway.call(f"/rest/v1/todos?apikey={PUBLISHABLE}").reached
    assert seen.target == "/todos"


@each_route
@each_key
def test_a_users_own_token_is_passed_on(gateway: Gateway, path: str, key: str, token: str) -> None:
    seen = gateway.call(path, {"apikey": key, **bearer(USERS_TOKEN)}).reached
    assert seen.header("authorization") == f"Bearer {USERS_TOKEN}"
    assert seen.header("apikey") == token


@each_route
@each_key
def test_the_key_as_bearer_beside_itself_is_the_key(gateway: Gateway, path: str, key: str, token: str) -> None:
    # What supabase-js sends as long as nobody is signed in.
    seen = gateway.call(path, {"apikey": key, **bearer(key)}).reached
    assert seen.header("authorization") == f"Bearer {token}"


@each_route
def test_a_role_token_as_bearer_counts_beside_another_key(gateway: Gateway, path: str) -> None:
    # A JWT is the caller's own, whosever key came along; the services judge it.
    seen = gateway.call(path, {"apikey": ANON, **bearer(SERVICE)}).reached
    assert seen.header("authorization") == f"Bearer {SERVICE}"


@each_route
def test_the_dashboards_login_that_a_browser_adds_does_not_hide_the_key(gateway: Gateway, path: str) -> None:
    assert gateway.call(path, {"apikey": ANON, **LOGIN}).reached.header("authorization") == f"Bearer {ANON}"


@each_route
@pytest.mark.parametrize(
    ("headers", "query", "why"),
    [
        ([], "", NONE),
        ([("apikey", "")], "", NONE),
        ([], "apikey=", NONE),
        ([("Authorization", f"Bearer {SECRET}")], "", NONE),
        ([("apikey", "unknown")], "", INVALID),
        ([("apikey", f"{ANON}x")], "", INVALID),
        ([("apikey", USERS_TOKEN)], "", INVALID),
        ([("apikey", ANON_TOKEN)], "", INVALID),
        ([("apikey", SERVICE_TOKEN)], "", INVALID),
        ([("apikey", ANON)], "apikey=unknown", INVALID),
        ([("apikey", ANON), ("Authorization", "Bearer sb_secret_unknown")], "", INVALID),
        ([("apikey", ANON)], f"apikey={SECRET}", CONFLICT),
        ([("apikey", PUBLISHABLE)], f"apikey={SECRET}", CONFLICT),
        ([("apikey", ANON), ("apikey", SERVICE)], "", CONFLICT),
        ([], f"apikey={PUBLISHABLE}&apikey={SECRET}", CONFLICT),
        ([], f"apikey={PUBLISHABLE}&%61pikey={SECRET}", CONFLICT),
        ([("apikey", PUBLISHABLE), ("Authorization", f"Bearer {SECRET}")], "", CONFLICT),
        ([("apikey", PUBLISHABLE), ("Authorization", f"bearer  {SECRET}")], "", CONFLICT),
        ([("apikey", SERVICE), ("Authorization", f"Bearer {PUBLISHABLE}")], "", CONFLICT),
        # Envoy makes one of two such headers.
        (
            [("apikey", PUBLISHABLE), ("Authorization", f"Bearer {PUBLISHABLE}"), ("Authorization", f"Bearer {SECRET}")],
            "",
            INVALID,
        ),
    ],
)
def test_no_key_an_unknown_one_and_keys_that_contradict_each_other_are_refused(
    gateway: Gateway, path: str, headers: list[tuple[str, str]], query: str, why: str
) -> None:
    assert gateway.call(f"{path}?{query}", headers).refused(401) == why


def test_an_old_and_a_new_key_of_one_role_agree(gateway: Gateway) -> None:
    seen = gateway.call(f"/rest/v1/todos?apikey={PUBLISHABLE}", {"apikey": ANON}).reached
    assert seen.header("authorization") == f"Bearer {ANON}"


@each_key
def test_realtime_gets_the_token_as_it_looks_for_it(gateway: Gateway, key: str, token: str) -> None:
    seen = gateway.call("/realtime/v1/websocket", {"apikey": key, "x-api-key": "mine"}).reached
    assert seen.header("x-api-key") == token
    assert seen.header("authorization") is None
    seen = gateway.call(f"/realtime/v1/websocket?apikey={quote(key, safe='')}&vsn=1.0.0").reached
    assert seen.header("x-api-key") == token
    assert seen.target == f"/socket/websocket?apikey={quote(token, safe='')}&vsn=1.0.0"


@pytest.mark.parametrize(("key", "status"), [(ANON, 403), (PUBLISHABLE, 403), (SERVICE, 200), (SECRET, 200)])
@pytest.mark.parametrize("path", ["/pg/tables", "/rest/v1/"])
def test_what_is_the_service_roles_is_refused_to_anon(gateway: Gateway, path: str, key: str, status: int) -> None:
    assert gateway.call(path, {"apikey": key}).status == status
    assert gateway.call(f"{path}?apikey={quote(key, safe='')}").status == status


def test_a_second_key_does_not_open_what_the_first_may_not(gateway: Gateway) -> None:
    for headers in ([("apikey", ANON), ("Authorization", f"Bearer {SERVICE}")], [("apikey", ANON), ("x-api-key", SERVICE)]):
        gateway.call("/pg/tables", headers).refused(403)
    gateway.call(f"/pg/tables?apikey={SECRET}", {"apikey": ANON}).refused(401)


# -- storage: asks for no key, and uses one that comes ----------------------------------------------------------------

FILE = "/storage/v1/object/b/a.png"


@each_key
def test_storage_gets_the_token_of_a_key(gateway: Gateway, key: str, token: str) -> None:
    assert gateway.call(FILE, {"apikey": key}).reached.header("authorization") == f"Bearer {token}"
    assert gateway.call(FILE, {"apikey": key, **bearer(key)}).reached.header("authorization") == f"Bearer {token}"
    assert gateway.call(FILE, {"apikey": key, **LOGIN}).reached.header("authorization") == f"Bearer {token}"


def test_storage_gets_what_else_authorizes_as_it_came(gateway: Gateway) -> None:
    signed = "AWS4-HMAC-SHA256 Credential=x/20260101/local/s3/aws4_request, SignedHeaders=host, Signature=abc"
    for given in (f"Bearer {USERS_TOKEN}", f"Bearer {SERVICE}", signed):
        assert gateway.call(FILE, {"Authorization": given}).reached.header("authorization") == given
        assert gateway.call(FILE, {"Authorization": given, "apikey": ANON}).reached.header("authorization") == given


@each_key
def test_a_signature_in_the_query_is_not_hidden_by_a_header(gateway: Gateway, key: str, token: str) -> None:
    del token
    signed = "/storage/v1/s3/b/a.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=abc"
    for headers in ({}, {"Authorization": ""}, LOGIN, {"apikey": key}):
        seen = gateway.call(signed, headers).reached
        assert seen.header("authorization") is None
        assert seen.target.endswith("?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=abc")


@pytest.mark.parametrize("path", [FILE, "/functions/v1/hello"])
def test_an_unknown_sb_key_is_refused_where_no_key_is_asked_for_too(gateway: Gateway, path: str) -> None:
    assert gateway.call(path, {"apikey": "sb_secret_unknown"}).refused(401) == INVALID
    assert gateway.call(path, bearer("sb_publishable_unknown")).refused(401) == INVALID
    assert gateway.call(path, {"apikey": PUBLISHABLE, **bearer(SECRET)}).refused(401) == CONFLICT
    assert gateway.call(path, {"apikey": USERS_TOKEN, **bearer(SECRET)}).refused(401) == CONFLICT


# -- functions: judge by themselves, and are told which sb_ key it was ------------------------------------------------

FUNCTION = "/functions/v1/hello"


@pytest.mark.parametrize(("key", "token"), [(PUBLISHABLE, ANON_TOKEN), (SECRET, SERVICE_TOKEN)])
def test_a_function_is_told_the_token_of_an_sb_key(gateway: Gateway, key: str, token: str) -> None:
    for headers in ({"apikey": key}, bearer(key), {"apikey": key, **bearer(key)}, {"apikey": key, **bearer(USERS_TOKEN)}):
        seen = gateway.call(FUNCTION, {**headers, "sb-api-key": "forged"}).reached
        assert seen.header("sb-api-key") == token
        assert {"apikey": seen.header("apikey"), "authorization": seen.header("authorization")} == {
            "apikey": headers.get("apikey"),
            "authorization": headers.get("Authorization"),
        }


@pytest.mark.parametrize("headers", [{}, {"apikey": ANON}, {"apikey": USERS_TOKEN, **bearer(USERS_TOKEN)}, LOGIN])
def test_a_function_gets_other_tokens_as_they_came_and_no_forged_one(gateway: Gateway, headers: dict[str, str]) -> None:
    seen = gateway.call(f"{FUNCTION}?apikey=mine", {**headers, "sb-api-key": "forged"}).reached
    assert seen.header("sb-api-key") is None
    assert seen.header("authorization") == headers.get("Authorization")
    assert seen.target == "/hello?apikey=mine"


# -- without the new keys ---------------------------------------------------------------------------------------------


def test_without_asymmetric_keys_the_old_ones_work_and_the_new_ones_are_refused(other: Gateway) -> None:
    for path in (*KEY_ROUTES, FILE):
        assert other.call(path, {"apikey": ANON}).reached.header("authorization") == f"Bearer {ANON}"
        for key in (PUBLISHABLE, SECRET, ANON_TOKEN):
            if (path, key) != (FILE, ANON_TOKEN):
                assert other.call(path, {"apikey": key}).refused(401) == INVALID
