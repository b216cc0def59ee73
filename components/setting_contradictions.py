"""What settings that are each right can't say together, and what is allowed but worth a warning."""

import ipaddress
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path as FilePath
from typing import Any, Final
from urllib.parse import urlsplit

from components import ports as port_plan
from components.env_apps import APPS
from components.env_file_settings import EnvFileFormat
from components.env_format import Format
from components.releases import names as release_names
from components.setting_schema import Path, Problem, key_text, nearest, shown
from components.setting_types import CacheEngine, ObjectStorageEngine
from components.setting_values import Refused, bytes_of, size_text

Values = Mapping[str, Any]
"""Checked settings by name, with their defaults. Those that are wrong by themselves are missing."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the rules know beside the settings."""

    project: str
    stack: str
    root: FilePath
    """The project's folder."""
    secrets: Collection[str]
    """Names of the secret settings that are given; of those in a mapping `functionSecrets.NAME`."""
    broken: Collection[Path] = ()
    """Where a setting is wrong by itself already."""
    today: date
    """The day, in UTC."""
    docker_host: str | None = None
    """DOCKER_HOST of the environment."""
    kubeconfig: str | None = None
    """KUBECONFIG of the environment."""


_Rule = Callable[[Values, Context], Iterator[Problem]]
_RULES: Final[list[tuple[tuple[str, ...], _Rule]]] = []


def rule(*reads: str) -> Callable[[_Rule], _Rule]:
    """Register a rule with the settings it reads; it is left out while one of them is wrong by itself."""

    def register(rule: _Rule) -> _Rule:
        _RULES.append((reads, rule))
        return rule

    return register


def contradictions(values: Values, context: Context) -> list[Problem]:
    """Return all that the settings can't say together."""
    return [
        problem
        for reads, rule in _RULES
        if not any(_touches(tuple(read.split(".")), path) for read in reads for path in context.broken)
        for problem in rule(values, context)
    ]


def _touches(read: Path, broken: Path) -> bool:
    return all(mine in (theirs, "*") for mine, theirs in zip(read, broken, strict=False))


def resolved_ports(values: Values, *, project: str, stack: str) -> Mapping[str, int]:
    """Return the port of every name: the plan's, or the stack's own, with what the settings override."""
    overrides = {name: port for name, port in values["ports"].items() if name != "auto"}
    if "port" in values["app"]:
        overrides["app"] = values["app"]["port"]
    auto = (project, stack) if values["ports"]["auto"] else None
    return port_plan.plan(values["instance"], auto, overrides, _ports_of_apps(values.get("envFiles", ())))


def _ports_of_apps(apps: Collection[str]) -> Mapping[str, int]:
    """Return where the apps listen at instance 1, as their templates say; of two that say so, the first by name counts."""
    return next((APPS[app].ports for app in sorted(apps) if app in APPS and APPS[app].ports), {})


def env_file_path(app: str, path: str | None, instance: int, stack: str, root: FilePath) -> FilePath:
    """Return the absolute path of an env file; nothing is looked up, so links stay as they are."""
    usual = APPS[app].path if app in APPS else None
    chosen = path or usual or (".env" if instance == 1 else ".env.${STACK}")
    return FilePath(os.path.normpath(root / chosen.replace("${STACK}", stack)))


def env_file_format(app: str, chosen: EnvFileFormat) -> Format:
    """Return how an env file is written: as its template says, else as the settings do."""
    return (APPS[app].format if app in APPS else None) or Format(chosen.value)


@rule("instance", "ports.auto")
def _instance_has_ports(values: Values, _context: Context) -> Iterator[Problem]:
    if values["instance"] > port_plan.LAST_INSTANCE and not values["ports"]["auto"]:
        yield Problem(
            path=("instance",),
            value=str(values["instance"]),
            reason=f"only instances 1 to {port_plan.LAST_INSTANCE} have planned ports: those of later ones would be over 65535",
            fix="choose one of those, or give the stack ports of its own with `ports: auto`",
        )


@rule("app.port", "ports.app")
def _one_app_port(values: Values, _context: Context) -> Iterator[Problem]:
    port, override = values["app"].get("port"), values["ports"].get("app")
    if port is not None and override is not None and port != override:
        yield Problem(
            path=("app", "port"),
            value=str(port),
            reason=f"ports.app says {override} for the same port",
            fix="keep one of the two",
        )


@rule("instance", "ports.auto", "app.port", "envFiles")
def _no_port_twice(values: Values, context: Context) -> Iterator[Problem]:
    if values["instance"] > port_plan.LAST_INSTANCE and not values["ports"]["auto"]:
        return  # there are no ports to compare
    ports = resolved_ports(values, project=context.project, stack=context.stack)
    moved = {name for name in values["ports"] if name != "auto"}
    wrong = {path[1] for path in context.broken if path[0] == "ports" and len(path) > 1}
    for port, names in port_plan.clashes({name: port for name, port in ports.items() if name not in wrong}):
        for name in names:
            from_app = name == "app" and "port" in values["app"]
            if name in moved or from_app:
                others = " and ".join(other for other in names if other != name)
                yield Problem(
                    path=("app", "port") if from_app else ("ports", name),
                    value=str(port),
                    reason=f"it is the port of {others} too",
                    fix=f"choose another port, or move {others} under {context.project}:ports",
                )


