"""Samples for keys, secrets and images. Those of keys that belong together are made from the same secret."""

import base64
import json

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from components import image_settings, keys
from components import secret_values as secrets
from components.supabase_settings import keys as key_settings
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

SHARED = f"{HIDDEN}-and-more-than-32-characters-"
"""A JWT secret."""


def role_key(secret: str = SHARED, algorithm: str = "HS256", **claims: object) -> str:
    """A token with the given claims; `exp` unless they say None."""
    told = {"exp": 2082758400, **claims}
    return jwt.encode({name: value for name, value in told.items() if value is not None}, secret, algorithm=algorithm)


_EC = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
TLS_KEY = _EC.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
_LOCKED = _EC.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"password")
).decode()
_JWK = json.loads(keys.signing_key(HIDDEN))
_PUBLISHABLE = keys.opaque_key(keys.PUBLISHABLE_PREFIX, "A1b2C3d4E5f6G7h8I9j0K_")
_SECRET = keys.opaque_key(keys.SECRET_PREFIX, "A1b2C3d4E5f6G7h8I9j0K_")

_UNREADABLE = (f"{HIDDEN}", f"{HIDDEN}.{HIDDEN}.{HIDDEN}", "e30.e30", "e30.W10.x", "e30.e30.a+b", "." * 2)


def _role_texts(role: str, other: str) -> Texts:
    right = role_key(role=role, iss="supabase")
    changed = f"{right[:-10]}!{right[-9:]}"
    return Texts(
        right=(right,),
        wrong=(
            *_UNREADABLE,
            role_key(role=other),
            role_key(role=role, exp=None),
            role_key(role=role, exp=-1),
            role_key(SHARED * 2, "HS512", role=role),
            role_key(),
            f"{right}.{right}",
            changed,
        ),
    )


def _jwk(**changed: object) -> str:
    return json.dumps({name: value for name, value in {**_JWK, **changed}.items() if value is not None})


def _opaque(right: str, other: str) -> Texts:
    return Texts(
        right=(right,), wrong=(right[:-1], f"{right}x", other, right[:-1] + ("A" if right[-1] != "A" else "B"), right.upper())
    )


def _exactly(length: int, kind: str = "0123456789abcdef") -> Texts:
    text = (HIDDEN + kind * 20)[:length]
    return Texts(
        right=(text, ("zq9!#%+/=" * 40)[:length]),
        wrong=(text[:-1], f"{text}0", f"{text[:-1]} ", f"{text[:-1]}ä", f"{text[:-1]}'"),
    )


def _between(least: int, most: int) -> Texts:
    long = f"{HIDDEN}-{least}-" + "x" * most
    return Texts(
        right=(long[: max(least, 14)], long[:least], long[:most]),
        wrong=(long[: least - 1], long[: most + 1], f"{long[:least]} x", f'{long[:least]}"'),
    )


_SPACED = (f"{HIDDEN} ", f" {HIDDEN}", f"{HIDDEN}\tx")

