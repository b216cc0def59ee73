"""The Cache component: one Valkey or Redis server and perhaps a web page on it, or a cache that others run."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from components import placing, secrets
from components.encode import encode
from components.endpoints import Endpoint
from components.service import Encoding, Service
from components.services import cache as service
from components.services import redis_commander as page
from components.setting_groups import complete, mib, off
from components.setting_types import CacheEngine, CacheSettings
from components.targets.placement import Placement, release_of


class CacheArgs(TypedDict):
    """What a cache can be told."""

    placement: Placement
    """Where it runs."""
    settings: NotRequired[CacheSettings]
    """The cache's settings; defaults for what is left out."""
    password: NotRequired[pulumi.Input[str]]
    """The password: of an external cache, or of the stack's own; generated where none is given. Always handled as a secret."""


def _settings(args: CacheArgs) -> dict[str, Any]:
    settings = complete("cache", args.get("settings"))
    external = settings["external"]
    if settings["enabled"] and settings["engine"] is CacheEngine.EXTERNAL and "host" not in external:
        raise pulumi.InputPropertyError("settings.external.host", "an external cache needs it")
    return settings


def external(args: CacheArgs) -> Mapping[str, Any] | None:
    """What the settings say of the cache that others run; None where the stack has its own, or none. Pure."""
    settings = _settings(args)
    found: Mapping[str, Any] = settings["external"]
    return found if settings["enabled"] and settings["engine"] is CacheEngine.EXTERNAL else None


def services(args: CacheArgs) -> Sequence[Service]:
    """The services of a cache with these args; none for an external one. Pure.

    Raises:
        pulumi.InputPropertyError: a setting is wrong.
        components.releases.UnknownImage: the release has no image of the engine.
    """
    settings = _settings(args)
    engine, enabled = settings["engine"], settings["enabled"]
    if engine is CacheEngine.EXTERNAL:
        return ()
    release = release_of(args["placement"])
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


def _external_url(at: Mapping[str, Any], password: pulumi.Input[str] | None) -> pulumi.Output[str]:
    """The URL of a cache that others run (IANA's `redis` scheme; `rediss` is the clients' word for TLS)."""
    server = f"{'rediss' if at['tls'] else 'redis'}://", f"{Endpoint(at['host'], at['port'])}"
    if at["anonymous"]:
        return pulumi.Output.secret("".join(server))
    if password is None:
        raise pulumi.InputPropertyError("password", "an external cache needs it")
    hidden = pulumi.Output.secret(password).apply(lambda value: encode(value, Encoding.URL))
    return pulumi.Output.concat(f"{server[0]}{at.get('user', '')}:", hidden, f"@{server[1]}")


class Cache(pulumi.ComponentResource):
    """A Valkey or Redis server whose data outlives it, or one that others run: then it makes nothing."""

    url: pulumi.Output[str]
    """Connection URL from the host (secret); empty where the cache is turned off."""
    commander_url: pulumi.Output[str]
    """Redis Commander, from the host; empty where there is none."""
    ready: pulumi.Output[list[str]]
    """Ids of what was placed: known once all of it exists."""

    def __init__(self, name: str, args: CacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("supastack:index:Cache", name, {}, opts)
        settings = _settings(args)
        if settings["engine"] is CacheEngine.EXTERNAL:
            on = settings["enabled"]
            self.url = _external_url(settings["external"], args.get("password")) if on else pulumi.Output.secret("")
            self.commander_url = pulumi.Output.from_input("")
            self.ready = pulumi.Output.from_input([])
        else:
            self._place(name, args)
        self.register_outputs({"url": self.url, "commander_url": self.commander_url, "ready": self.ready})

    def _place(self, name: str, args: CacheArgs) -> None:
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
