"""The private folder of a clone, and folders of the cache that appear whole or not at all."""

import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.announce import fail
from toolchain.context import PREVIEW_PASSPHRASE, Context
from toolchain.delivery.settings import preview_number


def ensure_private(context: Context) -> None:
    """Make `.supastack` with its state folder and passphrase, unless the user's own settings take their place.

    The passphrase is never made anew over an existing state, since the secrets in it could then not be read any more.
    Raises ToolchainError in that case.
    """
    private = context.private
    private.mkdir(mode=0o700, exist_ok=True)
    if context.owns_pulumi_home:
        context.pulumi_home.mkdir(mode=0o700, exist_ok=True)
    own_state = context.env.get("PULUMI_BACKEND_URL") == f"file://{private / 'state'}"
    if own_state:
        (private / "state").mkdir(mode=0o700, exist_ok=True)
    passphrase = private / ("passphrase" if context.pull_request is None else PREVIEW_PASSPHRASE)
    if context.env.get("PULUMI_CONFIG_PASSPHRASE_FILE") != str(passphrase):
        return
    if not _says_something(passphrase):
        if has_stacks(context):
            fail(
                f"{passphrase} is {'empty' if passphrase.exists() else 'missing'}, "
                f"but {private / 'state'} holds stacks whose secrets it opens.\n"
                "  Put the file back from your backup, or set PULUMI_CONFIG_PASSPHRASE to what it held.\n"
                f"  If the stacks are of no use without it: remove their containers and volumes, then {private}."
            )
        write_private(passphrase, secrets.token_urlsafe(32) + "\n")
    elif passphrase.stat().st_mode & 0o077:
        passphrase.chmod(0o600)


def _says_something(passphrase: Path) -> bool:
    """Whether the file is there with something in it: a crash of the machine can leave an empty one, or one of zeros."""
    try:
        return bool(passphrase.read_bytes().strip(b"\0 \t\r\n"))
    except FileNotFoundError:
        return False
    except OSError as error:
        fail(f"{passphrase} can't be read: {error.strerror}")


def has_stacks(context: Context) -> bool:
    """Whether the clone's own state folder holds a stack that has the context's passphrase: a preview, or one that is none."""
    # The engine may pack them; what it keeps of removed ones ends in `.bak`.
    stacks = context.private / "state" / ".pulumi" / "stacks"
    names = {file.name.partition(".json")[0] for file in stacks.glob("**/*") if file.name.endswith((".json", ".json.gz"))}
    return any((preview_number(name) is None) == (context.pull_request is None) for name in names)


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, also where the machine crashes; readable by its owner only."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def key_of(*parts: str | Path) -> str:
    """A short key of pins: of the text of each part, or of the content of a file."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:12]


def cached(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, made by `make(temporary)` if it does not exist. It appears whole, also when two commands want it at once."""
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent / f".{folder.name}.lock"):
        if folder.exists():
            return folder
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        try:
            make(temporary)
            temporary.chmod(0o755)
            temporary.rename(folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file. The system lets go of it when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
