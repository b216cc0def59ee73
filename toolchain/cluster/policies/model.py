"""What the policies of a cluster mean for each of its pods: from the API's objects, pure.

Source of the rules: the API reference of NetworkPolicy (networking.k8s.io/v1) and the concept page. IPv4 only, as the cluster is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolchain.cluster.policies.selectors import matches

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Port:
    """Ports of a protocol, from the first to the last; all of them where there is no first."""

    protocol: str
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Rule:
    """One thing that is allowed."""

    peers: tuple[str, ...] | None
    """Addresses and networks of the other side; None: any."""
    excepted: tuple[str, ...] = ()
    ports: tuple[Port, ...] | None = None
    """None: everything, not only ports."""


@dataclass(frozen=True)
class Pod:
    """A pod that has an address of its own."""

    namespace: str
    name: str
    address: str
    labels: Mapping[str, str]
    ports: Mapping[tuple[str, str], int]
    """Container ports by protocol and name."""


@dataclass(frozen=True)
class Verdict:
    """What a pod may do: in each direction all that is allowed, or None where no policy isolates it."""

    pod: Pod
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None


def pods_of(objects: Iterable[Object]) -> list[Pod]:
    """The pods that have an address of their own now: ended ones have none any more, and those of the node's network never had."""
    found = []
    for one in objects:
        spec, status, metadata = one["spec"], one.get("status", {}), one["metadata"]
        if spec.get("hostNetwork") or status.get("phase") in ("Succeeded", "Failed") or not status.get("podIP"):
            continue
        # A sidecar is an init container that goes on running.
        containers = [*spec["containers"], *(c for c in spec.get("initContainers", []) if c.get("restartPolicy") == "Always")]
        ports = {
            (port.get("protocol", "TCP"), port["name"]): int(port["containerPort"])
            for container in containers
            for port in container.get("ports", [])
            if "name" in port
        }
        found.append(Pod(metadata["namespace"], metadata["name"], status["podIP"], metadata.get("labels", {}), ports))
    return sorted(found, key=lambda pod: (pod.namespace, pod.name, pod.address))


def verdicts(pods: Sequence[Pod], namespaces: Iterable[Object], policies: Iterable[Object]) -> list[Verdict]:
    """A verdict for each pod that at least one policy isolates."""
    labels = {one["metadata"]["name"]: one["metadata"].get("labels", {}) for one in namespaces}
    ordered = sorted(policies, key=lambda one: (one["metadata"]["namespace"], one["metadata"]["name"]))
    found = []
    for pod in pods:
        mine = [
            one
            for one in ordered
            if one["metadata"]["namespace"] == pod.namespace and matches(one["spec"].get("podSelector") or {}, pod.labels)
        ]
        verdict = Verdict(
            pod,
            _allowed(pod, [one for one in mine if "Ingress" in types_of(one)], "ingress", pods, labels),
            _allowed(pod, [one for one in mine if "Egress" in types_of(one)], "egress", pods, labels),
        )
        if verdict.ingress is not None or verdict.egress is not None:
            found.append(verdict)
    return found


def types_of(policy: Object) -> list[str]:
    """The directions that a policy isolates. Unsaid: ingress, and egress where it has rules for it."""
    spec = policy["spec"]
    return list(spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]))


def _allowed(
    pod: Pod, policies: Sequence[Object], direction: str, pods: Sequence[Pod], labels: Mapping[str, Mapping[str, str]]
) -> tuple[Rule, ...] | None:
    if not policies:
        return None
    rules: dict[Rule, None] = {}
    for policy in policies:
        for rule in policy["spec"].get(direction) or []:
            for one in _rules(pod, rule, direction, pods, labels):
                rules[one] = None
    return tuple(rules)


def _rules(
    pod: Pod, rule: Object, direction: str, pods: Sequence[Pod], labels: Mapping[str, Mapping[str, str]]
) -> Iterator[Rule]:
    peers = rule.get("from" if direction == "ingress" else "to")
    wanted = rule.get("ports")
    if not peers:
        yield from _with_ports(pod, None, (), wanted, direction, pods)
        return
    selected: list[Pod] = []
    for peer in peers:
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            # An IPv6 network is no one's here.
            if ":" not in block["cidr"]:
                yield from _with_ports(pod, (block["cidr"],), tuple(block.get("except") or ()), wanted, direction, ())
        else:
            selected += [one for one in pods if _is_peer(one, peer, pod.namespace, labels) and one not in selected]
    if selected:
        yield from _with_ports(pod, tuple(one.address for one in selected), (), wanted, direction, selected)


def _is_peer(one: Pod, peer: Object, namespace: str, labels: Mapping[str, Mapping[str, str]]) -> bool:
    if peer.get("namespaceSelector") is None:
        in_namespace = one.namespace == namespace
    else:
        in_namespace = matches(peer["namespaceSelector"], labels.get(one.namespace, {}))
    return in_namespace and matches(peer.get("podSelector") or {}, one.labels)


def _with_ports(
    pod: Pod,
    peers: tuple[str, ...] | None,
    excepted: tuple[str, ...],
    wanted: Sequence[Object] | None,
    direction: str,
    destinations: Sequence[Pod],
) -> Iterator[Rule]:
    """A rule with ports by number. A named one is the pod's own for ingress, and for egress each destination's."""
    if not wanted:
        yield Rule(peers, excepted)
        return
    numbered = []
    for port in wanted:
        protocol, number = port.get("protocol", "TCP"), port.get("port")
        if number is None:
            numbered.append(Port(protocol))
        elif isinstance(number, int):
            numbered.append(Port(protocol, number, int(port.get("endPort") or number)))
        elif direction == "ingress":
            own = pod.ports.get((protocol, number))
            if own is not None:
                numbered.append(Port(protocol, own, own))
        else:
            for one in destinations:
                theirs = one.ports.get((protocol, number))
                if theirs is not None:
                    yield Rule((one.address,), (), (Port(protocol, theirs, theirs),))
    if numbered:
        yield Rule(peers, excepted, tuple(dict.fromkeys(numbered)))
