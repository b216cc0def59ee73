"""EnvFile's provider at the end: what it removes and leaves; states of older versions; and the look before anything is touched."""

from pathlib import Path

import pytest

from components import env_file_probe
from tests.unit.env_files.written import FOREIGN, bag, edit, leftovers, made, provider, refusals

pytestmark = pytest.mark.usefixtures("project", "said")


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
