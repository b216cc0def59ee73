"""What a stack is made of, as plain data: the components' args and services, before anything is registered.

The program builds its components from it, the checks are told by it what will be there, and the toolchain asks it what it must get ready.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import pulumi

from components import (
    app_plan,
    application,
    cache,
    env_plan,
    kubernetes_plan,
    managed_notes,
    object_storage,
    plain_database,
    public_names,
    releases,
    secret_settings,
    supabase_stack,
)
from components.application import ApplicationArgs
from components.cache import CacheArgs
from components.image_settings import ImageSettings
from components.kubernetes_settings import KubernetesSettings
from components.object_storage import ObjectStorageArgs
from components.operated import Pooling
from components.plain_database import PlainDatabaseArgs
from components.plain_settings import PlainDatabaseSettings
from components.service import Image, Kind, Port, Service
from components.setting_groups import complete
from components.setting_types import (
    CacheSettings,
    ImageSource,
    ObjectStorageEngine,
    ObjectStorageSettings,
    SupabaseSettings,
    Target,
)
from components.settings import ROOT, Settings
from components.supabase_settings.storage import StorageBackend
from components.supabase_stack import SupabaseStackArgs
from components.targets.placement import Placement, TargetKind, object_name, published, published_host, reached, release_of

if TYPE_CHECKING:
    from components.env_app import App
    from components.tenants import Tenant

SUPABASE = "supabase"
CACHE = "cache"
OBJECTS = "objects"
PLAIN = "plain"
APPS = app_plan.COMPONENT


@dataclass(frozen=True)
class PlannedPort:
    """A port to be published on the host."""

    name: str
    """In the port plan, and in the setting that moves it."""
    port: int
    bind: str
    service: str

    @property
    def setting(self) -> str:
        """The setting that moves it."""
        return f"{self.name}.hostPort" if self.name.startswith("apps.") else f"ports.{self.name}"


@dataclass(frozen=True)
class PlannedVolume:
    """A volume, and what its data belongs to."""

    name: str
    identity: str
    setting: str
    """The setting that chooses what writes it."""
    paired_setting: str | None
    """The secret setting by which a user gives back the secret that its data is paired with."""


ENGINE_SETTING = {
    SUPABASE: "supastack:release, supastack:supabase.database.engine and supastack:supabase.database.name",
    CACHE: "supastack:cache.engine and supastack:cache.appendOnly",
    OBJECTS: "supastack:objectStorage.engine",
    PLAIN: "supastack:release, supastack:plainDatabase.name and supastack:plainDatabase.user",
}
"""Which settings choose the server, by component."""


class PlanError(Exception):
    """The settings are right by themselves, but ask for something that can't be had. The text says what, why and what to do."""


