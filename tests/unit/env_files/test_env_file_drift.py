"""EnvFile's provider with real files that somebody else changed."""

import shutil
from pathlib import Path

import pytest

from tests.unit.env_files.written import VALUES, bag, edit, leftovers, made, mode, provider

pytestmark = pytest.mark.usefixtures("project", "said")


def drift(outs):
    read = provider.read("id", outs)
    assert read.inputs == read.outs
    return read.outs["drift"]


def test_a_file_that_is_gone_or_whose_folder_is_gone_is_gone():
    outs = made()
    Path(".env").unlink()
    assert provider.read("id", outs).id == ""
    assert provider.read("id", {**outs, "path": "no/such/.env"}).id == ""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """What the state has of a file that another machine wrote, in a clone that never did."""
    outs = made()
    (tmp_path / "clone").mkdir()
    monkeypatch.chdir(tmp_path / "clone")
    return outs


def test_a_file_that_another_machine_wrote_is_as_it_was_where_it_is_missing(elsewhere):
    assert drift({**elsewhere, "drift": ["mode 0640"]}) == []
    assert provider.diff("id", provider.read("id", elsewhere).outs, bag()).changes is False
    assert list(Path().iterdir()) == []


def test_what_somebody_else_has_in_its_place_there_is_no_drift(elsewhere):
    Path(".env").write_text("MINE=1\n")
    assert drift(elsewhere) == []
    Path(".env").unlink()
    Path(".env").mkdir()
    assert drift(elsewhere) == []


def test_a_machine_that_has_written_the_file_once_writes_it_again(elsewhere):
    later = {**VALUES, "ADMIN_NAME": "Bob"}
    outs = provider.update("id", elsewhere, bag(values=later)).outs
    assert drift(outs) == []
    Path(".env").unlink()
    assert provider.read("id", outs).id == ""


def test_a_file_of_a_version_that_took_no_notes_is_looked_after_from_the_next_look_on():
    outs = made()
    shutil.rmtree(".supastack")
    assert drift(outs) == []
    Path(".env").unlink()
    assert provider.read("id", outs).id == ""


def test_a_file_that_was_removed_with_its_stack_is_forgotten():
    outs = made()
    provider.delete("id", outs)
    assert drift(outs) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("ADMIN_NAME=Ann", "ADMIN_NAME=Bob", ["ADMIN_NAME changed"]),
        ("ADMIN_PASSWORD=hush", "ADMIN_PASSWORD=mine", ["ADMIN_PASSWORD changed"]),
        ("ADMIN_NAME=Ann\n", "", ["ADMIN_NAME removed"]),
        ("ADMIN_NAME=Ann\n", "ADMIN_NAME=Ann\nhush=hush\n", ["other lines changed"]),
        ("# This", "# That", ["other lines changed"]),
        ("INSTANCE_ID=1", "INSTANCE_ID='1", ["INSTANCE_ID changed"]),
        ("# Managed by", "# Was managed by", ["the file was replaced by another"]),
    ],
)
def test_an_edit_is_told_by_key_and_never_with_a_value(old, new, found):
    outs = made()
    edit(old, new)
    assert drift(outs) == found
    assert provider.read("id", outs).outs["values"] == VALUES


def test_a_loosened_mode_is_drift_and_a_tighter_one_is_not():
    outs = made()
    Path(".env").chmod(0o640)
    assert drift(outs) == ["mode 0640"]
    Path(".env").chmod(0o400)
    assert drift(outs) == []


def test_a_file_from_another_time_is_drift_though_no_hand_was_at_it():
    outs = made()
    made(values={**VALUES, "ADMIN_NAME": "Bob"})
    assert drift(outs) == ["ADMIN_NAME changed"]


def test_a_link_in_its_place_is_drift():
    outs = made()
    Path(".env").rename("x")
    Path(".env").symlink_to("x")
    assert drift(outs) == ["the file is a symbolic link, and is not followed"]


def test_drift_is_put_right_by_the_next_update_and_the_edit_is_kept():
    outs = made()
    edit("Ann", "Bob")
    Path(".env").chmod(0o644)
    edited = Path(".env").read_text()
    seen = provider.read("id", outs).outs
    assert provider.diff("id", seen, bag()).changes is True
    after = provider.update("id", seen, bag()).outs
    assert drift(after) == []
    assert Path(".env.bak").read_text() == edited
    assert mode(".env.bak") == 0o600


def test_a_loosened_mode_alone_is_put_right_without_a_copy():
    outs = made()
    Path(".env").chmod(0o644)
    provider.update("id", provider.read("id", outs).outs, bag())
    assert mode(".env") == 0o600
    assert leftovers() == []


def test_a_state_of_an_older_version_can_be_read_and_removed():
    outs = {key: value for key, value in made().items() if key not in ("revisions", "drift")}
    assert drift(outs) == []
    provider.delete("id", outs)
    assert not Path(".env").exists()
