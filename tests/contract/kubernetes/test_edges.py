"""Every pair of pods and every port: the rendered policies allow what edges.yaml says, and nothing else."""

from functools import cache
from itertools import product

import pytest
import yaml

from components.targets.kubernetes.naming import NAMESPACE_NAME
from tests.clone_root import ROOT
from tests.contract.kubernetes import stacks
from tests.contract.kubernetes.policy_semantics import Address, Pod, Policies

TABLE = yaml.safe_load((ROOT / "tests/contract/kubernetes/edges.yaml").read_text())
INTERNET = ("203.0.113.7", "2001:db8::7")
# An API server or another tenant's pod, a node, the carrier's range, and where clouds hand out a machine's credentials.
SHUT = ("10.96.0.1", "172.16.3.4", "192.168.1.10", "100.64.1.1", "169.254.169.254", "fd00::1", "fe80::1")
CLIENTS, INGRESS_CONTROLLER, STRANGER, SYSTEM = "apps", "ingress", "stranger", "kube-system"
OPERATOR = "cnpg-system"
KUBERNETES_API = (443, 6443)
API_CALLERS = {*TABLE["kubernetes-api"], *TABLE["kubernetes-api-with-cloudnativepg"]}
each_stack = pytest.mark.parametrize(("release", "source"), list(product(stacks.RELEASES, stacks.SOURCES)))


@cache
def world(release, source, exposure="none", clients=(), gateways=(), *, in_store=False, engine="builtin"):
    policy = {"clientNamespaces": list(clients), "gatewayNamespaces": list(gateways)}
    storage = {"backend": "s3", "bucket": "files", "buckets": {"avatars": {"public": True}}}
    over = {"supabase": stacks.supabase(release, engine, storage=storage)} if in_store else {}
    target = {"networkPolicy": policy}
    made = stacks.render(stacks.config(release, exposure=exposure, source=source, engine=engine, kubernetes=target, **over))
    # With backups to the stack's store, Storage's files are there too.
    return World(made, in_store=in_store or engine == "cloudnativepg", engine=engine)


class World:
    """A stack's pods and policies, in a cluster with other namespaces."""

    def __init__(self, made, *, in_store=False, engine="builtin"):
        self.made = made
        more = [
            *(["with-files-in-the-store"] if in_store else []),
            *(["with-cloudnativepg"] if engine == "cloudnativepg" else []),
        ]
        self.edges = TABLE["edges"]
        for name in more:
            self.edges = merged(self.edges, TABLE[name])
        self.services = {s.name: s for s in made.services}
        # Of several pods of a service the first: those of a server that an operator runs are looked at by themselves.
        self.pods = {}
        for namespace, name, labels in made.pods():
            self.pods.setdefault(name, Pod(namespace, labels))
        assert set(self.services) <= set(self.pods)
        names = {CLIENTS, INGRESS_CONTROLLER, STRANGER, SYSTEM, *(p.namespace for p in self.pods.values())}
        self.policies = Policies(made.of("NetworkPolicy"), {name: {NAMESPACE_NAME: name} for name in names})
        # Every port that anything listens on, that the table speaks of, or that an attacker would try.
        self.ports = sorted(
            {p.number for s in made.services for p in s.ports} | listed() | {22, 53, 80, 443, 5353, 5433, 6443, 10250}
        )

    def named(self, name):
        """The services of the stack that a name of the table stands for."""
        return [n for n in TABLE["aliases"].get(name, [name]) if n in self.pods]

    def wanted(self, release):
        """(caller, callee, port) of the table, as far as both are in the stack."""
        gone = {(d["caller"], d["callee"]) for d in TABLE["deviations"] if release in d["release"]}
        return {
            (caller, callee, port)
            for by, others in self.edges.items()
            for to, ports in others.items()
            if (by, to) not in gone
            for caller in self.named(by)
            for callee in self.named(to)
            for port in ports
        }


def merged(one, other):
    return {by: {**one.get(by, {}), **other.get(by, {})} for by in {*one, *other}}


def listed():
    flat = [TABLE[name] for name in TABLE if name.startswith(("among", "clients", "exposed", "operator", "outside"))]
    tables = [*TABLE["edges"].values(), *(row if isinstance(row, dict) else {"": row} for row in flat)]
    return {port for row in tables for ports in row.values() for port in ports}


