"""A managed Supabase project: its outputs as plain texts, and the whole program with one."""

import inspect
import json
import runpy

import pulumi
import pytest

from components import managed
from components.encode import encode
from components.foundation import Ground, _ground
from components.plan import Plan
from components.service import Secret
from components.services import secret_names as names
from components.setting_types import Target
from components.settings import load
from components.supabase_stack import SupabaseStack
from tests.clone_root import ROOT
from tests.conftest import holders_of, unwrapped

REF = "abcdefghijklmnopqrst"
POOLER = "aws-1-eu-central-2.pooler.supabase.com"
PASSWORD = "p@ss:word/%?#"
SAFE = "p%40ss%3Aword%2F%25%3F%23"
OFF = {"enabled": False}
ALONE = {"target": "managed", "cache": OFF, "objectStorage": OFF, "envFiles": {}}


def told(settings, has=(names.DATABASE_PASSWORD,), **secrets):
    """The outputs, with a password in them."""
    values = {names.DATABASE_PASSWORD: PASSWORD, **secrets}
    texts = managed.outputs(managed.Project.of({"ref": REF, **settings}, "/srv/shop"), {*has, *secrets})
    return {
        name: "".join(encode(values[p.name], p.encoding) if isinstance(p, Secret) else str(p) for p in text.parts)
        for name, text in texts.items()
    }


def test_the_urls_are_where_the_platform_has_them_and_the_password_is_percent_encoded():
    assert told({"poolerHost": POOLER}) == {
        "PROJECT_REF": REF,
        "API_URL": f"https://{REF}.supabase.co",
        "REST_URL": f"https://{REF}.supabase.co/rest/v1",
        "GRAPHQL_URL": f"https://{REF}.supabase.co/graphql/v1",
        "FUNCTIONS_URL": f"https://{REF}.supabase.co/functions/v1",
        "STORAGE_S3_URL": f"https://{REF}.storage.supabase.co/storage/v1/s3",
        "STUDIO_URL": f"https://supabase.com/dashboard/project/{REF}",
        "S3_PROTOCOL_REGION": "eu-central-2",
        "DB_URL": f"postgresql://postgres:{SAFE}@db.{REF}.supabase.co:5432/postgres?sslmode=require",
        "POOLER_URL": f"postgresql://postgres.{REF}:{SAFE}@{POOLER}:6543/postgres?pgbouncer=true&sslmode=require",
        "POOLER_SESSION_URL": f"postgresql://postgres.{REF}:{SAFE}@{POOLER}:5432/postgres?sslmode=require",
    }


def test_the_urls_of_seed_001_can_be_said_as_it_has_them():
    found = told({"poolerHost": POOLER, "poolerUser": "postgres", "databaseHost": "aws-1-eu-central-2.supabase.com"})
    assert found["POOLER_URL"].startswith(f"postgresql://postgres:{SAFE}@{POOLER}:6543/postgres?pgbouncer=true")
    assert found["DB_URL"].startswith(f"postgresql://postgres:{SAFE}@aws-1-eu-central-2.supabase.com:5432/postgres")


def test_a_network_without_ipv6_can_have_the_poolers_session_for_the_direct_url():
    found = told({"poolerHost": POOLER, "databaseHost": POOLER, "databaseUser": f"postgres.{REF}"})
    assert found["DB_URL"] == found["POOLER_SESSION_URL"]
    assert f"postgres.{REF}:" in found["POOLER_URL"]


def test_the_first_replica_is_read_from_and_all_are_told():
    found = told({"readReplicas": ["r1.example.com", "[2001:db8::7]:5433"]})
    assert found["READ_URL"] == f"postgresql://postgres:{SAFE}@r1.example.com:5432/postgres?sslmode=require"
    assert found["READ_URLS"].split(",") == [
        found["READ_URL"],
        f"postgresql://postgres:{SAFE}@[2001:db8::7]:5433/postgres?sslmode=require",
    ]
    assert "READ_URL" not in told({})


