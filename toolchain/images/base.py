"""The base of all local images: a minimal Debian, made with debootstrap from the mirror this machine itself uses."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from toolchain.announce import fail
from toolchain.setup import system

VERSION = "1"
"""Part of the base's inputs hash. Raise it when what is made here changes."""
MIRROR_VARIABLE = "SUPASTACK_DEBIAN_MIRROR"
_APT = Path("/etc/apt")
_MOUNTS = Path("/proc/self/mountinfo")

# As Debian's own slim images: no manuals and no translations, but the licences.
_NO_DOCUMENTATION = """\
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/groff/*
path-exclude /usr/share/info/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
"""
_NO_SERVICES = "#!/bin/sh\n# No service is started while a package is installed.\nexit 101\n"
_APT_SETTINGS = """\
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""


def make(suite: str, target: Path, progress: Callable[[str], None]) -> None:
    """Write the base image's file system into `target` as a tar, packed with gzip.

    Needs root: debootstrap makes device files and changes root. Raises ToolchainError with the way out if that can't be.
    """
    if os.geteuid() != 0:
        fail(
            "Local images need a Debian base, and debootstrap makes it only as root (it makes device files and uses chroot).\n"
            "  Run once as root, with your own cache folder:\n"
            f"    sudo XDG_CACHE_HOME={shlex.quote(str(target.parent.parent.parent))} python3 -m toolchain.images base\n"
            "  After that no root is needed. Or let this machine reach an image registry: then no image is built."
        )
    main, security = mirrors(suite)
    tools = [tool for tool in ("debootstrap",) if shutil.which(tool) is None]
    if tools:
        if not system.can_apt_install():
            fail("Local images need `debootstrap`, which is not here. Install it (Debian: apt-get install debootstrap).")
        system.apt_install([*tools, "debian-archive-keyring"], "the base of local images")
    env = {**os.environ, **proxy()}
    with tempfile.TemporaryDirectory(prefix="supastack-base-", dir=target.parent) as temporary:
        root = Path(temporary) / "root"
        root.mkdir(mode=0o755)

        def show(line: str) -> None:
            if line.startswith("I: "):
                progress(" ".join(line[3:].split()[:2]))

        command = ["debootstrap", "--variant=minbase"]
        if main.startswith("https:"):
            command.append("--include=ca-certificates")
        try:
            system.run([*command, suite, str(root), main], "making the Debian base", env=env, on_line=show)
        finally:
            _unmount_below(root)
        progress("packing")
        _trim(root, suite, main, security)
        pack = [
            "tar",
            "--numeric-owner",
            "--one-file-system",
            "-C",
            str(root),
            "-I",
            "gzip -1",
            "-cf",
            str(target),
            ".",
        ]
        system.run(pack, "packing the Debian base")


def _unmount_below(root: Path) -> None:
    """Take away what debootstrap mounted (proc, sys) and leaves when it is ended early: the folder is removed after this."""
    lines = _MOUNTS.read_text().splitlines() if _MOUNTS.exists() else []
    # The fifth field is where it is mounted, with spaces and the like as octal numbers (proc_pid_mountinfo(5)).
    places = [re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), line.split()[4]) for line in lines]
    for place in reversed([place for place in places if place.startswith(f"{root.resolve()}/")]):
        # Lazily, so that one in use goes too: what is mounted must not be removed with the folder.
        subprocess.run(["umount", "--lazy", place], stderr=subprocess.DEVNULL, check=False)


def _trim(root: Path, suite: str, main: str, security: str | None) -> None:
    sources = [f"deb {main} {suite} main", f"deb {main} {suite}-updates main"]
    if security:
        sources.append(f"deb {security} {suite}-security main")
    (root / "etc/apt/sources.list").write_text("\n".join(sources) + "\n")
    (root / "etc/apt/apt.conf.d/supastack").write_text(_APT_SETTINGS)
    (root / "etc/dpkg/dpkg.cfg.d/supastack").write_text(_NO_DOCUMENTATION)
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text(_NO_SERVICES)
    policy.chmod(0o755)
    for pattern in ("var/cache/apt/*", "var/lib/apt/lists/*", "var/log/*", "usr/share/man/*", "usr/share/info/*",
                    "usr/share/locale/*", "usr/share/doc/*/*", "usr/share/lintian/*", "tmp/*"):  # fmt: skip
        for path in root.glob(pattern):
            if path.name in ("copyright", "partial"):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    # Names of this machine have no place in an image.
    for name in ("etc/hostname", "etc/resolv.conf"):
        (root / name).unlink(missing_ok=True)


def mirrors(suite: str) -> tuple[str, str | None]:
    """The Debian mirror of this machine and its mirror of security updates, if it has one.

    Read from the machine's own apt sources, or from SUPASTACK_DEBIAN_MIRROR. Raises ToolchainError if there is none.
    """
    given = os.environ.get(MIRROR_VARIABLE)
    if given:
        return _usable(given), None
    own = _own_codename()
    entries = list(_entries()) if own else []
    main = next((uri for uri, names in entries if {own, "stable", suite} & names), None)
    if main is None:
        fail(
            f"Local images are made from Debian {suite}, and the apt sources of this machine name no Debian mirror.\n"
            f"  Set {MIRROR_VARIABLE} to one (its address as after `deb` in a Debian sources.list)."
        )
    security = next((u for u, names in entries if any(n.endswith("-security") for n in names)), None)
    return _usable(main), _usable(security) if security else None


def proxy() -> dict[str, str]:
    """The proxy settings that downloads in a build need: those of the environment, else those of this machine's apt."""
    names = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    found = {name: os.environ[name] for name in names if os.environ.get(name)}
    if not {"http_proxy", "HTTP_PROXY"} & found.keys() and shutil.which("apt-config"):
        command = ["apt-config", "shell", "p", "Acquire::http::Proxy"]
        output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        match = re.fullmatch(r"p='(.*)'\s*", output)
        if match:
            found["http_proxy"] = match[1]
    return found


