"""What the settings of the database's engine can't say together, and what is warned of."""

from typing import Any

import pytest

from components.setting_schema import SECRETS
from components.settings import Settings, SettingsError, load
from tests.unit.settings.declared import keyed, named

CLUSTER = {"target": "kubernetes", "kubernetes": {"kubeconfig": "/tmp/kubeconfig", "context": "c"}}
BACKUP = {"schedule": "0 0 3 * * *"}


def _load(database: dict[str, Any], secrets: dict[str, Any] | None = None, more: dict[str, Any] | None = None) -> Settings:
    config: dict[str, Any] = {"supabase": {"database": database}, **(more or {})}
    storage = config.pop("storage", None)
    if storage:
        config["supabase"]["storage"] = storage
    return load({**keyed(config), **keyed(secrets or {})}, stack="dev", secret_keys=[f"supastack:{name}" for name in SECRETS])


def _problems(*args: Any, **more: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        _load(*args, **more)
    return {named(p.path).removeprefix("supastack:"): f"{p.reason}; {p.fix}" for p in caught.value.problems}


def test_an_operator_needs_its_cluster() -> None:
    found = _problems({"engine": "cloudnativepg"})
    assert found.keys() == {"supabase.database.engine"}
    assert "target: kubernetes" in found["supabase.database.engine"]
    _load({"engine": "cloudnativepg"}, more=CLUSTER)


@pytest.mark.parametrize("engine", ["builtin", "external"])
def test_only_an_operator_makes_standbys(engine: str) -> None:
    given = {"engine": engine, "cnpg": {"instances": 2}, "external": {"host": "db.example.com"}}
    found = _problems(given, {"databasePassword": "password"}, CLUSTER)
    assert found.keys() == {"supabase.database.cnpg.instances"}
    _load({"engine": "cloudnativepg", "cnpg": {"instances": 2}}, more=CLUSTER)


def test_an_external_database_has_a_host_and_its_password() -> None:
    assert _problems({"engine": "external"}).keys() == {"supabase.database.external.host", "databasePassword"}
    assert _problems({"engine": "external", "external": {"host": "db", "user": "root", "bootstrap": True}}).keys() == {
        "externalDatabasePassword"
    }
    assert _problems(
        {"engine": "external", "external": {"host": "db", "user": "root"}}, {"externalDatabasePassword": "password"}
    ).keys() == {"databasePassword"}, "what is there has its passwords"
    _load({"engine": "external", "external": {"host": "db", "bootstrap": True}}, {"databasePassword": "password"})
    prepared = {"engine": "external", "external": {"host": "db", "user": "root", "bootstrap": True}}
    _load(prepared, {"externalDatabasePassword": "password"})


def test_backups_have_a_store() -> None:
    found = _problems({"engine": "cloudnativepg", "cnpg": {"backup": BACKUP}}, more=CLUSTER)
    assert found.keys() == {"supabase.database.cnpg.backup.store"}
    external = {"engine": "cloudnativepg", "cnpg": {"backup": {**BACKUP, "store": "external"}}}
    assert _problems(external, more=CLUSTER).keys() == {
        "supabase.database.cnpg.backup.destination",
        "supabase.database.cnpg.backup.accessKey",
        "databaseBackupSecretKey",
    }
    kept = {"storage": {"backend": "s3", "bucket": "app"}}
    _load({"engine": "cloudnativepg", "cnpg": {"backup": BACKUP}}, more={**CLUSTER, **kept})


@pytest.mark.parametrize(
    ("database", "more", "why"),
    [
        ({}, {}, "supastack:supabase.database.engine is builtin"),
        ({"engine": "external", "external": {"host": "db"}}, CLUSTER, "supastack:supabase.database.engine is external"),
        ({"engine": "cloudnativepg"}, CLUSTER, None),
    ],
)
def test_a_vault_root_key_has_no_effect_where_the_server_is_not_told_it(
    database: dict[str, Any], more: dict[str, Any], why: str | None
) -> None:
    warnings = _load(database, {"vaultRootKey": "0123456789abcdef" * 4, "databasePassword": "password"}, more).warnings
    said = [line for line in warnings if "vaultRootKey" in line]
    assert said == ([] if why is None else [f"supastack:vaultRootKey has no effect: {why}"])


def test_what_has_no_effect_is_said() -> None:
    said = _load({"cnpg": {"storage": "20gb"}, "external": {"host": "db.example.com"}}).warnings
    assert [line for line in said if "supabase.database.cnpg has no effect" in line]
    assert [line for line in said if "supabase.database.external has no effect" in line]
    assert not [line for line in _load({}).warnings if "supabase.database" in line]
    assert not [line for line in _load({"cnpg": {"storage": "8gb", "instances": 1}}).warnings if "supabase.database" in line]
    asleep = _load({"engine": "cloudnativepg", "cnpg": {"hibernate": True}}, more=CLUSTER).warnings
    assert [line for line in asleep if "every service of the Supabase stack is off" in line]
