"""The settings of a stack: read, checked as a whole, and completed with their defaults.

Everything that is wrong is reported at once. Nothing here talks to Pulumi's engine or to a daemon, so all of it happens
before the first resource is registered. `python -m components.settings --write` renews what is made from the declaration:
Pulumi.yaml's schema and the tables in the docs.
"""

import copy
import json
import os
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, get_origin

from components import (
    database_contradictions,
    kubernetes_contradictions,
    secret_contradictions,
    secret_settings,
    supabase_contradictions,
)
from components.env_files import Own
from components.env_format import Format
from components.setting_contradictions import Context, contradictions, env_file_format, env_file_path, resolved_ports, warnings
from components.setting_schema import (
    SECRETS,
    Field,
    Problem,
    default_of,
    fields,
    key_text,
    nearest,
    unknown,
    validate,
)
from components.setting_types import (
    AppendFsync,
    CacheEngine,
    Compat,
    EvictionPolicy,
    ImageSource,
    LogLevel,
    ObjectStorageEngine,
    PortSettings,
    StackSettings,
    Target,
)
from components.setting_values import Ciphertext

if TYPE_CHECKING:
    import pulumi
    from pydantic import SecretStr

__all__ = ["PROJECT", "ROOT", "Ciphertext", "Problem", "Settings", "SettingsError", "load", "load_file", "with_defaults"]

PROJECT: Final = "supastack"
"""Name of the project, and so the namespace of its settings."""

ROOT: Final = Path(__file__).resolve().parent.parent
"""The project's folder, which relative paths start from."""


class SettingsError(Exception):
    """The settings can't be used. `problems`: all that is wrong, sorted by key."""

    def __init__(self, problems: Collection[Problem], *, project: str, stack: str) -> None:
        keys = {problem: key_text(problem.namespace or project, problem.path) for problem in problems}
        self.problems = sorted(keys, key=lambda problem: (keys[problem], problem.reason))
        count = "one setting is" if len(self.problems) == 1 else f"{len(self.problems)} settings are"
        lines = [f"{count} not right in stack {stack}; nothing has been touched."]
        for problem in self.problems:
            value = "" if problem.value is None else f" = {problem.value}"
            lines += ["", f"  {keys[problem]}{value}", f"    why: {problem.reason}", f"    fix: {problem.fix}"]
        super().__init__("\n".join(lines))


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
    """The Supabase stack."""

    enabled: bool
    database: Database


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
    """The port of every name of the plan, overrides included."""
    docker: Docker
    kubernetes: Kubernetes
    health_timeout: int
    """Seconds."""
    stack_id: str | None
    """Id of an earlier stack, to take over its volumes; None where the stack has one of its own."""
    supabase: Supabase
    cache: Cache
    object_storage: ObjectStorage
    app: App
    admin: Admin
    env_files: Mapping[str, EnvFile]
    """By app."""
    secrets: "Mapping[str, SecretStr]"
    """Secret settings that are given and can be read, by name; those in a mapping as `functionSecrets.NAME`."""
    supabase_secrets: "Mapping[str, SecretStr | None]"
    """The user's own secrets of the Supabase stack, by their names there; None for what can't be read here."""
    warnings: tuple[str, ...]
    """What is allowed but worth saying, one line each."""
    written: Mapping[str, Any] = field(repr=False)
    """The groups with their defaults, in the form that a user writes; no secret is in it."""

    def given(self, group: str) -> dict[str, Any]:
        """Return one group as a component takes it: as a user writes it, with its defaults."""
        return copy.deepcopy(dict(self.written[group]))


