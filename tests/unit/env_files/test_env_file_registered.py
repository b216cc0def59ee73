"""EnvFile without an engine: what it registers."""

import pulumi
import pytest

from components import env_files
from components.env_apps.nextjs import NEXTJS
from components.env_file import EnvFile, EnvFileProvider
from components.env_files import Own
from tests.conftest import holders_of, unwrapped
from tests.unit.env_files.written import VALUES

pytestmark = pytest.mark.usefixtures("project", "said")


TOKEN = "pulumi-python:dynamic/supastack:EnvFile"


def declare(**over):
    given = {"app": NEXTJS, "path": ".env", "fmt": "dotenv", "overwrite": False, "values": VALUES, **over}
    return lambda: EnvFile("f", **given) and None


def test_it_has_its_token_and_says_whose_the_file_is(engine):
    recorder = engine(declare())
    assert recorder.requests["f"].type == TOKEN
    inputs = unwrapped(recorder.inputs("f"))
    assert (inputs["project"], inputs["stack"], inputs["app"]) == ("supastack", "dev", "nextjs")


def test_secret_variables_reach_the_engine_as_secrets_each_by_itself_even_if_given_plain(engine):
    values = engine(declare()).inputs("f")["values"]
    assert holders_of("hush", values) == {"secret"}
    assert holders_of("psst", values) == {"secret"}
    assert values["ADMIN_NAME"] == "Ann"


def test_a_secret_output_stays_secret_for_a_variable_that_is_not(engine):
    inputs = engine(declare(values={"ADMIN_NAME": pulumi.Output.secret("hush")})).inputs("f")
    assert holders_of("hush", inputs) == {"secret"}


def test_every_value_that_a_preview_may_hide_has_a_revision(engine):
    values = {**VALUES, "ADMIN_EMAIL": pulumi.Output.secret("a@b")}
    inputs = engine(lambda: EnvFile("f", app=NEXTJS, path=".env", fmt="dotenv", overwrite=False, values=values) and None).inputs(
        "f"
    )
    assert sorted(inputs["revisions"]) == ["ADMIN_EMAIL", "ADMIN_PASSWORD", "DATABASE_URL"]


def test_a_path_in_the_project_is_kept_relative_so_that_every_clone_has_the_same_state(engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert engine(declare(path=str(tmp_path / "app/../.env"))).inputs("f")["path"] == ".env"


def test_a_path_elsewhere_stays_as_it_is(engine):
    assert engine(declare(path="/srv/app/.env")).inputs("f")["path"] == "/srv/app/.env"
    assert unwrapped(engine(declare(path="../app/.env")).inputs("f"))["path"] == "../app/.env"


def test_the_provider_in_the_state_is_a_reference_that_never_changes():
    from pulumi.dynamic.dynamic import serialize_provider

    first = serialize_provider(EnvFileProvider())
    assert first == serialize_provider(EnvFileProvider())
    assert len(first) < 200  # a reference; code would be thousands


def test_the_state_says_in_what_order_the_keys_of_an_app_of_the_users_own_stand(engine):
    shop = env_files.template("shop", Own(variables={"B": "2"}, groups={"The rest": {"A": "1"}}))
    inputs = unwrapped(engine(declare(app=shop, values={"A": "1", "B": "2"})).inputs("f"))
    assert inputs["layout"] == [["", ["B"]], ["The rest", ["A"]]]
