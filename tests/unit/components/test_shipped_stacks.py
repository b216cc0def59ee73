"""Shipped stack files against what their seeds say. Seed 003's database and ports are held by test_plain_database.py."""

import pytest
import yaml

from components import ports
from components.plan import Plan
from components.settings import load, load_file
from tests.clone_root import ROOT
from tests.unit.components.services.making import env, written

# Seed 002: its services, its table of routes and its "Project-Specific" values.
SERVICES = {
    "postgres",
    "gateway",
    "auth",
    "rest",
    "realtime",
    "storage",
    "imgproxy",
    "meta",
    "functions",
    "analytics",
    "vector",
    "studio",
}
ROUTES = {
    "/auth/v1/": ("auth", "/"),
    "/rest/v1/": ("rest", "/"),
    "/realtime/v1/": ("realtime", "/socket"),
    "/storage/v1/": ("storage", "/"),
    "/functions/v1/": ("functions", "/"),
    "/analytics/v1/": ("analytics", "/"),
    "/pg/": ("meta", "/"),
    "/": ("studio", "/"),
}
EXTERNAL_URL = "https://upending-expectoration.supamanager.io"


def config(stack):
    return yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]


def supabase(plan):
    return {service.name: service for service in plan.services["supabase"] if not service.off}


@pytest.fixture(scope="module")
def manager():
    return Plan(load_file(ROOT / "Pulumi.supa-manager.yaml", stack="supa-manager"))


def test_supa_managers_project_has_the_services_and_values_of_its_seed(manager):
    running = supabase(manager)
    assert running.keys() >= SERVICES
    assert "pooler" not in running, "upstream had none then"
    assert manager.values["PROJECT_REF"] == "upending-expectoration"
    assert (env(running["auth"])["GOTRUE_JWT_EXP"], env(running["postgres"])["JWT_EXP"]) == ("3600", "3600")
    assert env(running["rest"])["PGRST_DB_SCHEMAS"] == "public,storage,graphql_public"
    assert (env(running["storage"])["STORAGE_BACKEND"], env(running["storage"])["FILE_SIZE_LIMIT"]) == ("file", str(50 * 2**20))


def test_supa_managers_gateway_has_every_route_of_its_seed(manager):
    made = yaml.safe_load(written(supabase(manager)["gateway"].files[0].content))
    kong = {path: (s["host"], s["path"]) for s in made["services"] for route in s["routes"] for path in route["paths"]}
    assert {path: kong.get(path) for path in ROUTES} == {path: (f"{{{host}.host}}", at) for path, (host, at) in ROUTES.items()}


def test_supa_managers_project_is_reached_on_this_machine_until_it_is_told_its_name(manager):
    # A name in the file would be where `make smoke` and the apps go, on machines that it does not lead to.
    assert manager.values["API_URL"] == f"http://127.0.0.1:{ports.auto_first('supastack', 'supa-manager') + 1}"
    assert env(supabase(manager)["auth"])["API_EXTERNAL_URL"] == manager.values["API_URL"]
    deployed = config("supa-manager")
    deployed["supastack:supabase"]["gateway"]["publicUrl"] = EXTERNAL_URL
    told = env(supabase(Plan(load(deployed, stack="supa-manager")))["auth"])
    assert told["API_EXTERNAL_URL"] == EXTERNAL_URL
    assert told["GOTRUE_SITE_URL"] != EXTERNAL_URL, "that is the frontend's, of which the seed gives none"
    assert EXTERNAL_URL in (ROOT / "Pulumi.supa-manager.yaml").read_text(), "whoever deploys it reads how"


def test_a_sign_in_at_cleanmatex_leads_back_to_either_name_of_this_machine_on_every_instance():
    for instance in (1, 2):
        plan = Plan(load({**config("cleanmatex"), "supastack:instance": instance}, stack="cleanmatex"))
        told, port = env(supabase(plan)["auth"]), 3000 + (instance - 1) * 1000
        assert told["GOTRUE_SITE_URL"] == f"http://127.0.0.1:{port}"
        # The seed's additional_redirect_urls are below it.
        assert told["GOTRUE_URI_ALLOW_LIST"].split(",") == [f"http://localhost:{port}", f"http://localhost:{port}/**"]


def test_pgbouncer_of_cleanmatex_can_not_have_the_seeds_port():
    # docs/decisions/0013: two instances on one machine would meet.
    assert ports.plan(2)["plainPostgres"] == 6432
    held = {port for instance in range(2, ports.LAST_INSTANCE + 1) for port in ports.plan(instance).values()}
    assert ports.plan(1)["pgbouncer"] not in held


def test_staging_and_prod_tell_the_operator_the_same_users():
    ids = [config(stack)["supastack:supabase"]["database"]["cnpg"] for stack in ("staging", "prod")]
    assert [(cnpg["userId"], cnpg["groupId"]) for cnpg in ids] == [(101, 102)] * 2


def test_no_health_path_is_made_up_for_the_kpi_dashboard():
    apps = config("kpi-prod")["supastack:apps"]
    assert [name for name, app in apps.items() if "healthPath" in app] == []
