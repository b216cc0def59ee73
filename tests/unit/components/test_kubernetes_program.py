"""The whole program for a stack in a cluster, under a mocked engine: its ground, its checks, its URLs."""

import json
import runpy

import pulumi
import pytest

from components.plan import Plan
from components.settings import load
from tests.clone_root import ROOT
from tests.conftest import holders_of, unwrapped

NAMESPACE = "kubernetes:core/v1:Namespace"
INSIDE = "supastack-dev.svc.cluster.local"


def config(exposure=None, **more):
    kubernetes = {"kubeconfig": "cluster/kubeconfig", "context": "supastack", "exposure": exposure or {"kind": "none"}}
    return {
        "supastack:target": "kubernetes",
        "supastack:imageSource": "local",
        "supastack:objectStorage": json.dumps({"fallback": "minio"}),
        "supastack:kubernetes": json.dumps({**kubernetes, **more}),
    }


def run(engine, given):
    pulumi.runtime.set_all_config(given, [])
    return engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))


@pytest.fixture(autouse=True)
def _no_config_left():
    yield
    pulumi.runtime.set_all_config({}, [])


def values(exposure=None, supabase=None, **more):
    given = config(exposure, **more)
    if supabase:
        given["supastack:supabase"] = json.dumps(supabase)
    return Plan(load(given, stack="dev")).values


# ---- ground ----------------------------------------------------------------------------------------------------------


def test_the_provider_names_its_cluster_and_never_changes_its_identity(engine):
    recorder = run(engine, config())
    provider = recorder.inputs("kubernetes")
    # The wire of a provider's inputs is text.
    assert provider["kubeconfig"] == "cluster/kubeconfig", "one inside the project is the same for every clone"
    assert provider["context"] == "supastack"
    assert provider["clusterIdentifier"] == "supastack-dev"
    assert provider["enableServerSideApply"] in (True, "true")


def test_a_kubeconfig_elsewhere_is_named_by_its_whole_path(engine):
    recorder = run(engine, config(kubeconfig="/home/me/.kube/config"))
    assert recorder.inputs("kubernetes")["kubeconfig"] == "/home/me/.kube/config"


def test_nothing_of_docker_is_made_in_a_cluster_and_nothing_of_a_cluster_on_docker(engine):
    recorder = run(engine, config())
    assert not [r.type for r in recorder.requests.values() if "docker" in r.type]


@pytest.mark.parametrize("rest", [{}, {"endpoint": "https://s3.example.com", "accessKey": "app-key"}])
def test_an_external_object_store_that_is_turned_off_needs_neither_address_nor_keys_in_a_cluster(engine, rest):
    off = {"enabled": False, "engine": "external", **rest}
    recorder = run(engine, {**config(), "supastack:objectStorage": json.dumps(off)})
    of_the_store = {name: request.type for name, request in recorder.requests.items() if name.startswith("objects")}
    assert {kind for kind in of_the_store.values() if kind.startswith("kubernetes:")} == set()
    assert recorder.requests["objects-secret-key"].protect, "what is protected can't leave the program"


def test_nothing_is_made_in_the_cluster_before_the_checks_have_passed(engine):
    recorder = run(engine, config())
    namespace = recorder.of_type(NAMESPACE)
    assert list(namespace) == ["namespace"]
    assert any(d.endswith("Checks::checks") for d in namespace["namespace"].dependencies)
    for name, request in recorder.requests.items():
        if request.type.startswith("kubernetes:") and name != "namespace":
            assert any("Namespace::namespace" in d or "NetworkPolicy" in d for d in request.dependencies), name


def test_nothing_takes_a_property_from_the_load_balancer_which_may_be_made_anew(engine):
    """Where it is deleted first, the engine has all that takes one compared as if that were not known: the database, too."""
    recorder = run(engine, config({"kind": "loadbalancer", "host": "api.example.com", "className": "example.com/metal"}))
    (balancer,) = (name for name, request in recorder.requests.items() if request.replaceOnChanges)
    assert recorder.requests[balancer].deleteBeforeReplace
    for name, request in recorder.requests.items():
        assert not [urn for urn in request.dependencies if urn.endswith(f"::{balancer}")], name


def test_the_namespace_outlives_the_stack_since_the_claims_are_in_it(engine):
    request = run(engine, config()).requests["namespace"]
    assert request.protect
    assert request.retainOnDelete


def test_every_workload_is_behind_the_health_gate(engine):
    recorder = run(engine, config())
    kinds = {"kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet", "kubernetes:batch/v1:Job"}
    made = {name for name, request in recorder.requests.items() if request.type in kinds}
    watched = unwrapped(recorder.inputs("health"))["parameters"]["workloads"]
    assert {f"{w['component']}-{w['service']}" for w in watched} == made
    assert {w["service"] for w in watched if w["optional"]} >= {"studio", "imgproxy", "mail"}


def test_no_secret_is_told_to_the_checks_of_a_cluster(engine):
    recorder = run(engine, config())
    for name in ("checks", "health"):
        assert holders_of("generated-", recorder.inputs(name)) == set()