def _usable(uri: str) -> str:
    if not re.match(r"(https?|file):/", uri) or "@" in uri:
        fail(
            f"{MIRROR_VARIABLE} or the apt sources name a Debian mirror that can't be used for images: it must be http, https or"
            f" file, and hold no password, since it stays in the images. Set {MIRROR_VARIABLE} to another."
        )
    return uri.rstrip("/")


def _own_codename() -> str | None:
    text = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if fields.get("ID", "").strip('"') != "debian":
        return None
    return fields.get("VERSION_CODENAME", "").strip('"') or "stable"


def _entries() -> Iterator[tuple[str, set[str]]]:
    """Address and suites of each source of binary packages that has the component main."""
    for path in sorted([*_APT.glob("sources.list"), *_APT.glob("sources.list.d/*")]):
        if path.suffix == ".list":
            yield from _one_line_entries(path.read_text())
        elif path.suffix == ".sources":
            yield from _deb822_entries(path.read_text())


def _one_line_entries(text: str) -> Iterator[tuple[str, set[str]]]:
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)", line.split("#")[0].strip())
        if match and "main" in match[3].split():
            yield match[1], {match[2]}


def _deb822_entries(text: str) -> Iterator[tuple[str, set[str]]]:
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in re.split(r"\n\s*\n", text):
        found = re.findall(r"^([\w-]+):[ \t]*((?:.*)(?:\n[ \t].*)*)", paragraph, re.MULTILINE)
        fields = {key.lower(): value.split() for key, value in found}
        if "deb" not in fields.get("types", ()) or "main" not in fields.get("components", ()):
            continue
        if fields.get("enabled") == ["no"]:
            continue
        for uri in fields.get("uris", ()):
            yield uri, set(fields.get("suites", ()))
