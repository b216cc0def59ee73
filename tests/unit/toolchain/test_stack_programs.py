"""Which settings the program's own commands are given."""

from pathlib import Path

import pytest

from toolchain.announce import ToolchainError
from toolchain.pin import command as pin
from toolchain.stack import operations, programs
from toolchain.stack.config import PrivateConfig, config_file, parse

TRACKED = "config:\n  supastack:cache:\n    engine: valkey\n"
NO_FILE = r"no Pulumi\.nowhere\.yaml, so no stack 'nowhere'\. There are: .*: cp Pulumi\.dev\.yaml Pulumi\.nowhere\.yaml"


@pytest.fixture
def clone(machine):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    (machine.root / "Pulumi.dev.yaml").write_text(TRACKED)
    return machine


@pytest.fixture
def told(monkeypatch):
    """Runs a command; returns the settings that it is given, and its words."""

    def run(command, context, rest=()):
        ran = []
        monkeypatch.setattr(programs.child, "run", lambda words, **_: ran.append(words) or 0)
        assert programs.run(command, context, rest) == 0
        words = ran[0]
        if "--config" not in words:
            return None, words
        return parse(Path(words[words.index("--config") + 1]).read_text(), "supastack")["config"], words

    return run


@pytest.mark.parametrize(
    ("command", "rest"),
    [("check-env", ["FILE=.env", "FOR=nextjs"]), ("env-example", ["FOR=nextjs"]), ("graph", ["picture.svg"])],
)
def test_what_was_set_by_a_command_counts(clone, told, command, rest):
    PrivateConfig(clone.context()).sync({"supastack:cache": {"engine": "redis"}})
    assert told(command, clone.context(), rest)[0] == {"supastack:cache": {"engine": "redis"}}


@pytest.mark.parametrize("command", ["env-example", "graph", "check-env"])
def test_a_further_instance_has_its_number(clone, told, command):
    settings, words = told(command, clone.context(instance=2))
    assert settings["supastack:instance"] == "2"
    assert ("--stack" in words) is (command != "check-env")
    if "--stack" in words:
        assert words[words.index("--stack") + 1] == "dev-2"


def test_the_picture_in_the_repository_is_drawn_by_the_file_in_it(clone, told):
    PrivateConfig(clone.context()).sync({"supastack:cache": {"engine": "redis"}})
    assert told("graph", clone.context())[0] == {"supastack:cache": {"engine": "valkey"}}


def test_with_a_backend_of_ones_own_the_file_in_the_repository_counts(clone, told):
    context = clone.context().with_env(PULUMI_BACKEND_URL="s3://team")
    PrivateConfig(clone.context()).sync({"supastack:cache": {"engine": "redis"}})
    assert told("env-example", context)[0] == {"supastack:cache": {"engine": "valkey"}}


def test_every_command_tells_the_same_way_out_where_a_stack_has_no_file(clone):
    (clone.root / "Pulumi.a.yaml").write_text("config: {}\n")
    for command in (pin.run, operations.activate, config_file):
        with pytest.raises(ToolchainError, match=NO_FILE):
            command(clone.context("nowhere"))
    with pytest.raises(ToolchainError, match=NO_FILE.replace("'nowhere'", "'nowhere-2'")):
        config_file(clone.context("nowhere", 2))


def test_without_a_stack_an_env_file_can_be_judged_and_nothing_else(clone, told):
    context = clone.context("nowhere")
    assert told("check-env", context)[0] is None
    for command in ("env-example", "graph"):
        with pytest.raises(ToolchainError, match=NO_FILE):
            told(command, context)