def test_the_probe_is_told_where_it_looks_and_what_the_cluster_must_have(engine):
    exposure = {"kind": "gateway", "host": "api.example.com", "gateway": {"name": "public", "section": "https"}}
    recorder = run(engine, config(exposure, storageClass="fast", autoscaling={"rest": {}}))
    told = unwrapped(recorder.inputs("checks"))["parameters"]
    assert told["kubeconfig"] == str(ROOT / "cluster/kubeconfig")
    assert (told["context"], told["namespace"], told["instance"]) == ("supastack", "supastack-dev", "supastack-dev")
    assert [k["group"] for k in told["kinds"]] == ["gateway.networking.k8s.io"]
    assert {(o["what"], o["name"], o.get("section")) for o in told["objects"]} == {
        ("StorageClass", "fast", None),
        ("Gateway", "public", "https"),
    }
    assert not told["default_storage"]
    assert {"postgres-data-postgres-0", "data-valkey-0"} <= {c["name"] for c in told["claims"]}
    rights = {(group, resource) for group, resource, _ in told["rights"]}
    assert {("autoscaling", "horizontalpodautoscalers"), ("gateway.networking.k8s.io", "httproutes")} <= rights


# ---- where things are ------------------------------------------------------------------------------------------------


def test_without_exposure_all_urls_are_the_clusters(engine):
    recorder = run(engine, config())
    outputs = unwrapped(recorder.outputs["supabase"])
    assert outputs["api_url"] == f"http://gateway.{INSIDE}:8000"
    assert outputs["studio_url"] == f"http://gateway.{INSIDE}:8100"
    assert outputs["db_url"].endswith(f"@postgres.{INSIDE}:5432/postgres")
    assert unwrapped(recorder.outputs["cache"])["url"].endswith(f"@valkey.{INSIDE}:6379")
    assert unwrapped(recorder.outputs["objects"])["endpoint"] == f"http://minio.{INSIDE}:9000"


def test_an_env_file_has_the_ports_that_stand_in_its_urls():
    found = values()
    assert (found["POSTGRES_PORT"], found["API_PORT"]) == ("5432", "8000")
    assert found["APP_PORT"] == "3025", "the app's own is on this machine"


@pytest.mark.parametrize(
    ("exposure", "url"),
    [
        ({"kind": "gateway", "host": "api.example.com", "gateway": {"name": "public"}}, "https://api.example.com"),
        ({"kind": "ingress", "host": "api.example.com", "className": "nginx"}, "http://api.example.com"),
        ({"kind": "ingress", "host": "api.example.com", "className": "nginx", "tlsSecret": "tls"}, "https://api.example.com"),
        ({"kind": "loadbalancer", "host": "api.example.com"}, "http://api.example.com"),
    ],
)
def test_the_public_url_is_everywhere_that_clients_are_told_one(engine, exposure, url):
    recorder = run(engine, config(exposure))
    outputs = unwrapped(recorder.outputs["supabase"])
    assert (outputs["api_url"], outputs["studio_url"]) == (url, url)
    assert outputs["db_url"].endswith(f"@postgres.{INSIDE}:5432/postgres"), "only the gateway is exposed"
    env = {}
    for service in ("auth", "storage", "studio", "functions"):
        (container,) = unwrapped(recorder.inputs(f"supabase-{service}"))["spec"]["template"]["spec"]["containers"]
        env |= {e["name"]: e.get("value") for e in container["env"]}
    assert env["API_EXTERNAL_URL"] == f"{url}/auth/v1"
    assert env["GOTRUE_SITE_URL"] == url
    assert env["SUPABASE_PUBLIC_URL"] == url
    assert env["STORAGE_PUBLIC_URL"] == url


def test_below_a_base_domain_each_stack_has_the_name_of_its_reference():
    exposure = {"kind": "loadbalancer", "baseDomain": "example.com"}
    assert values(exposure, supabase={"projectRef": "myref"})["API_URL"] == "http://myref.example.com"
    derived = values(exposure)
    assert derived["API_URL"] == f"http://{derived['PROJECT_REF']}.example.com"


def test_what_the_settings_say_of_urls_comes_before_the_exposure():
    exposure = {"kind": "gateway", "host": "api.example.com", "gateway": {"name": "public"}}
    own = {"gateway": {"publicUrl": "https://front.example.com"}, "auth": {"siteUrl": "https://app.example.com"}}
    found = values(exposure, supabase=own)
    assert (found["API_URL"], found["SITE_URL"]) == ("https://front.example.com", "https://app.example.com")


def test_a_site_without_a_setting_is_the_public_url_and_else_the_app_on_this_machine():
    exposure = {"kind": "loadbalancer", "host": "api.example.com"}
    assert values(exposure)["SITE_URL"] == "http://api.example.com"
    assert values()["SITE_URL"] == values()["APP_URL"] == "http://127.0.0.1:3025"
