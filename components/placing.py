"""Places a component's services on the target that its placement names."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import pulumi

from components.endpoints import Endpoint, Viewpoint
from components.service import Service
from components.targets.placement import Placement, TargetKind


class Placed(Protocol):
    """What became of a component's services."""

    @property
    def ready(self) -> pulumi.Output[list[str]]:
        """Ids of all that was placed: known once it exists."""

    def endpoint(self, capability: str, viewpoint: Viewpoint = Viewpoint.HOST) -> Endpoint | None:
        """Where a capability is reached; None where no service that runs provides it for that viewpoint."""


def place(
    component: pulumi.ComponentResource,
    name: str,
    placement: Placement,
    services: Sequence[Service],
    secrets: Mapping[str, pulumi.Output[str]],
    elsewhere: Mapping[str, Endpoint] | None = None,
) -> Placed:
    """Places the services as children of `component`.

    Args:
        component: Parent of all that is made.
        name: The component's name, the first part of each child's.
        placement: Where they go.
        services: What is placed; gates among them make the order.
        secrets: Value by name, for all that the services use.
        elsewhere: Capabilities that others of the stack provide, as they are reached from inside.

    Raises:
        pulumi.InputPropertyError: the target runs nothing, and a service is to run.
    """
    kind = TargetKind(placement["target"])
    if kind is TargetKind.DOCKER:
        # Imported here: a target's SDK costs time, and only one is needed.
        from components.targets import docker

        return docker.place(component, name, placement, services, secrets, elsewhere)
    if kind is TargetKind.KUBERNETES:
        from components.targets.kubernetes import placing as kubernetes

        return kubernetes.place(component, name, placement, services, secrets, elsewhere)
    from components.targets import managed_ground

    return managed_ground.place(services)
