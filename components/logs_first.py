"""The start order of upstream's sets of 2024: the log shipper before the database, Studio after the log store.

Off by default (`supabase.logsFirst`), since it makes the API hostage to the logs; see docs/decisions/0006.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from components.service import Edge, Gate, Service

_WAITS: Final = {"postgres": "vector", "studio": "analytics"}
"""Which service waits for which to be healthy (seed 002, "Service Dependencies")."""


def with_logs_first(services: Iterable[Service]) -> Sequence[Service]:
    """The services with the database waiting for Vector, and Studio for Logflare, to be healthy. Pure.

    Vector itself then waits for nothing, or all would wait in a circle: it retries until Logflare answers. What others wait for is
    not optional any more. Without a server to wait for (it is off, or the release has none) nothing is changed.
    """
    services = tuple(services)
    running = {service.name: service for service in services if not service.off and service.health is not None}
    awaited = {other for name, other in _WAITS.items() if name in running and other in running}
    return tuple(_changed(service, running, awaited) for service in services)


def _changed(service: Service, running: dict[str, Service], awaited: set[str]) -> Service:
    if service.name not in running:
        return service
    if service.name == "vector" and service.name in awaited:
        service = replace(service, connects=tuple(Edge(edge.capability) for edge in service.connects))
    if service.name in awaited:
        service = replace(service, optional=False, provides=_provided(service))
    other = _WAITS.get(service.name)
    if other is None or other not in awaited:
        return service
    capability = next(iter(_provided(running[other])))
    rest = tuple(edge for edge in service.connects if edge.capability != capability)
    return replace(service, connects=(*rest, Edge(capability, Gate.HEALTHY)))


def _provided(service: Service) -> dict[str, str]:
    """What it provides; itself by its first port where it is nobody's capability: an edge needs one to lead to."""
    return dict(service.provides) or {service.name: service.ports[0].name}