def load(
    source: "pulumi.Config | Mapping[str, object]",
    *,
    project: str = PROJECT,
    stack: str,
    secret_keys: Collection[str] = (),
    root: Path = ROOT,
    today: date | None = None,
) -> Settings:
    """Return the settings of a stack.

    `source`: the program's pulumi.Config, or a mapping of full keys (`supastack:cache`) to values, either as Pulumi hands
    them over (texts, groups as JSON) or as YAML reads them, with Ciphertext for what can't be read.
    `secret_keys`: keys of that mapping that are encrypted; for pulumi.Config they are known.
    `root`: the folder that relative paths start from.
    `today`: the day by which keys are told that end soon; by default the clock's (UTC). It changes no setting.

    Raises SettingsError with all that is wrong.
    """
    if not isinstance(source, Mapping):
        project = source.name
        source, secret_keys = _program_config()
    today = today or datetime.now(UTC).date()
    return _Load(source, project=project, stack=stack, secret_keys=frozenset(secret_keys), root=root, today=today).settings()


def load_file(path: Path, *, project: str = PROJECT, stack: str, root: Path = ROOT) -> Settings:
    """Return the settings in a stack file, without decrypting it: secret settings in it count as given and are left out.

    Raises SettingsError with all that is wrong, OSError where the file can't be read.
    """
    from components.stack_file import StackFileError, read

    try:
        values = read(path.read_text(encoding="utf-8"))
    except (StackFileError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, StackFileError) else "it is not UTF-8 text"
        problem = Problem(path=(), value=None, reason=f"{path} can't be read: {reason}", fix="mend the file")
        raise SettingsError([problem], project=project, stack=stack) from None
    return load(values, project=project, stack=stack, root=root)


def _program_config() -> tuple[dict[str, object], set[str]]:
    """Return all configuration of the running program, and which keys of it are encrypted."""
    from pulumi.runtime import config

    values: dict[str, object] = {**config.get_config_env(), **config.CONFIG.get()}
    secret = set(config.get_config_secret_keys_env())
    return values, secret | {key for key in values if config.is_config_secret(key)}


def _docker(values: Mapping[str, Any]) -> Docker:
    host = values.get("host")
    own = host.removeprefix("unix://") if host and host.startswith("unix://") else "/var/run/docker.sock"
    return Docker(host=host, socket=values.get("socket", own))


