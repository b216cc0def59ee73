"""Tenants in the whole program under a mocked engine: which values each has, what is secret, and what the outputs tell."""

import json
import runpy
from functools import partial
from pathlib import Path

import pulumi
import pytest

from components import env_file, env_files, env_sources, env_written, tenants
from components.env_file_header import Owner
from components.managed import KEYS
from components.plan import Plan
from components.settings import Ciphertext, load
from components.stack_file import read
from tests.clone_root import ROOT
from tests.conftest import holders_of, unwrapped
from tests.unit.settings.test_tenants import key
from toolchain.stack import summary
from toolchain.stack.state import Output

SHARED, ACME = "monopilotsharedprojx", "acmefoodsenterprisex"
PASSWORDS = {"": "shared-Password/1", "acme": "acme-Password/1", "globex": "globex-Password/1"}
SHIPPED = read((ROOT / "Pulumi.monopilot.yaml").read_text())
OWN = {t["id"]: t["project"]["ref"] for t in SHIPPED["supastack:tenants"] if "project" in t}
"""The projects of the enterprise tenants."""
HIDDEN = {"supastack:databasePassword": PASSWORDS[""], "supastack:cachePassword": "upstash-Password1"}


def as_given(**over):
    """The shipped configuration as the engine hands it over, but for keys that only the platform can make."""
    config = {**SHIPPED, **{f"supastack:{name}": value for name, value in over.items()}}
    file = {**config["supastack:tenantEnvFile"], "app": "kpi-backend"}
    config |= {"supastack:tenantEnvFile": file, **HIDDEN}
    given = {t: {"databasePassword": PASSWORDS[t], "redisUrl": f"rediss://:{t}-Cache@h:6379"} for t in ("acme", "globex")}
    config["supastack:tenantSecrets"] = given
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


@pytest.fixture(autouse=True)
def _no_config_left():
    yield
    pulumi.runtime.set_all_config({}, [])


def run(engine, config):
    pulumi.runtime.set_all_config(config, [*HIDDEN, "supastack:tenantSecrets"])
    return engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))


def of_tenants(recorder):
    return {name.removeprefix("tenant-"): recorder.inputs(name) for name in recorder.requests if name.startswith("tenant-")}


def test_each_tenant_has_one_file_with_its_own_project_or_the_shared_one(engine):
    found = of_tenants(run(engine, as_given()))
    assert found.keys() == {"org_1", "org_2", "org_3", "acme", "globex"}
    plain = {tenant: unwrapped(inputs) for tenant, inputs in found.items()}
    assert f"@db.{SHARED}.supabase.co" in plain["org_1"]["values"]["DIRECT_URL"]
    assert f"@db.{ACME}.supabase.co" in plain["acme"]["values"]["DIRECT_URL"]
    assert plain["acme"]["tenant"] == {"id": "acme", "tier": "enterprise", "project": ACME}
    assert plain["org_1"]["tenant"] == {"id": "org_1", "tier": "standard", "project": "shared"}
    assert plain["acme"]["values"]["REDIS_URL"] == "rediss://:acme-Cache@h:6379"
    assert "monopilot-example.upstash.io" in plain["org_1"]["values"]["REDIS_URL"]
    assert {inputs["path"] for inputs in plain.values()} == {f".env.dev.{tenant}" for tenant in plain}
    for tenant, inputs in found.items():
        own = PASSWORDS.get(tenant, PASSWORDS[""])
        assert holders_of(own.replace("/", "%2F"), inputs) == {"secret"}
        for other in {*PASSWORDS.values()} - {own}:
            assert holders_of(other.replace("/", "%2F"), inputs) == set()


def test_a_secret_of_the_apps_own_is_in_every_tenants_file_but_where_the_tenant_says_otherwise(engine):
    tenants = [*SHIPPED["supastack:tenants"], {"id": "org_9", "variables": {"UPSTASH_REDIS_REST_TOKEN": "none"}}]
    config = as_given(tenants=tenants, envFiles={})
    secret = {"UPSTASH_REDIS_REST_TOKEN": "Hush-Hush-Hush", "JWT_SECRET": "Own-Own-Own"}
    config["supastack:appSecrets"] = json.dumps({"kpi-backend": secret})
    pulumi.runtime.set_all_config(config, [*HIDDEN, "supastack:tenantSecrets", "supastack:appSecrets"])
    recorder = engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))
    found = of_tenants(recorder)
    for tenant, inputs in found.items():
        values = unwrapped(inputs)["values"]
        assert values["UPSTASH_REDIS_REST_TOKEN"] == ("none" if tenant == "org_9" else "Hush-Hush-Hush"), tenant
        assert values["JWT_SECRET"] == "Own-Own-Own", "in place of the template's"
    assert holders_of("Hush-Hush-Hush", found["org_1"]) == holders_of("Hush-Hush-Hush", found["acme"]) == {"secret"}
    for name in recorder.requests:
        assert "plain" not in holders_of("Hush-Hush-Hush", recorder.inputs(name)), name


