"""The apps that are built in, held against their seeds, and apps of a user's own."""

import re

import pytest

from components import env_files
from components.env_apps import APPS
from components.env_apps.cleanmatex import CLEANMATEX
from components.env_apps.kpi import BACKEND, FRONTEND, KPI
from components.env_apps.nextjs import NEXTJS
from components.env_apps.supabase import CLI, SUPABASE
from components.env_files import Own, left_out, render, select, template
from components.env_format import Format
from components.env_rules import Rule
from components.env_sources import SOURCES
from tests.clone_root import ROOT

# Seed 003, `.env.example`: comments, keys and what stands there without a placeholder.
SEED_003 = {
    "Environment": ["NODE_ENV"],
    "Database (Direct PostgreSQL)": ["DATABASE_URL", "DATABASE_POOL_MIN", "DATABASE_POOL_MAX"],
    "Supabase": ["NEXT_PUBLIC_SUPABASE_URL", "NEXT_PUBLIC_SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"],
    "Redis": ["REDIS_URL", "REDIS_DB"],
    "MinIO (S3)": ["S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET"],
    "Application": ["APP_PORT", "APP_URL", "WEB_ADMIN_URL"],
    "JWT": ["JWT_SECRET", "JWT_EXPIRES_IN"],
    "Feature Flags": ["ENABLE_ASSEMBLY", "ENABLE_MARKETPLACE", "ENABLE_AI_FEATURES"],
    "External Services (Optional in dev)": [
        "WHATSAPP_API_KEY",
        "WHATSAPP_PHONE_NUMBER",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "SENDGRID_API_KEY",
        "STRIPE_SECRET_KEY",
    ],
}
CONSTANTS_003 = {
    "NODE_ENV": "development",
    "DATABASE_POOL_MIN": "2",
    "DATABASE_POOL_MAX": "10",
    "REDIS_DB": "0",
    "ENABLE_ASSEMBLY": "true",
    "ENABLE_MARKETPLACE": "false",
    "ENABLE_AI_FEATURES": "false",
    **dict.fromkeys(SEED_003["External Services (Optional in dev)"], ""),
}
# `supabase status -o env` of CLI 3.1.0, all services on (reference/supabase-cli.md, 1.4).
STATUS = [
    "ANON_KEY",
    "API_URL",
    "DB_URL",
    "FUNCTIONS_URL",
    "GRAPHQL_URL",
    "JWT_SECRET",
    "MAILPIT_URL",
    "MCP_URL",
    "PUBLISHABLE_KEY",
    "REST_URL",
    "S3_PROTOCOL_ACCESS_KEY_ID",
    "S3_PROTOCOL_ACCESS_KEY_SECRET",
    "S3_PROTOCOL_REGION",
    "SECRET_KEY",
    "SERVICE_ROLE_KEY",
    "STORAGE_S3_URL",
    "STUDIO_URL",
]


def test_cleanmatex_has_every_variable_of_its_seed_grouped_commented_and_ordered_as_there():
    assert {group.comment: [v.key for v in group.variables] for group in CLEANMATEX.groups} == SEED_003
    assert list(SEED_003) == [group.comment for group in CLEANMATEX.groups]


def test_the_constants_of_cleanmatex_are_the_seeds():
    found = {key: v.value for key, v in CLEANMATEX.variables.items() if "${" not in v.value}
    assert found == CONSTANTS_003


def test_what_cleanmatex_is_told_of_the_plain_database_and_of_its_two_ports():
    texts = select(CLEANMATEX, SOURCES)
    assert texts["DATABASE_URL"] == "${PLAIN_DB_URL}"
    assert (texts["APP_PORT"], texts["APP_URL"], texts["WEB_ADMIN_URL"]) == ("${BACKEND_PORT}", "${BACKEND_URL}", "${APP_URL}")
    assert dict(CLEANMATEX.ports) == {"app": 3000, "backend": 3001}


