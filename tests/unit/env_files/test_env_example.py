"""The example of an env file for an app's repository."""

import tomllib

import pytest

from components import env_format
from components.env_apps import APPS
from components.env_example import DONE, USAGE, example, main
from components.env_files import Own, template
from tests.clone_root import ROOT

CONFIG = """
config:
  supastack:instance: 2
  supastack:envFiles:
    shop: {variables: {URL: "${API_URL}/x", TOKEN: "${SERVICE_ROLE_KEY}", MODE: "it's"}}
    secret: {path: .env.secret, variables: {A: "1"}}
    nextjs: {path: .env.next, variables: {EXTRA: "1", DATABASE_URL: "postgresql://elsewhere/d"}}
  supastack:appSecrets: {secret: {TOKEN: {secure: "v1:abc"}}}
"""


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(CONFIG)
    return str(file)


def told(capsys, app, config, code=DONE):
    assert main([app, "--stack", "dev", "--config", config]) == code
    shown = capsys.readouterr()
    return shown.out if code == DONE else shown.err


@pytest.mark.parametrize("app", sorted(APPS))
def test_every_key_of_the_template_is_there_and_nothing_secret_has_a_value(capsys, app):
    text = told(capsys, app, str(ROOT / "Pulumi.dev.yaml"))
    variables = APPS[app].variables
    if APPS[app].format:
        tomllib.loads(text)
        assert all(f"{key} =" in text for key in variables)
        return
    values = env_format.read(text).values
    assert list(values) == list(variables)
    assert not [key for key, variable in variables.items() if variable.secret and values[key]]


def test_what_the_settings_say_is_filled_in(capsys, config):
    values = env_format.read(told(capsys, "nextjs", config)).values
    assert values["NEXT_PUBLIC_PORT"] == "4025"
    assert values["NEXT_PUBLIC_SUPABASE_URL"] == "http://127.0.0.1:55321"
    assert values["EXTRA"] == "1"
    assert values["NEXT_PUBLIC_SUPABASE_ANON_KEY"] == ""


def test_an_app_of_the_stacks_own_has_an_example_too(capsys, config):
    assert env_format.read(told(capsys, "shop", config)).values == {
        "URL": "http://127.0.0.1:55321/x",
        "TOKEN": "",
        "MODE": "it's",
    }


def test_a_key_that_is_a_secret_setting_is_there_and_empty(capsys, config):
    assert told(capsys, "secret", config).endswith("A=1\nTOKEN=\n")


def test_what_the_stack_lacks_and_what_no_format_carries_is_empty():
    app = template("shop", Own(variables={"A": "${API_URL}", "B": "a$HOME", "C": "c"}, groups={}))
    assert env_format.read(example(app, {})).values == {"A": "", "B": "", "C": "c"}


def test_an_app_that_does_not_exist_or_settings_that_are_wrong_are_told(capsys, config, tmp_path):
    assert "no such app" in told(capsys, "nuxt", config, USAGE)
    wrong = tmp_path / "Pulumi.wrong.yaml"
    wrong.write_text("config:\n  supastack:instance: 99\n")
    assert "supastack:instance" in told(capsys, "nextjs", str(wrong), USAGE)
    assert "for which app? make env-example FOR=cleanmatex" in told(capsys, "FOR=", config, USAGE)
