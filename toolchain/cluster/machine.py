"""The machine's side of a node: what it needs, its namespaces, its link, and what is left of one that was killed."""

import contextlib
import ipaddress
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolchain.announce import fail
from toolchain.cluster import outward
from toolchain.cluster.layout import DEVICE, LINKS, MADE_TO_HIDE, NUMBERS, Layout
from toolchain.context import ROOT
from toolchain.setup import system
from toolchain.setup.folders import key_of

LOCK = Path("/run/supastack-cluster.lock")
"""Held while a node starts or ends: numbers are the machine's."""
_START_SECONDS = 30.0
_CNI = Path("/usr/lib/cni")
_PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "socat": "socat",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "mount": "mount",
}
"""Programs the node runs or its programs call, and the Debian packages they are in. docker.io brings containerd and runc along."""
_CNI_PLUGINS = ("ptp", "host-local", "portmap")
_CNI_PACKAGE = "containernetworking-plugins"


def missing_packages() -> list[str]:
    """The Debian packages whose programs are not here."""
    found = {package for program, package in _PACKAGES.items() if _which(program) is None}
    if not all((_CNI / name).exists() for name in _CNI_PLUGINS):
        found.add(_CNI_PACKAGE)
    return sorted(found)


def ensure_packages() -> None:
    """Have what a node needs on this machine. Raises ToolchainError with what is missing and how to get it."""
    if sys.platform != "linux":
        fail(
            "A cluster of our own runs on Linux only. On another system use one that you have (kind, k3d, Docker Desktop):"
            " name it by the stack's kubeconfig and context settings; tests take KUBECONFIG and SUPASTACK_TEST_CONTEXT."
        )
    missing = missing_packages()
    command = f"apt-get install {' '.join(missing)}"
    if os.geteuid() != 0:
        also = f" (first: sudo {command})" if missing else ""
        fail(
            "A cluster of our own needs root: the kubelet mounts volumes and makes network devices. Run the same with sudo"
            f"{also}, or use a cluster that you have: KUBECONFIG and SUPASTACK_TEST_CONTEXT choose it for tests."
        )
    if missing:
        if not system.can_apt_install():
            fail(f"A cluster of our own needs {', '.join(missing)}. Debian and Ubuntu have them: {command}")
        system.apt_install(missing, "a Kubernetes node")


def restricts_oom_score() -> bool:
    """Whether processes of this machine may not be made less likely to be ended when memory is short, as some containers have it."""
    test = ["sh", "-c", "echo -998 > /proc/self/oom_score_adj"]
    return subprocess.run(test, stderr=subprocess.DEVNULL, check=False).returncode != 0


def free_number() -> int:
    """A number whose addresses no route or device of this machine has. Raises ToolchainError if there is none."""
    free = next((number for number in NUMBERS if is_free(Layout(Path(), number))), None)
    if free is None:
        fail("No free addresses for a cluster: 10.213.0.0 to 10.213.199.0 are all routed somewhere. See `ip route`.")
    return free


def is_free(layout: Layout) -> bool:
    """Whether no route and no device of this machine has what this cluster would take."""
    output = system.run(["ip", "-json", "route", "show", "table", "all"], "reading this machine's routes")
    address = ipaddress.ip_address(layout.node_address)
    for route in json.loads(output or "[]"):
        with contextlib.suppress(ValueError):
            if address in ipaddress.ip_network(route.get("dst", ""), strict=False):
                return False
    return not Path("/sys/class/net", layout.link).exists()


def ask(layout: Layout, command: str) -> dict[str, Any] | None:
    """Send the node a command. Returns what it says, None where there is no node."""
    connected = _connect(layout)
    if connected is None:
        return None
    with connected as connection:
        connection.settimeout(30)
        connection.sendall(command.encode())
        answer = b""
        with contextlib.suppress(OSError):
            while chunk := connection.recv(65536):
                answer += chunk
        return json.loads(answer) if answer else None


