"""The whole program under a mocked engine: what it registers, and that wrong settings register nothing."""

import json
import runpy

import pulumi
import pytest

from components.supabase_settings.override import SERVICES
from tests.clone_root import ROOT
from tests.conftest import holders_of, unwrapped

CONTAINER = "docker:index/container:Container"
LOCAL = {"supastack:imageSource": "local", "supastack:objectStorage": json.dumps({"fallback": "minio"})}

THE_STACK_ITSELF = {"supastack-dev"}
# Sessions, sealed data and clients' keys depend on them.
SUPABASE_SECRETS = (
    *("database-password", "jwt-secret", "publishable-key", "secret-key", "signing-key", "dashboard-password", "secret-key-base"),
    *("realtime-db-enc-key", "vault-enc-key", "pg-meta-crypto-key", "s3-protocol-access-key-id", "s3-protocol-access-key-secret"),
    *("logflare-public-access-token", "logflare-private-access-token"),
)


def run(engine, config, secret=()):
    pulumi.runtime.set_all_config(config, list(secret))
    return engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))


@pytest.fixture(autouse=True)
def _no_config_left():
    yield
    pulumi.runtime.set_all_config({}, [])


def test_the_stack_has_a_whole_supabase_but_the_logs_a_cache_and_an_object_store(engine):
    recorder = run(engine, LOCAL)
    supabase = {f"supabase-{name}" for name in SERVICES if name not in ("analytics", "vector")}
    assert set(recorder.of_type(CONTAINER)) == {"cache-valkey", "objects-buckets", "objects-minio"} | supabase


def test_nothing_is_placed_before_the_checks_have_passed(engine):
    recorder = run(engine, LOCAL)
    order = list(recorder.requests)
    first = next(i for i, n in enumerate(order) if recorder.requests[n].type.startswith("docker:index/"))
    placed = {
        n
        for n, r in recorder.requests.items()
        if r.type in {CONTAINER, "docker:index/volume:Volume", "docker:index/network:Network"}
    }
    assert order.index("checks") < first or all(order.index("checks") < order.index(n) for n in placed)
    for name in placed:
        assert any(d.endswith("Checks::checks") for d in all_dependencies(recorder, name)), name


def all_dependencies(recorder, name):
    """URNs that a resource waits for, directly or by another one."""
    urns = {r.rsplit("::", 1)[-1]: r for r in (d for q in recorder.requests.values() for d in q.dependencies)}
    seen, todo = set(), list(recorder.requests[name].dependencies)
    while todo:
        urn = todo.pop()
        if urn in seen:
            continue
        seen.add(urn)
        other = urn.rsplit("::", 1)[-1]
        if other in recorder.requests and other in urns:
            todo += recorder.requests[other].dependencies
    return seen


def test_every_container_is_behind_the_health_gate(engine):
    recorder = run(engine, LOCAL)
    watched = set(unwrapped(recorder.inputs("health"))["parameters"]["containers"])
    assert watched == {recorder.inputs(n)["name"] for n in recorder.of_type(CONTAINER)}


def test_the_env_file_is_written_only_behind_the_health_gate(engine):
    recorder = run(engine, LOCAL)
    assert any(d.endswith("::health") for d in recorder.requests["env-nextjs"].dependencies)


def test_the_id_and_all_that_guards_data_are_protected(engine):
    recorder = run(engine, LOCAL)
    kept = {n for n, r in recorder.requests.items() if r.protect}
    assert kept == {
        "stack-id",
        "data",
        "app-admin-password",
        "app-setup-password",
        "objects-access-key",
        "objects-data",
        "objects-root-password",
        "objects-root-user",
        "objects-secret-key",
        *(f"supabase-{spec}" for spec in SUPABASE_SECRETS),
        "supabase-functions-code",
        "supabase-postgres-config",
        "supabase-postgres-data",
        "supabase-storage-data",
        "supabase-studio-snippets",
        "cache-data",
    }


def test_no_secret_is_told_to_the_checks(engine):
    recorder = run(engine, LOCAL)
    for name in ("checks", "health"):
        assert holders_of("generated-", recorder.inputs(name)) == set()


