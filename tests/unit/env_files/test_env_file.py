"""EnvFile without an engine: what it registers, and what its provider does with real files."""

import errno
import os
import stat
from pathlib import Path

import pulumi
import pytest
from pulumi.runtime.rpc import UNKNOWN

from components import env_file, env_file_probe, env_files
from components.env_apps.nextjs import NEXTJS
from components.env_file import EnvFile, EnvFileError, EnvFileProvider
from components.env_files import Own
from tests.conftest import holders_of, unwrapped

TOKEN = "pulumi-python:dynamic/supastack:EnvFile"
VALUES = {"INSTANCE_ID": "1", "ADMIN_NAME": "Ann", "ADMIN_PASSWORD": "hush", "DATABASE_URL": "postgresql://u:psst@h/d"}
FOREIGN = "MINE=1\n"


# ---- what it registers -----------------------------------------------------------------------------------------------


def declare(**over):
    given = {"app": NEXTJS, "path": ".env", "fmt": "dotenv", "overwrite": False, "values": VALUES, **over}
    return lambda: EnvFile("f", **given) and None


def test_it_has_its_token_and_says_whose_the_file_is(engine):
    recorder = engine(declare())
    assert recorder.requests["f"].type == TOKEN
    inputs = unwrapped(recorder.inputs("f"))
    assert (inputs["project"], inputs["stack"], inputs["app"]) == ("supastack", "dev", "nextjs")


def test_secret_variables_reach_the_engine_as_secrets_each_by_itself_even_if_given_plain(engine):
    values = engine(declare()).inputs("f")["values"]
    assert holders_of("hush", values) == {"secret"}
    assert holders_of("psst", values) == {"secret"}
    assert values["ADMIN_NAME"] == "Ann"


def test_a_secret_output_stays_secret_for_a_variable_that_is_not(engine):
    inputs = engine(declare(values={"ADMIN_NAME": pulumi.Output.secret("hush")})).inputs("f")
    assert holders_of("hush", inputs) == {"secret"}


def test_every_value_that_a_preview_may_hide_has_a_revision(engine):
    values = {**VALUES, "ADMIN_EMAIL": pulumi.Output.secret("a@b")}
    inputs = engine(lambda: EnvFile("f", app=NEXTJS, path=".env", fmt="dotenv", overwrite=False, values=values) and None).inputs(
        "f"
    )
    assert sorted(inputs["revisions"]) == ["ADMIN_EMAIL", "ADMIN_PASSWORD", "DATABASE_URL"]


