"""What a component must be told to place its services: plain settings, and what the stack's foundation made."""

from collections.abc import Iterable
from enum import Enum
from typing import NotRequired, TypedDict

import pulumi

from components import releases
from components.endpoints import Endpoint
from components.image_settings import ImageSettings
from components.kubernetes_settings import Exposure, KubernetesSettings
from components.service import Port, Service


class TargetKind(str, Enum):
    """Where services run."""

    DOCKER = "docker"
    """Containers of a local Docker daemon."""
    KUBERNETES = "kubernetes"
    MANAGED = "managed"
    """Nowhere: others run all of it."""


class KubernetesPlacement(TypedDict):
    """What the Kubernetes target must know beside the rest."""

    namespace: pulumi.Input[str]
    """Where all objects of the stack go: known once it is there."""
    settings: KubernetesSettings
    """The settings of the target, completed: sizes in bytes, choices as their Enum."""
    adopts: NotRequired[bool]
    """Whether an earlier stack's objects are taken over: `stackId` is given. Default False."""
    own_id: NotRequired[pulumi.Input[str]]
    """The id that this state has made, where another stack's objects are taken over."""


class Placement(TypedDict):
    """Where a component's services go. Made by the plan, the same for all components of a stack."""

    target: TargetKind
    project: str
    """First part of every name."""
    stack: str
    """Second part of every name."""
    stack_id: pulumi.Input[str]
    """Random id on every label: whose an object is."""
    host: NotRequired[str | None]
    """Docker: address of the daemon; None: DOCKER_HOST or the default socket."""
    socket: NotRequired[str]
    """Docker: the daemon's socket on its own machine, for what collects logs. Default /var/run/docker.sock."""
    network: NotRequired[pulumi.Input[str]]
    """Docker: the stack's network."""
    bind_address: NotRequired[str]
    """Docker: address that published ports are bound to. Default 127.0.0.1."""
    ports: dict[str, int]
    """The port plan: host port by name."""
    ready_within: NotRequired[int]
    """Seconds a service that others wait for may take to become healthy. Default 180."""
    release: str
    """Release the images are taken from."""
    local_images: bool
    """Whether images built on this machine are used."""
    kubernetes: NotRequired[KubernetesPlacement]
    """Kubernetes: what that target must know."""
    images: NotRequired[ImageSettings]
    """What the settings say of the images: mirror, references, digests."""


def object_name(placement: Placement, component: str, *parts: str) -> str:
    """`<project>-<stack>-<component>-<part>…`: no two stacks' objects meet."""
    return "-".join((placement["project"], placement["stack"], component, *parts))


def secrets_change(placement: Placement) -> bool:
    """Whether a kept database may get other secrets than it was made with, by a job: Docker refuses that before anything is placed."""
    return TargetKind(placement["target"]) is not TargetKind.DOCKER


def release_of(placement: Placement) -> releases.Release:
    """The images that the services are made of.

    Raises:
        components.releases.UnknownImage: there is no such release, or no such image.
    """
    given = placement.get("images", {})
    own = releases.ImageOverrides(
        mirror=given.get("mirror"), references=given.get("overrides", {}), digests=given.get("digests", {})
    )
    return releases.load(placement["release"], local=placement["local_images"], overrides=own)


def published_host(placement: Placement) -> str:
    """The host under which this machine reaches what is bound on it: bound to every address, it is loopback still."""
    bind = placement.get("bind_address", "127.0.0.1")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)


def namespace(placement: Placement) -> str:
    """Kubernetes: name of the stack's namespace, which stands before there is one."""
    given = placement["kubernetes"]["settings"].get("namespace") if "kubernetes" in placement else None
    return given or f"{placement['project']}-{placement['stack']}"


def reached(placement: Placement, service: str, port: Port) -> Endpoint:
    """Where programs outside the stack reach a port that its service publishes.

    Docker: on this machine. Kubernetes: at the service's own name and port, which programs of the cluster reach; a gateway that is exposed
    has a `public_url` beside.
    """
    if TargetKind(placement["target"]) is TargetKind.KUBERNETES:
        # The cluster's domain is `cluster.local` unless its maker chose another (Kubernetes, DNS for Services and Pods).
        return Endpoint(f"{service}.{namespace(placement)}.svc.cluster.local", port.number)
    assert port.publish is not None
    return Endpoint(published_host(placement), placement["ports"][port.publish])


def public_host(placement: Placement, project_ref: str) -> str | None:
    """The name under which clients outside reach the gateway; None where it has none of its own.

    Args:
        placement: Where the stack is.
        project_ref: The stack's reference, its name below a base domain.
    """
    if TargetKind(placement["target"]) is not TargetKind.KUBERNETES:
        return None
    exposure = placement["kubernetes"]["settings"]["exposure"]
    if exposure["kind"] is Exposure.NONE or not {"host", "baseDomain"} & exposure.keys():
        return None  # apps may be exposed by names of their own, where there is no gateway
    return exposure.get("host") or f"{project_ref}.{exposure['baseDomain']}"


def public_url(placement: Placement, project_ref: str, *, own_tls: bool) -> str | None:
    """Where clients outside reach the gateway by that name, without a slash at the end; None where it has none.

    With a Gateway of the Gateway API, TLS is the Gateway's, so it is taken for https; an ingress needs a certificate for it.

    Args:
        placement: Where the stack is.
        project_ref: The stack's reference.
        own_tls: Whether the gateway itself has a certificate, which counts behind a load balancer.
    """
    host = public_host(placement, project_ref)
    if host is None:
        return None
    certificate = placement["kubernetes"]["settings"]["exposure"].get("tlsSecret")
    return f"{'https' if secure(placement, tls_secret=certificate, own_tls=own_tls) else 'http'}://{host}"


def secure(placement: Placement, *, tls_secret: str | None, own_tls: bool) -> bool:
    """Whether clients outside the cluster come by https. `tls_secret`: with the certificate of an ingress."""
    kind = placement["kubernetes"]["settings"]["exposure"]["kind"]
    return kind is Exposure.GATEWAY or tls_secret is not None or (kind is Exposure.LOADBALANCER and own_tls)


def published(placement: Placement, services: Iterable[Service]) -> dict[str, Endpoint]:
    """Where programs outside the stack reach what services publish, by name in the port plan; what is turned off publishes nothing."""
    return {
        port.publish: reached(placement, service.name, port)
        for service in services
        if not service.off
        for port in service.ports
        if port.publish is not None
    }
