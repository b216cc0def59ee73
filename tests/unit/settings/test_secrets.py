"""Secret settings: mappings of them, keys that belong together, the Supabase CLI's own, and keys that end soon."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from components import cli_keys, keys
from components.plan import Plan
from components.secret_settings import MAPPINGS, SINGLE, cli
from components.services import secret_names as names
from components.setting_groups import complete
from components.setting_schema import SECRETS
from components.setting_types import Compat
from components.settings import Ciphertext, Settings, SettingsError, load, load_file
from tests.unit.settings.declared import SECRETS_GIVEN, keyed, named
from tests.unit.settings.samples.keys import SHARED, role_key

TODAY = date(2026, 6, 1)
LOCAL = {"imageSource": "local", "objectStorage": {"fallback": "minio"}}


def _load(config: dict[str, Any], *, secrets: dict[str, Any] | None = None, today: date = TODAY) -> Settings:
    given = secrets or {}
    return load(keyed({**config, **given}), stack="dev", secret_keys=[named((name,)) for name in given], today=today)


def _problems(config: dict[str, Any], *, secrets: dict[str, Any] | None = None) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        _load(config, secrets=secrets)
    assert all(problem.value is None or problem.value == '"cli"' for problem in caught.value.problems)
    return {named(p.path).removeprefix("supastack:"): f"{p.reason}; {p.fix}" for p in caught.value.problems}


def _file(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text(text)
    return load_file(path, stack="dev")


# -- mappings of secrets ---------------------------------------------------------------------------------------------

ENCRYPTED = """
config:
  supastack:functionSecrets:
    STRIPE_KEY: {secure: v1:abc}
    OTHER: {secure: v1:def}
  supastack:serviceSecrets:
    auth:
      GOTRUE_X: {secure: v1:ghi}
  supastack:jwtSecret: {secure: v1:jkl}
