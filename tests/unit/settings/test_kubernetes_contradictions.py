"""What the settings of the Kubernetes target can't say together, what services can't give, and which settings have no effect."""

import os
from typing import Any

import pytest

from components.plan import Plan, PlanError
from components.settings import ROOT, Settings, SettingsError, load
from tests.unit.settings.declared import keyed, named

CLUSTER = {"kubeconfig": "cluster/kubeconfig", "context": "supastack"}
HOST = {"host": "api.example.com"}


@pytest.fixture(autouse=True)
def _no_kubeconfig_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)


def _load(kubernetes: dict[str, Any], stack: str = "dev", **more: Any) -> Settings:
    config = {
        "target": "kubernetes",
        "kubernetes": kubernetes,
        "objectStorage": {"fallback": "minio"},
        "imageSource": "local",
        **more,
    }
    return load(keyed(config), stack=stack)


def _problems(kubernetes: dict[str, Any], stack: str = "dev", **more: Any) -> dict[str, str]:
    """Key and text of what is wrong."""
    with pytest.raises(SettingsError) as caught:
        _load(kubernetes, stack, **more)
    return {named(p.path).removeprefix("supastack:"): f"{p.reason}; {p.fix}" for p in caught.value.problems}


def test_a_cluster_is_never_guessed() -> None:
    found = _problems({})
    assert found.keys() == {"kubernetes.kubeconfig", "kubernetes.context"}
    assert "pulumi config set --path supastack:kubernetes.context NAME --stack dev" in found["kubernetes.context"]


def test_kubeconfig_of_the_environment_counts_where_it_names_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/me/config")
    assert str(_load({"context": "c"}).kubernetes.kubeconfig) == "/home/me/config"
    assert _load(CLUSTER).kubernetes.kubeconfig == ROOT / "cluster/kubeconfig", "the settings' own comes first"
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(["/home/me/config", "/etc/config"]))
    assert "several files" in _problems({"context": "c"})["kubernetes.kubeconfig"]


def test_the_namespace_is_named_after_the_stack_where_it_can_be() -> None:
    assert _load(CLUSTER).kubernetes.namespace == "supastack-dev"
    assert _load({**CLUSTER, "namespace": "backend"}).kubernetes.namespace == "backend"
    assert _problems(CLUSTER, stack="My_Stack").keys() == {"kubernetes.namespace"}
    assert _load({**CLUSTER, "namespace": "mine"}, stack="My_Stack").kubernetes.namespace == "mine"


@pytest.mark.parametrize(
    ("exposure", "wrong"),
    [
        ({"kind": "loadbalancer"}, {"host"}),
        ({"kind": "loadbalancer", **HOST, "baseDomain": "example.com"}, {"baseDomain"}),
        ({"kind": "ingress", **HOST}, {"className"}),
        ({"kind": "gateway", **HOST}, {"gateway.name"}),
        ({"kind": "gateway"}, {"host", "gateway.name"}),
        ({"kind": "ingress", **HOST, "className": "nginx", "issuer": "ca"}, {"issuer"}),
        ({"kind": "gateway", **HOST, "gateway": {"name": "public"}, "issuer": "ca"}, {"issuer"}),
        ({"kind": "none", **HOST, "className": "nginx"}, {"host", "className"}),
    ],
)
def test_an_exposure_that_is_not_whole_is_refused_by_what_it_lacks(exposure: dict[str, Any], wrong: set[str]) -> None:
    assert _problems({**CLUSTER, "exposure": exposure}).keys() == {f"kubernetes.exposure.{name}" for name in wrong}


@pytest.mark.parametrize(
    "exposure",
    [
        {"kind": "loadbalancer", **HOST},
        {"kind": "ingress", "baseDomain": "example.com", "className": "nginx", "tlsSecret": "tls", "issuer": "ca"},
        {"kind": "gateway", **HOST, "gateway": {"name": "public", "namespace": "gateways", "section": "https"}},
        {"kind": "none"},
    ],
)
def test_a_whole_exposure_is_taken(exposure: dict[str, Any]) -> None:
    assert _load({**CLUSTER, "exposure": exposure}).warnings == ()


def test_without_a_gateway_there_is_nothing_to_expose() -> None:
    off = {"gateway": {"enabled": False}, "studio": {"enabled": False}}
    assert _problems({**CLUSTER, "exposure": {"kind": "loadbalancer", **HOST}}, supabase=off).keys() == {
        "kubernetes.exposure.kind"
    }
    assert _load({**CLUSTER, "exposure": {"kind": "none"}}, supabase=off)


def test_pods_are_counted_one_way_and_the_least_is_not_more_than_the_most() -> None:
    many = {"autoscaling": {"rest": {"minReplicas": 5, "maxReplicas": 4}, "auth": {}}, "replicas": {"auth": 2}}
    assert _problems({**CLUSTER, **many}).keys() == {"kubernetes.autoscaling.rest.minReplicas", "kubernetes.replicas.auth"}


def test_requests_above_limits_are_refused() -> None:
    wanted = {"cpuRequest": "1500m", "cpuLimit": "1", "memoryRequest": "64mb", "memoryLimit": "32mb"}
    found = _problems({**CLUSTER, "resources": {"rest": wanted}})
    assert found.keys() == {"kubernetes.resources.rest.cpuRequest", "kubernetes.resources.rest.memoryRequest"}
    assert _load({**CLUSTER, "resources": {"rest": {"cpuRequest": "1000m", "cpuLimit": "1"}}})


