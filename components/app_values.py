"""The values of a stack as an app inside it reaches them: databases, cache and object store there, the rest as browsers do."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pulumi

from components import app_sources
from components.app_sources import INTERNAL_API_URL, PORTS
from components.endpoints import Endpoint
from components.env_sources import port_name
from components.service import Service

_GATEWAY: Final = "api"
"""Name of the gateway's port in the port plan."""
_OF_APPS: Final = ("app", "backend")
"""Names in the port plan that apps are published on: what env files say of these is meant for browsers."""


def ways(services: Iterable[Service]) -> dict[str, Endpoint]:
    """Where the stack's own pods or containers reach what services publish, by name in the port plan."""
    return {
        port.publish: Endpoint(service.name, port.number)
        for service in services
        if not service.off
        for port in service.ports
        if port.publish is not None and port.publish not in _OF_APPS
    }


def moved(url: str, at: Endpoint) -> str:
    """A URL that leads to the same at another host and port. A text that is no URL stays as it is."""
    # Not taken apart and put together again: a password must come out as it went in.
    return re.sub(r"^([a-z][a-z0-9+]*://(?:[^/?#]*@)?)[^/?#@]+", lambda found: f"{found[1]}{at}", url, count=1)


def known(values: Mapping[str, str | None], services: Iterable[Service]) -> dict[str, str]:
    """The values that may stand where anyone can read them.

    Args:
        values: Of the stack, by name, as they are reached from outside; None for what is secret, or not known yet.
        services: All of the stack.
    """
    there = ways(services)
    found = {name: value for name, value in values.items() if value is not None and not _is_secret(name)}
    found |= {name: moved(found[name], at) for name in PORTS if name in found and (at := _inside(name, there)) is not None}
    found |= {port_name(port): str(at.port) for port, at in there.items()}
    if _GATEWAY in there:
        found[INTERNAL_API_URL] = f"http://{there[_GATEWAY]}"
    elif (url := found.get("API_URL")) is not None:
        # Others run it: there is one way for all.
        found[INTERNAL_API_URL] = url
    return found


def _inside(name: str, there: Mapping[str, Endpoint]) -> Endpoint | None:
    """Where what a URL leads to is inside the stack; None where that is the same as outside."""
    return next((there[port] for port in PORTS.get(name, ()) if port in there), None)


def _is_secret(name: str) -> bool:
    source = app_sources.find(name)
    return source is None or source.secret


def made(
    values: Mapping[str, pulumi.Input[Any]], names: Iterable[str], services: Iterable[Service]
) -> dict[str, pulumi.Input[Any]]:
    """Values that are secret, or known only once something is made, as the app reaches them.

    Args:
        values: As they are reached from outside.
        names: Which of them; each is there.
        services: All of the stack.
    """
    there = ways(services)

    def way(name: str) -> pulumi.Input[Any]:
        at = _inside(name, there)
        return values[name] if at is None else pulumi.Output.from_input(values[name]).apply(lambda url: moved(url, at))

    return {name: way(name) for name in names}
