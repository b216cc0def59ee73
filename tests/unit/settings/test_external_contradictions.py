"""What the settings of a cache and a store that others run can't say together, and which of them have no effect."""

from pathlib import Path
from typing import Any

import pytest

from components.settings import Ciphertext, Settings, SettingsError, load
from tests.unit.settings.declared import keyed, named
from tests.unit.settings.samples.gateway import CERTIFICATE

CACHE = {"engine": "external", "external": {"host": "cache.example.com"}}
STORE = {"engine": "external", "endpoint": "https://s3.example.com", "accessKey": "key"}
PASSWORD = {"cachePassword": Ciphertext()}


def _load(config: dict[str, Any]) -> Settings:
    return load(keyed(config), stack="dev", root=Path("/srv/project"))


def _problems(config: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        _load(config)
    return {named(p.path).removeprefix("supastack:"): f"{p.reason}; {p.fix}" for p in caught.value.problems}


def test_an_external_cache_needs_its_host_and_password() -> None:
    found = _problems({"cache": {"engine": "external"}})
    assert found.keys() == {"cache.external.host", "cachePassword"}
    assert "pulumi config set --secret supastack:cachePassword --stack dev" in found["cachePassword"]
    assert "cache.external.anonymous" in found["cachePassword"]


def test_one_that_asks_for_no_password_needs_none_and_has_no_user() -> None:
    anonymous = {"host": "cache.example.com", "anonymous": True}
    assert _load({"cache": {"engine": "external", "external": anonymous}}).warnings == ()
    found = _problems({"cache": {"engine": "external", "external": {**anonymous, "user": "default"}}})
    assert found.keys() == {"cache.external.user"}


def test_one_that_is_turned_off_needs_nothing() -> None:
    assert _load({"cache": {"engine": "external", "enabled": False}}).warnings == ()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {"cache": {"external": {"host": "cache.example.com"}}},
            "cache.external has no effect: supastack:cache.engine is valkey",
        ),
        ({"cache": {**CACHE, "maxMemory": "1gb"}, **PASSWORD}, "cache.maxMemory has no effect"),
        ({"cache": {**CACHE, "commander": True}, **PASSWORD}, "cache.commander has no effect"),
        (
            {"cache": {"engine": "external", "external": {"host": "cache.example.com", "anonymous": True}}, **PASSWORD},
            "cachePassword has no effect: supastack:cache.external.anonymous is true",
        ),
        (
            {
                "cache": {"engine": "external", "external": {"host": "localhost", "tls": False, "caCertificate": "ca.pem"}},
                **PASSWORD,
            },
            "cache.external.caCertificate has no effect: supastack:cache.external.tls is false",
        ),
        (
            {"cache": {"engine": "external", "external": {"host": "10.1.2.3", "tls": False}}, **PASSWORD},
            "the password and what is cached travel unencrypted",
        ),
        (
            {"objectStorage": {"caCertificate": "ca.pem"}},
            "objectStorage.caCertificate has no effect: supastack:objectStorage.engine is seaweedfs",
        ),
        (
            {
                "objectStorage": {**STORE, "endpoint": "http://localhost:9000", "caCertificate": "ca.pem"},
                "objectStorageSecretKey": Ciphertext(),
            },
            "objectStorage.caCertificate has no effect: supastack:objectStorage.endpoint is http",
        ),
    ],
)
def test_what_has_no_effect_or_travels_open_is_said(config: dict[str, Any], said: str) -> None:
    (line,) = _load(config).warnings
    assert said in line


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com", "auto"),
        ("https://abcdefghijklmnopqrst.storage.supabase.co/storage/v1/s3", "eu-central-2"),
        ("https://s3.eu-central-1.amazonaws.com", "eu-central-1"),
    ],
)
def test_stores_of_cloudflare_supabase_and_amazon_are_taken_as_their_pages_name_them(endpoint: str, region: str) -> None:
    config = {"objectStorage": {**STORE, "endpoint": endpoint, "region": region}, "objectStorageSecretKey": Ciphertext()}
    settings = _load(config)
    assert (settings.object_storage.endpoint, settings.object_storage.region) == (endpoint, region)
    assert settings.warnings == ()