@rule(
    "objectStorage.engine",
    "objectStorage.enabled",
    "objectStorage.endpoint",
    "objectStorage.accessKey",
    "objectStorageSecretKey",
)
def _external_store_is_complete(values: Values, context: Context) -> Iterator[Problem]:
    store = values["objectStorage"]
    external = store["engine"] is ObjectStorageEngine.EXTERNAL
    if not external and "endpoint" in store:
        yield Problem(
            path=("objectStorage", "endpoint"),
            value=shown(store["endpoint"]),
            reason=f"engine {store['engine'].value} is run by this stack, at an address of its own",
            fix="remove it, or set engine to external",
        )
    if not external or not store["enabled"]:
        return
    reason = "an external object store can't be used without it"
    if "endpoint" not in store:
        fix = 'give the address of the store, as in "https://s3.eu-central-1.amazonaws.com"'
        yield Problem(path=("objectStorage", "endpoint"), value=None, reason=reason, fix=fix)
    if "accessKey" not in store:
        fix = "give the access key id that the store's owner made for this stack"
        yield Problem(path=("objectStorage", "accessKey"), value=None, reason=reason, fix=fix)
    if "objectStorageSecretKey" not in context.secrets:
        fix = f"run: pulumi config set --secret {context.project}:objectStorageSecretKey --stack {context.stack}"
        path = ("objectStorageSecretKey",)
        yield Problem(path=path, value=None, reason=reason, fix=fix, missing=path)


@rule("objectStorage.engine", "objectStorage.fallback")
def _fallback_is_another_engine(values: Values, _context: Context) -> Iterator[Problem]:
    store = values["objectStorage"]
    fallback, engine = store.get("fallback"), store["engine"]
    if fallback is None:
        return
    path, value = ("objectStorage", "fallback"), shown(fallback.value)
    if fallback is ObjectStorageEngine.EXTERNAL:
        fix = "choose seaweedfs, minio or rustfs"
        yield Problem(path=path, value=value, reason="an external store can't stand in for one of the stack's own", fix=fix)
    elif engine is ObjectStorageEngine.EXTERNAL:
        reason = "an external store has no image, so nothing can stand in for it"
        yield Problem(path=path, value=value, reason=reason, fix="remove it, or choose another engine")
    elif fallback is engine:
        yield Problem(path=path, value=value, reason="it is the engine itself", fix="choose another engine, or remove it")


@rule("objectStorage.buckets")
def _no_bucket_twice(values: Values, _context: Context) -> Iterator[Problem]:
    buckets = values["objectStorage"]["buckets"]
    for position, name in enumerate(buckets):
        if name in buckets[:position]:
            path = ("objectStorage", "buckets", position)
            yield Problem(path=path, value=shown(name), reason="it stands in the list twice", fix="remove one of them")


@rule("cache.engine", "cache.maxMemory", "cache.memory")
def _cache_fits_its_memory(values: Values, _context: Context) -> Iterator[Problem]:
    cache = values["cache"]
    if cache["engine"] is not CacheEngine.EXTERNAL and cache["maxMemory"] > cache["memory"]:
        yield Problem(
            path=("cache", "maxMemory"),
            value=size_text(cache["maxMemory"]),
            reason=f"it is larger than the server's memory limit (cache.memory = {size_text(cache['memory'])})",
            fix="lower it, or raise cache.memory; saving needs room above it",
        )


@rule(
    "supabase.database.memory",
    "supabase.database.sharedBuffers",
    "supabase.database.workMem",
    "supabase.database.maintenanceWorkMem",
)
def _database_fits_its_memory(values: Values, _context: Context) -> Iterator[Problem]:
    database = values["supabase"]["database"]
    for name in ("sharedBuffers", "workMem", "maintenanceWorkMem"):
        if database.get(name, 0) > database["memory"]:
            yield Problem(
                path=("supabase", "database", name),
                value=size_text(database[name]),
                reason="it is larger than the server's memory limit "
                f"(supabase.database.memory = {size_text(database['memory'])})",
                fix="lower it (a quarter of the memory is usual for sharedBuffers), or raise supabase.database.memory",
            )


