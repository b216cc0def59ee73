"""What a stack on Docker stands on: the explicit provider, the network, and what the checks are told."""

from collections.abc import Mapping, Sequence

import pulumi

from components import env_plan
from components.checks import Checks, Look
from components.plan import Plan
from components.targets import docker
from components.targets.placement import Placement

_PROBE = "components.targets.docker_probe"


def provider(plan: Plan) -> pulumi.ProviderResource:
    """The explicit provider."""
    return docker.provider(plan.settings.docker.host)


def before(plan: Plan, stack_id: pulumi.Output[str]) -> Checks:
    """What must be true of the daemon before anything is made there."""
    settings = plan.settings
    return Checks(
        "checks",
        look=Look.BEFORE,
        probe=_PROBE,
        parameters={
            "host": settings.docker.host,
            "stack_id": stack_id,
            "network": f"{settings.project}-{settings.stack}",
            "containers": plan.containers,
            "ports": [
                {"name": p.name, "port": p.port, "bind": p.bind, "service": p.service, "setting": p.setting} for p in plan.ports
            ],
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


def existing(plan: Plan, provider: pulumi.ProviderResource, checks: pulumi.Resource) -> Mapping[str, pulumi.Output[str]]:
    """A daemon keeps no secrets."""
    del plan, provider, checks
    return {}


def lay(
    plan: Plan,
    stack_id: pulumi.Output[str],
    provider: pulumi.ProviderResource,
    checks: pulumi.Resource,
    own_id: pulumi.Output[str],
) -> Placement:
    """Makes the network. `stack_id`: known once the checks have passed."""
    del checks, own_id  # the id says that they have
    network = docker.network(plan.settings.project, plan.settings.stack, stack_id, provider)
    return plan.placement(stack_id, network.name)


def after(plan: Plan, ready: Sequence[pulumi.Output[list[str]]], *, apps: bool = False) -> Checks:
    """What must be true of the daemon once everything exists. `apps`: of the user's own services, not of the others."""
    settings = plan.settings
    theirs = plan.app_containers
    return Checks(
        "apps-health" if apps else "health",
        look=Look.AFTER,
        probe=_PROBE,
        parameters={
            "host": settings.docker.host,
            "containers": [name for name in plan.containers if (name in theirs) is apps],
            "optional": plan.optional_containers,
            "timeout": settings.health_timeout,
            "ready": list(ready),
            **({"asked": theirs} if apps else {}),
        },
    )
