"""Makes the virtual environment, then hands over to `python -m toolchain` inside it.

Runs under any Python 3 with its standard library only, and keeps to old syntax: it must live long enough to say that a newer
Python is needed. An option of its own, before the command: `--dev` also installs what tests and lint need.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOOR = (3, 11)


def main(args: "list[str]") -> None:
    """Make what is missing and become `.venv/bin/python -m toolchain <args>`. Does not return."""
    if sys.version_info < FLOOR:
        _use_a_newer_python(args)
    dev = args[:1] == ["--dev"]
    requirements = ["requirements-dev.txt"] if dev else ["requirements.txt", "requirements-dev.txt"]
    # What the tests need includes all that the program needs, so either stamp will do for the program.
    if not any(_is_current(name) for name in requirements):
        _install(requirements[0])
    os.chdir(ROOT)
    _become([str(_python()), "-m", "toolchain", *args[dev:]])


def stamp_value(name: str) -> str:
    """What the stamp of a requirements file must say: the file's hash."""
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


def _become(command: "list[str]") -> None:
    os.execv(command[0], command)  # noqa: S606 - the point is to have one process, not two


def _venv() -> Path:
    return ROOT / ".venv"


def _python() -> Path:
    return _venv() / "bin" / "python"


def _stamp(name: str) -> Path:
    return _venv() / f".installed-{name}"


def _is_current(name: str) -> bool:
    try:
        return _stamp(name).read_text().strip() == stamp_value(name) and _python().exists()
    except OSError:
        return False


def _use_a_newer_python(args: "list[str]") -> None:
    for minor in range(16, FLOOR[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            _become([found, str(Path(__file__).resolve()), *args])
    sys.exit(
        f"error: Python {FLOOR[0]}.{FLOOR[1]} or newer is needed; {sys.executable} is {sys.version.split()[0]}.\n"
        "  Debian 12, Ubuntu 24.04 and later have it: apt-get install python3 python3-venv. macOS: brew install python.\n"
        "  A python3.N on PATH is found by itself."
    )


def _install(name: str) -> None:
    # The script's own folder, where Python put it, would hide packages of the same name.
    sys.path[0] = str(ROOT)
    import fcntl

    from toolchain.announce import ToolchainError, step

    private = ROOT / ".supastack"
    private.mkdir(mode=0o700, exist_ok=True)
    try:
        # Two commands at once (two instances, say) must not both write the environment.
        with (private / "venv.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_current(name):
                return
            if not _venv_works():
                with step("python", f"make .venv with Python {sys.version.split()[0]}"):
                    _make_venv()
            with step("python", f"install the packages of {name}") as current:
                _pip_install(name, private / "pip.log", current.progress)
                _stamp(name).write_text(stamp_value(name) + "\n")
    except ToolchainError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _venv_works() -> bool:
    """Whether the environment has a Python that runs, and pip: an upgrade of the system or an interruption can take either."""
    if not _python().exists():
        return False
    check = f"import sys, pip; sys.exit(sys.version_info < {FLOOR})"
    return subprocess.run([_python(), "-c", check], capture_output=True, check=False).returncode == 0


def _make_venv() -> None:
    from toolchain.announce import fail

    command = [sys.executable, "-m", "venv", "--clear", str(_venv())]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0 and _apt_install_venv():
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        fail(
            f"{sys.executable} can't make a virtual environment in {_venv()}:\n{_indent(done.stdout)}\n"
            "  Debian and Ubuntu keep that part of Python in a package of its own: sudo apt-get install python3-venv.\n"
            "  Then run the command again."
        )


def _apt_install_venv() -> bool:
    """On Debian and Ubuntu as root: install what `python3 -m venv` needs there. Whether it was done."""
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        return False
    from toolchain.announce import step

    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step("apt", "install python3-venv (this Python can't make virtual environments)"):
        subprocess.run([apt, "update", "-q"], env=env, capture_output=True, check=False)
        install = [apt, "install", "-y", "-q", "--no-remove", "-o", "DPkg::Lock::Timeout=60", "python3-venv"]
        return subprocess.run(install, env=env, capture_output=True, check=False).returncode == 0


def _pip_install(name: str, log: Path, progress: "Callable[[str], None]") -> None:
    from toolchain.announce import fail

    command = [str(_python()), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    command += ["--require-hashes", "-r", str(ROOT / name)]
    lines = []
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in process.stdout or ():
            out.write(line)
            lines.append(line)
            if line.startswith(("Collecting", "Downloading", "Installing")):
                progress(" ".join(line.split()[:2]))
    if process.wait() != 0:
        fail(
            f"the packages of {name} could not be installed:\n{_indent(''.join(lines[-12:]))}\n"
            "  If the package index can't be reached, set pip's own options (PIP_INDEX_URL, PIP_PROXY, PIP_CERT), then run the"
            f" command again.\n  The whole output is in {log}."
        )


def _indent(text: str) -> str:
    return "\n".join("    " + line for line in text.strip().splitlines())


if __name__ == "__main__":
    main(sys.argv[1:])
