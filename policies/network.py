"""Rules about the network: who reaches what, and whether it is encrypted."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from policies import ids
from policies.model import Resource, Rule, Stack, Violation
from policies.values import at, containers, host_of, is_loopback, is_public, items, labels, pod, seen, texts, variables

_CONTAINER: Final = "docker:index/container:Container"
_SERVICE: Final = "supastack.service"
"""Label of our containers (components/targets/labels.py)."""
_EVERYWHERE: Final = frozenset({"", "0.0.0.0", "::", "[::]", "*"})
_PLAIN: Final = ("http", "redis", "ws", "ftp", "smtp", "ldap")
"""Schemes that encrypt nothing."""
_STUDIO: Final = "studio"


def _ip(port: Any) -> str | None:
    """The address that a port of Docker's is published on; None where it can't be seen."""
    ip = port.get("ip")
    if ip is None:
        return ""
    return ip if isinstance(ip, str) and seen(ip) else None


def _bound(resource: Resource) -> Iterator[str]:
    if resource.type == _CONTAINER:
        for port in items(resource.properties, "ports"):
            if _ip(port) in _EVERYWHERE:
                outside = port.get("external") or port.get("internal")
                yield f"port {_whole(outside)} is published on all addresses of the machine"
        if resource.properties.get("networkMode") == "host":
            yield "it shares the machine's network, so that each of its ports is on all addresses"
        return
    if resource.kind == "Service" and at(resource.properties, "spec", "type") == "NodePort":
        yield "a NodePort is open on all addresses of all nodes"
    spec = pod(resource.properties, resource.kind)
    if spec is None:
        return
    if spec.get("hostNetwork"):
        yield "its pods share the node's network, so that each of their ports is on all addresses"
    for container in containers(spec):
        for port in items(container, "ports"):
            if port.get("hostPort") and _address(port.get("hostIP")) in _EVERYWHERE:
                yield f"port {_whole(port['hostPort'])} of {container.get('name')} is open on all addresses of its node"


def _whole(port: Any) -> str:
    return str(int(port)) if isinstance(port, float) else str(port)


def _address(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _bound_by_setting(stack: Stack) -> Iterator[Violation]:
    address = stack.settings.get("bindAddress")
    if isinstance(address, str) and address in _EVERYWHERE - {""}:
        yield Violation(where="bindAddress", message=f"{address} is every address of the machine")


def _plain_settings(stack: Stack) -> Iterator[Violation]:
    for path, text in texts(_of_servers(stack)):
        if _is_plain(text):
            yield Violation(where=path, message=f"{_shown(text)} is not encrypted, and reached over the internet")
    external = at(stack.settings, "cache", "external")
    if at(stack.settings, "cache", "engine") == "external" and at(external, "tls") is False and is_public(at(external, "host")):
        yield Violation(where="cache.external.tls", message=f"connections to {at(external, 'host')} are not encrypted")


def _of_servers(stack: Stack) -> dict[str, Any]:
    """The settings without reasons and texts that name no server."""
    return {name: value for name, value in stack.settings.items() if name not in ("policies", "envFiles")}


def _is_plain(text: str) -> bool:
    scheme, mark, _ = text.partition("://")
    return bool(mark) and scheme.lower() in _PLAIN and "\n" not in text and is_public(host_of(text))


def _shown(url: str) -> str:
    """A URL without what may be a secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"


def _plain(resource: Resource) -> Iterator[str]:
    properties, spec = resource.properties, at(resource.properties, "spec")
    match resource.kind:
        case "Ingress":
            if not items(spec, "tls"):
                yield "the Ingress has no tls, so the keys of its clients go over the net in clear"
        case "Service" if at(spec, "type") == "LoadBalancer":
            ports = [_whole(port.get("port")) for port in items(spec, "ports") if _whole(port.get("port")) in ("80", "8000")]
            if ports:
                yield f"the load balancer takes plain http on port {', '.join(ports)}"
        case "HTTPRoute":
            for parent in items(spec, "parentRefs"):
                if not parent.get("sectionName") and _whole(parent.get("port")) != "443":
                    yield f"the route hangs on every listener of Gateway {parent.get('name')}, plain http among them"
    own = [properties] if resource.type == _CONTAINER else containers(pod(properties, resource.kind) or {})
    said = set()
    for container in own:
        for name, value in variables(container):
            if _is_plain(value) and name not in said:
                said.add(name)
                yield f"{name} is {_shown(value)}, which is not encrypted, and reached over the internet"


def _studio(resource: Resource) -> Iterator[str]:
    properties, spec = resource.properties, at(resource.properties, "spec")
    if resource.type == _CONTAINER:
        if labels(properties).get(_SERVICE) == _STUDIO:
            for port in items(properties, "ports"):
                ip = _ip(port)
                if ip is not None and not is_loopback(ip):
                    where = f"port {_whole(port.get('external'))} of Studio itself is published on {ip or 'all addresses'}"
                    yield f"{where}, and Studio asks nobody for a login"
        return
    if resource.kind == "Service" and at(spec, "type") in ("LoadBalancer", "NodePort") and _leads_to_studio(spec):
        yield f"a {at(spec, 'type')} leads to Studio itself, which asks nobody for a login"
    backends = [
        *(
            at(rule_path, "backend", "service", "name")
            for rule in items(spec, "rules")
            for rule_path in items(rule, "http", "paths")
        ),
        *(backend.get("name") for rule in items(spec, "rules") for backend in items(rule, "backendRefs")),
    ]
    if resource.kind in ("Ingress", "HTTPRoute") and _STUDIO in backends:
        yield f"the {resource.kind} leads to Studio itself, which asks nobody for a login"


def _leads_to_studio(spec: Any) -> bool:
    return bool(at(spec, "selector", "app.kubernetes.io/name") == _STUDIO)


def _gateway_off(stack: Stack) -> Iterator[Violation]:
    """Studio without the gateway is without its login; it then has no port of its own either, so this is about what users add."""
    supabase = at(stack.settings, "supabase")
    if (
        at(supabase, "gateway", "enabled") is False
        and at(supabase, "enabled") is not False
        and at(supabase, "studio", "enabled") is True
    ):
        yield Violation(
            where="supabase.gateway.enabled", message="Studio is on, and the gateway, which asks for its login, is off"
        )


RULES: Final = (
    Rule(
        id=ids.BIND_ADDRESSES,
        demand="Nothing is published on all addresses of a machine or a node.",
        reason="Docker's published ports pass the machine's firewall, so databases and mail catchers would be on the internet.",
        fix="set supastack:bindAddress to one address, as 127.0.0.1; in a cluster let clients in by kubernetes.exposure",
        resource=_bound,
        stack=_bound_by_setting,
    ),
    Rule(
        id=ids.PUBLIC_TLS,
        demand="What is reached over the internet is encrypted.",
        reason="Every request carries a key or a user's token.",
        fix="write https:// (rediss://), give kubernetes.exposure a tlsSecret, the Gateway's https section, or the gateway a certificate",
        resource=_plain,
        stack=_plain_settings,
        secrets=True,
        masked="On Docker the variables of a container that has a secret among them. The settings they are made of are seen, and the "
        "program refuses a tenant's redisUrl in prod by itself.",
    ),
    Rule(
        id=ids.STUDIO_GUARD,
        demand="Studio is reached by the gateway's login only.",
        reason="Studio has no login of its own, and whoever reaches it runs SQL as the database's administrator.",
        fix="let clients in by the gateway alone: no port, Service, Ingress or route of Studio's own",
        resource=_studio,
        stack=_gateway_off,
    ),
)
