"""No secret gets into a variable that browsers are given."""

import json

import pytest

from components import env_files, public_names
from components.env_apps import APPS
from components.env_files import Own
from components.plan import Plan, PlanError
from components.settings import SettingsError, load


def _problems(hidden=(), **variables):
    return public_names.problems(env_files.template("web", Own(variables=variables, groups={}, hidden=frozenset(hidden))))


@pytest.mark.parametrize(
    "name",
    [
        "NEXT_PUBLIC_A",
        "REACT_APP_A",
        "VITE_A",
        "EXPO_PUBLIC_A",
        "PUBLIC_A",
        "NUXT_PUBLIC_A",
        "GATSBY_A",
        "VUE_APP_A",
        "next_public_a",
    ],
)
def test_names_that_build_tools_give_to_browsers_are_public(name):
    assert public_names.is_public(name)


@pytest.mark.parametrize("name", ["A", "MY_PUBLIC_A", "PUBLICATION", "NEXT_A", "VITEX", "APP_PUBLIC_KEY"])
def test_other_names_are_not(name):
    assert not public_names.is_public(name)


def test_a_secret_in_a_public_variable_names_the_variable_the_output_and_the_way_out():
    (line,) = _problems(NEXT_PUBLIC_KEY="${SERVICE_ROLE_KEY}").values()
    assert "NEXT_PUBLIC_KEY" in line
    assert "SERVICE_ROLE_KEY is a secret" in line
    assert "ANON_KEY or PUBLISHABLE_KEY" in line


def test_it_is_found_among_other_text_and_as_the_password_of_a_url():
    found = _problems(VITE_A="x=${JWT_SECRET}&y=${ANON_KEY}", VITE_B="${DB_URL.password}", VITE_C="${DB_URL} ${SECRET_KEY}")
    assert list(found) == ["VITE_A", "VITE_B", "VITE_C"]
    assert "DB_URL and SECRET_KEY are secrets" in found["VITE_C"]


def test_what_browsers_may_have_is_let_through():
    assert not _problems(
        NEXT_PUBLIC_A="${ANON_KEY}", VITE_B="${PUBLISHABLE_KEY}", PUBLIC_C="${API_URL}", PUBLIC_D="${DB_URL.host}"
    )


def test_a_server_s_variable_may_hold_any_secret():
    assert not _problems(SERVER_KEY="${SERVICE_ROLE_KEY}", hidden=["TOKEN"])


def test_a_secret_setting_under_a_public_name_is_refused_too():
    (line,) = _problems(hidden=["REACT_APP_TOKEN"]).values()
    assert line.startswith("REACT_APP_TOKEN: its value in appSecrets is a secret")


@pytest.mark.parametrize("app", sorted(APPS))
def test_no_template_that_is_built_in_gives_a_secret_away(app):
    assert not public_names.problems(APPS[app])


def _stack(**settings):
    return Plan(load({f"supastack:{k}": v if isinstance(v, str) else json.dumps(v) for k, v in settings.items()}, stack="dev"))


def test_a_stack_with_such_an_env_file_is_refused_before_anything_is_touched():
    with pytest.raises(PlanError, match=r"supastack:envFiles\.web: VITE_KEY: SERVICE_ROLE_KEY is a secret"):
        _stack(target="docker", envFiles={"web": {"variables": {"VITE_KEY": "${SERVICE_ROLE_KEY}"}}})


def test_a_stack_with_such_an_app_is_refused():
    app = {"image": "a/b:1", "port": 3000, "env": {"REACT_APP_KEY": "${JWT_SECRET}"}}
    with pytest.raises(SettingsError, match=r"supastack:apps\.web\.env\.REACT_APP_KEY[\s\S]*JWT_SECRET is a secret"):
        _stack(target="docker", apps={"web": app})


def test_a_stack_with_such_a_tenant_is_refused_once_for_all_that_share_the_file():
    tenants = [{"id": f"t{n}", "tier": "standard"} for n in range(3)]
    file = {"path": ".env.${TENANT}", "variables": {"GATSBY_KEY": "${SERVICE_ROLE_KEY}"}}
    with pytest.raises(PlanError) as refused:
        _stack(target="docker", tenants=tenants, tenantEnvFile=file)
    assert str(refused.value).count("tenantEnvFile: GATSBY_KEY: SERVICE_ROLE_KEY is a secret") == 1


def test_a_secret_of_the_tenants_app_under_a_public_name_is_refused_too():
    more = {"supastack:tenants": [{"id": "t0"}], "supastack:tenantEnvFile": {"app": "monopilot"}}
    given = {**more, "supastack:appSecrets": {"monopilot": {"NEXT_PUBLIC_TOKEN": "hush"}}}
    with pytest.raises(PlanError, match="NEXT_PUBLIC_TOKEN: its value in appSecrets is a secret"):
        Plan(load(given, stack="dev", secret_keys=["supastack:appSecrets"]))
