"""What a component must be told to place its services: plain settings, and what the stack's foundation made."""

from enum import Enum
from typing import NotRequired, TypedDict

import pulumi


class TargetKind(str, Enum):
    """Where services run."""

    DOCKER = "docker"
    """Containers of a local Docker daemon."""
    KUBERNETES = "kubernetes"
    MANAGED = "managed"


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


def object_name(placement: Placement, component: str, *parts: str) -> str:
    """`<project>-<stack>-<component>-<part>…`: no two stacks' objects meet."""
    return "-".join((placement["project"], placement["stack"], component, *parts))


def published_host(placement: Placement) -> str:
    """The host under which this machine reaches what a stack publishes: bound to every address, it is loopback still."""
    bind = placement.get("bind_address", "127.0.0.1")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
