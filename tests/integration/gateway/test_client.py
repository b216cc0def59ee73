"""A real client through a real Envoy: supabase-py, with the new keys, to recording upstreams."""

import json
import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest
import supabase

from tests.integration.gateway.conftest import Certificate
from tests.integration.gateway.world import ANON, ANON_TOKEN, PUBLISHABLE, SECRET, SERVICE_TOKEN, TEST_ID, Gateway, Seen

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore::DeprecationWarning:supabase")]
ACCESS_TOKEN = "eyJ.of-a-user.x"
SESSION = {
    "access_token": ACCESS_TOKEN,
    "token_type": "bearer",
    "expires_in": 3600,
    "refresh_token": "refresh",
    "user": {
        "id": str(uuid.uuid4()),
        "aud": "authenticated",
        "app_metadata": {},
        "user_metadata": {},
        "created_at": "2026-01-01T00:00:00Z",
    },
}


@pytest.fixture
def connect(gateway: Gateway) -> Iterator[Callable[[str], tuple[supabase.Client, Callable[[], Seen]]]]:
    """A client with a key, and what reached an upstream last."""
    gateway.recorder.answers.update({"rest": [], "auth": SESSION, "storage": {"Key": "b/a", "Id": "1"}})

    def made(key: str) -> tuple[supabase.Client, Callable[[], Seen]]:
        mark = uuid.uuid4().hex
        options = supabase.ClientOptions(headers={TEST_ID: mark})
        client = supabase.create_client(f"http://{gateway.host}:8000", key, options=options)
        return client, lambda: gateway.recorder.seen[mark][-1]

    with gateway.network():
        yield made
    gateway.recorder.answers.clear()


@pytest.mark.parametrize(("key", "token"), [(PUBLISHABLE, ANON_TOKEN), (SECRET, SERVICE_TOKEN)])
def test_path_key_and_role_of_a_client_arrive(connect, key: str, token: str) -> None:
    client, last = connect(key)

    client.table("todos").select("id,title").eq("id", 1).execute()
    assert (last().upstream, last().method, last().target) == ("rest", "GET", "/todos?select=id%2Ctitle&id=eq.1")
    assert (last().header("apikey"), last().header("authorization")) == (token, f"Bearer {token}")

    client.rpc("add", {"a": 1}).execute()
    assert (last().upstream, last().method, last().target) == ("rest", "POST", "/rpc/add")

    client.storage.from_("b").upload("folder/a b.png", b"content", {"content-type": "image/png"})
    assert (last().upstream, last().method, last().path) == ("storage", "POST", "/object/b/folder/a%20b.png")
    assert last().header("authorization") == f"Bearer {token}"

    client.functions.invoke("hello", invoke_options={"body": {"x": 1}})
    assert (last().upstream, last().method, last().target) == ("functions", "POST", "/hello")
    assert last().header("sb-api-key") == token


def test_a_user_who_signed_in_comes_with_the_own_token_beside_the_key(connect) -> None:
    client, last = connect(PUBLISHABLE)
    client.auth.sign_in_with_password({"email": "a@example.com", "password": "long-enough"})
    assert (last().upstream, last().target) == ("auth", "/token?grant_type=password")
    assert last().header("authorization") == f"Bearer {ANON_TOKEN}"

    client.table("todos").select("*").execute()
    assert (last().header("apikey"), last().header("authorization")) == (ANON_TOKEN, f"Bearer {ACCESS_TOKEN}")

    client.functions.invoke("hello")
    assert (last().header("sb-api-key"), last().header("authorization")) == (ANON_TOKEN, f"Bearer {ACCESS_TOKEN}")


def test_a_client_with_a_key_that_is_not_the_stacks_is_told(connect) -> None:
    client, _ = connect("sb_publishable_of-another-stack_12345678")
    with pytest.raises(supabase.PostgrestAPIError) as refused:
        client.table("todos").select("*").execute()
    assert "Invalid API key" in json.dumps(refused.value.json())


def test_http_2_is_spoken_over_https(gateway: Gateway, certificate: Certificate) -> None:
    mark = uuid.uuid4().hex
    with gateway.network(), httpx.Client(http2=True, verify=certificate.trusted()) as client:
        answer = client.get(f"https://{gateway.host}:8443/rest/v1/todos", headers={"apikey": ANON, TEST_ID: mark})
    assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
    assert gateway.recorder.seen[mark][0].target == "/todos"
