"""A Docker daemon of the tests' own: its own data, socket and network namespace.

Ports that its containers publish exist in that namespace only, so neither a user's daemon nor a user's ports are ever met. A test
enters the namespace for as long as it talks to the stack.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
from docker.errors import DockerException

_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_BRIDGE = f"supa{os.getpid()}"
"""Of this run alone. A device's name has 15 characters at most."""
_LIBC = ctypes.CDLL(None, use_errno=True)


def why_none() -> str | None:
    """Why no daemon of the tests' own can run on this machine, and what can be run instead; None where one can."""
    if sys.platform != "linux":
        missing = "this is no Linux"
    elif os.geteuid() != 0:
        missing = "this user is not root"
    elif shutil.which("dockerd") is None:
        missing = "dockerd is not installed (as root on Debian or Ubuntu `make test` installs it; elsewhere Docker Engine has it)"
    else:
        return None
    return (
        f"the integration tests start a Docker daemon of their own, by root on Linux, and {missing}. "
        'What needs none of that: make test ARGS="tests/unit tests/contract"'
    )


def _setns(fd: int) -> None:
    # os.setns came with Python 3.12.
    if _LIBC.setns(fd, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _end_with_parent() -> None:
    """A test run that is killed takes its daemon along."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Daemon:
    """dockerd, started and ended by the tests, by pid.

    An `isolated` one has a network namespace of its own; the other one shares the machine's network, with a bridge of its own and no
    packet filter rules, and is good for `docker build --network host` only.
    """

    def __init__(self, folder: Path, *, isolated: bool = True) -> None:
        self.folder = folder
        self.isolated = isolated
        self.data = folder / "data"
        self.socket = folder / "docker.sock"
        self.log = folder / "dockerd.log"
        self.host = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self._namespace: int | None = None
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [
            "dockerd",
            f"--data-root={self.data}",
            f"--exec-root={self.folder / 'exec'}",
            f"--pidfile={self.folder / 'dockerd.pid'}",
            f"--host={self.host}",
            # Containers outlive the daemon otherwise, and a restart is to be a real one.
            "--live-restore=false",
        ]
        if not self.isolated:
            # Not `none`: with that a daemon deletes docker0, which is another one's.
            self._bridge(True)
            command += [f"--bridge={_BRIDGE}", "--iptables=false", "--ip6tables=false"]
        elif self._namespace is None:
            command = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]
        else:
            command = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self._namespace}", *command]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, preexec_fn=_end_with_parent)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.client().ping()
                break
            except DockerException:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"dockerd did not start: {self.log.read_text()[-3000:]}") from None
                time.sleep(0.2)
        if self.isolated and self._namespace is None:
            self._namespace = os.open(f"/proc/{self._process.pid}/ns/net", os.O_RDONLY)

    @staticmethod
    def _bridge(wanted: bool) -> None:
        subprocess.run(["ip", "link", "delete", _BRIDGE], stderr=subprocess.DEVNULL, check=False)
        if wanted:
            subprocess.run(["ip", "link", "add", _BRIDGE, "type", "bridge"], check=True)
            # From the range for tests of network devices (RFC 2544): nobody's own.
            subprocess.run(["ip", "address", "add", "198.18.77.1/24", "dev", _BRIDGE], check=True)

    def client(self) -> docker.DockerClient:
        """A client of it."""
        return docker.DockerClient(base_url=self.host, version="auto", timeout=120)

    def stop(self) -> None:
        """Ends it and waits for its end."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        self._process = None

    def restart(self) -> None:
        """Ends and starts it, in the same namespace."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Ends it, and removes all that it wrote."""
        with contextlib.suppress(DockerException):
            for container in self.client().containers.list(all=True):
                container.remove(force=True)
        self.stop()
        if not self.isolated:
            self._bridge(False)
        # It leaves its own namespace mounted: a folder that nobody could remove.
        subprocess.run(["umount", self.folder / "exec/netns/default"], stderr=subprocess.DEVNULL, check=False)
        # Volumes and layers only: no mount of a running container is left.
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._namespace is not None:
            os.close(self._namespace)
        os.close(self._home)

    @contextlib.contextmanager
    def network(self) -> Iterator[None]:
        """This thread, and what it starts, is in the daemon's network namespace meanwhile."""
        assert self._namespace is not None
        _setns(self._namespace)
        try:
            yield
        finally:
            _setns(self._home)
