"""Reading of properties that may be of any shape: what is missing, masked or not known yet is nothing to judge by.

Masked values are texts: `[secret]`, in place of a value or of the whole list that it stands in. What is not known yet is a text too
(toolchain/preview/values.py), or UNKNOWN in the pack.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

MASKED: Final = "[secret]"
"""Stands for a secret."""
UNKNOWN: Final = "[known after the deployment]"
"""Stands for what only the deployment makes known."""

_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet"})
_INSIDE: Final = (".svc", ".svc.cluster.local", ".local", ".internal", ".localhost", ".test", ".example")
"""Ends of names that are not reached over the internet (Kubernetes' DNS specification; RFC 6762, RFC 6761)."""


def at(value: Any, *path: str) -> Any:
    """What stands at a path of names; None where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def items(value: Any, *path: str) -> list[Mapping[str, Any]]:
    """The mappings of a list at a path; none where it is no list."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list | tuple) else []


def number(value: Any) -> float | None:
    """A number, also one that is written as text; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    return float(value) if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII) else None


def seen(value: Any) -> bool:
    """Whether a value is there to be judged."""
    return value is not None and not (isinstance(value, str) and value in (MASKED, UNKNOWN))


def is_masked(value: Any) -> bool:
    """Whether a value, or the list that it is, is hidden as a secret."""
    return isinstance(value, str) and value == MASKED


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value that can be seen, with where it stands."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from texts(inner, f"{path}[{index}]")
    elif isinstance(value, str) and seen(value):
        yield path, value


def pod(properties: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """The spec of the pods that a Kubernetes object makes; None where it makes none."""
    if kind == "Pod":
        spec = at(properties, "spec")
    elif kind == "CronJob":
        spec = at(properties, "spec", "jobTemplate", "spec", "template", "spec")
    elif kind in _WORKLOADS:
        spec = at(properties, "spec", "template", "spec")
    else:
        return None
    return spec if isinstance(spec, Mapping) else None


def containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All containers of a pod."""
    return [container for part in ("initContainers", "containers", "ephemeralContainers") for container in items(spec, part)]


def variables(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Environment variables of a container that can be seen: Docker's `envs` or Kubernetes' `env`."""
    envs = container.get("envs")
    for entry in envs if isinstance(envs, list | tuple) else ():
        if isinstance(entry, str) and "=" in entry:
            name, _, value = entry.partition("=")
            if seen(value):
                yield name, value
    for one in items(container, "env"):
        if isinstance(one.get("value"), str) and seen(one["value"]):
            yield str(one.get("name")), one["value"]


def labels(properties: Mapping[str, Any]) -> dict[str, str]:
    """Labels of a Docker object."""
    return {str(label.get("label")): str(label.get("value")) for label in items(properties, "labels")}


def host_of(url: str) -> str | None:
    """The host of a URL; None where it has none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def is_public(host: str | None) -> bool:
    """Whether a host is reached over networks that are not the stack's own: a name with a dot, or an address that is not private."""
    if not host or host in (MASKED, UNKNOWN):
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith(_INSIDE)
    return not (address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified)


def is_loopback(address: Any) -> bool:
    """Whether an address is reached on its own machine only."""
    try:
        return ipaddress.ip_address(str(address)).is_loopback
    except ValueError:
        return str(address) == "localhost"
