"""EnvFile's provider with real files: what it writes, and what it refuses."""

import errno
import os
import stat
from pathlib import Path

import pytest
from pulumi.runtime.rpc import UNKNOWN

from components.env_file import EnvFileError
from tests.unit.env_files.written import FOREIGN, VALUES, bag, leftovers, made, mode, provider, refusals

pytestmark = pytest.mark.usefixtures("project", "said")


def test_a_file_is_made_for_its_owner_only_whatever_the_umask():
    for mask in (0o000, 0o022, 0o377):
        before = os.umask(mask)
        try:
            made(path=f".env.{mask}")
        finally:
            os.umask(before)
        assert mode(f".env.{mask}") == 0o600


def test_no_other_could_read_a_byte_of_it_while_it_was_written(monkeypatch):
    modes = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: modes.append(stat.S_IMODE(os.fstat(fd).st_mode)) or real(fd))
    created = []
    real_open = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, mode=0o777: created.append((flags, mode)) or real_open(path, flags, mode))
    made()
    flags, first_mode = created[0]
    assert first_mode == 0o600
    assert flags & os.O_EXCL
    assert modes[0] == 0o600


def test_what_is_kept_in_the_state_is_what_was_given():
    props = bag()
    assert provider.create(dict(props)).outs == props


def test_nothing_differs_after_it_was_made():
    outs = made()
    assert provider.read("id", outs).outs == outs
    assert provider.diff("id", outs, bag()).changes is False


@pytest.mark.parametrize(
    "change",
    [
        {"values": {**VALUES, "ADMIN_NAME": "Bob"}},
        {"path": "other"},
        {"format": "docker"},
        {"values": {**VALUES, "ADMIN_NAME": UNKNOWN}},
    ],
)
def test_a_change_of_what_matters_is_an_update_in_place(change):
    result = provider.diff("id", bag(), bag(**change))
    assert result.changes is True
    assert not result.replaces


def test_permission_to_overwrite_is_no_change_of_the_file():
    assert provider.diff("id", bag(), bag(overwrite=True)).changes is False


def test_a_hidden_value_that_changes_counts_up_and_an_unknown_one_is_unknown():
    first = provider.check({}, bag()).inputs
    assert first["revisions"] == {"ADMIN_PASSWORD": 1, "DATABASE_URL": 1}
    same = provider.check(first, bag()).inputs
    assert same["revisions"] == first["revisions"]
    changed = provider.check(first, bag(values={**VALUES, "ADMIN_PASSWORD": "new"})).inputs
    assert changed["revisions"] == {"ADMIN_PASSWORD": 2, "DATABASE_URL": 1}
    unknown = provider.check(first, bag(values={**VALUES, "ADMIN_PASSWORD": UNKNOWN})).inputs
    assert unknown["revisions"] == {"ADMIN_PASSWORD": UNKNOWN, "DATABASE_URL": 1}


def test_values_that_are_not_known_yet_are_no_reason_to_refuse():
    assert refusals(bag(values=dict.fromkeys(VALUES, UNKNOWN))) == []


def test_values_that_cannot_be_written_are_refused_all_at_once():
    wrong = refusals(bag(values={"ADMIN_NAME": "$HOME", "ADMIN_PASSWORD": "a\rb", "INSTANCE_ID": 1.0}))
    assert len(wrong) == 4
    for named in ("ADMIN_NAME", "ADMIN_PASSWORD", "INSTANCE_ID is not text", "DATABASE_URL has no value"):
        assert any(named in line for line in wrong)


def test_a_file_of_someone_else_is_refused_with_the_ways_out_and_left_alone():
    Path(".env").write_text(FOREIGN)
    (reason,) = refusals(bag())
    assert "envFiles.nextjs.path" in reason
    assert "not written by Supastack" in reason
    assert "envFiles.nextjs.overwrite true" in reason
    with pytest.raises(EnvFileError):  # should it appear between check and create
        provider.create(bag())
    assert Path(".env").read_text() == FOREIGN
    assert leftovers() == []


