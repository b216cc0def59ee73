"""One operation on the daemon, and waiting in it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .client import Daemon

State = dict[str, Any]
"""A resource's properties, as plain values."""


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        daemon: where it happens.
        cancelled: set when the engine wants to stop; waits end then.
        secrets: texts that must not stand in a message.
    """

    daemon: Daemon
    cancelled: threading.Event
    secrets: frozenset[str] = frozenset()

    @property
    def client(self) -> Any:
        """The SDK's low-level client. Untyped: half of the SDK's methods are, in its published types."""
        return self.daemon.client

    def wait_for(self, done: Callable[[], bool], timeout: float, every: float = 0.25) -> bool:
        """Ask `done` until it says yes; False when `timeout` seconds are over or the engine cancels."""
        end = time.monotonic() + timeout
        while not done():
            if time.monotonic() >= end or self.cancelled.wait(every):
                return False
        return True
