"""The whole program under a mocked engine: what reaches the env files, and that a secret is one all the way."""

import asyncio
import json
import runpy

import pulumi
import pytest

from components import env_of_state
from components.env_example import example
from components.env_sources import OUTPUTS
from components.plan import Plan, PlanError
from components.settings import load
from tests.clone_root import ROOT
from tests.conftest import holders_of, unwrapped

LOCAL = {"supastack:imageSource": "local", "supastack:objectStorage": json.dumps({"fallback": "minio"})}
TABLES = {"IMAGES", "PORTS", "ENV_FILES", "NOTES", "COMPAT", "ENV_VALUES"}


def run(engine, config, secret=()):
    pulumi.runtime.set_all_config({**LOCAL, **config}, list(secret))
    return engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))


def files(**apps):
    return {"supastack:envFiles": json.dumps(apps)}


def values(recorder, app):
    return recorder.inputs(f"env-{app}")["values"]


@pytest.fixture(autouse=True)
def _no_config_left():
    yield
    pulumi.runtime.set_all_config({}, [])


def test_the_service_centre_gets_all_its_variables_and_its_keys_are_real(engine):
    found = unwrapped(values(run(engine, {}), "nextjs"))
    assert set(found) >= {
        "NEXT_PUBLIC_SUPABASE_URL",
        "NEXT_PUBLIC_SUPABASE_ANON_KEY",
        "SUPABASE_SERVICE_ROLE_KEY",
        "DATABASE_URL",
    }
    assert found["NEXT_PUBLIC_SUPABASE_URL"] == "http://127.0.0.1:54321"


def test_a_text_with_a_secret_in_it_is_secret_all_the_way(engine):
    texts = {"URL": "${API_URL}/x", "DSN": "host=${DB_URL.host} password=${DB_URL.password}", "PLAIN": "plain"}
    recorder = run(engine, files(shop={"path": ".env.shop", "variables": texts}))
    found = values(recorder, "shop")
    assert found["URL"] == "http://127.0.0.1:54321/x"
    assert found["PLAIN"] == "plain"
    assert holders_of("generated-supabase-database-password", found) <= {"secret"}
    for name in recorder.requests:
        if not recorder.requests[name].type.startswith("random:"):
            assert "plain" not in holders_of("generated-supabase-database-password", recorder.inputs(name)), name


def test_a_secret_setting_of_an_app_is_written_and_shown_nowhere(engine):
    given = json.dumps({"shop": {"TOKEN": "Hush-Hush-Hush"}})
    config = {**files(shop={"path": ".env.shop", "variables": {"A": "1"}}), "supastack:appSecrets": given}
    recorder = run(engine, config, ["supastack:appSecrets"])
    assert unwrapped(values(recorder, "shop")) == {"A": "1", "TOKEN": "Hush-Hush-Hush"}
    for name in recorder.requests:
        assert "plain" not in holders_of("Hush-Hush-Hush", recorder.inputs(name)), name


