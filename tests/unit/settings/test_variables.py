"""Maps of environment variables: true, false and whole numbers count as their text, since `pulumi config set --path` writes such."""

import json
from pathlib import Path
from typing import Any

import pytest

from components import setting_docs
from components.env_own import template_of
from components.setting_groups import complete
from components.setting_schema import all_fields, limits
from components.setting_values import Setting
from components.settings import Ciphertext, Settings, SettingsError, load
from components.stack_file import read
from tests.clone_root import ROOT

GIVEN = {"ON": True, "OFF": False, "COUNT": 5, "LESS": -5, "TEXT": "0123", "VERSION": "1.10"}
TEXTS = {"ON": "true", "OFF": "false", "COUNT": "5", "LESS": "-5", "TEXT": "0123", "VERSION": "1.10"}


def stack(given: Any) -> dict[str, Any]:
    """A stack with these variables wherever variables can be."""
    return {
        "supastack:supabase": {"services": {"auth": {"env": given}}},
        "supastack:apps": {"shop": {"image": "example.com/shop:1", "env": given}},
        "supastack:envFiles": {
            "shop": {"variables": given, "groups": {"More": {"variables": {f"G_{n}": given[n] for n in given}}}}
        },
        "supastack:tenants": [{"id": "org", "variables": given}],
        "supastack:tenantEnvFile": {"variables": given, "groups": {"More": {"variables": {f"G_{n}": given[n] for n in given}}}},
    }


def found(settings: Settings) -> list[Any]:
    """The variables as the program has them."""
    (tenant,) = settings.tenants
    own, all_tenants = settings.env_files["shop"].own, settings.tenant_env_file
    return [
        settings.given("supabase")["services"]["auth"]["env"],
        settings.given("apps")["shop"]["env"],
        own.variables,
        {name.removeprefix("G_"): text for name, text in own.groups["More"].items()},
        tenant.variables,
        all_tenants["variables"],
        {name.removeprefix("G_"): text for name, text in all_tenants["groups"]["More"]["variables"].items()},
    ]


@pytest.mark.parametrize("form", [lambda value: value, json.dumps], ids=["yaml", "program"])
def test_what_the_command_line_stores_as_true_or_a_number_is_the_variables_text(form: Any) -> None:
    settings = load({key: form(value) for key, value in stack(GIVEN).items()}, stack="dev")
    for texts in found(settings):
        assert texts == TEXTS


def test_the_way_out_of_the_docs_is_taken_as_its_commands_store_it() -> None:
    text = (ROOT / "docs/services.md").read_text().partition("## The way out")[2]
    env: dict[str, Any] = {}
    for line in text.splitlines():
        if line.startswith("$ pulumi config set --path supastack:supabase.services.auth.env."):
            key, value = line.rpartition(".")[2].split()
            env[key] = json.loads(value) if value in ("true", "false") else value
    assert env == {"GOTRUE_SECURITY_CAPTCHA_ENABLED": True, "GOTRUE_SECURITY_CAPTCHA_PROVIDER": "hcaptcha"}
    given = {"supastack:supabase": {"services": {"auth": {"env": env}}}}
    given["supastack:serviceSecrets"] = {"auth": {"GOTRUE_SECURITY_CAPTCHA_SECRET": Ciphertext()}}
    settings = load(given, stack="dev", secret_keys=["supastack:serviceSecrets"])
    assert settings.given("supabase")["services"]["auth"]["env"]["GOTRUE_SECURITY_CAPTCHA_ENABLED"] == "true"


def test_a_component_and_the_check_of_an_env_file_take_them_too(tmp_path: Path) -> None:
    config = tmp_path / "Pulumi.dev.yaml"
    config.write_text(json.dumps({"config": stack(GIVEN)}))
    for app in ("shop", "tenant-org"):
        made = {key: variable.value for key, variable in template_of(app, config).variables.items()}
        assert made == {**TEXTS, **{f"G_{name}": text for name, text in TEXTS.items()}}
    assert complete("supabase", {"services": {"auth": {"env": GIVEN}}})["services"]["auth"]["env"] == TEXTS


@pytest.mark.parametrize("value", [1.5, 2**53, -(2**53), [5], {"a": 5}, None])
def test_what_may_not_have_arrived_as_it_was_written_is_refused_with_the_fix(value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        load(stack({"X": value}), stack="dev")
    keys = {
        *("supastack:apps.shop.env.X", "supastack:supabase.services.auth.env.X", "supastack:tenants[0].variables.X"),
        *("supastack:envFiles.shop.variables.X", "supastack:envFiles.shop.groups.More.variables.G_X"),
        *("supastack:tenantEnvFile.variables.X", "supastack:tenantEnvFile.groups.More.variables.G_X"),
    }
    said = str(caught.value)
    assert all(f"  {key}" in said for key in keys)
    assert len(caught.value.problems) == len(keys)
    assert said.count("put it in quotes") == said.count("--type string") == len(keys)


def test_a_number_that_is_not_plain_digits_is_one_by_the_time_it_arrives_and_quotes_keep_it() -> None:
    """What docs/settings.md says of a stack file: YAML has read these already."""
    env = "{A: 0123, B: 1.0, C: 0x10, D: '0123', E: '1.0'}"
    given = read(f"config:\n  supastack:supabase:\n    services: {{auth: {{env: {env}}}}}\n")
    env = load(given, stack="dev").given("supabase")["services"]["auth"]["env"]
    assert env == {"A": "83", "B": "1", "C": "16", "D": "0123", "E": "1.0"}


def test_texts_that_are_no_variables_stay_texts() -> None:
    for given in ({"plainDatabase": {"parameters": {"max_locks_per_transaction": 64}}}, {"tenants": [{"id": "a", "orgId": 42}]}):
        with pytest.raises(SettingsError, match="where text is expected"):
            load({f"supastack:{name}": value for name, value in given.items()}, stack="dev")


def test_limits_say_nothing_of_an_end_that_is_none() -> None:
    assert limits(Setting(maximum=50)) == "at most 50"
    assert limits(Setting(minimum=3, unit="seconds")) == "at least 3 seconds"
    assert limits(Setting(minimum=0, maximum=50)) == "0 to 50"
    tables = setting_docs.settings_tables() + setting_docs.overview_table() + setting_docs.config_schema_text()
    assert "None" not in tables


def test_a_list_that_is_too_long_is_told_how_many_it_takes() -> None:
    lists = [field for field in all_fields() if field.setting.maximum is not None and str(field.type).startswith("list")]
    assert any(field.path[-1] == "readReplicas" for field in lists)
    given = {"supastack:supabase": {"database": {"readReplicas": [f"r{n}.example.com" for n in range(51)]}}}
    with pytest.raises(SettingsError) as caught:
        load(given, stack="dev")
    (problem,) = [p for p in caught.value.problems if p.path[-1] == "readReplicas"]
    assert problem.fix == "give at most 50 items"
    assert "None" not in str(caught.value)
