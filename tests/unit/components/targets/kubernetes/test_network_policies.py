"""Policies from edges. What they come to for a whole stack is held by tests/contract/kubernetes/test_edges.py."""

import ipaddress

import pytest

from components import kubernetes_outside
from components.service import Edge
from components.setting_groups import complete
from components.targets.kubernetes.egress import LINK_LOCAL, PRIVATE, Outside, by_url, networks, ports_of
from components.targets.kubernetes.network_policies import network_policies
from tests.unit.components.targets.kubernetes.made import STACK, service, settings

WEB = service("web", connects=("db", "mail"))
DB = service("db", port=5432, publish="postgres")


def made(*services, outside=None, **given):
    found = network_policies(STACK, services, settings(networkPolicy=given), outside=outside)
    return {m.body["metadata"]["name"]: m.body["spec"] for m in found}


def test_turned_off_there_are_none():
    assert made(WEB, DB, enabled=False) == {}


def test_every_service_has_one_and_the_namespace_has_one_that_shuts_everything():
    found = made(WEB, DB, service("gone", off=True))
    assert set(found) == {"default-deny", "web", "db"}
    assert found["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert all(spec["policyTypes"] == ["Ingress", "Egress"] for spec in found.values())


def test_an_edge_is_open_at_both_ends_on_the_capabilitys_port_alone():
    found = made(WEB, DB)
    web, db = ({"podSelector": {"matchLabels": STACK.selector(name)}} for name in ("web", "db"))
    port = [{"port": 5432, "protocol": "TCP"}]
    assert found["db"]["ingress"] == [{"from": [web], "ports": port}]
    assert found["web"]["egress"][0] == {"to": [db], "ports": port}


def test_who_calls_nobody_gets_no_names_and_who_is_called_by_nobody_is_shut():
    found = made(WEB, DB)
    assert "egress" not in found["db"]
    assert "ingress" not in found["web"]


def test_a_capability_that_nobody_provides_opens_nothing_unless_others_do():
    shut = made(WEB)["web"]["egress"]
    assert [rule["ports"][0]["port"] for rule in shut] == [53]
    known = {"db": Outside(hosts=frozenset({"db.example.com"}), ports=frozenset({6432}), purpose="database")}
    opened = made(WEB, outside=known)["web"]["egress"]
    assert [p["port"] for p in opened[0]["ports"]] == [6432]


def test_a_rule_of_the_settings_decides_where_a_purpose_leads():
    rule = {"cidrs": ["198.51.100.0/24"], "ports": [2525]}
    egress = made(service("auth", outside=("smtp",)), egress={"smtp": rule})["auth"]["egress"]
    assert egress[0] == {"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}], "ports": [{"port": 2525, "protocol": "TCP"}]}


def test_apps_reach_what_is_meant_for_them_and_nothing_that_administrators_use():
    found = made(DB, service("web", publish="studio"), clientNamespaces=["apps"])
    (rule,) = found["db"]["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "apps"}}}]
    assert "ingress" not in found["web"]


def test_names_are_asked_where_the_settings_say_and_the_api_on_its_ports():
    logs = service("vector", collects_logs=True)
    open_to = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    api, names = made(logs)["vector"]["egress"]
    assert [p["port"] for p in api["ports"]] == [443, 6443]
    assert names["to"] == [open_to, {"ipBlock": {"cidr": "169.254.20.10/32"}}]
    given = {"dns": {"namespaces": ["openshift-dns"], "cidrs": ["169.254.169.254/32"]}, "apiPorts": [16443, 443]}
    api, names = made(logs, **given)["vector"]["egress"]
    assert [p["port"] for p in api["ports"]] == [443, 16443]
    open_to["namespaceSelector"]["matchLabels"] = {"kubernetes.io/metadata.name": "openshift-dns"}
    assert names["to"] == [open_to, {"ipBlock": {"cidr": "169.254.169.254/32"}}]
    assert {p["port"] for p in names["ports"]} == {53, 5353}


# -- where "outside" is -----------------------------------------------------------------------------------------------


def rule(*cidrs, excepted=()):
    return {"cidrs": list(cidrs), "excepted": list(excepted)}


def shut(blocks, address):
    ip = ipaddress.ip_address(address)
    return not any(
        ip in ipaddress.ip_network(b["cidr"]) and not any(ip in ipaddress.ip_network(e) for e in b.get("except", ()))
        for b in blocks
    )


def test_the_internet_is_everywhere_but_what_is_private():
    blocks = networks(None, None)
    assert not shut(blocks, "198.51.100.1")
    assert not shut(blocks, "2001:db8::1")
    for net in (*PRIVATE, *LINK_LOCAL):
        assert shut(blocks, str(next(ipaddress.ip_network(net).hosts())))


def test_a_destination_that_a_setting_names_may_be_private_but_never_link_local():
    blocks = networks(None, Outside(hosts=frozenset({"mail.example.com"}), ports=frozenset({587})))
    assert not shut(blocks, "10.0.0.25")
    assert shut(blocks, "169.254.169.254")


def test_an_address_that_a_setting_names_is_the_only_one():
    known = Outside(hosts=frozenset({"192.0.2.5"}), ports=frozenset({587}))
    assert networks(None, known) == [{"cidr": "192.0.2.5/32"}]
    assert networks(None, Outside(hosts=frozenset({"2001:db8::5"}))) == [{"cidr": "2001:db8::5/128"}]


def test_a_private_network_beside_everywhere_is_open():
    blocks = networks(rule("0.0.0.0/0", "10.20.0.0/16"), None)
    assert not shut(blocks, "10.20.1.1")
    assert shut(blocks, "10.21.1.1")
    assert not shut(networks(rule("0.0.0.0/0", "10.0.0.0/8"), None), "10.21.1.1")


def test_what_is_excepted_is_shut_and_stands_only_where_it_is_a_part():
    blocks = networks(rule("203.0.113.0/24", "198.51.100.0/24", excepted=["203.0.113.7/32"]), None)
    assert blocks == [{"cidr": "203.0.113.0/24", "except": ["203.0.113.7/32"]}, {"cidr": "198.51.100.0/24"}]


@pytest.mark.parametrize(
    ("given", "known", "ports"),
    [
        (None, None, [443]),
        (None, Outside(ports=frozenset({587})), [587]),
        ({"ports": [25, 2525]}, Outside(ports=frozenset({587})), [25, 2525]),
    ],
)
def test_ports_are_the_rules_else_the_settings_else_that_of_https(given, known, ports):
    assert list(ports_of(given, known)) == ports


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://s3.example.com", "s3.example.com", 443),
        ("http://10.0.0.9:9000/", "10.0.0.9", 9000),
        ("http://s3.lan", "s3.lan", 80),
    ],
)
def test_a_url_says_host_and_port(url, host, port):
    assert by_url(url) == Outside(hosts=frozenset({host}), ports=frozenset({port}))


def test_what_the_settings_name_is_known_by_purpose():
    auth = {
        "smtp": {"host": "mail.example.com", "port": 2465},
        "external": {"keycloak": {"enabled": True, "clientId": "x", "url": "https://login.example.com:8443/realms/x"}},
    }
    found = kubernetes_outside.outside(complete("supabase", {"auth": auth}), "https://s3.example.com:9443")
    assert found["smtp"] == Outside(hosts=frozenset({"mail.example.com"}), ports=frozenset({2465}))
    assert found["oauth"].ports == {443, 8443}
    assert found["s3"].ports == {9443}
    assert found["webhooks"].ports == {443}
    assert "postgres" not in found


def test_who_connects_to_a_cache_that_others_run_may_go_there_alone_and_a_rule_of_that_purpose_counts():
    known = kubernetes_outside.outside(complete("supabase", {}), None, {"host": "10.1.2.3", "port": 6380})
    app = service("app", connects=("redis",))
    port = [{"port": 6380, "protocol": "TCP"}]
    found = made(app, service("other"), outside=known)
    assert {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": port} in found["app"]["egress"]
    assert "egress" not in found["other"]
    rule = {"cidrs": ["10.1.0.0/16"], "excepted": []}
    ruled = made(app, outside=known, egress={"cache": rule})["app"]["egress"]
    assert {"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "ports": port} in ruled


def test_an_edge_between_components_is_one_too():
    jobs = service("buckets").__class__(name="buckets", image=WEB.image, resources=WEB.resources, connects=(Edge("db"),))
    assert made(jobs, DB)["db"]["ingress"][0]["from"] == [{"podSelector": {"matchLabels": STACK.selector("buckets")}}]
