"""Lint, tests, bench and lock: run in the virtual environment, with the engine on PATH where they need it."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from toolchain import child, pins
from toolchain.announce import ToolchainError, warn
from toolchain.context import Context

_LINT = (("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy",))
_REQUIREMENTS = ("requirements", "requirements-dev", "policies/requirements")


_OF_MAKE = frozenset(
    {"STACK", "INSTANCE", "ARGS", "CONFIRM", "SHOW_SECRETS", "FILE", "FOR", "FORMAT", "BRANCH", "PR", "IDLE", "DRIFT"}
)
"""The Makefile's variables, which make puts into the environment when they are given on its command line."""

_ALL = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""All tests by two processes, a file at a time, the longest first as they stand: each has a daemon and a clone of its own."""


def run(command: str, context: Context, rest: Sequence[str]) -> int:
    """Run one of `lint`, `test`, `bench`, `lock` with further arguments. Returns its exit code."""
    if command == "lint":
        return _lint(context)
    if command == "lock":
        return _lock(context, rest)
    ready = _set_up(context)
    env = _environment(ready)
    if command == "bench":
        return _python(ready, env, "bench", *rest)
    # The tests run even where lint fails, and last, so that their summary line ends the output.
    linted = _lint(context)
    return _python(ready, env, "pytest", *(rest or _ALL)) or linted


def _lint(context: Context) -> int:
    codes = [_python(context, os.environ.copy(), *one) for one in _LINT]
    return next((code for code in codes if code), 0)


def _lock(context: Context, rest: Sequence[str]) -> int:
    """Make requirements*.txt from requirements*.in anew. What is pinned there stays, unless `rest` says `--upgrade`."""
    options = ["-q", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host"]
    options += ["--strip-extras", "--allow-unsafe", "--no-header"]
    with tempfile.TemporaryDirectory(prefix="supastack-lock-") as folder:
        # In an environment of its own: pip-tools is no part of what it locks.
        python = Path(folder) / "bin" / "python"
        commands: list[list[str | Path]] = [
            [sys.executable, "-m", "venv", folder],
            [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", pins.PIP_TOOLS],
        ]
        pip_compile: list[str | Path] = [python, "-m", "piptools", "compile", *options, *rest]
        commands += [[*pip_compile, f"--output-file={name}.txt", f"{name}.in"] for name in _REQUIREMENTS]
        # Ends at the first that fails.
        return next((code for one in commands if (code := child.run(one, cwd=context.root, env=os.environ))), 0)


def _python(context: Context, env: dict[str, str], module: str, *arguments: str) -> int:
    return child.run([context.venv_bin / "python", "-m", module, *arguments], cwd=context.root, env=env)


def _set_up(context: Context) -> Context:
    from toolchain import setup

    context = setup.ensure(context, setup.Needs(plugins=pins.STAND_INS))
    try:
        setup.ensure(context, setup.Needs(docker_binaries=True))
    except ToolchainError as error:
        warn(
            f'{error}\n  The tests that start a Docker daemon of their own will fail; ARGS="tests/unit tests/contract" leaves them out.'
        )
    return context


def _environment(context: Context) -> dict[str, str]:
    """The user's environment with the engine and the virtual environment on PATH: state and plugins of a test are its own."""
    # Make hands its variables down: a `make up` inside a test or the bench must not get this one's.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS")) and k not in _OF_MAKE}
    return {**kept, "PATH": context.env["PATH"], "PULUMI_SKIP_UPDATE_CHECK": "true"}