"""


def test_every_secret_of_the_stack_has_one_setting_but_what_is_only_made_of_others() -> None:
    every = {value for name, value in vars(names).items() if name.isupper()}
    made = {
        names.JWT_KEYS,
        names.JWT_JWKS,
        names.ANON_KEY_ASYMMETRIC,
        names.SERVICE_ROLE_KEY_ASYMMETRIC,
        names.DASHBOARD_HTPASSWD,
        names.DATABASE_SYNC_PASSWORD,
    }
    of_the_object_store = {names.S3_ACCESS_KEY, names.S3_SECRET_KEY, names.DATABASE_BACKUP_ACCESS_KEY}
    assert sorted(SINGLE.values()) == sorted(every - made - of_the_object_store)
    assert {*SINGLE, *MAPPINGS} <= set(SECRETS)


def test_secrets_in_a_mapping_get_the_names_that_the_services_know_them_by() -> None:
    settings = _load(
        {},
        secrets={
            "authProviderSecrets": {"github": "a-secret"},
            "authHookSecrets": {"send_sms": f"v1,whsec_{'A' * 40}"},
            "authSmsSecrets": {"TWILIO_AUTH_TOKEN": "token"},
            "functionSecrets": {"STRIPE_KEY": "sk"},
            "serviceSecrets": {"auth": {"GOTRUE_X": "1"}, "rest": {"PGRST_X": "2"}},
        },
    )
    assert {name: value.get_secret_value() for name, value in settings.supabase_secrets.items() if value} == {
        names.auth_provider("github"): "a-secret",
        names.auth_hook("send_sms"): f"v1,whsec_{'A' * 40}",
        names.auth_sms("TWILIO_AUTH_TOKEN"): "token",
        names.function("STRIPE_KEY"): "sk",
        names.of_service("auth", "GOTRUE_X"): "1",
        names.of_service("rest", "PGRST_X"): "2",
    }
    assert settings.secrets["serviceSecrets.auth.GOTRUE_X"].get_secret_value() == "1"
    assert "whsec" not in repr(settings)


def test_names_of_encrypted_secrets_are_known_without_the_passphrase_and_their_values_are_not(tmp_path: Path) -> None:
    settings = _file(tmp_path, ENCRYPTED)
    assert settings.supabase_secrets == {
        names.JWT_SECRET: None,
        names.function("STRIPE_KEY"): None,
        names.function("OTHER"): None,
        names.of_service("auth", "GOTRUE_X"): None,
    }
    assert not settings.secrets


def test_the_plan_hands_over_the_names_of_secrets_that_it_can_not_read(tmp_path: Path) -> None:
    local = ENCRYPTED + "  supastack:imageSource: local\n  supastack:objectStorage: {fallback: minio}\n"
    plan = Plan(_file(tmp_path, local))
    given = plan.supabase_args(plan.placement())["secrets"]
    assert given == dict.fromkeys(_file(tmp_path, local).supabase_secrets, "")


def test_the_plan_hands_over_the_values_by_the_names_of_the_services() -> None:
    plan = Plan(_load(LOCAL, secrets={"jwtSecret": SHARED, "functionSecrets": {"A": "b"}}))
    assert plan.supabase_args(plan.placement())["secrets"] == {names.JWT_SECRET: SHARED, names.function("A"): "b"}


def test_a_readable_value_beside_encrypted_ones_is_refused_alone_and_called_exposed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        _file(tmp_path, ENCRYPTED.replace("{secure: v1:def}", "Zq9plain").replace("{secure: v1:ghi}", "Zq9plain"))
    text = str(caught.value)
    assert [named(p.path) for p in caught.value.problems] == [
        "supastack:functionSecrets.OTHER",
        "supastack:serviceSecrets.auth.GOTRUE_X",
    ]
    assert "pulumi config set --secret --path 'supastack:functionSecrets.OTHER' --stack dev" in text
    assert text.count("exposed") == 2
    assert "Zq9" not in text


def test_a_mapping_that_is_encrypted_as_a_whole_is_refused_since_its_names_can_not_be_seen(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--path 'supastack:functionSecrets\.NAME'"):
        _file(tmp_path, "config:\n  supastack:functionSecrets: {secure: v1:abc}\n")


def test_a_wrong_name_is_refused_also_where_its_value_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"supastack:functionSecrets.*SUPABASE_URL"):
        _file(tmp_path, "config:\n  supastack:functionSecrets:\n    SUPABASE_URL: {secure: v1:abc}\n")
    with pytest.raises(SettingsError, match="there is no such service"):
        _file(tmp_path, "config:\n  supastack:serviceSecrets:\n    gotrue:\n      X: {secure: v1:abc}\n")


# -- keys that belong together ---------------------------------------------------------------------------------------


def test_role_keys_that_fit_their_secret_are_taken() -> None:
    own = {"jwtSecret": SHARED, "anonKey": role_key(role="anon"), "serviceRoleKey": role_key(role="service_role")}
    assert _load({}, secrets=own).supabase_secrets.keys() == {names.JWT_SECRET, names.ANON_KEY, names.SERVICE_ROLE_KEY}


def test_a_role_key_of_another_secret_is_refused() -> None:
    found = _problems({}, secrets={"jwtSecret": SHARED[::-1], "anonKey": role_key(role="anon")})
    assert found.keys() == {"anonKey"}
    assert "not signed with jwtSecret" in found["anonKey"]


def test_a_role_key_without_its_secret_is_refused_with_the_command_that_gives_it() -> None:
    found = _problems({}, secrets={"serviceRoleKey": role_key(role="service_role")})
    assert "pulumi config set --secret supastack:jwtSecret" in found["serviceRoleKey"]


def test_role_keys_that_can_not_be_read_are_taken_beside_their_secret() -> None:
    given = keyed({"jwtSecret": Ciphertext(), "anonKey": Ciphertext()})
    assert load(given, stack="dev").supabase_secrets == {names.JWT_SECRET: None, names.ANON_KEY: None}
    with pytest.raises(SettingsError, match="jwtSecret is not given"):
        load(keyed({"anonKey": Ciphertext()}), stack="dev")


def test_logflares_tokens_differ() -> None:
    same = {"logflarePublicAccessToken": "a-token-of-logflare", "logflarePrivateAccessToken": "a-token-of-logflare"}
    assert _problems({}, secrets=same).keys() == {"logflarePrivateAccessToken"}


@pytest.mark.parametrize("issued", ["2036-01-01", "2040-01-01"])
def test_keys_end_after_they_begin(issued: str) -> None:
    config = {"supabase": {"keys": {"issuedAt": issued}}}
    with pytest.raises(SettingsError, match=r"supabase\.keys\.expiresAt"):
        _load(config)


def test_a_day_is_read_alike_in_quotes_and_as_the_engine_hands_it_over() -> None:
    for text in ("2027-02-03", "2027-02-03 00:00:00 +0000 UTC"):
        assert complete("supabase", {"keys": {"issuedAt": text}})["keys"]["issuedAt"] == date(2027, 2, 3)


# -- compat: cli -----------------------------------------------------------------------------------------------------


def test_compat_gives_the_supabase_clis_keys_as_secrets() -> None:
    settings = _load({"compat": "cli"})
    assert settings.compat is Compat.CLI
    given = {name: value.get_secret_value() for name, value in settings.supabase_secrets.items() if value}
    assert given == {
        names.DATABASE_PASSWORD: "postgres",
        names.JWT_SECRET: cli_keys.JWT_SECRET,
        names.ANON_KEY: cli_keys.role_key(keys.ANON),
        names.SERVICE_ROLE_KEY: cli_keys.role_key(keys.SERVICE_ROLE),
        names.PUBLISHABLE_KEY: cli_keys.PUBLISHABLE_KEY,
        names.SECRET_KEY: cli_keys.SECRET_KEY,
        names.SIGNING_KEY: cli_keys.SIGNING_KEY,
        names.S3_PROTOCOL_ACCESS_KEY_ID: cli_keys.S3_ACCESS_KEY_ID,
        names.S3_PROTOCOL_ACCESS_KEY_SECRET: cli_keys.S3_ACCESS_KEY_SECRET,
    }
    assert not _load({}).supabase_secrets


NOTHING_RUNS = {name: {"enabled": False} for name in ("supabase", "cache", "objectStorage")}


@pytest.mark.parametrize(
    ("config", "environment", "said"),
    [
        ({"target": "kubernetes", "kubernetes": {"kubeconfig": "k", "context": "c"}}, None, "target is kubernetes"),
        ({"target": "managed", **NOTHING_RUNS}, None, "target is managed"),
        ({"bindAddress": "0.0.0.0"}, None, "bindAddress is 0.0.0.0"),
        ({"bindAddress": "192.168.1.5"}, None, "bindAddress is 192.168.1.5"),
        ({"bindAddress": "::"}, None, "bindAddress is ::"),
        ({"docker": {"host": "tcp://10.0.0.5:2376"}}, None, "docker.host"),
        ({"docker": {"host": "tcp://build.example:2376"}}, None, "docker.host"),
        ({}, "tcp://10.0.0.5:2376", "DOCKER_HOST"),
        ({}, "ssh://me@build.example", "DOCKER_HOST"),
    ],
)
def test_compat_is_refused_where_others_could_reach_the_stack(
    config: dict[str, Any], environment: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if environment:
        monkeypatch.setenv("DOCKER_HOST", environment)
    found = _problems({"compat": "cli", **config})
    assert found.keys() == {"compat"}
    assert said in found["compat"]


@pytest.mark.parametrize(
    ("config", "environment"),
    [
        ({"bindAddress": "127.0.0.2"}, None),
        ({"bindAddress": "::1"}, None),
        ({"docker": {"host": "unix:///var/run/docker.sock"}}, "tcp://10.0.0.5:2376"),
        ({"docker": {"host": "tcp://127.0.0.1:2375"}}, None),
        ({}, "unix:///run/user/1000/docker.sock"),
    ],
)
def test_compat_is_taken_on_this_machine(
    config: dict[str, Any], environment: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if environment:
        monkeypatch.setenv("DOCKER_HOST", environment)
    assert _load({"compat": "cli", **config}).compat is Compat.CLI


@pytest.mark.parametrize("name", cli())
def test_compat_is_refused_beside_an_own_value_of_what_it_gives(name: str) -> None:
    found = _problems({"compat": "cli"}, secrets={name: SECRETS_GIVEN[name]})
    assert found.keys() == {name}
    assert f"pulumi config rm supastack:{name}" in found[name]


def test_compat_stands_beside_secrets_that_it_does_not_give() -> None:
    settings = _load(
        {"compat": "cli"}, secrets={"dashboardPassword": "own-password", "vaultEncKey": SECRETS_GIVEN["vaultEncKey"]}
    )
    assert {names.DASHBOARD_PASSWORD, names.VAULT_ENC_KEY} < settings.supabase_secrets.keys()


# -- keys that end ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "warned"),
    [("2026-06-01", False), ("2035-11-01", False), ("2035-11-02", True), ("2035-12-31", True), ("2036-01-01", True)],
)
def test_keys_that_end_within_sixty_days_are_warned_of(today: str, warned: bool) -> None:
    said = [line for line in _load({}, today=date.fromisoformat(today)).warnings if "expiresAt" in line]
    assert bool(said) is warned
    if warned:
        assert "2036-01-01" in said[0]
        assert ("that day has come" in said[0]) is (today == "2036-01-01")


@pytest.mark.parametrize(("today", "warned"), [("2026-06-01", True), ("2026-06-02", False)])
def test_keys_that_have_not_begun_are_warned_of(today: str, warned: bool) -> None:
    config = {"supabase": {"keys": {"issuedAt": "2026-06-02"}}}
    said = [line for line in _load(config, today=date.fromisoformat(today)).warnings if "issuedAt" in line]
    assert bool(said) is warned


def test_a_warning_is_the_same_on_the_next_day() -> None:
    first, second = (_load({}, today=date(2035, 12, day)).warnings for day in (1, 2))
    assert first == second


def test_a_key_that_a_user_gave_is_warned_of_by_its_own_end() -> None:
    own = {"jwtSecret": SHARED, "anonKey": role_key(role="anon", exp=keys.seconds(date(2026, 7, 1)))}
    (line,) = _load({}, secrets=own).warnings
    assert line.startswith("supastack:anonKey: this key ends on 2026-07-01")
    assert not _load({}, secrets=own, today=date(2026, 1, 1)).warnings
    far = {"jwtSecret": SHARED, "anonKey": role_key(role="anon", exp=2**52)}
    assert not _load({}, secrets=far).warnings


def test_the_supabase_clis_keys_end_too() -> None:
    (line,) = _load({"compat": "cli"}, today=date(2032, 11, 1)).warnings
    assert line.startswith("supastack:compat: the Supabase CLI's keys end on 2032-11-11")


def test_nothing_is_said_of_keys_where_the_stack_is_turned_off() -> None:
    settings = _load({"supabase": {"enabled": False}, "envFiles": {}}, today=date(2036, 1, 1))
    assert not [line for line in settings.warnings if "expiresAt" in line]


def test_the_day_changes_nothing_but_the_warnings() -> None:
    first, second = (Plan(_load(LOCAL, today=day)) for day in (TODAY, date(2036, 1, 1)))
    assert first.services == second.services
    assert first.supabase_args(first.placement()) == second.supabase_args(second.placement())
