"""How clients outside the cluster reach the stack: by the gateway's port `api`, and apps of the user's own by theirs.

Studio is there too, at `/`, behind the gateway's login, as upstream has it (docs/decisions/0007-gateway.md): the listener that this
machine's Docker publishes for Studio alone stays inside the cluster. How long a call, an upload or a WebSocket may last is the gateway's
own affair, route by route: what stands before it sets no limit where its API has a word for that (HTTPRoute). An ingress has none: its
controller's annotations are the settings'.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.kubernetes_settings import Exposure
from components.service import Port, Service
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.network_policies import EXPOSED

ISSUER: Final = "cert-manager.io/cluster-issuer"
"""cert-manager's documentation, "Annotated Ingress resource"."""
_OWN_HTTPS: Final = "apiHttps"


def exposure(
    stack: Stack,
    component: str,
    services: Iterable[Service],
    settings: Mapping[str, Any],
    host: str | None,
    *,
    own_tls: bool = False,
) -> list[Manifest]:
    """What makes the gateway reachable; nothing where the stack is not exposed, or has no gateway.

    Args:
        stack: Whose it is.
        component: What the object is labelled as.
        services: Those of all components.
        settings: The completed settings of the target; what they can't say together was refused (components.kubernetes_contradictions).
        host: The public host name; None where there is none.
        own_tls: Whether the gateway itself has a certificate, which counts behind a load balancer.
    """
    chosen = settings["exposure"]
    if chosen["kind"] is Exposure.NONE:
        return []
    services = tuple(services)
    made = []
    if (found := _entry(services)) is not None and host is not None:
        made.append(_public(stack, component, chosen, host, *found, own_tls=own_tls))
    for service in services:
        if service.host is not None and not service.off:
            # The certificate is that of its own name.
            own = {**{name: value for name, value in chosen.items() if name != "tlsSecret"}}
            own |= {} if service.tls_secret is None else {"tlsSecret": service.tls_secret}
            made.append(_public(stack, component, own, service.host, service, service.ports[0], own_tls=False))
    return made


def _public(
    stack: Stack, component: str, chosen: Mapping[str, Any], host: str, service: Service, port: Port, *, own_tls: bool
) -> Manifest:
    """What brings clients to one service. `chosen`: how, as the settings say."""
    match chosen["kind"]:
        case Exposure.GATEWAY:
            body = _route(chosen, host, service, port)
        case Exposure.INGRESS:
            body = _ingress(chosen, host, service, port)
        case _:
            body = _load_balancer(stack, chosen, service, port, own_tls=own_tls)
    # The controller's own name for it must not be that of the Service inside the cluster.
    metadata = stack.metadata(f"{service.name}-public", component, service.name)
    own = {ISSUER: chosen["issuer"]} if chosen["kind"] is Exposure.INGRESS and {"issuer", "tlsSecret"} <= chosen.keys() else {}
    metadata["annotations"] = {**metadata["annotations"], **own, **chosen["annotations"]}
    return Manifest(
        name=f"{component}-{service.name}-public",
        body={"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": metadata, "spec": body["spec"]},
        # Once set, a load balancer's class can't be changed, nor taken away (Kubernetes' API, ServiceSpec). The official plugin does not
        # know (pulumi-kubernetes diff.go, forceNew), and would have the change refused. Deleted first, since the name stays.
        anew=("spec.loadBalancerClass",) if body["kind"] == "Service" else (),
        # Not every controller says when a route or an ingress is in place; a load balancer would wait for the gateway's pods, which
        # come after it.
        wait=False,
    )


def _entry(services: Iterable[Service]) -> tuple[Service, Port] | None:
    """The service that is exposed, and at which port."""
    return next(((s, p) for s in services if not s.off for p in s.ports if p.publish == EXPOSED), None)


def _route(chosen: Mapping[str, Any], host: str, service: Service, port: Port) -> dict[str, Any]:
    wanted = chosen["gateway"]
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": wanted["name"]}
    if "namespace" in wanted:
        parent["namespace"] = wanted["namespace"]
    if "section" in wanted:
        parent["sectionName"] = wanted["section"]
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "backendRefs": [{"group": "", "kind": "Service", "name": service.name, "port": port.number, "weight": 1}],
        # No limit: the default is the controller's, and 15 s with some.
        "timeouts": {"request": "0s"},
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "spec": {"parentRefs": [parent], "hostnames": [host], "rules": [rule]},
    }


def _ingress(chosen: Mapping[str, Any], host: str, service: Service, port: Port) -> dict[str, Any]:
    backend = {"service": {"name": service.name, "port": {"number": port.number}}}
    certificate = chosen.get("tlsSecret")
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "spec": {
            "ingressClassName": chosen["className"],
            "rules": [{"host": host, "http": {"paths": [{"backend": backend, "path": "/", "pathType": "Prefix"}]}}],
            **({} if certificate is None else {"tls": [{"hosts": [host], "secretName": certificate}]}),
        },
    }


def _load_balancer(stack: Stack, chosen: Mapping[str, Any], service: Service, port: Port, *, own_tls: bool) -> dict[str, Any]:
    # With a certificate of its own the gateway is reached by https alone: no key goes over the net in clear.
    https = next((p for p in service.ports if own_tls and p.publish == _OWN_HTTPS), None)
    shown, target = (80, port) if https is None else (443, https)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "spec": {
            "type": "LoadBalancer",
            **({"loadBalancerClass": chosen["className"]} if "className" in chosen else {}),
            "selector": stack.selector(service.name),
            "ports": [{"name": target.name, "port": shown, "protocol": "TCP", "targetPort": target.number}],
        },
    }
