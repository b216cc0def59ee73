"""Which provider plugins are used: installed ones, the user's own, the official download, the stand-ins; and the errors."""

import os
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain import pins
from toolchain.announce import ToolchainError
from toolchain.setup import folders, plugins


@pytest.fixture
def context(machine):
    """A context whose engine installs a plugin by writing `official` into it."""
    pulumi = machine.program(
        "pulumi",
        f"""echo "$@" >> {machine.home}/pulumi.calls
folder=$PULUMI_HOME/plugins/$3-$4-v$5
mkdir -p $folder && echo official > $folder/pulumi-resource-$4 && chmod 755 $folder/pulumi-resource-$4""",
    )
    return replace(machine.context(), pulumi=pulumi)


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Nothing can be reached; the list of what was asked for."""
    asked = []
    monkeypatch.setattr(plugins.reach, "any_answers", lambda urls: asked.append(urls) or False)
    return asked


@pytest.fixture
def online(monkeypatch):
    asked = []
    monkeypatch.setattr(plugins.reach, "any_answers", lambda urls: asked.append(urls) or True)
    return asked


def content(home, name="docker"):
    return (plugins.folder(home, name) / f"pulumi-resource-{name}").read_text()


def official(home, name="docker"):
    folder = plugins.folder(home, name)
    folder.mkdir(parents=True)
    (folder / f"pulumi-resource-{name}").write_text("the user's own\n")
    (folder / f"pulumi-resource-{name}").chmod(0o755)
    return folder


def stack(context):
    folder = context.private / "state" / ".pulumi" / "stacks" / "supastack"
    folder.mkdir(parents=True)
    (folder / "dev.json").write_text("{}")


def everything_below(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_official_plugin_is_downloaded_where_it_can_be_reached(context, online):
    plugins.ensure(context, ["docker"])
    assert content(context.pulumi_home) == "official\n"
    assert not plugins.is_stand_in(context, "docker")


def test_the_versions_are_those_of_the_installed_packages(context, online, machine):
    plugins.ensure(context, ["docker", "random"])
    assert (machine.home / "pulumi.calls").read_text().splitlines() == [
        f"plugin install resource docker {plugins.version_of('docker')}",
        f"plugin install resource random {plugins.version_of('random')}",
    ]
    assert f"/pulumi-resource-docker-v{plugins.version_of('docker')}-" in online[0][0]


def test_an_installed_official_plugin_is_used_without_asking(context, offline):
    official(context.pulumi_home)
    ready = plugins.ensure(context, ["docker"])
    assert content(context.pulumi_home) == "the user's own\n"
    assert offline == []
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in ready.env


def test_the_official_plugin_in_the_users_home_is_used_and_never_written(context, machine):
    official(machine.home / ".pulumi")
    before = everything_below(machine.home)
    plugins.ensure(context, ["docker"])
    assert content(context.pulumi_home) == "the user's own\n"
    assert not plugins.is_stand_in(context, "docker")
    # The engine passes over a folder that is a link.
    assert not plugins.folder(context.pulumi_home, "docker").is_symlink()
    assert everything_below(machine.home) == before


def test_a_plugin_whose_installation_was_cut_short_is_not_taken(context, machine, online):
    folder = official(context.pulumi_home)
    folder.with_name(folder.name + ".partial").write_text("")
    plugins.ensure(context, ["docker"])
    assert content(context.pulumi_home) == "official\n"
    assert not folder.with_name(folder.name + ".partial").exists()


def test_where_nothing_can_be_reached_the_stand_in_is_installed_and_says_so(context, machine, capfd):
    ready = plugins.ensure(context, ["docker", "random"])
    for name in ("docker", "random"):
        folder = plugins.folder(context.pulumi_home, name)
        assert f"-m toolchain.plugins.{name}" in content(context.pulumi_home, name)
        assert os.access(folder / f"pulumi-resource-{name}", os.X_OK)
        assert "not the official plugin" in (folder / "STAND-IN").read_text()
        assert f"install the stand-in for {name}" in capfd.readouterr().err or name == "random"
    assert ready.env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert list(machine.home.iterdir()) == []


def test_the_stand_in_runs_the_clones_own_code_in_the_virtual_environment(context, machine):
    # Names that a shell would take apart.
    odd = machine.root / "it's a clone"
    odd.mkdir()
    machine.program("python", 'echo "$PYTHONPATH|$@"', folder=odd / "bin")
    moved = replace(context, root=odd, venv_bin=odd / "bin")
    plugins.ensure(moved, ["docker"])
    program = plugins.folder(context.pulumi_home, "docker") / "pulumi-resource-docker"
    output = subprocess.run([program, "127.0.0.1:1"], capture_output=True, text=True, check=True).stdout
    assert output == f"{odd}|-m toolchain.plugins.docker 127.0.0.1:1\n"


def test_a_second_run_asks_nothing_and_writes_nothing(context, offline):
    plugins.ensure(context, ["docker"])
    offline.clear()
    before = everything_below(context.pulumi_home)
    plugins.ensure(context, ["docker"])
    assert (offline, everything_below(context.pulumi_home)) == ([], before)


def test_a_stand_in_of_a_clone_that_has_moved_is_written_anew(context):
    plugins.ensure(context, ["docker"])
    moved = replace(context, root=context.root.with_name("moved"))
    plugins.ensure(moved, ["docker"])
    assert "/moved exec" in content(context.pulumi_home)


def test_after_a_day_the_official_plugin_takes_the_place_of_the_stand_in_while_there_is_no_stack(context, monkeypatch):
    plugins.ensure(context, ["docker"])
    monkeypatch.setattr(plugins.reach, "any_answers", lambda urls: True)
    plugins.ensure(context, ["docker"])
    assert plugins.is_stand_in(context, "docker")
    monkeypatch.setattr(plugins.reach, "REMEMBERED_SECONDS", -1.0)
    plugins.ensure(context, ["docker"])
    assert content(context.pulumi_home) == "official\n"
    assert not plugins.is_stand_in(context, "docker")


def test_under_existing_stacks_the_stand_in_stays_and_the_user_is_told_how_to_change(context, monkeypatch, capfd):
    plugins.ensure(context, ["docker"])
    stack(context)
    monkeypatch.setattr(plugins.reach, "any_answers", lambda urls: True)
    monkeypatch.setattr(plugins.reach, "failed_lately", lambda *_: False)
    plugins.ensure(context, ["docker"])
    assert plugins.is_stand_in(context, "docker")
    assert f"To change over: rm -r {plugins.folder(context.pulumi_home, 'docker')}" in capfd.readouterr().err


def test_a_moved_clone_with_stacks_keeps_its_stand_in_though_the_official_one_could_be_had(context, online, monkeypatch):
    monkeypatch.setattr(plugins.reach, "any_answers", lambda urls: False)
    plugins.ensure(context, ["docker"])
    stack(context)
    monkeypatch.setattr(plugins.reach, "any_answers", lambda urls: True)
    plugins.ensure(replace(context, root=context.root.with_name("moved")), ["docker"])
    assert plugins.is_stand_in(context, "docker")


def test_a_failed_download_falls_back_to_the_stand_in_and_shows_why(context, online, machine, capfd):
    machine.program("pulumi", "echo 'the line broke'; exit 1")
    plugins.ensure(context, ["docker"])
    assert plugins.is_stand_in(context, "docker")
    assert "the line broke" in capfd.readouterr().err


def test_a_download_that_takes_too_long_is_stopped(context, online, machine, monkeypatch):
    monkeypatch.setattr(plugins, "_INSTALL_SECONDS", 0.2)
    machine.program("pulumi", "exec sleep 600")
    plugins.ensure(context, ["docker"])
    assert plugins.is_stand_in(context, "docker")


def test_a_users_mirror_is_tried_though_the_usual_places_do_not_answer(context):
    plugins.ensure(context.with_env(PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES="^https://=https://mirror"), ["docker"])
    assert content(context.pulumi_home) == "official\n"


def test_a_stand_in_is_never_put_into_a_pulumi_home_of_the_users_own(context, machine):
    theirs = machine.home / ".pulumi"
    theirs.mkdir()
    with pytest.raises(ToolchainError, match="Unset PULUMI_HOME"):
        plugins.ensure(context.with_env(PULUMI_HOME=str(theirs)), ["docker"])
    assert list(theirs.iterdir()) == []


def test_a_plugin_without_a_stand_in_that_can_not_be_had_is_one_clear_error(context, monkeypatch):
    monkeypatch.setattr(pins, "STAND_INS", ("docker", "random"))
    with pytest.raises(ToolchainError, match=r"the official plugin kubernetes .* no stand-in"):
        plugins.ensure(context, ["kubernetes"])


def test_a_passphrase_is_made_once_for_its_owner_only(context):
    folders.ensure_private(context)
    file = context.private / "passphrase"
    first = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(first.strip()) >= 32
    file.chmod(0o644)
    folders.ensure_private(context)
    assert (file.read_text(), file.stat().st_mode & 0o777) == (first, 0o600)


def test_a_lost_passphrase_is_not_made_anew_over_existing_stacks(context):
    stack(context)
    with pytest.raises(ToolchainError, match="passphrase is missing"):
        folders.ensure_private(context)
    assert not (context.private / "passphrase").exists()


@pytest.mark.parametrize("left", ["", "\n", "\0\0\0\0"])
def test_an_empty_passphrase_is_as_good_as_none(context, left):
    file = context.private / "passphrase"
    file.write_text(left)
    folders.ensure_private(context)
    assert len(file.read_text().strip()) >= 32
    file.write_text(left)
    stack(context)
    with pytest.raises(ToolchainError, match=r"passphrase is empty, but .* holds stacks"):
        folders.ensure_private(context)
    assert file.read_text() == left


def test_a_private_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "file"
    folders.write_private(file, "before")

    def fails(_):
        raise OSError("no space")

    monkeypatch.setattr(folders.os, "fsync", fails)
    with pytest.raises(OSError, match="no space"):
        folders.write_private(file, "after")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "before")]


def test_with_a_passphrase_and_backend_of_the_users_own_none_is_made(machine, monkeypatch):
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    folders.ensure_private(machine.context())
    assert not (machine.context().private / "passphrase").exists()
    assert not (machine.context().private / "state").exists()


def test_a_folder_of_the_cache_appears_whole_or_not_at_all(tmp_path):
    def fails(folder):
        (folder / "half").write_text("")
        raise ToolchainError("no")

    with pytest.raises(ToolchainError):
        folders.cached(tmp_path / "made", fails)
    assert [p.name for p in tmp_path.iterdir()] == [".made.lock"]
    folders.cached(tmp_path / "made", lambda folder: (folder / "whole").write_text("yes"))
    assert (folders.cached(tmp_path / "made", fails) / "whole").read_text() == "yes"


def test_a_plugin_that_another_command_installed_meanwhile_is_not_installed_again(context, online, machine, monkeypatch):
    @contextmanager
    def held_by_another(_):
        official(context.pulumi_home)
        yield

    monkeypatch.setattr(plugins, "locked", held_by_another)
    plugins.ensure(context, ["docker"])
    assert content(context.pulumi_home) == "the user's own\n"
    assert not (machine.home / "pulumi.calls").exists()


def test_with_a_backend_of_the_users_own_a_stand_in_stays_since_its_stacks_are_not_known(context, monkeypatch):
    theirs = context.with_env(PULUMI_BACKEND_URL="s3://state")
    plugins.ensure(theirs, ["docker"])
    monkeypatch.setattr(plugins.reach, "any_answers", lambda urls: True)
    monkeypatch.setattr(plugins.reach, "failed_lately", lambda *_: False)
    plugins.ensure(theirs, ["docker"])
    assert plugins.is_stand_in(context, "docker")
    plugins.ensure(replace(theirs, root=context.root.with_name("moved")), ["docker"])
    assert plugins.is_stand_in(context, "docker")


def test_an_installation_leaves_nothing_but_the_plugin_and_keeps_what_was_there_until_it_is_whole(context, online, machine):
    folder = official(context.pulumi_home)
    folder.with_name(folder.name + ".partial").write_text("")
    machine.program("pulumi", f"[ -x {folder}/pulumi-resource-docker ] && echo kept >> {machine.home}/kept; exit 1")
    plugins.ensure(context, ["docker"])
    assert (machine.home / "kept").exists()
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]
