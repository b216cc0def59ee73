"""Programs of images that come from a jar or from npm: fetched by pretended clients."""

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain.announce import ToolchainError
from toolchain.images import available, programs
from toolchain.images.recipes import Jar

META = available()["postgres-meta"]
PLAIN = available()["postgres-plain"]


class Clients:
    """Stands for `system`: keeps the commands, and does what `does` says."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.installed: list[str] = []
        self.root = False
        self.does: Callable[[Sequence[str], Path], None] = lambda command, cwd: None

    def run(self, command: Sequence[str], what: str, *, cwd: Path) -> str:
        self.commands.append(list(command))
        self.does(command, cwd)
        return ""

    def can_apt_install(self) -> bool:
        return self.root

    def apt_install(self, packages: Sequence[str], why: str) -> None:
        self.installed += packages


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    made = Clients()
    monkeypatch.setattr(programs, "system", made)
    monkeypatch.setattr(programs.shutil, "which", lambda name: f"/usr/bin/{name}")
    return made


def jar_writer(content: bytes, folder: Path) -> tuple[Callable[[Sequence[str], Path], None], str]:
    """What Maven does, and the hash of the jar that it writes."""

    def write(target: Path) -> Path:
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr(zipfile.ZipInfo("inner/server"), content)
        return target

    def does(command: Sequence[str], cwd: Path) -> None:
        write(cwd / "a-1.jar")

    return does, hashlib.sha256(write(folder / "expected.jar").read_bytes()).hexdigest()


def ensure(recipe: object, cache: Path) -> dict[str, Path]:
    return programs.ensure(recipe, cache, lambda _: None)  # type: ignore[arg-type]


def test_files_are_taken_out_of_a_jar_whose_hash_is_the_recipes(clients: Clients, tmp_path: Path) -> None:
    clients.does, sha256 = jar_writer(b"program", tmp_path)
    recipe = replace(PLAIN, jar=Jar("g:a:1", sha256, {"server": "inner/server"}))
    found = ensure(recipe, tmp_path)
    assert sorted(path.name for path in found["bin"].iterdir()) == ["server"]
    assert (found["bin"] / "server").read_bytes() == b"program"
    assert "-Dartifact=g:a:1" in clients.commands[0]
    # Once is enough.
    ensure(recipe, tmp_path)
    assert len(clients.commands) == 1


def test_a_jar_of_another_hash_is_refused_and_nothing_is_kept(clients: Clients, tmp_path: Path) -> None:
    clients.does, _ = jar_writer(b"other", tmp_path)
    recipe = replace(PLAIN, jar=Jar("g:a:1", "0" * 64, {"server": "inner/server"}))
    with pytest.raises(ToolchainError, match="g:a:1 is not what the recipe pins"):
        ensure(recipe, tmp_path)
    assert not list(tmp_path.glob("image-programs-*"))


def test_npm_installs_what_the_lock_file_pins_and_runs_no_script(clients: Clients, tmp_path: Path) -> None:
    def does(command: Sequence[str], cwd: Path) -> None:
        assert (cwd / "package-lock.json").read_bytes() == (META.folder / "package-lock.json").read_bytes()
        assert (cwd / "package.json").exists()
        (cwd / "node_modules/x").mkdir(parents=True)

    clients.does = does
    assert (ensure(META, tmp_path)["node_modules"] / "x").is_dir()
    (command,) = clients.commands
    assert command[:2] == ["npm", "ci"]
    assert {"--omit=dev", "--ignore-scripts"} <= set(command)


@pytest.mark.parametrize(("recipe", "program", "package"), [(PLAIN, "mvn", "maven"), (META, "npm", "npm")])
def test_a_client_that_is_missing_is_installed_or_named(
    clients: Clients, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recipe: object, program: str, package: str
) -> None:
    monkeypatch.setattr(programs.shutil, "which", lambda name: None)
    with pytest.raises(ToolchainError, match=f"made with `{program}`, which is not on PATH.*apt-get install {package}"):
        ensure(recipe, tmp_path)
    assert not clients.installed
    clients.root = True

    class Reached(Exception):
        """The client would be called now."""

    def does(command: Sequence[str], cwd: Path) -> None:
        raise Reached

    clients.does = does
    with pytest.raises(Reached):
        ensure(recipe, tmp_path)
    assert clients.installed == [package]
    assert clients.commands[-1][0] == program
