"""Valid and wrong settings, generated from the declaration: a new setting is covered by itself.

The one thing to add for a new kind of text is a pair of samples for its check, in TEXTS.
"""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_origin

from hypothesis import strategies as st

from components import setting_values as values
from components.setting_schema import Field, all_fields, fields, key_text
from components.setting_declared import DECLARED
from components.setting_types import PortSettings, StackSettings
from components.setting_values import size_text

HIDDEN = "Zq9hidden"
"""Begins every value that must not be shown."""


@dataclass(frozen=True)
class Texts:
    """Samples of one kind of text."""

    right: tuple[str, ...]
    wrong: tuple[str, ...]


_SERVER_PASSWORD = Texts(
    right=(f"{HIDDEN}-1", f"{HIDDEN}:/?#[]@!$&()*+,;=%", HIDDEN + "x" * 119),
    wrong=(
        *(f"{HIDDEN} space", f"{HIDDEN}'quote", f'{HIDDEN}"quote', f"{HIDDEN}\\slash", f"{HIDDEN}`tick", f"{HIDDEN}äöü"),
        HIDDEN + "x" * 120,
    ),
)
TEXTS: dict[Callable[[Any], Any], Texts] = {
    values.release_name: Texts(right=("2026-09",), wrong=("2026", "2026-13", "2026-09-01", "latest", "v1", "../2026-09")),
    values.ip_address: Texts(
        right=("127.0.0.1", "0.0.0.0", "192.168.1.20", "::1", "::"),
        wrong=(
            "localhost",
            "127.0.0",
            "127.0.0.1:80",
            "256.1.1.1",
            "127.1",
            "010.0.0.1",
            "fe80::1%eth0",
            "224.0.0.1",
            "1.2.3.4/8",
        ),
    ),
    values.docker_host: Texts(
        right=("unix:///var/run/docker.sock", "tcp://10.0.0.5:2376", "npipe:////./pipe/docker_engine"),
        wrong=(
            *(
                "docker.sock",
                "/var/run/docker.sock",
                "http://x",
                "unix://",
                "tcp://",
                "ssh://",
                "ssh://me@build.example",
                "tcp://host:port",
                "tcp://host:99999",
            ),
            *(f"ssh://me:{HIDDEN}@host", f"ftp://me:{HIDDEN}@host", f"tcp://me:{HIDDEN}@"),
        ),
    ),
    values.duration: Texts(
        right=("0", "500ms", "30s", "5min", "2h"), wrong=("30", "30 s", "-1s", "1d", "1.5s", "9999999h", "0s")
    ),
    values.bucket_name: Texts(
        right=("app", "service-ticket-attachments", "a.b", "0files", "a" * 63),
        wrong=(
            "ab",
            "a" * 64,
            "App",
            "a_b",
            "-app",
            "app-",
            ".app",
            "a..b",
            "192.168.0.1",
            "xn--app",
            "app-s3alias",
            "a b",
            "ä" * 4,
        ),
    ),
    values.http_url: Texts(
        right=("https://s3.example.com", "http://127.0.0.1:9000", "https://s3.example.com/base", "http://[::1]:9000"),
        wrong=(
            *("s3.example.com", "ftp://x", "https://", "https://x:port", "https://x y", "https://x:0", "https://[::1"),
            *(
                f"https://me:{HIDDEN}@s3.example.com",
                f"https://s3.example.com/?key={HIDDEN}",
                f"https://s3.example.com#{HIDDEN}",
                f"ftp://me:{HIDDEN}@x",
            ),
        ),
    ),
    values.stack_id: Texts(
        right=("0123456789abcdef",), wrong=("0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeg")
    ),
    values.region: Texts(right=("us-east-1", "auto", "garage"), wrong=("US-EAST-1", "us east", "-eu", "a" * 64)),
    values.access_key: Texts(right=("AKIAIOSFODNN7EXAMPLE", "app", "a_b-c"), wrong=("ab", "a b", "key!", "a" * 129)),
    values.email: Texts(
        right=("admin@example.com", "a.b+c@mail.example.co.uk"),
        wrong=(
            "admin",
            "admin@",
            "@example.com",
            "a@b",
            "a b@example.com",
            "a@b@c.de",
            ".a@example.com",
            "a@-b.de",
            "a@b..de",
            "A <a@b.de>",
        ),
    ),
    values.line_of_text: Texts(right=("Administrator", "Ångström, Zoë"), wrong=(" x", "x ", "a\tb", "x" * 201)),
    values.file_path: Texts(
        right=(".env.local", "apps/shop/.env", "../shop/.env", "/srv/shop/.env", "my file.env"),
        wrong=("~/x/.env", "apps/", "..", "../", ".", "a/..", " .env", ".env "),
    ),
    values.app_name: Texts(right=("nextjs", "shop-2"), wrong=("Shop", "my app", "a", "-a", "a-", "a/b", "a.b", "2a", "a" * 41)),
    values.server_password: _SERVER_PASSWORD,
    values.person_password: Texts(
        right=(f"{HIDDEN} with spaces, 'quotes' and äöü", HIDDEN + "x" * 63), wrong=(HIDDEN + "x" * 64, HIDDEN + "ä" * 33)
    ),
}
"""By check."""

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
    yield "an empty list", [], ()
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
        assert setting.check is not None
        right = TEXTS[setting.check].right[0]
        yield "text", right, ()
        yield "too many", [f"{right}{n}" for n in range(101)], ()
        for item in (None, 5, True, [right], {"name": right}, *_NEVER_A_TEXT, *TEXTS[setting.check].wrong):
            yield "a wrong item", [right, item], (1,)
    else:
        assert field.type is str, f"{field.path}: say here what is wrong for {field.type}"
        assert setting.check in TEXTS, f"{field.path}: add samples for its check to TEXTS"
        unset = {""} if top and setting.default is None else set()
        for text in (*_NEVER_A_TEXT, *TEXTS[setting.check].wrong):
            if text not in unset:
                yield "not a right text", text, ()
        if not top:
            for value in (5, True, 1.5):
                yield "not a text", value, ()


