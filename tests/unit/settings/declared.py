"""Valid and wrong settings, generated from the declaration: a new setting is covered by itself.

The one thing to add for a new kind of text is a pair of samples for its check, in a file of `samples`; and where settings
contradict each other's samples, a right set of them in OWN_STORE.
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, get_args, get_origin

from hypothesis import strategies as st

from components.config_values import with_defaults
from components.secret_settings import cli as cli_secrets
from components.secret_settings import given as given_secrets
from components.setting_contradictions import Context, contradictions
from components.setting_schema import Field, all_fields, default_of, fields, key_text, validate
from components.setting_types import PortSettings, StackSettings
from components.setting_values import Setting, size_text
from components.settings import PROJECT, ROOT
from tests.unit.settings.samples import HIDDEN, TEXTS

_NEVER_A_TEXT = ("", "\n", f"a{HIDDEN}\nb{HIDDEN}", f"{HIDDEN}\0", f"{HIDDEN}\x1b[31m", "x" * 5000)
_TEXT_BYTES = (1 << 10, 1 << 20, 1 << 30)

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Violation:
    """One wrong value at one place."""

    path: Where
    """Where it is put."""
    value: Any
    named: Where
    """Where the error has to point."""
    what: str


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
        kind, setting = _inside(kind, setting)
    (item,) = get_args(kind)[-1:] or (kind,)
    if item is str and setting.unit != "size":
        needed.append(setting.check)
    return not all(check in TEXTS for check in needed)


def known_fields() -> list[Field]:
    """Return all settings whose texts, and the names above them, have samples."""
    lacking = [field.path for field in all_fields() if lacks_samples(field)]
    return [field for field in all_fields() if not any(field.path[: len(path)] == path for path in lacking)]


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


# -- wrong values ----------------------------------------------------------------------------------------------------


def _wrong_values(field: Field) -> Iterator[tuple[str, Any, Where]]:
    """Yield what is wrong, the value, and where below the setting the error has to point."""
    top = len(field.path) == 1
    setting = field.setting
    if field.group is not None:
        for value in (5, True, 1.5, None, [], [{}], "text", "[]", '"', "true"):
            yield "not a group", value, ()
        yield from _unknown_siblings(field)
        return
    yield "null", None, ()
    if get_origin(field.type) is not list:
        yield "a list", [f"{HIDDEN} in a list"], ()
    if get_origin(field.type) is not list or setting.minimum:
        yield "an empty list", [], ()
    if get_origin(field.type) is not dict:
        yield "a group", {"value": f"{HIDDEN} in a group"}, ()
        yield "an empty group", {}, ()
    if field.type is int:
        low, high = setting.minimum or 0, setting.maximum or 0
        for value in (low - 1, high + 1, -(10**9), 10**30, low + 0.5):
            yield "out of range", value, ()
        for text in ("", " ", "five", "0x10", "1e3", "5.5", " 5", "\u0665", "--5", "5mb"):
            yield "not a number", text, ()
        yield "true", True, ()
        if not top:
            yield "a number in quotes", str(low), ()
    elif field.type is bool:
        for value in ("", "yes", "no", "on", "true", "false", "True", 0, 1, 1.0, 2):
            yield "not true or false", value, ()
    elif is_size(field):
        low, high = setting.minimum or 0, setting.maximum or 0
        texts = ["512", "mb", "0mb", "-1mb", "1.5gb", "1 gb", "512m", "512mib", "1pb", "1mbx", "x1mb", "0x1mb", "\u0661mb", ""]
        texts += [f"{low // 1024 - 1}kb", f"{high // 1024 + 1}kb", "999999999tb"]
        for text in texts:
            yield "not a size in the range", text, ()
        for value in (low, 0, True, 1.5):
            yield "not a text", value, ()
    elif choices_of(field):
        some = choices_of(field)[0]
        for text in (
            "no-such-choice",
            some.upper(),
            f"{some} ",
            f" {some}",
            f"{some}{some}",
            *([] if top and setting.default is None else [""]),
        ):
            yield "not a choice", text, ()
        for value in (5, True, 1.5):
            yield "not a choice", value, ()
    elif get_origin(field.type) is list:
        right = sample(field)[0]
        yield "text", str(right), ()
        if field.item is not None:
            yield "too many", [right] * ((setting.maximum or 0) + 1), ()
            for what, item, _ in _wrong_values(field.item):
                yield what, [right, item], (1,)
            return
        if setting.maximum is not None:
            yield "too many", [f"{right}{n}" for n in range(setting.maximum + 1)], ()
        for item in (None, 5, True, [right], {"name": right}, *_wrong_items(field)):
            yield "a wrong item", [right, item], (1,)
    elif get_origin(field.type) is dict:
        name = a_name(field)
        right = sample(field)[name]
        assert setting.key_check is not None
        for wrong in ("", "\n", *TEXTS[setting.key_check].wrong):
            yield "a wrong name", {wrong: right}, (wrong,)
        if field.item is not None:
            for what, value, _ in _wrong_values(field.item):
                yield what, {name: value}, (name,)
        else:
            for value in (None, 5, True, [right], {"name": right}, *_wrong_items(field)):
                yield "a wrong item", {name: value}, (name,)
        for value in (5, True, 1.5, "text", "[]"):
            yield "not a group", value, ()
    else:
        assert field.type is str, f"{field.path}: say here what is wrong for {field.type}"
        unset = {""} if top and setting.default is None else set()
        for text in _wrong_items(field):
            if text not in unset:
                yield "not a right text", text, ()
        if not top:
            for value in (5, True, 1.5):
                yield "not a text", value, ()


def _wrong_items(field: Field) -> tuple[str, ...]:
    """Return texts that a setting, or what it holds, can't be."""
    (kind,) = get_args(field.type)[-1:] or (field.type,)
    if is_choice(kind):
        return ("no-such-choice", "")
    assert field.setting.check in TEXTS, f"{field.path}: add samples for its check to `samples`"
    texts = TEXTS[field.setting.check]
    return texts.wrong if texts.free else (*_NEVER_A_TEXT, *texts.wrong)


