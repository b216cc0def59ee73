"""An env file as the state has it: the same text as the stack's own, filled templates where there is none, tenants, hands' additions."""

from pathlib import Path

import pytest

from components import env_of_state
from components.env_apps.nextjs import NEXTJS
from components.env_own import template_of
from tests.clone_root import ROOT
from tests.unit.env_files.written import VALUES, bag, edit, made

OUTPUTS = {
    "API_URL": "https://api",
    "ANON_KEY": "anon",
    "SERVICE_ROLE_KEY": "hush",
    "INSTANCE_ID": "1",
    "DB_URL": "postgresql://u:p@h/d",
}
OF_APPS = {"APP_PORT": "3025", "SETUP_PASSWORD": "pw1", "ADMIN_EMAIL": "a@b", "ADMIN_PASSWORD": "pw2", "ADMIN_NAME": "Ann"}


def shop(folder, **settings):
    file = folder / "Pulumi.shop.yaml"
    lines = [f"  supastack:{name}: {value}\n" for name, value in settings.items()]
    file.write_text("config:\n" + "".join(lines))
    return file


@pytest.mark.usefixtures("project", "said")
def test_the_text_is_the_one_that_the_stack_writes():
    told = env_of_state.of_file(made(), None)
    assert told.text() == Path(".env").read_text()
    assert told.app is NEXTJS


@pytest.mark.usefixtures("project", "said")
def test_what_a_hand_has_added_to_the_file_goes_along_and_what_it_has_changed_does_not():
    told = env_of_state.of_file(made(), None)
    edit("ADMIN_NAME=Ann\n", "ADMIN_NAME=Bob\nMINE=own\n")
    assert told.beside(Path(".env").read_bytes()).values == {**VALUES, "MINE": "own"}


@pytest.mark.usefixtures("project", "said")
def test_a_file_of_an_earlier_deployment_or_of_another_stack_adds_nothing():
    told = env_of_state.of_file(bag(values={"INSTANCE_ID": "2"}), None)
    made()
    assert told.beside(Path(".env").read_bytes()).values == {"INSTANCE_ID": "2"}
    Path(".env").write_text(Path(".env").read_text().replace("stack=dev", "stack=other") + "MINE=own\n")
    assert told.beside(Path(".env").read_bytes()).values == {"INSTANCE_ID": "2"}


def test_an_app_without_a_file_is_filled_with_the_outputs_and_bears_no_header():
    told = env_of_state.of_outputs("nextjs", ROOT / "Pulumi.prod.yaml", {**OUTPUTS, env_of_state.OUTPUT: OF_APPS})
    assert told.values.keys() == NEXTJS.variables.keys()
    assert told.values["SETUP_PASSWORD"] == "pw1"
    assert told.left_out == {}
    assert "Managed by" not in told.text()
    assert "SUPABASE_SERVICE_ROLE_KEY=hush\n" in told.text()


def test_what_the_stack_has_no_value_of_is_left_out_and_named(tmp_path):
    config = shop(tmp_path, envFiles="{nextjs: {}}", appSecrets="{nextjs: {TOKEN: {secure: abc}}}")
    told = env_of_state.of_outputs("nextjs", config, OUTPUTS)
    assert "TOKEN" not in told.values
    assert told.left_out["TOKEN"] == ["appSecrets.nextjs.TOKEN"]
    assert told.left_out["SETUP_PASSWORD"] == ["SETUP_PASSWORD"]


def test_a_tenants_secret_is_named_by_the_setting_of_its_app(tmp_path):
    config = shop(
        tmp_path,
        tenants="[{id: org}, {id: own, variables: {TOKEN: x}}]",
        tenantEnvFile="{app: monopilot}",
        appSecrets="{monopilot: {TOKEN: {secure: abc}}}",
    )
    told = env_of_state.of_outputs("tenant-org", config, OUTPUTS)
    assert "TOKEN" not in told.values
    assert told.left_out["TOKEN"] == ["appSecrets.monopilot.TOKEN"]
    assert env_of_state.of_outputs("tenant-own", config, OUTPUTS).values["TOKEN"] == "x"


def test_a_tenant_with_a_project_of_its_own_is_told_nothing_of_the_shared_one(tmp_path):
    acme = "{id: acme, tier: enterprise, project: {ref: acmefoodsenterprisex}, variables: {MINE: '${DB_URL}', PLAIN: x}}"
    config = shop(
        tmp_path,
        tenants=f"[{{id: org}}, {acme}]",
        tenantEnvFile="{app: nextjs}",
        appSecrets="{nextjs: {TOKEN: {secure: abc}, SUPABASE_SERVICE_ROLE_KEY: {secure: abc}, INSTANCE_ID: {secure: abc}}}",
    )
    told = env_of_state.of_outputs("tenant-acme", config, {**OUTPUTS, env_of_state.OUTPUT: OF_APPS})
    assert told.values == {"NEXT_PUBLIC_PORT": "3025", "PLAIN": "x"}
    assert told.left_out["SUPABASE_SERVICE_ROLE_KEY"] == ["SERVICE_ROLE_KEY of its own"]
    assert told.left_out["MINE"] == ["DB_URL of its own"]
    assert told.left_out["INSTANCE_ID"] == ["appSecrets.nextjs.INSTANCE_ID"]
    assert told.left_out["TOKEN"] == ["appSecrets.nextjs.TOKEN"]
    # The check of its file asks for a key there, as of any app.
    variables = template_of("tenant-acme", config).variables
    assert variables["SUPABASE_SERVICE_ROLE_KEY"] == NEXTJS.variables["SUPABASE_SERVICE_ROLE_KEY"]
    assert variables["INSTANCE_ID"].may_be_empty, "of the settings alone"
    shared = env_of_state.of_outputs("tenant-org", config, {**OUTPUTS, env_of_state.OUTPUT: OF_APPS})
    assert shared.left_out["SUPABASE_SERVICE_ROLE_KEY"] == ["appSecrets.nextjs.SUPABASE_SERVICE_ROLE_KEY"]
    assert shared.values["NEXT_PUBLIC_SUPABASE_URL"] == "https://api"


def test_an_app_that_nobody_knows_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no such app.*nextjs"):
        env_of_state.of_outputs("nope", ROOT / "Pulumi.prod.yaml", OUTPUTS)


def test_a_tenants_template_says_what_is_secret_and_what_left_the_settings_is_all_secret():
    props = bag(app="tenant-acme", setting="tenantEnvFile", layout=[["", ["NODE_ENV", "DATABASE_URL"]]], values={"NODE_ENV": "x"})
    variables = env_of_state.of_file(props, ROOT / "Pulumi.monopilot.yaml").app.variables
    assert not variables["NODE_ENV"].secret
    assert variables["DATABASE_URL"].secret
    assert env_of_state.of_file({**props, "app": "tenant-gone"}, ROOT / "Pulumi.monopilot.yaml").app.variables == {}