@rule("plainDatabase.memory", "plainDatabase.parameters")
def _plain_database_fits_its_memory(values: Values, _context: Context) -> Iterator[Problem]:
    database = values["plainDatabase"]
    for name in ("shared_buffers", "work_mem", "maintenance_work_mem"):
        given = database["parameters"].get(name, "")
        try:
            wanted = bytes_of(given)
        except Refused:
            continue  # in another of PostgreSQL's notations
        if wanted > database["memory"]:
            yield Problem(
                path=("plainDatabase", "parameters", name),
                value=shown(given),
                reason=f"it is larger than the server's memory limit (plainDatabase.memory = {size_text(database['memory'])})",
                fix="lower it (a quarter of the memory is usual for shared_buffers), or raise plainDatabase.memory",
            )


@rule("plainDatabase.user", "plainDatabase.readOnlyRole")
def _plain_owner_is_no_reader(values: Values, _context: Context) -> Iterator[Problem]:
    database = values["plainDatabase"]
    if database.get("readOnlyRole") == database["user"]:
        path = ("plainDatabase", "readOnlyRole")
        yield Problem(path=path, value=shown(database["user"]), reason="that is the owner", fix="give the role a name of its own")


@rule("envFiles.*.path", "instance")
def _one_app_per_env_file(values: Values, context: Context) -> Iterator[Problem]:
    holders: dict[FilePath, str] = {}
    for app, file in sorted(values["envFiles"].items()):
        path = env_file_path(app, file.get("path"), values["instance"], context.stack, context.root)
        key, value = ("envFiles", app, "path"), shown(file.get("path"))
        if path in holders:
            reason = f"the file of {holders[path]} is the same: {os.path.relpath(path, context.root)}"
            yield Problem(path=key, value=value, reason=reason, fix="give each app a path of its own")
        holders.setdefault(path, app)
        inside = path.relative_to(context.root).parts if path.is_relative_to(context.root) else ()
        if path == context.root or (inside and inside[0] in (".git", ".supastack", ".venv")):
            reason = "that place is kept for other things"
            yield Problem(path=key, value=value, reason=reason, fix='choose another, as ".env"')
        elif len(inside) == 1 and path.match("Pulumi*.yaml"):
            reason = "that is a file of the project itself"
            yield Problem(path=key, value=value, reason=reason, fix='choose another, as ".env"')


@rule("release")
def _release_exists(values: Values, _context: Context) -> Iterator[Problem]:
    known = release_names()
    if values["release"] not in known:
        guess = nearest(values["release"], known)
        hint = f"did you mean {guess!r}? " if guess else ""
        yield Problem(
            path=("release",),
            value=shown(values["release"]),
            reason="there is no such release",
            fix=f"{hint}There are: {', '.join(known) or 'none'}",
        )


def warnings(values: Values, context: Context) -> tuple[str, ...]:
    """Return what is allowed but worth saying, one line each. The settings have no problem."""
    return tuple(_warnings(values, context))


def _turned_on(values: Values) -> set[str]:
    """The capabilities that the stack has; a project that others run is one (components.managed_contradictions.as_ruled)."""
    own = {name for name in ("supabase", "cache", "objectStorage") if values[name]["enabled"]}
    return own | ({"supabase"} if "ref" in values["supabase"]["managed"] else set())


def _warnings(values: Values, context: Context) -> Iterator[str]:
    def key(*path: str) -> str:
        return key_text(context.project, path)

    if not ipaddress.ip_address(values["bindAddress"]).is_loopback:
        mail = values["supabase"]["enabled"] and values["supabase"]["mail"]["enabled"]
        yield (
            f"{key('bindAddress')} is {values['bindAddress']}: whoever reaches this address reaches the stack's servers"
            + (", and reads the mails of the mail catcher, which has no login: password resets are among them" if mail else "")
        )
    for name, port in resolved_ports(values, project=context.project, stack=context.stack).items():
        if port < 1024:
            yield f"{key('ports', name)} is {port}: ports below 1024 need a Docker daemon that runs as root"
    cache = values["cache"]
    if cache["enabled"] and cache["engine"] is not CacheEngine.EXTERNAL and cache["maxMemory"] * 4 > cache["memory"] * 3:
        yield (
            f"{key('cache', 'maxMemory')} leaves less than a quarter of {key('cache', 'memory')} free: "
            "the server may be killed while it saves"
        )
    store = values["objectStorage"]
    if store["enabled"] and store.get("endpoint", "").startswith("http://"):
        host = urlsplit(store["endpoint"]).hostname or ""
        if host not in ("localhost", "127.0.0.1", "::1"):
            yield f"{key('objectStorage', 'endpoint')} is http: what is stored there travels unencrypted"
    enabled = _turned_on(values)
    if not enabled:
        yield "supabase, cache and objectStorage are all turned off: there is nothing to deploy"
    elif "supabase" not in enabled and values["envFiles"]:
        yield f"{key('supabase', 'enabled')} is false: the env files are written without a database"
    for app, file in sorted(values["envFiles"].items()):
        path = env_file_path(app, file.get("path"), values["instance"], context.stack, context.root)
        if not path.is_relative_to(context.root):
            yield f"{key('envFiles', app, 'path')} is outside the project's folder: see that Git ignores {path}"
