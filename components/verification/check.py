"""What a deployment does with what others run before it makes anything: asks it, and makes the tests' schema where that is wanted."""

from typing import Any

import pulumi

from components.checks import Checks, Look
from components.plan import Plan


def verify(plan: Plan) -> Checks | None:
    """The check of all endpoints; None where the settings want none, or nothing is run by others."""
    if not plan.settings.verify:
        return None
    from components.verification.endpoints import endpoints

    if not (asked := endpoints(plan)):
        return None
    return Checks("verify", look=Look.BEFORE, probe="components.verification.probe", parameters={"endpoints": asked})


def make_schema(plan: Plan, verified: pulumi.Resource | None) -> pulumi.Resource | None:
    """The tests' schema in a managed project; None where the settings do not say to make it."""
    supabase: Any = plan.settings.given("supabase")
    if plan.settings.supabase.managed is None or not supabase["database"]["createTestSchema"]:
        return None
    from components.managed_schema import ManagedSchema
    from components.verification.endpoints import session

    opts = pulumi.ResourceOptions(depends_on=[verified] if verified is not None else [])
    return ManagedSchema("test-schema", session(plan), supabase["database"]["testSchema"], opts)