def process_of(layout: Layout) -> int | None:
    """The node's first process as this machine knows it, None where there is none. Asked of the kernel, so never another's."""
    connected = _connect(layout)
    if connected is None:
        return None
    with connected as connection:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        # Closed unread: the node takes it as an empty command.
        return int(struct.unpack("3i", credentials)[0]) or None


def _connect(layout: Layout) -> socket.socket | None:
    if not layout.control.exists():
        return None
    folder = os.open(layout.folder, os.O_PATH)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{layout.control.name}")
    except OSError:
        connection.close()
        return None
    finally:
        os.close(folder)
    return connection


def start(layout: Layout) -> int:
    """Start the node's first process and give it its link. Returns its process id. Raises ToolchainError."""
    remove_leftovers(layout)
    log = layout.logs / "node.log"
    namespaces = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
    with log.open("ab") as out:
        started = subprocess.Popen(
            [*namespaces, sys.executable, "-m", "toolchain.cluster.node", str(layout.folder)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
    deadline = time.monotonic() + _START_SECONDS
    while (pid := process_of(layout)) is None:
        if started.poll() is not None or time.monotonic() > deadline:
            started.kill()
            fail(f"The node does not start:\n{system.tail(log.read_text(errors='replace').splitlines())}")
        time.sleep(0.05)
    what = "making the node's link"
    system.run(["ip", "link", "add", layout.link, "type", "veth", "peer", "name", DEVICE, "netns", str(pid)], what)
    system.run(["ip", "link", "set", layout.link, "alias", _owner(layout)], what)
    system.run(["ip", "address", "add", f"{layout.host_address}/30", "dev", layout.link], what)
    system.run(["ip", "link", "set", layout.link, "up"], what)
    return pid


def end(layout: Layout, seconds: float = 20.0) -> None:
    """End the node: in good order, and else by killing its first process, with which the kernel ends all the others."""
    pid = process_of(layout)
    if pid is not None:
        handle = os.pidfd_open(pid)
        try:
            ask(layout, "end")
            if not _ended(handle, seconds):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                _ended(handle, seconds)
        finally:
            os.close(handle)
    remove_leftovers(layout)


def _ended(handle: int, seconds: float) -> bool:
    return bool(select.select([handle], [], [], seconds)[0])


def remove_leftovers(layout: Layout) -> None:
    """Remove what outlives a node: its control groups, its way out, and its link if the kernel has not yet done so."""
    layout.control.unlink(missing_ok=True)
    if _alias(layout) not in {_owner(layout), None}:
        # After this cluster had ended another one was given its number.
        return
    outward.forbid(layout)
    subprocess.run(["ip", "link", "delete", layout.link], stderr=subprocess.DEVNULL, check=False)
    deadline = time.monotonic() + 5
    while _remove_cgroups(layout) and time.monotonic() < deadline:
        time.sleep(0.1)
    if not any(Path("/sys/class/net").glob(f"{LINKS}*")):
        # Not while another node runs: removing a folder unmounts what is mounted there, in all mount namespaces.
        for place in MADE_TO_HIDE:
            with contextlib.suppress(OSError):
                Path(place).rmdir()


def _alias(layout: Layout) -> str | None:
    """What its link says of whose it is; None where there is none, or the kernel takes it down just now."""
    try:
        return Path("/sys/class/net", layout.link, "ifalias").read_text().strip()
    except OSError:
        return None


def _owner(layout: Layout) -> str:
    """Whose link it is: the folder, short enough for a device's alias."""
    return f"supastack cluster {key_of(str(layout.folder))}"


def _remove_cgroups(layout: Layout) -> bool:
    """Remove the node's control groups. Returns whether one is left, as those of processes that have not quite ended."""
    name = layout.cgroup.strip("/")
    left = False
    for top in (*Path("/sys/fs/cgroup").glob(name), *Path("/sys/fs/cgroup").glob(f"*/{name}")):
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                left = True
    return left


def inside(pid: int, command: Sequence[str]) -> list[str]:
    """A command line that runs in the node's namespaces."""
    return ["nsenter", f"--target={pid}", "--mount", "--net", "--pid", "--uts", "--ipc", *command]


def _which(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")