class Plan:
    """What the settings ask for.

    Attributes:
        settings: The settings of the stack.
        services: All services, by component.
        apps: The template of each env file, by app.

    Raises:
        PlanError: something that was asked for can't be had.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._existing: Mapping[str, pulumi.Input[str]] = {}
        project, wrong = settings.project, []
        self.apps, mistaken = env_plan.templates(settings)
        wrong += mistaken
        wrong += self._tenant_leaks()
        try:
            self.services = self._services()
            # Of the others: an app is told where they are.
            self.services = {**self.services, APPS: tuple(self._apps())}
        except releases.UnknownImage as e:
            wrong.append(str(e))
        except pulumi.InputPropertyError as e:
            wrong.append(str(e.args[-1]))
        else:
            others = {name: services for name, services in self.services.items() if name != APPS}
            wrong += app_plan.problems(settings, self.services[APPS], others)
            if settings.target is Target.KUBERNETES:
                wrong += kubernetes_plan.problems(self.kubernetes, self._running(), project)
        if wrong:
            raise PlanError("\n".join(wrong))

    def placement(self, stack_id: Any = "", place: Any = None) -> Placement:
        """Where the services go; `stack_id` and `place` (the network, the namespace) are what the foundation made."""
        s = self.settings
        placement: Placement = {
            "target": TargetKind(s.target.value),
            "project": s.project,
            "stack": s.stack,
            "stack_id": stack_id,
            "bind_address": s.bind_address,
            "ports": dict(s.ports),
            "ready_within": s.health_timeout,
            "release": s.release,
            "local_images": s.image_source is ImageSource.LOCAL,
            "images": cast("ImageSettings", s.given("images")),
        }
        if s.target is Target.KUBERNETES:
            placement["kubernetes"] = {
                "namespace": s.kubernetes.namespace if place is None else place,
                "settings": self.kubernetes,
                "adopts": self.adopts,
            }
        elif s.target is Target.DOCKER:
            placement |= {"host": s.docker.host, "socket": s.docker.socket, "network": "" if place is None else place}
        return placement

    @property
    def adopts(self) -> bool:
        """Whether an earlier stack's objects in the cluster are taken over: the settings give the id that they carry."""
        return self.settings.target is Target.KUBERNETES and self.settings.stack_id is not None

    @cached_property
    def kubernetes(self) -> KubernetesSettings:
        """The Kubernetes target's settings, completed."""
        return cast("KubernetesSettings", complete("kubernetes", self.settings.given("kubernetes")))

    def supabase_args(self, placement: Placement, objects: object_storage.ObjectStorage | None = None) -> SupabaseStackArgs:
        """Args of the Supabase stack; `objects` is the object store, as soon as there is one: Storage may keep its files there."""
        given = cast("SupabaseSettings", self.settings.given("supabase"))
        args = SupabaseStackArgs(placement=placement, settings=given, root=str(ROOT))
        # What can't be read, outside of a deployment, is there by name: it decides what the services are made of.
        args["secrets"] = {
            name: "" if value is None else value.get_secret_value() for name, value in self.settings.supabase_secrets.items()
        }
        args["secrets"] |= {
            secret_settings.SINGLE[name]: value for name, value in self._existing.items() if name in secret_settings.SINGLE
        }
        storage: Any = given["storage"]
        in_store = storage["backend"] == StorageBackend.S3.value
        if in_store and (store := object_storage.reached(self.object_storage_args(placement))) is not None:
            args["object_store"] = {
                "endpoint": store.endpoint,
                "region": store.region,
                "external": store.external,
                "bucket": storage["bucket"],
                "access_key": "" if objects is None else objects.access_key,
                "secret_key": "" if objects is None else objects.secret_key,
            }
            if store.ca_certificate is not None:
                args["object_store"]["authority"] = (ROOT / store.ca_certificate).read_text()
        return args

    def cache_args(self, placement: Placement) -> CacheArgs:
        """Args of the cache."""
        args = CacheArgs(placement=placement, settings=cast("CacheSettings", self.settings.given("cache")))
        if (password := self.secret("cachePassword")) is not None:
            args["password"] = password
        return args

    def object_storage_args(self, placement: Placement) -> ObjectStorageArgs:
        """Args of the object store."""
        given = cast("ObjectStorageSettings", self.settings.given("objectStorage"))
        args = ObjectStorageArgs(placement=placement, settings=given)
        if (key := self.secret("objectStorageSecretKey")) is not None:
            args["secret_key"] = key
        return args

    def plain_args(self, placement: Placement) -> PlainDatabaseArgs:
        """Args of the plain database."""
        given = cast("PlainDatabaseSettings", self.settings.given("plainDatabase"))
        args = PlainDatabaseArgs(placement=placement, settings=given)
        if (password := self.secret("plainDatabasePassword")) is not None:
            args["password"] = password
        return args

    def application_args(
        self, app: str, placement: Placement, given: Mapping[str, pulumi.Input[Any]] | None = None
    ) -> ApplicationArgs:
        """Args of an app's component; `given`: the stack's outputs and what is made for apps, in a deployment."""
        values = self._all_values()
        return app_plan.args(self.settings, app, placement, self._others(), values, given)

    def _others(self) -> list[Service]:
        """All services that run, but the apps."""
        return [s for component, services in self.services.items() if component != APPS for s in services if not s.off]

    def _apps(self) -> Iterator[Service]:
        for app in sorted(self.settings.given("apps")):
            yield from application.services(self.application_args(app, self.placement()))

    def makes(self, component: str) -> bool:
        """Whether there is anything to make of a component: on a target that runs nothing, what is turned off has no data to keep.

        An external object store is made there also when it is turned off: it takes protection off what the state may have of it.
        """
        s = self.settings
        store = s.object_storage.enabled or s.object_storage.engine is ObjectStorageEngine.EXTERNAL
        on = {SUPABASE: s.supabase.enabled, CACHE: s.cache.enabled, OBJECTS: store}
        return s.target is not Target.MANAGED or on[component]

    def secret(self, setting: str) -> pulumi.Input[str] | None:
        """A secret setting; None where it is not given, or, outside of a deployment, can't be read."""
        held = self.settings.secrets.get(setting)
        return self._existing.get(setting) if held is None else held.get_secret_value()

    def bring(self, existing: Mapping[str, pulumi.Input[str]]) -> None:
        """Takes the secret settings that a deployment has read from the target, by name."""
        self._existing = dict(existing)

    def _services(self) -> Mapping[str, tuple[Service, ...]]:
        p = self.placement()
        made = {
            SUPABASE: tuple(supabase_stack.services(self.supabase_args(p))),
            CACHE: tuple(cache.services(self.cache_args(p))),
            OBJECTS: tuple(object_storage.services(self.object_storage_args(p))),
            PLAIN: tuple(plain_database.services(self.plain_args(p))),
        }
        if self.settings.target is not Target.MANAGED:
            return made
        # Nothing was ever kept there that would have to stay.
        return {component: tuple(s for s in services if not s.off) for component, services in made.items()}

    def _each(self) -> Iterator[tuple[str, Service]]:
        """All services that run."""
        for component, services in self.services.items():
            for service in services:
                if not service.off:
                    yield component, service

    def _running(self) -> list[Service]:
        return [service for _, service in self._each()]

    def _poolers(self) -> Iterator[tuple[str, Service, Pooling]]:
        """The poolers that operators run beside a server, with its component and itself."""
        for component, service in self._each():
            if service.operated is not None and service.operated.pooler is not None:
                yield component, service, service.operated.pooler

    @property
    def images(self) -> dict[str, Image]:
        """Image by service; by the name of its own where an operator runs another one beside it."""
        beside = {told.name: told.image for _, _, told in self._poolers() if told.image is not None}
        return {service.name: service.image for _, service in self._each()} | beside

    @property
    def ports(self) -> list[PlannedPort]:
        """All ports to be published."""
        s = self.settings
        return [
            PlannedPort(port.publish, s.ports[port.publish], s.bind_address, service.name)
            for _, service in self._each()
            for port in service.ports
            if port.publish is not None
        ]

    @property
    def folders(self) -> dict[str, str]:
        """Folders of the machine that services see, with the setting that names each."""
        return {folder.source: folder.setting for _, service in self._each() for folder in service.folders}

    @property
    def containers(self) -> list[str]:
        """Names of all containers."""
        p = self.placement()
        return [object_name(p, component, service.name) for component, service in self._each()]

    @property
    def optional_containers(self) -> list[str]:
        """Names of the containers that a deployment does not need to be well."""
        p = self.placement()
        return [object_name(p, component, service.name) for component, service in self._each() if service.optional]

    @property
    def app_containers(self) -> dict[str, str | None]:
        """Names of the apps' containers, with the address on this machine at which each is asked how it is; None where it is not."""
        p, found = self.placement(), {}
        for app in self.services[APPS]:
            health = app.http_health
            port = None if health is None else app.port(health.port)
            at = reached(p, app.name, port) if port is not None and port.publish is not None else None
            found[object_name(p, APPS, app.name)] = None if health is None or at is None else f"http://{at}{health.path}"
        return found

    @property
    def app_addresses(self) -> dict[str, dict[str, str]]:
        """Where clients reach each app, and its health path."""
        return app_plan.told(self.settings, self.placement(), self.services[APPS])

    @property
    def published(self) -> list[tuple[str, Port]]:
        """The ports that programs outside the stack reach, with their services' names."""
        pooled = [
            (told.name, replace(s.port("postgres"), publish=told.publish)) for _, s, told in self._poolers() if told.publish
        ]
        return [*((s.name, port) for _, s in self._each() for port in s.ports if port.publish is not None), *pooled]

    @property
    def workloads(self) -> list[dict[str, Any]]:
        """What runs, in words that a target's probe can be told: `component`, `service`, `job` and `optional`.

        What an operator runs says as what: `operated` is `server` or `pooler`.
        """
        return [
            {
                "component": component,
                "service": service.name,
                "job": service.kind is Kind.JOB,
                "optional": service.optional,
                **({"operated": "server"} if service.operated else {}),
            }
            for component, service in self._each()
            if service.operated is None or not service.operated.hibernate
        ] + [
            {"component": component, "service": told.name, "job": False, "optional": False, "operated": "pooler"}
            for component, _, told in self._poolers()
        ]

    @property
    def volumes(self) -> list[PlannedVolume]:
        """All volumes."""
        p = self.placement()
        return [
            PlannedVolume(
                name=object_name(p, component, volume.name),
                identity=service.identity,
                setting=ENGINE_SETTING[component],
                paired_setting=volume.paired_setting,
            )
            for component, services in self.services.items()
            for service in services
            for volume in service.volumes
        ]

    @cached_property
    def values(self) -> dict[str, str | None]:
        """Every value that an env file can be given, by name; None for what is known only once it is made, or secret."""
        return self._all_values()

    def _all_values(self) -> dict[str, str | None]:
        s, p = self.settings, self.placement()
        placed = published(p, (service for _, service in self._each()))
        found: dict[str, str | None] = dict(
            env_plan.settled(s, published_host(p), placed, supabase_stack.site(self.supabase_args(p)))
        )
        found |= dict.fromkeys(env_plan.MADE)
        if s.supabase.enabled and s.supabase.managed is None:
            found["DB_MAJOR_VERSION"] = str(release_of(p).postgres_major)
        for name, text in supabase_stack.outputs(self.supabase_args(p), self.services[SUPABASE]).items():
            found[name] = None if text.secrets else "".join(map(str, text.parts))
        if s.cache.enabled:
            found["REDIS_URL"] = None
        if "redisCommander" in placed:
            found["REDIS_COMMANDER_URL"] = f"http://{placed['redisCommander']}"
        found |= {name: None for port, name in plain_database.URLS.items() if port in placed}
        found |= object_storage.known(self.object_storage_args(p))
        return {**found, **app_plan.urls(s, p)}

    @cached_property
    def tenants(self) -> "tuple[tuple[Tenant, App | None], ...]":
        """The tenants, each with the template of its env file; None where the settings ask for none."""
        if not self.settings.tenants:
            return ()
        from components import tenants

        s = self.settings
        return tenants.with_templates(s.tenants, s.tenant_env_file, s.app_secrets.get(s.tenant_env_file.get("app", ""), ()))

    @property
    def tenant_files(self) -> list[str]:
        """The paths of the tenants' env files."""
        from components import tenants

        s = self.settings
        return [str(tenants.path(t.id, s.tenant_env_file, s.stack, ROOT)) for t, app in self.tenants if app is not None]

    def _tenant_leaks(self) -> list[str]:
        # Those without variables of their own share a template, which is looked through once.
        templates = {id(app): (tenant, app) for tenant, app in self.tenants if app is not None}
        found = [
            (f"tenants.{tenant.id}.variables" if variable in tenant.variables else "tenantEnvFile", line)
            for tenant, app in templates.values()
            for variable, line in public_names.problems(app).items()
        ]
        return list(dict.fromkeys(f"{self.settings.project}:{key}: {line}" for key, line in found))

    def _tenant_notes(self) -> list[str]:
        if not self.settings.tenants:
            return []
        from components import tenants

        return tenants.notes(self.tenants, self.values)

    @property
    def notes(self) -> list[str]:
        """What differs from what was asked for, one line each."""
        return [
            *self.settings.warnings,
            *managed_notes.notes(self.settings),
            *supabase_stack.notes(self.supabase_args(self.placement())),
            *object_storage.notes(self.object_storage_args(self.placement())),
            *(kubernetes_plan.notes(self.kubernetes, self._running()) if self.settings.target is Target.KUBERNETES else ()),
            *env_plan.notes(self.apps, self.values),
            *self._tenant_notes(),
        ]
