"""The SupabaseStack component: a whole Supabase, as upstream's self-hosted set runs it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NotRequired, TypedDict

import pulumi

from components import placing, releases, supabase_secrets
from components.encode import encode
from components.endpoints import Endpoint
from components.service import Encoding, Secret, Service, text
from components.services import postgres, secret_names
from components.services.context import S3, Context, Urls
from components.setting_groups import complete, off
from components.setting_types import SupabaseSettings
from components.supabase_settings.override import SERVICES
from components.targets.placement import Placement, published_host

_BUILD: Final[Mapping[str, Callable[[Context], Service]]] = {
    "postgres": postgres.postgres,
}
"""How each service is made, by name. A new one is a file in `components.services` and a line here."""


class ObjectStore(TypedDict):
    """The object store in which Storage keeps its files, where the settings choose it."""

    endpoint: str
    """Its address inside the stack, `http://host:port`."""
    bucket: str
    region: str
    access_key: pulumi.Input[str]
    secret_key: pulumi.Input[str]


class SupabaseStackArgs(TypedDict):
    """What a Supabase stack can be told."""

    placement: Placement
    """Where it runs."""
    settings: NotRequired[SupabaseSettings]
    """The stack's settings; defaults for what is left out."""
    secrets: NotRequired[dict[str, pulumi.Input[str]]]
    """The user's own secrets by name (`components.services.secret_names`); the others are generated. Always handled as secrets."""
    object_store: NotRequired[ObjectStore]
    """The store for Storage's files; without it they lie on a volume."""
    app_url: NotRequired[str]
    """Where the app is: SITE_URL where the settings name none. Default: the planned port of the app on this machine."""


def _role(service: str, release: releases.Release) -> str:
    """Role of a service's image."""
    return release.features.gateway.value if service == "gateway" else service


def _wanted(settings: Mapping[str, Any], service: str) -> bool:
    """Whether the settings turn a service on. The database is what all others need: it goes only with the stack."""
    return bool(settings["enabled"] and settings.get(service, {}).get("enabled", True))


def _context(args: SupabaseStackArgs) -> Context:
    settings = complete("supabase", args.get("settings"))
    placement = args["placement"]
    release = releases.load(placement["release"], local=placement["local_images"])
    running = frozenset(s for s in SERVICES if _wanted(settings, s) and release.has(_role(s, release)))
    store = args.get("object_store")
    return Context(
        release=release,
        settings=settings,
        running=running,
        secrets=frozenset(args.get("secrets", {})),
        urls=_urls(args, settings),
        project_ref=f"{placement['project']}-{placement['stack']}",
        s3=None if store is None else S3(endpoint=store["endpoint"], bucket=store["bucket"], region=store["region"]),
    )


def _urls(args: SupabaseStackArgs, settings: Mapping[str, Any]) -> Urls:
    placement = args["placement"]
    host = published_host(placement)

    def at(port: str) -> str:
        return f"http://{Endpoint(host, placement['ports'][port])}"

    return Urls(
        api=settings["gateway"].get("publicUrl") or at("api"),
        studio=at("studio"),
        site=settings["auth"].get("siteUrl") or args.get("app_url") or at("app"),
    )


def services(args: SupabaseStackArgs) -> Sequence[Service]:
    """The services of a Supabase stack with these args. Pure.

    Raises:
        pulumi.InputPropertyError: a setting is wrong.
        components.releases.UnknownImage: the release has no image of a service.
    """
    context = _context(args)
    found = []
    for name, build in _BUILD.items():
        made = _given_more(build(context), context)
        found.append(made if name in context.running else off(made))
    return found


def _given_more(service: Service, context: Context) -> Service:
    """The service with the environment that the settings give it beside its own."""
    own = context.settings["services"].get(service.name, {}).get("env", {})
    prefix = secret_names.of_service(service.name, "")
    hidden = {name.removeprefix(prefix): text(Secret(name)) for name in sorted(context.secrets) if name.startswith(prefix)}
    return replace(service, env={**service.env, **{name: text(value) for name, value in own.items()}, **hidden})


class SupabaseStack(pulumi.ComponentResource):
    """A Supabase stack."""

    db_url: pulumi.Output[str]
    """Direct connection URL of the database from the host (secret); empty where the stack is turned off."""
    ready: pulumi.Output[list[str]]
    """Ids of what was placed: known once all of it exists."""

    def __init__(self, name: str, args: SupabaseStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("supastack:index:SupabaseStack", name, {}, opts)
        context = _context(args)
        given = dict(args.get("secrets", {}))
        if store := args.get("object_store"):
            given[secret_names.S3_ACCESS_KEY] = store["access_key"]
            given[secret_names.S3_SECRET_KEY] = store["secret_key"]
        made = supabase_secrets.make(self, name, settings=context.settings, release=context.release, given=given)
        placed = placing.place(self, name, args["placement"], services(args), made)
        password = made[secret_names.DATABASE_PASSWORD].apply(lambda value: encode(value, Encoding.URL))
        at = placed.endpoint("postgres")
        database = postgres.database(context)
        url = pulumi.Output.concat(f"postgresql://{postgres.USER}:", password, f"@{at}/{database}")
        self.db_url = url if at else pulumi.Output.secret("")
        self.ready = placed.ready
        self.register_outputs({"db_url": self.db_url, "ready": self.ready})
