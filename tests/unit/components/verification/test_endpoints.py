"""Which endpoints of others are asked, and with what; secrets travel as secrets alone."""

import json

import pulumi
import pytest

from components import secret_values
from components.managed_schema import ManagedSchemaProvider
from tests.conftest import holders_of, unwrapped
from tests.unit.components.test_managed import PASSWORD, POOLER, REF, SAFE, configured, run
from tests.unit.components.verification.own_authority import authority
from tests.unit.settings.samples import TEXTS

OTHERS = {
    "verify": "true",
    "cache": {"engine": "external", "external": {"host": "eu1.upstash.io", "user": "default"}},
    "objectStorage": {
        "engine": "external",
        "endpoint": "https://r2.example.com",
        "accessKey": "key",
        "region": "auto",
        "buckets": ["one", "two"],
    },
}
MANAGED = {"poolerHost": POOLER, "readReplicas": ["10.0.0.7:5433"]}
SECRETS = {"cachePassword": "Cache/Word:1", "objectStorageSecretKey": "Store/Word:1"}
DATABASE = {"supabase": {"managed": {"ref": REF, "poolerHost": POOLER}, "database": {"testSchema": "tests"}}}


@pytest.fixture(autouse=True)
def _no_config_left():
    yield
    pulumi.runtime.set_all_config({}, [])


def asked(recorder):
    return unwrapped(recorder.inputs("verify"))["parameters"]["endpoints"]


def test_every_endpoint_of_a_project_a_cache_and_a_store_is_asked_and_its_secrets_are_secret(engine):
    key = TEXTS[secret_values.secret_key].right[0]
    recorder = run(engine, configured(MANAGED, OTHERS), **SECRETS, secretKey=key)
    assert [(e["kind"], e["what"], e["at"]) for e in asked(recorder)] == [
        ("postgres", "the database itself", f"db.{REF}.supabase.co:5432"),
        ("postgres", "the pooler, session mode", f"{POOLER}:5432"),
        ("postgres", "the pooler, transaction mode", f"{POOLER}:6543"),
        ("postgres", "a read replica", "10.0.0.7:5433"),
        ("api", "the API, asked with secretKey", f"https://{REF}.supabase.co"),
        ("cache", "the cache", "eu1.upstash.io:6379"),
        ("store", "the object store's bucket one", "https://r2.example.com"),
        ("store", "the object store's bucket two", "https://r2.example.com"),
    ]
    for value in (PASSWORD, key, *SECRETS.values()):
        assert holders_of(value, recorder.inputs("verify")) == {"secret"}
    assert {e["sslmode"] for e in asked(recorder) if e["kind"] == "postgres"} == {"verify-full"}, "whatever the apps are told"
    assert {"Network bans" in e.get("banned_fix", "") for e in asked(recorder) if e["kind"] == "postgres"} == {True}


def test_nobody_is_asked_unless_the_settings_say_so(engine):
    recorder = run(engine, configured(MANAGED, {**OTHERS, "verify": "false"}), **SECRETS)
    assert "verify" not in recorder.requests


def test_an_env_file_is_written_after_the_answers(engine):
    recorder = run(engine, configured(MANAGED, {**OTHERS, "envFiles": {"kpi": {}}}), **SECRETS)
    assert any(urn.endswith("::verify") for urn in recorder.requests["env-kpi"].dependencies)


def test_an_external_database_is_asked_as_its_settings_say_it_is_encrypted(engine):
    at = {"host": "db.example.com", "user": "boss"}
    said = {}
    for mode in ("prefer", "require"):
        database = {"engine": "external", "external": {**at, "sslmode": mode}}
        config = {"target": "docker", "imageSource": "local", "verify": "true", "supabase": {"database": database}}
        recorder = run(engine, configured({}, config), externalDatabasePassword="Boss/Word:1")
        (one,) = asked(recorder)
        assert (one["user"], one["password"], one["password_setting"]) == (
            "boss",
            "Boss/Word:1",
            "supastack:externalDatabasePassword",
        )
        said[mode] = one["sslmode"]
    assert said == {"prefer": "prefer", "require": "verify-full"}, "who promises encryption is held to it"