def test_the_services_outside_may_stay_empty_and_their_keys_are_secret():
    for key in SEED_003["External Services (Optional in dev)"]:
        variable = CLEANMATEX.variables[key]
        assert variable.may_be_empty
        assert not variable.required
        assert variable.secret == any(word in key for word in ("API_KEY", "TOKEN", "SECRET"))


def test_the_kpi_dashboard_reads_pooled_and_migrates_directly_as_its_seed_says():
    texts = select(BACKEND, SOURCES)
    assert texts == {
        "PORT": "${BACKEND_PORT}",
        "NODE_ENV": "development",
        "DATABASE_URL": "${POOLER_URL.prisma}?pgbouncer=true",
        "DIRECT_URL": "${DB_URL.prisma}",
        "TEST_SCHEMA": "${TEST_SCHEMA}",
        "TEST_DATABASE_URL": "${TEST_DATABASE_URL.prisma}",
        "TEST_DIRECT_URL": "${TEST_DIRECT_URL.prisma}",
        "REDIS_URL": "${REDIS_URL}",
    }
    assert select(FRONTEND, SOURCES) == {
        "PORT": "${APP_PORT}",
        "REACT_APP_API_URL": "${BACKEND_URL}",
        "REACT_APP_ENVIRONMENT": "development",
    }
    assert {app.ports["backend"] for app in (KPI, BACKEND, FRONTEND)} == {3000}
    assert {app.ports["app"] for app in (KPI, BACKEND, FRONTEND)} == {3001}


def test_kpi_is_the_backend_and_the_frontend_in_one_file_with_the_backends_port():
    assert select(KPI, SOURCES) == {**select(FRONTEND, SOURCES), **select(BACKEND, SOURCES)}
    assert list(KPI.variables)[: len(BACKEND.variables)] == list(BACKEND.variables)


def test_without_a_pooler_the_kpi_dashboard_gets_the_direct_url():
    texts = select(BACKEND, SOURCES.keys() - {"POOLER_URL"})
    assert texts["DATABASE_URL"] == "${DB_URL.prisma}"
    assert BACKEND.variables["DATABASE_URL"].rule is Rule.POSTGRES_URL
    assert BACKEND.variables["TEST_DIRECT_URL"].secret


def test_without_a_schema_of_their_own_tests_are_told_of_none():
    texts = select(BACKEND, SOURCES.keys() - {"TEST_SCHEMA", "TEST_DATABASE_URL", "TEST_DIRECT_URL"})
    assert texts.keys() & {"TEST_SCHEMA", "TEST_DATABASE_URL", "TEST_DIRECT_URL"} == set()


def test_supabase_has_the_names_of_the_clis_own_status():
    assert list(SUPABASE.variables) == STATUS
    assert select(SUPABASE, SOURCES) == {name: f"${{{name}}}" for name in STATUS}


def test_the_clis_config_is_toml_at_its_place_and_holds_no_secret():
    assert (CLI.format, CLI.path) == (Format.TOML, "supabase/config.toml")
    assert not [v.key for v in CLI.variables.values() if v.secret]
    # Keys of the file that `supabase init` writes (CLI 3.1.0, reference/upstream/cli-config.toml; supabase-cli.md, 1.2).
    assert set(CLI.variables) == {
        "project_id",
        "api.port",
        "api.schemas",
        "api.max_rows",
        "db.port",
        "db.shadow_port",
        "db.major_version",
        "studio.port",
        "local_smtp.port",
        "local_smtp.smtp_port",
        "local_smtp.pop3_port",
        "analytics.port",
        "auth.site_url",
        "auth.jwt_expiry",
    }


@pytest.mark.parametrize("app", APPS.values(), ids=lambda app: app.name)
def test_whatever_refers_to_a_secret_is_secret(app):
    for variable in app.variables.values():
        text = variable.value + (variable.instead or "")
        if any(f"${{{name}}}" in text for name, source in SOURCES.items() if source.secret):
            assert variable.secret, variable.key


@pytest.mark.parametrize("app", APPS.values(), ids=lambda app: app.name)
def test_no_app_plans_one_port_for_two(app):
    assert len(set(app.ports.values())) == len(app.ports)


