"""Branches are stacks; where a stack's state is; whose passphrase a preview has."""

import subprocess

import pytest
import yaml

from tests.clone_root import ROOT
from toolchain.announce import ToolchainError
from toolchain.context import Context
from toolchain.delivery import command, settings
from toolchain.stack.config import secrets_provider


def given(machine, **document):
    (machine.root / "delivery.yaml").write_text(yaml.safe_dump(document, sort_keys=False))


@pytest.mark.parametrize(
    ("branch", "stack"),
    [("main", "prod"), ("develop", "staging"), ("feature/x", "dev"), ("feature/a/b", "dev"), ("feature", None), ("main2", None)],
)
def test_the_shipped_file_maps_the_branches_of_the_seeds(branch, stack):
    assert settings.load(ROOT).stack_of(branch) == stack
    assert settings.Delivery().stack_of(branch) == stack


def test_the_first_branch_that_matches_counts(machine):
    given(machine, branches={"release/hot": "prod", "release/*": "staging"})
    plan = settings.load(machine.root)
    assert [plan.stack_of(b) for b in ("release/hot", "release/1", "main")] == ["prod", "staging", None]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"branch": {}}, "the file: there is no branch"),
        ({"branches": {"main": "pr-12"}}, "pr-12 is the name of a pull request's preview"),
        ({"branches": {"main": "a;b"}}, "can't be a stack's name"),
        ({"previews": {"base": "prod"}}, "previews.base: prod is the stack of a branch"),
        ({"previews": {"idle": "week"}}, "previews.idle"),
        ({"state": {"prod": {"backend": "bucket"}}}, "state.prod.backend"),
        ({"state": {"prod": {"secretsProvider": "rot13://"}}}, "state.prod.secretsProvider"),
        ({"state": {"prod": {"bucket": "s3://b"}}}, "state.prod: there is no bucket"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(machine, document, said):
    given(machine, **document)
    with pytest.raises(ToolchainError, match=said):
        settings.load(machine.root)


def test_a_branch_without_a_stack_is_refused_with_the_mapping(machine, monkeypatch):
    monkeypatch.setenv("BRANCH", "topic")
    with pytest.raises(ToolchainError, match=r"branch topic.*main -> prod, develop -> staging, feature/\* -> dev"):
        command.run("which-stack", "dev", [])


def test_a_branchs_name_is_text_that_neither_make_nor_a_shell_reads(tmp_path):
    branch = f'feature/$(shell touch {tmp_path}/make)`touch {tmp_path}/sh`";touch {tmp_path}/quoted;"'
    # As make runs it, but for the set-up before it.
    recipe = ["make", "--no-print-directory", "-C", str(ROOT), "which-stack", "RUN=printenv BRANCH #"]
    done = subprocess.run(recipe, env={"BRANCH": branch, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    assert done.stdout == f"{branch}\n"
    assert list(tmp_path.iterdir()) == []


def test_state_and_secrets_provider_are_told_by_stack_and_the_environment_wins(machine, monkeypatch):
    given(
        machine,
        state={
            "prod": {"backend": "s3://prod-state?region=eu-central-1", "secretsProvider": "awskms://alias/prod"},
            "preview": {"backend": "s3://previews", "secretsProvider": "passphrase"},
        },
    )
    prod, preview, dev = Context.of("prod"), Context.of("pr-12"), Context.of("dev")
    assert (prod.env["PULUMI_BACKEND_URL"], secrets_provider(prod)) == (
        "s3://prod-state?region=eu-central-1",
        "awskms://alias/prod",
    )
    assert (preview.env["PULUMI_BACKEND_URL"], secrets_provider(preview)) == ("s3://previews", "passphrase")
    assert dev.env["PULUMI_BACKEND_URL"] == f"file://{machine.root / '.supastack' / 'state'}"
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///elsewhere")
    assert Context.of("prod").env["PULUMI_BACKEND_URL"] == "file:///elsewhere"


def test_the_backend_of_pulumi_yaml_is_for_all_stacks(machine):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nbackend:\n  # the team's\n  url: 's3://team'\nruntime: python\n")
    assert Context.of("dev").env["PULUMI_BACKEND_URL"] == "s3://team"
    given(machine, state={"prod": {"backend": "s3://prod"}})
    assert Context.of("prod").env["PULUMI_BACKEND_URL"] == "s3://prod"


def test_the_secrets_provider_of_a_stack_file_is_used_where_delivery_yaml_says_nothing(machine):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    (machine.root / "Pulumi.prod.yaml").write_text("secretsprovider: gcpkms://projects/p\nconfig: {}\n")
    assert secrets_provider(Context.of("prod")) == "gcpkms://projects/p"


def test_a_preview_has_its_base_file_and_a_passphrase_of_its_own(machine):
    context = Context.of("pr-12")
    assert (context.stack, context.base_stack, context.pull_request) == ("pr-12", "preview", 12)
    assert context.env["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(machine.root / ".supastack" / "passphrase-previews")
    assert Context.of("dev").env["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(machine.root / ".supastack" / "passphrase")
    with pytest.raises(ToolchainError, match="no further instances"):
        Context.of("pr-12", 2)


@pytest.mark.parametrize("number", ["", "0", "012", "-1", "12x", "1e3", "12 13", "12345678", "prod", "$(id)", "１２"])  # noqa: RUF001
def test_what_is_no_number_of_a_request_is_refused(number):
    with pytest.raises(ToolchainError, match="number of a pull request"):
        settings.preview_stack(number)


def test_a_deployment_whose_state_would_go_with_the_runner_is_refused_with_all_that_is_missing(machine, monkeypatch):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    (machine.root / "Pulumi.prod.yaml").write_text("config: {}\n")
    with pytest.raises(ToolchainError, match=r"be lost with it[\s\S]*PULUMI_CONFIG_PASSPHRASE"):
        command.run("check-deploy", "prod", [])
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state?access_key=x")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    with pytest.raises(ToolchainError, match="is empty"):
        command.run("check-deploy", "prod", [])
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "long enough")
    assert command.run("check-deploy", "prod", []) == 0
    given(machine, state={"prod": {"secretsProvider": "awskms://alias/prod"}})
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    assert command.run("check-deploy", "prod", []) == 0


def test_what_is_only_to_be_removed_is_held_up_by_no_settings(machine, monkeypatch):
    """A base file that comes near prod, or is gone, must leave nobody's preview standing."""
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    base = machine.root / "Pulumi.preview.yaml"
    base.write_text("config: {supastack:environment: prod}\n")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://previews")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "long enough")
    with pytest.raises(ToolchainError, match="would come near another stack"):
        command.run("check-deploy", "pr-12", [])
    monkeypatch.setenv("DOWN", "true")
    assert command.run("check-deploy", "pr-12", []) == 0
    base.unlink()
    assert command.run("check-deploy", "pr-12", []) == 0
    assert command.run("check-deploy", "preview", []) == 0
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    with pytest.raises(ToolchainError, match=r"pr-12 can't be removed from here[\s\S]*PULUMI_CONFIG_PASSPHRASE"):
        command.run("check-deploy", "pr-12", [])
    monkeypatch.delenv("DOWN")
    with pytest.raises(ToolchainError, match=r"there is no Pulumi\.preview\.yaml"):
        command.run("check-deploy", "pr-12", [])


def test_on_pulumi_cloud_a_passphrase_is_asked_for_where_one_is_named_alone(machine, monkeypatch, capsys):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    (machine.root / "Pulumi.prod.yaml").write_text("config: {}\n")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
    for provider in (None, "default"):
        given(machine, state={"prod": {"secretsProvider": provider}})
        assert command.run("check-deploy", "prod", []) == 0
        assert "secrets by Pulumi Cloud" in capsys.readouterr().err
    given(machine, state={"prod": {"secretsProvider": "passphrase"}})
    with pytest.raises(ToolchainError, match="none is given: PULUMI_CONFIG_PASSPHRASE"):
        command.run("check-deploy", "prod", [])


def test_a_kubeconfig_given_as_text_is_a_private_file_for_the_steps_that_follow(machine, monkeypatch):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    (machine.root / "Pulumi.prod.yaml").write_text("config: {}\n")
    for name, value in {
        "PULUMI_BACKEND_URL": "s3://state",
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "KUBECONFIG_CONTENT": "apiVersion: v1\n",
        "GITHUB_ENV": str(machine.home / "env"),
        "KUBECONFIG": "",
    }.items():
        monkeypatch.setenv(name, value)
    assert command.run("check-deploy", "prod", []) == 0
    # Where the program writes it relative to its own folder: the next runner's clone is elsewhere.
    file = machine.root / ".supastack" / "kubeconfig"
    assert (machine.home / "env").read_text() == f"KUBECONFIG={file}\n"
    assert file.read_text() == "apiVersion: v1\n"
    assert file.stat().st_mode & 0o077 == 0
