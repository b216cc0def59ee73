"""Where a stack talks to outside its cluster, as far as its settings say: what the network policies open."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from components.app_sources import READ
from components.endpoints import Endpoint
from components.managed import Project, endpoint
from components.supabase_settings.database_engine import DatabaseEngine
from components.targets.kubernetes.egress import Outside, by_url


def outside(supabase: Mapping[str, Any], store: str | None, cache: Mapping[str, Any] | None = None) -> dict[str, Outside]:
    """What is known of destinations, by purpose, and by capability where others provide it.

    Args:
        supabase: The completed `supabase` group.
        store: Address of an external object store; None where there is none.
        cache: What the settings say of an external cache; None where there is none.
    """
    auth = supabase["auth"]
    found = {
        # Providers and hooks that are a company's own have an address in the settings; all others are on the internet.
        "oauth": _ports(p["url"] for p in auth["external"].values() if p["enabled"] and "url" in p),
        "webhooks": _ports(_called(auth)),
    }
    if "host" in auth["smtp"]:
        found["smtp"] = Outside(hosts=frozenset({auth["smtp"]["host"]}), ports=frozenset({auth["smtp"]["port"]}))
    if store is not None:
        found["s3"] = replace(by_url(store), purpose="s3")
    if cache is not None:
        found["redis"] = Outside(hosts=frozenset({cache["host"]}), ports=frozenset({cache["port"]}), purpose="cache")
    if supabase["database"]["engine"] is DatabaseEngine.EXTERNAL:
        at = supabase["database"]["external"]
        found["postgres"] = Outside(hosts=frozenset({at["host"]}), ports=frozenset({at["port"]}), purpose="database")
    if replicas := supabase["database"]["readReplicas"]:
        found[READ] = _databases(map(endpoint, replicas))
    return found


def of_project(project: Project) -> dict[str, Outside]:
    """The servers of a Supabase project that others run, by capability."""
    found = {"postgres": _databases([Endpoint(project.database_host, project.database_port)])}
    if project.replicas:
        found[READ] = _databases(project.replicas)
    if project.pooler_host is not None:
        found["pooler"] = _databases([Endpoint(project.pooler_host, project.pooler_port)])
        found["pooler-session"] = _databases([Endpoint(project.pooler_host, project.pooler_session_port)])
    return found


def _databases(servers: Iterable[Endpoint]) -> Outside:
    places = tuple(servers)
    return Outside(hosts=frozenset(at.host for at in places), ports=frozenset(at.port for at in places), purpose="database")


def _ports(urls: Iterable[str]) -> Outside:
    """The ports of some of the destinations, beside the usual one: where the others are is not known."""
    return Outside(ports=frozenset({443}).union(*(by_url(url).ports for url in urls)))


def _called(auth: Mapping[str, Any]) -> Iterator[str]:
    for hook in auth["hooks"].values():
        if hook["enabled"] and hook.get("uri", "").startswith("http"):
            yield hook["uri"]
    # It fetches the texts of mails, too.
    yield from (mail["url"] for mail in auth["email"]["template"].values() if "url" in mail)