@pytest.mark.parametrize("in_store", [False, True], ids=["files on a volume", "files in the store"])
@pytest.mark.parametrize("engine", stacks.ENGINES)
@each_stack
def test_pods_reach_each_other_by_the_table_and_by_nothing_else(release, source, engine, in_store):
    w = world(release, source, in_store=in_store, engine=engine)
    # Each end guards by itself, as well as both together.
    ways = {
        "both": w.policies.allow,
        "the caller's": lambda pod, other, port: w.policies.permits("Egress", pod, other, port),
        "the other's": lambda pod, other, port: w.policies.permits("Ingress", other, pod, port),
    }
    for way, allowed in ways.items():
        found = {
            (caller, callee, port)
            for (caller, pod), (callee, other) in product(w.pods.items(), w.pods.items())
            if caller != callee
            for port in w.ports
            if allowed(pod, other, port)
        }
        api = {e for e in found if e[0] in API_CALLERS and e[2] in KUBERNETES_API} if way == "the caller's" else set()
        assert found - api == w.wanted(release), way


@each_stack
def test_no_pod_is_reached_by_udp_or_sctp(release, source):
    w = world(release, source)
    for (caller, pod), (callee, other), port in product(w.pods.items(), w.pods.items(), w.ports):
        if caller != callee:
            assert not w.policies.allow(pod, other, port, "UDP"), (caller, callee, port)
            assert not w.policies.allow(pod, other, port, "SCTP"), (caller, callee, port)


def reached_from(w, source):
    return {(name, port) for name, pod in w.pods.items() for port in w.ports if w.policies.allow(source, pod, port)}


def rows(w, table):
    return {
        (name, port)
        for row, ports in TABLE[table].items()
        for name in w.named(row)
        for port in ports
        if name not in w.services or port in {p.number for p in w.services[name].ports}
    }


@each_stack
@pytest.mark.parametrize("source_of", ["a pod of another namespace", "a pod of kube-system", "the internet", "a node's network"])
def test_a_stack_that_is_not_exposed_is_reached_by_nobody_else(release, source, source_of):
    w = world(release, source)
    other = {
        "a pod of another namespace": Pod(STRANGER, {}),
        "a pod of kube-system": Pod(SYSTEM, {}),
        "the internet": Address(INTERNET[0]),
        "a node's network": Address("10.0.0.9"),
    }[source_of]
    assert reached_from(w, other) == set()


@each_stack
def test_a_pod_elsewhere_that_is_labelled_like_one_of_the_stack_is_still_a_stranger(release, source):
    w = world(release, source)
    for pod in w.pods.values():
        assert reached_from(w, Pod(STRANGER, pod.labels)) == set()


@each_stack
def test_a_pod_of_the_namespace_that_no_service_owns_reaches_nothing_and_is_reached_by_nothing(release, source):
    w = world(release, source)
    own = Pod(w.made.stack.namespace, {"app": "debug"})
    assert reached_from(w, own) == set()
    assert not any(w.policies.allow(pod, own, port) for pod in w.pods.values() for port in w.ports)
    assert not w.policies.allow(own, Address(INTERNET[0]), 443)


@each_stack
def test_apps_reach_the_ports_that_are_meant_for_apps(release, source):
    w = world(release, source, clients=(CLIENTS,))
    assert reached_from(w, Pod(CLIENTS, {})) == rows(w, "clients")
    assert reached_from(w, Pod(STRANGER, {})) == set()


@pytest.mark.parametrize("exposure", ["gateway", "ingress", "loadbalancer"])
@each_stack
def test_what_is_exposed_is_the_gateways_api_and_no_more(release, source, exposure):
    w = world(release, source, exposure)
    wanted = {(name, port) for name, port in rows(w, "exposed") if exposure == "loadbalancer" or port == 8000}
    for other in (Pod(STRANGER, {}), Address(INTERNET[0]), Address(INTERNET[1])):
        assert reached_from(w, other) == wanted


@pytest.mark.parametrize("exposure", ["gateway", "ingress"])
def test_with_the_namespace_of_the_controller_named_only_that_one_brings_clients(exposure):
    w = world("2026-09", "registry", exposure, gateways=(INGRESS_CONTROLLER,))
    assert reached_from(w, Pod(INGRESS_CONTROLLER, {})) == {("gateway", 8000)}
    assert reached_from(w, Pod(STRANGER, {})) == reached_from(w, Address(INTERNET[0])) == set()


def outward(w, name, ips):
    ports = {*w.ports, 25, 465, 587}
    return {port for port in ports if any(w.policies.allow(w.pods[name], Address(ip), port) for ip in ips)}


@each_stack
def test_only_those_who_must_leave_the_cluster_do(release, source):
    w = world(release, source)
    api = set(TABLE["kubernetes-api"]) if source == "registry" else set()  # a stub asks nobody
    for name in w.pods:
        wanted = set(TABLE["outside"].get(name, ())) | (set(KUBERNETES_API) if name in api else set())
        assert outward(w, name, INTERNET) == wanted, name
        assert outward(w, name, SHUT) == (set(KUBERNETES_API) if name in api else set()), name


