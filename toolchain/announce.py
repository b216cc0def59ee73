"""What the toolchain tells its user: one line a step with its time, notes, warnings and clear errors.

Everything goes to stderr, so that the stdout of `env`, `status` and `activate` stays clean for other programs.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

_NAME_WIDTH = 12
_TEXT_WIDTH = 76
_QUIET_SECONDS = 15.0
"""Where lines can't be overwritten (a log file), progress is printed at most this often."""


class ToolchainError(Exception):
    """An error meant for the user: says what is wrong, why, and what to do. The command line prints it without a traceback."""


def verbose() -> bool:
    """Whether the user asked for more lines (VERBOSE=1)."""
    return os.environ.get("VERBOSE", "") not in ("", "0")


def duration(seconds: float) -> str:
    """A time for people: `0.4s`, `12s`, `3m58s`."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


class Step:
    """One step while it runs. `progress` may be called as often as wanted, from any thread."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.skipped = False
        self._started = time.monotonic()
        self._last_line = self._started
        self._overwrites = sys.stderr.isatty()
        self._on_screen = False
        self._lock = threading.Lock()

    def progress(self, text: str) -> None:
        """Show how far the step is: in place on a terminal, as a line of its own now and then elsewhere."""
        with self._lock:
            now = time.monotonic()
            line = f"  {self.name:<{_NAME_WIDTH}}{self.text}: {text} ({duration(now - self._started)})"
            if self._overwrites:
                columns = _columns()
                sys.stderr.write(f"\r{line[: columns - 1]}\x1b[K")
                self._on_screen = True
            elif now - self._last_line >= _QUIET_SECONDS:
                sys.stderr.write(f"{line}\n")
                self._last_line = now
            sys.stderr.flush()

    def done(self, text: str) -> None:
        """Set the text of the final line, where it should differ from the one the step began with."""
        self.text = text

    def skip(self, text: str | None = None) -> None:
        """Nothing was to be done: the final line is printed only when the user asked for more lines."""
        self.skipped = True
        self.text = text or self.text

    def finish(self, suffix: str = "") -> None:
        """Print the final line. `step` calls this."""
        with self._lock:
            if self._on_screen:
                sys.stderr.write("\r\x1b[K")
            if not self.skipped or suffix or verbose():
                spent = duration(time.monotonic() - self._started)
                sys.stderr.write(f"  {self.name:<{_NAME_WIDTH}}{self.text + suffix:<{_TEXT_WIDTH}}  {spent:>6}\n")
            sys.stderr.flush()


@contextmanager
def step(name: str, text: str) -> Iterator[Step]:
    """Announce one set-up step. Prints one line with its time at its end, also when it fails.

    `name` is one short word (engine, plugins, docker, images ...), `text` says what is done.
    """
    current = Step(name, text)
    if sys.stderr.isatty():
        current.progress("working")
    try:
        yield current
    except BaseException:
        current.finish(": failed")
        raise
    current.finish()


def note(text: str) -> None:
    """Print one line that the user should know of."""
    print(f"  {text}", file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Print one line that the user should act on, though the work goes on."""
    print(f"  warning: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    """Stop with an error meant for the user. Raises ToolchainError."""
    raise ToolchainError(text)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
