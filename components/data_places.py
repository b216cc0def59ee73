"""DataPlaces: where a stack's data lives, as a resource, so that a move is a step of its own in every preview.

A changed setting makes another database, bucket or folder the stack's, and the old one stays behind with what is in it: to the engine
that is an environment variable. This keeps what was deployed, and warns of what does not go along. It refuses nothing: whoever has
copied the data moves by the same settings.

No secret and no login is among the places. What is turned off has none: the state keeps where it was, so that it is told when it is
turned on elsewhere.

The state refers to the provider by this module's name: moving it needs care for existing states.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from components.data_moves import KINDS, OWN, moves
from components.engine_log import warn
from components.unknowns import marked

if TYPE_CHECKING:
    from components.plan import Plan

Places = dict[str, dict[str, str]]
"""The places by kind, texts alone."""


def of(plan: "Plan") -> Places:
    """The places of all data that the settings turn on: `database`, `storage` (Storage's files), `buckets` (of the apps). Pure."""
    # Imported here: the provider's process needs none of it.
    from components import object_storage

    p = plan.placement()
    found: Places = {}
    reached = object_storage.reached(plan.object_storage_args(p))
    store = {} if reached is None else {"store": _authority(reached.endpoint) if reached.external else OWN}
    if plan.settings.supabase.enabled:
        found |= _of_supabase(plan, store)
    if store:
        found["buckets"] = {**store, "bucket": plan.settings.object_storage.buckets[0]}
    return found


def _of_supabase(plan: "Plan", store: Mapping[str, str]) -> Places:
    from components import supabase_stack
    from components.endpoints import Endpoint
    from components.setting_groups import complete
    from components.supabase_settings.database_engine import DatabaseEngine
    from components.supabase_settings.storage import StorageBackend

    if (project := plan.settings.supabase.managed) is not None:
        # Its hosts are ways to it: the pooler's may take the place of the database's own.
        return {
            "database": {"engine": "managed", "ref": project.ref, "name": project.database},
            "storage": {"backend": "managed", "ref": project.ref},
        }
    settings = complete("supabase", plan.settings.given("supabase"))
    database, files = settings["database"], settings["storage"]
    place = {"engine": database["engine"].value, "name": database["name"]}
    if database["engine"] is DatabaseEngine.EXTERNAL:
        place["server"] = str(Endpoint(database["external"]["host"], database["external"]["port"]))
    found: Places = {"database": place}
    if files["enabled"]:
        tenant = files.get("tenantId") or supabase_stack.reference(plan.supabase_args(plan.placement()))
        in_store = store if files["backend"] is StorageBackend.S3 else {}
        found["storage"] = {"backend": files["backend"].value, **in_store, "bucket": files["bucket"], "tenant": tenant}
    return found


def _authority(endpoint: str) -> str:
    """The address without its scheme: https instead of http is the same store."""
    return endpoint.partition("://")[2]


class DataPlaces(dynamic.Resource, module="supastack", name="DataPlaces"):
    """Where the data of the stack is, as deployed."""

    def __init__(self, name: str, places: Places, after: Sequence[pulumi.Resource]) -> None:
        """Tell the places.

        Args:
            name: Name of the resource.
            places: What `of` says.
            after: Checks that must have passed: what they refuse has moved nothing.
        """
        # Protected, since the data outlives the stack as well.
        opts = pulumi.ResourceOptions(protect=True)
        super().__init__(DataPlacesProvider(), name, {kind: _once(after, place) for kind, place in places.items()}, opts)


def _once(passed: Sequence[pulumi.Resource], place: Mapping[str, str]) -> pulumi.Output[Mapping[str, str]]:
    """The place, as soon as these have passed. No dependency: what something protected depends on would stay after `make down`."""

    async def wait() -> Mapping[str, str]:
        for check in passed:
            await check.urn.future(with_unknowns=True)
        return place

    return pulumi.Output.from_input(wait())


class DataPlacesProvider(dynamic.ResourceProvider):
    """What the engine does with the places: it keeps them, and tells of a move in previews and deployments. Nothing is asked or made."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Warn of what does not go along. What has no place now keeps the one that it had."""
        news = {**{kind: _olds[kind] for kind in KINDS if kind in _olds}, **marked(news)}
        for line in moves(_olds, news):
            warn(line)
        return dynamic.CheckResult(news, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Always an update in place."""
        return dynamic.DiffResult(changes=any(_olds.get(kind) != _news.get(kind) for kind in KINDS))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Keep them."""
        return dynamic.CreateResult("data", _kept(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Keep those of now."""
        return dynamic.UpdateResult(_kept(_news))


def _kept(props: Mapping[str, Any]) -> dict[str, Any]:
    return {kind: props[kind] for kind in KINDS if kind in props}
