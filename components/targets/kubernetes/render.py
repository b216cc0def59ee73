"""A component's services as manifests. Pure: what is secret or not yet known stands in them as the leaves that `Texts` gives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.service import Gate, Kind, Service, start_order
from components.targets.kubernetes import cloudnativepg, environment, files, marks, pod, storage, workload
from components.targets.kubernetes.accounts import accounts
from components.targets.kubernetes.concerns import secret_object
from components.targets.kubernetes.folders import Folder
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.texts import Texts


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """How services become manifests.

    Attributes:
        stack: Whose they are.
        component: The component's name, the first part of each resource's.
        settings: Of the target, completed.
        texts: Resolves texts.
        mark: Makes the marks of secrets.
        folder: Reads a folder of the machine.
        paired: Mark of the secret that a volume's data is paired with, by the volume's name.
    """

    stack: Stack
    component: str
    settings: Mapping[str, Any]
    texts: Texts
    mark: marks.Mark
    folder: Folder
    paired: Mapping[str, pulumi.Input[str]]


def render(how: Rendering, services: Sequence[Service]) -> list[Manifest]:
    """The manifests of all services that run; of what is turned off nothing is left but its claims, which stay by themselves.

    Raises:
        components.targets.kubernetes.folders.FolderProblem: a folder of the machine can't be taken along.
        components.service.ServiceGraphError: the services do not fit together.
    """
    running = [service for service in services if not service.off]
    order = list(start_order(running))
    awaited = {other.name for _, gates in order for other, gate in gates if gate is Gate.HEALTHY}
    parts = {service.name: _parts(how, service, running) for service in running}
    shared = {name for each in parts.values() for name in each.environment.shared}
    found = list(_concerns(how, shared))
    for service, gates in order:
        found += _service(how, parts[service.name], running, [other for other, _ in gates], awaited)
    return found


def _parts(how: Rendering, service: Service, services: Sequence[Service]) -> pod.Parts:
    texts = how.texts.elsewhere() if Stack.reads_logs(service) else how.texts
    env = environment.environment(how.component, service, texts.resolve)
    held = files.files(service, texts.resolve, how.folder)
    annotations: dict[str, pulumi.Input[str]] = {}
    if plain := {**held.plain, **held.folder, **held.binary}:
        annotations[marks.CONFIG] = marks.content(plain)
    named = {f"{secret}/{key}": value for secret, values in env.named.items() for key, value in values.items()}
    secrets = {**{name: texts.secrets[name] for name in env.shared}, **env.composed, **held.secret, **named}
    if secrets:
        annotations[marks.SECRETS] = how.mark([secrets[name] for name in sorted(secrets)])
    return pod.Parts(service, env, held, storage.volumes(service, services), annotations)


def _concerns(how: Rendering, names: set[str]) -> Iterator[Manifest]:
    """The component's own Secrets, one for each concern."""
    held: dict[str, dict[str, pulumi.Input[str]]] = {}
    for name in sorted(names):
        held.setdefault(secret_object(how.component, name), {})[name] = how.texts.secrets[name]
    for name, values in held.items():
        metadata = how.stack.metadata(name, how.component)
        yield _secret(_concern_resource(name), metadata, values)


def _concern_resource(secret: str) -> str:
    """Name of the resource; the object's own begins with the component's."""
    return f"{secret}-secret"


def _secret(
    resource: str, metadata: Mapping[str, Any], values: Mapping[str, pulumi.Input[str]], before: tuple[str, ...] = ()
) -> Manifest:
    return Manifest(
        name=resource,
        body={"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": files.encoded(values)},
        before=before,
    )


def _service(
    how: Rendering, parts: pod.Parts, services: Sequence[Service], gates: Sequence[Service], awaited: set[str]
) -> Iterator[Manifest]:
    service, stack = parts.service, how.stack
    if service.operated is not None:
        gating = tuple(_resource(how, other) for other in gates)
        yield from cloudnativepg.manifests(stack, how.component, service, how.settings, how.texts.secrets, gating)
        return
    before = [*accounts(stack, how.component, service), *_data(how, parts), *_network(how, service)]
    yield from before
    owners = [has for mount in service.mounts if (has := storage.owner(mount, services)) is not None]
    secrets = sorted({_concern_resource(secret_object(how.component, name)) for name in parts.environment.shared})
    others = dict.fromkeys(_resource(how, other) for other in (*gates, *owners))
    template = pod.template(stack, how.component, parts, services, how.settings)
    claims = storage.claims(stack, how.component, service, how.settings, how.paired)
    body, ignore = workload.workload(stack, how.component, parts, template, how.settings, claims)
    yield Manifest(
        name=_resource(how, service),
        body=body,
        after=(*(manifest.name for manifest in before), *secrets, *others),
        ignore=ignore,
        wait=not service.optional or service.name in awaited or service.kind is Kind.JOB,
        within=service.start_within,
    )


def _resource(how: Rendering, service: Service) -> str:
    return f"{how.component}-{service.name}"


def _data(how: Rendering, parts: pod.Parts) -> Iterator[Manifest]:
    """The Secrets and ConfigMaps of one service."""
    service, held = parts.service, parts.files

    def metadata(part: str) -> dict[str, Any]:
        found = how.stack.metadata(f"{service.name}-{part}", how.component, service.name)
        return {**found, "namespace": how.stack.home(service)}

    def resource(part: str) -> str:
        return f"{_resource(how, service)}-{part}"

    if parts.environment.composed:
        yield _secret(resource("env"), metadata("env"), parts.environment.composed)
    for secret, values in sorted(parts.environment.named.items()):
        # Named by the object alone, which one service has: of another one, or of the same under a new name, it is an update. Else it
        # would be made anew before the old one goes, under a name that is taken.
        yield _secret(f"named-secret-{secret}", {**metadata("env"), "name": secret}, values, (resource(f"secret-{secret}"),))
    if held.secret:
        yield _secret(resource("secret-files"), metadata("secret-files"), held.secret)
    config = {"apiVersion": "v1", "kind": "ConfigMap"}
    if held.plain:
        yield Manifest(
            name=resource("files"), body={**config, "metadata": metadata("files"), "data": dict(sorted(held.plain.items()))}
        )
    if held.folder or held.binary:
        content = {"data": held.folder, "binaryData": held.binary}
        body = {**config, "metadata": metadata("folder"), **{key: value for key, value in content.items() if value}}
        yield Manifest(name=resource("folder"), body=body)


def _network(how: Rendering, service: Service) -> Iterator[Manifest]:
    """The Service: its name is the host name that others know."""
    if not service.ports or service.kind is Kind.JOB:
        return
    metadata = how.stack.metadata(service.name, how.component, service.name)
    yield Manifest(
        name=f"{_resource(how, service)}-service",
        body={
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata, "namespace": how.stack.home(service)},
            "spec": {
                "ports": [
                    {"name": port.name, "port": port.number, "protocol": "TCP", "targetPort": port.number}
                    for port in service.ports
                ],
                "selector": how.stack.selector(service.name),
                "type": "ClusterIP",
            },
        },
        # It would wait for pods, which come after it, so that its name is known when they start.
        wait=False,
    )
