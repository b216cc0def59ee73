"""Right settings, made from the declaration: a new setting is covered by itself. Wrong ones are made in `violating`, drawn ones in `drawn`.

The one thing to add for a new kind of text is a pair of samples for its check, in a file of `samples`; and where settings
contradict each other's samples, a right set of them in OWN_STORE.
"""

import copy
import functools
import json
import operator
import re
from enum import Enum
from typing import Annotated, Any, get_args, get_origin

from components.config_values import with_defaults
from components.secret_settings import cli as cli_secrets
from components.setting_schema import Field, all_fields, default_of, fields, key_text
from components.setting_types import PortSettings, StackSettings
from components.setting_values import Setting, size_text
from tests.unit.settings.samples import TEXTS

Where = tuple[str | int, ...]


def is_size(field: Field) -> bool:
    """Whether a setting holds a size."""
    return field.setting.unit == "size"


def choices_of(field: Field) -> list[str]:
    """Values of a setting that is a choice; none if it is not."""
    return [member.value for member in field.type] if isinstance(field.type, type) and issubclass(field.type, Enum) else []


def is_choice(kind: Any) -> bool:
    """Whether a type is an Enum."""
    return isinstance(kind, type) and issubclass(kind, Enum)


def lacks_samples(field: Field) -> bool:
    """Whether a check of a setting's texts has no samples yet; then it is left out here, and one test says so."""
    (kind, setting), needed = (field.type, field.setting), []
    while get_origin(kind) is dict:
        needed.append(setting.key_check)
        kind, setting = inside(kind, setting)
    (item,) = get_args(kind)[-1:] or (kind,)
    if item is str and setting.unit != "size":
        needed.append(setting.check)
    return not all(check in TEXTS for check in needed)


def known_fields() -> list[Field]:
    """Return all settings whose texts, and the names above them, have samples."""
    lacking = [field.path for field in all_fields() if lacks_samples(field)]
    # What is in a list of groups is of use only together with the rest of its group: tests of their own have it.
    listed = [(*field.path, "*") for field in all_fields() if is_list_of_groups(field)]
    return [field for field in all_fields() if not any(field.path[: len(path)] == path for path in (*lacking, *listed))]


def is_list_of_groups(field: Field) -> bool:
    """Whether a setting holds a list of groups."""
    return field.group is not None and get_origin(field.type) is list


def a_name(field: Field) -> str:
    """Return a right name for one of what a mapping holds."""
    assert field.setting.key_check in TEXTS, f"{field.path}: add samples for its key_check to `samples`"
    return TEXTS[field.setting.key_check].right[0]


