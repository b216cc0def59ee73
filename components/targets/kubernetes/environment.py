"""Environment of a service's container: secrets by reference to a Secret, the rest as it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.service import Encoding, Secret, Service, Text, text
from components.targets.kubernetes.concerns import secret_object
from components.targets.kubernetes.inputs import mapped
from components.targets.kubernetes.naming import Stack

# What Vector must be told of where it runs (its reference, `kubernetes_logs`: self_node_name).
_OF_THE_POD = {"VECTOR_SELF_NODE_NAME": "spec.nodeName"}


@dataclass
class Environment:
    """Environment of one container.

    Attributes:
        entries: As the container has them.
        composed: Variables of the service's own Secret: those that a secret is a part of.
        shared: Names of the component's secrets that are variables as they are.
        named: Values of Secrets that have a name of their own, by Secret and key.
    """

    entries: list[dict[str, Any]] = field(default_factory=list)
    composed: dict[str, pulumi.Input[str]] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    named: dict[str, dict[str, pulumi.Input[str]]] = field(default_factory=dict)


def alone(value: Text) -> str | None:
    """Name of the secret that a text is, and nothing else; None where it is something else."""
    if len(value.parts) == 1 and isinstance(part := value.parts[0], Secret) and part.encoding is Encoding.RAW:
        return part.name
    return None


def wanted(service: Service) -> Mapping[str, Text]:
    """All variables. A stub knows neither the service's ports nor its name."""
    if service.image.kind != "stub":
        return service.env
    ports = ",".join(str(port.number) for port in service.ports)
    return {**service.env, "STUB_PORTS": text(ports), "STUB_SERVICE": text(service.name)}


def environment(component: str, service: Service, resolve: Callable[[Text], pulumi.Input[str]]) -> Environment:
    """The environment of a service's container."""
    found = Environment()
    # A Secret of the component is in the stack's namespace alone.
    away = Stack.reads_logs(service)
    for name, value in sorted(wanted(service).items()):
        if (at := service.secret_keys.get(name)) is not None:
            found.named.setdefault(at.secret, {})[at.key] = resolve(value)
            found.entries.append(_reference(name, at.secret, at.key))
        elif not value.secrets:
            found.entries.append({"name": name, "value": literal(resolve(value))})
        elif (secret := alone(value)) is not None and not away:
            found.shared.add(secret)
            found.entries.append(_reference(name, secret_object(component, secret), secret))
        else:
            found.composed[name] = resolve(value)
            found.entries.append(_reference(name, f"{service.name}-env", name))
    theirs = {name: at for name, at in service.secret_keys.items() if at.existing}
    found.entries += [_reference(name, at.secret, at.key) for name, at in sorted(theirs.items())]
    if away:
        found.entries += [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in _OF_THE_POD.items()]
    return found


def _reference(variable: str, secret: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def literal(value: pulumi.Input[str]) -> pulumi.Input[str]:
    """A value or an argument that Kubernetes leaves as it is: it would take `$(NAME)` for a variable, and `$$` for a dollar sign."""
    return mapped(value, lambda known: known.replace("$", "$$") if "$(" in known or "$$" in known else known)
