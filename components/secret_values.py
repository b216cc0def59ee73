"""The checks of secret settings: form and length, each by itself. What belongs together is checked in `secret_contradictions`.

No message repeats a value, or a part of one.
"""

import re
from typing import Final

from components import keys
from components.cli_keys import PUBLISHABLE_KEY, SECRET_KEY
from components.setting_values import Refused
from components.supabase_settings.functions import OF_THE_ROUTER
from components.supabase_settings.override import variable_name

_MOST_BYTES: Final = 131000
"""A secret becomes an environment variable: on Linux at most 128 KiB with its name (execve(2), MAX_ARG_STRLEN)."""


def _visible(text: str, what: str) -> None:
    """Refuse what config files, URLs and shells do not all read alike."""
    if not text.isascii() or not text.isprintable() or re.search(r"[ '\"\\`]", text):
        raise Refused(
            f"{what} has a character that the services' files do not all read alike: a space, a quote, a backslash, a line break, "
            "or not ASCII",
            "use letters, digits and other visible ASCII characters",
            hidden=True,
        )


def _of_length(text: str, least: int, most: int, what: str, why: str) -> str:
    _visible(text, what)
    if not least <= len(text) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise Refused(f"{what} has {wanted} characters: {why}", f"give {wanted} characters", hidden=True)
    return text


def jwt_secret(text: str) -> str:
    """Check the secret of HS256 tokens: 32 to 256 characters (RFC 7518, 3.2: as long as the hash, 32 bytes)."""
    return _of_length(text, 32, 256, "a JWT secret", "HS256 wants a key as long as its hash")


def secret_key_base(text: str) -> str:
    """Check SECRET_KEY_BASE: 64 to 256 characters (Phoenix refuses to make cookies with fewer than 64 bytes)."""
    return _of_length(text, 64, 256, "a secret key base", "Phoenix takes no fewer than 64")


def aes128_key(text: str) -> str:
    """Check a text whose bytes are an AES-128 key (Realtime's DB_ENC_KEY): 16 characters."""
    return _of_length(text, 16, 16, "Realtime's database key", "its bytes are an AES-128 key")


def aes256_key(text: str) -> str:
    """Check a text whose bytes are an AES-256 key (Supavisor's VAULT_ENC_KEY): 32 characters."""
    return _of_length(text, 32, 32, "the pooler's vault key", "its bytes are an AES-256 key")


def vault_root_key(text: str) -> str:
    """Check the key that the vault extension seals with: 64 hex digits, which it reads as the 32 bytes of the key."""
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", text, re.ASCII):
        raise Refused(
            "the vault's root key has 64 hex digits, which are the 32 bytes of a key",
            "take it over whole, without a line break at its end, or leave it out: it is generated",
            hidden=True,
        )
    return text


def crypto_key(text: str) -> str:
    """Check the key with which Studio and postgres-meta hide connection strings: 32 characters, as upstream makes it."""
    return _of_length(text, 32, 32, "the crypto key of Studio and postgres-meta", "upstream's has as many")


def access_key_secret(text: str) -> str:
    """Check the secret of an S3 access key: 16 to 128 characters."""
    return _of_length(text, 16, 128, "an S3 secret key", "fewer can be guessed, more are not signed with by all clients")


def token(text: str) -> str:
    """Check a token that a service hands out or takes: 8 to 512 visible ASCII characters."""
    return _of_length(text, 8, 512, "a token", "a shorter one is none")


def anon_key(text: str) -> str:
    """Check a user's own ANON_KEY."""
    return _role_key(text, keys.ANON)


def service_role_key(text: str) -> str:
    """Check a user's own SERVICE_ROLE_KEY."""
    return _role_key(text, keys.SERVICE_ROLE)


def _role_key(text: str, role: str) -> str:
    fix = f"give an HS256 token whose claims say role {role} and when it ends, signed with jwtSecret; or leave it out: it is made"
    try:
        header, claims = keys.unverified(text)
        end = keys.expiry(text)
    except keys.KeyFormError as error:
        raise Refused(str(error), fix, hidden=True) from None
    if header.get("alg") != "HS256":
        raise Refused("it is not signed with HS256", fix, hidden=True)
    if claims.get("role") != role:
        raise Refused(f"it is not a key of the role {role}", fix, hidden=True)
    if end is None:
        raise Refused("it does not say when it ends (claim exp)", fix, hidden=True)
    return text


OPAQUE: Final = {
    "publishableKey": (keys.PUBLISHABLE_PREFIX, PUBLISHABLE_KEY),
    "secretKey": (keys.SECRET_PREFIX, SECRET_KEY),
}
"""Prefix of each sb_ key, by setting, and the Supabase CLI's own, whose checksum is of another kind."""


def publishable_key(text: str) -> str:
    """Check the form of a user's own publishable key; `secret_contradictions` checks the checksum, where it is a self-hosted stack's."""
    return _opaque(text, keys.PUBLISHABLE_PREFIX)


def secret_key(text: str) -> str:
    """Check the form of a user's own secret key, as `publishable_key`."""
    return _opaque(text, keys.SECRET_PREFIX)


def _opaque(text: str, prefix: str) -> str:
    # 22 random characters, _ and 8 of a checksum; Supabase's platform is left some room.
    if not text.startswith(prefix) or not re.fullmatch(r"[A-Za-z0-9_-]{24,100}", text.removeprefix(prefix), re.ASCII):
        raise Refused(
            f"it does not begin with {prefix}, or is not as long as such a key, or has a character that none has",
            "take it over whole from where it was made, or leave it out: it is made",
            hidden=True,
        )
    return text


def signing_key(text: str) -> str:
    """Check a private EC P-256 key as JWK."""
    try:
        keys.read_signing_key(text)
    except keys.KeyFormError as error:
        fix = "give what `supabase gen signing-key --algorithm ES256` prints, one object; or leave it out: it is made"
        raise Refused(str(error), fix, hidden=True) from None
    return text


def private_key(text: str) -> str:
    """Check a private key in PEM, without a password."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    fix = "give the whole file, from -----BEGIN to -----END: `pulumi config set --secret supastack:tlsKey < key.pem`"
    try:
        load_pem_private_key(text.encode(), password=None)
    except TypeError:
        raise Refused("it is encrypted with a password, which nobody could type in", "give it without one", hidden=True) from None
    except (ValueError, UnsupportedAlgorithm):
        raise Refused("it is not a private key in PEM", fix, hidden=True) from None
    return text


def outside_secret(text: str) -> str:
    """Check a password or key that others made: anything on one line, without spaces around it."""
    if not text or text != text.strip() or not text.isprintable():
        raise Refused(
            "it is empty, has spaces around it, or a line break or another control character in it",
            "take it over as its maker shows it, on one line",
            hidden=True,
        )
    return secret_variable(text)


def secret_variable(text: str) -> str:
    """Check the value of a secret environment variable: anything but a NUL, and not too long for one."""
    if "\0" in text:
        raise Refused("it has a NUL, which ends a text in an environment", "take it out", hidden=True)
    if len(text.encode()) > _MOST_BYTES:
        raise Refused(
            "it is longer than an environment variable can be (128 KiB with its name)", "choose a shorter one", hidden=True
        )
    return text


def function_secret_name(text: str) -> str:
    """Check the name of a secret of the functions: a variable's, and none that the stack gives them itself."""
    if text.startswith("SUPABASE_"):
        raise Refused("names that begin with SUPABASE_ are the stack's own", "choose another name")
    if text in OF_THE_ROUTER:
        raise Refused("it is what the functions' router goes by, and is given to no function", "choose another name")
    return variable_name(text)
