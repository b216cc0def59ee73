"""The outputs of a stack. Names follow `supabase status -o env`; beside them stand ours."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.cache import Cache
from components.object_storage import ObjectStorage
from components.plan import Plan
from components.supabase_stack import SupabaseStack


def collect(
    plan: Plan,
    *,
    supabase: SupabaseStack,
    cache: Cache,
    objects: ObjectStorage,
) -> dict[str, pulumi.Input[Any]]:
    """All outputs that exist for what the stack has; secrets are secret outputs."""
    settings = plan.settings
    found: dict[str, pulumi.Input[Any]] = {
        "APP_URL": f"http://127.0.0.1:{settings.app.port}",
        "INSTANCE_ID": str(settings.instance),
    }
    if settings.supabase.enabled:
        found["DB_URL"] = supabase.db_url
    if settings.cache.enabled:
        found["REDIS_URL"] = cache.url
    if settings.object_storage.enabled:
        found["S3_ENDPOINT"] = objects.endpoint
        found["S3_ACCESS_KEY"] = objects.access_key
        found["S3_SECRET_KEY"] = objects.secret_key
        found["S3_BUCKET"] = objects.bucket
    return found


def about(plan: Plan) -> dict[str, Any]:
    """What the summary tells beside the outputs: ports, images, env files."""
    settings = plan.settings
    return {
        "PORTS": {port.name: port.port for port in plan.ports},
        "IMAGES": {name: {"reference": i.reference, "kind": i.kind} for name, i in plan.images.items()},
        "ENV_FILES": {app: str(file.path) for app, file in settings.env_files.items()},
        "NOTES": plan.notes,
    }


def export(values: Mapping[str, pulumi.Input[Any]]) -> None:
    """Registers the outputs, sorted."""
    for name in sorted(values):
        pulumi.export(name, values[name])
