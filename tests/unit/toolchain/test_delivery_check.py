"""`make check-stacks`: what is wrong in a stack file is told, a secret that is not at hand is not, and env templates are looked at."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from components import check_stack
from tests.clone_root import ROOT
from toolchain.delivery import check

ENCRYPTED = "{secure: v1:abc}"


@pytest.fixture
def problems(tmp_path):
    def of(text):
        path = tmp_path / "Pulumi.it.yaml"
        path.write_text(text)
        return check_stack.problems(path, "it", ROOT)

    return of


SMTP = """\
config:
  supastack:supabase:
    auth: {smtp: {host: mail.example.com, user: backend}}
"""
MANAGED = """\
config:
  supastack:target: managed
  supastack:supabase: {managed: {ref: abcdefghijklmnopqrst, region: eu-central-1}}
  supastack:cache: {enabled: false}
  supastack:objectStorage: {enabled: false}
"""


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_stack_is_right_with_no_secret_at_hand(path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/dev/null")
    assert check_stack.problems(path, path.stem.removeprefix("Pulumi.")) == []


@pytest.mark.parametrize("text", [SMTP, MANAGED], ids=["smtp", "managed"])
def test_a_secret_that_is_not_given_is_no_problem(problems, text):
    assert problems(text) == []


def test_a_tenants_secret_that_is_not_given_is_none_beside_one_that_is(problems):
    given = f"config:\n  supastack:tenantSecrets: {{acme: {{anonKey: {ENCRYPTED}}}}}\n"
    assert problems((ROOT / "Pulumi.monopilot.yaml").read_text().replace("config:\n", given, 1)) == []


def test_a_secret_in_plain_text_is_told_also_where_that_secret_is_needed(problems):
    (told,) = problems(f"{SMTP}  supastack:smtpPassword: hunter22\n")
    assert told.startswith("supastack:smtpPassword\n  why: it is a secret given in plain text")
    assert "hunter22" not in told
    (told,) = problems(f"{MANAGED}  supastack:databasePassword: hunter22\n")
    assert told.startswith("supastack:databasePassword\n  why: it is a secret given in plain text")


def test_another_problem_is_told_beside_secrets_that_are_not_given(problems):
    (told,) = problems(SMTP + "  supastack:instance: 1000\n")
    assert told.startswith("supastack:instance = 1000\n  why: ")
    (told,) = problems(SMTP + "  supastack:nothing: 1\n")
    assert told.startswith("supastack:nothing")


@pytest.mark.parametrize("secrets", ["", SMTP.removeprefix("config:\n")], ids=["all", "some"])
def test_what_the_plan_refuses_is_told_also_where_secrets_are_not_given(problems, secrets):
    told = problems("config:\n  supastack:envFiles: {nope: {}}\n" + secrets)
    assert len(told) == 1
    assert told[0].startswith("supastack:envFiles.nope: ")


def test_a_file_that_is_no_yaml_is_told(problems):
    (told,) = problems("config: [\n")
    assert "can't be read" in told


def given(tmp_path, **files):
    for stack, text in files.items():
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(text)
    (tmp_path / "delivery.yaml").write_text("branches: {main: prod, dev: none}\npreviews: {base: preview}\n")
    return SimpleNamespace(root=tmp_path, venv_bin=tmp_path / "bin", env={})


def test_each_stack_is_said_to_be_right_or_not_with_what_is_wrong(tmp_path, monkeypatch, capsys):
    """The program itself is asked, in a process of its own; only the folder that it stands in is another."""
    context = given(tmp_path, prod=f"{SMTP}  supastack:smtpPassword: hunter22\n", preview=SMTP, demo="config: {nope: 1}\n")
    run = subprocess.run

    def here(command, **how):
        return run([sys.executable, *command[1:]], **{**how, "cwd": ROOT})

    monkeypatch.setattr(check.subprocess, "run", here)
    assert check.run(context) == 1
    said = capsys.readouterr().out
    assert "prod: not right\n  supastack:smtpPassword\n    why: it is a secret given in plain text" in said
    assert "none: not right\n  there is no Pulumi.none.yaml, and delivery.yaml names it" in said
    # A file that no branch is deployed from is one of somebody's all the same.
    assert "preview: right\ndemo: not right\n  supastack:nope" in said


def test_a_program_that_can_not_answer_makes_no_stack_right(tmp_path, monkeypatch, capsys):
    context = given(tmp_path, prod=SMTP, none=SMTP, preview=SMTP)
    died = subprocess.CompletedProcess([], 1, "", "Traceback: it died\n")
    monkeypatch.setattr(check.subprocess, "run", lambda *_, **__: died)
    assert check.run(context) == 1
    said = capsys.readouterr().out
    assert said.count("not right") == 3
    assert "it could not be checked (components.check_stack ended with 1):\n  Traceback: it died" in said
