"""What may be added to `make up`, `preview` and `drift`: nothing by which the engine would work on what was not looked at."""

from types import SimpleNamespace

import pytest

from toolchain.announce import ToolchainError
from toolchain.preview import command
from toolchain.stack import arguments, operations


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--stack", "prod"], "--stack: the stack is named by STACK="),
        (["--stack=prod"], "--stack"),
        (["-s", "prod"], "-s: the stack is named by STACK="),
        (["-sprod"], "-s"),
        (["-s=prod"], "-s"),
        (["-c", "supastack:environment=staging"], "-c: a setting is set beforehand"),
        (["-csupastack:environment=staging"], "-c"),
        (["--config=supastack:environment=staging"], "--config: a setting is set beforehand"),
        (["--config-path", "--config", "supastack:a.b=c"], "--config-path"),
        (["--config-file", "other.yaml"], "--config-file: the settings are those of Pulumi.<stack>.yaml"),
        (["--config-file=other.yaml"], "--config-file"),
        (["-C", "/elsewhere"], "-C: a clone is worked on from its own folder"),
        (["--cwd=/elsewhere"], "--cwd"),
        (["--diff", "-yfcsupastack:environment=staging"], "-c"),
        (["-ys", "prod"], "-s"),
    ],
)
def test_what_leads_elsewhere_is_refused_with_what_to_use_instead(words, named):
    with pytest.raises(ToolchainError, match="nothing was done") as refused:
        arguments.check(words, "up")
    assert f"  - {named}" in str(refused.value)
    assert "staging" not in str(refused.value), "a value may be a secret"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--diff", "--refresh", "-r", "-y", "--target", "urn:pulumi:dev::supastack::a::b"],
        ["-mcs", "--message=--stack", "-p8", "-turn:cs", "-xurn:cs", "-v=3"],
        ["--config-passphrase", "--stacks"],
    ],
)
def test_all_else_is_passed_on(words):
    arguments.check(words, "up")


@pytest.mark.parametrize(
    ("name", "run"),
    [("up", operations.up), ("preview", command.preview), ("drift", command.show_drift)],
    ids=["up", "preview", "drift"],
)
def test_it_is_refused_before_anything_is_looked_at(name, run):
    context = SimpleNamespace()  # whatever is asked of it, is not there
    with pytest.raises(ToolchainError, match=f"make {name} takes no argument"):
        run(context, ["--stack", "prod"])