@each_stack
def test_names_are_asked_for_in_kube_system_only_and_by_those_alone_who_call_somebody(release, source):
    w = world(release, source)
    silent = {name for row in TABLE["silent"] for name in w.named(row)}
    for name, pod in w.pods.items():
        for port, protocol in product((53, 5353), ("UDP", "TCP")):
            assert w.policies.allow(pod, Pod(SYSTEM, {}), port, protocol) is (name not in silent), name
        assert not w.policies.allow(pod, Pod(STRANGER, {}), 53, "UDP"), name
        assert not w.policies.allow(pod, Address(INTERNET[0]), 53, "UDP"), name
        assert not any(
            w.policies.allow(pod, Pod(SYSTEM, {}), port) for port in w.ports if port not in {53, 5353, *KUBERNETES_API}
        ), name


def test_servers_that_an_operator_runs_reach_each_other_and_are_reached_by_it_alone():
    w = world("2026-09", "registry", engine="cloudnativepg", clients=(CLIENTS,))
    servers = [Pod(namespace, labels) for namespace, name, labels in w.made.pods() if name == "postgres"]
    instance, job = servers
    operator = Pod(OPERATOR, {"app.kubernetes.io/name": "cloudnative-pg"})
    w.policies.namespaces[OPERATOR] = {NAMESPACE_NAME: OPERATOR}
    another = Pod(instance.namespace, {**instance.labels, "cnpg.io/instanceName": "postgres-2"})
    ports = {port for port in w.ports if w.policies.allow(instance, another, port)}
    assert (
        ports
        == {port for port in w.ports if w.policies.allow(job, instance, port)}
        == set(TABLE["among-with-cloudnativepg"]["postgres"])
    )
    assert reached_from(w, operator) == {("postgres", port) for port in TABLE["operator"]["postgres"]}
    assert reached_from(w, Pod(OPERATOR, {})) == set()
    assert reached_from(w, Pod(STRANGER, operator.labels)) == set()
    assert reached_from(w, Pod(CLIENTS, {})) == rows(w, "clients") | rows(w, "clients-with-cloudnativepg")
    for pod in servers:
        assert not any(w.policies.allow(w.pods["rest"], pod, port) for port in w.ports if port != 5432)
    api = set(TABLE["kubernetes-api-with-cloudnativepg"])
    for name in w.pods:
        assert outward(w, name, SHUT) == (set(KUBERNETES_API) if name in api else set()), name


def test_a_database_that_others_run_is_reached_at_its_port_by_those_who_call_it():
    w = world("2026-09", "registry", engine="external")
    callers = {caller for caller, others in w.edges.items() if "postgres" in others} | {"database-bootstrap"}
    for name in w.pods:
        wanted = set(TABLE["outside-with-an-external-database"]) if name in callers else set()
        assert outward(w, name, ["10.1.2.3"]) - set(KUBERNETES_API) == wanted, name
        assert outward(w, name, ["169.254.169.254"]) - set(KUBERNETES_API) == set(), name


def test_a_deviation_is_a_row_of_the_table_that_is_really_not_so():
    for deviation in TABLE["deviations"]:
        assert deviation["why"].strip()
        assert deviation["callee"] in TABLE["edges"][deviation["caller"]]
        for release in deviation["release"]:
            w = world(release, "registry")
            for port in TABLE["edges"][deviation["caller"]][deviation["callee"]]:
                assert not w.policies.allow(w.pods[deviation["caller"]], w.pods[deviation["callee"]], port)


def test_every_row_of_the_table_is_in_some_stack():
    worlds = [(r, world(r, s, in_store=True, engine=e)) for r, s, e in product(stacks.RELEASES, stacks.SOURCES, stacks.ENGINES)]
    seen = set().union(*(w.wanted(release) for release, w in worlds))
    rows = {(caller, callee) for _, w in worlds for caller, others in w.edges.items() for callee in others}
    held = {(c, n) for c, n, _ in seen}
    alias = TABLE["aliases"]
    missing = {(c, n) for c, n in rows if not any((x, y) in held for x in alias.get(c, [c]) for y in alias.get(n, [n]))}
    assert missing == set()


def test_an_external_store_is_reached_at_its_port_wherever_it_is():
    settings = stacks.config(
        supabase=stacks.supabase("2026-09", storage={"backend": "s3", "bucket": "files"}),
        objectStorage={"engine": "external", "endpoint": "https://s3.example.com:9443", "accessKey": "key", "buckets": ["files"]},
    )
    settings["supastack:objectStorageSecretKey"] = "a-secret-key-of-the-store"
    w = World(stacks.render(settings))
    for name in w.pods:
        ports = set(TABLE["outside-with-an-external-store"].get(name, ()))
        assert outward(w, name, ["10.1.2.3"]) - set(KUBERNETES_API) == ports, name
        assert outward(w, name, ["169.254.169.254"]) - set(KUBERNETES_API) == set(), name
