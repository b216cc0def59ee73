"""Runs the programs that set things up, and Debian's package manager."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from toolchain.announce import ToolchainError, step

_GRACE_SECONDS = 10.0
"""What an interrupted program has to end by itself."""


def run(
    command: Sequence[str],
    what: str,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    seconds: float | None = None,
) -> str:
    """Run a program to its end and return its output (stdout and stderr together).

    `what` names the work in the error. `on_line` is called with each line as it comes. Raises ToolchainError with the last
    lines of the output if the program fails, can't be started, or takes longer than `seconds`.
    """
    lines: list[str] = []
    try:
        # A session of its own, so that its children can be ended with it.
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ToolchainError(f"{what}: {command[0]} can't be started: {error.strerror}") from None
    too_long = threading.Event()

    def stop() -> None:
        too_long.set()
        _end(process)

    timer = threading.Timer(seconds, stop) if seconds is not None else None
    if timer:
        timer.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if on_line:
                on_line(line.rstrip("\n"))
        code = process.wait()
    except BaseException:
        _end(process)
        process.wait()
        raise
    finally:
        if timer:
            timer.cancel()
    if code != 0 or too_long.is_set():
        why = f"stopped after {seconds:.0f} s" if too_long.is_set() else f"exit code {code}"
        raise ToolchainError(f"{what} failed ({why}): {' '.join(command[:3])} ...\n{tail(lines)}")
    return "".join(lines)


def _end(process: "subprocess.Popen[str]") -> None:
    """Interrupt a program and its children, and kill what is left of them after a while.

    A package manager that is killed at once leaves half a package; apt-get ends the one it is at when it is interrupted.
    """
    try:
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGINT)
            process.wait(_GRACE_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def tail(lines: Sequence[str], count: int = 15) -> str:
    """The last lines of an output, indented for an error text."""
    return "\n".join("    " + line.rstrip() for line in deque((one for one in lines if one.strip()), count))


def can_apt_install() -> bool:
    """Whether Debian packages can be installed from here: root, on Debian or Ubuntu or what descends from them."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: Sequence[str], why: str) -> None:
    """Install Debian packages as root, as an announced step. Raises ToolchainError."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step("apt", f"install {', '.join(packages)} ({why})") as current:

        def show(line: str) -> None:
            if line.startswith(("Get:", "Unpacking", "Setting up")):
                current.progress(" ".join(line.split()[:3]))

        what = f"installing {', '.join(packages)}"
        # Another apt may be at work for a while (unattended upgrades, say).
        wait = ("-o", "DPkg::Lock::Timeout=60")
        command = ["apt-get", "install", "-y", "-q", "--no-remove", "--no-install-recommends", *wait, *packages]
        try:
            run(command, what, env=env, on_line=show)
        except ToolchainError:
            # Mostly the package lists are missing or old.
            run(["apt-get", "update", "-q", *wait], "apt-get update", env=env, on_line=show)
            run(command, what, env=env, on_line=show)
