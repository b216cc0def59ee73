"""The settings of a stack as the program uses them: checked, complete, with numbers in their units."""

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from components import secret_settings
from components.app_sources import host_port
from components.env_files import Own
from components.env_format import Format
from components.managed import Project
from components.setting_contradictions import env_file_format, env_file_path, resolved_ports
from components.setting_types import (
    AppendFsync,
    CacheEngine,
    Compat,
    EvictionPolicy,
    ImageSource,
    LogLevel,
    ObjectStorageEngine,
    Target,
)
from components.setting_values import Ciphertext

if TYPE_CHECKING:
    from pydantic import SecretStr

    from components.tenants import Tenant


@dataclass(frozen=True, kw_only=True)
class Docker:
    """The Docker daemon. `host` is None where the docker command's own choice counts; `socket` is a path on the daemon's machine."""

    host: str | None
    socket: str


@dataclass(frozen=True, kw_only=True)
class Kubernetes:
    """The Kubernetes cluster and the stack's place in it; what else the group says is in `Settings.given`. `render` is absolute."""

    kubeconfig: Path | None
    """Absolute; the settings' own, else the one that KUBECONFIG names. None where the target is another."""
    context: str | None
    namespace: str
    render: Path | None


@dataclass(frozen=True, kw_only=True)
class Database:
    """The PostgreSQL server. Sizes in bytes; None leaves a parameter to the image."""

    memory: int
    shared_buffers: int
    effective_cache_size: int | None
    work_mem: int | None
    maintenance_work_mem: int | None
    max_wal_size: int | None
    max_connections: int
    statement_timeout: str | None
    log_min_messages: LogLevel


@dataclass(frozen=True, kw_only=True)
class Supabase:
    """The Supabase stack. `managed` is the project that others run in its place."""

    enabled: bool
    database: Database
    managed: Project | None


@dataclass(frozen=True, kw_only=True)
class Cache:
    """The cache. Sizes in bytes."""

    enabled: bool
    engine: CacheEngine
    memory: int
    max_memory: int
    eviction_policy: EvictionPolicy
    append_only: bool
    append_fsync: AppendFsync


@dataclass(frozen=True, kw_only=True)
class ObjectStorage:
    """The S3 object store. `memory` in bytes; `endpoint` only with an external one."""

    enabled: bool
    engine: ObjectStorageEngine
    fallback: ObjectStorageEngine | None
    buckets: tuple[str, ...]
    memory: int
    endpoint: str | None
    region: str
    access_key: str | None


@dataclass(frozen=True, kw_only=True)
class App:
    """The app. `port` is the plan's where the settings name none."""

    port: int


@dataclass(frozen=True, kw_only=True)
class Admin:
    """The app's first administrator."""

    email: str
    name: str


