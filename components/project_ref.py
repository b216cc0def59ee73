"""The reference that a stack has where the settings name none."""

import hashlib
import string

_LENGTH = 20
"""As a hosted project's."""


def derived(project: str, stack: str) -> str:
    """20 lower case letters, always the same for a stack of a project.

    Letters only: it stands in host names (Realtime reads its tenant off one), in login names of the pooler and in folders' names.
    """
    # NUL can stand in neither name, so ("a", "bc") and ("ab", "c") differ.
    number = int.from_bytes(hashlib.sha256(f"{project}\0{stack}\0project reference".encode()).digest(), "big")
    letters = []
    for _ in range(_LENGTH):
        number, letter = divmod(number, len(string.ascii_lowercase))
        letters.append(string.ascii_lowercase[letter])
    return "".join(letters)