def _unknown_siblings(field: Field) -> Iterator[tuple[str, Any, Where]]:
    """Yield groups with a name that is not declared, or a chosen name that is no name."""
    assert field.group is not None
    if get_origin(field.type) is dict:
        assert field.setting.key_check is not None
        for name in ("", "\n", *TEXTS[field.setting.key_check].wrong):
            yield "a wrong name", {name: {}}, (name,)
        for value in (None, 5, True, "text", [], [{}]):
            yield "not a group by name", {"nextjs": value}, ("nextjs",)
        inner: tuple[str, ...] = ("nextjs",)
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
    for field in all_fields():
        if field.setting.secret:
            continue
        path = tuple("nextjs" if part == "*" else part for part in field.path)
        for what, value, below in _wrong_values(field):
            yield Violation(path, value, (*path, *below), what)


def secret_violations() -> Iterator[Violation]:
    """Yield wrong values of each secret setting that is given with --secret."""
    for name, field in fields().items():
        if not field.setting.secret:
            continue
        assert field.setting.check is not None
        short = f"{HIDDEN}"[:7]
        for text in (*_NEVER_A_TEXT, short, *TEXTS[field.setting.check].wrong):
            yield Violation((name,), text, (name,), "not a right secret")
        for value in (None, [f"{HIDDEN}-in-a-list"], {"a": f"{HIDDEN}-in-a-group"}):
            yield Violation((name,), value, (name,), "not a text")


# -- whole configurations --------------------------------------------------------------------------------------------

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
        "database": {
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
"""Every setting but the secret ones and `objectStorage.endpoint`."""
OWN_STORE["app"]["port"] = OWN_STORE["ports"]["app"]

EXTERNAL_STORE = copy.deepcopy(OWN_STORE)
"""The same with an external store."""
EXTERNAL_STORE["objectStorage"] |= {"engine": "external", "endpoint": "https://s3.example.com"}
del EXTERNAL_STORE["objectStorage"]["fallback"]

SECRETS_GIVEN = {name: f"{HIDDEN}-{name}" for name, field in fields().items() if field.setting.secret}


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
    setting = field.setting
    if get_origin(field.type) is dict:
        assert field.group is not None
        assert setting.key_check is not None
        return st.dictionaries(st.sampled_from(TEXTS[setting.key_check].right), valid_group(field.group), max_size=2)
    if field.group is not None:
        group = valid_group(field.group)
        return st.one_of(group, st.just("auto")) if field.type is PortSettings else group
    if choices_of(field):
        return st.sampled_from(choices_of(field))
    if field.type is bool:
        return st.booleans()
    if field.type is int:
        return st.integers(setting.minimum, setting.maximum)
    if is_size(field):
        return sizes(setting.minimum or 0, setting.maximum or 0)
    assert setting.check in TEXTS, f"{field.path}: add samples for its check to TEXTS"
    texts = st.sampled_from(TEXTS[setting.check].right)
    return st.lists(texts, min_size=setting.minimum or 0, max_size=3, unique=True) if get_origin(field.type) is list else texts


@st.composite
def sizes(draw: st.DrawFn, low: int, high: int) -> str:
    """Draw a size as text."""
    unit = draw(st.sampled_from([unit for unit in _TEXT_BYTES if unit <= high]))
    text = size_text(draw(st.integers(-(-low // unit), high // unit)) * unit)
    return text.upper() if draw(st.booleans()) else text


def valid_group(owner: type) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for groups, with any of their settings left out, each right by itself."""
    optional = {name: valid_values(field) for name, field in fields(owner).items() if not field.setting.secret}
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
    if "app" in config:
        config["app"].pop("port", None)
        if ports != "auto" and "app" in ports and draw(st.booleans()):
            config["app"]["port"] = ports["app"]
    database = config.get("supabase", {}).get("database", {})
    if any(name in database for name in ("sharedBuffers", "workMem", "maintenanceWorkMem", "memory")):
        database["memory"] = "4tb"
    if {"memory", "maxMemory"} & config.get("cache", {}).keys():
        config["cache"]["memory"] = "4tb"
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
    return config


assert DECLARED  # the declaration is loaded