def _unknown_siblings(field: Field) -> Iterator[tuple[str, Any, Where]]:
    """Yield groups with a name that is not declared, or a chosen name that is no name."""
    assert field.group is not None
    if get_origin(field.type) is dict:
        assert field.setting.key_check is not None
        for name in ("", "\n", *TEXTS[field.setting.key_check].wrong):
            yield "a wrong name", {name: {}}, (name,)
        for value in (None, 5, True, "text", [], [{}]):
            yield "not a group by name", {a_name(field): value}, (a_name(field),)
        inner: tuple[str, ...] = (a_name(field),)
    else:
        inner = ()
    known = list(fields(field.group))
    for name in dict.fromkeys(
        [
            *(f"{n}s" for n in known),
            *(n.upper() for n in known),
            *(n[:-1] + "_" for n in known),
            "password",
            "x y",
            "",
            "x.y",
            "0",
        ]
    ):
        if name in known:
            continue
        wrong: Any = {name: f"{HIDDEN} of a mistyped name"}
        for part in reversed(inner):
            wrong = {part: wrong}
        yield "an unknown name", wrong, (*inner, name)


def violations() -> Iterator[Violation]:
    """Yield each wrong value of each setting that is no secret."""
    for field in known_fields():
        if field.setting.secret:
            continue
        path = concrete(field.path)
        for what, value, below in _wrong_values(field):
            yield Violation(path, value, (*path, *below), what)


def secret_violations() -> Iterator[Violation]:
    """Yield wrong values of each secret setting that is given with --secret."""
    for name, field in fields().items():
        if not field.setting.secret:
            continue
        if get_origin(field.type) is dict:
            yield from _wrong_mappings(field)
            continue
        for text in _wrong_items(field):
            yield Violation((name,), text, (name,), "not a right secret")
        for value in (None, [f"{HIDDEN}-in-a-list"], {"a": f"{HIDDEN}-in-a-group"}):
            yield Violation((name,), value, (name,), "not a text")


