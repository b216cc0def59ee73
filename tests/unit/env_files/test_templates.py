"""The templates of apps, and the text that they make."""

import pytest

from components import env_files
from components.env_apps import APPS
from components.env_apps.nextjs import NEXTJS
from components.env_files import Own, UnwritableError, render, select, template
from components.env_rules import Rule

# Seed 000, section 7.6, in its order.
SERVICE_CENTRE = [
    "INSTANCE_ID",
    "NEXT_PUBLIC_PORT",
    "NEXT_PUBLIC_SUPABASE_URL",
    "NEXT_PUBLIC_SUPABASE_ANON_KEY",
    "SUPABASE_SERVICE_ROLE_KEY",
    "SETUP_PASSWORD",
    "ADMIN_EMAIL",
    "ADMIN_PASSWORD",
    "ADMIN_NAME",
    "DATABASE_URL",
]
ALL = {key: f"value-of-{key}" for key in SERVICE_CENTRE}


def test_the_service_centre_has_the_variables_of_its_seed_in_their_order():
    assert list(APPS["nextjs"].variables) == SERVICE_CENTRE


def test_passwords_and_whatever_opens_the_database_are_secret_and_what_a_browser_gets_is_not():
    secret = {key for key, v in APPS["nextjs"].variables.items() if v.secret}
    assert secret == {"SUPABASE_SERVICE_ROLE_KEY", "SETUP_PASSWORD", "ADMIN_PASSWORD", "DATABASE_URL"}


@pytest.mark.parametrize("app", APPS.values(), ids=lambda app: app.name)
def test_nothing_that_reaches_browsers_is_secret_or_a_service_key(app):
    for key, variable in app.variables.items():
        if key.startswith("NEXT_PUBLIC_"):
            assert not variable.secret
            assert variable.rule is not Rule.SERVICE_KEY


@pytest.mark.parametrize("app", APPS.values(), ids=lambda app: app.name)
def test_no_variable_stands_twice(app):
    keys = [v.key for group in app.groups for v in group.variables]
    assert len(keys) == len(set(keys))


def test_the_database_url_of_the_service_centre_is_the_direct_one():
    assert select(NEXTJS, {"DB_URL", "POOLER_URL"}) == {"DATABASE_URL": "${DB_URL}"}


def test_variables_whose_source_does_not_exist_are_left_out():
    assert select(NEXTJS, {"INSTANCE_ID", "ADMIN_NAME", "REDIS_URL"}) == {
        "INSTANCE_ID": "${INSTANCE_ID}",
        "ADMIN_NAME": "${ADMIN_NAME}",
    }
    assert select(NEXTJS, set()) == {}


def test_the_text_holds_every_value_given_and_no_other_key():
    text = render(NEXTJS.layout, {"INSTANCE_ID": "2", "ADMIN_NAME": "Ann"}, "dotenv")
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == ["INSTANCE_ID=2", "ADMIN_NAME=Ann"]


def test_the_order_of_the_file_is_the_templates_and_not_the_values():
    text = render(NEXTJS.layout, dict(reversed(ALL.items())), "dotenv")
    assert [line.split("=")[0] for line in text.splitlines() if line and not line.startswith("#")] == SERVICE_CENTRE


def test_a_group_without_values_leaves_no_comment_behind():
    assert "database" in render(NEXTJS.layout, ALL, "dotenv")
    assert "database" not in render(NEXTJS.layout, {"INSTANCE_ID": "1"}, "dotenv")


@pytest.mark.parametrize("fmt", ["dotenv", "docker"])
def test_generated_values_stand_without_quotes(fmt):
    text = render(
        NEXTJS.layout, {"ADMIN_PASSWORD": "Az09_-xyz", "DATABASE_URL": "postgresql://postgres:Az09@127.0.0.1:54322/postgres"}, fmt
    )
    assert "ADMIN_PASSWORD=Az09_-xyz\n" in text
    assert "DATABASE_URL=postgresql://postgres:Az09@127.0.0.1:54322/postgres\n" in text


def test_every_value_that_cannot_be_written_is_named_at_once_with_app_reason_and_way_out_and_without_the_value():
    with pytest.raises(UnwritableError) as error:
        render(NEXTJS.layout, {"ADMIN_PASSWORD": "hush$HOME", "SETUP_PASSWORD": "psst\rpsst", "ADMIN_NAME": "Ann"}, "dotenv")
    password, setup = str(error.value).splitlines()
    assert "envFiles.nextjs: ADMIN_PASSWORD" in password
    assert "Next.js would replace" in password
    assert password.endswith("pulumi config set --secret supastack:adminPassword")
    assert "envFiles.nextjs: SETUP_PASSWORD" in setup
    assert "carriage return" in setup
    assert "hush" not in str(error.value)
    assert "psst" not in str(error.value)


def test_the_way_out_for_a_nested_setting_that_is_no_secret_says_so():
    with pytest.raises(UnwritableError, match=r"pulumi config set --path supastack:admin\.name$"):
        render(NEXTJS.layout, {"ADMIN_NAME": "a\rb"}, "dotenv")


def test_a_key_that_the_app_does_not_have_is_refused():
    with pytest.raises(UnwritableError, match="FOO is not a variable of this app"):
        render(NEXTJS.layout, {"FOO": "1"}, "dotenv")


def test_an_app_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"'nuxt'.*nextjs"):
        env_files.app_named("nuxt")
    with pytest.raises(ValueError, match=r"no such app.*nextjs.*envFiles\.nuxt\.variables"):
        template("nuxt", Own(variables={}, groups={}))


def test_a_format_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"envFiles\.nextjs\.format: 'yaml'.*dotenv, docker"):
        render(NEXTJS.layout, {}, "yaml")
