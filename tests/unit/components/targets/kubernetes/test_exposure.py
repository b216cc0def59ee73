"""The one way in."""

import pytest

from components.service import Port
from components.targets.kubernetes.exposure import ISSUER, exposure
from tests.unit.components.targets.kubernetes.made import STACK, service, settings

HOST = "api.example.com"
GATEWAY = service("gateway", port=8000, publish="api")
OTHERS = [service("studio", port=3000, publish="studio"), service("db", port=5432, publish="postgres")]


def made(host=HOST, services=(*OTHERS, GATEWAY), own_tls=False, **given):
    return exposure(STACK, "network", services, settings(exposure=given), host, own_tls=own_tls)


def only(**given):
    (found,) = made(**given)
    return found.body


def test_a_stack_that_is_not_exposed_has_no_way_in():
    assert made(kind="none") == []


def test_nothing_is_exposed_where_there_is_no_gateway_or_it_is_off():
    assert made(services=OTHERS, kind="loadbalancer") == []
    assert made(services=[service("gateway", publish="api", off=True)], kind="loadbalancer") == []


@pytest.mark.parametrize("given", [{"name": "shared"}, {"name": "shared", "namespace": "edge", "section": "https"}])
def test_a_route_goes_to_the_gateway_that_is_named_and_sets_no_limit_of_its_own(given):
    spec = only(kind="gateway", gateway=given)["spec"]
    wanted = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "shared"}
    if "section" in given:
        wanted |= {"namespace": "edge", "sectionName": "https"}
    assert spec["parentRefs"] == [wanted]
    assert spec["hostnames"] == [HOST]
    (rule,) = spec["rules"]
    assert rule["timeouts"] == {"request": "0s"}
    assert [(b["kind"], b["name"], b["port"]) for b in rule["backendRefs"]] == [("Service", "gateway", 8000)]


def test_an_ingress_has_its_class_and_the_certificate_that_is_named():
    body = only(kind="ingress", className="traefik", tlsSecret="cert", issuer="acme", annotations={"example.com/timeout": "3600"})
    assert body["spec"]["ingressClassName"] == "traefik"
    assert body["spec"]["tls"] == [{"hosts": [HOST], "secretName": "cert"}]
    assert body["metadata"]["annotations"][ISSUER] == "acme"
    assert body["metadata"]["annotations"]["example.com/timeout"] == "3600"
    (rule,) = body["spec"]["rules"]
    assert rule["host"] == HOST
    (path,) = rule["http"]["paths"]
    assert path["backend"] == {"service": {"name": "gateway", "port": {"number": 8000}}}


def test_an_ingress_without_a_certificate_has_none():
    assert "tls" not in only(kind="ingress", className="traefik")["spec"]


def test_a_load_balancer_brings_clients_to_the_api_and_to_nothing_else():
    spec = only(kind="loadbalancer", className="example.com/metal")["spec"]
    assert spec["type"] == "LoadBalancer"
    assert spec["loadBalancerClass"] == "example.com/metal"
    assert spec["selector"] == STACK.selector("gateway")
    assert [(p["port"], p["targetPort"]) for p in spec["ports"]] == [(80, 8000)]


@pytest.mark.parametrize(("own_tls", "port"), [(False, (80, 8000)), (True, (443, 8443))])
def test_behind_a_load_balancer_a_certificate_of_the_users_shuts_plain_http(own_tls, port):
    gateway = GATEWAY.__class__(
        name="gateway",
        image=GATEWAY.image,
        resources=GATEWAY.resources,
        ports=(*GATEWAY.ports, Port("https", 8443, publish="apiHttps"), Port("studio", 8100, publish="studio")),
    )
    (found,) = made(services=[gateway], own_tls=own_tls, kind="loadbalancer")
    assert [(p["port"], p["targetPort"]) for p in found.body["spec"]["ports"]] == [port]


@pytest.mark.parametrize("kind", ["gateway", "ingress", "loadbalancer"])
def test_the_way_in_waits_for_nobody_and_has_a_name_of_its_own(kind):
    (found,) = made(kind=kind, className="c", gateway={"name": "shared"})
    assert found.wait is False
    assert found.body["metadata"]["name"] == "gateway-public"
    assert found.name == "network-gateway-public"


def test_only_a_load_balancer_is_made_anew_and_only_for_its_class():
    found = {
        kind: made(kind=kind, className="c", gateway={"name": "shared"})[0].anew
        for kind in ("gateway", "ingress", "loadbalancer")
    }
    assert found == {"gateway": (), "ingress": (), "loadbalancer": ("spec.loadBalancerClass",)}
    # Setting the first one is a change of it, too.
    assert made(kind="loadbalancer")[0].anew == ("spec.loadBalancerClass",)