def test_an_api_at_a_host_of_its_own_is_verified_by_the_machines_authorities_too(engine, tmp_path):
    own = authority(tmp_path, "theirs")
    keys = {"s3ProtocolAccessKeyId": "a" * 32, "s3ProtocolAccessKeySecret": "b" * 64}

    def authorities(**managed):
        recorder = run(engine, configured({**MANAGED, "caCertificate": own, **managed}, {"verify": "true"}), **keys)
        found = {e["kind"]: (e.get("ca"), e.get("ca_also")) for e in asked(recorder)}
        assert found["postgres"] == (own, None), "that one is signed by nobody else"
        return found["api"], found["store"]

    assert authorities() == ((None, None), (None, None)), "the database's authority signs no API of the platform"
    both = (own, True)
    assert authorities(apiUrl="https://api.example.com", storageS3Url="https://files.example.com/s3") == (both, both)


def test_read_replicas_that_others_run_are_asked_beside_a_database_of_the_stacks_own(engine):
    database = {"readReplicas": ["10.0.0.7:5433", "10.0.0.8"]}
    config = {"target": "docker", "imageSource": "local", "verify": "true", "supabase": {"database": database}}
    found = asked(run(engine, configured({}, config)))
    assert [(e["what"], e["at"], e["user"], e["password"], e["sslmode"]) for e in found] == [
        ("a read replica", "10.0.0.7:5433", "postgres", PASSWORD, "prefer"),
        ("a read replica", "10.0.0.8:5432", "postgres", PASSWORD, "prefer"),
    ]
    assert not any("banned_fix" in e for e in found), "these are not Supabase's"


def test_read_replicas_of_an_external_database_are_encrypted_as_it_is(engine):
    external = {"host": "db.example.com", "user": "postgres", "sslmode": "require"}
    database = {"engine": "external", "external": external, "readReplicas": ["db-read.example.com"]}
    config = {"target": "docker", "imageSource": "local", "verify": "true", "supabase": {"database": database}}
    found = asked(run(engine, configured({}, config)))
    assert [(e["host"], e["sslmode"], e["password_setting"]) for e in found] == [
        ("db.example.com", "verify-full", "supastack:databasePassword"),
        ("db-read.example.com", "verify-full", "supastack:databasePassword"),
    ]


def test_a_replica_at_a_public_host_is_verified_unless_the_settings_promise_no_encryption(engine, tmp_path):
    def said(**database):
        given = {"readReplicas": ["10.0.0.7", "db-read.example.com"], **database}
        config = {"target": "docker", "imageSource": "local", "verify": "true", "supabase": {"database": given}}
        found = [e for e in asked(run(engine, configured({}, config))) if e["what"] == "a read replica"]
        return [(e["sslmode"], e.get("ca")) for e in found]

    own = authority(tmp_path, "theirs")
    assert said() == [("prefer", None), ("verify-full", None)]
    assert said(readReplicaSslmode="prefer") == [("prefer", None)] * 2
    assert said(readReplicaCaCertificate=own) == [("verify-full", own)] * 2
    external = {"engine": "external", "external": {"host": "db.example.com"}}
    assert said(**external) == said(), "as those without an external database, which is asked as libpq would by itself"


@pytest.mark.parametrize(
    ("more", "bootstrap", "asks"), [({}, False, True), ({"createTestSchema": True}, False, False), ({}, True, False)]
)
def test_the_tests_schema_has_to_be_in_an_external_database_unless_it_is_made_there(engine, more, bootstrap, asks):
    external = {"host": "db.example.com", "bootstrap": bootstrap}
    config = {"engine": "external", "testSchema": "tests", **more, "external": external}
    given = {"target": "docker", "imageSource": "local", "verify": "true", "supabase": {"database": config}}
    (one,) = asked(run(engine, configured({}, given)))
    assert one.get("schema") == ("tests" if asks else None)


def test_a_tenants_own_cache_is_asked_whatever_its_tier(engine):
    urls = {"acme": "rediss://default:Acme%2FWord%3A1@acme.upstash.io:6380/2", "org": "redis://10.0.0.9"}
    acme = {"id": "acme", "tier": "enterprise", "project": {"ref": "bcdefghijklmnopqrstu"}}
    config = configured({}, {"verify": "true", "tenants": [acme, {"id": "org"}, {"id": "other"}]})
    secrets = {"acme": {"databasePassword": "Acme/Data:1", "redisUrl": urls["acme"]}, "org": {"redisUrl": urls["org"]}}
    recorder = run(engine, config, tenantSecrets=json.dumps(secrets))
    own = {e["what"]: e for e in asked(recorder) if e["kind"] == "cache"}
    assert own.keys() == {"the cache of tenant acme", "the cache of tenant org"}
    found = own["the cache of tenant acme"]
    assert (found["at"], found["user"], found["password"], found["tls"], found["number"]) == (
        "acme.upstash.io:6380",
        "default",
        "Acme/Word:1",
        True,
        2,
    )
    assert found["setting"] == "supastack:tenantSecrets.acme.redisUrl"
    assert found["password_fix"].endswith("--path supastack:tenantSecrets.acme.redisUrl --stack dev")
    assert not {"ca", "key"} & found.keys()
    assert holders_of("Acme/Word:1", recorder.inputs("verify")) == {"secret"}
    assert holders_of(urls["acme"], recorder.inputs("verify")) == set(), "of the address only its parts are told"
    found = own["the cache of tenant org"]
    assert (found["host"], found["port"], found["tls"]) == ("10.0.0.9", 6379, False)
    assert not {"user", "password", "number"} & found.keys()