def test_a_file_of_another_stack_or_app_is_someone_elses_and_said_whose():
    made(stack="other")
    (reason,) = refusals(bag())
    assert "the app nextjs of stack other of project supastack" in reason


def test_a_file_that_this_stack_wrote_before_its_state_was_lost_is_taken_over():
    made()
    made(values={**VALUES, "ADMIN_NAME": "Bob"})
    assert "ADMIN_NAME=Bob" in Path(".env").read_text()
    assert leftovers() == []


def test_a_renamed_stack_keeps_its_file():
    old = made(stack="old")
    assert refusals(bag(), old) == []
    provider.update("id", old, bag())
    assert "stack=dev " in Path(".env").read_text()


def test_overwriting_someone_elses_file_keeps_it_beside_for_its_owner_only(said):
    Path(".env").write_text(FOREIGN)
    Path(".env").chmod(0o644)
    made(overwrite=True)
    assert "INSTANCE_ID=1" in Path(".env").read_text()
    assert Path(".env.bak").read_text() == FOREIGN
    assert mode(".env.bak") == 0o600
    assert ".env.bak" in said[0]


def test_what_was_kept_once_is_never_overwritten_and_never_kept_twice():
    Path(".env.bak").write_text("older")
    for content in (FOREIGN, "OTHER=1\n", FOREIGN):
        Path(".env").write_text(content)
        made(overwrite=True)
    assert [Path(p).read_text() for p in leftovers()] == ["older", FOREIGN, "OTHER=1\n"]


def test_a_link_is_never_followed_and_never_replaced():
    Path("elsewhere").write_text(FOREIGN)
    Path(".env").symlink_to("elsewhere")
    for overwrite in (False, True):
        (reason,) = refusals(bag(overwrite=overwrite))
        assert "symbolic link" in reason
    assert Path("elsewhere").read_text() == FOREIGN
    assert Path(".env").is_symlink()


def test_a_link_in_the_place_of_the_draft_is_not_followed():
    Path("elsewhere").write_text(FOREIGN)
    Path(".env.supastack-draft").symlink_to("elsewhere")
    made()
    assert Path("elsewhere").read_text() == FOREIGN
    assert leftovers() == ["elsewhere"]


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_refused_even_with_leave_to_overwrite(kind):
    Path(".env").mkdir() if kind == "folder" else os.mkfifo(".env")
    (reason,) = refusals(bag(overwrite=True))
    assert "not a regular file" in reason


def test_a_folder_that_is_missing_or_is_a_file_is_refused():
    Path("file").write_text("")
    assert "no/such is not a folder" in refusals(bag(path="no/such/.env"))[0]
    assert "file is not a folder" in refusals(bag(path="file/.env"))[0]


def test_a_folder_without_permission_is_refused(monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, flags: False)  # the tests may run as root, who may write anywhere
    assert "no permission" in refusals(bag())[0]


def test_a_file_that_cannot_be_read_is_refused(monkeypatch):
    Path(".env").write_text(FOREIGN)

    def denied(self):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert "can't be read: Permission denied" in refusals(bag(overwrite=True))[0]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(step, monkeypatch):
    outs = made()
    before = Path(".env").read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if step == "write":
        monkeypatch.setattr(os, "fchmod", full)
    elif step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(EnvFileError, match=r"envFiles\.nextjs: .*\.env can't be written: No space left on device"):
        provider.update("id", outs, bag(values={**VALUES, "ADMIN_PASSWORD": "new"}))
    assert Path(".env").read_bytes() == before
    assert leftovers() == []


def test_what_a_killed_run_left_behind_goes_with_the_next():
    Path(".env.supastack-draft").write_text("half of")
    made()
    assert leftovers() == []


def test_another_path_moves_the_file():
    old = made()
    new = bag(path="moved.env")
    assert refusals(new, old) == []
    provider.update("id", old, new)
    assert leftovers() == ["moved.env"]
    assert not Path(".env").exists()


def test_another_spelling_of_the_same_path_does_not_remove_the_file(project):
    old = made()
    (project / "link").symlink_to(project)
    provider.update("id", old, bag(path="link/.env"))
    assert Path(".env").exists()
