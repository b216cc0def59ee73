"""How clients outside the cluster reach the stack: by the gateway's port `api` and no other.

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


def host(settings: Mapping[str, Any], project_ref: str) -> str | None:
    """The public host name; None where the stack is not exposed.

    Args:
        settings: The completed settings of the target.
        project_ref: The stack's reference.
    """
    chosen = settings["exposure"]
    if chosen["kind"] is Exposure.NONE:
        return None
    if "host" in chosen:
        return str(chosen["host"])
    return f"{project_ref}.{chosen['baseDomain']}" if "baseDomain" in chosen else None


def public_url(settings: Mapping[str, Any], project_ref: str, *, own_tls: bool = False) -> str | None:
    """Where clients reach the gateway, without a slash at the end; None where the stack is not exposed.

    With a Gateway, TLS is the Gateway's, so it is taken for https; else it is https where there is a certificate.

    Args:
        settings: The completed settings of the target.
        project_ref: The stack's reference.
        own_tls: Whether the gateway itself has a certificate, which counts behind a load balancer.
    """
    name = host(settings, project_ref)
    if name is None:
        return None
    chosen = settings["exposure"]
    secure = {
        Exposure.GATEWAY: True,
        Exposure.INGRESS: _certificate(chosen, "") is not None,
        Exposure.LOADBALANCER: own_tls,
    }[chosen["kind"]]
    return f"{'https' if secure else 'http'}://{name}"


def refusals(settings: Mapping[str, Any], services: Iterable[Service]) -> list[str]:
    """What the settings leave out, or say twice, one line each."""
    chosen, kind = settings["exposure"], settings["exposure"]["kind"]
    at = "supastack:kubernetes.exposure"
    if kind is Exposure.NONE:
        return []
    wrong = []
    if _entry(services) is None:
        wrong.append(f"{at}.kind is {kind.value}, but the stack has no gateway to expose. Turn it on, or say none.")
    if "host" not in chosen and "baseDomain" not in chosen:
        wrong.append(f"{at}.kind is {kind.value}, but no host name is known. Give {at}.host or {at}.baseDomain.")
    if kind is Exposure.GATEWAY and "name" not in chosen.get("gateway", {}):
        wrong.append(f"{at}.kind is gateway, but no Gateway is named. Give {at}.gateway.name.")
    if kind is Exposure.INGRESS and "className" not in chosen:
        wrong.append(
            f"{at}.kind is ingress, but no class is named, and there is none that all clusters have. Give {at}.className."
        )
    if kind is not Exposure.INGRESS and (extra := [name for name in ("tlsSecret", "issuer") if name in chosen]):
        wrong.append(f"{at}.{extra[0]} is for an ingress only; the kind is {kind.value}. Leave it out.")
    if kind is Exposure.LOADBALANCER and settings["networkPolicy"]["gatewayNamespaces"]:
        wrong.append(
            "supastack:kubernetes.networkPolicy.gatewayNamespaces is for what brings clients from inside the cluster; behind a load "
            "balancer they come from outside, and would be shut out. Leave it out."
        )
    return wrong


def exposure(
    stack: Stack,
    component: str,
    services: Iterable[Service],
    settings: Mapping[str, Any],
    project_ref: str,
    *,
    own_tls: bool = False,
) -> list[Manifest]:
    """What makes the gateway reachable; nothing where the stack is not exposed, or the component has no gateway.

    Args:
        stack: Whose it is.
        component: The component's name.
        services: Its services.
        settings: The completed settings of the target.
        project_ref: The stack's reference.
        own_tls: Whether the gateway itself has a certificate, which counts behind a load balancer.
    """
    found, name = _entry(services), host(settings, project_ref)
    if found is None or name is None:
        return []
    service, port = found
    chosen = settings["exposure"]
    match chosen["kind"]:
        case Exposure.GATEWAY:
            body = _route(chosen, name, service, port)
        case Exposure.INGRESS:
            body = _ingress(chosen, name, service, port)
        case _:
            body = _load_balancer(stack, chosen, service, port, own_tls=own_tls)
    # The controller's own name for it must not be that of the Service inside the cluster.
    metadata = stack.metadata(f"{service.name}-public", component, service.name)
    own = {ISSUER: chosen["issuer"]} if chosen["kind"] is Exposure.INGRESS and "issuer" in chosen else {}
    metadata["annotations"] = {**metadata["annotations"], **own, **chosen["annotations"]}
    return [
        Manifest(
            name=f"{component}-{service.name}-public",
            body={"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": metadata, "spec": body["spec"]},
            # Not every controller says when a route or an ingress is in place; a load balancer without an address is of no use.
            wait=chosen["kind"] is Exposure.LOADBALANCER,
        )
    ]


def _entry(services: Iterable[Service]) -> tuple[Service, Port] | None:
    """The service that is exposed, and at which port."""
    return next(((s, p) for s in services if not s.off for p in s.ports if p.publish == EXPOSED), None)


def _route(chosen: Mapping[str, Any], name: str, service: Service, port: Port) -> dict[str, Any]:
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
        "spec": {"parentRefs": [parent], "hostnames": [name], "rules": [rule]},
    }


def _certificate(chosen: Mapping[str, Any], service: str) -> str | None:
    """Name of the Secret with the certificate: the settings' own, or one for the issuer to write."""
    if "tlsSecret" in chosen:
        return str(chosen["tlsSecret"])
    return f"{service}-tls" if "issuer" in chosen else None


def _ingress(chosen: Mapping[str, Any], name: str, service: Service, port: Port) -> dict[str, Any]:
    backend = {"service": {"name": service.name, "port": {"number": port.number}}}
    certificate = _certificate(chosen, service.name)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "spec": {
            "ingressClassName": chosen["className"],
            "rules": [{"host": name, "http": {"paths": [{"backend": backend, "path": "/", "pathType": "Prefix"}]}}],
            **({} if certificate is None else {"tls": [{"hosts": [name], "secretName": certificate}]}),
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
