"""Which Pulumi engine is used: one on PATH, the official download, the build from Go modules; and the errors in between."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

import pytest

from toolchain import pins
from toolchain.announce import ToolchainError
from toolchain.setup import engine, engine_build, engine_download

ARCHIVE = f"/pulumi-v{pins.ENGINE_DOWNLOAD}-linux-x64.tar.gz"
CHECKSUMS = f"/pulumi-{pins.ENGINE_DOWNLOAD}-checksums.txt"


def release() -> bytes:
    """An archive laid out as Pulumi's own: one folder with the programs in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in ("pulumi", "pulumi-language-python"):
            script = b"#!/bin/sh\necho v3.272.0\n"
            about = tarfile.TarInfo(f"pulumi/{name}")
            about.size, about.mode = len(script), 0o755
            tar.addfile(about, io.BytesIO(script))
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def linux(monkeypatch):
    monkeypatch.setattr(engine_download, "_platform", lambda: "linux-x64")


@pytest.fixture
def offline(monkeypatch, server):
    """The download server answers 404 to everything."""
    monkeypatch.setattr(engine_download, "SERVER", server.url)
    return server


@pytest.fixture
def online(offline):
    """The download server has the release and its checksums."""
    archive = release()
    offline.answers[ARCHIVE] = (200, archive)
    offline.answers[CHECKSUMS] = (200, f"{hashlib.sha256(archive).hexdigest()}  {ARCHIVE[1:]}\n".encode())
    return offline


@pytest.fixture
def go(machine):
    """A `go` that builds a file that says what it was told, and fetches a module with the pinned checksum."""
    module = machine.home / "module"
    for script in engine_build._HELPERS:
        (module / script).parent.mkdir(parents=True, exist_ok=True)
        (module / script).write_text("# helper\n")
    about = json.dumps({"Dir": str(module), "Sum": pins.HELPERS_SUM})
    machine.program(
        "go",
        f"""echo "$@" >> {machine.home}/go.calls
case "$1 $2" in
"env GOVERSION") echo go1.26.8 ;;
"mod download") echo 'go: downloading something'; echo '{about}' ;;
list*) echo one; echo two ;;
build*) echo one; while [ "$1" != -o ]; do shift; done; echo "#!/bin/sh" > "$2"; chmod 755 "$2" ;;
esac""",
    )
    return machine.home / "go.calls"


def test_a_pretended_machine_has_nothing_of_what_the_toolchain_looks_for(machine):
    wanted = ("go", "pulumi", "pulumi-language-python", "docker", "dockerd", "containerd", "runc", "rootlesskit", "colima")
    assert [name for name in wanted if shutil.which(name)] == []
    assert shutil.which("sh")
    assert shutil.which("python3")


def test_a_sufficient_pulumi_on_path_is_used_and_nothing_is_asked_for(machine, online):
    pulumi = machine.pulumi(pins.ENGINE_FLOOR)
    context = engine.ensure(machine.context())
    assert context.pulumi == pulumi
    assert online.asked == []
    assert str(pulumi.parent) in context.env["PATH"].split(":")


def test_the_virtual_environment_stays_before_the_engine_on_path(machine, online):
    machine.pulumi(pins.ENGINE_FLOOR)
    context = engine.ensure(machine.context())
    path = context.env["PATH"].split(":")
    assert path[0] == str(context.venv_bin)
    assert path[1] == str(context.pulumi.parent)


def test_a_pulumi_that_is_too_old_is_passed_over_and_the_user_told(machine, online, capfd):
    machine.pulumi("3.99.9")
    context = engine.ensure(machine.context())
    assert context.pulumi.is_relative_to(context.cache)
    assert f"it is 3.99.9, and {pins.ENGINE_FLOOR} or newer is needed" in capfd.readouterr().err


def test_a_pulumi_without_its_python_language_host_is_passed_over(machine, online, capfd):
    machine.pulumi(pins.ENGINE_FLOOR, language_host=False)
    assert engine.ensure(machine.context()).pulumi.is_relative_to(machine.context().cache)
    assert "it has no pulumi-language-python" in capfd.readouterr().err


def test_an_engine_that_is_ours_is_not_taken_for_the_users_own(machine, online, monkeypatch):
    ours = machine.context().cache / "engine-of-an-activated-shell"
    machine.pulumi("9.0.0", folder=ours)
    shim = machine.root / ".supastack" / "bin"
    machine.pulumi("9.0.0", folder=shim)
    monkeypatch.setenv("PATH", f"{shim}:{ours}:{os.environ['PATH']}")
    assert engine.ensure(machine.context()).pulumi.is_relative_to(machine.context().cache / "pulumi-3.272.0-linux-x64")


def test_the_pulumi_of_another_clones_activated_shell_is_not_used(machine, online, monkeypatch):
    other = machine.home / "other-clone"
    machine.pulumi("9.0.0", folder=other / "toolchain" / "shim")
    (other / ".supastack").mkdir()
    (other / ".supastack" / "bin").symlink_to(other / "toolchain" / "shim")
    monkeypatch.setenv("PATH", f"{other}/.supastack/bin:{os.environ['PATH']}")
    assert engine.ensure(machine.context()).pulumi.is_relative_to(machine.context().cache)


def test_without_a_pulumi_the_official_download_is_used_though_go_is_there(machine, online, go):
    context = engine.ensure(machine.context())
    assert context.pulumi == context.cache / f"pulumi-{pins.ENGINE_DOWNLOAD}-linux-x64" / "pulumi" / "pulumi"
    assert not go.exists()


def test_a_machine_with_the_download_never_needs_go(machine, online):
    assert engine.ensure(machine.context()).pulumi.exists()