@dataclass(frozen=True, kw_only=True)
class EnvFile:
    """The env file of one app. `path` is absolute; `own` is what the settings say of its variables."""

    path: Path
    format: Format
    overwrite: bool
    own: Own


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of a stack, checked, with their defaults."""

    project: str
    stack: str
    target: Target
    instance: int
    release: str
    image_source: ImageSource | None
    """None while not chosen."""
    compat: Compat
    bind_address: str
    ports: Mapping[str, int]
    """The port of every name of the plan, overrides included; of an app with a port of its own `apps.<name>`."""
    docker: Docker
    kubernetes: Kubernetes
    health_timeout: int
    """Seconds."""
    stack_id: str | None
    """Id of an earlier stack, to take over its volumes; None where the stack has one of its own."""
    verify: bool
    """Whether what others run is asked at each deployment."""
    supabase: Supabase
    cache: Cache
    object_storage: ObjectStorage
    app: App
    admin: Admin
    env_files: Mapping[str, EnvFile]
    """By app."""
    tenants: "tuple[Tenant, ...]"
    """By id."""
    tenant_env_file: Mapping[str, Any]
    """The group of that name, checked; its path is not resolved yet."""
    secrets: "Mapping[str, SecretStr]"
    """Secret settings that are given and can be read, by name; those in a mapping as `functionSecrets.NAME`."""
    supabase_secrets: "Mapping[str, SecretStr | None]"
    """The user's own secrets of the Supabase stack, by their names there; None for what can't be read here."""
    app_secrets: Mapping[str, frozenset[str]]
    """Names of the secret variables that are given, by app."""
    warnings: tuple[str, ...]
    """What is allowed but worth saying, one line each."""
    written: Mapping[str, Any] = field(repr=False)
    """The groups with their defaults, in the form that a user writes; no secret is in it."""

    def given(self, group: str) -> dict[str, Any]:
        """Return one group as a component takes it: as a user writes it, with its defaults."""
        return copy.deepcopy(dict(self.written[group]))


def settings_of(
    values: Mapping[str, Any], *, written: Mapping[str, Any], project: str, stack: str, root: Path, said: tuple[str, ...]
) -> Settings:
    """The settings, of values that were found to be right.

    Args:
        values: All settings by name, as `validate` returns them.
        written: The groups as a user writes them, with their defaults.
        project: The project's name.
        stack: The stack's.
        root: The folder that relative paths start from.
        said: What is allowed but worth saying.
    """
    from pydantic import SecretStr

    ports = {**resolved_ports(values, project=project, stack=stack), **_ports_of_apps(values["apps"])}
    database = values["supabase"]["database"]
    cache, storage, admin = values["cache"], values["objectStorage"], values["admin"]
    return Settings(
        project=project,
        stack=stack,
        target=values["target"],
        instance=values["instance"],
        release=values["release"],
        image_source=values.get("imageSource"),
        compat=values["compat"],
        bind_address=values["bindAddress"],
        ports=MappingProxyType(dict(ports)),
        docker=_docker(values["docker"]),
        kubernetes=_kubernetes(values["kubernetes"], project=project, stack=stack, root=root),
        health_timeout=values["healthTimeout"],
        stack_id=values.get("stackId"),
        verify=values["verify"],
        supabase=Supabase(
            enabled=values["supabase"]["enabled"],
            managed=_managed(values["supabase"], root),
            database=Database(
                memory=database["memory"],
                shared_buffers=database["sharedBuffers"],
                effective_cache_size=database.get("effectiveCacheSize"),
                work_mem=database.get("workMem"),
                maintenance_work_mem=database.get("maintenanceWorkMem"),
                max_wal_size=database.get("maxWalSize"),
                max_connections=database["maxConnections"],
                statement_timeout=database.get("statementTimeout"),
                log_min_messages=database["logMinMessages"],
            ),
        ),
        cache=Cache(
            enabled=cache["enabled"],
            engine=cache["engine"],
            memory=cache["memory"],
            max_memory=cache["maxMemory"],
            eviction_policy=cache["evictionPolicy"],
            append_only=cache["appendOnly"],
            append_fsync=cache["appendFsync"],
        ),
        object_storage=ObjectStorage(
            enabled=storage["enabled"],
            engine=storage["engine"],
            fallback=storage.get("fallback"),
            buckets=tuple(storage["buckets"]),
            memory=storage["memory"],
            endpoint=storage.get("endpoint"),
            region=storage["region"],
            access_key=storage.get("accessKey"),
        ),
        app=App(port=ports["app"]),
        admin=Admin(email=admin["email"], name=admin["name"]),
        env_files=MappingProxyType(
            {
                app: EnvFile(
                    path=env_file_path(app, file.get("path"), values["instance"], stack, root),
                    format=env_file_format(app, file["format"]),
                    overwrite=file["overwrite"],
                    own=Own.of(file, values.get("appSecrets", {}).get(app, {})),
                )
                for app, file in sorted(values["envFiles"].items())
            }
        ),
        tenants=_tenants(values, root),
        tenant_env_file=MappingProxyType(values["tenantEnvFile"]),
        secrets=MappingProxyType(
            {".".join(path): SecretStr(value) for path, value in secret_settings.given(values) if value is not None}
        ),
        supabase_secrets=MappingProxyType(
            {name: None if value is None else SecretStr(value) for name, value in secret_settings.of_supabase(values).items()}
        ),
        app_secrets=MappingProxyType({app: frozenset(given) for app, given in values.get("appSecrets", {}).items()}),
        warnings=said,
        written=written,
    )


def _managed(supabase: Mapping[str, Any], root: Path) -> Project | None:
    there = supabase["enabled"] and "ref" in supabase["managed"]
    return Project.of(supabase["managed"], root) if there else None


def _ports_of_apps(apps: Mapping[str, Any]) -> dict[str, int]:
    """The host ports that apps in the stack have by number."""
    return {host_port(name): app["hostPort"] for name, app in apps.items() if "hostPort" in app}


def _tenants(values: Mapping[str, Any], root: Path) -> "tuple[Tenant, ...]":
    if not values["tenants"]:
        return ()
    # Imported here: few stacks have any.
    from pydantic import SecretStr

    from components import tenants

    secrets = {
        tenant: {name: None if isinstance(value, Ciphertext) else SecretStr(value) for name, value in held.items()}
        for tenant, held in values.get("tenantSecrets", {}).items()
    }
    return tenants.of(values["tenants"], secrets, shared=_managed(values["supabase"], root), root=root)


def _docker(values: Mapping[str, Any]) -> Docker:
    host = values.get("host")
    own = host.removeprefix("unix://") if host and host.startswith("unix://") else "/var/run/docker.sock"
    return Docker(host=host, socket=values.get("socket", own))


def _kubernetes(values: Mapping[str, Any], *, project: str, stack: str, root: Path) -> Kubernetes:
    def placed(path: str | None) -> Path | None:
        return Path(os.path.normpath(root / Path(path).expanduser())) if path else None

    return Kubernetes(
        kubeconfig=placed(values.get("kubeconfig") or os.environ.get("KUBECONFIG")),
        context=values.get("context"),
        namespace=values.get("namespace") or f"{project}-{stack}",
        render=placed(values.get("render")),
    )
