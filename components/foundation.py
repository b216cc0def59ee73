"""What a stack stands on: its random id, the checks before and after, and the place its components go to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_random as random

from components import env_plan
from components.checks import Checks, Look
from components.plan import Plan
from components.targets import docker
from components.targets.placement import Placement

_PROBE = "components.targets.docker_probe"


@dataclass(frozen=True)
class Foundation:
    """What the components of a stack need.

    Attributes:
        plan: What the stack is made of.
        placement: Where the components go.
        provider: The explicit provider, for each component's options.
    """

    plan: Plan
    placement: Placement
    provider: pulumi.ProviderResource

    def options(self) -> pulumi.ResourceOptions:
        """Options of a component."""
        return pulumi.ResourceOptions(providers=[self.provider])


def lay(plan: Plan, files: Sequence[Mapping[str, Any]]) -> Foundation:
    """Makes the stack's id, the checks before the deployment, and the network.

    Args:
        plan: What the stack is made of.
        files: The env files that will be written, as `app_env.planned` tells them.

    Nothing else is made before the checks have passed: all that carries the id waits for them.
    """
    settings = plan.settings
    provider = docker.provider(settings.docker.host)
    stack_id = _stack_id(settings.stack_id)
    before = Checks(
        "checks",
        look=Look.BEFORE,
        probe=_PROBE,
        parameters={
            "host": settings.docker.host,
            "stack_id": stack_id,
            "network": f"{settings.project}-{settings.stack}",
            "containers": plan.containers,
            "ports": [{"name": p.name, "port": p.port, "bind": p.bind, "service": p.service} for p in plan.ports],
            "apps": env_plan.app_ports(plan.apps, settings),
            "folders": {path: f"{settings.project}:{setting}" for path, setting in plan.folders.items()},
            "volumes": [
                {
                    "name": v.name,
                    "identity": v.identity,
                    "setting": v.setting,
                    "secret_setting": v.paired_setting,
                }
                for v in plan.volumes
            ],
        },
    )
    writable = Checks(
        "env-files-check",
        look=Look.BEFORE,
        probe="components.env_file_probe",
        parameters={"project": settings.project, "stack": settings.stack, "files": files},
    )
    # The urns are known in every preview, so the id is too, and still everything waits for the checks.
    checked = pulumi.Output.all(stack_id, before.urn, writable.urn).apply(lambda all_of_it: str(all_of_it[0]))
    network = docker.network(settings.project, settings.stack, checked, provider)
    return Foundation(plan, plan.placement(checked, network.name), provider)


def _stack_id(given: str | None) -> pulumi.Output[str]:
    # With it goes the claim to the volumes, so it stays as long as they do, also beside one that was given later.
    own = random.RandomId("stack-id", byte_length=8, opts=pulumi.ResourceOptions(protect=True))
    return own.hex if given is None else pulumi.Output.from_input(given)


def health_gate(foundation: Foundation, ready: Sequence[pulumi.Output[list[str]]]) -> Checks:
    """Fails every up in which something is not healthy, whatever the plugin remembers of a failed wait.

    Args:
        foundation: The stack's foundation.
        ready: What must exist before there is anything to look at.
    """
    settings = foundation.plan.settings
    return Checks(
        "health",
        look=Look.AFTER,
        probe=_PROBE,
        parameters={
            "host": settings.docker.host,
            "containers": foundation.plan.containers,
            "optional": foundation.plan.optional_containers,
            "timeout": settings.health_timeout,
            "ready": list(ready),
        },
    )
