"""The `pulumi` of an activated shell: how a call is read, and what is put around it."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from toolchain import context as context_module
from toolchain.shim import command, install
from toolchain.shim.arguments import parse
from toolchain.stack import prepare
from toolchain.stack.engine import Engine, engine_environment


@pytest.mark.parametrize(
    ("call", "words", "stack"),
    [
        ("up", ("up",), None),
        ("update --yes", ("up",), None),
        ("up -s dev-2 --diff", ("up",), "dev-2"),
        ("--color never -C . up --stack=kpi", ("up",), "kpi"),
        ("config set --secret databasePassword", ("config", "set"), None),
        ("config -s prod", ("config",), "prod"),
        ("config set --path a.b -- -1", ("config", "set"), None),
        ("stack init dev-3", ("stack", "init"), "dev-3"),
        ("stack rm --yes dev", ("stack", "rm"), "dev"),
        ("stack output --json", ("stack", "output"), None),
        ("down --stack a", ("destroy",), "a"),
        ("-v 3 preview", ("preview",), None),
        ("preview -- --stack x", ("preview",), None),
        ("", (), None),
    ],
)
def test_a_call_is_read_as_the_engine_reads_it(call, words, stack):
    read = parse(call.split())
    assert (read.command, read.stack) == (words, stack)


@pytest.mark.parametrize("call", ["version", "--version", "up --help", "stack ls", "stack select dev", "plugin ls", "", "whoami"])
def test_calls_that_concern_no_stack_are_left_as_they_are(call):
    assert parse(call.split()).is_plain


@pytest.mark.parametrize("call", ["up", "preview", "config set a b", "refresh", "destroy", "import x", "config env ls"])
def test_commands_that_know_the_flag_get_the_private_file(call):
    assert parse(call.split()).takes_config_file


@pytest.mark.parametrize(
    "call", ["stack init a", "stack rm a", "stack import", "stack change-secrets-provider x", "stack history"]
)
def test_commands_that_do_not_know_it_run_beside_the_private_file(call):
    read = parse(call.split())
    assert read.needs_private_project
    assert not read.takes_config_file


def test_an_option_is_put_after_the_command_and_before_its_arguments():
    call = parse(["--color", "never", "config", "set", "--", "key", "-1"])
    assert call.with_option("--config-file=x") == ["--color", "never", "config", "--config-file=x", "set", "--", "key", "-1"]


@pytest.mark.parametrize("arguments", [["up", "--config-file", "mine.yaml"], ["up", "--config-file=mine.yaml"]])
def test_a_config_file_of_the_callers_own_is_respected(arguments):
    assert parse(arguments).has_config_file


def test_files_named_on_the_command_line_are_still_found_from_another_folder():
    call = parse(["stack", "import", "--file", "state.json"])
    assert call.with_absolute_files(Path("/here")) == ["stack", "import", "--file", "/here/state.json"]
    call = parse(["stack", "import", "--file=/abs/state.json"])
    assert call.with_absolute_files(Path("/here"))[-1] == "--file=/abs/state.json"


@pytest.fixture
def clone(machine, monkeypatch):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    (machine.root / "Pulumi.dev.yaml").write_text("config: {}\n")
    monkeypatch.setattr(command, "ROOT", machine.root)
    return machine


@pytest.mark.parametrize(
    ("name", "base", "instance"),
    [
        ("dev", "dev", None),
        ("dev-2", "dev", 2),
        ("organization/supastack/dev-2", "dev", 2),
        ("dev-1", "dev-1", None),
        ("kpi-2", "kpi-2", None),
    ],
)
def test_a_stacks_full_name_tells_base_and_instance(clone, monkeypatch, name, base, instance):
    monkeypatch.setattr(command, "_with_engine", lambda context: context)
    context = command._context_of(name)
    assert (context.base_stack, context.instance) == (base, instance)


def test_a_file_of_its_own_makes_it_a_stack_of_its_own(clone, monkeypatch):
    monkeypatch.setattr(command, "_with_engine", lambda context: context)
    (clone.root / "Pulumi.dev-2.yaml").write_text("config: {}\n")
    assert command._context_of("dev-2").base_stack == "dev-2"


def test_outside_the_clone_the_users_own_pulumi_runs_with_the_users_environment(clone, monkeypatch, tmp_path, capfd):
    ours = clone.root / ".supastack" / "bin"
    clone.program("pulumi", "echo shim", ours)
    clone.program("pulumi", 'echo "own $* ${PULUMI_HOME-unset} $PATH"; exit 7')
    monkeypatch.setenv("PATH", f"{ours}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    assert command.main(["up", "--yes"]) == 7
    out = capfd.readouterr().out
    assert out.startswith("own up --yes unset ")
    assert str(ours) not in out


def test_a_folder_below_the_clone_is_the_clone_unless_it_is_a_project_of_its_own(clone):
    below = clone.root / "docs" / "x"
    below.mkdir(parents=True)
    assert command._is_ours(below)
    (clone.root / "docs" / "Pulumi.yaml").write_text("name: other\n")
    assert not command._is_ours(below)


def test_the_engine_never_finds_the_shim_on_its_path(clone, monkeypatch):
    monkeypatch.setenv("PATH", f"{clone.root}/.supastack/bin:{os.environ['PATH']}")
    assert ".supastack/bin" not in engine_environment(clone.context())["PATH"]


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_is_activated_and_deactivated(clone, monkeypatch, shell):
    monkeypatch.setattr(Engine, "select", lambda self: None)
    file = install.install(clone.context())
    shim = clone.root / "toolchain" / "shim" / "pulumi"
    clone.program("pulumi", 'echo "shim $SUPASTACK_STACK"', shim.parent)
    clone.program("pulumi", "echo own")
    script = f". {file}; pulumi; . {file}; supastack_deactivate; pulumi; echo ${{SUPASTACK_STACK-unset}}"
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["shim dev", "own", "unset", ""]


def test_the_shim_survives_a_move_of_the_clone(clone, monkeypatch, tmp_path):
    monkeypatch.setattr(Engine, "select", lambda self: None)
    install.install(clone.context())
    clone.program("pulumi", "echo shim", clone.root / "toolchain" / "shim")
    moved = clone.root.rename(tmp_path / "moved")
    assert (
        subprocess.run([moved / ".supastack" / "bin" / "pulumi"], capture_output=True, text=True, check=True).stdout == "shim\n"
    )


def test_without_the_virtual_environment_the_shim_says_what_makes_it(machine):
    source = Path(context_module.__file__).parent / "shim" / "pulumi"
    folder = machine.root / "toolchain" / "shim"
    folder.mkdir(parents=True)
    (folder / "pulumi").write_text(source.read_text())
    done = subprocess.run(["/bin/sh", folder / "pulumi", "up"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "make up" in done.stderr


@pytest.mark.parametrize("call", ["preview", "pre", "watch"])
@pytest.mark.parametrize("backend", [None, "s3://state"])
def test_a_plain_preview_gets_the_daemon_and_plugins_that_up_gets(clone, monkeypatch, call, backend):
    if backend:
        monkeypatch.setenv("PULUMI_BACKEND_URL", backend)
    monkeypatch.setattr(command, "_with_engine", lambda context: context)
    seen = []

    @contextmanager
    def for_preview(context):
        yield SimpleNamespace(context=context.with_env(DOCKER_HOST="unix:///of-a-context"))

    monkeypatch.setattr(prepare, "for_preview", for_preview)
    monkeypatch.setattr(command, "_engine", lambda context, arguments, env: seen.append(env.get("DOCKER_HOST")) or 0)
    assert command._run(parse([call, "--stack", "dev"])) == 0
    assert seen == ["unix:///of-a-context"]