def test_none_of_it_is_asked_of_a_stack_on_docker() -> None:
    given = {"exposure": {"kind": "ingress"}, "autoscaling": {"rest": {"minReplicas": 5, "maxReplicas": 4}}}
    assert load(keyed({"kubernetes": given}), stack="dev")


def test_settings_of_the_other_target_are_said_to_have_no_effect() -> None:
    docker = load(keyed({"kubernetes": {"profile": "large", "namespace": "x"}}), stack="dev")
    assert sorted(docker.warnings) == [
        "supastack:kubernetes.namespace has no effect: target is docker",
        "supastack:kubernetes.profile has no effect: target is docker",
    ]
    cluster = _load(CLUSTER, docker={"host": "unix:///var/run/docker.sock"}, bindAddress="127.0.0.2")
    assert "supastack:docker.host has no effect: target is kubernetes" in cluster.warnings
    assert any("only where `make forward` listens" in line for line in cluster.warnings)


@pytest.mark.parametrize(
    ("kubernetes", "said"),
    [
        ({"replicas": {"postgres": 2}}, r"kubernetes\.replicas\.postgres = 2: postgres keeps data on a volume"),
        ({"replicas": {"storage": 2}}, r"kubernetes\.replicas\.storage = 2: storage keeps data on a volume"),
        ({"replicas": {"valkey": 3}}, r"kubernetes\.replicas\.valkey = 3: valkey keeps data"),
        ({"autoscaling": {"postgres": {}}}, r"kubernetes\.autoscaling\.postgres = 4: postgres keeps data"),
        ({"replicas": {"pooler": 2}}, r"kubernetes\.replicas\.pooler = 2: pooler can't run more than once"),
        ({"replicas": {"vector": 1}}, r"kubernetes\.replicas\.vector: vector does not run in this stack"),
        ({"volumeSizes": {"rest": "1gb"}}, r"kubernetes\.volumeSizes\.rest: rest keeps no data"),
        ({"volumeSizes": {"redis": "1gb"}}, r"kubernetes\.volumeSizes\.redis: redis does not run"),
        ({"resources": {"analytics": {}}}, r"kubernetes\.resources\.analytics: analytics does not run"),
    ],
)
def test_what_a_service_can_not_give_is_refused_before_anything_is_made(kubernetes: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        Plan(_load({**CLUSTER, **kubernetes}))


def test_what_services_can_give_is_taken() -> None:
    given = {
        "replicas": {"rest": 3, "postgres": 1},
        "autoscaling": {"auth": {}},
        "volumeSizes": {"postgres": "20gb", "valkey": "2gb"},
    }
    assert Plan(_load({**CLUSTER, **given})).kubernetes["replicas"] == {"rest": 3, "postgres": 1}


def test_files_of_storage_in_a_store_let_it_be_many() -> None:
    in_store = {"storage": {"backend": "s3", "bucket": "app"}}
    assert Plan(_load({**CLUSTER, "replicas": {"storage": 2}}, supabase=in_store))


@pytest.mark.parametrize("kind", ["gateway", "loadbalancer"])
def test_a_certificate_in_a_secret_is_for_an_ingress(kind: str) -> None:
    exposure = {"kind": kind, **HOST, "tlsSecret": "cert", "gateway": {"name": "shared"}}
    assert "kubernetes.exposure.tlsSecret" in _problems({**CLUSTER, "exposure": exposure})
    _load({**CLUSTER, "exposure": {"kind": "ingress", **HOST, "tlsSecret": "cert", "className": "traefik"}})


@pytest.mark.parametrize("kind", ["none", "loadbalancer"])
def test_namespaces_that_bring_clients_are_named_only_where_clients_come_by_them(kind: str) -> None:
    policy = {"networkPolicy": {"gatewayNamespaces": ["ingress"]}}
    exposure = {"kind": kind, **({} if kind == "none" else HOST)}
    assert _problems({**CLUSTER, **policy, "exposure": exposure}).keys() == {"kubernetes.networkPolicy.gatewayNamespaces"}
    _load({**CLUSTER, **policy, "exposure": {"kind": "gateway", **HOST, "gateway": {"name": "shared"}}})


def test_somebody_must_answer_names() -> None:
    nobody = {"networkPolicy": {"dns": {"namespaces": [], "cidrs": []}}}
    assert _problems({**CLUSTER, **nobody}).keys() == {"kubernetes.networkPolicy.dns.namespaces"}
    _load({**CLUSTER, "networkPolicy": {"dns": {"namespaces": []}}})


def test_the_login_of_a_registry_is_named_whole_and_is_not_where_only_the_stack_makes_things() -> None:
    half = {"imagePullSecret": {"name": "login"}}
    assert _problems({**CLUSTER, **half}).keys() == {"kubernetes.imagePullSecret.namespace"}
    own = {"namespace": "shop", "imagePullSecret": {"name": "login", "namespace": "shop"}}
    assert _problems({**CLUSTER, **own}).keys() == {"kubernetes.imagePullSecret.namespace"}
    _load({**CLUSTER, "imagePullSecret": {"name": "login", "namespace": "platform"}})
