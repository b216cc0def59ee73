"""One operation on the cluster, and waiting in it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from toolchain.plugins.common.errors import UserError

from . import secrecy
from .client import ApiError
from .cluster import Cluster, UnknownKindError
from .host import Host
from .settings import Settings


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        cancelled: set when the engine wants to stop; waits end then.
        timeout: seconds that the program allows (`customTimeouts`); 0 where it says nothing.
        secrets: texts that must not stand in a message.
    """

    cluster: Cluster
    settings: Settings
    host: Host
    urn: str
    cancelled: threading.Event
    timeout: float = 0
    secrets: frozenset[str] = frozenset()

    def say(self, text: str) -> str:
        """`text` without secrets."""
        return secrecy.without(text, self.secrets)

    def status(self, text: str) -> None:
        """Tell the user what happens now."""
        self.host.status(self.urn, self.say(text))

    def wait_for(self, done: Callable[[], bool], timeout: float, *, first: float = 0.2, most: float = 1.0) -> bool:
        """Ask `done`, ever less often, until it says yes; False when `timeout` seconds are over or the engine cancels."""
        end, pause = time.monotonic() + timeout, first
        while not done():
            left = end - time.monotonic()
            if left <= 0 or self.cancelled.wait(min(pause, left)):
                return False
            pause = min(pause * 1.3, most)
        return True

    @contextmanager
    def explained(self, action: str) -> Iterator[None]:
        """Turns what the API server refuses inside into a UserError that begins with `action`."""
        try:
            yield
        except (ApiError, UnknownKindError) as error:
            raise UserError(self.say(f"{action}: {error}")) from error