def test_nothing_that_leads_to_the_shared_project_reaches_a_tenant_with_its_own(engine):
    # All names there are, those of the settings included.
    every = {name: f"${{{name}}}" for name in [*env_sources.SOURCES, "CACHE_TTL_SETTINGS"]}
    config = as_given()
    # A key is asked for where a file refers to it, and each is the project's own or missing.
    keys = [name for name in every if name.endswith("_KEY") or name in KEYS]
    config["supastack:tenantEnvFile"] = json.dumps({"variables": {k: v for k, v in every.items() if k not in keys}})
    found = of_tenants(run(engine, config))
    for tenant in ("acme", "globex"):
        assert holders_of(SHARED, found[tenant]) == set()
        assert holders_of(PASSWORDS[""].replace("/", "%2F"), found[tenant]) == set()
    assert holders_of(SHARED, found["org_1"]) == {"plain", "secret"}, "the search finds it where it is"


@pytest.mark.parametrize("app", ["nextjs", "monopilot"])
def test_a_key_of_the_shared_project_that_the_app_is_given_reaches_no_tenant_with_its_own(engine, monkeypatch, app):
    shared, own = key(SHARED, "service_role"), {tenant: key(ref, "service_role") for tenant, ref in OWN.items()}
    of_a_project = {"SUPABASE_SERVICE_ROLE_KEY": shared, "DATABASE_URL": f"postgresql://u:p@{SHARED}/d"}
    if app == "monopilot":
        of_a_project["READ_DATABASE_URL"] = f"postgresql://u:p@replica.{SHARED}/d"  # no tenant's project has one
    hidden = {**of_a_project, "UPSTASH_REDIS_REST_TOKEN": "Hush-Hush-Hush", "INSTANCE_ID": "7", "SCHEDULED_TASKS": "{}"}
    config = as_given(appSecrets={app: hidden}, envFiles={app: {}}, anonKey=key(SHARED, "anon"), serviceRoleKey=shared)
    config["supastack:tenantEnvFile"] = json.dumps({"app": app})
    given = {
        tenant: {"databasePassword": PASSWORDS[tenant], "anonKey": key(ref, "anon"), "serviceRoleKey": own[tenant]}
        for tenant, ref in OWN.items()
    }
    config["supastack:tenantSecrets"] = json.dumps(given)
    told, warned = {}, []
    monkeypatch.setattr(
        pulumi, "export", lambda name, value: pulumi.Output.from_input(value).apply(partial(told.__setitem__, name))
    )
    monkeypatch.setattr(pulumi, "warn", warned.append)
    secrets = ("tenantSecrets", "appSecrets", "anonKey", "serviceRoleKey")
    pulumi.runtime.set_all_config(config, [*HIDDEN, *(f"supastack:{name}" for name in secrets)])
    found = of_tenants(engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")))
    for tenant, inputs in found.items():
        plain = unwrapped(inputs)
        layout = env_files.layout(plain["app"], plain["layout"], plain["setting"])
        file = env_files.render(layout, plain["values"], plain["format"]).encode()
        everything = file + json.dumps([plain, told[f"TENANT_{tenant}"]]).encode()
        if tenant not in OWN:
            assert hidden.items() <= plain["values"].items(), "a standard tenant has all that the app is given"
            assert shared.encode() in file, "the search finds it where it is"
            continue
        assert shared.encode() not in everything, tenant
        assert SHARED.encode() not in everything, tenant
        assert (
            plain["values"]["SUPABASE_SERVICE_ROLE_KEY"] == told[f"TENANT_{tenant}"]["outputs"]["SERVICE_ROLE_KEY"] == own[tenant]
        )
        assert holders_of(own[tenant], inputs) == {"secret"}
        assert OWN[tenant] in plain["values"]["DATABASE_URL"]
        assert "READ_DATABASE_URL" not in plain["values"]
        for name in hidden.keys() - of_a_project.keys():
            assert plain["values"][name] == hidden[name], "what is not of a project is one value for all"
        assert holders_of("Hush-Hush-Hush", inputs) == {"secret"}
    said = [line for line in told["NOTES"] if "appSecrets" in line]
    assert [line.partition(" has no effect for acme, globex: ")[0] for line in said] == [
        f"supastack:appSecrets.{app}.{name}" for name in sorted(of_a_project)
    ]
    assert not any(
        value in line for value in (*hidden.values(), *own.values()) if len(value) > 2 for line in [*told["NOTES"], *warned]
    )
    assert not pulumi.runtime.is_dry_run() or set(said) <= set(warned)


def test_the_outputs_are_one_for_each_tenant_with_its_secrets_as_secrets(engine, monkeypatch):
    outputs = {}
    monkeypatch.setattr(pulumi, "export", outputs.__setitem__)
    run(engine, as_given())
    assert [name for name in outputs if name.startswith("TENANT_")] == [
        f"TENANT_{tenant}" for tenant in ("acme", "globex", "org_1", "org_2", "org_3")
    ]
    acme = outputs["TENANT_acme"]
    assert acme["outputs"]["API_URL"] == f"https://{ACME}.supabase.co"
    assert acme["backup"]["schedule"] == "daily"
    # What is an Output here was made a secret one; the real engine's state is looked through in the integration test.
    hidden = {name for name, value in acme["outputs"].items() if isinstance(value, pulumi.Output)}
    assert hidden == {"DB_URL", "POOLER_URL", "POOLER_SESSION_URL", "REDIS_URL"}
    assert holders_of("acme-Password", {name: value for name, value in acme["outputs"].items() if name not in hidden}) == set()
    assert outputs["TENANT_org_1"] == {
        "envFile": ".env.dev.org_1",
        "name": "First Bakery",
        "orgId": "org_1",
        "project": "shared",
        "region": "eu-central-1",
        "tier": "standard",
    }


def test_without_secrets_that_can_be_read_the_plan_still_knows_what_each_will_have():
    held = {"databasePassword": Ciphertext(), "anonKey": Ciphertext(), "serviceRoleKey": Ciphertext()}
    more = {**dict.fromkeys(HIDDEN, Ciphertext()), "supastack:tenantSecrets": {"acme": held, "globex": held}}
    plan = Plan(
        load({**SHIPPED, **more, "supastack:anonKey": Ciphertext(), "supastack:serviceRoleKey": Ciphertext()}, stack="monopilot")
    )
    known = {tenant.id: tenants.known(tenant, plan.values) for tenant, _ in plan.tenants}
    assert known["acme"]["API_URL"] == f"https://{ACME}.supabase.co"
    assert known["acme"]["DB_URL"] is None, "there, and not known"
    assert "READ_URL" not in known["acme"]
    assert "READ_URL" in known["org_1"]
    assert (known["org_1"]["CACHE_TTL_SETTINGS"], known["acme"]["CACHE_TTL_SETTINGS"]) == ("600", "600")
    assert not any("left out" in note for note in plan.notes)


def test_a_move_is_said_by_the_file_and_only_a_move(monkeypatch):
    said = []
    monkeypatch.setattr(env_file, "warn", said.append)
    monkeypatch.setattr(env_file, "objections", lambda *_: [])
    standard = {"tenant": {"id": "a", "tier": "standard", "project": "shared"}, "values": {}, "revisions": {}}
    enterprise = {**standard, "tenant": {"id": "a", "tier": "enterprise", "project": ACME}}
    provider = env_file.EnvFileProvider()
    for olds, news in ((standard, enterprise), (standard, standard), ({}, enterprise), (enterprise, standard)):
        provider.check(olds, dict(news))
    assert len(said) == 2
    assert f"from standard (shared) to enterprise ({ACME})" in said[0]
    assert provider.diff("", standard, enterprise).changes


def test_the_summary_shows_no_part_of_a_structure_that_holds_a_secret():
    value = {"DB_URL": "postgresql://u:hush@h/d", "KEY": "hush-key"}
    assert summary.shown(Output(value, True), show_secrets=False) == "******"
    assert "hush-key" in summary.shown(Output(value, True), show_secrets=True)


def test_the_summary_has_a_line_for_each_tenant_until_they_are_many(tmp_path: Path):
    class Context:
        root, stack = tmp_path, "dev"

    (tmp_path / "Pulumi.yaml").write_text("name: supastack\n")

    def blocks(count):
        told = {"tier": "standard", "project": "shared", "envFile": ".env.x"}
        outputs = {f"TENANT_t{n}": Output(told, False) for n in range(count)}
        return summary.render(Context(), outputs, None, {}, show_secrets=False, target="managed")

    assert "(not written on this machine;" in blocks(2)
    env_written.remember(tmp_path, Owner("supastack", "dev", "tenant-t0"), ".env.x")
    assert "(missing: make up writes it again)" in blocks(1)
    assert "t1  standard    shared" in blocks(2)
    assert "200 tenants: 200 standard" in blocks(200)
    assert "t1 " not in blocks(200)
