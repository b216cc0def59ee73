"""Runs a command and says what it took: wall time, CPU time, which processes it had and when it printed what."""

import contextlib
import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_EVERY_SECONDS = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


class FailedRunError(Exception):
    """A command that is measured did not do what it is measured for: there is no figure then."""


@dataclass
class Process:
    """One process below the command. Times in seconds since the command began; as exact as the looking, 0.02 s."""

    arguments: list[str]
    start: float
    end: float = 0.0
    cpu: float = 0.0


@dataclass
class Run:
    """What a command took.

    Attributes:
        seconds: Wall time.
        cpu: User and system time of the command and of all that it waited for.
        lines: What it printed, each with the second it came at.
        processes: By pid; only where they were asked for.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    lines: list[tuple[float, str]] = field(default_factory=list)
    processes: dict[int, Process] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What it printed."""
        return "".join(line for _, line in self.lines)


def run(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], watch: bool = False) -> Run:
    """Run a command; with `watch`, look at its processes meanwhile.

    Raises:
        FailedRunError: it ended with another exit code than 0.
    """
    done = Run()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    booted = time.clock_gettime(time.CLOCK_BOOTTIME)
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, booted, done.processes, ended))
    if watch:
        watcher.start()
    with process:
        for line in process.stdout or ():
            done.lines.append((time.monotonic() - began, line))
    done.seconds = time.monotonic() - began
    ended.set()
    if watch:
        watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    done.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode != 0:
        raise FailedRunError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{done.text[-4000:]}")
    return done


def _watch(root: int, booted: float, found: dict[int, Process], ended: threading.Event) -> None:
    while not ended.wait(_EVERY_SECONDS):
        for pid in _below(root):
            with contextlib.suppress(OSError, ValueError):
                _look(pid, booted, found)


def _look(pid: int, booted: float, found: dict[int, Process]) -> None:
    stat = Path(f"/proc/{pid}/stat").read_text()
    fields = stat[stat.rindex(")") + 2 :].split()
    arguments = [word for word in Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0") if word]
    seen = found.setdefault(pid, Process(arguments, int(fields[19]) / _TICKS - booted))
    # A process that was just forked still has its parent's arguments.
    seen.arguments = arguments or seen.arguments
    seen.end = time.clock_gettime(time.CLOCK_BOOTTIME) - booted
    seen.cpu = (int(fields[11]) + int(fields[12])) / _TICKS


def _below(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found
