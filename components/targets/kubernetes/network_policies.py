"""NetworkPolicies: nothing in, nothing out, then exactly the edges of the stack.

They are made once a stack, from the services of all its components together, before any workload: an edge may lead from one component
to another, and neither end knows the other's selector. What comes from the node (kubelet's probes, `kubectl port-forward`) is always
allowed, as is a pod to itself (Kubernetes' documentation, "Network Policies").
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from components.kubernetes_settings import Exposure
from components.service import Service
from components.targets.kubernetes.egress import Outside, by_url, networks, ports_of
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.naming import NAME, NAMESPACE_NAME, Stack

EXPOSED: Final = "api"
"""Name in the port plan of the one port that clients outside the cluster reach."""
CLIENTS: Final = frozenset(
    {"api", "apiHttps", "cache", "objectStore", "pgbouncer", "plainPostgres", "poolerSession", "poolerTransaction", "postgres"}
)
"""Those that apps in other namespaces of the cluster may reach. No page of an administrator, and no Studio past the gateway's `/`."""
COMPONENT: Final = "network"
"""What the policies of the whole stack are labelled as."""
# 53 is the Service's port. A policy is judged by the pod's own, and where its pods may not take 53 that is 5353 (OpenShift's, for one).
_DNS: Final = [{"port": port, "protocol": protocol} for port in (53, 5353) for protocol in ("UDP", "TCP")]
CLUSTER: Final = "cnpg.io/cluster"
"""Label of all pods that CloudNativePG makes for a Cluster: its name, which is the service's."""
_POSTGRES: Final = 5432
_STATUS: Final = 8000
_S3: Final = "s3"
"""The capability of the stack's own store, and the purpose for one that others run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pods:
    """Pods that one policy is for, and what they have to do with others.

    Attributes:
        name: Of the policy.
        namespace: Where they are.
        selector: What chooses them, as a LabelSelector.
        provides: Port by capability.
        published: Port by its name in the port plan.
        connects: Capabilities that they connect to.
        outside: Purposes of what they talk to outside the stack.
        beyond: Further destinations outside the cluster.
        kubernetes_api: Whether they talk to the Kubernetes API.
        among: Ports that they reach each other at.
        visitors: Who else of the cluster reaches them, as peers of a policy, and at which ports.
        public: Ports that clients outside the cluster are brought to, by a name of their own.
    """

    name: str
    namespace: str
    selector: Mapping[str, Any]
    provides: Mapping[str, int] = field(default_factory=dict)
    published: Mapping[str, int] = field(default_factory=dict)
    connects: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    beyond: tuple[Outside, ...] = ()
    kubernetes_api: bool = False
    among: tuple[int, ...] = ()
    visitors: tuple[tuple[Mapping[str, Any], tuple[int, ...]], ...] = ()
    public: tuple[int, ...] = ()


def network_policies(
    stack: Stack,
    services: Iterable[Service],
    settings: Mapping[str, Any],
    outside: Mapping[str, Outside] | None = None,
) -> list[Manifest]:
    """All policies of a stack; none where the settings turn them off.

    Args:
        stack: Whose they are.
        services: Those of all components; what is turned off has no pods.
        settings: The completed settings of the target.
        outside: What is known of where the stack talks to outside the cluster, by purpose; also by capability, where others provide it.
    """
    policy = settings["networkPolicy"]
    if not policy["enabled"]:
        return []
    known = outside or {}
    running = [service for service in services if not service.off]
    ends = [end for s in running for end in (operated_pods(stack, s, policy) if s.operated else (_own(stack, s),))]
    made = [_deny(stack, namespace) for namespace in sorted({stack.namespace, *(e.namespace for e in ends)})]
    for end in ends:
        ingress = [*_edges_in(end, ends), *_declared(end, settings)]
        egress = [*_edges_out(end, ends), *_outward(end, ends, policy, known)]
        made.append(_policy(stack, end, ingress, egress))
    return made


def _own(stack: Stack, service: Service) -> Pods:
    numbers = {port.name: port.number for port in service.ports}
    return Pods(
        name=service.name,
        namespace=stack.home(service),
        selector={"matchLabels": stack.selector(service.name)},
        provides={capability: numbers[port] for capability, port in service.provides.items()},
        published={port.publish: port.number for port in service.ports if port.publish is not None},
        connects=tuple(edge.capability for edge in service.connects),
        outside=service.outside,
        kubernetes_api=stack.reads_logs(service),
        public=() if service.host is None else (service.ports[0].number,),
    )


def operated_pods(stack: Stack, service: Service, policy: Mapping[str, Any]) -> list[Pods]:
    """The pods that CloudNativePG makes of a service: servers with the jobs that make them, and its pooler's.

    Their labels are the operator's (its pkg/specs, 1.30). Servers replicate from each other and ask each other whether the one that writes
    is alone (5432, 8000); the operator asks each of them (8000) and connects to it; all of them talk to the Kubernetes API.
    """
    assert service.operated is not None
    own = _own(stack, service)
    cluster, role = {CLUSTER: service.name}, "cnpg.io/podRole"
    operator = {**_namespace(policy["operatorNamespace"]), "podSelector": {"matchLabels": {NAME: "cloudnative-pg"}}}
    backup, pooling = service.operated.backup, service.operated.pooler
    # The pooler's pods provide what is the pooler's.
    pooled = {c: _POSTGRES for c in own.provides if pooling is not None and c == pooling.capability}
    # Where it does not connect to the stack's store, its backups go to one that others run.
    away = backup is not None and _S3 not in own.connects
    servers = replace(
        own,
        provides={c: port for c, port in own.provides.items() if c not in pooled},
        beyond=((by_url(backup.endpoint) if backup.endpoint else Outside()),) if backup is not None and away else (),
        # The jobs have no role.
        selector={"matchLabels": cluster, "matchExpressions": [{"key": role, "operator": "NotIn", "values": ["pooler"]}]},
        kubernetes_api=True,
        among=(_POSTGRES, _STATUS),
        visitors=((operator, (_POSTGRES, _STATUS)),),
    )
    if pooling is None:
        return [servers]
    pooler = Pods(
        name=f"{service.name}-pooler",
        namespace=own.namespace,
        selector={"matchLabels": {**cluster, role: "pooler"}},
        provides=pooled,
        published={"poolerTransaction": _POSTGRES},
        connects=tuple(servers.provides),
        kubernetes_api=True,
    )
    return [servers, pooler]


def _peer(seen_from: str, end: Pods) -> dict[str, Any]:
    pods = {"podSelector": dict(end.selector)}
    return pods if end.namespace == seen_from else {**_namespace(end.namespace), **pods}


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def _tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": "TCP"} for port in sorted(set(ports))]


def _edges_in(end: Pods, ends: Sequence[Pods]) -> Iterator[dict[str, Any]]:
    """A rule for each port that others of the stack connect to."""
    callers: dict[int, list[Pods]] = {}
    for other in ends:
        for port in sorted({end.provides[c] for c in other.connects if c in end.provides}):
            callers.setdefault(port, []).append(other)
    for port, others in sorted(callers.items()):
        yield {"from": [_peer(end.namespace, other) for other in others], "ports": _tcp(port)}
    if end.among:
        yield {"from": [_peer(end.namespace, end)], "ports": _tcp(*end.among)}
    for peer, ports in end.visitors:
        yield {"from": [peer], "ports": _tcp(*ports)}


def _declared(end: Pods, settings: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Who may come in by the settings."""
    policy = settings["networkPolicy"]
    clients = _tcp(*(number for name, number in end.published.items() if name in CLIENTS))
    if clients and policy["clientNamespaces"]:
        yield {"from": [_namespace(name) for name in policy["clientNamespaces"]], "ports": clients}
    kind = settings["exposure"]["kind"]
    if kind is not Exposure.NONE and EXPOSED in end.published:
        # Behind a load balancer clients may be at the port with https; all else ends TLS before the gateway.
        open_to_them = (EXPOSED, "apiHttps") if kind is Exposure.LOADBALANCER else (EXPOSED,)
        exposed = _tcp(*(end.published[name] for name in open_to_them if name in end.published))
        yield _brought(exposed, policy)
    if kind is not Exposure.NONE and end.public:
        yield _brought(_tcp(*end.public), policy)


