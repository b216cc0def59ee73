"""The keys that the Supabase CLI gives every local stack, for `compat: cli`. Published, so nothing that they guard is secret.

Seen with the CLI 3.1.0 (`supabase status -o env`); the signing key in its program.
"""

import json
from typing import Any, Final

from components import keys

DATABASE_PASSWORD: Final = "postgres"
JWT_SECRET: Final = "super-secret-jwt-token-with-at-least-32-characters-long"
PUBLISHABLE_KEY: Final = "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH"
SECRET_KEY: Final = "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"
S3_ACCESS_KEY_ID: Final = "625729a08b95bf1b7ff351a663f3a23c"
S3_ACCESS_KEY_SECRET: Final = "850181e4652dd023b7a98c58ae0d2d34bd487ee0cc3254aed6eda37307425907"
SIGNING_KEY: Final = json.dumps(
    {
        "kty": "EC",
        "kid": "b81269f1-21d8-4f2e-b719-c2240a840d90",
        "crv": "P-256",
        "x": "M5Sjqn5zwC9Kl1zVfUUGvv9boQjCGd45G8sdopBExB4",
        "y": "P6IXMvA2WYXSHSOMTBH2jsw_9rrzGy89FjPf6oOsIxQ",
        "d": "dIhR8wywJlqlua4y_yMq2SLhlFXDZJBCvFrY1DCHyVU",
    }
)
"""Auth signs users' tokens with it, and `supabase gen bearer-jwt` any token that one asks for."""

EXPIRES: Final = 1983812996
"""`exp` of its ANON_KEY and SERVICE_ROLE_KEY: 2032-11-11."""


def role_key(role: str) -> str:
    """Its token of a role: other claims, and in another order, than a stack's own."""
    payload: dict[str, Any] = {"iss": "supabase-demo", "role": role, "exp": EXPIRES}
    return keys.shared_token(JWT_SECRET, payload)
