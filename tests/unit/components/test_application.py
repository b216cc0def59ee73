"""Apps of the user's own: what they are given, where it stands, and the whole program with two of them."""

import json
import runpy

import pulumi
import pytest

from components import app_values
from components.application import Application, services
from components.endpoints import Endpoint
from components.plan import Plan, PlanError
from components.service import Secret, SecretKey, text
from components.services.app import app
from components.settings import load
from tests.clone_root import ROOT
from tests.conftest import holders_of, unwrapped
from tests.unit.components.placements import placement

BACKEND = {
    "image": "kpi-dashboard/backend:1.0",
    "port": 3000,
    "publish": "backend",
    "replicas": 3,
    "healthPath": "/health",
    "resources": {"memoryRequest": "256mb", "memoryLimit": "512mb", "cpuRequest": "250m", "cpuLimit": "500m"},
    "env": {"NODE_ENV": "production", "DATABASE_URL": "${POOLER_URL}", "DIRECT_URL": "${DB_URL}", "REDIS_URL": "${REDIS_URL}"},
    "secrets": {"supabase-secret": {"keys": {"database-url": "DATABASE_URL", "direct-url": "DIRECT_URL"}}},
}
FRONTEND = {
    "image": "kpi-dashboard/frontend:1.0",
    "port": 3001,
    "publish": "app",
    "env": {"REACT_APP_API_URL": "${BACKEND_URL}", "SUPABASE": "${INTERNAL_API_URL}", "PUBLIC": "${API_URL}"},
    "connects": ["kpi-backend"],
}
BOTH = {"kpi-backend": BACKEND, "kpi-frontend": FRONTEND}


def config(apps, target="docker", **more):
    given = {"supastack:apps": json.dumps(apps), "supastack:target": target, "supastack:imageSource": "local"}
    given["supastack:objectStorage"] = json.dumps({"fallback": "minio"})
    if target == "kubernetes":
        given["supastack:kubernetes"] = json.dumps({"kubeconfig": "cluster/kubeconfig", "context": "test"})
    return {**given, **{f"supastack:{name}": json.dumps(value) for name, value in more.items()}}


def plan(apps, target="docker", **more):
    return Plan(load(config(apps, target, **more), stack="dev"))


def one(apps, name, target="docker", **more):
    return next(service for service in plan(apps, target, **more).services["app"] if service.name == name)


# ---- what it is given ------------------------------------------------------------------------------------------------


def test_a_value_with_a_secret_in_it_is_carried_as_one_and_plain_ones_stand_as_they_are():
    backend = one(BOTH, "kpi-backend")
    assert backend.env["NODE_ENV"] == text("production")
    for variable in ("DATABASE_URL", "DIRECT_URL", "REDIS_URL"):
        assert backend.env[variable] == text(Secret(variable))


def test_secrets_are_kept_under_the_names_that_the_settings_give_them_the_others_in_the_apps_own():
    assert one(BOTH, "kpi-backend").secret_keys == {
        "DATABASE_URL": SecretKey("supabase-secret", "database-url"),
        "DIRECT_URL": SecretKey("supabase-secret", "direct-url"),
        "REDIS_URL": SecretKey("kpi-backend-env", "REDIS_URL"),
    }


def test_a_plain_variable_that_the_settings_keep_in_a_secret_is_kept_there():
    given = {"web": {"image": "a/b:1", "env": {"WHERE": "here"}, "secrets": {"mine": {"keys": {"where": "WHERE"}}}}}
    assert one(given, "web").env["WHERE"] == text(Secret("WHERE"))


def test_browsers_addresses_stay_public_and_the_way_inside_has_a_name_of_its_own():
    frontend = one(BOTH, "kpi-frontend")
    assert frontend.env["REACT_APP_API_URL"] == text("http://127.0.0.1:3026")
    assert frontend.env["PUBLIC"] == text("http://127.0.0.1:54321")
    assert frontend.env["SUPABASE"] == text("http://gateway:8000")