def test_what_an_app_needs_and_the_stack_lacks_is_told_with_its_source():
    assert left_out(NEXTJS, SOURCES.keys() - {"API_URL", "DB_URL"}) == {"NEXT_PUBLIC_SUPABASE_URL": ["API_URL"]}
    assert left_out(SUPABASE, set()) == {}


def test_the_docs_name_every_app_and_every_value():
    text = (ROOT / "docs/env-files.md").read_text()
    assert [name for name in APPS if f"`{name}`" not in text] == []
    assert [name for name in SOURCES if not name.endswith("_PORT") and not re.search(rf"\b{name}\b", text)] == []


# ---- a user's own ----------------------------------------------------------------------------------------------------


def own(variables=None, groups=None, hidden=()):
    return Own(variables=variables or {}, groups=groups or {}, hidden=frozenset(hidden))


def test_an_app_of_ones_own_has_its_variables_first_and_then_each_group_under_its_comment():
    shop = template("shop", own({"URL": "${API_URL}", "MODE": "dev"}, {"The database": {"DATABASE_URL": "${DB_URL}"}}))
    text = render(shop.layout, {"URL": "http://h", "MODE": "dev", "DATABASE_URL": "postgresql://h/d"}, "dotenv")
    assert text == "URL=http://h\nMODE=dev\n\n# The database\nDATABASE_URL=postgresql://h/d\n"
    assert shop.variables["URL"].rule is Rule.HTTP_URL
    assert shop.variables["DATABASE_URL"].secret
    assert not shop.variables["MODE"].secret


def test_a_variable_of_a_built_in_app_is_changed_in_its_place_and_keeps_its_rule_and_its_secrecy():
    changed = template("nextjs", own({"DATABASE_URL": "postgresql://elsewhere/d", "ADMIN_PASSWORD": "known"}))
    assert list(changed.variables) == list(NEXTJS.variables)
    assert changed.variables["DATABASE_URL"].value == "postgresql://elsewhere/d"
    assert changed.variables["DATABASE_URL"].rule is Rule.POSTGRES_URL
    assert changed.variables["ADMIN_PASSWORD"].secret
    assert NEXTJS.variables["DATABASE_URL"].value == "${DB_URL}"


def test_what_is_added_to_a_built_in_app_stands_at_its_end():
    more = template("nextjs", own({"EXTRA": "1"}, {"Mail": {"SMTP_PORT": "${SMTP_PORT}"}}))
    assert [group.comment for group in more.groups[-2:]] == ["Of the stack's own settings", "Mail"]
    assert list(more.variables)[-2:] == ["EXTRA", "SMTP_PORT"]
    assert more.variables["SMTP_PORT"].rule is Rule.PORT


def test_a_key_from_a_secret_setting_is_secret_wherever_it_stands():
    app = template("cleanmatex", own(hidden=["STRIPE_SECRET_KEY", "WHATSAPP_PHONE_NUMBER", "NEW_TOKEN"]))
    assert all(app.variables[key].secret for key in ("STRIPE_SECRET_KEY", "WHATSAPP_PHONE_NUMBER", "NEW_TOKEN"))
    assert template("shop", own(hidden=["TOKEN"])).variables["TOKEN"].secret


def test_a_key_that_is_given_twice_is_told():
    assert own({"A": "1", "B": "1"}, {"G": {"A": "2"}}, ["B"]).twice == ["A", "B"]


def test_the_layout_goes_through_plain_data():
    shop = template("shop", own({"A": "1"}, {"G": {"B": "2"}}))
    assert env_files.layout("shop", env_files.shape(shop)) == shop.layout


def test_a_file_of_toml_has_dotted_keys_and_bare_numbers():
    values = {"project_id": "supastack-dev", "api.port": "54321", "api.schemas": '["public"]'}
    text = render(CLI.layout, values, "toml")
    assert text.splitlines() == [
        "# The Supabase CLI's local commands find this stack by it",
        'project_id = "supastack-dev"',
        "",
        "api.port = 54321",
        'api.schemas = ["public"]',
    ]
