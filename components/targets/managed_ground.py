"""What a stack stands on where it runs nothing: no provider, no place, nothing to look at before and nothing to wait for after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.endpoints import Endpoint, Viewpoint
from components.plan import Plan
from components.service import Service
from components.targets.placement import Placement


def provider(plan: Plan) -> None:
    """There is none: nothing is made anywhere."""
    del plan


def before(plan: Plan, stack_id: pulumi.Output[str]) -> None:
    """There is nothing that must be true before. What others run is asked where `verify` says so."""
    del plan, stack_id


def existing(
    plan: Plan, provider: pulumi.ProviderResource | None, checks: pulumi.Resource | None
) -> Mapping[str, pulumi.Output[str]]:
    """Nothing here keeps secrets."""
    del plan, provider, checks
    return {}


def lay(plan: Plan, stack_id: pulumi.Output[str], provider: None, checks: None, own_id: pulumi.Output[str]) -> Placement:
    """Makes nothing; the placement tells names and ports alone."""
    del provider, checks, own_id
    return plan.placement(stack_id)


def after(plan: Plan, ready: Sequence[pulumi.Output[list[str]]], *, apps: bool = False) -> None:
    """There is nothing to wait for."""
    del plan, ready, apps


@dataclass(frozen=True)
class Nowhere:
    """What became of no services."""

    ready: pulumi.Output[list[str]] = field(default_factory=lambda: pulumi.Output.from_input([]))

    def endpoint(self, capability: str, viewpoint: Viewpoint = Viewpoint.HOST) -> Endpoint | None:
        """None: what others run is told of by who names it."""
        del capability, viewpoint
        return None


def place(services: Sequence[Service]) -> Nowhere:
    """Takes no service that is to run.

    Raises:
        pulumi.InputPropertyError: there is one.
    """
    if running := sorted(service.name for service in services if not service.off):
        raise pulumi.InputPropertyError(
            "placement.target",
            f"target is managed, which runs nothing, and {', '.join(running)} would have to run: "
            "name what others run in its place (engine: external, supabase.managed.ref), or turn it off",
        )
    return Nowhere()