def test_what_it_refers_to_is_what_it_connects_to_and_nothing_else():
    assert {edge.capability for edge in one(BOTH, "kpi-backend").connects} == {"pooler", "postgres", "redis"}
    assert {edge.capability for edge in one(BOTH, "kpi-frontend").connects} == {"app-kpi-backend", "gateway"}


def test_in_a_cluster_without_a_public_name_the_api_is_inside_and_may_be_reached():
    given = {"web": {"image": "a/b:1", "env": {"URL": "${API_URL}"}}}
    assert {edge.capability for edge in one(given, "web", "kubernetes").connects} == {"gateway"}
    assert one(given, "web").connects == ()


@pytest.mark.parametrize(
    ("url", "moved"),
    [
        ("postgresql://u:p%40w@127.0.0.1:54322/postgres?a=b", "postgresql://u:p%40w@db:5432/postgres?a=b"),
        ("redis://:pw@127.0.0.1:6379", "redis://:pw@db:5432"),
        ("http://[::1]:9000", "http://db:5432"),
        ("no url", "no url"),
    ],
)
def test_a_url_leads_elsewhere_with_everything_else_as_it_was(url, moved):
    assert app_values.moved(url, Endpoint("db", 5432)) == moved


def test_ports_of_the_stacks_servers_are_those_that_it_reaches():
    given = {"web": {"image": "a/b:1", "env": {"AT": "${POSTGRES_PORT} ${APP_PORT} ${DB_URL.port}"}}}
    known = plan(given).application_args("web", placement())["known"]
    assert (known["POSTGRES_PORT"], known["APP_PORT"]) == ("5432", "3025")


def test_a_value_that_the_stack_lacks_is_refused_by_its_name():
    with pytest.raises(
        PlanError, match=r"supastack:apps\.kpi-backend\.env\.REDIS_URL refers to REDIS_URL, which this stack does not have"
    ):
        plan({"kpi-backend": BACKEND}, cache={"enabled": False})


def test_a_name_that_a_service_of_the_stack_has_is_refused():
    with pytest.raises(PlanError, match=r"apps\.psql-job|a service of the stack is called database-sync already"):
        plan({"database-sync": {"image": "a/b:1"}}, "kubernetes")


def test_what_it_may_use_and_how_it_ends():
    made = one(BOTH, "kpi-backend")
    assert made.resources.memory_mib == 512
    assert (made.drain, made.stop_grace, made.replicas, made.image.user) == (10, 30, 3, 1000)
    worker = app("worker", {**_complete("worker", {"image": "a/b:1"})}, {}, ())
    assert (worker.ports, worker.provides, worker.drain) == ((), {}, 0), "nobody sends it requests"


def _complete(name, settings):
    from components.setting_groups import complete

    return complete("apps", {name: settings})[name]


def test_an_app_without_an_image_is_refused_by_its_component():
    with pytest.raises(pulumi.InputPropertyError, match="an app needs an image"):
        services({"placement": placement(), "app": "web", "settings": {}})


# ---- the whole program -----------------------------------------------------------------------------------------------


def run(engine, given):
    pulumi.runtime.set_all_config(given, [])
    return engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))


@pytest.fixture(autouse=True)
def _no_config_left():
    yield
    pulumi.runtime.set_all_config({}, [])


def test_on_docker_each_is_one_container_behind_the_stacks_health_and_before_its_own(engine):
    recorder = run(engine, config(BOTH))
    backend = unwrapped(recorder.inputs("app-kpi-backend"))
    assert backend["name"] == "supastack-dev-app-kpi-backend"
    assert backend["ports"] == [{"internal": 3000.0, "external": 3026.0, "ip": "127.0.0.1"}]
    assert (backend["memory"], backend["cpus"]) == (512, "0.5")
    assert any("Checks::health" in urn for urn in recorder.requests["app-kpi-backend"].dependencies)
    first, own = (unwrapped(recorder.inputs(name))["parameters"] for name in ("health", "apps-health"))
    assert not set(first["containers"]) & set(own["containers"])
    assert own["asked"]["supastack-dev-app-kpi-backend"] == "http://127.0.0.1:3026/health"
    urls = {line.partition("=")[0]: line.partition("=")[2] for line in backend["envs"]}
    assert "@postgres:5432/" in urls["DIRECT_URL"]
    assert urls["REDIS_URL"].endswith("@valkey:6379")
    assert ":6543/" in urls["DATABASE_URL"]


