"""Where the base image comes from: the machine's own apt sources, read from files of a test."""

import os
from pathlib import Path

import pytest

from toolchain.announce import ToolchainError
from toolchain.images import base

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
"""
OTHERS = "deb [arch=amd64 signed-by=/x.gpg] https://packages.example/apt stable main\n"


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    monkeypatch.setattr(base, "_APT", tmp_path)
    monkeypatch.setattr(base, "_own_codename", lambda: "bookworm")
    monkeypatch.delenv(base.MIRROR_VARIABLE, raising=False)
    return tmp_path


def test_the_mirror_is_read_from_sources_in_the_new_form(apt: Path) -> None:
    (apt / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert base.mirrors("trixie") == ("http://mirror.example/debian", "http://mirror.example/security")


def test_the_mirror_is_read_from_sources_in_the_old_form(apt: Path) -> None:
    (apt / "sources.list").write_text(
        "# deb http://off.example bookworm main\ndeb [trusted=yes] http://on.example/d bookworm main\n"
    )
    assert base.mirrors("trixie") == ("http://on.example/d", None)


def test_a_source_that_is_switched_off_or_of_others_is_not_the_mirror(apt: Path) -> None:
    (apt / "sources.list.d" / "a.sources").write_text(DEB822.replace("# a comment", "Enabled: no", 1).split("\n\n")[0])
    (apt / "sources.list.d" / "b.list").write_text("deb https://packages.example/apt cloud-sdk-bookworm main\n")
    with pytest.raises(ToolchainError, match="name no Debian mirror") as error:
        base.mirrors("trixie")
    assert base.MIRROR_VARIABLE in str(error.value)


def test_a_machine_that_is_not_debian_is_asked_for_a_mirror(apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (apt / "sources.list").write_text(OTHERS)
    monkeypatch.setattr(base, "_own_codename", lambda: None)
    with pytest.raises(ToolchainError, match=base.MIRROR_VARIABLE):
        base.mirrors("trixie")
    monkeypatch.setenv(base.MIRROR_VARIABLE, "http://given.example/debian/")
    assert base.mirrors("trixie") == ("http://given.example/debian", None)


@pytest.mark.parametrize("uri", ["http://user:secret-Password@mirror.example/debian", "cdrom:[Debian]/", "mirror+file:/etc/m"])
def test_a_mirror_that_would_leave_a_password_in_images_is_refused_without_showing_it(
    apt: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv(base.MIRROR_VARIABLE, uri)
    with pytest.raises(ToolchainError) as error:
        base.mirrors("trixie")
    assert "secret-Password" not in str(error.value)


def test_without_root_the_error_says_how_to_make_the_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    target = tmp_path / "cache" / "supastack" / "image-base-x" / "base.tar.gz"
    with pytest.raises(ToolchainError) as error:
        base.make("trixie", target, lambda _: None)
    assert f"sudo XDG_CACHE_HOME={tmp_path / 'cache'} " in str(error.value)
    assert "toolchain.images base" in str(error.value)


def test_without_debootstrap_and_apt_the_error_names_it(apt: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (apt / "sources.list.d" / "debian.sources").write_text(DEB822)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(ToolchainError, match="need `debootstrap`"):
        base.make("trixie", tmp_path / "base.tar.gz", lambda _: None)


def test_after_an_early_end_what_is_mounted_below_the_root_is_unmounted_innermost_first(
    apt: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (apt / "sources.list.d" / "debian.sources").write_text(DEB822)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(base.shutil, "which", lambda _: "/usr/sbin/debootstrap")
    unmounted = []
    monkeypatch.setattr(base.subprocess, "run", lambda command, **_: unmounted.append(command[-1]))
    table = tmp_path / "mountinfo"
    monkeypatch.setattr(base, "_MOUNTS", table)
    root = None

    def ended_early(command: list[str], *_: object, **__: object) -> None:
        nonlocal root
        root = command[-2]
        table.write_text(
            f"1 0 0:1 / /sys rw - sysfs sysfs rw\n2 0 0:1 / {root}/sys rw - sysfs sysfs rw\n3 2 0:1 / {root}/sys/a\\040b rw - t t rw\n"
        )
        raise KeyboardInterrupt

    monkeypatch.setattr(base.system, "run", ended_early)
    monkeypatch.setattr(base, "proxy", dict)
    with pytest.raises(KeyboardInterrupt):
        base.make("trixie", tmp_path / "base.tar.gz", lambda _: None)
    assert unmounted == [f"{root}/sys/a b", f"{root}/sys"]