def _brought(ports: list[dict[str, Any]], policy: Mapping[str, Any]) -> dict[str, Any]:
    """What clients outside are brought to."""
    by = [_namespace(name) for name in policy["gatewayNamespaces"]]
    return {**({"from": by} if by else {}), "ports": ports}


def _edges_out(end: Pods, ends: Sequence[Pods]) -> Iterator[dict[str, Any]]:
    """A rule for each other that it connects to."""
    for other in ends:
        if ports := {other.provides[c] for c in end.connects if c in other.provides}:
            yield {"to": [_peer(end.namespace, other)], "ports": _tcp(*ports)}
    if end.among:
        yield {"to": [_peer(end.namespace, end)], "ports": _tcp(*end.among)}


def _outward(
    end: Pods, ends: Sequence[Pods], policy: Mapping[str, Any], known: Mapping[str, Outside]
) -> Iterator[dict[str, Any]]:
    """What leads out of the stack: its purposes, capabilities that others provide, the Kubernetes API, and the names of all."""
    provided = {capability for other in ends for capability in other.provides}
    external = [c for c in end.connects if c not in provided and c in known]
    found = [*((purpose, known.get(purpose)) for purpose in end.outside), *((known[c].purpose, known[c]) for c in external)]
    for purpose, what in (*found, *((_S3, one) for one in end.beyond)):
        rule = policy["egress"].get(purpose)
        yield {"to": [{"ipBlock": block} for block in networks(rule, what)], "ports": _tcp(*ports_of(rule, what))}
    if end.kubernetes_api:
        # An API server is no pod, and nothing in a policy names it. Plugins judge its own port, not its Service's.
        yield {"ports": _tcp(*policy["apiPorts"])}
    if end.outside or end.connects or end.kubernetes_api:
        dns = policy["dns"]
        by = [*map(_namespace, dns["namespaces"]), *({"ipBlock": {"cidr": cidr}} for cidr in dns["cidrs"])]
        yield {"to": by, "ports": _DNS}


def _deny(stack: Stack, namespace: str) -> Manifest:
    name = "default-deny"
    part = "" if namespace == stack.namespace else "-logs"
    return Manifest(
        name=f"{COMPONENT}-{name}{part}",
        body={
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {**stack.metadata(name, COMPONENT), "namespace": namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
    )


def _policy(stack: Stack, end: Pods, ingress: list[dict[str, Any]], egress: list[dict[str, Any]]) -> Manifest:
    return Manifest(
        name=f"{COMPONENT}-{end.name}",
        body={
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {**stack.metadata(end.name, COMPONENT), "namespace": end.namespace},
            "spec": {
                "podSelector": dict(end.selector),
                "policyTypes": ["Ingress", "Egress"],
                **({"ingress": ingress} if ingress else {}),
                **({"egress": egress} if egress else {}),
            },
        },
    )