def _wrong_mappings(field: Field) -> Iterator[Violation]:
    """Yield wrong values of a mapping of secrets: of the whole, of a name, of a secret."""
    (name,) = field.path
    for value in (None, f"{HIDDEN}-in-a-text", [f"{HIDDEN}-in-a-list"], 5):
        yield Violation((name,), value, (name,), "not a mapping")
    path: tuple[str, ...] = (name,)
    kind, setting = field.type, field.setting
    while get_origin(kind) is dict:
        assert setting.key_check in TEXTS, f"{field.path}: add samples for its key_check to `samples`"
        right = secret_sample(kind, setting)
        for wrong in TEXTS[setting.key_check].wrong:
            yield Violation((name,), _within(path[1:], {wrong: next(iter(right.values()))}), (*path, wrong), "a wrong name")
        inner = next(iter(right))
        path = (*path, inner)
        kind, setting = _inside(kind, setting)
    assert setting.check in TEXTS, f"{field.path}: add samples for its check to `samples`"
    texts = TEXTS[setting.check]
    for wrong in texts.wrong if texts.free else (*_NEVER_A_TEXT, *texts.wrong):
        yield Violation((name,), _within(path[1:], wrong), path, "not a right secret")
    for value in (None, [f"{HIDDEN}-in-a-list"], {"a": f"{HIDDEN}-in-a-group"}, 5):
        yield Violation((name,), _within(path[1:], value), path, "not a text")


def _within(path: tuple[str, ...], value: Any) -> Any:
    """Return a value in a mapping for each name above it."""
    for part in reversed(path):
        value = {part: value}
    return value


def _inside(kind: Any, setting: Setting) -> tuple[Any, Setting]:
    """Return what a mapping holds: its type, and how it is checked."""
    inner = get_args(kind)[1]
    if get_origin(inner) is Annotated:
        return get_args(inner)[0], get_args(inner)[1]
    return inner, setting


def secret_sample(kind: Any, setting: Setting, which: int = 0) -> Any:
    """Return a right value of a secret setting."""
    if get_origin(kind) is dict:
        assert setting.key_check in TEXTS, "add samples for its key_check to `samples`"
        return {TEXTS[setting.key_check].right[which]: secret_sample(*_inside(kind, setting), which)}
    assert setting.check in TEXTS, "add samples for its check to `samples`"
    right = TEXTS[setting.check].right
    return right[which % len(right)]


# -- whole configurations --------------------------------------------------------------------------------------------


def sample(field: Field) -> Any:
    """Return a right value of a setting: its default, where it has one that says something."""
    setting, kind = field.setting, field.type
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
        elif field.group is not None:
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
OWN_STORE = completed(StackSettings, OWN_STORE)
del OWN_STORE["objectStorage"]["endpoint"]

EXTERNAL_STORE = copy.deepcopy(OWN_STORE)
"""The same with an external store."""
EXTERNAL_STORE["objectStorage"] |= {"engine": "external", "endpoint": "https://s3.example.com"}
del EXTERNAL_STORE["objectStorage"]["fallback"]

SECRETS_GIVEN = {name: secret_sample(field.type, field.setting) for name, field in fields().items() if field.setting.secret}
SECRETS_GIVEN["logflarePrivateAccessToken"] += "-private"

_ONLY_BESIDE = {"tlsKey": "tlsCertificate"}
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


# -- hypothesis ------------------------------------------------------------------------------------------------------


def valid_values(field: Field) -> st.SearchStrategy[Any]:
    """Return a strategy for values of one setting that are right by themselves."""
    setting, kind = field.setting, get_origin(field.type)
    if field.group is not None:
        group = valid_group(field.group)
        if kind is dict:
            return st.dictionaries(_names(field), group, max_size=2)
        return st.one_of(group, st.just("auto")) if field.type is PortSettings else group
    if choices_of(field):
        return st.sampled_from(choices_of(field))
    if field.type is bool:
        return st.booleans()
    if field.type is int:
        return st.integers(setting.minimum, setting.maximum)
    if is_size(field):
        return sizes(setting.minimum or 0, setting.maximum or 0)
    texts = _right_texts(field) if field.item is None else valid_values(field.item)
    if kind is dict:
        return st.dictionaries(_names(field), texts, max_size=2)
    return st.lists(texts, min_size=setting.minimum or 0, max_size=3, unique=True) if kind is list else texts


def _names(field: Field) -> st.SearchStrategy[str]:
    assert field.setting.key_check is not None
    return st.sampled_from(TEXTS[field.setting.key_check].right)


def _right_texts(field: Field) -> st.SearchStrategy[str]:
    (kind,) = get_args(field.type)[-1:] or (field.type,)
    if is_choice(kind):
        return st.sampled_from([member.value for member in kind])
    assert field.setting.check in TEXTS, f"{field.path}: add samples for its check to `samples`"
    return st.sampled_from(TEXTS[field.setting.check].right)


