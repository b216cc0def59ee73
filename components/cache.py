"""The Cache component: one Valkey or Redis server, and perhaps a web page on it."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from components import placing, secrets
from components.encode import encode
from components.service import Encoding, Service
from components.services import cache as service
from components.services import redis_commander as page
from components.setting_groups import complete, mib, off
from components.setting_types import CacheSettings
from components.targets.placement import Placement, release_of


class CacheArgs(TypedDict):
    """What a cache can be told."""

    placement: Placement
    """Where it runs."""
    settings: NotRequired[CacheSettings]
    """The cache's settings; defaults for what is left out."""
    password: NotRequired[pulumi.Input[str]]
    """The password; generated where none is given. Always handled as a secret."""


def services(args: CacheArgs) -> Sequence[Service]:
    """The services of a cache with these args. Pure.

    Raises:
        pulumi.InputPropertyError: a setting is wrong.
        components.releases.UnknownImage: the release has no image of the engine.
    """
    settings = complete("cache", args.get("settings"))
    release = release_of(args["placement"])
    engine, enabled = settings["engine"], settings["enabled"]
    made = service.cache(
        engine,
        release.image(engine.value) if enabled else release.image_if_any(engine.value),
        memory_mib=mib(settings["memory"]),
        max_memory=settings["maxMemory"],
        eviction_policy=settings["evictionPolicy"].value,
        append_only=settings["appendOnly"],
        append_fsync=settings["appendFsync"].value,
    )
    if not enabled:
        return (off(made),)
    return (made, page.redis_commander(release.image("redis-commander"))) if settings["commander"] else (made,)


class Cache(pulumi.ComponentResource):
    """A Valkey or Redis server whose data outlives it."""

    url: pulumi.Output[str]
    """Connection URL from the host (secret); empty where the cache is turned off."""
    commander_url: pulumi.Output[str]
    """Redis Commander, from the host; empty where there is none."""
    ready: pulumi.Output[list[str]]
    """Ids of what was placed: known once all of it exists."""

    def __init__(self, name: str, args: CacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("supastack:index:Cache", name, {}, opts)
        made = secrets.make(
            self,
            name,
            # A new password is simply taken up: the server reads it at each start.
            [secrets.SecretSpec(service.PASSWORD, keeps_data=False)],
            {service.PASSWORD: args["password"]} if "password" in args else {},
        )
        placed = placing.place(self, name, args["placement"], services(args), made)
        password = made[service.PASSWORD].apply(lambda value: encode(value, Encoding.URL))
        at = placed.endpoint("redis")
        self.url = pulumi.Output.concat("redis://:", password, f"@{at}") if at else pulumi.Output.secret("")
        web = placed.endpoint("redis-commander")
        self.commander_url = pulumi.Output.from_input(f"http://{web}" if web else "")
        self.ready = placed.ready
        self.register_outputs({"url": self.url, "commander_url": self.commander_url, "ready": self.ready})