DATABASE = {"engine": "external", "external": {"host": "db.example.com", "caCertificate": "no-such.pem"}}


@pytest.mark.parametrize(
    ("config", "named_as"),
    [
        (
            {"cache": {"engine": "external", "external": {"host": "c.example.com", "caCertificate": "no-such.pem"}}},
            "cache.external",
        ),
        ({"objectStorage": {**STORE, "caCertificate": "no-such.pem"}}, "objectStorage"),
        ({"supabase": {"database": DATABASE}}, "supabase.database.external"),
    ],
)
def test_an_authority_whose_file_is_not_there_is_named_by_its_setting(config: dict[str, Any], named_as: str) -> None:
    given = {**config, **PASSWORD, "objectStorageSecretKey": Ciphertext(), "databasePassword": Ciphertext()}
    found = _problems(given)
    assert "can't be read" in found[f"{named_as}.caCertificate"]


def test_one_whose_file_is_there_is_taken(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(CERTIFICATE)
    external = {"host": "c.example.com", "caCertificate": "ca.pem"}
    config = {"cache": {"engine": "external", "external": external}, **PASSWORD}
    assert load(keyed(config), stack="dev", root=tmp_path).warnings == ()


@pytest.mark.parametrize("schema", ["public", "auth", "storage"])
def test_the_tests_schema_is_none_that_holds_the_stacks_own_data(schema: str) -> None:
    assert _problems({"supabase": {"database": {"testSchema": schema}}}).keys() == {"supabase.database.testSchema"}


def test_a_schema_that_is_to_be_made_in_a_managed_project_is_named() -> None:
    assert _problems({"supabase": {"database": {"createTestSchema": True}}}).keys() == {"supabase.database.createTestSchema"}
    (line,) = _load({"supabase": {"database": {"createTestSchema": True, "testSchema": "test"}}}).warnings
    assert "createTestSchema has no effect: a database that the stack runs or prepares has the schema anyway" in line


def test_what_is_made_in_an_external_database_is_said() -> None:
    def said(**database: Any) -> list[str]:
        given = {"engine": "external", "external": {"host": "db.example.com"}, "testSchema": "ci", **database}
        return list(_load({"supabase": {"database": given}, "databasePassword": Ciphertext()}).warnings)

    assert ["the database is only checked, and never gets a changed password" in line for line in said()] == [True]
    (line,) = said(createTestSchema=True, schemas=["shop"])
    assert "only checked but for the schemas that are made in it (shop, ci), and never" in line


def test_verify_has_no_effect_where_the_stack_runs_everything_itself() -> None:
    (line,) = _load({"verify": True}).warnings
    assert "supastack:verify has no effect" in line
    assert _load({"verify": True, "cache": CACHE, **PASSWORD}).warnings == ()
    assert _load({"verify": True, "supabase": {"database": {"readReplicas": ["10.0.0.7"]}}}).warnings == ()
    tenants = {"tenants": [{"id": "org"}], "tenantSecrets": {"org": {"redisUrl": Ciphertext()}}}
    assert not [line for line in _load({"verify": True, **tenants}).warnings if "no effect" in line]


def test_settings_of_replicas_without_replicas_have_no_effect() -> None:
    found = _load({"supabase": {"database": {"readReplicaSslmode": "require"}}}).warnings
    assert ["readReplicaSslmode has no effect: supastack:supabase.database.readReplicas names no server" in f for f in found] == [
        True
    ]
    given = {"readReplicas": ["10.0.0.7"], "readReplicaCaCertificate": "no-such.pem"}
    assert "can't be read" in _problems({"supabase": {"database": given}})["supabase.database.readReplicaCaCertificate"]
