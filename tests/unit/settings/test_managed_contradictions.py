"""What the settings of a managed Supabase project, and of a stack that runs nothing, can't say together, and what is warned of."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from components import cli_keys, keys
from components.setting_schema import SECRETS
from components.settings import ROOT, Settings, SettingsError, load
from tests.unit.settings.declared import keyed, named

REF = "abcdefghijklmnopqrst"
TODAY = date(2026, 11, 21)
GIVEN = {"databasePassword": "password"}
JWT = "the-projects-own-secret-which-nobody-has-here"
OFF = {"enabled": False}
ALONE = {"target": "managed", "cache": OFF, "objectStorage": OFF}


def _load(managed: dict[str, Any], secrets: dict[str, Any] | None = None, root: Path = ROOT, **more: Any) -> Settings:
    config = {**ALONE, **more}
    config["supabase"] = {"managed": {"ref": REF, **managed}, **more.get("supabase", {})}
    given = GIVEN if secrets is None else secrets
    encrypted = [f"supastack:{name}" for name in SECRETS]
    return load({**keyed(config), **keyed(given)}, stack="kpi", secret_keys=encrypted, root=root, today=TODAY)


def _problems(*args: Any, **more: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        _load(*args, **more)
    return {named(p.path).removeprefix("supastack:"): f"{p.reason}; {p.fix}" for p in caught.value.problems}


def _warned(*args: Any, **more: Any) -> list[str]:
    return [line for line in _load(*args, **more).warnings if "envFiles" not in line]


def _key(role: str, **claims: Any) -> str:
    payload = {"iss": "supabase", "ref": REF, "role": role, "iat": 1700000000, "exp": keys.seconds(date(2035, 1, 1)), **claims}
    return keys.shared_token(JWT, payload)


def test_the_project_and_what_it_needs_are_enough() -> None:
    settings = _load({})
    assert settings.supabase.managed is not None
    assert settings.supabase.managed.ref == REF
    assert settings.warnings == ()


def test_on_the_managed_target_each_capability_is_somebody_elses_or_off() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"supastack:target": "managed", "supastack:plainDatabase": {"enabled": True}}, stack="kpi")
    found = {named(p.path).removeprefix("supastack:"): f"{p.reason}; {p.fix}" for p in caught.value.problems}
    assert found.keys() == {"supabase.managed.ref", "cache.engine", "objectStorage.engine", "plainDatabase.enabled"}
    assert "pulumi config set --path supastack:supabase.managed.ref REF --stack kpi" in found["supabase.managed.ref"]
    for group in ("cache", "objectStorage"):
        assert "engine: external" in found[f"{group}.engine"]
        assert f"{group}.enabled: false" in found[f"{group}.engine"]
    load(keyed({**ALONE, "supabase": OFF, "envFiles": {}}), stack="kpi")


def test_a_capability_that_others_run_is_taken() -> None:
    store = {"engine": "external", "endpoint": "https://s3.example.com", "accessKey": "app-key"}
    cache = {"engine": "external", "external": {"host": "cache.example.com"}}
    secrets = {**GIVEN, "objectStorageSecretKey": "secret-key", "cachePassword": "cache-password"}
    assert _load({}, secrets, objectStorage=store, cache=cache).target.value == "managed"


def test_the_password_is_asked_for_with_the_command_that_sets_it() -> None:
    found = _problems({}, {})
    assert found.keys() == {"databasePassword"}
    assert "pulumi config set --secret supastack:databasePassword --stack kpi" in found["databasePassword"]
    assert _problems({}, {}, target="docker").keys() == {"databasePassword"}, "the same where only the database is managed"


@pytest.mark.parametrize("ref", ["kpi", "abcdefghij1234567890", f"https://{REF}.supabase.co"])
def test_what_is_no_reference_is_refused_alone(ref: str) -> None:
    assert _problems({"ref": ref}, {}).keys() == {"supabase.managed.ref"}


def test_a_region_that_is_not_the_poolers_is_refused() -> None:
    pooler = "aws-1-eu-central-2.pooler.supabase.com"
    assert "eu-central-2" in _problems({"region": "us-east-1", "poolerHost": pooler})["supabase.managed.region"]
    assert _problems({"region": "aws-1-eu-central-2"}).keys() == {"supabase.managed.region"}
    _load({"region": "eu-central-2", "poolerHost": pooler})
    _load({"region": "us-east-1", "poolerHost": "pooler.example.com"})


@pytest.mark.parametrize(
    ("setting", "role", "other"), [("anonKey", "anon", "service_role"), ("serviceRoleKey", "service_role", "anon")]
)
def test_keys_are_the_projects_of_the_right_role_and_not_ended(setting: str, role: str, other: str) -> None:
    _load({}, {**GIVEN, setting: _key(role)})
    refused = {
        "another project": _key(role, ref="zyxwvutsrqponmlkjihg"),
        "ended": _key(role, exp=keys.seconds(date(2026, 11, 20))),
        f"role {role}": _key(other),
        "not a JSON Web Token": "sb_publishable_something",
    }
    for said, key in refused.items():
        found = _problems({}, {**GIVEN, setting: key})
        assert found.keys() == {setting}
        assert said in found[setting]
        assert key not in found[setting]


def test_a_key_of_a_local_stack_is_another_projects() -> None:
    assert "another project" in _problems({}, {**GIVEN, "anonKey": cli_keys.role_key(keys.ANON)})["anonKey"]


def test_a_key_must_fit_the_jwt_secret_where_that_is_given() -> None:
    given = {**GIVEN, "anonKey": _key("anon")}
    assert "not signed with jwtSecret" in _problems({}, {**given, "jwtSecret": "x" * 40})["anonKey"]
    _load({}, {**given, "jwtSecret": JWT})


def test_sb_keys_of_the_platform_are_taken_though_their_checksum_is_unknown() -> None:
    given = {"publishableKey": "sb_publishable_" + "a1_B-" * 6 + "x", "secretKey": "sb_secret_" + "a1_B-" * 6 + "x"}
    assert _load({}, {**GIVEN, **given}).warnings == ()
    with pytest.raises(SettingsError, match="self-hosted"):
        load({f"supastack:{n}": v for n, v in given.items()}, stack="dev", secret_keys=[f"supastack:{n}" for n in given])
    assert _problems({}, {**GIVEN, "secretKey": "sb_publishable_" + "a" * 31}).keys() == {"secretKey"}


def test_there_is_one_project_and_one_database() -> None:
    more = {"projectRef": "another", "database": {"engine": "external", "external": {"host": "db.example.com"}}}
    assert _problems({}, supabase=more).keys() == {"supabase.projectRef", "supabase.database.engine"}
    _load({}, supabase={"projectRef": REF})


def test_published_keys_are_not_the_projects() -> None:
    assert "local stacks" in _problems({}, {}, target="docker", compat="cli")["compat"]


def test_verifying_needs_an_authority_that_is_one(tmp_path: Path) -> None:
    assert "caCertificate" in _problems({"sslmode": "verify-full"})["supabase.managed.sslmode"]
    _load({"sslmode": "verify-ca", "sslRootCert": "/etc/ssl/ca.crt"})
    assert "can't be read" in _problems({"caCertificate": "nowhere.crt"})["supabase.managed.caCertificate"]
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert "no certificate" in _problems({"caCertificate": "key.pem"}, root=tmp_path)["supabase.managed.caCertificate"]
    (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    project = _load({"caCertificate": "ca.crt"}, root=tmp_path).supabase.managed
    assert project is not None
    assert (project.ca_certificate, project.sslmode.value) == (str(tmp_path / "ca.crt"), "verify-full")


def test_a_hosts_whole_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        _load({"poolerHost": "postgresql://postgres:hunter2hunter2@pooler.example.com:6543/postgres"})
    assert "hunter2" not in str(caught.value)


def test_settings_of_services_that_others_run_have_no_effect_and_are_named() -> None:
    more = {"auth": {"siteUrl": "https://shop.example.com"}, "rest": {"maxRows": 5}, "storage": {"backend": "s3"}}
    secrets = {**GIVEN, "dashboardPassword": "password", "functionSecrets": {"TOKEN": "t"}}
    assert _warned({}, secrets, supabase=more) == [
        *(
            f"supastack:supabase.{name} has no effect: the project of supastack:supabase.managed.ref is run by others, who decide that"
            for name in ("auth", "rest", "storage")
        ),
        *(
            f"supastack:{name} has no effect: it is for a service that the stack would run, and others run the project"
            for name in ("dashboardPassword", "functionSecrets.TOKEN")
        ),
    ]


def test_a_project_that_is_not_named_or_turned_off_has_no_effect() -> None:
    unnamed = load(keyed({"supabase": {"managed": {"region": "eu-central-2"}}}), stack="dev").warnings
    assert unnamed == ("supastack:supabase.managed.region has no effect without supastack:supabase.managed.ref",)
    off = _warned({}, {}, supabase=OFF, envFiles={})
    assert "supastack:supabase.managed.ref has no effect: supastack:supabase.enabled is false" in off


def test_an_api_in_the_clear_is_warned_of() -> None:
    assert _warned({"apiUrl": "http://api.example.com"}) == [
        "supastack:supabase.managed.apiUrl is http: keys and what users send travel unencrypted"
    ]


def test_tasks_with_sql_are_not_run_where_others_run_the_database_and_that_is_said() -> None:
    tasks: dict[str, Any] = {
        "cleanup": {"schedule": "0 3 * * *", "sql": "select 1"},
        "off": {"schedule": "0 3 * * *", "sql": "select 1", "enabled": False},
        "notify": {"schedule": "0 3 * * *", "function": "notify"},
    }
    said = [line for line in _warned({}, supabase={"database": {"schedule": tasks}}) if "is not run from here" in line]
    assert [line.partition(" is not")[0] for line in said] == ["supastack:supabase.database.schedule.cleanup.sql"]
