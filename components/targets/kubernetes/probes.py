"""Startup, readiness and liveness of a service's pods.

Whether a pod gets traffic is decided by the service's own health check, which may ask others. Whether it is killed is not: its main port
must take connections, and once a service has started, none opens or shuts its port by what the database does. So a database that is away
takes nobody else down, and one that recovers is not killed for it: PostgreSQL listens while it does.
"""

from typing import Any, Final

from components.service import HttpHealth, Kind, Service

# How long a start may take before the container is started afresh, in seconds. Chosen by us; a database that recovers from a crash, or
# makes itself, must not be disturbed (CloudNativePG's startDelay is an hour, too), and who connects to it may start only when it is there.
_START: Final = 600
_START_WITH_DATA: Final = 3600
_DATABASE: Final = "postgres"
# How long the port may stay shut before the container is started afresh.
_LIVE: Final = 60
_LIVE_WITH_DATA: Final = 300
_PERIOD: Final = 10
_START_PERIOD: Final = 5
_READY_FAILURES: Final = 3


def probes(service: Service) -> dict[str, Any]:
    """The probes of a service's container; none for a job."""
    if service.kind is Kind.JOB or not (service.ports or service.health):
        return {}
    if service.http_health is not None:
        return _by_http(service, service.http_health)
    port = {"tcpSocket": {"port": service.ports[0].number}} if service.ports else None
    health = service.health
    asked = {"exec": {"command": list(health.command)}} if health else port
    interval, timeout = (health.interval, health.timeout) if health else (2, 2)
    data = bool(service.kept)
    start, live = (_START_WITH_DATA, _LIVE_WITH_DATA) if data else (_start(service), _LIVE)
    found = {
        # Often, so that it is ready soon.
        "startupProbe": {
            **(asked or {}),
            "failureThreshold": -(-start // min(interval, _START_PERIOD)),
            "periodSeconds": min(interval, _START_PERIOD),
            "timeoutSeconds": timeout,
        },
        # A command is a process each time: later, less often.
        "readinessProbe": {
            **(asked or {}),
            "failureThreshold": _READY_FAILURES,
            "periodSeconds": max(interval, _PERIOD),
            "timeoutSeconds": timeout,
        },
    }
    if port is not None:
        found["livenessProbe"] = {
            **port,
            "failureThreshold": live // _PERIOD,
            "periodSeconds": _PERIOD,
            "timeoutSeconds": 5,
        }
    return found


def _start(service: Service) -> int:
    """How long the start of a service without data may take, in seconds."""
    if service.start_within is not None:
        return service.start_within
    return _START_WITH_DATA if any(edge.capability == _DATABASE for edge in service.connects) else _START


def _by_http(service: Service, health: HttpHealth) -> dict[str, Any]:
    """The probes of a service that kubelet asks itself: no process is started for it, so it may be often."""
    port = service.port(health.port).number
    start = _start(service)
    asked = {"httpGet": {"path": health.path, "port": port}, "timeoutSeconds": health.timeout}
    return {
        "startupProbe": {**asked, "failureThreshold": -(-start // health.interval), "periodSeconds": health.interval},
        "readinessProbe": {**asked, "failureThreshold": _READY_FAILURES, "periodSeconds": health.interval},
        "livenessProbe": {
            "tcpSocket": {"port": port},
            "failureThreshold": _LIVE // _PERIOD,
            "periodSeconds": _PERIOD,
            "timeoutSeconds": 5,
        },
    }
