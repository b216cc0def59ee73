"""The keys of the whole stack, checked with pyjwt, and that services, gateway and outputs hold the same ones."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import jwt
import psycopg
import pytest

from components.gateway import envoy
from tests.integration.stack.whole import Whole

pytestmark = [pytest.mark.docker, pytest.mark.engine]

ROLES = {"ANON_KEY": "anon", "SERVICE_ROLE_KEY": "service_role"}


@pytest.mark.parametrize("key", ROLES)
def test_a_key_is_a_token_of_its_role_under_the_jwt_secret(whole_up: Whole, key: str):
    token = whole_up.outputs[key]
    claims = jwt.decode(token, whole_up.outputs["JWT_SECRET"], algorithms=["HS256"], issuer="supabase")
    assert claims["role"] == ROLES[key]
    assert set(claims) == {"role", "iss", "iat", "exp"}
    assert claims["iat"] < datetime.now(UTC).timestamp() < claims["exp"]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, whole_up.outputs["JWT_SECRET"] + "x", algorithms=["HS256"])


def keys(text: str) -> list[dict[str, Any]]:
    """The keys of a JWKS."""
    return list(json.loads(text)["keys"])


def test_the_key_set_verifies_both_kinds_of_token_and_signs_neither_as_es256(whole_up: Whole):
    held = keys(whole_up.outputs["JWKS"])
    assert sorted(key["kty"] for key in held) == ["EC", "oct"]
    (public,) = (key for key in held if key["kty"] == "EC")
    assert "d" not in public
    assert (public["crv"], public["alg"]) == ("P-256", "ES256")
    (shared,) = (key for key in held if key["kty"] == "oct")
    for token in ROLES:
        jwt.decode(whole_up.outputs[token], jwt.PyJWK(shared).key, algorithms=["HS256"])


def test_a_token_that_auth_would_sign_is_verified_by_the_key_set(whole_up: Whole):
    """Auth is a stub here: its own key, as it was given to it, signs in its place."""
    signing = json.loads(whole_up.env("supabase-auth")["GOTRUE_JWT_KEYS"])
    (own,) = (key for key in signing if key["kty"] == "EC")
    assert own["key_ops"] == ["sign", "verify"]
    token = jwt.encode({"role": "authenticated", "sub": "x"}, jwt.PyJWK(own).key, algorithm="ES256", headers={"kid": own["kid"]})
    for where in (whole_up.outputs["JWKS"], whole_up.env("supabase-rest")["PGRST_JWT_SECRET"]):
        key = next(key for key in jwt.PyJWKSet.from_json(where).keys if key.key_id == own["kid"])
        assert jwt.decode(token, key.key, algorithms=["ES256"])["sub"] == "x"


def test_the_role_tokens_that_the_gateway_swaps_sb_keys_for_are_verified_by_the_key_set(whole_up: Whole):
    held = "".join(whole_up.file("supabase-gateway", path).decode() for path in (envoy.CONFIG_PATH, envoy.LUA_PATH))
    tokens = set(re.findall(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+", held))
    assert {whole_up.outputs[key] for key in ROLES} <= tokens
    (key,) = (key for key in jwt.PyJWKSet.from_json(whole_up.outputs["JWKS"]).keys if key.key_type == "EC")
    swapped = [jwt.decode(token, key.key, algorithms=["ES256"]) for token in tokens if alg(token) == "ES256"]
    assert sorted(claims["role"] for claims in swapped) == ["anon", "service_role"]
    for sb in ("PUBLISHABLE_KEY", "SECRET_KEY"):
        assert whole_up.outputs[sb] in held, sb


def alg(token: str) -> str:
    return str(jwt.get_unverified_header(token)["alg"])


def test_the_services_hold_the_keys_of_the_outputs(whole_up: Whole):
    out = whole_up.outputs
    auth, rest, storage, functions = (whole_up.env(f"supabase-{name}") for name in ("auth", "rest", "storage", "functions"))
    assert auth["GOTRUE_JWT_SECRET"] == storage["AUTH_JWT_SECRET"] == functions["JWT_SECRET"] == out["JWT_SECRET"]
    assert storage["ANON_KEY"] == functions["SUPABASE_ANON_KEY"] == out["ANON_KEY"]
    assert storage["SERVICE_KEY"] == functions["SUPABASE_SERVICE_ROLE_KEY"] == out["SERVICE_ROLE_KEY"]
    wanted = keys(out["JWKS"])
    for held in (rest["PGRST_JWT_SECRET"], storage["JWT_JWKS"], whole_up.env("supabase-realtime")["API_JWT_JWKS"]):
        assert keys(held) == wanted
    assert storage["S3_PROTOCOL_ACCESS_KEY_ID"] == out["S3_PROTOCOL_ACCESS_KEY_ID"]
    assert storage["S3_PROTOCOL_ACCESS_KEY_SECRET"] == out["S3_PROTOCOL_ACCESS_KEY_SECRET"]
    assert json.loads(functions["SUPABASE_PUBLISHABLE_KEYS"])["default"] == out["PUBLISHABLE_KEY"]
    assert json.loads(functions["SUPABASE_SECRET_KEYS"])["default"] == out["SECRET_KEY"]


LOGINS = {
    "supabase-auth": ("GOTRUE_DB_DATABASE_URL", "supabase_auth_admin"),
    "supabase-rest": ("PGRST_DB_URI", "authenticator"),
    "supabase-storage": ("DATABASE_URL", "supabase_storage_admin"),
    "supabase-functions": ("SUPABASE_DB_URL", "postgres"),
}


@pytest.mark.parametrize("name", LOGINS)
def test_the_real_database_takes_the_login_that_a_stub_was_given(whole_up: Whole, name: str):
    variable, user = LOGINS[name]
    url = urlsplit(whole_up.env(name)[variable])
    assert url.hostname is not None
    address = whole_up.address(url.hostname, seen_from=name)
    with (
        whole_up.clone.daemon.network(),
        psycopg.connect(
            host=address, port=url.port, dbname=url.path[1:], user=url.username, password=url.password, connect_timeout=10
        ) as connection,
    ):
        assert connection.execute("select current_user, current_database()").fetchone() == (user, "postgres")
    # So that the login says something.
    with whole_up.clone.daemon.network(), pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(host=address, port=url.port, dbname="postgres", user=url.username, password="wrong", connect_timeout=10)


def test_the_real_database_takes_realtimes_login_and_finds_its_schema(whole_up: Whole):
    env = whole_up.env("supabase-realtime")
    address = whole_up.address(env["DB_HOST"], seen_from="supabase-realtime")
    with (
        whole_up.clone.daemon.network(),
        psycopg.connect(
            host=address, port=env["DB_PORT"], dbname=env["DB_NAME"], user=env["DB_USER"], password=env["DB_PASSWORD"]
        ) as connection,
    ):
        connection.execute(env["DB_AFTER_CONNECT_QUERY"])
        assert connection.execute("select current_schema()").fetchone() == ("_realtime",)