def concrete(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return a declared path with a right name in place of each that the user chooses."""
    found: list[str] = []
    owner: type | None = StackSettings
    field: Field | None = None
    for part in path:
        if part == "*":
            assert field is not None
            found.append(a_name(field))
            continue
        assert owner is not None
        field = fields(owner)[part]
        found.append(part)
        owner = field.group
    return tuple(found)


def inside(kind: Any, setting: Setting) -> tuple[Any, Setting]:
    """Return what a mapping holds: its type, and how it is checked."""
    inner = get_args(kind)[1]
    if get_origin(inner) is Annotated:
        return get_args(inner)[0], get_args(inner)[1]
    return inner, setting


def secret_sample(kind: Any, setting: Setting, which: int = 0) -> Any:
    """Return a right value of a secret setting."""
    if get_origin(kind) is dict:
        assert setting.key_check in TEXTS, "add samples for its key_check to `samples`"
        return {TEXTS[setting.key_check].right[which]: secret_sample(*inside(kind, setting), which)}
    assert setting.check in TEXTS, "add samples for its check to `samples`"
    right = TEXTS[setting.check].right
    return right[which % len(right)]


# -- whole configurations --------------------------------------------------------------------------------------------


def sample(field: Field) -> Any:
    """Return a right value of a setting: its default, where it has one that says something."""
    setting, kind = field.setting, field.type
    if is_list_of_groups(field):
        return []
    if field.group is not None:
        return {a_name(field): completed(field.group)} if get_origin(kind) is dict else completed(field.group)
    if setting.default not in (None, [], {}):
        return setting.default
    if kind is bool:
        return False
    if kind is int:
        return setting.minimum
    if is_size(field):
        return size_text(setting.minimum or 0)
    if field.item is not None:
        return {a_name(field): sample(field.item)} if get_origin(kind) is dict else [sample(field.item)]
    item = choices_of(field)[0] if choices_of(field) else _text(field)
    return {list: [item], dict: {a_name(field): item} if get_origin(kind) is dict else {}}.get(get_origin(kind), item)


def _text(field: Field) -> str:
    """Return a right text of a setting, or of what it holds."""
    (kind,) = get_args(field.type)[-1:] or (field.type,)
    if is_choice(kind):
        return str(next(iter(kind)).value)
    assert field.setting.check in TEXTS, f"{field.path}: add samples for its check to `samples`"
    return TEXTS[field.setting.check].right[0]


def completed(owner: type, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a group with a right value for each setting that is not given and is no secret."""
    found = dict(given or {})
    for name, field in fields(owner).items():
        if field.setting.secret or lacks_samples(field):
            continue
        if name not in found:
            found[name] = sample(field)
        elif field.group is not None and get_origin(field.type) is dict:
            found[name] = {key: completed(field.group, inner) for key, inner in found[name].items()}
        elif field.group is not None and not is_list_of_groups(field):
            found[name] = completed(field.group, found[name])
    return found


OWN_STORE: dict[str, Any] = {
    "target": "docker",
    "instance": 2,
    "release": "2026-09",
    "imageSource": "local",
    "bindAddress": "127.0.0.1",
    "ports": {"auto": False, **{name: 30000 + n for n, name in enumerate(fields(PortSettings)) if name != "auto"}},
    "docker": {"host": "unix:///var/run/docker.sock"},
    "healthTimeout": 60,
    "stackId": "0123456789abcdef",
    "supabase": {
        "enabled": True,
        # Turned on, some of its settings would need secrets.
        "auth": {"enabled": False},
        "database": {
            "name": "shop",
            "memory": "4gb",
            "sharedBuffers": "1gb",
            "effectiveCacheSize": "3gb",
            "workMem": "8mb",
            "maintenanceWorkMem": "256mb",
            "maxWalSize": "2gb",
            "maxConnections": 200,
            "statementTimeout": "2min",
            "logMinMessages": "warning",
        },
    },
    "cache": {
        "enabled": True,
        "engine": "redis",
        "memory": "1gb",
        "maxMemory": "512mb",
        "evictionPolicy": "allkeys-lru",
        "appendOnly": False,
        "appendFsync": "no",
    },
    "objectStorage": {
        "enabled": True,
        "engine": "seaweedfs",
        "fallback": "minio",
        "buckets": ["app", "reports"],
        "memory": "2gb",
        "region": "eu-central-1",
        "accessKey": "app-key",
    },
    "app": {"port": 30001},
    "admin": {"email": "boss@example.com", "name": "Boss"},
    "envFiles": {"nextjs": {"path": ".env.shop", "format": "docker", "overwrite": True}},
}
"""Every setting but the secret ones and `objectStorage.endpoint`: what is not said here is completed."""
OWN_STORE["app"]["port"] = OWN_STORE["ports"]["app"]
OWN_STORE["tenantEnvFile"] = {"variables": {"ORG": "${ORG_ID}"}}
OWN_STORE["apps"] = {
    "shop-backend": {"connects": ["shop-web"]},
    "shop-web": {"publish": "backend", "connects": [], "secrets": {}},
}
OWN_STORE = completed(StackSettings, OWN_STORE)
NOT_BESIDE = (
    ("supabase", "managed", "ref"),
    # Its file is read where there are replicas.
    ("supabase", "database", "readReplicaCaCertificate"),
    ("supabase", "database", "schedule", "cleanup", "function"),
    *(("apps", app, "hostPort") for app in OWN_STORE["apps"]),
)
"""Settings that can't stand beside others of the full configuration."""
for *_above, _last in (("objectStorage", "endpoint"), *NOT_BESIDE):
    del functools.reduce(operator.getitem, _above, OWN_STORE)[_last]

EXTERNAL_STORE = copy.deepcopy(OWN_STORE)
"""The same with an external store."""
EXTERNAL_STORE["objectStorage"] |= {"engine": "external", "endpoint": "https://s3.example.com"}
# Its file is read where the store is others'.
del EXTERNAL_STORE["objectStorage"]["fallback"], EXTERNAL_STORE["objectStorage"]["caCertificate"]

SECRETS_GIVEN = {name: secret_sample(field.type, field.setting) for name, field in fields().items() if field.setting.secret}
SECRETS_GIVEN["logflarePrivateAccessToken"] += "-private"

_ONLY_BESIDE = {"tlsKey": "tlsCertificate", "tenantSecrets": "'tier': 'enterprise'"}
"""Secrets that are refused without another setting."""


def secrets_for(config: Any) -> dict[str, Any]:
    """Return a right value of every secret setting that can stand beside the others, in whatever form these are."""
    written = repr(config)
    published = cli_secrets() if re.search(r"compat'?: '?cli'", written) else ()
    return {n: v for n, v in SECRETS_GIVEN.items() if _ONLY_BESIDE.get(n, "") in written and n not in published}


def leaves(value: Any) -> list[Any]:
    """Return every single value in a configuration."""
    return [leaf for inner in value.values() for leaf in leaves(inner)] if isinstance(value, dict) else [value]


def put(config: dict[str, Any], path: Where, value: Any) -> dict[str, Any]:
    """Return a copy of a configuration with a value put somewhere; a group put onto a group is added to it."""
    changed = copy.deepcopy(config)
    place: Any = changed
    for part in path[:-1]:
        place = place.setdefault(part, {})
    old = place.get(path[-1])
    if isinstance(old, dict) and isinstance(value, dict) and value and not {"value"} & value.keys():
        for name, inner in value.items():
            old[name] = {**old[name], **inner} if isinstance(old.get(name), dict) and isinstance(inner, dict) and inner else inner
    else:
        place[path[-1]] = value
    return changed


def keyed(config: dict[str, Any], project: str = "supastack") -> dict[str, Any]:
    """Return a configuration by full keys, as YAML reads it."""
    return {f"{project}:{name}": value for name, value in config.items()}


def as_pulumi_hands_over(config: dict[str, Any]) -> dict[str, str]:
    """Return a configuration as a program gets it: single values as text, all else as JSON."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in keyed(config).items()}


def named(path: Where) -> str:
    """Return the key that a message has to hold."""
    return key_text("supastack", path)


def with_defaults_of(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as the settings see it."""
    declared = fields()
    read = {name: {"auto": True} if name == "ports" and value == "auto" else value for name, value in config.items()}
    return {**default_of(StackSettings), **{name: with_defaults(declared[name], value) for name, value in read.items()}}
