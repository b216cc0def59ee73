"""Supastack: settings -> components -> outputs."""

import asyncio

import pulumi

from components.settings import SettingsError, load


def main() -> None:
    """The program: everything is checked before the first resource is registered."""
    try:
        settings = load(pulumi.Config(), stack=pulumi.get_stack())
    except SettingsError as e:
        raise pulumi.RunError(str(e)) from None

    # Imported once the settings are known to be right: the provider's SDK takes time to load.
    from components import app_env, outputs
    from components.application import Application
    from components.cache import Cache
    from components.foundation import after, app_gate, health_gate, lay
    from components.object_storage import ObjectStorage
    from components.plain_database import PlainDatabase
    from components.plan import APPS, CACHE, OBJECTS, PLAIN, SUPABASE, Plan, PlanError
    from components.supabase_stack import SupabaseStack

    try:
        plan = Plan(settings)
    except PlanError as e:
        raise pulumi.RunError(str(e)) from None
    if pulumi.runtime.is_dry_run():  # an update's own summary lists them
        for line in settings.warnings:
            pulumi.warn(line)
    tenant_env = None
    if settings.tenants:  # few stacks have any
        from components import tenant_env
    foundation = lay(plan, [*app_env.planned(plan), *(tenant_env.planned(plan) if tenant_env else ())])
    opts, placement = foundation.options(), foundation.placement
    cache = Cache(CACHE, plan.cache_args(placement), opts) if plan.makes(CACHE) else None
    objects = ObjectStorage(OBJECTS, plan.object_storage_args(placement), opts) if plan.makes(OBJECTS) else None
    supabase = SupabaseStack(SUPABASE, plan.supabase_args(placement, objects), opts) if plan.makes(SUPABASE) else None
    plain = PlainDatabase(PLAIN, plan.plain_args(placement), opts) if plan.services[PLAIN] else None
    gate = health_gate(foundation, [c.ready for c in (supabase, cache, objects, plain) if c is not None])

    given = outputs.collect(plan, supabase=supabase, cache=cache, objects=objects, plain=plain)
    made = app_env.made(plan)
    app_env.write(plan, {**given, **made}, gate)
    if plan.services[APPS]:
        # Its database is there, and well, before an app is.
        place = after(placement, gate)
        apps = [
            Application(f"{APPS}-{app}", plan.application_args(app, place, {**given, **made}), opts)
            for app in sorted(settings.given("apps"))
        ]
        app_gate(foundation, [app.ready for app in apps])
    if tenant_env:
        tenant_env.write(plan, {**given, **made}, gate)
        given |= tenant_env.outputs(plan)
    outputs.export({**given, **outputs.about(plan), **app_env.told(plan, given, made)})


async def registrations_begin() -> None:
    """Gives the event loop one round, in which all registrations begin.

    With none begun the SDK (3.272, `wait_for_rpcs`) awaits all outputs anew whenever one of them is done: a fifth of the program's time.
    """
    await asyncio.sleep(0)


main()
pulumi.run(registrations_begin)
