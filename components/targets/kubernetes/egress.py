"""Where a stack's pods may connect to outside the cluster: networks and ports, by purpose.

The rule for networks, ours: a destination that the settings name (a mail server, a store, a database) may be anywhere, and only its port
is open; one that they don't name (modules, functions' own calls, web hooks ...) is on the internet. So the private ranges, where a
cluster's pods, services, nodes and API server are, are left out of "everywhere" there, and link-local addresses always: clouds answer
with the machine's credentials at one (169.254.169.254). A network of the settings that is itself such a range opens it.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

LINK_LOCAL: Final = ("169.254.0.0/16", "fe80::/10")
"""RFC 3927 and RFC 4291: never routed."""
PRIVATE: Final = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""RFC 1918, RFC 6598 and RFC 4193."""
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
_HTTPS: Final = 443


@dataclass(frozen=True, kw_only=True, slots=True)
class Outside:
    """What the settings say of a destination outside the cluster.

    Attributes:
        ports: TCP ports; none: those that the purpose usually has.
        hosts: Host names and addresses; none: not known.
        purpose: What the settings call it, for a capability that others provide.
    """

    ports: frozenset[int] = frozenset()
    hosts: frozenset[str] = frozenset()
    purpose: str = ""


def by_url(url: str) -> Outside:
    """A destination by its URL."""
    parts = urlsplit(url)
    return Outside(
        ports=frozenset({parts.port or {"http": 80}.get(parts.scheme, _HTTPS)}), hosts=frozenset({parts.hostname or ""})
    )


def ports_of(rule: Mapping[str, Any] | None, known: Outside | None) -> Sequence[int]:
    """The TCP ports of a purpose: the rule's, else the known ones, else that of https."""
    if rule is not None and "ports" in rule:
        return sorted(rule["ports"])
    if known is not None and known.ports:
        return sorted(known.ports)
    return (_HTTPS,)


def networks(rule: Mapping[str, Any] | None, known: Outside | None) -> list[dict[str, Any]]:
    """The networks of a purpose, as `ipBlock`s.

    Args:
        rule: What the settings say of the purpose; None: nothing.
        known: What is known of its destination; None: nothing.
    """
    hosts = frozenset[str]() if known is None else known.hosts
    if rule is not None:
        wanted, shut = tuple(rule["cidrs"]), tuple(rule["excepted"])
    elif hosts and all(_is_address(host) for host in hosts):
        return [{"cidr": str(ipaddress.ip_network(host))} for host in sorted(hosts)]
    else:
        wanted, shut = _EVERYWHERE, ()
    shut = (*shut, *LINK_LOCAL, *(() if hosts else PRIVATE))
    return [_block(cidr, shut, wanted) for cidr in wanted]


def _block(cidr: str, shut: Iterable[str], wanted: Iterable[str]) -> dict[str, Any]:
    # What is excepted must be part of the block, and less than the whole of it (the API server's validation).
    whole = ipaddress.ip_network(cidr)
    named = {ipaddress.ip_network(other) for other in wanted}
    inside = {n for n in map(ipaddress.ip_network, shut) if n not in named and n != whole and _within(n, whole)}
    held = sorted(inside, key=lambda n: (n.version, int(n.network_address), n.prefixlen))
    return {"cidr": str(whole), **({"except": [str(n) for n in held]} if held else {})}


def _within(inner: ipaddress.IPv4Network | ipaddress.IPv6Network, outer: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
