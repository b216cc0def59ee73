"""Keys, tokens and key sets, verified by other means than they are made with."""

import base64
import hashlib
import json
import subprocess
import sys
from datetime import date

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components import cli_keys, keys
from tests.clone_root import ROOT

SECRET = "a-jwt-secret-of-more-than-32-characters"
ISSUED, EXPIRES = date(2026, 1, 1), date(2036, 1, 1)
ANON = keys.claims(keys.ANON, ISSUED, EXPIRES)
KEY = keys.signing_key("s" * 64)

# RFC 6979, A.2.5: a key of P-256, and its signature of "sample" with SHA-256.
RFC_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "d": "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
    "x": "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
    "y": "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
}
RFC_SIGNATURE = (
    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
)


def decoded(part: str) -> str:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


def public_key(kid: str):
    return jwt.PyJWKSet.from_dict(json.loads(keys.key_set(KEY, SECRET)))[kid].key


# -- tokens ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [keys.ANON, keys.SERVICE_ROLE])
def test_a_role_key_is_verified_by_pyjwt_and_says_role_issuer_and_days(role):
    token = keys.shared_token(SECRET, keys.claims(role, ISSUED, EXPIRES))
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], issuer="supabase", options={"require": ["exp", "iat"]})
    assert claims == {"role": role, "iss": "supabase", "iat": 1767225600, "exp": 2082758400}


def test_header_and_claims_stand_in_upstreams_order():
    header, payload, _ = keys.shared_token(SECRET, ANON).split(".")
    assert decoded(header) == '{"alg":"HS256","typ":"JWT"}'
    assert decoded(payload) == '{"role":"anon","iss":"supabase","iat":1767225600,"exp":2082758400}'


def test_another_secret_does_not_verify_a_role_key():
    token = keys.shared_token(SECRET, ANON)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, SECRET + "x", algorithms=["HS256"])
    assert keys.is_signed_with(token, SECRET)
    assert not keys.is_signed_with(token, SECRET + "x")
    assert not keys.is_signed_with(token[:-1], SECRET)


def test_an_asymmetric_token_is_verified_by_the_key_that_its_kid_names_in_the_key_set():
    token = keys.signed_token(KEY, ANON)
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "ES256", "typ": "JWT", "kid": json.loads(KEY)["kid"]}
    assert jwt.decode(token, public_key(header["kid"]), algorithms=["ES256"], issuer="supabase") == ANON


def test_an_asymmetric_token_of_another_key_is_not_verified():
    token = keys.signed_token(keys.signing_key("t" * 64), ANON)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, public_key(json.loads(KEY)["kid"]), algorithms=["ES256"])


def test_signatures_are_those_of_rfc_6979():
    jwk = {name: v if len(v) < 64 else keys.base64url(bytes.fromhex(v)) for name, v in RFC_KEY.items()}
    known = keys.read_signing_key(json.dumps(jwk))
    assert keys.signature(known, b"sample").hex().upper() == RFC_SIGNATURE


def test_every_key_is_the_same_in_another_process():
    program = (
        "from tests.unit.components.test_keys import *\n"
        "print(KEY, keys.shared_token(SECRET, ANON), keys.signed_token(KEY, ANON), keys.key_list(KEY, SECRET),"
        "keys.key_set(KEY, SECRET), keys.opaque_key('sb_secret_', 'r' * 22), keys.htpasswd('me', 'pw'), sep='\\n')"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Kathmandu"))
    }
    assert len(told) == 1
    assert keys.signed_token(KEY, ANON) in told.pop()


@pytest.mark.parametrize(
    "text", ["", "a.b", "a.b.c.d", "e30.e30", "!!.e30.x", "e30.W10.x", "e30.bm8.x", "e30.e30.a+b", "e30.e30.a"]
)
def test_what_is_no_token_is_refused_without_showing_it(text):
    with pytest.raises(keys.KeyFormError) as refused:
        keys.unverified(text)
    assert not text or text not in str(refused.value)


def test_a_tokens_end_is_read_and_may_be_missing():
    assert keys.expiry(keys.shared_token(SECRET, ANON)) == 2082758400
    assert keys.expiry(keys.shared_token(SECRET, {"role": "anon"})) is None
    for wrong in ("soon", True, -1, 2**60):
        header, _, end = keys.shared_token(SECRET, {}).split(".")
        with pytest.raises(keys.KeyFormError):
            keys.expiry(".".join((header, keys.base64url(json.dumps({"exp": wrong}).encode()), end)))


# -- sb_ keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("prefix", "length"), [(keys.PUBLISHABLE_PREFIX, 46), (keys.SECRET_PREFIX, 41)])
def test_an_opaque_key_ends_in_upstreams_checksum(prefix, length):
    key = keys.opaque_key(prefix, "Ab3" * 7 + "x")
    assert len(key) == length
    body, checksum = key[:-9], key[-8:]
    assert body == prefix + "Ab3" * 7 + "x"
    hashed = hashlib.sha256(b"supabase-self-hosted|" + body.encode()).digest()
    assert checksum == base64.urlsafe_b64encode(hashed).decode()[:8]
    assert keys.is_opaque_key(key, prefix)


