"""API keys, tokens and key sets of a Supabase stack, made from its secrets.

Pure: the same secrets give the same keys at every run, on every machine. So ES256 signatures are the deterministic ones of RFC
6979, the signing key is derived from a generated text, and no clock is read. Forms are those of upstream's
docker/utils/generate-keys.sh and add-new-auth-keys.sh (self-hosted/v0.8.2).
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

# pyjwt and cryptography are imported when the first key is made: they take a while, and wrong settings make none.

ANON: Final = "anon"
SERVICE_ROLE: Final = "service_role"
ISSUER: Final = "supabase"
PUBLISHABLE_PREFIX: Final = "sb_publishable_"
SECRET_PREFIX: Final = "sb_secret_"
OPAQUE_RANDOM: Final = 22
"""Characters of an sb_ key that are random."""
OPAQUE_CHECKSUM: Final = 8
_CHECKSUM_OF: Final = "supabase-self-hosted"

_FIELD: Final = 32
"""Bytes of a coordinate and of a scalar of P-256."""
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of P-256's base point (FIPS 186-4, D.1.2.3)."""
_DERIVED_FOR: Final = b"supastack: ES256 signing key"


class KeyFormError(ValueError):
    """A text is not the key it should be. The message says why, and holds nothing of the text."""


def base64url(value: bytes) -> str:
    """Base64 with the URL alphabet and without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of such a text.

    Raises:
        KeyFormError: it is none.
    """
    # b64decode takes the other alphabet's characters beside these.
    if len(text) % 4 == 1 or not re.fullmatch(r"[A-Za-z0-9_-]*", text, re.ASCII):
        raise KeyFormError("a part of it is not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def seconds(day: date) -> int:
    """The day's first second (UTC), counted as in `iat` and `exp`."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


# -- tokens ----------------------------------------------------------------------------------------------------------


def claims(role: str, issued: date, expires: date) -> dict[str, Any]:
    """The claims of a role's token, in upstream's order."""
    return {"role": role, "iss": ISSUER, "iat": seconds(issued), "exp": seconds(expires)}


def shared_token(secret: str, payload: Mapping[str, Any]) -> str:
    """An HS256 token; the claims keep their order."""
    import jwt

    return jwt.encode(dict(payload), secret, algorithm="HS256")


def signed_token(key: str, payload: Mapping[str, Any]) -> str:
    """An ES256 token with the signing key's kid in its header; the claims keep their order."""
    jwk = read_signing_key(key)
    header = {"alg": "ES256", "typ": "JWT", "kid": jwk["kid"]}
    signed = ".".join(base64url(_text(part).encode()) for part in (header, payload))
    return f"{signed}.{base64url(signature(jwk, signed.encode()))}"


def signature(jwk: Mapping[str, Any], message: bytes) -> bytes:
    """An ES256 signature (RFC 7518, 3.4), always the same for a key and a message.

    pyjwt takes a random number for each: then the token, and the gateway that holds it, would change at every run.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    private = ec.derive_private_key(_number(jwk["d"]), ec.SECP256R1())
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(_FIELD, "big") + s.to_bytes(_FIELD, "big")


def unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, whoever signed it.

    Raises:
        KeyFormError: it is no JSON Web Token.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise KeyFormError("it is not a JSON Web Token of three parts")
    found = []
    for part in parts[:2]:
        try:
            value = json.loads(from_base64url(part))
        except (ValueError, RecursionError):
            raise KeyFormError("its header or its claims can't be read") from None
        if not isinstance(value, dict):
            raise KeyFormError("its header or its claims can't be read")
        found.append(value)
    from_base64url(parts[2])
    return found[0], found[1]


def is_signed_with(token: str, secret: str) -> bool:
    """Whether an HS256 token is signed with the secret."""
    body, _, signature = token.rpartition(".")
    made = base64url(hmac.digest(secret.encode(), body.encode(), "sha256"))
    return hmac.compare_digest(made.encode(), signature.encode())


def expiry(token: str) -> int | None:
    """When a token ends, in seconds since 1970; None where it never does.

    Raises:
        KeyFormError: it is no token, or its end is no time.
    """
    end = unverified(token)[1].get("exp")
    if end is not None and (not isinstance(end, int | float) or isinstance(end, bool) or not 0 <= end < 2**53):
        raise KeyFormError("its claim exp is not a time")
    return None if end is None else int(end)


# -- sb_ keys --------------------------------------------------------------------------------------------------------


def opaque_key(prefix: str, random: str) -> str:
    """An sb_publishable_ or sb_secret_ key with its checksum.

    Args:
        prefix: One of the two prefixes.
        random: 22 characters of the base64url alphabet.
    """
    return f"{prefix}{random}_{_checksum(prefix + random)}"


def _checksum(body: str) -> str:
    return base64url(hashlib.sha256(f"{_CHECKSUM_OF}|{body}".encode()).digest())[:OPAQUE_CHECKSUM]


def is_opaque_key(text: str, prefix: str) -> bool:
    """Whether a text is an sb_ key of a self-hosted stack: its length and its checksum."""
    body, checksum = text[: -OPAQUE_CHECKSUM - 1], text[-OPAQUE_CHECKSUM:]
    return (
        len(body) == len(prefix) + OPAQUE_RANDOM
        and body.startswith(prefix)
        and text[len(body)] == "_"
        and checksum == _checksum(body)
    )


# -- the signing key -------------------------------------------------------------------------------------------------


def signing_key(seed: str) -> str:
    """A private EC P-256 key as JWK (JSON), derived from a secret text of enough random characters.

    HKDF with SHA-256 (RFC 5869) gives 16 bytes more than a scalar has, so that taking them modulo the order favours none (FIPS
    186-5, A.2.1). `kid` is the key's thumbprint (RFC 7638).
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    material = HKDF(SHA256(), length=_FIELD + 16, salt=None, info=_DERIVED_FOR).derive(seed.encode())
    scalar = int.from_bytes(material, "big") % (_ORDER - 1) + 1
    point = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    return _text(_jwk(scalar, point.x, point.y, None))


def _jwk(scalar: int, x: int, y: int, kid: str | None) -> dict[str, Any]:
    """The private key as upstream writes it: GoTrue signs with the one key whose key_ops has `sign`."""
    point = {"crv": "P-256", "kty": "EC", "x": base64url(x.to_bytes(_FIELD, "big")), "y": base64url(y.to_bytes(_FIELD, "big"))}
    return {
        "kty": "EC",
        "kid": kid or thumbprint(point),
        "use": "sig",
        "key_ops": ["sign", "verify"],
        "alg": "ES256",
        "ext": True,
        "crv": "P-256",
        "x": point["x"],
        "y": point["y"],
        "d": base64url(scalar.to_bytes(_FIELD, "big")),
    }


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of an EC key (RFC 7638): of its required members, in the order of their names."""
    return base64url(hashlib.sha256(_text({name: jwk[name] for name in ("crv", "kty", "x", "y")}).encode()).digest())


def read_signing_key(text: str) -> dict[str, Any]:
    """A private EC P-256 key from its JWK (JSON), with the members that the services need, and `kid` where it has none.

    Raises:
        KeyFormError: it is none, or its parts do not belong together.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise KeyFormError("it is not JSON") from None
    if not isinstance(given, dict) or given.get("kty") != "EC" or given.get("crv") != "P-256":
        raise KeyFormError("it is not a JSON Web Key with kty EC and crv P-256")
    if given.get("alg", "ES256") != "ES256" or given.get("use", "sig") != "sig":
        raise KeyFormError("its alg or use is for something else than ES256 signatures")
    if not all(isinstance(given.get(name), str) for name in ("d", "x", "y")):
        raise KeyFormError("it has no private part: d, x and y are needed")
    scalar, x, y = (_number(given[name]) for name in ("d", "x", "y"))
    kid = given.get("kid", "")
    if not isinstance(kid, str) or not kid.isprintable():
        raise KeyFormError("its kid is not a text")
    if not 0 < scalar < _ORDER:
        raise KeyFormError("its private part is not a number that the curve has")
    point = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    if (point.x, point.y) != (x, y):
        raise KeyFormError("its public part does not belong to its private part")
    return _jwk(scalar, x, y, kid)


def _number(text: str) -> int:
    value = from_base64url(text)
    if len(value) != _FIELD:
        raise KeyFormError("d, x and y of P-256 have 32 bytes each")
    return int.from_bytes(value, "big")


def complete_signing_key(text: str) -> str:
    """A user's signing key as the services take it."""
    return _text(read_signing_key(text))


def key_list(signing: str, shared: str) -> str:
    """The array for who signs: the private key, and the JWT secret, with which old tokens are verified."""
    return _text([read_signing_key(signing), _shared_key(shared)])


def key_set(signing: str, shared: str) -> str:
    """The object {"keys": [...]} for who verifies: the public key, and the JWT secret; so it is a secret."""
    public = {name: value for name, value in read_signing_key(signing).items() if name != "d"}
    return _text({"keys": [{**public, "key_ops": ["verify"]}, _shared_key(shared)]})


def _shared_key(secret: str) -> dict[str, str]:
    """The JWT secret as JWK. Without kid, as upstream's: tokens signed with it name none."""
    return {"kty": "oct", "k": base64url(secret.encode()), "alg": "HS256"}


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


# -- the dashboard's login -------------------------------------------------------------------------------------------


def htpasswd(user: str, password: str) -> str:
    """One htpasswd line: `user:{SHA}` and the password's SHA-1, the one hash that Envoy's basic auth filter reads.

    SHA-1 without a salt is quickly guessed at: the line is a secret itself.
    """
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return f"{user}:{{SHA}}{base64.b64encode(digest).decode()}"
