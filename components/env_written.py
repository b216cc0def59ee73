"""Which env files this clone has written: a note of each in its private folder, `.supastack/env-files`.

A file that is missing where it was written has been removed; where it never was, it is another machine's. Only the clone can tell these
apart: hosted runners have names and folders in common. A note holds the file's place, and nothing that is in it.
"""

import contextlib
from pathlib import Path
from typing import Final
from urllib.parse import quote

from components.env_file_header import Owner

_FOLDER: Final = Path(".supastack", "env-files")


def has(root: Path, owner: Owner) -> bool:
    """Whether this clone has written the file. `root`: the folder of Pulumi.yaml."""
    return _note(root, owner).is_file()


def remember(root: Path, owner: Owner, place: str) -> None:
    """Note it. `place`: of the file, for people."""
    note = _note(root, owner)
    # Without it the file is as another machine's: it is not written again once it is removed, and nothing else.
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{place}\n")


def forget(root: Path, owner: Owner) -> None:
    """Take the note away, and the folders that are empty without it."""
    note = _note(root, owner)
    with contextlib.suppress(OSError):
        note.unlink(missing_ok=True)
        note.parent.rmdir()
        note.parent.parent.rmdir()


def _note(root: Path, owner: Owner) -> Path:
    return root / _FOLDER / quote(f"{owner.project}/{owner.stack}/{owner.app}", safe="")