class _Load:
    """One reading of the settings."""

    def __init__(
        self, source: Mapping[str, object], *, project: str, stack: str, secret_keys: frozenset[str], root: Path, today: date
    ) -> None:
        self.source, self.project, self.stack, self.root, self.today = source, project, stack, root, today
        self.encrypted = {name for name in map(self._own_name, secret_keys) if name}
        self.problems: list[Problem] = []
        self.foreign: list[str] = []
        self.raw: dict[str, Any] = {}
        self.written: dict[str, Any] = {}

    def settings(self) -> Settings:
        declared = fields()
        for key, value in self.source.items():
            name = self._own_name(key)
            if name is None:
                self._look_at_foreign(key)
            elif name not in declared:
                self.problems.append(unknown((name,), list(declared)))
            elif name in SECRETS:
                self._read_secret(declared[name], value)
            else:
                self._read(declared[name], value)
        broken = {problem.path[0] for problem in self.problems if problem.namespace is None and len(problem.path) == 1}
        given = {**default_of(StackSettings), **self.raw}
        written = {name: with_defaults(declared[name], value) for name, value in given.items() if name not in broken}
        values, found = validate(written)
        self.problems += found
        rules = Context(
            project=self.project,
            stack=self.stack,
            root=self.root,
            secrets={".".join(path) for path, _ in secret_settings.given(values)},
            today=self.today,
            docker_host=os.environ.get("DOCKER_HOST"),
            kubeconfig=os.environ.get("KUBECONFIG"),
            broken=[problem.path for problem in self.problems if problem.namespace is None],
        )
        self.problems += contradictions(values, rules)
        if self.problems:
            raise SettingsError(self.problems, project=self.project, stack=self.stack)
        self.written = {name: value for name, value in written.items() if declared[name].group}
        said = (
            *warnings(values, rules),
            *supabase_contradictions.service_warnings(values, rules),
            *secret_contradictions.key_warnings(values, rules),
            *kubernetes_contradictions.target_warnings(values, rules),
            *database_contradictions.database_warnings(values, rules),
        )
        return self._result(values, (*self.foreign, *said))

    def _own_name(self, key: str) -> str | None:
        """Return a key's name in the project's namespace, or None."""
        namespace, colon, name = key.partition(":")
        if not colon:
            return key  # as the engine reads it
        return name.removeprefix("config:") if namespace == self.project else None

    def _look_at_foreign(self, key: str) -> None:
        namespace, _, name = key.partition(":")
        if namespace in ("docker", "kubernetes"):
            ours = {"docker": "docker.host", "kubernetes": "kubernetes.context"}[namespace]
            self.foreign.append(f"{key} has no effect: this project names its providers itself ({self.project}:{ours})")
        elif namespace != "pulumi" and nearest(namespace, [self.project]):
            fix = f"did you mean {self.project}:{name}?"
            reason = "no such namespace is read"
            self.problems.append(Problem(path=(name,), namespace=namespace, value=None, reason=reason, fix=fix))

    def _read(self, field: Field, value: object) -> None:
        """Take a setting that is no secret, in the type it is declared with."""
        name = field.path[0]
        hidden = _ciphertexts(value, (name,)) or ([(name,)] if name in self.encrypted else [])
        for path in hidden:
            inside = path == (name,) and field.group is not None
            reason = (
                "something in it is encrypted, and nothing in it is a secret"
                if inside
                else "it is encrypted, and is not a secret"
            )
            command = (
                f"pulumi config set --path '{key_text(self.project, path)}{'.NAME' if inside else ''}' VALUE --stack {self.stack}"
            )
            self.problems.append(Problem(path=path, value=None, reason=reason, fix=f"set it without --secret: {command}"))
        if (name,) not in hidden and not (value == "" and field.setting.default is None and not field.group):
            self.raw[name] = _without_ciphertexts(from_config(field, value))

    def _read_secret(self, field: Field, value: object) -> None:
        """Take a secret setting, or a mapping of secrets, as far as it is encrypted."""
        name, mapping = field.path[0], get_origin(field.type) is dict
        if mapping:
            value = from_config(field, value)
        if value in ("", {}) and name not in self.encrypted:  # the engine's default
            return
        if mapping and isinstance(value, Ciphertext):
            reason = "it is encrypted as a whole, so the names in it can't be seen without the passphrase"
            fix = f"set each by itself: {self._secret_command((*field.path, 'NAME'))}"
            self.problems.append(Problem(path=(name,), value=None, reason=reason, fix=fix))
        elif name in self.encrypted or value is None:
            self.raw[name] = value
        elif (hidden := self._hidden_part((name,), value, mapping=mapping)) not in ({}, None):
            self.raw[name] = hidden

    def _hidden_part(self, path: tuple[str, ...], value: object, *, mapping: bool) -> object:
        """Return what is encrypted of a secret setting; what is readable is refused, in a mapping each value by itself."""
        if isinstance(value, Ciphertext):
            return value
        if isinstance(value, dict) and mapping:
            parts = {name: (self._hidden_part((*path, name), inner, mapping=True), inner) for name, inner in value.items()}
            return {name: part for name, (part, inner) in parts.items() if part is not None or inner is None}
        if value is not None:
            self.problems.append(
                Problem(
                    path=path,
                    value=None,
                    reason="it is a secret given in plain text: it stands readable in a file now, and must be considered exposed",
                    fix=f"choose a new one and run: {self._secret_command(path)}  (it asks for the value)",
                )
            )
        return None

    def _secret_command(self, path: tuple[str, ...]) -> str:
        key = key_text(self.project, path)
        at = f"--path '{key}'" if len(path) > 1 else key
        return f"pulumi config set --secret {at} --stack {self.stack}"

    def _kubernetes(self, values: Mapping[str, Any]) -> Kubernetes:
        def placed(path: str | None) -> Path | None:
            return Path(os.path.normpath(self.root / Path(path).expanduser())) if path else None

        return Kubernetes(
            kubeconfig=placed(values.get("kubeconfig") or os.environ.get("KUBECONFIG")),
            context=values.get("context"),
            namespace=values.get("namespace") or f"{self.project}-{self.stack}",
            render=placed(values.get("render")),
        )

    def _result(self, values: dict[str, Any], said: tuple[str, ...]) -> Settings:
        from pydantic import SecretStr

        ports = resolved_ports(values, project=self.project, stack=self.stack)
        database = values["supabase"]["database"]
        cache, storage, admin = values["cache"], values["objectStorage"], values["admin"]
        return Settings(
            project=self.project,
            stack=self.stack,
            target=values["target"],
            instance=values["instance"],
            release=values["release"],
            image_source=values.get("imageSource"),
            compat=values["compat"],
            bind_address=values["bindAddress"],
            ports=ports,
            docker=_docker(values["docker"]),
            kubernetes=self._kubernetes(values["kubernetes"]),
            health_timeout=values["healthTimeout"],
            stack_id=values.get("stackId"),
            supabase=Supabase(
                enabled=values["supabase"]["enabled"],
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
                        path=env_file_path(app, file.get("path"), values["instance"], self.stack, self.root),
                        format=env_file_format(app, file["format"]),
                        overwrite=file["overwrite"],
                        own=Own.of(file, values.get("appSecrets", {}).get(app, {})),
                    )
                    for app, file in sorted(values["envFiles"].items())
                }
            ),
            secrets=MappingProxyType(
                {".".join(path): SecretStr(value) for path, value in secret_settings.given(values) if value is not None}
            ),
            supabase_secrets=MappingProxyType(
                {name: None if value is None else SecretStr(value) for name, value in secret_settings.of_supabase(values).items()}
            ),
            warnings=said,
            written=self.written,
        )


