"""Where things are, and whose settings win."""

import json
import os
from pathlib import Path

import pytest

from toolchain.announce import ToolchainError
from toolchain.context import Context


def test_without_settings_of_the_users_own_all_is_kept_in_the_private_folder(machine):
    context = Context.of()
    private = machine.root / ".supastack"
    assert context.env["PULUMI_HOME"] == str(private / "pulumi-home")
    assert context.env["PULUMI_BACKEND_URL"] == f"file://{private / 'state'}"
    assert context.env["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(private / "passphrase")
    assert context.owns_pulumi_home
    assert not private.exists()


@pytest.mark.parametrize(
    ("name", "value", "unset"),
    [
        ("PULUMI_BACKEND_URL", "s3://bucket", None),
        ("PULUMI_ACCESS_TOKEN", "pul-x", "PULUMI_BACKEND_URL"),
        ("PULUMI_HOME", "/their/home", None),
        ("PULUMI_CONFIG_PASSPHRASE", "", "PULUMI_CONFIG_PASSPHRASE_FILE"),
        ("PULUMI_CONFIG_PASSPHRASE_FILE", "/their/file", None),
        ("PULUMI_SKIP_UPDATE_CHECK", "false", None),
    ],
)
def test_what_the_user_has_set_wins(machine, monkeypatch, name, value, unset):
    monkeypatch.setenv(name, value)
    context = Context.of()
    assert context.env[name] == value
    assert unset is None or unset not in context.env


def test_a_login_in_a_pulumi_home_of_the_users_own_wins_over_our_state(machine, monkeypatch):
    theirs = machine.home / "pulumi"
    theirs.mkdir()
    monkeypatch.setenv("PULUMI_HOME", str(theirs))
    assert "PULUMI_BACKEND_URL" in Context.of().env
    (theirs / "credentials.json").write_text(json.dumps({"current": "https://api.pulumi.com"}))
    assert "PULUMI_BACKEND_URL" not in Context.of().env
    assert not Context.of().owns_pulumi_home


@pytest.mark.parametrize(("instance", "stack"), [(None, "kpi"), (1, "kpi"), (2, "kpi-2"), (12, "kpi-12")])
def test_a_further_instance_is_a_stack_of_its_own(machine, instance, stack):
    context = Context.of("kpi", instance)
    assert (context.stack, context.base_stack, context.instance) == (stack, "kpi", instance)


@pytest.mark.parametrize(
    ("stack", "files", "means"),
    [
        ("kpi-2", ["kpi"], ("kpi-2", "kpi", 2)),
        ("kpi-12", ["kpi"], ("kpi-12", "kpi", 12)),
        ("kpi-2", ["kpi", "kpi-2"], ("kpi-2", "kpi-2", None)),
        ("kpi-2", [], ("kpi-2", "kpi-2", None)),
        ("kpi-1", ["kpi"], ("kpi-1", "kpi-1", None)),
        ("kpi-02", ["kpi"], ("kpi-02", "kpi-02", None)),
        ("a-2-3", ["a", "a-2"], ("a-2-3", "a-2", 3)),
    ],
)
def test_a_full_name_means_the_instance_unless_it_has_a_file_of_its_own(machine, stack, files, means):
    for name in files:
        (machine.root / f"Pulumi.{name}.yaml").write_text("config: {}\n")
    context = Context.of(stack)
    assert (context.stack, context.base_stack, context.instance) == means


@pytest.mark.parametrize("instance", [0, -1])
def test_an_instance_below_one_is_refused(machine, instance):
    with pytest.raises(ToolchainError, match=f"INSTANCE={instance}"):
        Context.of("dev", instance)


def test_a_preview_of_a_pull_request_has_no_instances_and_the_way_out_is_told(machine):
    with pytest.raises(ToolchainError, match="no further instances: leave INSTANCE out"):
        Context.of("pr-12", 2)


@pytest.mark.parametrize("stack", ["", "a b", "../x", "é", "a/b", "x;y"])
def test_a_name_that_no_stack_can_have_is_refused(machine, stack):
    with pytest.raises(ToolchainError, match="a stack's name has"):
        Context.of(stack)


def test_the_cache_is_where_the_user_wants_caches(machine, monkeypatch):
    assert Context.of().cache == machine.home / ".cache" / "supastack"
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine.home / "elsewhere"))
    assert Context.of().cache == machine.home / "elsewhere" / "supastack"


def test_the_engine_that_the_last_setup_chose_is_known_without_looking_for_it(machine):
    private = machine.root / ".supastack"
    private.mkdir()
    (private / "engine.json").write_text(json.dumps({"pulumi": "/some/where/pulumi"}))
    context = Context.of()
    assert context.pulumi == Path("/some/where/pulumi")
    assert context.env["PATH"].split(os.pathsep)[:2] == [str(context.venv_bin), "/some/where"]


def test_another_python_of_the_users_shell_does_not_reach_the_program(machine, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/other")
    context = Context.of()
    assert "PYTHONHOME" not in context.env
    assert context.env["VIRTUAL_ENV"] == str(context.venv_bin.parent)


def test_an_engine_that_was_chosen_meanwhile_is_found(machine):
    before = Context.of()
    assert before.pulumi == Path("pulumi")
    before.private.mkdir()
    (before.private / "engine.json").write_text(json.dumps({"pulumi": "/some/where/pulumi"}))
    after = before.with_recorded_engine()
    assert after.pulumi == Path("/some/where/pulumi")
    assert "/some/where" in after.env["PATH"].split(os.pathsep)


@pytest.mark.parametrize(
    ("stack", "instance", "variables", "again"),
    [
        ("dev", None, "", "make up"),
        ("dev", 2, " INSTANCE=2", "make up INSTANCE=2"),
        ("kube", None, " STACK=kube", "make up STACK=kube"),
        ("kpi", 3, " STACK=kpi INSTANCE=3", "make up STACK=kpi INSTANCE=3"),
        ("pr-12", None, " STACK=pr-12", "make pr-up PR=12"),
    ],
)
def test_a_stack_is_named_as_make_takes_it(machine, stack, instance, variables, again):
    context = Context.of(stack, instance)
    assert (context.variables, context.again) == (variables, again)
