"""The ObjectStorage component: an S3 object store with its buckets, or one that others run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NotRequired, TypedDict

import pulumi

from components import placing, releases, secrets
from components.endpoints import Endpoint
from components.service import Service, providers
from components.services import object_store as service
from components.setting_groups import complete, mib, off
from components.setting_types import ObjectStorageEngine, ObjectStorageSettings
from components.targets.placement import Placement, TargetKind, published, release_of


class ObjectStorageArgs(TypedDict):
    """What an object store can be told."""

    placement: Placement
    """Where it runs."""
    settings: NotRequired[ObjectStorageSettings]
    """The object store's settings; defaults for what is left out."""
    secret_key: NotRequired[pulumi.Input[str]]
    """Secret access key: of an external store, or of the buckets' user; generated where none is given. Always a secret."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _ObjectStorage:
    """`ObjectStorageArgs` completed and checked."""

    wanted: ObjectStorageEngine
    engine: ObjectStorageEngine
    """The engine that is run: the wanted one, or its fallback where there is no image of it."""
    settings: dict[str, Any]
    release: releases.Release


def _resolve(args: ObjectStorageArgs) -> _ObjectStorage:
    settings = complete("objectStorage", args.get("settings"))
    release = release_of(args["placement"])
    wanted = engine = settings["engine"]
    if wanted is ObjectStorageEngine.EXTERNAL:
        for key in ("endpoint", "accessKey"):
            if settings["enabled"] and not settings.get(key):
                raise pulumi.InputPropertyError(f"settings.{key}", "an external object store needs it")
    elif not release.has(wanted.value):
        engine = settings.get("fallback", wanted)
    return _ObjectStorage(wanted=wanted, engine=engine, settings=settings, release=release)


def notes(args: ObjectStorageArgs) -> Sequence[str]:
    """What differs from what was asked for, for people. Pure."""
    a = _resolve(args)
    if a.engine is a.wanted:
        return ()
    return (
        f"object storage: {a.wanted.value} can't be built on this machine, so {a.engine.value} stands in "
        f"(supastack:objectStorage.fallback)",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """How the stack's own services reach an object store."""

    endpoint: str
    """Scheme, host and perhaps port."""
    region: str
    external: bool
    """Whether others run it."""
    ca_certificate: str | None = None
    """PEM file of the authority that signed its certificate, as the settings write it; None: one that everybody trusts."""


def reached(args: ObjectStorageArgs) -> Reached | None:
    """How the stack's own services reach the object store; None where it is turned off. Pure."""
    a = _resolve(args)
    if not a.settings["enabled"]:
        return None
    region = a.settings["region"]
    if a.engine is ObjectStorageEngine.EXTERNAL:
        endpoint = a.settings["endpoint"]
        authority = a.settings.get("caCertificate") if endpoint.startswith("https:") else None
        return Reached(endpoint=endpoint, region=region, external=True, ca_certificate=authority)
    server = providers(services(args))["s3"]
    at = Endpoint(server.name, server.port(server.provides["s3"]).number)
    return Reached(endpoint=f"http://{at}", region=region, external=False)


def services(args: ObjectStorageArgs) -> Sequence[Service]:
    """The services of an object store with these args; none for an external one. Pure.

    Raises:
        pulumi.InputPropertyError: a setting is wrong.
        components.releases.UnknownImage: the release has no image of the engine.
    """
    a = _resolve(args)
    if a.engine is ObjectStorageEngine.EXTERNAL:
        return ()
    image = a.release.image if a.settings["enabled"] else a.release.image_if_any
    buckets = tuple(a.settings["buckets"])
    server = service.object_store(
        a.engine, image(a.engine.value), memory_mib=mib(a.settings["memory"]), region=a.settings["region"], buckets=buckets
    )
    if not a.settings["enabled"]:
        return (off(server),)
    return server, service.buckets_job(a.engine, image(service.job_image_role(a.engine)), buckets)