def test_a_second_run_asks_no_server_and_starts_no_program(machine, online, monkeypatch):
    first = engine.ensure(machine.context())
    online.asked.clear()
    monkeypatch.setattr(subprocess, "run", None)
    monkeypatch.setattr(subprocess, "Popen", None)
    assert engine.ensure(machine.context()).pulumi == first.pulumi
    assert online.asked == []


def test_a_pulumi_on_path_is_asked_for_its_version_only_once(machine, online):
    pulumi = machine.pulumi(pins.ENGINE_FLOOR)
    pulumi.write_text(pulumi.read_text() + f"echo asked >> {machine.home}/asked\n")
    for _ in range(3):
        assert engine.ensure(machine.context()).pulumi == pulumi
    assert (machine.home / "asked").read_text() == "asked\n"


def test_a_pulumi_installed_later_is_noticed(machine, online):
    engine.ensure(machine.context())
    pulumi = machine.pulumi(pins.ENGINE_DOWNLOAD)
    assert engine.ensure(machine.context()).pulumi == pulumi


def test_an_engine_that_has_gone_from_path_is_replaced(machine, online):
    pulumi = machine.pulumi(pins.ENGINE_FLOOR)
    engine.ensure(machine.context())
    pulumi.unlink()
    assert engine.ensure(machine.context()).pulumi.is_relative_to(machine.context().cache)


def test_an_archive_with_another_checksum_is_refused_and_thrown_away(machine, online):
    online.answers[ARCHIVE] = (200, release() + b"x")
    with pytest.raises(ToolchainError, match="does not have the checksum"):
        engine.ensure(machine.context())
    assert [p.name for p in machine.context().cache.iterdir() if not p.name.endswith(".lock")] == []


def test_a_missing_list_of_checksums_is_told(machine, online, capfd):
    del online.answers[CHECKSUMS]
    assert engine.ensure(machine.context()).pulumi.exists()
    assert "no checksums" in capfd.readouterr().err


def test_without_pulumi_and_download_it_is_built_from_the_go_modules(machine, offline, go):
    context = engine.ensure(machine.context())
    assert context.pulumi == engine_build.folder(context) / "pulumi"
    beside = {p.name for p in context.pulumi.parent.iterdir()}
    assert beside == {
        "pulumi",
        "pulumi-language-python",
        "pulumi-language-python-exec",
        "pulumi-resource-pulumi-python",
    }
    calls = go.read_text()
    assert f"version.Version={pins.ENGINE_MODULE}" in calls
    assert "-mod=readonly" in calls


def test_a_build_of_before_is_used_without_asking_the_server(machine, offline, go):
    engine.ensure(machine.context())
    offline.asked.clear()
    (machine.context().private / "engine.json").unlink()
    calls = go.read_text()
    engine.ensure(machine.context())
    assert (offline.asked, go.read_text()) == ([], calls)


def test_another_pin_is_another_build(machine, offline, go):
    before = engine_build.folder(machine.context())
    (machine.root / "toolchain" / "engine" / "go.sum").write_text("changed")
    assert engine_build.folder(machine.context()) != before


def test_a_failed_build_shows_its_last_lines_and_leaves_nothing_in_the_cache(machine, offline, go):
    machine.program(
        "go",
        """case "$1 $2" in "env GOVERSION") echo go1.26.8 ;; build*) echo "the disk is full"; exit 1 ;; *) echo one ;; esac""",
    )
    with pytest.raises(ToolchainError, match="the disk is full"):
        engine.ensure(machine.context())
    assert [p for p in machine.context().cache.iterdir() if not p.name.endswith(".lock")] == []


def test_helper_scripts_with_another_checksum_are_refused(machine, offline, go, monkeypatch):
    monkeypatch.setattr(pins, "HELPERS_SUM", "h1:other")
    with pytest.raises(ToolchainError, match=r"has the checksum .* expected h1:other"):
        engine.ensure(machine.context())


@pytest.mark.parametrize(
    ("version", "why"), [(None, "there is no `go` on PATH"), ("go1.19.4", "is go1.19.4, and 1.21 or newer is needed")]
)
def test_where_nothing_can_be_had_one_error_names_all_three_ways(machine, offline, version, why):
    machine.pulumi("3.1.0")
    if version:
        machine.program("go", f"echo {version}")
    with pytest.raises(ToolchainError) as raised:
        engine.ensure(machine.context())
    text = str(raised.value)
    assert "it is 3.1.0" in text
    assert "get.pulumi.com can't be reached" in text
    assert why in text


def test_where_no_release_is_published_that_is_said_and_what_else_will_do(machine, monkeypatch):
    monkeypatch.setattr(engine_download, "_platform", lambda: None)
    monkeypatch.setattr(engine_download.platform, "machine", lambda: "riscv64")
    with pytest.raises(ToolchainError, match="Pulumi publishes no engine for linux on riscv64") as told:
        engine.ensure(machine.context())
    assert "can't be reached" not in str(told.value)
    assert "make get.pulumi.com reachable" not in str(told.value)
    with pytest.raises(ToolchainError, match=r"for linux on riscv64: install Pulumi \S+ or newer .* PATH, or install Go"):
        engine_download.download(machine.context())


def test_an_old_go_that_may_not_fetch_a_newer_one_is_told(machine, offline, monkeypatch):
    machine.program("go", "echo go1.22.0")
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    with pytest.raises(ToolchainError, match="GOTOOLCHAIN=local forbids"):
        engine.ensure(machine.context())


def test_a_changed_pin_of_the_build_is_noticed_though_an_engine_is_there(machine, offline, go):
    before = engine.ensure(machine.context()).pulumi
    (machine.root / "toolchain" / "engine" / "go.sum").write_text("changed")
    assert engine.ensure(machine.context()).pulumi not in (before, None)
