"""The outputs of a stack. Names follow `supabase status -o env`; beside them stand ours."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components import supabase_outputs
from components.cache import Cache
from components.object_storage import ObjectStorage
from components.plain_database import PlainDatabase
from components.plan import APPS, Plan
from components.setting_types import Target
from components.supabase_stack import SupabaseStack


def collect(
    plan: Plan,
    *,
    supabase: SupabaseStack | None,
    cache: Cache | None,
    objects: ObjectStorage | None,
    plain: PlainDatabase | None,
) -> dict[str, pulumi.Input[Any]]:
    """All outputs that exist for what the stack has; secrets are secret outputs. None: the component is not made."""
    settings, values = plan.settings, plan.values
    found: dict[str, pulumi.Input[Any]] = {name: values[name] for name in ("APP_URL", "INSTANCE_ID")}
    if any("backend" in app.ports for app in plan.apps.values()):
        found["BACKEND_URL"] = values["BACKEND_URL"]
    for name in supabase_outputs.NAMES:
        if name in values and supabase is not None:
            found[name] = getattr(supabase, name.lower())
    if settings.cache.enabled and cache is not None:
        found["REDIS_URL"] = cache.url
    if "REDIS_COMMANDER_URL" in values and cache is not None:
        found["REDIS_COMMANDER_URL"] = cache.commander_url
    if plain is not None:
        urls = {"PLAIN_DB_URL": plain.url, "PGBOUNCER_URL": plain.pooled_url}
        found |= {name: url for name, url in urls.items() if name in values}
    if settings.object_storage.enabled and objects is not None:
        found["S3_ENDPOINT"] = objects.endpoint
        found["S3_ACCESS_KEY"] = objects.access_key
        found["S3_SECRET_KEY"] = objects.secret_key
        found["S3_BUCKET"] = objects.bucket
        found["S3_REGION"] = values["S3_REGION"]
    return found


def about(plan: Plan) -> dict[str, Any]:
    """What the summary and smoke checks are told beside the outputs: ports, images, env files, where the apps are."""
    settings = plan.settings
    return {
        "PORTS": {port.name: port.port for port in plan.ports},
        "IMAGES": {name: {"reference": i.reference, "kind": i.kind} for name, i in plan.images.items()},
        "ENV_FILES": {app: str(file.path) for app, file in settings.env_files.items()},
        "NOTES": plan.notes,
        **({"APPS": plan.app_addresses} if plan.services[APPS] else {}),
        # A container's labels say what it is for; a workload's leave out what `make status` asks.
        **({"WORKLOADS": plan.workloads} if settings.target is Target.KUBERNETES else {}),
    }


def export(values: Mapping[str, pulumi.Input[Any]]) -> None:
    """Registers the outputs, sorted."""
    for name in sorted(values):
        pulumi.export(name, values[name])
