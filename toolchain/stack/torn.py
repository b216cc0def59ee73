"""What a killed engine left half written in a file backend, which every later command would fail on."""

import json
from pathlib import Path

from toolchain.announce import ToolchainError, note
from toolchain.context import Context
from toolchain.stack import locks
from toolchain.stack.config import project_name


def mend(context: Context) -> bool:
    """Remove the stack's torn attribute files. Returns whether there was one; nothing is done while an engine works on the stack.

    The backend's library replaces a state in one step, but writes the attributes beside it (`.attrs`: a content type and a checksum that
    nothing reads) in place (gocloud.dev blob/fileblob, `setAttrs`). Killed between, it leaves an empty one, and reads the state no more:
    "failed to load checkpoint: EOF". Without the file it does.
    """
    if _worked_on(context):
        return False
    torn = [path for path in _attributes(context) if not _whole(path)]
    for path in torn:
        path.unlink(missing_ok=True)
        note(f"state: removed {path.name}, which a killed engine left half written; the state itself is whole")
    return bool(torn)


def _worked_on(context: Context) -> bool:
    try:
        return any(lock.host != locks.HERE or locks.is_alive(lock) for lock in locks.backend_locks(context))
    except ToolchainError:
        # A lock that can't be read: whoever clears the locks says so.
        return True


def _attributes(context: Context) -> list[Path]:
    folder = locks.backend_folder(context)
    return [] if folder is None else sorted((folder / "stacks" / project_name(context.root)).glob(f"{context.stack}.json*.attrs"))


def _whole(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except FileNotFoundError:
        return True
    except ValueError:
        return False