def test_an_authority_makes_the_connections_verified_by_its_file():
    found = told({"caCertificate": "certs/prod ca,2021.crt", "poolerHost": POOLER})
    assert found["DB_URL"].endswith("?sslmode=verify-full&sslrootcert=/srv/shop/certs/prod%20ca%2C2021.crt")
    assert found["POOLER_URL"].endswith("?pgbouncer=true&sslmode=verify-full&sslrootcert=/srv/shop/certs/prod%20ca%2C2021.crt")
    elsewhere = told({"caCertificate": "ca.crt", "sslRootCert": "/etc/ssl/supabase.crt", "sslmode": "require"})
    assert elsewhere["DB_URL"].endswith("?sslmode=require&sslrootcert=/etc/ssl/supabase.crt")


def test_keys_are_told_only_where_they_are_given_and_no_url_without_the_password():
    found = told({"poolerHost": POOLER}, has=())
    assert not {name for name in found if "KEY" in name or "POOLER" in name or "DB" in name or name == "JWT_SECRET"}
    given = told({}, **dict.fromkeys(managed.KEYS.values(), "given"))
    assert {name for name, value in given.items() if value == "given"} == set(managed.KEYS)


def test_a_pooler_of_another_name_says_no_region():
    assert managed.region_of("aws-0-us-east-1.pooler.supabase.com") == "us-east-1"
    assert managed.region_of("pooler.example.com") is None
    assert managed.region_of(None) is None


# -- the whole program -----------------------------------------------------------------------------------------------


def configured(settings, more=None):
    supabase = {"managed": {"ref": REF, **settings}, "database": {"testSchema": "test"}}
    config = {**ALONE, "supabase": supabase, **(more or {})}
    return {f"supastack:{name}": value if isinstance(value, str) else json.dumps(value) for name, value in config.items()}


def run(engine, config, **secrets):
    given = {f"supastack:{name}": value for name, value in {"databasePassword": PASSWORD, **secrets}.items()}
    pulumi.runtime.set_all_config({**config, **given}, list(given))
    return engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))


@pytest.fixture(autouse=True)
def _no_config_left():
    yield
    pulumi.runtime.set_all_config({}, [])


def test_nothing_is_made_but_what_is_the_stacks_own(engine):
    recorder = run(engine, configured({"poolerHost": POOLER}, {"envFiles": {"kpi": {}}}))
    own = {"stack-id", "data", "env-files-check", "supabase", "app-setup-password", "app-admin-password", "env-kpi"}
    assert set(recorder.requests) - {"supastack-dev"} == own
    assert not [r for r in recorder.requests.values() if r.type.startswith("pulumi:providers:")]


def test_the_outputs_are_the_projects_and_its_secrets_stay_secret(engine):
    recorder = run(engine, configured({"poolerHost": POOLER}, {"envFiles": {"kpi": {}}}))
    outputs = recorder.outputs["supabase"]
    assert (
        unwrapped(outputs)["pooler_url"]
        == f"postgresql://postgres.{REF}:{SAFE}@{POOLER}:6543/postgres?pgbouncer=true&sslmode=require"
    )
    assert unwrapped(outputs)["api_url"] == f"https://{REF}.supabase.co"
    assert set(outputs) == set(SupabaseStack.__annotations__), "declared, whether there is something to tell or not"
    assert {unwrapped(outputs)[name] for name in ("anon_key", "mcp_url", "jwks", "dashboard_password")} == {""}
    assert holders_of(SAFE, outputs) == {"secret"}
    values = recorder.inputs("env-kpi")["values"]
    assert holders_of(SAFE, values) == {"secret"}
    assert unwrapped(values)["DATABASE_URL"] == unwrapped(outputs)["pooler_url"]
    assert unwrapped(values)["TEST_DIRECT_URL"] == unwrapped(outputs)["db_url"] + "&schema=test"


STORE = {"engine": "external", "endpoint": "https://s3.example.com", "accessKey": "app-key"}
OF_THE_STORE = {f"objects-{secret}" for secret in ("root-user", "root-password", "access-key", "secret-key")}


def test_an_external_object_store_keeps_nothing_protected_so_that_it_can_go(engine):
    recorder = run(engine, configured({}, {"objectStorage": STORE}), objectStorageSecretKey="secret-key")
    protected = {name for name, request in recorder.requests.items() if request.protect}
    assert protected == {"stack-id", "data", "app-setup-password", "app-admin-password"}


