"""Tokens of all kinds, signed with PyJWT."""

import base64
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm

SECRET = "a-secret-of-at-least-thirty-two-characters"
KID = "the-stack's-key"
KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())
NOW = int(time.time())
"""When the tests were collected: they may run much later."""
DAY = 86400


def public(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, str]:
    """The public half as a JWK."""
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": "ES256", "use": "sig"}


def encoded(value: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


# As the stack's own: the public key, and the JWT secret for who verifies the old tokens with it, too.
JWKS = json.dumps({"keys": [public(KEY, KID), {"kty": "oct", "k": encoded(SECRET.encode()), "alg": "HS256"}]})


def token(key: Any = SECRET, alg: str = "HS256", headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token that is good for an hour, unless the claims say otherwise."""
    return jwt.encode({"role": "authenticated", "exp": NOW + DAY, **claims}, key, algorithm=alg, headers=headers)


def es256(key: Any = KEY, kid: str | None = KID, **claims: Any) -> str:
    """The same, signed with an EC key."""
    return token(key, "ES256", None if kid is None else {"kid": kid}, **claims)


def handmade(header: dict[str, Any], claims: Any, signature: bytes = b"") -> str:
    """A token that no library would make."""
    parts = [encoded(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*parts, encoded(signature)])


def tampered(good: str) -> str:
    """A good token with other claims."""
    header, _, signature = good.split(".")
    return ".".join([header, encoded(json.dumps({"role": "service_role", "exp": NOW + DAY}).encode()), signature])


def confused() -> str:
    """Signed as HS256 with the public key, which everyone knows, in the hope that it is taken for the secret."""
    import hashlib
    import hmac

    header = encoded(json.dumps({"alg": "HS256", "kid": KID, "typ": "JWT"}).encode())
    claims = encoded(json.dumps({"role": "service_role", "exp": NOW + DAY}).encode())
    known = json.dumps(public(KEY, KID)).encode()
    return f"{header}.{claims}.{encoded(hmac.new(known, f'{header}.{claims}'.encode(), hashlib.sha256).digest())}"


def rs256() -> str:
    """Signed with an RSA key, which the stack has none of."""
    return token(rsa.generate_private_key(65537, 2048), "RS256")
