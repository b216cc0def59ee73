"""Which tokens let a call of a function in."""

import json

import pytest

from tests.integration.functions import tokens
from tests.integration.functions.tokens import DAY, KEY, NOW, SECRET, STRANGER, encoded, es256, handmade, tampered, token

GOOD = {
    "signed with the JWT secret": token(),
    "signed with the JWT secret, and naming a key": token(headers={"kid": "old"}),
    "signed with the stack's key": es256(),
    "signed with the stack's key without naming it": es256(kid=None),
    "that holds from a time on that has come": es256(nbf=NOW - 5),
}
FORMAT = "UNAUTHORIZED_INVALID_JWT_FORMAT"
HS256 = "UNAUTHORIZED_LEGACY_JWT"
ES256 = "UNAUTHORIZED_ASYMMETRIC_JWT"
ALGORITHM = "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM"
BAD = {
    "that has ended": (token(exp=NOW - 1), HS256),
    "of the stack's key that has ended": (es256(exp=NOW - 1), ES256),
    "that does not hold yet": (token(nbf=NOW + DAY), HS256),
    "whose end is no number": (handmade({"alg": "HS256"}, {"exp": "never"}, b"x" * 32), HS256),
    "signed with another secret": (token("another-secret-of-more-than-32-characters"), HS256),
    "signed with another key under our key's name": (es256(STRANGER), ES256),
    "signed with another key without a name": (es256(STRANGER, kid=None), ES256),
    "that names a key we have not": (es256(KEY, kid="unknown"), ES256),
    "whose claims were changed": (tampered(token()), HS256),
    "of the stack's key whose claims were changed": (tampered(es256()), ES256),
    "signed with the public key as if it were the secret": (tokens.confused(), HS256),
    "that says it needs no signature": (handmade({"alg": "none"}, {"role": "service_role"}), ALGORITHM),
    "that says so in capitals": (handmade({"alg": "None"}, {"role": "service_role"}), ALGORITHM),
    "without an algorithm": (handmade({"typ": "JWT"}, {"role": "service_role"}), ALGORITHM),
    "whose algorithm is a property of all objects": (handmade({"alg": "constructor"}, {}), ALGORITHM),
    "signed with RSA": (tokens.rs256(), ALGORITHM),
    "signed with a longer hash": (token(alg="HS512"), ALGORITHM),
    "with an extension that must be understood": (token(headers={"crit": ["own"], "own": 1}), HS256),
    "without a signature": (token().rsplit(".", 1)[0] + ".", HS256),
    "in two parts": (token().rsplit(".", 1)[0], FORMAT),
    "in four parts": (token() + ".x", FORMAT),
    "that is no base64": ("a!b.c.d", FORMAT),
    "with padding": (f"{encoded(b'{}')}==.e30.e30", FORMAT),
    "whose header is no JSON": (f"{encoded(b'no')}.e30.e30", FORMAT),
    "whose header is a list": (f"{encoded(json.dumps(['HS256']).encode())}.e30.e30", FORMAT),
    "whose claims are a number": (handmade({"alg": "HS256"}, 1), FORMAT),
    "of one letter": ("x", FORMAT),
}


@pytest.mark.parametrize("signed", GOOD.values(), ids=GOOD.keys())
def test_a_good_token_is_let_in(router, signed):
    assert router.call("/hello", token=signed).status == 201


@pytest.mark.parametrize(("signed", "code"), BAD.values(), ids=BAD.keys())
def test_a_bad_token_is_refused_with_upstreams_code_and_without_a_word_of_it(router, signed, code):
    answer = router.call("/hello", token=signed)
    assert (answer.status, answer.json["code"], answer.headers["sb-error-code"]) == (401, code, code)
    assert answer.json["message"] == answer.json["msg"]
    assert signed not in answer.text


def test_without_a_token_it_says_that_there_is_none(router):
    assert router.call("/hello").json["code"] == "UNAUTHORIZED_NO_AUTH_HEADER"


@pytest.mark.parametrize("header", [f"Basic {token()}", token(), "Bearer", f"Bearer {token()} more", "Bearer sb_secret_unknown"])
def test_what_is_no_bearer_token_is_refused(router, header):
    assert router.call("/hello", authorization=header).json["code"] == FORMAT


def test_bearer_may_be_written_in_any_case(router):
    assert router.call("/hello", authorization=f"bearer {token()}").status == 201


@pytest.mark.parametrize("authorization", [None, "Bearer sb_publishable_x"])
def test_an_api_key_counts_that_the_gateway_turned_into_a_token(router, authorization):
    headers = {"sb_api_key": es256(role="anon"), **({"authorization": authorization} if authorization else {})}
    assert router.call("/hello", **headers).status == 201


def test_an_api_key_that_someone_made_up_does_not_count(router):
    assert router.call("/hello", sb_api_key=es256(STRANGER)).json["code"] == ES256
    assert router.call("/hello", sb_api_key="sb_secret_x").json["code"] == FORMAT


def test_a_bad_token_is_not_made_good_by_an_api_key(router):
    assert router.call("/hello", token=token(exp=NOW - 1), sb_api_key=es256()).json["code"] == HS256


def test_no_token_and_no_secret_is_logged(router):
    for signed, _ in BAD.values():
        router.call("/hello", token=signed)
    written = router.log.read_text()
    assert SECRET not in written
    assert not any(signed in written for signed, _ in BAD.values() if len(signed) > 20)
