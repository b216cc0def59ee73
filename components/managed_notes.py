"""What others run, for people: one line each. No secret is in them."""

from collections.abc import Iterator

from components.endpoints import Endpoint
from components.managed import Project
from components.setting_types import ObjectStorageEngine, Target
from components.settings import Settings

CREATED = "nothing is created there"


def notes(settings: Settings) -> Iterator[str]:
    """What the stack only tells of, since others run it."""
    if settings.target is Target.MANAGED:
        yield "target managed: the stack runs nothing, and touches nothing but its env files and its own state"
    if (project := settings.supabase.managed) is not None:
        yield f"others run the Supabase project {_named(project)}: {CREATED}"
    cache = settings.given("cache")
    if cache["enabled"] and cache["engine"] == "external":
        at = cache["external"]
        yield f"others run the cache at {Endpoint(at['host'], at['port'])}: {CREATED}"
    store = settings.object_storage
    if store.enabled and store.engine is ObjectStorageEngine.EXTERNAL:
        yield f"others run the object store at {store.endpoint}: {CREATED}"


def _named(project: Project) -> str:
    region = f" in {project.region}" if project.region else ""
    pooler = f", pooler {Endpoint(project.pooler_host, project.pooler_port)}" if project.pooler_host else ""
    replicas = len(project.replicas)
    read = f", {replicas} read replica{'s' if replicas > 1 else ''}" if replicas else ""
    return f"{project.ref}{region} (database {Endpoint(project.database_host, project.database_port)}{pooler}{read})"
