"""Who works on a stack: our own lock, and the backend's locks, which a killed engine leaves behind."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from toolchain.announce import fail, note
from toolchain.context import Context
from toolchain.stack.config import project_name

_STARTED_LATER_SECONDS = 5.0
"""A process that started this much later than the lock was made has only the same number."""

HERE = socket.gethostname()
"""This machine, as the engine writes it into its locks."""

_held: set[Path] = set()
"""The locks that this process holds."""


@dataclass(frozen=True)
class BackendLock:
    """A lock of the file backend (pulumi pkg/backend/diy/lock.go, `lockContent`)."""

    path: Path
    pid: int
    host: str
    user: str
    made: float
    """Seconds since 1970."""


@contextmanager
def exclusive(context: Context) -> Iterator[None]:
    """Hold this clone's lock on the stack while something changes it. Raises ToolchainError where another command holds it.

    The backend's own lock comes too late: what happens before the engine starts (removing leftovers) must meet no other engine.
    Where this process holds it already, it is held until the outermost `with` ends.
    """
    folder = context.private / "stacks"
    path = folder / f"{context.stack}.busy"
    if path in _held:
        yield
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            fail(f"another command works on stack {context.stack}{f' ({holder})' if holder else ''}: wait until it is done")
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)


def remove_stale(context: Context) -> bool:
    """Remove the locks of engines that are dead, and end what they left running. Returns whether there was one.

    Raises ToolchainError where an engine that lives, or one on another machine, holds the stack.
    """
    removed = False
    for lock in backend_locks(context):
        since = datetime.fromtimestamp(lock.made).astimezone().isoformat(" ", "seconds")
        if lock.host != HERE:
            fail(
                f"stack {context.stack} is locked by {lock.user}@{lock.host} (process {lock.pid}) since {since}, "
                f"which can't be looked at from here.\n"
                f"  If that machine is no longer at work on it: pulumi cancel --yes -s {context.stack}"
            )
        if is_alive(lock):
            fail(
                f"stack {context.stack} is being worked on by process {lock.pid} since {since}: wait until it is done, or stop it"
            )
        end_left_processes(context)
        lock.path.unlink(missing_ok=True)
        lock.path.with_name(f"{lock.path.name}.attrs").unlink(missing_ok=True)
        note(f"lock: removed the one of process {lock.pid}, which was killed (since {since})")
        removed = True
    return removed


def backend_locks(context: Context) -> list[BackendLock]:
    """The locks on the stack in a file backend; none for other backends, which can't be looked into."""
    backend = backend_folder(context)
    if backend is None:
        return []
    found = []
    for path in sorted((backend / "locks" / "organization" / project_name(context.root) / context.stack).glob("*.json")):
        try:
            content = json.loads(path.read_text())
            made = datetime.fromisoformat(content["timestamp"]).timestamp()
            found.append(BackendLock(path, int(content["pid"]), content["hostname"], content.get("username", "?"), made))
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError):
            # Torn by the same kill that left it. Who made it is unknown, so only its age can tell.
            fail(f"the lock {path} can't be read: if no pulumi works on stack {context.stack} now, remove the file")
    return found


def backend_folder(context: Context) -> Path | None:
    """Where a file backend keeps what it has; None for other backends."""
    url = context.env.get("PULUMI_BACKEND_URL", "")
    if not url.startswith("file://"):
        return None
    return Path(url.removeprefix("file://").partition("?")[0]).expanduser() / ".pulumi"


def is_alive(lock: BackendLock) -> bool:
    """Whether the process that made a lock on this machine still runs."""
    try:
        os.kill(lock.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    started = _started(lock.pid)
    return started is None or started < lock.made + _STARTED_LATER_SECONDS


def end_left_processes(context: Context) -> None:
    """End language hosts and plugins whose engine was killed: one could still be making a container. Linux only.

    They have lost their parent, are language hosts, plugins or dynamic providers, and have this clone's PULUMI_HOME and backend.
    """
    mine = {name: context.env.get(name, "") for name in ("PULUMI_HOME", "PULUMI_BACKEND_URL")}
    left = [pid for pid in _processes() if _is_left(pid, mine)]
    if not left:
        return
    for pid in left:
        _signal_tree(pid, signal.SIGTERM)
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and any(_parent(pid) is not None for pid in left):
        time.sleep(0.05)
    for pid in left:
        _signal_tree(pid, signal.SIGKILL)
    note(f"processes: ended {len(left)} that a killed engine left running")


def _is_left(pid: int, environment: dict[str, str]) -> bool:
    # Without an engine they belong to process 1, or to whatever stands in for it (a subreaper): not to a pulumi.
    parent = _parent(pid)
    if parent is None or _is_plugin(parent) or Path(_command(parent)[:1][0] if _command(parent) else "").name == "pulumi":
        return False
    if not _is_plugin(pid):
        return False
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    values = dict(item.split("=", 1) for item in raw.decode(errors="replace").split("\0") if "=" in item)
    return all(value and values.get(name) == value for name, value in environment.items())


def _is_plugin(pid: int) -> bool:
    words = _command(pid)[:5]
    # Dynamic providers run as `python -u -m pulumi.dynamic`.
    return "pulumi.dynamic" in words or any(Path(w).name.startswith(("pulumi-resource-", "pulumi-language-")) for w in words)


def _processes() -> list[int]:
    try:
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    except OSError:
        return []


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from the third on (proc(5)); None where there is no such process or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _started(pid: int) -> float | None:
    """When a process started, in seconds since 1970; None where that can't be told."""
    fields = _stat(pid)
    if fields is None:
        return None
    try:
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
        return float(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, StopIteration, ValueError, IndexError):
        return None


def _signal_tree(pid: int, number: signal.Signals) -> None:
    children = [p for p in _processes() if _parent(p) == pid]
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
    for child in children:
        _signal_tree(child, number)
