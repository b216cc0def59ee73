"""What the settings of a stack lead to that others run, each in one spelling, so that two stacks can be compared. Pure.

As the program reads them: a group may be JSON text, and the address of a store may end with a slash.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

_GROUPS: Final = ("apps", "cache", "kubernetes", "objectStorage", "supabase", "tenants")
"""Those that previews are laid over, and that are compared."""
_REF: Final = re.compile(r"[a-z]{20}")
"""The reference of a hosted project (Supabase CLI, utils.ProjectRefPattern)."""
_OF_A_PROJECT: Final = re.compile(r"(?:.*\.)?([a-z]{20})(?:-[a-z0-9-]+)?(?:\.[a-z0-9-]+)*\.supabase\.(?:co|com|in|net)")
"""A host of the platform that is one project's, or its read replica's: `db.<ref>.supabase.co`, `<ref>-rr-<region>-<id>.supabase.co`."""
_SHARED_POOLER: Final = ".pooler.supabase.com"
"""Projects of a region share it: the login tells them apart."""
_AWS: Final = re.compile(r"s3([.-][a-z0-9-]+)*\.amazonaws\.com")
"""S3 has many names, and a bucket's name is there once in all regions (Amazon S3 user guide, "Bucket naming rules")."""
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Reach:
    """What a stack leads to.

    Attributes:
        projects: References of managed projects, wherever the settings have them.
        servers: What is reached there (`database at db.example.com`), and the setting that names it.
        buckets: Store and name.
        backups: Folders that backups of the database go to.
    """

    projects: frozenset[str]
    servers: Mapping[str, str]
    buckets: frozenset[tuple[str, str]]
    backups: frozenset[str]


def decoded(config: Mapping[str, Any], project: str) -> dict[str, Any]:
    """A stack's settings with each group that is JSON text as what it says."""
    found = dict(config)
    for name in _GROUPS:
        value = found.get(f"{project}:{name}")
        if isinstance(value, str):
            try:
                inner = json.loads(value)
            except ValueError:
                continue
            if isinstance(inner, dict | list):
                found[f"{project}:{name}"] = inner
    return found


def of(config: Mapping[str, Any], project: str) -> Reach:
    """What the settings lead to, those with JSON texts in them decoded before."""
    projects: set[str] = set()
    servers: dict[str, str] = {}
    for setting, what, host, user in _named(config, project):
        name = _host(host)
        found = _OF_A_PROJECT.fullmatch(name)
        login = _REF.fullmatch(user.partition(".")[2])
        projects.update(match[match.lastindex or 0] for match in (found, login) if match)
        if name and not found and not name.endswith(_SHARED_POOLER):
            servers.setdefault(f"{what} at {name}", setting)
    for _, given in _managed(config, project):
        projects.update(_texts(given.get("ref")))
    store = mapping(config.get(f"{project}:objectStorage"))
    buckets: set[tuple[str, str]] = set()
    if store.get("engine") == "external":
        own = at(config, project, "supabase", "storage", "bucket")
        buckets = {(_address(store.get("endpoint")), name) for name in (*_list(store.get("buckets")), *_texts(own))}
    folder = at(config, project, "supabase", "database", "cnpg", "backup", "destination")
    return Reach(frozenset(projects), servers, frozenset(buckets), frozenset(text.rstrip("/") for text in _texts(folder)))


def _named(config: Mapping[str, Any], project: str) -> Iterator[tuple[str, str, str, str]]:
    """Every server that the settings name: the setting, what is there, its host, and who logs in."""
    external = mapping(at(config, project, "supabase", "database", "external"))
    user = str(external.get("user") or "")
    yield "supabase.database.external.host", "database", str(external.get("host") or ""), user
    for replica in _list(at(config, project, "supabase", "database", "readReplicas")):
        yield "supabase.database.readReplicas", "database", replica, ""
    yield "cache.external.host", "cache", str(at(config, project, "cache", "external", "host") or ""), ""
    yield "objectStorage.endpoint", "", _of_platform(at(config, project, "objectStorage", "endpoint")), ""
    for where, given in _managed(config, project):
        user = str(given.get("databaseUser") or "")
        yield f"{where}.databaseHost", "database", str(given.get("databaseHost") or ""), user
        for replica in _list(given.get("readReplicas")):
            yield f"{where}.readReplicas", "database", replica, user
        # A pooler of somebody's own may be shared as well.
        login = str(given.get("poolerUser") or f"{user.partition('.')[0] or 'postgres'}.{given.get('ref')}")
        yield f"{where}.poolerHost", f"login {login}", str(given.get("poolerHost") or ""), login
        for name in ("apiUrl", "storageS3Url"):
            yield f"{where}.{name}", "API", str(given.get(name) or ""), ""


def _of_platform(endpoint: Any) -> str:
    """The endpoint of a store, where it is a project's: any other is compared with its buckets."""
    text = str(endpoint or "")
    return text if _OF_A_PROJECT.fullmatch(_host(text)) else ""


def _managed(config: Mapping[str, Any], project: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The managed projects: the stack's own, and its tenants'."""
    yield "supabase.managed", mapping(at(config, project, "supabase", "managed"))
    tenants = config.get(f"{project}:tenants")
    for tenant in tenants if isinstance(tenants, list) else ():
        yield "tenants[].project", mapping(mapping(tenant).get("project"))


def _host(text: str) -> str:
    """The host of a host, a host with its port, or an address, in small letters and without the dot that may end it."""
    if "://" not in text and text.count(":") > 1 and "[" not in text:
        return text.lower()  # an IPv6 address
    try:
        return (urlsplit(text if "://" in text else f"//{text}").hostname or "").rstrip(".")
    except ValueError:
        return text.lower()


def _address(endpoint: Any) -> str:
    """The address of a store, by whichever of its names."""
    text = str(endpoint or "")
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return text
    host = _host(text)
    if _AWS.fullmatch(host):
        return "s3.amazonaws.com"
    return f"{host}{'' if port in (None, _PORTS.get(url.scheme)) else f':{port}'}{url.path.rstrip('/')}"


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def at(config: Mapping[str, Any], project: str, *path: str) -> Any:
    """The value at a path of the settings; None where there is none."""
    value: Any = config.get(f"{project}:{path[0]}")
    for key in path[1:]:
        value = mapping(value).get(key)
    return value


def _list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [str(value)] if value else []
