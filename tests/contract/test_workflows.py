"""The workflows in `.github/workflows/`: what actionlint says, and the rules of docs/delivery.md that it does not know."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.clone_root import ROOT
from tests.peers import tools
from toolchain.delivery import settings

FILES = sorted((ROOT / ".github/workflows").glob("*.yaml"))
WORKFLOWS = {file.stem: yaml.safe_load(file.read_text()) for file in FILES}
JOBS = [(name, job, spec) for name, workflow in WORKFLOWS.items() for job, spec in workflow["jobs"].items()]
DOCUMENT = (ROOT / "docs/delivery.md").read_text()
PIN = re.compile(r"- uses: (?P<action>[\w./-]+)@(?P<sha>[0-9a-f]{40}) # (?P<version>v[0-9.]+)")


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job, spec in JOBS:
        for step in spec["steps"]:
            yield f"{name}.{job}", step


def test_actionlint_finds_nothing():
    done = subprocess.run([tools.actionlint(), *FILES], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_actionlint_would_find_a_name_that_is_not_there(tmp_path):
    text = (ROOT / ".github/workflows/main.yaml").read_text().replace("steps.which.outputs.stack", "steps.wich.outputs.stack")
    (tmp_path / "main.yaml").write_text(text)
    done = subprocess.run([tools.actionlint(), tmp_path / "main.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "wich" in done.stdout


def test_every_action_is_pinned_and_listed_in_the_document():
    used = {line.strip() for file in FILES for line in file.read_text().splitlines() if "uses:" in line}
    assert used
    for line in used:
        match = PIN.fullmatch(line)
        assert match, f"{line}: no SHA"
        assert f"| `{match['action']}` | {match['version']} | `{match['sha']}` |" in DOCUMENT


@pytest.mark.parametrize(("name", "job", "spec"), JOBS, ids=[f"{n}.{j}" for n, j, _ in JOBS])
def test_every_job_has_only_the_rights_it_names_an_end_and_waits_for_its_like(name, job, spec):
    assert WORKFLOWS[name]["permissions"] == {}
    assert spec["permissions"]["contents"] == "read"
    writes = {right for right, value in spec["permissions"].items() if value == "write"}
    run = "\n".join(step.get("run", "") for step in spec["steps"])
    assert writes <= {"pull-requests", "issues"}
    assert ("pull-requests" in writes) == ("make --no-print-directory comment" in run)
    assert ("issues" in writes) == ("drift-issue" in run)
    assert spec["timeout-minutes"] <= 60
    if job != "which":
        assert spec["concurrency"]["group"]


def test_what_changes_a_stack_runs_one_at_a_time_and_is_never_ended_half_way():
    for _, job, spec in JOBS:
        run = "\n".join(step.get("run", "") for step in spec["steps"])
        if re.search(r"directory (up|pr-up|pr-down|pr-clean)$", run, re.MULTILINE):
            assert spec["concurrency"]["cancel-in-progress"] is False, job
    groups = {job: spec["concurrency"]["group"] for _, job, spec in JOBS if "concurrency" in spec}
    assert groups["preview-stack"] == groups["preview-stack-gone"] == "stack-pr-${{ github.event.pull_request.number }}"
    assert groups["deploy"] == "stack-${{ needs.which.outputs.stack }}"


def test_no_text_of_another_hand_and_no_secret_becomes_part_of_a_command():
    for where, step in steps():
        assert "${{" not in step.get("run", ""), where


def test_secrets_are_given_to_the_steps_that_need_them_alone():
    for name, job, spec in JOBS:
        rest = {key: value for key, value in spec.items() if key != "steps"}
        assert "secrets." not in str(rest), f"{name}.{job}"
        for step in spec["steps"]:
            if "uses" in step:
                assert "secrets." not in str(step), f"{name}.{job}"
                assert "github.token" not in str(step), f"{name}.{job}"
    assert "secrets." not in str(WORKFLOWS["pull-request"]["jobs"]["checks"])
    assert "secrets." not in str(WORKFLOWS["main"]["jobs"]["checks"])


def test_a_checkout_leaves_no_token_behind():
    for where, step in steps():
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, where


def test_a_fork_gets_the_mocked_part_alone_and_nothing_runs_it_with_more_rights():
    # YAML reads the key `on` as true.
    assert not any("pull_request_target" in str(workflow[True]) for workflow in WORKFLOWS.values())
    for job, spec in WORKFLOWS["pull-request"]["jobs"].items():
        own = "github.event.pull_request.head.repo.full_name == github.repository" in spec.get("if", "")
        assert own == (job not in ("checks", "preview")), job
    assert WORKFLOWS["pull-request"]["jobs"]["preview"]["needs"] == "which"


def test_what_runs_the_program_of_any_branch_has_no_environment_of_what_runs_by_itself_or_deploys():
    """Required reviewers of `<stack>-preview` must neither stop the nightly run nor be passed by it."""
    environments = {f"{name}.{job}": spec["environment"] for name, job, spec in JOBS if "environment" in spec}
    assert environments == {
        "pull-request.preview": "${{ needs.which.outputs.stack }}-preview",
        "pull-request.preview-stack": "previews",
        "pull-request.preview-stack-gone": "previews",
        "previews-cleanup.cleanup": "previews",
        "drift.drift": "${{ matrix.stack }}-drift",
        "main.deploy": "${{ needs.which.outputs.stack }}",
    }


def test_what_has_no_secrets_asks_for_none():
    """GitHub gives a run that Dependabot started no secrets of Actions."""
    for job in ("which", "preview-stack", "preview-stack-gone"):
        assert "github.actor != 'dependabot[bot]'" in WORKFLOWS["pull-request"]["jobs"][job]["if"], job


def test_a_preview_is_brought_up_for_an_open_request_alone_and_commented_on_where_something_was_done():
    by_command = {
        step["run"].split()[-1]: step for step in WORKFLOWS["pull-request"]["jobs"]["preview-stack"]["steps"] if "run" in step
    }
    assert by_command["pr-up"]["env"]["GITHUB_TOKEN"] == "${{ github.token }}"
    file = by_command["pr-up"]["env"]["COMMENT_FILE"]
    assert by_command["comment"]["env"]["FILE"] == file
    assert by_command["comment"]["if"] == f"${{{{ !cancelled() && hashFiles('{file}') != '' }}}}"
    gone = {
        step["run"].split()[-1]: step
        for step in WORKFLOWS["pull-request"]["jobs"]["preview-stack-gone"]["steps"]
        if "run" in step
    }
    assert gone["comment"]["env"]["FILE"] == gone["pr-down"]["env"]["COMMENT_FILE"]
    assert gone["comment"]["env"]["COMMENT"] == "edit"


def test_nothing_in_the_settings_holds_up_what_only_removes():
    for name, job, spec in JOBS:
        by_command = {step["run"].split()[-1]: step for step in spec["steps"] if "run" in step}
        if "check-deploy" in by_command:
            removes = bool({"pr-down", "pr-clean"} & by_command.keys())
            assert (by_command["check-deploy"]["env"].get("DOWN") == "true") == removes, f"{name}.{job}"


def test_every_command_of_a_step_is_a_target_of_the_makefile():
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:")).split()[1:]
    called = set()
    for where, step in steps():
        for target in re.findall(r"\bmake (?:--[\w-]+ )*([\w-]+)", step.get("run", "")):
            assert target in phony, where
            called.add(target)
        if "run" in step:
            assert "make " in step["run"], where
    assert {"test", "check-stacks", "which-stack", "check-deploy", "preview", "comment", "up", "smoke", "drift-issue"} <= called
    assert {"pr-up", "pr-down", "pr-list", "pr-clean"} <= called


def test_branches_and_stacks_are_those_of_delivery_yaml():
    plan = settings.load(ROOT)
    plain = [branch for branch, _ in plan.branches if "*" not in branch]
    assert WORKFLOWS["main"][True]["push"]["branches"] == plain
    # Else every request to another branch would be red: no stack is deployed from it, or one that no runner knows.
    (asked,) = re.findall(r"contains\(fromJSON\('(.*?)'\), github\.base_ref\)", WORKFLOWS["pull-request"]["jobs"]["which"]["if"])
    assert json.loads(asked) == plain
    deployed = [stack for branch, stack in plan.branches if branch in plain]
    assert WORKFLOWS["drift"]["jobs"]["drift"]["strategy"]["matrix"]["stack"] == deployed
    for stack in (*plan.stacks, plan.base):
        assert (ROOT / f"Pulumi.{stack}.yaml").is_file()


def test_the_deployment_stops_at_the_first_step_that_fails():
    job = WORKFLOWS["main"]["jobs"]["deploy"]
    names = [re.findall(r"\bmake (?:--[\w-]+ )*([\w-]+)", step["run"])[0] for step in job["steps"] if "run" in step]
    assert names == ["check-deploy", "preview", "up", "smoke"]
    assert set(job["needs"]) == {"checks", "which"}
    for step in job["steps"]:
        assert "if" not in step
        assert "continue-on-error" not in step