def known(args: ObjectStorageArgs) -> dict[str, str | None]:
    """The outputs of the stack about its object store, by name; None for what is known only once it is made, or secret. Pure.

    None at all where the store is turned off.
    """
    a = _resolve(args)
    if not a.settings["enabled"]:
        return {}
    if a.engine is ObjectStorageEngine.EXTERNAL:
        endpoint = a.settings["endpoint"]
    else:
        endpoint = f"http://{published(args['placement'], services(args))['objectStore']}"
    return {
        "S3_ENDPOINT": endpoint,
        "S3_ACCESS_KEY": None,
        "S3_SECRET_KEY": None,
        "S3_BUCKET": a.settings["buckets"][0],
        "S3_REGION": a.settings["region"],
    }


# All of them with every engine, an external one too: what is protected can't leave the program when the engine changes.
_SECRETS = [
    secrets.SecretSpec(service.ROOT_USER, length=20, upper_only=True),
    secrets.SecretSpec(service.ROOT_PASSWORD, length=40),
    secrets.SecretSpec(service.ACCESS_KEY, length=20, upper_only=True),
    secrets.SecretSpec(service.SECRET_KEY, length=40),
]


def _specs(target: TargetKind) -> list[secrets.SecretSpec]:
    """The secrets of an object store on a target.

    Where nothing runs there is no data that opens with them. They are made there too, since a state may have them protected, as that of
    a stack that was on Docker before: so it lets go of them, and they may leave later.
    """
    return [replace(spec, keeps_data=target is not TargetKind.MANAGED) for spec in _SECRETS]


class ObjectStorage(pulumi.ComponentResource):
    """An S3 object store with its buckets and, where the engine can, a user that may use these alone."""

    endpoint: pulumi.Output[str]
    """URL of the S3 endpoint from the host; empty where the store is turned off."""
    access_key: pulumi.Output[str]
    """Access key id (secret); empty for an external store that is turned off."""
    secret_key: pulumi.Output[str]
    """Secret access key (secret); empty for an external store that is turned off."""
    bucket: pulumi.Output[str]
    """The first bucket."""
    ready: pulumi.Output[list[str]]
    """Ids of what was placed: known once all of it exists."""

    def __init__(self, name: str, args: ObjectStorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("supastack:index:ObjectStorage", name, {}, opts)
        a = _resolve(args)
        specs = _specs(TargetKind(args["placement"]["target"]))
        if a.engine is ObjectStorageEngine.EXTERNAL:
            on = a.settings["enabled"]
            if on and "secret_key" not in args:
                raise pulumi.InputPropertyError("secret_key", "an external object store needs it")
            secrets.make(self, name, specs, {})
            self.endpoint = pulumi.Output.from_input(a.settings["endpoint"] if on else "")
            self.access_key = pulumi.Output.secret(a.settings["accessKey"] if on else "")
            self.secret_key = pulumi.Output.secret(args["secret_key"] if on else "")
            self.ready = pulumi.Output.from_input([])
        else:
            own_user = service.has_bucket_user(a.engine)
            # Whom the keys of the settings are for: the buckets' user, or the only one there is.
            user, key = (service.ACCESS_KEY, service.SECRET_KEY) if own_user else (service.ROOT_USER, service.ROOT_PASSWORD)
            given = {user: a.settings.get("accessKey"), key: args.get("secret_key")}
            made = secrets.make(
                self,
                name,
                specs,
                {secret: value for secret, value in given.items() if value is not None},
            )
            placed = placing.place(self, name, args["placement"], services(args), made)
            at = placed.endpoint("s3")
            self.endpoint = pulumi.Output.from_input(f"http://{at}" if at else "")
            self.access_key = made[user]
            self.secret_key = made[key]
            self.ready = placed.ready
        self.bucket = pulumi.Output.from_input(a.settings["buckets"][0])
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "access_key": self.access_key,
                "secret_key": self.secret_key,
                "bucket": self.bucket,
                "ready": self.ready,
            }
        )