@given(st.data())
def test_a_changed_opaque_key_is_none(data):
    key = keys.opaque_key(keys.SECRET_PREFIX, data.draw(st.text("abcXYZ012-_", min_size=22, max_size=22)))
    at = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != key[at]))
    assert not keys.is_opaque_key(key[:at] + other + key[at + 1 :], keys.SECRET_PREFIX)
    assert not keys.is_opaque_key(key[:at] + key[at + 1 :], keys.SECRET_PREFIX)
    assert not keys.is_opaque_key(key, keys.PUBLISHABLE_PREFIX)


# -- the signing key -------------------------------------------------------------------------------------------------


def test_a_signing_key_is_derived_always_in_the_same_way():
    """If this fails, every stack gets another signing key, and its users' tokens are refused."""
    assert json.loads(KEY) == {
        "kty": "EC",
        "kid": "kaZnwo9rOofsMlkkeNhCvhbaV-tmY72bMdD7QG6yIP4",
        "use": "sig",
        "key_ops": ["sign", "verify"],
        "alg": "ES256",
        "ext": True,
        "crv": "P-256",
        "x": "DHXEJlJLfZpeI503cXs0-52UT76CqYB2TaiVgLSBtYU",
        "y": "y2ly7RayhZc8OA_b0Vz-rXr9Xbkie4_OIHsv31nUsLE",
        "d": "9LPTsd95yBTLC6gGwFMEBdlmFgB8nShYghjzt0vpBpU",
    }


@settings(max_examples=30)
@given(st.text(min_size=1, max_size=80))
def test_every_seed_gives_a_sound_key_with_its_thumbprint_as_kid(seed):
    text = keys.signing_key(seed)
    jwk = json.loads(text)
    assert keys.complete_signing_key(text) == text
    assert all(len(keys.from_base64url(jwk[name])) == 32 for name in "dxy")
    members = f'{{"crv":"P-256","kty":"EC","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    assert jwk["kid"] == base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).decode().rstrip("=")


def test_two_seeds_give_two_keys():
    assert keys.signing_key("a") != keys.signing_key("b")


def test_a_users_key_is_completed_and_keeps_its_own_kid():
    bare = {name: value for name, value in json.loads(KEY).items() if name in ("kty", "crv", "d", "x", "y")}
    assert keys.complete_signing_key(json.dumps(bare)) == KEY
    assert json.loads(keys.complete_signing_key(json.dumps({**bare, "kid": "mine", "key_ops": ["sign"]})))["kid"] == "mine"


def test_who_signs_gets_the_private_key_first_and_only_that_may_sign():
    private, shared = json.loads(keys.key_list(KEY, SECRET))
    assert private == json.loads(KEY)
    assert shared == {"kty": "oct", "k": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="), "alg": "HS256"}


def test_who_verifies_gets_no_private_key():
    public, shared = json.loads(keys.key_set(KEY, SECRET))["keys"]
    assert public == {**{n: v for n, v in json.loads(KEY).items() if n != "d"}, "key_ops": ["verify"]}
    assert json.loads(KEY)["d"] not in keys.key_set(KEY, SECRET)
    assert shared["kty"] == "oct"


def test_the_key_set_verifies_old_tokens_too():
    shared = next(key for key in jwt.PyJWKSet.from_dict(json.loads(keys.key_set(KEY, SECRET))).keys if key.key_type == "oct")
    assert jwt.decode(keys.shared_token(SECRET, ANON), shared.key, algorithms=["HS256"]) == ANON


# -- the dashboard's login, and the Supabase CLI's keys --------------------------------------------------------------


def test_the_dashboards_login_is_a_line_of_htpasswd():
    # `htpasswd -nbs me password`
    assert keys.htpasswd("me", "password") == "me:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="


def test_the_supabase_clis_tokens_are_byte_for_byte_what_it_prints():
    # `supabase status -o env`, CLI 3.1.0
    begin = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6"
    assert cli_keys.role_key(keys.ANON) == f"{begin}ImFub24iLCJleHAiOjE5ODM4MTI5OTZ9.CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0"
    assert (
        cli_keys.role_key(keys.SERVICE_ROLE)
        == f"{begin}InNlcnZpY2Vfcm9sZSIsImV4cCI6MTk4MzgxMjk5Nn0.EGIM96RAZx35lJzdJsyH-qQwv8Hdp7fsn3W0YpN81IU"
    )


def test_the_supabase_clis_opaque_keys_have_the_form_and_another_checksum():
    for key, prefix in ((cli_keys.PUBLISHABLE_KEY, keys.PUBLISHABLE_PREFIX), (cli_keys.SECRET_KEY, keys.SECRET_PREFIX)):
        assert key.startswith(prefix)
        assert len(key) == len(keys.opaque_key(prefix, "r" * 22))
        assert not keys.is_opaque_key(key, prefix)