def test_a_path_in_the_project_is_kept_relative_so_that_every_clone_has_the_same_state(engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert engine(declare(path=str(tmp_path / "app/../.env"))).inputs("f")["path"] == ".env"


def test_a_path_elsewhere_stays_as_it_is(engine):
    assert engine(declare(path="/srv/app/.env")).inputs("f")["path"] == "/srv/app/.env"
    assert unwrapped(engine(declare(path="../app/.env")).inputs("f"))["path"] == "../app/.env"


def test_the_provider_in_the_state_is_a_reference_that_never_changes():
    from pulumi.dynamic.dynamic import serialize_provider

    first = serialize_provider(EnvFileProvider())
    assert first == serialize_provider(EnvFileProvider())
    assert len(first) < 200  # a reference; code would be thousands


def test_the_state_says_in_what_order_the_keys_of_an_app_of_the_users_own_stand(engine):
    shop = env_files.template("shop", Own(variables={"B": "2"}, groups={"The rest": {"A": "1"}}))
    inputs = unwrapped(engine(declare(app=shop, values={"A": "1", "B": "2"})).inputs("f"))
    assert inputs["layout"] == [["", ["B"]], ["The rest", ["A"]]]


# ---- what the provider does ------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """The folder of Pulumi.yaml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def said(monkeypatch):
    """What the user was told."""
    lines = []
    monkeypatch.setattr(env_file, "say", lines.append)
    monkeypatch.setattr("sys.tracebacklimit", 1000, raising=False)
    return lines


provider = EnvFileProvider()


def bag(**over):
    return {
        "app": "nextjs",
        "path": ".env",
        "format": "dotenv",
        "overwrite": False,
        "project": "supastack",
        "stack": "dev",
        "layout": env_files.shape(NEXTJS),
        "values": dict(VALUES),
        "revisions": {"ADMIN_PASSWORD": 0, "DATABASE_URL": 0},
        "drift": [],
        **over,
    }


def refusals(news, olds=None):
    failures = provider.check(olds or {}, news).failures
    assert all(failure.property == "" for failure in failures)  # the engine would print the property's value
    return [failure.reason for failure in failures]


def made(**over):
    props = bag(**over)
    assert refusals(props) == []
    return provider.create(props).outs


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def leftovers():
    return sorted(p.name for p in Path().iterdir() if p.name != ".env")


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


# ---- drift -----------------------------------------------------------------------------------------------------------


def drift(outs):
    read = provider.read("id", outs)
    assert read.inputs == read.outs
    return read.outs["drift"]


def edit(old, new):
    Path(".env").write_text(Path(".env").read_text().replace(old, new))


def test_a_file_that_is_gone_or_whose_folder_is_gone_is_gone():
    outs = made()
    Path(".env").unlink()
    assert provider.read("id", outs).id == ""
    assert provider.read("id", {**outs, "path": "no/such/.env"}).id == ""


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


# ---- delete ----------------------------------------------------------------------------------------------------------


def test_a_file_of_ours_is_removed():
    provider.delete("id", made())
    assert list(Path().iterdir()) == []


def test_an_edited_file_is_removed_and_the_edit_is_kept(said):
    outs = made()
    edit("Ann", "Bob")
    provider.delete("id", outs)
    assert leftovers() == [".env.bak"]
    assert not Path(".env").exists()
    assert "kept as .env.bak" in said[0]


def test_what_is_not_ours_any_more_is_left_alone_and_said_so(said):
    outs = made()
    Path(".env").write_text(FOREIGN)
    provider.delete("id", outs)
    assert Path(".env").read_text() == FOREIGN
    assert "left alone" in said[0]


def test_a_link_is_left_alone_at_the_end_too(said):
    outs = made()
    Path(".env").rename("x")
    Path(".env").symlink_to("x")
    provider.delete("id", outs)
    assert Path("x").exists()
    assert "left alone" in said[0]


def test_a_state_from_before_layouts_is_read_and_brought_up_to_date():
    old = made()
    del old["layout"]
    assert provider.read("id", old).outs["drift"] == []
    assert provider.diff("id", old, bag()).changes
    assert refusals(bag(), old) == []


def test_an_app_of_the_users_own_is_written_read_and_repaired_by_its_layout():
    shape = [["", ["URL", "TOKEN"]], ["The rest", ["PORT"]]]
    props = bag(app="shop", layout=shape, values={"PORT": "1", "TOKEN": "hush", "URL": "http://h"}, revisions={"TOKEN": 0})
    outs = provider.create(props).outs
    lines = [line for line in Path(".env").read_text().splitlines() if line]
    assert lines[2:] == ["URL=http://h", "TOKEN=hush", "# The rest", "PORT=1"]
    Path(".env").write_text(Path(".env").read_text().replace("hush", "other"))
    assert provider.read("id", outs).outs["drift"] == ["TOKEN changed"]
    assert refusals(bag(app="shop", layout=shape, values={"OTHER": "x"}))


def test_what_is_gone_already_is_no_error():
    outs = made()
    Path(".env").unlink()
    provider.delete("id", outs)


# ---- the probe -------------------------------------------------------------------------------------------------------


def test_the_probe_tells_of_all_files_before_anything_is_touched():
    Path(".env").write_text(FOREIGN)
    files = [
        {"app": "nextjs", "path": ".env", "format": "dotenv", "overwrite": False, "values": {"ADMIN_PASSWORD": None}},
        {"app": "nextjs", "path": "ok", "format": "dotenv", "overwrite": False, "values": {"ADMIN_NAME": "$HOME"}},
        {"app": "nextjs", "path": "ok", "format": "dotenv", "overwrite": False, "values": {"ADMIN_NAME": "Ann"}},
    ]
    found = env_file_probe.before({"project": "supastack", "stack": "dev", "files": files}, preview=True)
    assert len(found) == 2
    assert "not written by Supastack" in found[0]
    assert "ADMIN_NAME" in found[1]
