"""Random values. All come from the operating system's cryptographic source (the `secrets` module)."""

import base64
import secrets
import string
from dataclasses import dataclass

SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
"""The special characters where the program gives none (terraform-provider-random, internal/random/string.go, specialChars)."""

BCRYPT_BYTES = 72
"""bcrypt looks at no more; the rest is cut off (terraform-provider-random 3.5.1, CHANGELOG, #397)."""

_BCRYPT_COST = 10
"""golang.org/x/crypto/bcrypt.DefaultCost, which the official plugin uses."""


@dataclass(frozen=True)
class Class:
    """One class of characters: whether the rest is drawn from it too, and how many there are at least."""

    characters: str
    used: bool
    minimum: int


def text(length: int, classes: list[Class]) -> str:
    """`length` characters in random order: the minimum of every class, used or not, and the rest from the used ones.

    That a minimum counts for an unused class too is in internal/random/string.go, CreateString.
    """
    drawn = [secrets.choice(c.characters) for c in classes for _ in range(c.minimum)]
    pool = "".join(c.characters for c in classes if c.used)
    drawn += [secrets.choice(pool) for _ in range(length - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


def classes(
    *, lower: bool, upper: bool, numeric: bool, special: bool, special_characters: str, minimums: tuple[int, int, int, int]
) -> list[Class]:
    """The four classes of passwords and strings; `minimums` in the order lower, upper, numeric, special."""
    alphabets = (string.ascii_lowercase, string.ascii_uppercase, string.digits, special_characters or SPECIAL)
    return [Class(*row) for row in zip(alphabets, (lower, upper, numeric, special), minimums, strict=True)]


def bcrypt_hash(password: str) -> str:
    """A bcrypt hash as Go writes it ($2a$10$...)."""
    import bcrypt

    return bcrypt.hashpw(password.encode()[:BCRYPT_BYTES], bcrypt.gensalt(_BCRYPT_COST, prefix=b"2a")).decode()


def uuid_text(value: bytes) -> str:
    """16 bytes in the form of a UUID. As hashicorp/go-uuid's GenerateUUID, which marks neither version nor variant."""
    digits = value.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def unpadded_base64(value: bytes) -> str:
    """URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