@pytest.mark.parametrize("rest", [STORE, {"engine": "external"}])
def test_turning_an_external_object_store_off_lets_go_of_what_an_earlier_state_has_protected(engine, rest):
    recorder = run(engine, configured({}, {"objectStorage": {**rest, **OFF}}))
    assert {name: request.protect for name, request in recorder.requests.items() if name.startswith("objects-")} == dict.fromkeys(
        OF_THE_STORE, False
    )


def test_prisma_is_told_to_verify_in_its_own_words(engine, tmp_path):
    ca = tmp_path / "ca.crt"
    ca.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    recorder = run(engine, configured({"poolerHost": POOLER, "caCertificate": str(ca)}, {"envFiles": {"kpi": {}}}))
    values = unwrapped(recorder.inputs("env-kpi"))["values"]
    assert values["DATABASE_URL"].endswith(f"?pgbouncer=true&sslmode=require&sslaccept=strict&sslcert={ca}")
    assert values["TEST_DIRECT_URL"].endswith(f"?sslmode=require&sslaccept=strict&sslcert={ca}&schema=test")
    assert unwrapped(recorder.outputs["supabase"])["db_url"].endswith(f"?sslmode=verify-full&sslrootcert={ca}")


def test_a_managed_project_stands_beside_a_cache_of_the_stacks_own(engine):
    config = configured({}, {"target": "docker", "cache": {}, "imageSource": "local"})
    recorder = run(engine, config)
    assert set(recorder.of_type("docker:index/container:Container")) == {"cache-valkey"}
    assert not [name for name in recorder.requests if name.startswith("supabase-")], "no secret of the project's is made"
    assert unwrapped(recorder.outputs["supabase"])["project_ref"] == REF


def test_a_stack_that_runs_nothing_says_what_others_run():
    settings = load(
        {
            **configured({"poolerHost": POOLER, "readReplicas": ["r1.example.com"]}),
            "supastack:objectStorage": {"engine": "external", "endpoint": "https://s3.example.com", "accessKey": "app-key"},
            "supastack:objectStorageSecretKey": "secret-key",
            "supastack:databasePassword": PASSWORD,
        },
        stack="dev",
        secret_keys=["supastack:databasePassword", "supastack:objectStorageSecretKey"],
    )
    plan = Plan(settings)
    assert [note for note in plan.notes if "others run" in note] == [
        f"others run the Supabase project {REF} in eu-central-2 (database db.{REF}.supabase.co:5432, pooler {POOLER}:6543, "
        "1 read replica): nothing is created there",
        "others run the object store at https://s3.example.com: nothing is created there",
    ]
    assert "target managed: the stack runs nothing, and touches nothing but its env files and its own state" in plan.notes
    assert plan.ports == []
    assert plan.volumes == []
    assert "DB_MAJOR_VERSION" not in plan.values
    assert "SITE_URL" not in plan.values


def test_replicas_that_one_runs_oneself_are_told_on_other_targets_too():
    config = {"supastack:supabase": {"database": {"readReplicas": ["10.0.0.7:5433", "10.0.0.8"]}}}
    values = Plan(load(config, stack="dev")).values
    assert {"READ_URL", "READ_URLS"} <= values.keys()
    assert "READ_URLS" not in Plan(load({}, stack="dev")).values


def test_every_target_has_a_ground_that_is_asked_alike():
    asked = [name for name in vars(Ground) if not name.startswith("_")]
    signatures = {
        target: {name: list(inspect.signature(getattr(_ground(target), name)).parameters) for name in asked} for target in Target
    }
    assert asked == ["provider", "before", "existing", "lay", "after"]
    assert signatures[Target.DOCKER] == signatures[Target.KUBERNETES] == signatures[Target.MANAGED]


def test_what_would_have_to_run_is_refused_by_its_name_where_nothing_runs(engine):
    from components.cache import Cache
    from tests.unit.components.placements import placement

    with pytest.raises(pulumi.InputPropertyError, match="valkey would have to run"):
        engine(lambda: Cache("c", {"placement": {**placement(), "target": "managed"}}))
