"""Installs and starts a Docker daemon where none answers: as root, on Debian and Ubuntu."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from toolchain.announce import fail, note, step
from toolchain.context import Context
from toolchain.setup import system

SILENT = "it does not answer in time"
"""What is said of a daemon that is there, and busy or starting: it is waited for."""
_START_SECONDS = 60.0
_PACKAGES = {"dockerd": "docker.io", "iptables": "iptables"}
_PACKAGES_OF_TESTS = {"ip": "iproute2", "busybox": "busybox-static"}


def start(context: Context, problems: Sequence[str], problem: Callable[[], str | None]) -> None:
    """Install what is missing and start a daemon on the default socket; `problem` says why it does not answer yet, or None.

    `problems` says what was tried before, for the error. Raises ToolchainError.
    """
    tried = "".join(f"\n  - {one}" for one in problems) or " no socket was found"
    if os.geteuid() != 0 or (_which("dockerd") is None and not system.can_apt_install()):
        fail(
            f"no Docker daemon answers:{tried}\n"
            "  Install and start one: Docker Engine (https://docs.docker.com/engine/install), Docker Desktop or Colima;\n"
            "  on Debian or Ubuntu: sudo apt-get install docker.io && sudo usermod -aG docker $USER, then log in again.\n"
            "  One that runs elsewhere is named by DOCKER_HOST or `docker context use`."
        )
    for one in problems:
        note(f"docker: {one}")
    ensure_binaries("no Docker daemon answers")
    if wait_while_silent("the Docker daemon", problem) is None:  # the package starts the daemon where an init system runs
        return
    _start(context, problem)


def wait_while_silent(what: str, problem: Callable[[], str | None]) -> str | None:
    """What `problem` says, waiting up to a minute for a daemon that is there and does not answer."""
    why = problem()
    if why != SILENT:
        return why
    with step("docker", f"wait for {what}") as current:
        deadline = time.monotonic() + _START_SECONDS
        while why == SILENT and time.monotonic() < deadline:
            current.progress(why)
            time.sleep(0.2)
            why = problem()
    return why


def ensure_binaries(why: str, *, for_tests: bool = False) -> None:
    """Install the daemon's programs where they are missing, without starting one ourselves. Raises ToolchainError.

    `for_tests`: also what the tests use beside the daemon: ip, a static busybox for their images, the docker command.
    """
    wanted = {**_PACKAGES, **(_PACKAGES_OF_TESTS if for_tests else {})}
    _ensure_packages([package for program, package in wanted.items() if not _which(program)], why)
    if for_tests and not _which("docker"):
        # Debian's docker.io brought it along up to bookworm.
        _ensure_packages(["docker-cli"], why)


def _ensure_packages(missing: Sequence[str], why: str) -> None:
    if not missing:
        return
    if not system.can_apt_install():
        command = f"sudo apt-get install {' '.join(missing)}"
        fail(f"{why}, and {', '.join(missing)} can only be installed as root on Debian or Ubuntu: {command}")
    system.apt_install(missing, why)


def _has_systemd() -> bool:
    return Path("/run/systemd/system").exists()


def _which(program: str) -> str | None:
    # Root's PATH lacks the sbin folders in some shells.
    return shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")


def _start(context: Context, problem: Callable[[], str | None]) -> None:
    if _has_systemd():
        with step("docker", "start Docker (systemctl start docker)"):
            system.run(["systemctl", "start", "docker"], "starting Docker")
            _wait(problem, lambda: None, "journalctl -u docker")
        return
    folder = context.private / "docker"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / "dockerd.log"
    with step("docker", "start dockerd") as current:
        with log.open("ab") as out:
            # A session of its own, so that Ctrl-C here does not reach it.
            process = subprocess.Popen(
                [_which("dockerd") or "dockerd"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        (folder / "dockerd.pid").write_text(f"{process.pid}\n")
        _wait(problem, process.poll, f"its log: {log}", log)
        current.done(f"started dockerd (process {process.pid}, log {log})")


def _wait(problem: Callable[[], str | None], ended: Callable[[], int | None], where: str, log: Path | None = None) -> None:
    deadline = time.monotonic() + _START_SECONDS
    why = problem()
    while why is not None:
        code = ended()
        # Asked once more: another daemon may have come up or be about to, and ours ended because of it.
        if code is not None and wait_while_silent("the other Docker daemon", problem) is None:
            return
        if code is not None or time.monotonic() > deadline:
            happened = f"it ended with exit code {code}" if code is not None else f"after {_START_SECONDS:.0f} s: {why}"
            last = "\n" + system.tail(log.read_text(errors="replace").splitlines()) if log and log.exists() else ""
            fail(f"the Docker daemon does not start: {happened}. See {where}{last}")
        time.sleep(0.2)
        why = problem()
