"""Runs a program that must never be killed half-way (Pulumi), so that an interruption reaches it once for each Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

INTERRUPTED = 130
"""The exit code of a command that was interrupted."""


def run(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], stdout: int | None = None) -> int:
    """Run a program on this terminal and wait until it has really ended. Returns its exit code.

    `subprocess.run` kills its child a quarter of a second after Ctrl-C, which would leave a Pulumi state with pending operations.
    On a terminal Ctrl-C goes to the whole foreground group, so the child has it already; elsewhere the child gets a session of
    its own and each SIGINT is passed on. SIGTERM is passed on as SIGINT, so that Pulumi ends in good order.
    """
    on_terminal = sys.stdin is not None and sys.stdin.isatty()
    received: list[int] = []
    early: list[int] = []
    process: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if process is None:
            early.append(number)
        elif number == signal.SIGTERM or not on_terminal:
            process.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        process = subprocess.Popen(
            [os.fspath(part) for part in command], cwd=cwd, env=env, stdout=stdout, start_new_session=not on_terminal
        )
        if early:
            # Meant for the child too, which did not exist yet, or not as the program it is to be.
            process.send_signal(signal.SIGINT)
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return INTERRUPTED if received and code != 0 else code