def test_an_enterprise_tenants_project_is_asked_with_its_own_secrets(engine):
    tenant = {"id": "acme", "tier": "enterprise", "project": {"ref": "bcdefghijklmnopqrstu", "poolerHost": POOLER}}
    config = configured({}, {"verify": "true", "tenants": [tenant]})
    recorder = run(engine, config, tenantSecrets=json.dumps({"acme": {"databasePassword": "Acme/Word:1"}}))
    theirs = [e for e in asked(recorder) if e["what"].endswith("of tenant acme")]
    assert [e["kind"] for e in theirs] == ["postgres", "postgres", "postgres", "api"]
    assert {e.get("password") for e in theirs} == {"Acme/Word:1", None}
    assert theirs[0]["setting"] == "supastack:tenants[acme].project.databaseHost"
    assert theirs[0]["password_fix"].endswith("--path supastack:tenantSecrets.acme.databasePassword --stack dev")
    assert holders_of("Acme/Word:1", recorder.inputs("verify")) == {"secret"}


# -- the tests' schema -----------------------------------------------------------------------------------------------


def test_the_tests_urls_have_the_schema_in_prismas_word(engine):
    recorder = run(engine, configured({}, DATABASE))
    outputs = recorder.outputs["supabase"]
    found = unwrapped(outputs)
    assert found["test_schema"] == "tests"
    assert found["test_database_url"] == found["pooler_url"] + "&schema=tests"
    assert found["test_direct_url"] == found["db_url"] + "&schema=tests"
    assert holders_of(SAFE, outputs) == {"secret"}
    assert "test-schema" not in recorder.requests, "nothing is made in a managed project"


def test_a_schema_is_made_in_a_managed_project_only_where_the_settings_say_so(engine):
    supabase = json.loads(json.dumps(DATABASE["supabase"]))
    supabase["database"]["createTestSchema"] = True
    recorder = run(engine, configured({}, {"supabase": supabase, "verify": "true"}))
    made = recorder.inputs("test-schema")
    assert (unwrapped(made)["schema"], unwrapped(made)["host"], unwrapped(made)["port"]) == ("tests", POOLER, 5432)
    assert holders_of(PASSWORD, made) == {"secret"}
    assert any(urn.endswith("::verify") for urn in recorder.requests["test-schema"].dependencies)
    assert not any("schema" in e for e in asked(recorder)), "it is not there before"


def test_where_it_is_not_made_it_has_to_be_there(engine):
    recorder = run(engine, configured({}, {**DATABASE, "verify": "true"}))
    (one,) = [e for e in asked(recorder) if "schema" in e]
    assert (one["what"], one["schema"]) == ("the database itself", "tests")


def test_another_password_or_name_is_an_update_and_another_place_of_the_authority_is_none():
    before = {"host": "h", "port": 5432.0, "database": "postgres", "user": "postgres", "schema": "tests", "password": "one"}
    diff = ManagedSchemaProvider().diff
    assert not diff("", before, {**before, "port": 5432, "ca": "/elsewhere.crt"}).changes
    assert diff("", before, {**before, "password": "two"}).changes, "a refresh would look with the old one"
    assert diff("", before, {**before, "sslmode": "verify-full"}).changes
    assert diff("", before, {**before, "schema": "checks"}).changes
    assert not diff("", before, {**before, "schema": "checks"}).replaces


def test_a_schema_of_a_stacks_own_database_is_made_with_the_others(engine):
    config = {"target": "docker", "imageSource": "local", "supabase": {"database": {"schemas": ["more"], "testSchema": "tests"}}}
    recorder = run(engine, configured({}, config))
    found = unwrapped(recorder.outputs["supabase"])
    assert found["test_direct_url"] == found["db_url"] + "?schema=tests"
    assert found["test_database_url"] == found["pooler_url"] + "?pgbouncer=true&schema=tests", "Prisma alone reads it"
    uploads = json.dumps(unwrapped(recorder.inputs("supabase-schemas")))
    assert "tests" in uploads
