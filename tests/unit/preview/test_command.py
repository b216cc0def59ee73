"""What `make preview` writes for others to read has no secret in it, whatever went wrong."""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from toolchain.announce import ToolchainError
from toolchain.preview import command, masking
from toolchain.preview.changes import Preview

OF_STATE, OF_CONFIG = "hush-of-the-state", "hush-of-the-config"
SAID = f"the state can't be read: {OF_STATE}, {OF_CONFIG}, postgres://me:word@db/x"


@pytest.fixture
def engine(monkeypatch):
    """Stands for the engine; a part of it that fails is an error in its place."""
    parts = SimpleNamespace(state=[OF_STATE], config=[OF_CONFIG])

    def given(part):
        if isinstance(part, Exception):
            raise part
        return part

    class Stub:
        def __init__(self, context):
            self.set_up = not hasattr(context, "with_recorded_engine")

        def read_state(self, show_secrets):
            assert show_secrets
            assert self.set_up, "it has no engine"
            return SimpleNamespace(secrets=lambda: given(parts.state)) if given(parts.state) is not None else None

        def secret_config(self):
            return given(parts.config)

        def run(self, *_, **__):
            return 0

    monkeypatch.setattr(masking, "Engine", Stub)
    monkeypatch.setattr(command, "Engine", Stub)
    return parts


def begins(monkeypatch, *, error=None, notes=()):
    @contextmanager
    def for_preview(context):
        if error is not None:
            raise error
        yield SimpleNamespace(context=context.with_recorded_engine(), state=None, description=SimpleNamespace(notes=notes))

    monkeypatch.setattr(command.prepare, "for_preview", for_preview)


def context(tmp_path):
    """On a runner nothing is set up before the preview; by the time that it fails there may be an engine."""
    ready = SimpleNamespace(stack="it", root=tmp_path, private=tmp_path / "private")
    return SimpleNamespace(**vars(ready), with_recorded_engine=lambda: ready)


def test_why_a_preview_could_not_begin_is_told_without_secrets(engine, monkeypatch, tmp_path, capsys):
    begins(monkeypatch, error=ToolchainError(SAID))
    with pytest.raises(ToolchainError):
        command.preview(context(tmp_path), form="markdown", commit="abc")
    assert "the state can't be read: ******, ******, postgres://me:******@db/x" in capsys.readouterr().out


@pytest.mark.parametrize("error", [ToolchainError("no state"), FileNotFoundError("no engine")])
def test_what_can_not_be_read_leaves_the_rest_hidden(engine, monkeypatch, tmp_path, capsys, error):
    engine.state = error
    begins(monkeypatch, error=ToolchainError(SAID))
    with pytest.raises(ToolchainError, match="can't be read"):
        command.preview(context(tmp_path), form="markdown", commit="abc")
    said = capsys.readouterr().out
    assert OF_CONFIG not in said
    assert "me:word" not in said
    engine.config = error
    with pytest.raises(ToolchainError, match="can't be read"):
        command.preview(context(tmp_path), form="markdown", commit="abc")
    assert "me:word" not in capsys.readouterr().out


@pytest.mark.parametrize("form", ["markdown", "json"])
def test_notes_are_told_without_secrets(engine, monkeypatch, tmp_path, capfd, form):
    begins(monkeypatch, notes=(f"a note of {OF_CONFIG}",))
    monkeypatch.setattr(command.changes, "read", lambda *_, **__: Preview(changes=()))
    assert command.preview(context(tmp_path), form=form, commit="abc") == 0
    said = capfd.readouterr().out
    assert OF_CONFIG not in said
    if form == "json":
        assert json.loads(said)["notes"] == ["a note of ******"]
    else:
        assert "a note of" in said


def test_the_judge_is_made_before_anything_runs(engine, monkeypatch, tmp_path, capsys):
    begins(monkeypatch)
    order = []
    monkeypatch.setattr(command, "_run", lambda *_: order.append("run") or 0)
    monkeypatch.setattr(command.changes, "read", lambda *_, **__: Preview(changes=()))
    command.preview(context(tmp_path), commit="abc", judge_of=lambda _: order.append("judge") or (lambda _: ()))
    assert order == ["judge", "run"]


@pytest.mark.parametrize(
    ("target", "runs", "tells", "deep"),
    [
        ("managed", False, True, True),
        ("managed", False, False, False),
        ("docker", True, True, True),
        # A stack that is down has its components still.
        ("docker", False, True, False),
    ],
)
def test_what_is_deployed_is_shown_property_by_property(engine, monkeypatch, tmp_path, target, runs, tells, deep):
    @contextmanager
    def for_preview(context):
        state = SimpleNamespace(runs=lambda: runs, tells=lambda: tells)
        yield SimpleNamespace(context=context, state=state, description=SimpleNamespace(notes=(), target=target))

    ran = []
    monkeypatch.setattr(command.prepare, "for_preview", for_preview)
    monkeypatch.setattr(command, "_run", lambda _context, arguments, *_: ran.append(arguments) or 0)
    monkeypatch.setattr(command.changes, "read", lambda *_, **__: Preview(changes=()))
    assert command.preview(context(tmp_path), commit="abc") == 0
    assert ("--diff" in ran[0]) is deep