def test_in_a_cluster_its_secrets_are_in_secrets_and_nowhere_else(engine):
    recorder = run(engine, config(BOTH, "kubernetes"))
    held = unwrapped(recorder.inputs("named-secret-supabase-secret"))
    assert held["metadata"]["name"] == "supabase-secret"
    assert set(held["data"]) == {"database-url", "direct-url"}
    for name, request in recorder.requests.items():
        if request.type.startswith("kubernetes:") and not request.type.endswith(":Secret"):
            assert "plain" not in holders_of("generated-", recorder.inputs(name)), name
    deployment = unwrapped(recorder.inputs("app-kpi-backend"))
    entries = {entry["name"]: entry for entry in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert entries["DATABASE_URL"]["valueFrom"]["secretKeyRef"] == {"name": "supabase-secret", "key": "database-url"}
    assert any("Checks::health" in urn for urn in recorder.requests["app-kpi-backend"].dependencies)
    assert {w["service"] for w in unwrapped(recorder.inputs("apps-health"))["parameters"]["workloads"]} == set(BOTH)


def test_a_secret_of_an_app_that_is_renamed_stays_the_same_resource_and_is_found_in_older_states(engine):
    def secret(recorder):
        return next(r for r in recorder.requests.values() if r.name == "named-secret-supabase-secret")

    (app, settings) = next((n, s) for n, s in BOTH.items() if n == "kpi-backend")
    found = secret(run(engine, config({f"{app}-2": settings}, "kubernetes")))
    # Its URN has its parent's type, and no name of an app.
    assert found.parent.endswith("supastack:index:Application::app-kpi-backend-2")
    assert [alias.spec.name for alias in found.aliases] == ["app-kpi-backend-2-secret-supabase-secret"]


def test_two_apps_share_nothing_but_what_their_settings_say(engine):
    recorder = run(engine, config(BOTH, "kubernetes"))
    assert {"app-kpi-backend", "app-kpi-frontend"} <= set(recorder.outputs)
    assert "app-kpi-backend-mark" in recorder.requests
    assert "app-kpi-frontend-mark" not in recorder.requests, "it has no secret"
    assert unwrapped(recorder.outputs["app-kpi-frontend"])["url"] == "http://kpi-frontend.supastack-dev.svc.cluster.local:3001"


def test_the_output_of_the_apps_tells_where_each_is_reached_and_its_health_path(engine, monkeypatch):
    told = {}
    monkeypatch.setattr(pulumi, "export", told.__setitem__)
    apps = {**BOTH, "worker": {"image": "a/b:1"}, "inner": {"image": "a/b:1", "port": 80}}
    run(engine, config(apps))
    assert told["APPS"] == {
        "inner": {},
        "kpi-backend": {"url": "http://127.0.0.1:3026", "healthPath": "/health"},
        "kpi-frontend": {"url": "http://127.0.0.1:3025"},
        "worker": {},
    }


def test_in_a_cluster_an_app_is_told_by_its_public_name_else_by_the_clusters_published_or_not():
    given = plan({**BOTH, "worker": {"image": "a/b:1"}, "inner": {"image": "a/b:1", "port": 80}}, "kubernetes")
    at = "svc.cluster.local"
    assert {app: told.get("url") for app, told in given.app_addresses.items()} == {
        "inner": f"http://inner.supastack-dev.{at}:80",
        "kpi-backend": f"http://kpi-backend.supastack-dev.{at}:3000",
        "kpi-frontend": f"http://kpi-frontend.supastack-dev.{at}:3001",
        "worker": None,
    }
    exposure = {"kind": "gateway", "host": "example.com", "gateway": {"name": "public", "namespace": "gateways"}}
    kubernetes = {"kubeconfig": "cluster/kubeconfig", "context": "test", "exposure": exposure}
    exposed = plan({"shop": {**BACKEND, "host": "api.example.com"}}, "kubernetes", kubernetes=kubernetes)
    assert exposed.app_addresses == {"shop": {"url": "https://api.example.com", "healthPath": "/health"}}


def test_the_component_stands_alone(engine):
    args = {"placement": placement(), "app": "web", "settings": {"image": "a/b:1", "port": 80, "publish": "app"}}
    recorder = engine(lambda: Application("shop-web", args))
    assert {"shop-web", "shop-web-image"} <= set(recorder.requests)
    assert unwrapped(recorder.outputs["shop-web"])["url"] == "http://127.0.0.1:3025"


def test_the_toolchain_is_told_of_its_image_but_not_to_judge_the_registries_by_it():
    from components.describe import describe

    told = describe(load(config({"web": {"image": "registry.example.com/web:1", "port": 80, "hostPort": 8099}}), stack="dev"))
    image = next(i for i in told["images"] if i["role"] == "app-web")
    assert (image["reference"], image["setting"]) == ("registry.example.com/web:1", "supastack:apps.web.image")
    assert "registry.example.com" not in told["registries"]
    assert {"name": "apps.web", "port": 8099, "bind": "127.0.0.1"} in told["ports"]


def test_a_port_of_its_own_is_moved_by_its_own_setting():
    (port,) = [p for p in plan({"web": {"image": "a/b:1", "port": 80, "hostPort": 8099}}).ports if p.service == "web"]
    assert port.setting == "apps.web.hostPort"


def test_every_value_that_the_stack_has_can_be_referred_to(engine):
    more = {
        "plainDatabase": {"enabled": True, "pgbouncer": {"enabled": True}},
        "supabase": {"database": {"testSchema": "test"}},
    }
    names = sorted(plan({}, **more).values)
    env = {f"V_{name}": f"${{{name}}}" for name in names}
    recorder = run(
        engine,
        config({"web": {"image": "a/b:1", "env": env}}, **more),
    )
    given = dict(line.partition("=")[::2] for line in unwrapped(recorder.inputs("app-web"))["envs"])
    assert set(env) <= set(given)
    assert given["V_PGBOUNCER_URL"].partition("@")[2].startswith("pgbouncer:6432/")
    assert given["V_TEST_DIRECT_URL"].partition("@")[2].startswith("postgres:5432/")
    assert given["V_TEST_DATABASE_URL"].partition("@")[2].startswith("pooler:6543/")


@pytest.mark.parametrize("name", ["supabase-database", "auth-env", "worker-env", "postgres-secret-files"])
def test_a_secret_that_the_stack_makes_itself_is_no_apps(name):
    apps = {
        "web": {"image": "a/b:1", "env": {"URL": "${DB_URL}"}, "secrets": {name: {"keys": {"url": "URL"}}}},
        "worker": {"image": "a/b:1"},
    }
    with pytest.raises(PlanError, match=rf"apps\.web\.secrets\.{name}: the stack makes a Secret of that name itself"):
        plan(apps, "kubernetes")


@pytest.mark.parametrize("name", ["supabase-secret", "web-env"])
def test_a_secret_of_another_name_and_the_apps_own_are(name):
    apps = {"web": {"image": "a/b:1", "env": {"URL": "${DB_URL}"}, "secrets": {name: {"keys": {"url": "URL"}}}}}
    assert plan(apps, "kubernetes").services["app"]


def test_the_passwords_that_apps_may_use_stay_when_the_last_of_them_goes(engine):
    """They are protected, so an up without them would fail."""
    recorder = run(engine, config({}, envFiles={}))
    assert {"app-setup-password", "app-admin-password"} <= set(recorder.requests)


def test_on_docker_it_is_said_that_an_app_may_call_whatever_it_wants():
    warned = load(config({"web": {"image": "a/b:1", "internet": False}}), stack="dev").warnings
    assert any("apps.web.internet is false, which holds on Kubernetes alone" in line for line in warned)
