"""How long each container of a stack takes from its start until it is well, seen from outside while the stack comes up."""

import threading
import time
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Self

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from bench.run import FailedRunError
from components.targets.docker_health import Asked

_EVERY_SECONDS = 0.25
_PATIENCE_SECONDS = 60


def path_and_sum(started: Mapping[str, float], well: Mapping[str, float], checked: Collection[str]) -> tuple[float, float]:
    """Seconds from the first start until the last one was well, and the sum over all of each one's start to well.

    Args:
        started: When each was started, by name; only differences count.
        well: When each was first seen well.
        checked: All that have a health check.

    Raises:
        FailedRunError: one of `checked` was not seen well: a figure without it would be another stack's.
    """
    if missing := sorted(set(checked) - (started.keys() & well.keys())):
        raise FailedRunError(f"these were not seen to get well: {', '.join(missing)}")
    if not checked:
        raise FailedRunError("no container with a health check was seen")
    return max(well[n] for n in checked) - min(started[n] for n in checked), sum(well[n] - started[n] for n in checked)


class Watch:
    """Asks each container how it is as soon as it runs, by its own health check, as the health gate does at the end of an `up`.

    The daemon's own word would come at its interval only: after half a minute from Studio. The asking adds to the times.
    """

    def __init__(self, client: docker.DockerClient, every: float = _EVERY_SECONDS, patience: float = _PATIENCE_SECONDS) -> None:
        """`every`: seconds between two looks. `patience`: seconds that `times` waits for those that are not well."""
        self._client = client
        self._every = every
        self._patience = patience
        self._asked = Asked()
        self._started: dict[str, float] = {}
        self._well: dict[str, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> Self:
        """Begins to look."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        """Ends it."""
        self._ended.set()
        self._thread.join()

    def times(self) -> tuple[float, float]:
        """`path_and_sum` of all that run with a health check. To be asked once the stack is up, while it is watched.

        Raises:
            FailedRunError: see there.
        """
        checked = {
            str(c.name) for c in self._client.containers.list() if (c.attrs["Config"].get("Healthcheck") or {}).get("Test")
        }
        deadline = time.monotonic() + self._patience
        while checked - self._well.keys() and time.monotonic() < deadline:
            time.sleep(self._every)
        return path_and_sum(self._started, self._well, checked)

    def _look_on(self) -> None:
        while not self._ended.wait(self._every):
            try:
                self._look()
            except (DockerException, RequestException):
                continue  # one went while it was looked at

    def _look(self) -> None:
        for container in self._client.containers.list():
            name = str(container.name)
            if name in self._well:
                continue
            # When this one first saw it, on this machine's own clock: at most one look late, as what ends it is.
            self._started.setdefault(name, time.monotonic())
            if self._asked.well(self._client.api, container.attrs):
                self._well[name] = time.monotonic()
