"""The evaluator of NetworkPolicies by itself, case by case as Kubernetes' documentation has them."""

import pytest

from tests.contract.kubernetes.policy_semantics import Address, Pod, Policies

WEB, DB, AWAY = Pod("a", {"app": "web"}), Pod("a", {"app": "db"}), Pod("b", {"app": "web"})
NAMESPACES = {"a": {"kubernetes.io/metadata.name": "a"}, "b": {"kubernetes.io/metadata.name": "b", "team": "x"}}


def policy(types, pods=None, **rules):
    return {"metadata": {"namespace": "a"}, "spec": {"podSelector": pods or {}, "policyTypes": types, **rules}}


def allowed(policies, source, destination, port=80, protocol="TCP"):
    return Policies(policies, NAMESPACES).allow(source, destination, port, protocol)


def test_without_a_policy_everything_is_open():
    assert allowed([], AWAY, DB)
    assert allowed([], DB, Address("192.0.2.1"))


def test_a_policy_of_one_direction_shuts_that_alone():
    shut = [policy(["Ingress"], {"matchLabels": {"app": "db"}})]
    assert not allowed(shut, WEB, DB)
    assert allowed(shut, DB, WEB)
    assert allowed(shut, AWAY, WEB)


def test_a_pod_reaches_itself():
    assert allowed([policy(["Ingress", "Egress"])], WEB, WEB)


def test_both_ends_must_give_leave():
    to_db = policy(
        ["Egress"], {"matchLabels": {"app": "web"}}, egress=[{"to": [{"podSelector": {"matchLabels": {"app": "db"}}}]}]
    )
    from_web = policy(
        ["Ingress"], {"matchLabels": {"app": "db"}}, ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]
    )
    deny = policy(["Ingress", "Egress"])
    assert allowed([deny, to_db, from_web], WEB, DB)
    assert not allowed([deny, to_db], WEB, DB)
    assert not allowed([deny, from_web], WEB, DB)


def test_a_pod_selector_alone_is_of_the_policys_own_namespace():
    rule = [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]
    assert allowed([policy(["Ingress"], ingress=rule)], WEB, DB)
    assert not allowed([policy(["Ingress"], ingress=rule)], AWAY, DB)


def test_both_selectors_in_one_peer_must_fit_and_either_of_two_peers_is_enough():
    namespace, pods = {"namespaceSelector": {"matchLabels": {"team": "x"}}}, {"podSelector": {"matchLabels": {"app": "other"}}}
    assert not allowed([policy(["Ingress"], ingress=[{"from": [{**namespace, **pods}]}])], AWAY, DB)
    assert allowed([policy(["Ingress"], ingress=[{"from": [namespace, pods]}])], AWAY, DB)


@pytest.mark.parametrize("rule", [{}, {"from": []}])
def test_a_rule_without_peers_is_for_everybody(rule):
    assert allowed([policy(["Ingress"], ingress=[rule])], Address("192.0.2.1"), DB)


def test_ports_and_protocols_are_those_of_the_rule():
    rules = [{"ports": [{"port": 80}, {"protocol": "UDP", "port": 53}, {"port": 9000, "endPort": 9010}]}]
    found = policy(["Ingress"], ingress=rules)
    assert allowed([found], WEB, DB, 80)
    assert not allowed([found], WEB, DB, 81)
    assert allowed([found], WEB, DB, 53, "UDP")
    assert not allowed([found], WEB, DB, 53, "TCP")
    assert allowed([found], WEB, DB, 9005)
    assert not allowed([found], WEB, DB, 9011)


def test_a_block_is_of_addresses_and_without_what_is_excepted():
    block = {"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}}
    found = [policy(["Egress"], egress=[{"to": [block]}])]
    assert allowed(found, WEB, Address("192.0.2.1"))
    assert not allowed(found, WEB, Address("192.0.2.200"))
    assert not allowed(found, WEB, Address("198.51.100.1"))
    assert not allowed(found, WEB, AWAY)


def test_without_types_a_policy_is_of_ingress_and_of_egress_where_it_has_rules_for_it():
    only = {"metadata": {"namespace": "a"}, "spec": {"podSelector": {}}}
    assert allowed([only], WEB, AWAY)
    assert not allowed([only], AWAY, WEB)
    both = {"metadata": {"namespace": "a"}, "spec": {"podSelector": {}, "egress": [{"ports": [{"port": 53}]}]}}
    assert not allowed([both], WEB, AWAY)


@pytest.mark.parametrize(
    ("operator", "values", "fits"),
    [("In", ["web"], True), ("NotIn", ["web"], False), ("Exists", [], True), ("DoesNotExist", [], False)],
)
def test_expressions_choose_as_they_say(operator, values, fits):
    selector = {"matchExpressions": [{"key": "app", "operator": operator, "values": values}]}
    assert allowed([policy(["Ingress"], ingress=[{"from": [{"podSelector": selector}]}])], WEB, DB) is fits
