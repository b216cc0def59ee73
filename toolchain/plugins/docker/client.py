"""The way to the Docker daemon: which one, and a client made when it is first needed."""

import os
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

import docker
import docker.errors
import requests
from docker.context import ContextAPI
from docker.utils import kwargs_from_env

from toolchain.plugins.common.errors import UserError

from .errors import sentence

DEFAULT_HOST = "unix:///var/run/docker.sock"
PARALLEL = 64
"""As many requests as the engine makes at once with --parallel 64."""


class Daemon:
    """One Docker daemon.

    `context` wins over `host`, that over DOCKER_HOST, that over DOCKER_CONTEXT, and the last resort is the default socket.
    """

    def __init__(self, host: str | None = None, context: str | None = None) -> None:
        self._host = host
        self._context = context
        self._lock = threading.Lock()
        self._client: docker.APIClient | None = None

    @property
    def client(self) -> docker.APIClient:
        """The client; the first use connects.

        Raises:
            UserError: the daemon can't be reached, or this plugin can't speak to it.
        """
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> docker.APIClient:
        options = self._options()
        address = options.get("base_url") or DEFAULT_HOST
        if address.startswith("ssh://"):
            raise UserError(
                f"the stand-in docker plugin can't reach {address}: it doesn't speak ssh; "
                "forward the remote socket (ssh -L) and set docker:host to the local end, or install the official plugin"
            )
        try:
            return docker.APIClient(version="auto", max_pool_size=PARALLEL, **options)
        except (docker.errors.DockerException, requests.exceptions.RequestException, ValueError) as error:
            raise UserError(
                f"no Docker daemon answers at {address}; start Docker, or point docker:host or DOCKER_HOST at a running one"
                f" ({sentence(error)})"
            ) from error

    def _options(self) -> dict[str, Any]:
        if self._context:
            return {"base_url": host_of_context(self._context)}
        if self._host:
            tls = kwargs_from_env() if self._host == os.environ.get("DOCKER_HOST") else {}
            return {**tls, "base_url": self._host}
        if os.environ.get("DOCKER_HOST"):
            return dict(kwargs_from_env())
        if os.environ.get("DOCKER_CONTEXT"):
            return {"base_url": host_of_context(os.environ["DOCKER_CONTEXT"])}
        return {"base_url": DEFAULT_HOST}


def host_of_context(name: str) -> str:
    """The address behind a context of the docker CLI.

    Raises:
        UserError: there is no such context, or it needs TLS files.
    """
    try:
        context = ContextAPI.get_context(name)
    except (docker.errors.DockerException, OSError, ValueError) as error:
        raise UserError(f"docker context {name!r} can't be read: {error}") from error
    if context is None:
        raise UserError(f"there is no docker context {name!r}; `docker context ls` lists them")
    if context.TLSConfig is not None:
        raise UserError(
            f"docker context {name!r} uses TLS files, which the stand-in docker plugin does not read; install the official plugin"
        )
    return str(context.Host or DEFAULT_HOST)


@cache
def _daemon(host: str | None, context: str | None) -> Daemon:
    return Daemon(host, context)


def daemon_of(settings: Mapping[str, Any]) -> Daemon:
    """The daemon that the provider's settings name; the same one for the same settings."""
    return _daemon(settings.get("host") or None, settings.get("context") or None)
