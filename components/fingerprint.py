"""A mark by which a secret can be recognised, not recovered.

A database keeps the password it was initialised with, so a volume and its password are a pair. The mark stands on the volume as a
label; before an `up` the password at hand is held against it.
"""

import hashlib

# A guess costs 16 MiB; one mark costs the program some 50 ms (measured on 2 shared cores).
_COST = {"n": 2**14, "r": 8, "p": 1}


def fingerprint(secret: str, salt: str) -> str:
    """Mark of a secret, 32 hex digits, by scrypt (RFC 7914); `salt` is the stack's random id."""
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), dklen=16, **_COST).hex()
