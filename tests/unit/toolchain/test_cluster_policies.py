"""What network policies mean, and the rules they become. The expectations are written by hand from the API reference."""

from typing import Any

import pytest

from toolchain.cluster.policies.model import Port, Rule, Verdict, pods_of, types_of, verdicts
from toolchain.cluster.policies.rules import table
from toolchain.cluster.policies.selectors import matches


def _object(namespace: str, name: str, address: str | None, labels: dict[str, str], **more: Any) -> dict[str, Any]:
    ports = more.pop("ports", [])
    return {
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"containers": [{"name": "main", "ports": ports}], **more.pop("spec", {})},
        "status": {"podIP": address, "phase": more.pop("phase", "Running")},
    }


OBJECTS = [
    _object("app", "db", "10.0.0.1", {"role": "db"}, ports=[{"name": "sql", "containerPort": 5432}]),
    _object("app", "api", "10.0.0.2", {"role": "api"}, ports=[{"name": "sql", "containerPort": 6000}]),
    _object("other", "api", "10.0.0.3", {"role": "api"}),
]
NAMESPACES = [{"metadata": {"name": "app", "labels": {"team": "a"}}}, {"metadata": {"name": "other"}}]


def _verdict(spec: dict[str, Any], *more: dict[str, Any], pod: str = "db") -> Verdict | None:
    specs = [{"podSelector": {"matchLabels": {"role": pod}}, **one} for one in (spec, *more)]
    policies = [{"metadata": {"namespace": "app", "name": str(i)}, "spec": one} for i, one in enumerate(specs)]
    found = [one for one in verdicts(pods_of(OBJECTS), NAMESPACES, policies) if one.pod.namespace == "app"]
    return next((one for one in found if one.pod.name == pod), None)


def _ingress(*rules: dict[str, Any]) -> tuple[Rule, ...] | None:
    found = _verdict({"ingress": [*rules]})
    assert found
    return found.ingress


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ({}, {}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, {"a": "2"}, True),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {"a": "1"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": ""}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": ""}, False),
        ({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}, {"a": "1"}, False),
    ],
)
def test_a_selector_selects_as_the_reference_says(selector: dict[str, Any], labels: dict[str, str], expected: bool) -> None:
    assert matches(selector, labels) is expected


def test_without_a_policy_no_pod_is_isolated() -> None:
    assert verdicts(pods_of(OBJECTS), NAMESPACES, []) == []


def test_a_policy_of_another_namespace_isolates_nobody_here() -> None:
    policy = {"metadata": {"namespace": "elsewhere", "name": "one"}, "spec": {"podSelector": {}}}
    assert verdicts(pods_of(OBJECTS), NAMESPACES, [policy]) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ["Ingress"]),
        ({"egress": [{}]}, ["Ingress", "Egress"]),
        ({"egress": []}, ["Ingress"]),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, ["Egress"]),
    ],
)
def test_unsaid_directions_are_ingress_and_where_there_are_rules_for_it_egress(spec: dict[str, Any], expected: list[str]) -> None:
    assert types_of({"spec": spec}) == expected


def test_a_policy_without_rules_allows_nothing_in_its_direction_and_leaves_the_other_alone() -> None:
    found = _verdict({})
    assert found
    assert (found.ingress, found.egress) == ((), None)


def test_an_empty_rule_allows_everything() -> None:
    assert _ingress({}) == (Rule(None),)


def test_a_pod_selector_alone_is_of_the_policys_own_namespace() -> None:
    assert _ingress({"from": [{"podSelector": {"matchLabels": {"role": "api"}}}]}) == (Rule(("10.0.0.2",)),)


def test_a_namespace_selector_alone_is_of_all_pods_there_and_an_empty_one_of_all_namespaces() -> None:
    assert _ingress({"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}) == (Rule(("10.0.0.2", "10.0.0.1")),)
    assert _ingress({"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"role": "api"}}}]}) == (
        Rule(("10.0.0.2", "10.0.0.3")),
    )


def test_a_peer_that_nobody_is_allows_nobody_and_not_everybody() -> None:
    assert _ingress({"from": [{"podSelector": {"matchLabels": {"role": "nobody"}}}]}) == ()


def test_a_network_keeps_its_exceptions_and_one_of_ipv6_is_nobody() -> None:
    block = {"cidr": "10.1.0.0/16", "except": ["10.1.2.0/24"]}
    assert _ingress({"from": [{"ipBlock": block}, {"ipBlock": {"cidr": "fd00::/8"}}]}) == (
        Rule(("10.1.0.0/16",), ("10.1.2.0/24",)),
    )


def test_ports_are_numbers_ranges_protocols_and_names_of_the_pod_itself() -> None:
    ports = [{"port": 80}, {"port": 90, "endPort": 99}, {"protocol": "UDP"}, {"port": "sql"}, {"port": "nothing"}]
    assert _ingress({"ports": ports}) == (
        Rule(None, (), (Port("TCP", 80, 80), Port("TCP", 90, 99), Port("UDP"), Port("TCP", 5432, 5432))),
    )


def test_a_name_that_the_pod_does_not_have_allows_nothing() -> None:
    assert _ingress({"ports": [{"port": "nothing"}]}) == ()


def test_a_named_port_of_egress_is_each_destinations_own() -> None:
    spec = {"policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {}}], "ports": [{"port": "sql"}]}]}
    found = _verdict(spec)
    assert found
    assert found.egress == (
        Rule(("10.0.0.2",), (), (Port("TCP", 6000, 6000),)),
        Rule(("10.0.0.1",), (), (Port("TCP", 5432, 5432),)),
    )


def test_policies_add_up() -> None:
    found = _verdict(
        {"ingress": [{"ports": [{"port": 1}]}]}, {"ingress": [{"ports": [{"port": 2}]}]}, {"policyTypes": ["Egress"]}
    )
    assert found
    assert found.ingress == (Rule(None, (), (Port("TCP", 1, 1),)), Rule(None, (), (Port("TCP", 2, 2),)))
    assert found.egress == ()


def test_pods_that_ended_or_have_the_nodes_network_or_no_address_yet_are_left_out() -> None:
    left_out = [
        _object("app", "ended", "10.0.0.9", {}, phase="Succeeded"),
        _object("app", "failed", "10.0.0.9", {}, phase="Failed"),
        _object("app", "host", "10.0.0.8", {}, spec={"hostNetwork": True}),
        _object("app", "starting", None, {}),
    ]
    assert [one.name for one in pods_of([*OBJECTS, *left_out])] == ["api", "db", "api"]


def test_the_table_asks_the_sender_then_the_receiver_and_refuses_what_no_rule_allows() -> None:
    found = _verdict(
        {"ingress": [{"from": [{"ipBlock": {"cidr": "10.1.0.0/16", "except": ["10.1.2.0/24"]}}], "ports": [{"port": 5432}]}]}
    )
    assert found
    lines = [line.strip() for line in table([found]).splitlines()]
    chain = lines[lines.index("chain to_10_0_0_1 {") :]
    assert chain[2:6] == [
        "ip saddr 10.0.0.1 return",
        "ip saddr { 10.1.0.0/16 } ip saddr != { 10.1.2.0/24 } tcp dport 5432 return",
        "counter reject with icmp type admin-prohibited",
        "}",
    ]
    assert "ip daddr vmap { 10.0.0.1 : jump to_10_0_0_1 }" in lines
    assert not any("ip saddr vmap" in line for line in lines), "nobody's egress is isolated"


def test_a_table_without_policies_lets_everything_pass() -> None:
    assert "vmap" not in table([])
    assert "reject" not in table([])
