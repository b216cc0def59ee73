"""Where a stack talks to outside its cluster, as far as its settings say: what the network policies open."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from components.targets.kubernetes.egress import Outside


def outside(supabase: Mapping[str, Any], store: str | None) -> dict[str, Outside]:
    """What is known of destinations, by purpose; what is not known is left out.

    Args:
        supabase: The completed `supabase` group.
        store: Address of an external object store; None where there is none.
    """
    auth = supabase["auth"]
    found = {
        # Providers and hooks that are a company's own have an address in the settings; all others are on the internet.
        "oauth": _by_url((p["url"] for p in auth["external"].values() if p["enabled"] and "url" in p), also_known=False),
        "webhooks": _by_url(_called(auth), also_known=False),
    }
    if "host" in auth["smtp"]:
        found["smtp"] = Outside(hosts=frozenset({auth["smtp"]["host"]}), ports=frozenset({auth["smtp"]["port"]}))
    if store is not None:
        found["s3"] = _by_url([store], also_known=True)
    return {purpose: what for purpose, what in found.items() if what.ports}


def _called(auth: Mapping[str, Any]) -> Iterator[str]:
    for hook in auth["hooks"].values():
        if hook["enabled"] and hook.get("uri", "").startswith("http"):
            yield hook["uri"]


def _by_url(urls: Iterable[str], *, also_known: bool) -> Outside:
    """What is known by URLs. `also_known`: whether they are all there is, so that their hosts are."""
    parts = [urlsplit(url) for url in urls]
    ports = {part.port or {"http": 80, "https": 443}.get(part.scheme, 443) for part in parts}
    if ports and not also_known:
        ports.add(443)
    return Outside(ports=frozenset(ports), hosts=frozenset(part.hostname or "" for part in parts) if also_known else frozenset())