def test_a_secret_for_an_app_that_has_no_file_is_refused(engine):
    given = json.dumps({"shop": {"TOKEN": "Hush-Hush-Hush"}})
    with pytest.raises(pulumi.RunError, match=r"appSecrets\.shop\.TOKEN: there is no app shop"):
        run(engine, {"supastack:appSecrets": given}, ["supastack:appSecrets"])
    # The tenants' file is one of that app, also while there are no tenants.
    of_tenants = {"supastack:appSecrets": given.replace("shop", "monopilot"), "supastack:tenantEnvFile": '{"app": "monopilot"}'}
    run(engine, of_tenants, ["supastack:appSecrets"])


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ({"variables": {"A": "${NO_SUCH}"}}, r"no stack has a value NO_SUCH(.|\n)*API_URL"),
        ({"variables": {"A": "${API_ULR}"}}, "did you mean API_URL"),
        ({"variables": {"A": "1"}, "groups": {"G": {"variables": {"A": "2"}}}}, "A is given twice"),
        ({"variables": {"a.b": "1"}}, r"a\.b is no name for an environment variable"),
        ({}, "no such app"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_registered(engine, file, why):
    with pytest.raises(pulumi.RunError, match=why):
        run(engine, files(shop=file))
    assert set(engine.recorder.requests) <= {"supastack-dev"}


def test_every_output_that_is_one_value_is_one_that_env_files_know_and_the_secret_ones_are_secret(engine, monkeypatch):
    told = {}
    monkeypatch.setattr(pulumi, "export", told.__setitem__)
    run(engine, files(cleanmatex={}))
    single = set(told) - TABLES
    assert single <= set(OUTPUTS)
    assert {"API_URL", "ANON_KEY", "DB_URL", "REDIS_URL", "S3_SECRET_KEY", "BACKEND_URL"} <= single
    loop = asyncio.get_event_loop()
    for name in single:
        hidden = isinstance(told[name], pulumi.Output) and loop.run_until_complete(told[name].is_secret())
        assert hidden or not OUTPUTS[name].secret, name


def test_what_the_state_tells_fills_every_file_as_the_stack_does(engine, monkeypatch):
    told = {}
    monkeypatch.setattr(pulumi, "export", told.__setitem__)
    apps = ("cleanmatex", "kpi", "monopilot", "nextjs", "supabase")
    recorder = run(engine, files(**{app: {"path": f".env.{app}"} for app in apps}))
    made = told["ENV_VALUES"]
    loop = asyncio.get_event_loop()
    for name in ("SETUP_PASSWORD", "ADMIN_PASSWORD"):
        assert loop.run_until_complete(made[name].is_secret())
    seen = loop.run_until_complete(pulumi.Output.all(**told).future())
    for app in apps:
        assert env_of_state.of_outputs(app, None, seen).values == unwrapped(values(recorder, app)), app


@pytest.mark.parametrize("off", ["studio", "storage", "functions", "mail", "pooler", "gateway"])
def test_a_service_that_is_off_takes_its_outputs_with_it(engine, off):
    gone = {
        "studio": {"STUDIO_URL", "DASHBOARD_USERNAME", "DASHBOARD_PASSWORD"},
        "storage": {"STORAGE_S3_URL", "S3_PROTOCOL_REGION", "S3_PROTOCOL_ACCESS_KEY_ID", "S3_PROTOCOL_ACCESS_KEY_SECRET"},
        "functions": {"FUNCTIONS_URL"},
        "mail": {"MAILPIT_URL"},
        "pooler": {"POOLER_URL", "POOLER_SESSION_URL"},
        "gateway": {"API_URL", "REST_URL", "GRAPHQL_URL", "FUNCTIONS_URL", "STORAGE_S3_URL"},
    }[off]
    every = set(planned({}).values)
    left = set(planned({"supastack:supabase": {off: {"enabled": False}, **WITHOUT.get(off, {})}}).values)
    assert gone <= every
    assert gone.isdisjoint(left)
    assert "DB_URL" in left


WITHOUT = {
    "gateway": {"studio": {"enabled": False}, "functions": {"enabled": False}},
    "mail": {"auth": {"email": {"enableConfirmations": False}}},
}
"""What can't be without it goes as well."""


def planned(config):
    return Plan(load({"supastack:imageSource": "local", "supastack:objectStorage": {"fallback": "minio"}, **config}, stack="dev"))


def test_what_an_app_needs_and_the_stack_lacks_is_a_note_and_no_placeholder():
    plan = planned({"supastack:cache": {"enabled": False}, "supastack:envFiles": {"kpi": {}}})
    assert [note for note in plan.notes if "envFiles" in note] == [
        "envFiles.kpi: left out, since the stack has no such value: REDIS_URL (REDIS_URL)"
    ]


def test_an_apps_ports_are_its_templates_and_follow_the_instance():
    plan = planned({"supastack:instance": 2, "supastack:envFiles": {"kpi-backend": {}}})
    assert plan.values["BACKEND_PORT"] == "4000"
    assert plan.values["APP_URL"] == "http://127.0.0.1:4001"
    assert plan.values["SITE_URL"] == "http://127.0.0.1:4001"
    moved = planned({"supastack:envFiles": {"kpi": {}}, "supastack:app": {"port": 8001}, "supastack:ports": {"backend": 8000}})
    assert (moved.values["APP_PORT"], moved.values["BACKEND_PORT"]) == ("8001", "8000")


def test_the_clis_config_is_refused_where_its_local_commands_could_not_log_in():
    asked = {"supastack:envFiles": {"supabase-cli": {}}}
    with pytest.raises(PlanError, match=r"envFiles\.supabase-cli: .*compat: cli.*--remote"):
        planned(asked)
    with pytest.raises(PlanError, match="one database, postgres, and this stack's is shop"):
        planned({**asked, "supastack:compat": "cli", "supastack:supabase": {"database": {"name": "shop"}}})
    plan = planned({**asked, "supastack:compat": "cli", "supastack:instance": 2})
    assert str(plan.settings.env_files["supabase-cli"].path).endswith("/supabase/config.toml")
    text = example(plan.apps["supabase-cli"], plan.values)
    assert "api.port = 55321\n" in text
    assert "db.port = 55322\n" in text
    assert "db.shadow_port = 55320\n" in text
    assert 'auth.site_url = "http://127.0.0.1:4025"\n' in text


def test_the_stacks_name_can_stand_in_a_files_path():
    plan = planned({"supastack:envFiles": {"kpi": {"path": "apps/.env.${STACK}"}}})
    assert plan.settings.env_files["kpi"].path == ROOT / "apps/.env.dev"


def test_the_ports_that_apps_listen_on_are_told_to_the_checks_so_that_another_stacks_are_seen(engine):
    recorder = run(engine, {"supastack:instance": "7", **files(kpi={})})
    told = unwrapped(recorder.inputs("checks"))["parameters"]["apps"]
    assert [(want["name"], int(want["port"]), want["app"]) for want in told] == [("backend", 9000, "kpi")]
    told = unwrapped(run(engine, files(cleanmatex={})).inputs("checks"))["parameters"]["apps"]
    assert [(want["name"], int(want["port"])) for want in told] == [("app", 3000), ("backend", 3001)]
