"""Which process listens on a port of this machine, as far as it can be told (Linux)."""

from pathlib import Path

_LISTEN = "0A"


def holder(port: int) -> str | None:
    """`name (pid n)` of the process that listens on a TCP port; None where that can't be told."""
    inodes = _inodes(port)
    if not inodes:
        return None
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if any(_link(fd) in inodes for fd in (entry / "fd").iterdir()):
                return f"{(entry / 'comm').read_text().strip()} (pid {entry.name})"
        except OSError:  # another user's, or gone
            continue
    return None


def _link(fd: Path) -> str:
    try:
        return str(fd.readlink())
    except OSError:  # closed in the meantime, as the listing's own is
        return ""


def _inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rsplit(":", 1)[1], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found
