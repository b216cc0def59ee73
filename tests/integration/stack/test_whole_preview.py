"""What is said of the whole stack without touching it: the comment on a pull request, drift, smoke checks, env files for others' CLIs.

The tests stand in the order of what happens; the last ones break something and mend it.
"""

import json
from typing import Any

import pytest

from components import env_format
from tests.integration.plugins.harness import forms_of
from tests.integration.stack.whole import STUBS, Whole
from toolchain.preview.command import DRIFTED

pytestmark = [pytest.mark.docker, pytest.mark.engine]

SECRETS = (
    "SERVICE_ROLE_KEY",
    "JWT_SECRET",
    "SECRET_KEY",
    "DASHBOARD_PASSWORD",
    "DB_URL",
    "REDIS_URL",
    "S3_SECRET_KEY",
    "S3_PROTOCOL_ACCESS_KEY_SECRET",
)


def told(whole_up: Whole, command: str, *options: str, code: int = 0) -> str:
    """What a command says, with its own exit code: make has one for all failures."""
    done = whole_up.clone.run(".venv/bin/python", "toolchain/bootstrap.py", command, "--stack", "dev", *options, code=code)
    return done.stdout


def no_secret_in(whole_up: Whole, shown: str) -> None:
    passwords = {name: whole_up.outputs[name] for name in SECRETS}
    passwords["the database's password"] = whole_up.outputs["DB_URL"].split(":")[2].split("@")[0]
    held = [name for name, value in passwords.items() if any(form in shown.encode() for form in forms_of(value))]
    assert held == []


@pytest.fixture(scope="module")
def changes() -> dict[str, Any]:
    """One of each kind: a server made anew for its settings, an optional one gone, a variable of a secret list, a new bucket."""
    return {
        "supabase": {
            "database": {"sharedBuffers": "112mb"},
            "mail": {"enabled": False},
            "auth": {"email": {"enableConfirmations": False}},
        }
    }


def test_the_comment_says_what_would_happen_and_changes_nothing(whole_up: Whole, changes: dict[str, Any]):
    before = whole_up.ids()
    with whole_up.settings(**changes):
        shown = whole_up.clone.make("preview", FORMAT="markdown", COMMIT="0123abc").stdout
    comment = shown[shown.index("<!-- supastack preview: dev -->") :]
    assert "## Preview of stack `dev` at `0123abc`" in comment
    places = [comment.index(part) for part in ("to delete**", "### :x: Deleted: ", "### :warning: Replaced: ")]
    assert places == sorted(places)
    assert "- `supabase-mail` (`docker:Container`)" in comment
    assert "- `supabase-postgres` (`docker:Container`), forced by `command`" in comment
    assert "`shared_buffers=98304kB` → `shared_buffers=114688kB`" in comment
    assert "`MAILPIT_URL`: `http://" in comment
    no_secret_in(whole_up, shown)
    assert whole_up.ids() == before


def test_as_data_it_has_the_same_and_no_secret_either(whole_up: Whole, changes: dict[str, Any]):
    with whole_up.settings(**changes):
        shown = told(whole_up, "preview", "--format", "json")
    found = json.loads(shown[shown.index('{\n  "stack"') : shown.rindex("\n}") + 2])
    assert found["complete"]
    assert {c["name"]: c["op"] for c in found["changes"]}["supabase-mail"] == "delete"
    no_secret_in(whole_up, shown)


def test_wrong_settings_are_a_comment_and_a_failure(whole_up: Whole):
    with whole_up.settings(target="dockr"):
        shown = told(whole_up, "preview", "--format", "markdown", code=1)
    assert "**The preview failed:**" in shown
    assert "did you mean 'docker'" in shown


def test_a_template_that_gives_a_secret_to_browsers_is_refused_before_anything_is_touched(whole_up: Whole):
    before = whole_up.ids()
    with whole_up.settings(envFiles={"web": {"path": "web.env", "variables": {"VITE_KEY": "${SERVICE_ROLE_KEY}"}}}):
        shown = whole_up.up(code=2)
    assert "VITE_KEY: SERVICE_ROLE_KEY is a secret" in shown
    assert "ANON_KEY or PUBLISHABLE_KEY" in shown
    assert whole_up.ids() == before


def test_env_files_are_printed_for_others_secrets_only_when_asked_and_apart(whole_up: Whole):
    variables = told(whole_up, "env", "--format", "github-variables", "--", "nextjs")
    no_secret_in(whole_up, variables)
    assert f"NEXT_PUBLIC_SUPABASE_URL={whole_up.outputs['API_URL']}" in variables
    assert "SHOW_SECRETS=1" in told(whole_up, "env", "--format", "github-secrets", "--", "nextjs", code=1)
    secrets = told(whole_up, "env", "--show-secrets", "--format", "github-secrets", "--", "nextjs")
    assert f"SUPABASE_SERVICE_ROLE_KEY={whole_up.outputs['SERVICE_ROLE_KEY']}" in secrets
    assert "NEXT_PUBLIC_SUPABASE_URL" not in secrets
    vercel = env_format.read(told(whole_up, "env", "--show-secrets", "--format", "vercel", "--", "nextjs")).values
    assert vercel["DATABASE_URL"].startswith("postgresql://")


def test_smoke_asks_what_is_real_and_says_what_is_a_stub(whole_up: Whole):
    shown = told(whole_up, "smoke")
    lines = {
        line.split("  ")[1].split()[0] + " " + line[10:].split("  ")[0].strip(): line
        for line in shown.splitlines()
        if "  " in line
    }
    for name in ("database", "cache", "API"):
        assert f"ok {name}" in lines, shown
    assert "takes the anon key" in lines["ok API"]
    assert {f"supabase-{name}" for name in ("auth", "rest", "storage", "pooler")} <= set(STUBS)
    assert "stub auth" in lines
    assert "What it stands for was not tried" not in lines
    no_secret_in(whole_up, shown)


def test_an_untouched_stack_has_no_drift(whole_up: Whole):
    assert "nothing was changed by other hands" in told(whole_up, "drift")


def test_what_other_hands_did_is_told_with_an_exit_code_of_its_own_and_smoke_fails(whole_up: Whole):
    whole_up.container("cache-valkey").remove(force=True)
    whole_up.container("supabase-imgproxy").update(mem_limit="200m", memswap_limit="200m")
    shown = told(whole_up, "drift", "--format", "markdown", code=DRIFTED)
    assert "<!-- supastack drift: dev -->" in shown
    assert "- `cache-valkey` (`docker:Container`): gone" in shown
    assert "`memory`: `128` → `200`" in shown
    no_secret_in(whole_up, shown)
    smoke = told(whole_up, "smoke", code=1)
    assert "FAILED" in smoke
    assert "the connection is refused" in smoke


def test_the_next_up_sets_it_back(whole_up: Whole):
    whole_up.up()
    assert whole_up.is_well()
    assert "nothing was changed by other hands" in told(whole_up, "drift")
