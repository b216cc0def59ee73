"""The node's first process: `python -m toolchain.cluster.node FOLDER`, in namespaces of its own.

It runs as process 1 of a process, mount and network namespace (toolchain/cluster/machine.py makes them with unshare(1)). So everything
of the cluster, its containers, mounts, packet filter rules and devices, ends with this one process, however that ends, and a second
cluster or a Docker daemon on the same machine never meets it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from toolchain.cluster import layout as layouts
from toolchain.cluster.configuration import Program, programs
from toolchain.cluster.layout import DEVICE, HIDDEN, MADE_TO_HIDE, POD_NETWORK, Layout

_TICK_SECONDS = 0.1
_KEEP_DATA = ("etcd", "containerd")
_END_SECONDS = 10.0
"""How long those that keep data have to end before the node ends under them."""
_PAUSE_SECONDS = 1.0
"""Between the end of a program and its next start."""
_KERNEL = {"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1"}
"""What the kubelet wants of the kernel (pkg/kubelet/cm, setupKernelTunables). These belong to the whole machine, so it is shown what it
wants to see, and the machine stays as it is."""


@dataclass
class _Running:
    program: Program
    process: "subprocess.Popen[bytes] | None" = None
    starts: int = 0
    not_before: float = 0.0
    wanted: bool = True
    last_exit: int | None = None


def main(folder: Path) -> int:
    """Run the node until it is told to end."""
    layout = layouts.load(folder)
    assert layout is not None, folder
    _make_mounts(layout)
    server = _listen(layout)
    _make_network(layout, server)
    Node(layout, server).run()
    return 0


def _run(*command: str, given: str | None = None) -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"{' '.join(command)}: {done.stderr.strip()}", flush=True)
        sys.exit(1)


def _make_mounts(layout: Layout) -> None:
    # The process list and devices as these namespaces see them.
    _run("mount", "-t", "proc", "proc", "/proc")
    keep = layout.folder / "cgroup"
    keep.mkdir(exist_ok=True)
    _run("mount", "--rbind", "/sys/fs/cgroup", str(keep))
    _run("mount", "-t", "sysfs", "sysfs", "/sys")
    _run("mount", "--move", str(keep), "/sys/fs/cgroup")
    keep.rmdir()
    # What programs write to fixed places is not for the machine: its own are hidden by empty ones.
    for place in (*HIDDEN, *MADE_TO_HIDE):
        Path(place).mkdir(mode=0o700, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
    for name, value in _KERNEL.items():
        shown = Path("/run") / name.replace("/", ".")
        shown.write_text(f"{value}\n")
        _run("mount", "--bind", str(shown), f"/proc/sys/{name}")
    # DNS of the node: what is at /etc/resolv.conf may be a link into the machine's /run.
    resolved = Path("/etc/resolv.conf")
    if resolved.exists():
        _run("mount", "--bind", str(layout.config / "resolv.conf"), str(resolved))
    # Volumes that are mounted for a container later must get there.
    _run("mount", "--make-rshared", "/")
    for controller in _hierarchies():
        (controller / layout.cgroup.strip("/")).mkdir(exist_ok=True)


def _hierarchies() -> list[Path]:
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        return [root]
    return [one for one in root.iterdir() if one.is_dir() and not one.is_symlink() and (one / "cgroup.procs").exists()]


def _listen(layout: Layout) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    layout.control.unlink(missing_ok=True)
    folder = os.open(layout.folder, os.O_PATH)
    # By way of an open folder, since a socket's path may have 107 characters only.
    server.bind(f"/proc/self/fd/{folder}/{layout.control.name}")
    os.close(folder)
    server.listen(16)
    return server


def _make_network(layout: Layout, server: socket.socket) -> None:
    _run("ip", "link", "set", "lo", "up")
    # The machine's side makes the link once it knows this process by the socket.
    while not Path("/sys/class/net", DEVICE).exists():
        _answer(server, lambda _words: {"state": "waiting for its network"}, 0.05)
    _run("ip", "address", "add", f"{layout.node_address}/30", "dev", DEVICE)
    _run("ip", "link", "set", DEVICE, "up")
    _run("ip", "route", "add", "default", "via", layout.host_address)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")
    rules = f"""
        table ip supastack_node {{
            chain leaving {{
                type nat hook postrouting priority srcnat
                ip saddr {POD_NETWORK} oifname "{DEVICE}" masquerade
            }}
        }}
    """
    _run("nft", "-f", "-", given=rules)


def _answer(server: socket.socket, reply: Callable[[Sequence[str]], object], seconds: float) -> None:
    """Answer one connection if there is one within the time."""
    server.settimeout(seconds)
    try:
        connection, _ = server.accept()
    except (TimeoutError, InterruptedError):
        return
    with connection:
        connection.settimeout(2)
        try:
            words = connection.recv(1000).decode().split()
            connection.sendall(json.dumps(reply(words)).encode() + b"\n")
        except OSError:
            return


class Node:
    """Keeps the programs running and takes commands."""

    def __init__(self, layout: Layout, server: socket.socket) -> None:
        self._layout = layout
        self._server = server
        self._ending = False
        self._all = {program.name: _Running(program) for program in programs(layout, layouts.binaries_of(layout))}
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def run(self) -> None:
        """Until told to end."""
        while not self._ending:
            self._reap()
            for one in self._all.values():
                if one.wanted and one.process is None and time.monotonic() >= one.not_before and _accepts(one.program.needs):
                    self._start(one)
            _answer(self._server, self._command, _TICK_SECONDS)
        self._end_all()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _command(self, words: Sequence[str]) -> dict[str, object]:
        match list(words):
            case ["status"]:
                return {
                    "state": "running",
                    "programs": {
                        name: {"running": one.process is not None, "starts": one.starts, "last_exit": one.last_exit}
                        for name, one in self._all.items()
                    },
                }
            case ["end"]:
                self._ending = True
            case [("stop" | "start" | "kill") as verb, name] if name in self._all:
                one = self._all[name]
                # A killed one comes back by itself, as after a crash; a stopped one when it is started.
                one.wanted = verb != "stop"
                one.not_before = 0.0
                if verb != "start" and one.process is not None:
                    one.process.send_signal(signal.SIGTERM if verb == "stop" else signal.SIGKILL)
            case _:
                return {"error": f"unknown command: {' '.join(words)}"}
        return {"state": "done"}

    def _start(self, one: _Running) -> None:
        path = self._layout.logs / f"{one.program.name}.log"
        with path.open("ab") as log:
            one.process = subprocess.Popen(
                one.program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"},
            )
        one.starts += 1

    def _reap(self) -> None:
        """Take note of what ended: our programs, and the orphans that every process 1 inherits."""
        by_pid = {one.process.pid: one for one in self._all.values() if one.process is not None}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in by_pid:
                one = by_pid[pid]
                assert one.process is not None
                one.last_exit = one.process.returncode = os.waitstatus_to_exitcode(status)
                one.process = None
                one.not_before = time.monotonic() + _PAUSE_SECONDS
                print(f"{one.program.name} ended with {one.last_exit}", flush=True)

    def _end_all(self) -> None:
        running = [one for one in self._all.values() if one.process is not None]
        for one in running:
            assert one.process is not None
            # The others keep nothing that a sudden end could harm, and would wait for one another.
            one.process.send_signal(signal.SIGTERM if one.program.name in _KEEP_DATA else signal.SIGKILL)
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline and any(one.process is not None for one in running):
            self._reap()
            time.sleep(0.05)


def _accepts(address: str | None) -> bool:
    if address is None:
        return True
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=0.5):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
