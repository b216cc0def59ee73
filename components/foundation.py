"""What a stack stands on: its random id, the checks before and after, and the place its components go to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pulumi
import pulumi_random as random

from components.checks import Checks, Look
from components.data_places import DataPlaces
from components.data_places import of as data_places
from components.plan import Plan
from components.setting_types import Target
from components.targets.placement import Placement
from components.verification.check import make_schema, verify


class Ground(Protocol):
    """The module of a target that knows what a stack stands on there. Each is given back its own provider and checks."""

    def provider(self, plan: Plan) -> pulumi.ProviderResource | None:
        """The explicit provider; None where nothing is made."""

    def before(self, plan: Plan, stack_id: pulumi.Output[str]) -> Checks | None:
        """The checks before the deployment; None where there is nothing to look at."""

    def existing(self, plan: Plan, provider: Any, checks: Any) -> Mapping[str, pulumi.Output[str]]:
        """The secret settings that are kept on the target already, by name. `checks`: what must have passed before they are read."""

    def lay(self, plan: Plan, stack_id: pulumi.Output[str], provider: Any, checks: Any, own_id: pulumi.Output[str]) -> Placement:
        """Makes the place that all components go to. `stack_id`: known once the checks have passed. `checks`: as for `existing`.

        `own_id`: the one that this state has made, whichever is given.
        """

    def after(self, plan: Plan, ready: Sequence[pulumi.Output[list[str]]], *, apps: bool = False) -> Checks | None:
        """The health gate; None where nothing is deployed. `ready`: what must exist before there is anything to look at.

        `apps`: that of the user's own services, which come after all others.
        """


def _ground(target: Target) -> Ground:
    # Imported here: a target's SDK costs time, and only one is needed.
    if target is Target.KUBERNETES:
        from components.targets.kubernetes import ground

        return ground
    if target is Target.MANAGED:
        from components.targets import managed_ground

        return managed_ground
    from components.targets import docker_ground

    return docker_ground


@dataclass(frozen=True)
class Foundation:
    """What the components of a stack need.

    Attributes:
        plan: What the stack is made of.
        placement: Where the components go.
        provider: The explicit provider, for each component's options; None where nothing is made.
        ground: What knows the target.
        verified: What waits for the answers of all that others run; None where nobody is asked.
    """

    plan: Plan
    placement: Placement
    provider: pulumi.ProviderResource | None
    ground: Ground
    verified: pulumi.Resource | None = None

    def options(self) -> pulumi.ResourceOptions:
        """Options of a component."""
        return pulumi.ResourceOptions(providers=None if self.provider is None else [self.provider])


def lay(plan: Plan, files: Sequence[Mapping[str, Any]]) -> Foundation:
    """Makes the stack's id, the checks before the deployment, and the place on the target.

    Args:
        plan: What the stack is made of.
        files: The env files that will be written, as `app_env.planned` tells them.

    Nothing else is made before the checks have passed: all that carries the id waits for them.
    """
    settings = plan.settings
    ground = _ground(settings.target)
    provider = ground.provider(plan)
    # With it goes the claim to the volumes, so it stays as long as they do, also beside one that was given later.
    own_id = random.RandomId("stack-id", byte_length=8, opts=pulumi.ResourceOptions(protect=True)).hex
    stack_id = own_id if settings.stack_id is None else pulumi.Output.from_input(settings.stack_id)
    before = ground.before(plan, stack_id)
    writable = Checks(
        "env-files-check",
        look=Look.BEFORE,
        probe="components.env_file_probe",
        parameters={"project": settings.project, "stack": settings.stack, "files": files},
    )
    plan.bring(ground.existing(plan, provider, before))
    # The urns are known in every preview, so the id is too, and still everything waits for the checks.
    verified = verify(plan)
    schema = make_schema(plan, verified)
    looked = [check for check in (before, writable, verified) if check is not None]
    DataPlaces("data", data_places(plan), after=looked)
    passed = [check.urn for check in looked]
    checked = pulumi.Output.all(stack_id, *passed).apply(lambda all_of_it: str(all_of_it[0]))
    return Foundation(plan, ground.lay(plan, checked, provider, before, own_id), provider, ground, schema or verified)


def health_gate(foundation: Foundation, ready: Sequence[pulumi.Output[list[str]]]) -> pulumi.Resource | None:
    """Fails every up in which something is not healthy, whatever the plugin remembers of a failed wait.

    Where nothing is deployed, what others run is the gate; None: nobody is asked either.

    Args:
        foundation: The stack's foundation.
        ready: What must exist before there is anything to look at.
    """
    return foundation.ground.after(foundation.plan, ready) or foundation.verified


def app_gate(foundation: Foundation, ready: Sequence[pulumi.Output[list[str]]]) -> Checks | None:
    """The same for the user's own services, which come after all others."""
    return foundation.ground.after(foundation.plan, ready, apps=True)


def after(placement: Placement, gate: pulumi.Resource | None) -> Placement:
    """The same place, known once a gate has let the deployment through."""
    if gate is None:
        return placement
    passed = gate.urn

    def later(place: pulumi.Input[str]) -> pulumi.Output[str]:
        return pulumi.Output.all(place, passed).apply(lambda both: str(both[0]))

    found = placement.copy()
    if "network" in found:
        found["network"] = later(found["network"])
    if "kubernetes" in found:
        found["kubernetes"] = {**found["kubernetes"], "namespace": later(found["kubernetes"]["namespace"])}
    return found
