"""`make env` on machines that have the stack's files, and on those that have its state alone."""

import pytest

from components import env_file_header, env_files, env_written
from components.env_apps.nextjs import NEXTJS
from components.env_file_header import Owner
from toolchain.announce import ToolchainError
from toolchain.stack import operations
from toolchain.stack.state import SECRET, SIGNATURE, StackState

MINE = Owner("supastack", "dev", "nextjs")
WRITTEN = {"INSTANCE_ID": "1", "SUPABASE_SERVICE_ROLE_KEY": "hush"}
OUTPUTS = {"API_URL": "https://api", "DB_URL": "postgresql://u:p@h/d", "ENV_VALUES": {"ADMIN_NAME": "Ann"}}


def secret(value):
    return {SIGNATURE: SECRET, "plaintext": f'"{value}"'}


def state(files, **outputs):
    """A state with the env file of nextjs, or with none."""
    stack = {
        "urn": "urn:pulumi:dev::supastack::pulumi:pulumi:Stack::supastack-dev",
        "type": "pulumi:pulumi:Stack",
        "outputs": outputs,
    }
    file = {
        "urn": "urn:pulumi:dev::supastack::pulumi-python:dynamic/supastack:EnvFile::env-nextjs",
        "type": "pulumi-python:dynamic/supastack:EnvFile",
        "inputs": {
            "app": "nextjs",
            "path": ".env",
            "format": "dotenv",
            "project": "supastack",
            "stack": "dev",
            "layout": env_files.shape(NEXTJS),
            "values": {**WRITTEN, "SUPABASE_SERVICE_ROLE_KEY": secret("hush")},
        },
    }
    return StackState({"deployment": {"resources": [stack, *([file] if files else [])]}})


@pytest.fixture
def env(machine, monkeypatch, capsys):
    """Runs `make env` on a stack in this state, and gives code, stdout and stderr."""
    machine.pulumi("3.0.0")
    (machine.root / "Pulumi.yaml").write_text("name: supastack\n")
    (machine.root / "Pulumi.dev.yaml").write_text("config: {}\n")

    def run(found, *apps, **options):
        monkeypatch.setattr(operations.Engine, "read_state", lambda *_, **__: found)
        monkeypatch.setattr(operations, "_has_engine", lambda _: True)
        code = operations.env(machine.context(), apps, **options)
        return code, *capsys.readouterr()

    return run


def put(machine, owner=MINE, more=""):
    body = "\n" + env_files.render(NEXTJS.layout, WRITTEN, "dotenv")
    (machine.root / ".env").write_text(env_file_header.put(owner, "dotenv", body.encode()).decode() + more)


OWN = state(True, ENV_FILES={"nextjs": ".env"})
NONE = state(False, **OUTPUTS, ENV_FILES={})


def test_a_file_that_is_not_here_is_printed_as_the_state_has_it(machine, env):
    code, out, _ = env(OWN, show_secrets=True)
    put(machine)
    assert (code, out) == (0, (machine.root / ".env").read_text())
    assert env(OWN, show_secrets=True)[1] == out


def test_where_no_file_is_the_reason_is_said_and_the_way(machine, env):
    code, out, said = env(OWN)
    assert (code, out) == (1, "")
    assert "not written on this machine; SHOW_SECRETS=1" in said
    env_written.remember(machine.root, MINE, ".env")
    assert "missing: make up writes it again" in env(OWN)[2]
    put(machine)
    assert env(OWN)[:2] == (0, f"{machine.root / '.env'}\n")


def test_the_file_of_another_stack_in_its_place_is_not_printed(machine, env):
    put(machine, Owner("supastack", "other", "nextjs"), "MINE=own\n")
    assert "not this stack's file" in env(OWN)[2]
    assert "MINE" not in env(OWN, show_secrets=True)[1]
    assert "MINE" not in env(OWN, form="vercel", show_secrets=True)[1]


def test_forms_are_of_the_state_and_what_a_hand_has_added(machine, env):
    assert env(OWN, form="github-variables")[:2] == (0, "INSTANCE_ID=1\n")
    assert env(OWN, form="vercel", show_secrets=True)[1] == "INSTANCE_ID=1\nSUPABASE_SERVICE_ROLE_KEY=hush\n"
    put(machine, more="MINE=own\n")
    assert env(OWN, "nextjs", form="github-secrets", show_secrets=True)[1] == "MINE=own\nSUPABASE_SERVICE_ROLE_KEY=hush\n"


def test_an_app_that_the_stack_writes_no_file_of_is_filled_with_its_outputs(env):
    code, out, said = env(NONE, "nextjs", form="github-variables")
    assert (code, out) == (0, "ADMIN_NAME=Ann\nNEXT_PUBLIC_SUPABASE_URL=https://api\n")
    assert "left out, since the stack has no such value: " in said
    assert "DATABASE_URL=postgresql://u:p@h/d\n" in env(NONE, "nextjs", show_secrets=True)[1]
    assert "the stack writes no such file" in env(NONE, "nextjs")[2]


@pytest.mark.parametrize(
    ("found", "apps", "options", "words"),
    [
        (None, (), {}, "has no env file: .* writes it"),
        (NONE, (), {}, "writes no env file. FOR=<app>"),
        (NONE, ("nope",), {"form": "github-variables"}, "nope: there is no such app"),
        (NONE, ("nextjs",), {"form": "vercel"}, "SHOW_SECRETS=1 says that you want that"),
        (NONE, (), {"form": "github-variables"}, "values of which app"),
        (OWN, (), {"form": "github"}, "apart"),
    ],
)
def test_what_can_not_be_printed_is_refused_with_the_way_out(env, found, apps, options, words):
    with pytest.raises(ToolchainError, match=words):
        env(found, *apps, **options)