TEXTS: Samples = {
    secrets.jwt_secret: Texts(
        right=(SHARED, HIDDEN + "x" * 247),
        wrong=(SHARED[:31], HIDDEN + "x" * 248, f"{SHARED} ", f"{SHARED}'", f"{SHARED}ä", f"{SHARED}\\", f"{SHARED}`"),
    ),
    secrets.anon_key: _role_texts("anon", "service_role"),
    secrets.service_role_key: _role_texts("service_role", "anon"),
    secrets.publishable_key: _opaque(_PUBLISHABLE, _SECRET),
    secrets.secret_key: _opaque(_SECRET, _PUBLISHABLE),
    secrets.signing_key: Texts(
        right=(json.dumps(_JWK), _jwk(kid=None), _jwk(kid="mine", key_ops=["sign"], alg=None, use=None)),
        wrong=(
            *(f"{HIDDEN}", "[]", "{}", "[" * 3000, json.dumps([_JWK]), _jwk(d=None), _jwk(kty="oct"), _jwk(crv="P-384")),
            *(_jwk(alg="RS256"), _jwk(use="enc"), _jwk(x=_JWK["y"]), _jwk(d=_JWK["x"]), _jwk(d="A" * 43), _jwk(kid=5)),
            *(_jwk(kid="a\nb"), _jwk(d=f"{_JWK['d']}AAAA"), _jwk(d="!"), _jwk(d=base64.urlsafe_b64encode(b"\xff" * 32).decode())),
        ),
    ),
    secrets.secret_key_base: _between(64, 256),
    secrets.aes128_key: _exactly(16),
    secrets.aes256_key: _exactly(32),
    secrets.crypto_key: _exactly(32),
    secrets.vault_root_key: Texts(
        right=("0123456789abcdef" * 4, "0123456789ABCDEF" * 4),
        wrong=(
            HIDDEN,
            "0123456789abcdef" * 3,
            "0123456789abcdef" * 4 + "0",
            "0123456789abcdeg" * 4,
            "0123456789abcdef" * 4 + "\n",
        ),
    ),
    secrets.access_key_secret: _between(16, 128),
    secrets.token: _between(8, 512),
    secrets.outside_secret: Texts(
        right=(f"{HIDDEN} with spaces, 'quotes' and äöü", "v1,whsec_Zm9vYmFyYmF6"),
        wrong=(*_SPACED, HIDDEN + "x" * 131072, "", "\n", f"{HIDDEN}\0", f"{HIDDEN}\x1b[31m", f"a\n{HIDDEN}"),
        free=True,
    ),
    secrets.secret_variable: Texts(
        right=(f"{HIDDEN} of\nmany lines", "1"), wrong=(f"{HIDDEN}\0", HIDDEN + "x" * 131072), free=True
    ),
    secrets.private_key: Texts(
        right=(TLS_KEY,), wrong=(HIDDEN, TLS_KEY[:-40], _LOCKED, TLS_KEY.replace("PRIVATE", "PUBLIC")), free=True
    ),
    secrets.function_secret_name: Texts(
        right=("STRIPE_KEY", "_x1"), wrong=("SUPABASE_URL", "JWT_SECRET", "VERIFY_JWT", "1X", "A-B", "A B", "A=B", "a.b")
    ),
    key_settings.day: Texts(
        right=("2026-01-01", "2036-02-29", "2030-12-31 00:00:00 +0000 UTC"),
        wrong=(
            "2026",
            "2026-13-01",
            "2026-02-30",
            "01.02.2026",
            "1999-12-31",
            "2100-01-01",
            "2026-1-1",
            "2026-01-01T00:00:00Z",
            "soon",
        ),
    ),
    key_settings.project_ref: Texts(
        right=("abcdefghijklmnopqrst", "upending-expectoration", "a1b"),
        wrong=("ab", "1abc", "-abc", "abc-", "Abc", "a_b", "a.b", "a" * 41, "äbc"),
    ),
    image_settings.mirror: Texts(
        right=("mirror.example.com/hub", "localhost:5000", "10.0.0.5:5000/a/b"),
        wrong=(
            "mirror",
            "https://mirror.example.com",
            "mirror.example.com/Hub",
            "mirror.example.com/a b",
            f"me:{HIDDEN}@mirror.example.com",
        ),
    ),
    image_settings.reference: Texts(
        right=("docker.io/supabase/gotrue:v2.196.0", f"mirror.example.com/a/b@sha256:{'a' * 64}"),
        wrong=("Supabase/Gotrue", "gotrue:", "gotrue@sha256:abc", "a b", f"https://me:{HIDDEN}@mirror.example.com/a"),
    ),
    image_settings.digest: Texts(
        right=(f"sha256:{'0123456789abcdef' * 4}",), wrong=("0" * 64, "sha256:abc", f"sha256:{'G' * 64}", f"sha512:{'a' * 64}")
    ),
    image_settings.role: Texts(right=("auth", "postgres"), wrong=("gotrue", "Auth", "supabase/gotrue", "*")),
}
