"""Asks containers that start how they are, and apps how they do.

The daemon runs a health check at its interval only, the first time after one; until then a server that has long been well is
"starting". So whoever waits runs the same command itself, as often as it looks. An app is asked by HTTP, from this machine: its image
need have no program for that.
"""

from collections.abc import Mapping
from threading import Thread
from typing import Any

import docker
import requests
from docker.errors import DockerException
from requests.exceptions import RequestException

_HTTP_SECONDS = 3
_FIRST_ERROR = 400


class Asked:
    """Which containers were asked, and which of them are well. `addresses`: of those that are asked by HTTP, by name."""

    def __init__(self, addresses: Mapping[str, str | None] | None = None) -> None:
        self._addresses = addresses or {}
        self._running: dict[str, Thread] = {}
        self._well: set[str] = set()

    def well(self, client: docker.APIClient, found: Mapping[str, Any]) -> bool:
        """Whether the health check of a container has passed; asks it again where it has not, and does not wait for the answer.

        Args:
            client: The daemon's.
            found: What the daemon says of the container.
        """
        run = f"{found['Id']} {found['State'].get('StartedAt')}"  # a restarted one is asked anew
        if run in self._well:
            return True
        earlier = self._running.get(run)
        if (command := _command(found)) and (earlier is None or not earlier.is_alive()):
            # A check may hang; the daemon ends it with the container.
            self._running[run] = Thread(target=self._ask, args=(client, found["Id"], command, run), daemon=True)
            self._running[run].start()
        return False

    def answers(self, name: str) -> str | None:
        """Why a container that is asked by HTTP is not well; None where it is, or is not asked."""
        address = self._addresses.get(name)
        if address is None:
            return None
        try:
            with requests.Session() as session:
                session.trust_env = False  # a company's proxy knows no address of this machine
                with session.get(address, timeout=_HTTP_SECONDS, allow_redirects=False, stream=True) as answer:
                    status = answer.status_code
        except RequestException as error:
            return f"{address} does not answer ({type(error).__name__})"
        return None if status < _FIRST_ERROR else f"{address} answers with status {status}"

    def _ask(self, client: docker.APIClient, container: str, command: list[str], run: str) -> None:
        try:
            made = client.exec_create(container, command)["Id"]
            client.exec_start(made)
            if client.exec_inspect(made)["ExitCode"] == 0:
                self._well.add(run)
        except (DockerException, RequestException):
            return  # it has stopped meanwhile, or the daemon has


def _command(found: Mapping[str, Any]) -> list[str]:
    """The health check as the daemon would run it (docker daemon/health.go, getProbe); none: []."""
    match (found["Config"].get("Healthcheck") or {}).get("Test") or []:
        case ["CMD", *command]:
            return command
        case ["CMD-SHELL", text]:
            return ["/bin/sh", "-c", text]
        case _:
            return []
