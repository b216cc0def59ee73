"""Verdicts as an nftables table: pure."""

from collections.abc import Iterator, Sequence

from toolchain.cluster.policies.model import Port, Rule, Verdict

TABLE = "supastack_policies"


def table(verdicts: Sequence[Verdict]) -> str:
    """The whole table as `nft -f` takes it; it replaces the one that is there in one step."""
    egress = {one.pod.address: _chain("from", one.pod.address) for one in verdicts if one.egress is not None}
    ingress = {one.pod.address: _chain("to", one.pod.address) for one in verdicts if one.ingress is not None}
    lines = [
        f"table ip {TABLE}",
        f"delete table ip {TABLE}",
        f"table ip {TABLE} {{",
        '  comment "NetworkPolicy of a Supastack test cluster, by its own enforcer"',
    ]
    for one in verdicts:
        if one.egress is not None:
            lines += _pod_chain("from", "daddr", one, one.egress)
        if one.ingress is not None:
            lines += _pod_chain("to", "saddr", one, one.ingress)
    # Answers are never refused. The pod that sends is asked first, then the one that receives. What goes to the node itself passes
    # `input`; what the node sends passes neither: it may always reach its pods, as the API's rules have it.
    lines += [
        "  chain forward {",
        "    type filter hook forward priority filter",
        "    ct state established,related accept",
        *_lookup("saddr", egress),
        *_lookup("daddr", ingress),
        "  }",
        "  chain input {",
        "    type filter hook input priority filter",
        "    ct state established,related accept",
        *_lookup("saddr", egress),
        "  }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _chain(direction: str, address: str) -> str:
    return f"{direction}_{address.replace('.', '_')}"


def _lookup(field: str, chains: dict[str, str]) -> list[str]:
    if not chains:
        return []
    return [f"    ip {field} vmap {{ {', '.join(f'{address} : jump {chain}' for address, chain in chains.items())} }}"]


def _pod_chain(direction: str, other: str, verdict: Verdict, rules: Sequence[Rule]) -> list[str]:
    pod = verdict.pod
    return [
        # A comment may have 128 characters.
        f"  chain {_chain(direction, pod.address)} {{",
        f'    comment "{f"{direction} {pod.namespace}/{pod.name}"[:120]}"',
        # By way of its Service a pod may come to itself, which no policy can forbid.
        f"    ip {other} {pod.address} return",
        *(f"    {condition}return" for rule in rules for condition in _conditions(other, rule)),
        "    counter reject with icmp type admin-prohibited",
        "  }",
    ]


def _conditions(field: str, rule: Rule) -> Iterator[str]:
    where = ""
    if rule.peers is not None:
        if not rule.peers:
            return
        where = f"ip {field} {{ {', '.join(rule.peers)} }} "
    if rule.excepted:
        where += f"ip {field} != {{ {', '.join(rule.excepted)} }} "
    if rule.ports is None:
        yield where
        return
    for port in rule.ports:
        yield where + _port(port)


def _port(port: Port) -> str:
    protocol = port.protocol.lower()
    if port.first is None:
        return f"meta l4proto {protocol} "
    if port.last is None or port.last == port.first:
        return f"{protocol} dport {port.first} "
    return f"{protocol} dport {port.first}-{port.last} "