@pytest.mark.parametrize(
    ("config", "secret", "named"),
    [
        ({"supastack:targt": "docker"}, (), "supastack:targt"),
        ({"supastack:instance": "13"}, (), "supastack:instance"),
        ({"supastack:adminPassword": "hunter2hunter2"}, (), "supastack:adminPassword"),
        ({"supastack:target": "managed"}, (), "supastack:supabase.managed.ref"),
        ({"supastack:target": "kubernetes"}, (), "supastack:kubernetes.context"),
        ({"supastack:cache": json.dumps({"engine": "memcached"})}, (), "supastack:cache.engine"),
        ({"supastack:imageSource": "local"}, (), "supastack:objectStorage.engine"),
    ],
)
def test_wrong_settings_are_refused_with_their_key_and_register_nothing(engine, config, secret, named):
    with pytest.raises(pulumi.RunError, match=named) as refused:
        run(engine, config, secret)
    assert "hunter2" not in str(refused.value)
    assert set(engine.recorder.requests) <= THE_STACK_ITSELF


def test_what_is_turned_off_does_not_run_and_keeps_its_data_and_its_password(engine):
    off = {"supastack:cache": json.dumps({"enabled": False}), "supastack:supabase": json.dumps({"enabled": False})}
    recorder = run(engine, {**LOCAL, **off})
    assert sorted(recorder.of_type(CONTAINER)) == ["objects-buckets", "objects-minio"]
    for kept in ("cache-data", "supabase-postgres-data", "supabase-postgres-config", "supabase-database-password"):
        assert recorder.requests[kept].protect, kept
    watched = unwrapped(recorder.inputs("health"))["parameters"]["containers"]
    assert not [name for name in watched if "cache" in name or "postgres" in name]
    assert "DATABASE_URL" not in unwrapped(recorder.inputs("env-nextjs"))["values"]


@pytest.mark.parametrize("rest", [{}, {"endpoint": "https://s3.example.com", "accessKey": "app-key"}])
def test_an_external_object_store_that_is_turned_off_needs_neither_address_nor_keys(engine, rest):
    off = json.dumps({"enabled": False, "engine": "external", **rest})
    whole = json.dumps({"mine": {"variables": {"STORE": "${S3_ENDPOINT}", "ID": "${INSTANCE_ID}"}}})
    recorder = run(engine, {**LOCAL, "supastack:objectStorage": off, "supastack:envFiles": whole})
    assert not [name for name in recorder.of_type(CONTAINER) if name.startswith("objects-")]
    assert set(unwrapped(recorder.inputs("env-mine"))["values"]) == {"ID"}
    assert recorder.requests["objects-secret-key"].protect, "what is protected can't leave the program"


OWN = {"databasePassword": "MyOwnPassword1", "adminPassword": "MyOwnPassword2", "setupPassword": "MyOwnPassword3"}


def test_a_secret_of_the_users_own_is_used_and_stays_secret_everywhere(engine):
    config = {f"supastack:{name}": value for name, value in OWN.items()}
    recorder = run(engine, {**LOCAL, **config}, list(config))
    assert holders_of("MyOwnPassword1", recorder.inputs("supabase-postgres")) == {"secret"}
    assert holders_of("MyOwnPassword2", recorder.inputs("env-nextjs")) == {"secret"}
    assert holders_of("MyOwnPassword", recorder.inputs("env-files-check")) == {"secret"}, "told, so that it can be refused early"
    for name in recorder.requests:
        assert "plain" not in holders_of("MyOwnPassword", recorder.inputs(name)), name


def test_a_secret_that_is_given_later_takes_no_protected_resource_away(engine):
    config = {"supastack:databasePassword": "MyOwnPassword1", "supastack:stackId": "00112233445566aa"}
    recorder = run(engine, {**LOCAL, **config}, ["supastack:databasePassword"])
    assert recorder.requests["supabase-database-password"].protect
    assert recorder.requests["stack-id"].protect
    labels = {e["label"]: e["value"] for e in unwrapped(recorder.inputs("cache-data"))["labels"]}
    assert labels["supastack.stack-id"] == "00112233445566aa"


def test_the_volume_of_another_engine_is_the_same_volume(engine):
    recorder = run(engine, {**LOCAL, "supastack:cache": json.dumps({"engine": "redis"})})
    assert recorder.inputs("cache-data")["name"] == "supastack-dev-cache-data"


def test_an_app_without_a_template_is_refused_before_anything_is_registered(engine):
    with pytest.raises(pulumi.RunError, match=r"supastack:envFiles\.shop: there is no such app"):
        run(engine, {**LOCAL, "supastack:envFiles": json.dumps({"shop": {}})})
    assert set(engine.recorder.requests) <= THE_STACK_ITSELF
