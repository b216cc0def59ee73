"""supabase-py with each of a stack's four keys, as the stack makes them, through a real Envoy to recording upstreams.

What it says to the upstreams, and what sb_ keys become, `tests/integration/gateway/test_client.py` holds with keys that are marks. Here
the keys are real ones, and the token that arrives is verified as the service behind would do it.
"""

import json
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import jwt
import pytest
import supabase

from components import keys
from components.services import secret_names as names
from tests.integration.gateway.world import TEST_ID, Gateway, Seen

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore::DeprecationWarning:supabase")]

JWT_SECRET = "of-the-tests-with-at-least-32-characters-long"
SIGNING_KEY = keys.signing_key("of-the-tests")
_CLAIMS = {role: keys.claims(role, date(2026, 1, 1), date(2036, 1, 1)) for role in (keys.ANON, keys.SERVICE_ROLE)}
SECRETS = {
    names.ANON_KEY: keys.shared_token(JWT_SECRET, _CLAIMS[keys.ANON]),
    names.SERVICE_ROLE_KEY: keys.shared_token(JWT_SECRET, _CLAIMS[keys.SERVICE_ROLE]),
    names.ANON_KEY_ASYMMETRIC: keys.signed_token(SIGNING_KEY, _CLAIMS[keys.ANON]),
    names.SERVICE_ROLE_KEY_ASYMMETRIC: keys.signed_token(SIGNING_KEY, _CLAIMS[keys.SERVICE_ROLE]),
    names.PUBLISHABLE_KEY: keys.opaque_key(keys.PUBLISHABLE_PREFIX, "a" * keys.OPAQUE_RANDOM),
    names.SECRET_KEY: keys.opaque_key(keys.SECRET_PREFIX, "b" * keys.OPAQUE_RANDOM),
}
KEYS = [
    pytest.param(names.ANON_KEY, keys.ANON, "HS256", id="anon"),
    pytest.param(names.SERVICE_ROLE_KEY, keys.SERVICE_ROLE, "HS256", id="service-role"),
    pytest.param(names.PUBLISHABLE_KEY, keys.ANON, "ES256", id="publishable"),
    pytest.param(names.SECRET_KEY, keys.SERVICE_ROLE, "ES256", id="secret"),
]
CALLS: dict[str, tuple[Callable[[supabase.Client], Any], Any, str, str]] = {
    "rest": (lambda c: c.table("todos").select("id").execute(), [], "GET", "/todos?select=id"),
    "auth": (lambda c: c.auth.reset_password_for_email("a@example.com"), {}, "POST", "/recover"),
    "storage": (lambda c: c.storage.list_buckets(), [], "GET", "/bucket"),
    "functions": (lambda c: c.functions.invoke("hello", invoke_options={"body": {"x": 1}}), {}, "POST", "/hello"),
}
"""For each service a call, what it answers, and with which method and where the call arrives."""


@pytest.fixture(scope="module")
def keyed(start: Callable[..., Gateway]) -> Gateway:
    """A gateway that knows these keys."""
    return start(secrets=SECRETS)


def claims(token: str) -> tuple[str, dict[str, Any]]:
    """Algorithm and claims of a token, verified with the key set that the services get."""
    header = jwt.get_unverified_header(token)
    held = json.loads(keys.key_set(SIGNING_KEY, JWT_SECRET))["keys"]
    (key,) = (key for key in held if key["alg"] == header["alg"])
    return header["alg"], jwt.decode(token, jwt.PyJWK(key).key, algorithms=[header["alg"]])


def token(seen: Seen) -> str:
    """The token that the service judges by. A function sees the key that came, and beside it what the gateway makes of it."""
    return seen.header("sb-api-key") or (seen.header("authorization") or "").removeprefix("Bearer ")


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize(("name", "role", "algorithm"), KEYS)
def test_the_token_that_arrives_at_the_service_has_the_role_of_the_key(
    keyed: Gateway, service: str, name: str, role: str, algorithm: str
) -> None:
    call, answer, method, target = CALLS[service]
    mark = uuid.uuid4().hex
    keyed.recorder.answers[service] = answer
    with keyed.network():
        client = supabase.create_client(
            f"http://{keyed.host}:8000", SECRETS[name], options=supabase.ClientOptions(headers={TEST_ID: mark})
        )
        call(client)
    (seen,) = keyed.recorder.seen[mark]
    assert (seen.upstream, seen.method, seen.target) == (service, method, target)
    used, found = claims(token(seen))
    assert (used, found["role"], found["iss"]) == (algorithm, role, "supabase")
