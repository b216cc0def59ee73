"""What a component must be told to place its services: plain settings, and what the stack's foundation made."""

from collections.abc import Iterable
from enum import Enum
from typing import NotRequired, TypedDict

import pulumi

from components import releases
from components.endpoints import Endpoint
from components.image_settings import ImageSettings
from components.kubernetes_settings import KubernetesSettings
from components.service import Service


class TargetKind(str, Enum):
    """Where services run."""

    DOCKER = "docker"
    """Containers of a local Docker daemon."""
    KUBERNETES = "kubernetes"
    MANAGED = "managed"


class KubernetesPlacement(TypedDict):
    """What the Kubernetes target must know beside the rest."""

    namespace: pulumi.Input[str]
    """Where all objects of the stack go."""
    settings: KubernetesSettings
    """The settings of the target."""


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
    """The host under which this machine reaches what a stack publishes: bound to every address, it is loopback still."""
    bind = placement.get("bind_address", "127.0.0.1")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)


def published(placement: Placement, services: Iterable[Service]) -> dict[str, Endpoint]:
    """Where this machine reaches what services publish, by name in the port plan; what is turned off publishes nothing."""
    host = published_host(placement)
    names = [port.publish for service in services if not service.off for port in service.ports]
    return {name: Endpoint(host, placement["ports"][name]) for name in names if name is not None}
