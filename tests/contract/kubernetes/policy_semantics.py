"""What NetworkPolicies allow, written from Kubernetes' reference ("NetworkPolicy v1") and not from what renders them.

A pod that no policy of a direction selects is open in that direction; one that some select may do what any of them allows, and nothing
else. A connection needs both ends' leave. Replies belong to their connection. A pod always reaches itself, and its node always reaches it.
"""

import ipaddress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pod:
    namespace: str
    labels: dict = field(hash=False)


@dataclass(frozen=True)
class Address:
    """Something that is no pod."""

    ip: str


def key_of(end):
    return end.ip if isinstance(end, Address) else (end.namespace, frozenset(end.labels.items()))


class Policies:
    """Policies, and the labels of the cluster's namespaces."""

    def __init__(self, policies, namespaces):
        self.policies = policies
        self.namespaces = namespaces
        self._known = {}

    def allow(self, source, destination, port, protocol="TCP"):
        """Whether `source` may connect to a port of `destination`."""
        if source == destination:
            return True
        return self.permits("Egress", source, destination, port, protocol) and self.permits(
            "Ingress", destination, source, port, protocol
        )

    def permits(self, direction, pod, other, port, protocol="TCP"):
        """Whether the policies of one direction at `pod` give leave for a connection with `other`."""
        if isinstance(pod, Address):
            return True
        ports = self._open(direction, pod, other)
        return ports is None or any(port_matches(one, port, protocol) for one in ports)

    def _open(self, direction, pod, other):
        """Ports of each rule that lets the two connect; None where no policy is for the pod."""
        key = (direction, key_of(pod), key_of(other))
        if key not in self._known:
            chosen = [p for p in self.policies if direction in types_of(p) and self._selects(p, pod)]
            rules, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
            self._known[key] = (
                [
                    rule.get("ports")
                    for policy in chosen
                    for rule in policy["spec"].get(rules) or ()
                    if self._peer_matches(rule.get(peers), policy, other)
                ]
                if chosen
                else None
            )
        return self._known[key]

    def _selects(self, policy, pod):
        return policy["metadata"]["namespace"] == pod.namespace and selects(policy["spec"]["podSelector"], pod.labels)

    def _peer_matches(self, peers, policy, other):
        # None given, or an empty list: everybody.
        return not peers or any(self._is(peer, policy["metadata"]["namespace"], other) for peer in peers)

    def _is(self, peer, own_namespace, other):
        if "ipBlock" in peer:
            assert set(peer) == {"ipBlock"}, "an ipBlock stands alone"
            # What a block means for a pod differs between plugins: never relied on here.
            return isinstance(other, Address) and in_block(peer["ipBlock"], other.ip)
        if isinstance(other, Address):
            return False
        if "namespaceSelector" in peer:
            if not selects(peer["namespaceSelector"], self.namespaces[other.namespace]):
                return False
        elif other.namespace != own_namespace:
            return False
        return selects(peer.get("podSelector", {}), other.labels)


def types_of(policy):
    """Without policyTypes: Ingress, and Egress where there are egress rules."""
    spec = policy["spec"]
    return spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def selects(selector, labels):
    """Whether a label selector chooses an object; an empty one chooses all."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(expression_holds(e, labels) for e in selector.get("matchExpressions") or ())


def expression_holds(expression, labels):
    key, operator, values = expression["key"], expression["operator"], expression.get("values", [])
    match operator:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(operator)


def port_matches(ports, number, protocol):
    """None given, or an empty list: every port. Named ports are refused: we render none."""
    return not ports or any(
        p.get("protocol", "TCP") == protocol and ("port" not in p or p["port"] <= number <= p.get("endPort", p["port"]))
        for p in ports
    )


def in_block(block, ip):
    address, whole = ipaddress.ip_address(ip), ipaddress.ip_network(block["cidr"])
    return address in whole and not any(address in ipaddress.ip_network(shut) for shut in block.get("except") or ())
