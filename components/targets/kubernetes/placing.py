"""Places a component's services in a cluster. It mirrors `components.targets.docker`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pulumi
import pulumi_random as random

from components.checks import Checks, Look
from components.endpoints import Endpoint, Viewpoint
from components.fingerprint import fingerprint
from components.service import Service, providers
from components.targets import placement as places
from components.targets.kubernetes import adoption, folders, marks
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.manifest_files import ManifestFiles
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.register import register
from components.targets.kubernetes.render import Rendering, render
from components.targets.kubernetes.scaling import scaling
from components.targets.kubernetes.storage import claim_name
from components.targets.kubernetes.texts import Texts
from components.targets.placement import Placement


@dataclass(frozen=True)
class Placed:
    """What became of a component's services.

    Attributes:
        ready: Ids of the workloads: whoever needs all of them to exist takes it as an input.
    """

    ready: pulumi.Output[list[str]]
    _endpoints: dict[tuple[str, Viewpoint], Endpoint]

    def endpoint(self, capability: str, viewpoint: Viewpoint = Viewpoint.HOST) -> Endpoint | None:
        """Where a capability is reached; None where no service that runs provides it for that viewpoint."""
        return self._endpoints.get((capability, viewpoint))


def endpoints(placement: Placement, services: Iterable[Service]) -> dict[tuple[str, Viewpoint], Endpoint]:
    """Where the services' capabilities are reached: by pods of the namespace, and by programs elsewhere in the cluster. Pure."""
    found: dict[tuple[str, Viewpoint], Endpoint] = {}
    for capability, service in providers(services).items():
        port = service.port(service.provides[capability])
        found[capability, Viewpoint.INSIDE] = Endpoint(service.name, port.number)
        if port.publish is not None:
            found[capability, Viewpoint.HOST] = places.reached(placement, service.name, port)
    return found


def stack_of(placement: Placement) -> Stack:
    """Whose objects a placement's are."""
    return Stack(
        project=placement["project"],
        stack=placement["stack"],
        namespace=places.namespace(placement),
        stack_id=placement["stack_id"],
    )


def place(
    component: pulumi.ComponentResource,
    name: str,
    placement: Placement,
    services: Sequence[Service],
    secrets: Mapping[str, pulumi.Output[str]],
    elsewhere: Mapping[str, Endpoint] | None = None,
) -> Placed:
    """Places a component's services; the arguments are those of `components.placing.place`.

    Raises:
        components.targets.kubernetes.folders.FolderProblem: a folder of the machine can't be taken along.
    """
    running = [service for service in services if not service.off]
    found = endpoints(placement, running)
    inside = {capability: endpoint for (capability, view), endpoint in found.items() if view is Viewpoint.INSIDE}
    stack, settings = stack_of(placement), cast("Mapping[str, Any]", placement["kubernetes"]["settings"])
    how = Rendering(
        stack=stack,
        component=name,
        settings=settings,
        texts=Texts(stack=stack, secrets=secrets, inside={**(elsewhere or {}), **inside}),
        mark=marks.keyed(_key(component)) if any(service.secrets for service in running) else marks.keyed(""),
        folder=folders.read,
        paired=_paired(running, secrets, placement["stack_id"]),
    )
    manifests = [*render(how, services), *scaling(stack, name, running, settings)]
    options = pulumi.ResourceOptions(parent=component)
    if folder := settings.get("render"):
        ManifestFiles(f"{component.pulumi_resource_name}-manifests", folder=folder, manifests=manifests, opts=options)
    placed = [_there(manifest, placement["kubernetes"]["namespace"]) for manifest in manifests]
    adopts = placement["kubernetes"].get("adopts", False)
    if adopts:
        named = f"{component.pulumi_resource_name}-adoption"
        # Of the others there are copies since the first look (`ground.lay`), and an app may hand its own on to another.
        read_on = [adoption.place(manifest) for manifest in manifests if manifest.kind == "Secret" and adoption.stays(manifest)]
        own_id = placement["kubernetes"].get("own_id", "")
        guard = adoption.guard(named, manifests, settings, stack, own_id, read_on, pulumi.ResourceOptions(parent=component))
        options = pulumi.ResourceOptions(parent=component, depends_on=[guard])
    made = register(placed, options, {f"{name}-{s.name}": _checks(how, component, s) for s in running}, adopts=adopts)
    ready = [made[f"{name}-{service.name}"].id for service in running]
    return Placed(pulumi.Output.all(*ready).apply(lambda ids: [str(i) for i in ids]), found)


def _key(component: pulumi.ComponentResource) -> pulumi.Output[str]:
    """The key of the marks of secrets. With another one all pods roll, and nothing else happens."""
    named = f"{component.pulumi_resource_name}-mark"
    made = random.RandomPassword(named, length=32, special=False, opts=pulumi.ResourceOptions(parent=component))
    return made.result


def _paired(
    services: Iterable[Service], secrets: Mapping[str, pulumi.Output[str]], stack_id: pulumi.Input[str]
) -> dict[str, pulumi.Input[str]]:
    """Marks of the secrets that volumes' data are paired with: a space is between two of one volume, either of which opens it.

    They are compared when the state may be lost. By scrypt, since one may be a weak password of the user's; a generated login needs none.
    """

    def mark(password: str, login: str | None) -> pulumi.Output[str]:
        own = pulumi.Output.all(secrets[password], stack_id).apply(lambda a: fingerprint(a[0], a[1]))
        return own if login is None else pulumi.Output.concat(own, " ", marks.keyed(secrets[login])([stack_id]))

    return {
        volume.name: mark(volume.paired_secret, volume.login_secret)
        for service in services
        for volume in service.kept
        if volume.paired_secret is not None
    }


def _checks(how: Rendering, component: pulumi.ComponentResource, service: Service) -> list[Checks]:
    """The checks that a claim and the secret at hand belong together, before its server starts."""
    return [
        Checks(
            f"{how.component}-{volume.name}-pair",
            look=Look.PAIRED,
            probe="components.targets.kubernetes.probe",
            parameters={
                "kubeconfig": how.settings.get("kubeconfig"),
                "context": how.settings.get("context"),
                "namespace": how.stack.namespace,
                "claim": claim_name(service, volume.name),
                "mark": how.paired[volume.name],
                "follows": volume.login_secret is not None,
                "setting": volume.paired_setting,
                "hint": volume.paired_hint,
            },
            opts=pulumi.ResourceOptions(parent=component),
        )
        for volume in service.kept
        if volume.name in how.paired
    ]


def _there(manifest: Manifest, namespace: pulumi.Input[str]) -> Manifest:
    """The same, in its namespace once the foundation has made it."""
    metadata = manifest.body["metadata"]
    if isinstance(namespace, str) or "namespace" not in metadata:
        return manifest
    own = metadata["namespace"]
    known: pulumi.Output[Any] = pulumi.Output.from_input(namespace)
    return replace(manifest, body={**manifest.body, "metadata": {**metadata, "namespace": known.apply(lambda _: own)}})