def _ciphertexts(value: object, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    """Return where in a value something is encrypted."""
    if isinstance(value, Ciphertext):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in items for found in _ciphertexts(inner, (*path, key))]


def _without_ciphertexts(value: object) -> object:
    """Return a value without what is encrypted in it, and without lists that hold such."""
    if not isinstance(value, dict):
        return value
    return {
        name: _without_ciphertexts(inner)
        for name, inner in value.items()
        if not isinstance(inner, Ciphertext) and not (isinstance(inner, list) and _ciphertexts(inner, ()))
    }


def from_config(field: Field, value: object) -> object:
    """Return a top-level value in the type it is declared with, where it can be read as that; else as it is.

    Pulumi hands a program numbers and groups as text (groups as JSON); read from YAML they have types, which this makes no
    use of for single values, so that both readings agree.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    if not isinstance(value, str):
        return value
    if field.type is int and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if field.type is PortSettings and value == "auto":
        return {"auto": True}
    if field.group or get_origin(field.type) is dict:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def with_defaults(field: Field, value: object) -> object:
    """Return a value of a setting with the defaults for all that it leaves out."""
    if not isinstance(value, dict) or field.group is None:
        return value
    if get_origin(field.type) is dict:
        return {name: _merged(field.group, inner) for name, inner in value.items()}
    return _merged(field.group, value)


def _merged(owner: type, value: object) -> object:
    if not isinstance(value, dict):
        return value
    declared = fields(owner)
    given = {name: with_defaults(declared[name], inner) if name in declared else inner for name, inner in value.items()}
    return {**default_of(owner), **given}


def main(arguments: list[str]) -> int:
    """Renew what is made from the declaration (`--write`), or say what is out of date."""
    from components.setting_docs import renew

    write = arguments == ["--write"]
    if arguments and not write:
        print("usage: python -m components.settings [--write]", file=sys.stderr)
        return 2
    changed = renew(ROOT, write=write)
    for path in changed:
        print(f"{'written' if write else 'out of date'}: {path}")
    return 1 if changed and not write else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