@st.composite
def sizes(draw: st.DrawFn, low: int, high: int) -> str:
    """Draw a size as text."""
    unit = draw(st.sampled_from([unit for unit in _TEXT_BYTES if unit <= high]))
    text = size_text(draw(st.integers(-(-low // unit), high // unit)) * unit)
    return text.upper() if draw(st.booleans()) else text


def valid_group(owner: type) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for groups, with any of their settings left out, each right by itself."""
    known = {name: field for name, field in fields(owner).items() if not field.setting.secret and not lacks_samples(field)}
    optional = {name: valid_values(field) for name, field in known.items()}
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def valid_configs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw settings that are right together."""
    config: dict[str, Any] = draw(valid_group(StackSettings))
    ports = config.get("ports", {})
    if ports != "auto":
        taken: set[int] = set()
        for name in [name for name in ports if name != "auto"]:
            # 40000 to 49999 is in nobody's plan.
            ports[name] = 40000 + ports[name] % 10000
            if ports[name] in taken:
                del ports[name]
            else:
                taken.add(ports[name])
        if not ports.get("auto", False) and config.get("instance", 1) > 12:
            config["instance"] = config["instance"] % 12 + 1
    if config.get("compat") == "cli":
        for name in ("target", "bindAddress", "docker"):
            config.pop(name, None)
    if "app" in config:
        config["app"].pop("port", None)
        if ports != "auto" and "app" in ports and draw(st.booleans()):
            config["app"]["port"] = ports["app"]
    database = config.get("supabase", {}).get("database", {})
    if any(name in database for name in ("sharedBuffers", "workMem", "maintenanceWorkMem", "memory")):
        database["memory"] = "4tb"
    if {"memory", "maxMemory"} & config.get("cache", {}).keys():
        config["cache"]["memory"] = "4tb"
    plain = config.get("plainDatabase", {})
    if "parameters" in plain or "memory" in plain:
        plain["memory"] = "4tb"
    if plain.get("readOnlyRole") == plain.get("user", "app"):
        plain.pop("readOnlyRole", None)
    store = config.get("objectStorage", {})
    engine = store.get("engine", "seaweedfs")
    if engine == "external":
        store |= {"endpoint": store.get("endpoint", "https://s3.example.com"), "accessKey": store.get("accessKey", "key")}
    else:
        store.pop("endpoint", None)
    if "fallback" in store and (engine == "external" or store["fallback"] in (engine, "external")):
        del store["fallback"]
    for app, file in config.get("envFiles", {}).items():
        file["path"] = f"{app}/{file['path'].rsplit('/', 1)[-1]}" if "path" in file else f"{app}/.env"
    return _without_contradictions(config)


def _names_of(secrets: dict[str, Any]) -> set[str]:
    """Return the names by which the rules know secrets."""
    return {".".join(path) for path, _ in given_secrets(secrets)}


def _without_contradictions(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration without what can't stand beside the rest of its group."""
    for _ in range(100):
        values, wrong = validate(with_defaults_of(config))
        context = Context(project=PROJECT, stack="dev", root=ROOT, secrets=_names_of(secrets_for(config)), today=date(2026, 6, 1))
        # A target may want settings that are not there at all.
        found = [
            p
            for p in contradictions(values, context)
            if isinstance(config.get(str(p.path[0])), dict) or p.path[0] == "kubernetes"
        ]
        if wrong or not found:
            break
        place, path = config, [str(part) for part in found[0].path]
        while len(path) > 1 and isinstance(place.get(path[0]), dict):
            place = place[path.pop(0)]
        if path[0] in place:
            del place[path[0]]
        else:  # what it lacks is wanted by another setting of its group
            top = str(found[0].path[0])
            config[top].pop(str(found[0].path[1]), None) if top == "supabase" else config.pop(
                "target" if top == "kubernetes" else top
            )
    return config


def with_defaults_of(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as the settings see it."""
    declared = fields()
    read = {name: {"auto": True} if name == "ports" and value == "auto" else value for name, value in config.items()}
    return {**default_of(StackSettings), **{name: with_defaults(declared[name], value) for name, value in read.items()}}
