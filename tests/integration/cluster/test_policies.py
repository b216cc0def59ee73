"""The test cluster's enforcer of NetworkPolicy, by tables written by hand."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.cluster.stub_pods import (
    OPEN,
    PROHIBITED,
    REFUSED,
    a_namespace,
    address_of,
    connect,
    run_pods,
    stub_pod,
    until,
)
from toolchain.cluster.cluster import Cluster

pytestmark = pytest.mark.docker

_PORTS = "8080,8081,8085"


@pytest.fixture(scope="module")
def pods(own: Cluster) -> Iterator[Cluster]:
    """`policies`: server, friend, stranger; `policies-other` (team: other): friend, guest."""
    named = [{"containerPort": 8080, "name": "web"}]
    with a_namespace(own, "policies") as here, a_namespace(own, "policies-other", team="other") as there:
        run_pods(
            own,
            stub_pod(here, "server", _PORTS, named=named),
            stub_pod(here, "friend", labels={"role": "friend"}),
            stub_pod(here, "stranger"),
            stub_pod(there, "friend", labels={"role": "friend"}),
            stub_pod(there, "guest", labels={"role": "guest"}),
        )
        yield own


_FRIEND = {"podSelector": {"matchLabels": {"role": "friend"}}}
_OTHER = {"namespaceSelector": {"matchLabels": {"team": "other"}}}
_DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}
H, T = "policies", "policies-other"

# Written by hand from the API reference of NetworkPolicy. By policy: who reaches which port of the server.
INGRESS: dict[str, tuple[dict[str, Any], dict[tuple[str, str, int], str]]] = {
    "no-policy": (
        {},
        {(H, "stranger", 8080): OPEN, (T, "guest", 8085): OPEN, (H, "stranger", 9999): REFUSED},
    ),
    "default-deny": (
        {"policyTypes": ["Ingress"]},
        {(H, "friend", 8080): PROHIBITED, (T, "friend", 8080): PROHIBITED, (H, "server", 8080): OPEN},
    ),
    "all-allowed": ({"ingress": [{}]}, {(H, "stranger", 8081): OPEN, (T, "guest", 8085): OPEN}),
    "a-label-in-the-same-namespace": (
        {"ingress": [{"from": [_FRIEND]}]},
        {(H, "friend", 8080): OPEN, (H, "stranger", 8080): PROHIBITED, (T, "friend", 8080): PROHIBITED},
    ),
    "a-namespace": (
        {"ingress": [{"from": [_OTHER]}]},
        {(T, "guest", 8080): OPEN, (T, "friend", 8080): OPEN, (H, "friend", 8080): PROHIBITED},
    ),
    "a-label-in-a-namespace": (
        {"ingress": [{"from": [{**_OTHER, **_FRIEND}]}]},
        {(T, "friend", 8080): OPEN, (T, "guest", 8080): PROHIBITED, (H, "friend", 8080): PROHIBITED},
    ),
    "either-of-two": (
        {"ingress": [{"from": [_OTHER, _FRIEND]}]},
        {(T, "guest", 8080): OPEN, (H, "friend", 8080): OPEN, (H, "stranger", 8080): PROHIBITED},
    ),
    "a-named-port": (
        {"ingress": [{"from": [_FRIEND], "ports": [{"port": "web"}]}]},
        {(H, "friend", 8080): OPEN, (H, "friend", 8081): PROHIBITED, (H, "stranger", 8080): PROHIBITED},
    ),
    "a-range-of-ports": (
        {"ingress": [{"ports": [{"port": 8081, "endPort": 8084}]}]},
        {(H, "stranger", 8081): OPEN, (H, "stranger", 8080): PROHIBITED, (H, "stranger", 8085): PROHIBITED},
    ),
    "another-protocol": ({"ingress": [{"ports": [{"protocol": "UDP"}]}]}, {(H, "friend", 8080): PROHIBITED}),
    "expressions": (
        {"ingress": [{"from": [{"podSelector": {"matchExpressions": [{"key": "role", "operator": "DoesNotExist"}]}}]}]},
        {(H, "stranger", 8080): OPEN, (H, "friend", 8080): PROHIBITED},
    ),
    "egress-only": ({"policyTypes": ["Egress"]}, {(H, "stranger", 8080): OPEN, (T, "guest", 8080): OPEN}),
}


@pytest.mark.parametrize("case", INGRESS)
def test_what_reaches_a_pod_is_what_its_policies_allow(pods: Cluster, case: str) -> None:
    spec, expected = INGRESS[case]
    server = address_of(pods, H, "server")
    with _policies(pods, {case: {"podSelector": {"matchLabels": {"app": "server"}}, **spec}} if spec else {}):
        found = {(ns, pod, port): connect(pods, ns, pod, server, port) for ns, pod, port in expected}
    assert found == expected


def test_what_a_pod_reaches_is_what_its_policies_allow(pods: Cluster) -> None:
    def meets() -> dict[str, str]:
        return {
            "server web": connect(pods, H, "friend", address_of(pods, H, "server"), 8080),
            "server 8081": connect(pods, H, "friend", address_of(pods, H, "server"), 8081),
            "other namespace": connect(pods, H, "friend", address_of(pods, T, "guest"), 8080),
            "api": connect(pods, H, "friend", "kubernetes.default", 443),
        }

    web = {"to": [{"podSelector": {"matchLabels": {"app": "server"}}}], "ports": [{"port": "web"}]}
    friend = {"podSelector": {"matchLabels": {"app": "friend"}}}
    with _policies(pods, {"egress": {**friend, "policyTypes": ["Egress"], "egress": [web, _DNS]}}):
        assert meets() == {"server web": OPEN, "server 8081": PROHIBITED, "other namespace": PROHIBITED, "api": PROHIBITED}
    # Both ends must agree, and policies add up.
    deny = {"podSelector": {}, "policyTypes": ["Ingress"]}
    allow = {"podSelector": {"matchLabels": {"app": "server"}}, "ingress": [{"from": [_FRIEND], "ports": [{"port": 8081}]}]}
    rest = {**friend, "policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {}}]}, _DNS]}
    with _policies(pods, {"deny": deny, "allow": allow, "rest": rest}):
        assert meets() == {"server web": PROHIBITED, "server 8081": OPEN, "other namespace": PROHIBITED, "api": PROHIBITED}
    assert set(meets().values()) == {OPEN}


def test_a_network_is_allowed_but_for_what_it_excepts(pods: Cluster) -> None:
    server, friend, guest = address_of(pods, H, "server"), address_of(pods, H, "friend"), address_of(pods, T, "guest")
    block = {"cidr": "10.244.0.0/16", "except": [f"{friend}/32"]}
    spec = {"podSelector": {"matchLabels": {"app": "server"}}, "ingress": [{"from": [{"ipBlock": block}]}]}
    with _policies(pods, {"block": spec}):
        assert connect(pods, T, "guest", server, 8080) == OPEN
        assert connect(pods, H, "friend", server, 8080) == PROHIBITED
    out = {"podSelector": {"matchLabels": {"app": "friend"}}, "policyTypes": ["Egress"]}
    with _policies(pods, {"out": {**out, "egress": [{"to": [{"ipBlock": {"cidr": f"{guest}/32"}}]}]}}):
        assert connect(pods, H, "friend", guest, 8080) == OPEN
        assert connect(pods, H, "friend", server, 8080) == PROHIBITED


def test_a_pod_that_comes_later_and_one_whose_label_changes_are_taken_up(pods: Cluster) -> None:
    server = address_of(pods, H, "server")
    spec = {"podSelector": {"matchLabels": {"app": "server"}}, "ingress": [{"from": [_FRIEND]}]}
    with _policies(pods, {"friends": spec}):
        run_pods(pods, stub_pod(H, "newcomer"))
        pods.wait_for_policies()
        assert connect(pods, H, "newcomer", server, 8080) == PROHIBITED
        pods.kubectl("label", f"--namespace={H}", "pod/newcomer", "role=friend")
        assert until(lambda: connect(pods, H, "newcomer", server, 8080) == OPEN)
        pods.kubectl("delete", f"--namespace={H}", "pod/newcomer", "--wait")


@contextlib.contextmanager
def _policies(own: Cluster, specs: dict[str, dict[str, Any]]) -> Iterator[None]:
    paths = []
    for name, spec in specs.items():
        metadata = {"name": name, "namespace": H}
        own.api.apply({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec})
        paths.append(f"/apis/networking.k8s.io/v1/namespaces/{H}/networkpolicies/{name}")
    own.wait_for_policies()
    try:
        yield
    finally:
        for path in paths:
            own.api.delete(path)
        own.wait_for_policies()
