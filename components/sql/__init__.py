"""The SQL and shell files that are placed into the databases' containers, written for this project.

They read what differs between stacks (names, passwords) from the environment of the container, so they are the same everywhere and hold
no secret. Every one of them can run again on a database in which it has run.
"""

from functools import cache
from pathlib import Path

from components.service import File, text

_FOLDER = Path(__file__).parent


@cache
def read(name: str) -> str:
    """The content of a file of this folder, by its path in it."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def file(name: str, path: str, mode: int = 0o644) -> File:
    """That file, placed at `path`."""
    return File(path, text(read(name)), mode)
