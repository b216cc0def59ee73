"""The reference that a stack has where the settings name none."""

import hashlib
import string

_LENGTH = 20
"""As a hosted project's."""


def derived(project: str, stack: str) -> str:
    """20 lower case letters, always the same for a stack of a project.

    Letters only: it is the pooler's tenant, in login names, and Storage's, in folders' names. (Realtime's is the constant realtime-dev.)
    """
    # NUL can stand in neither name, so ("a", "bc") and ("ab", "c") differ.
    number = int.from_bytes(hashlib.sha256(f"{project}\0{stack}\0project reference".encode()).digest(), "big")
    letters = []
    for _ in range(_LENGTH):
        number, letter = divmod(number, len(string.ascii_lowercase))
        letters.append(string.ascii_lowercase[letter])
    return "".join(letters)
