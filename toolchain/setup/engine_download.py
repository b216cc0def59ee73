"""The official Pulumi engine from get.pulumi.com."""

import hashlib
import platform
import sys
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

from toolchain import pins
from toolchain.announce import Step, fail, step, warn
from toolchain.context import Context
from toolchain.setup import reach
from toolchain.setup.folders import cached

SERVER = "https://get.pulumi.com/releases/sdk"
"""Where Pulumi's own installer takes releases from (https://get.pulumi.com)."""
_STALL_SECONDS = 20.0
"""A download that delivers nothing for so long is given up."""


def folder(context: Context) -> Path | None:
    """Where the downloaded engine is or would be kept; None where Pulumi publishes none for this platform."""
    built_for = _platform()
    return context.cache / f"pulumi-{pins.ENGINE_DOWNLOAD}-{built_for}" if built_for else None


def is_offered() -> bool:
    """Whether the release for this platform can be downloaded from here; takes 3 seconds at most."""
    built_for = _platform()
    return bool(built_for) and reach.answers(_url(str(built_for)))


def why_not() -> str:
    """Why there is nothing to download, where `is_offered` says so."""
    if _platform() is None:
        return f"Pulumi publishes no engine for {sys.platform} on {platform.machine()}"
    return "get.pulumi.com can't be reached"


def download(context: Context) -> Path:
    """Download and unpack the release. Returns the engine. Raises ToolchainError."""
    target = folder(context)
    built_for = _platform()
    if target is None or built_for is None:
        fail(
            f"{why_not()}: install Pulumi {pins.ENGINE_FLOOR} or newer and put it on PATH, or install Go {pins.GO_FLOOR} or newer,"
            " which builds it"
        )

    def make(temporary: Path) -> None:
        with step("engine", f"download pulumi {pins.ENGINE_DOWNLOAD} from get.pulumi.com") as current:
            archive = temporary / "release.tar.gz"
            _fetch(_url(built_for), archive, current)
            _verify(archive, built_for)
            with tarfile.open(archive) as tar:
                _unpack(tar, temporary)
            archive.unlink()
            current.done(f"downloaded pulumi {pins.ENGINE_DOWNLOAD} from get.pulumi.com")

    # The archive holds one folder, `pulumi`.
    return cached(target, make) / "pulumi" / "pulumi"


def _platform() -> str | None:
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform)
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())
    return f"{system}-{machine}" if system and machine else None


def _url(built_for: str) -> str:
    return f"{SERVER}/pulumi-v{pins.ENGINE_DOWNLOAD}-{built_for}.tar.gz"


def _fetch(url: str, target: Path, current: Step) -> None:
    try:
        with urllib.request.urlopen(url, timeout=_STALL_SECONDS) as response, target.open("wb") as file:  # noqa: S310 - SERVER
            total = int(response.headers.get("Content-Length") or 0)
            done = 0
            while block := response.read(1 << 20):
                file.write(block)
                done += len(block)
                current.progress(f"{done >> 20} of {total >> 20} MB" if total else f"{done >> 20} MB")
            if total and done != total:
                raise OSError(f"it ended after {done} of {total} bytes")
    except (OSError, ValueError) as error:
        fail(f"the download of {url} failed: {error}\n  Run the command again; behind a proxy, set HTTPS_PROXY.")


def _unpack(tar: tarfile.TarFile, target: Path) -> None:
    # Early 3.11 releases (Debian 12 has 3.11.2) may lack the filter; the archive's checksum was compared either way.
    if hasattr(tarfile, "data_filter"):
        tar.extractall(target, filter="data")
    else:
        tar.extractall(target)  # noqa: S202


def _verify(archive: Path, built_for: str) -> None:
    """Hold the archive against the checksums that Pulumi publishes beside it."""
    url = f"{SERVER}/pulumi-{pins.ENGINE_DOWNLOAD}-checksums.txt"
    try:
        with urllib.request.urlopen(url, timeout=_STALL_SECONDS) as response:  # noqa: S310 - SERVER
            published = response.read().decode()
    except urllib.error.HTTPError:
        warn(f"no checksums at {url}; the engine is trusted because it came over TLS")
        return
    except (OSError, ValueError) as error:
        fail(f"the checksums at {url} could not be read: {error}")
    name = f"pulumi-v{pins.ENGINE_DOWNLOAD}-{built_for}.tar.gz"
    sums = {line.split()[-1].lstrip("*"): line.split()[0] for line in published.splitlines() if len(line.split()) == 2}
    with archive.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if sums.get(name) != actual:
        fail(
            f"{name} does not have the checksum that {url} gives for it"
            f" (sha256 {actual}, published {sums.get(name, 'none')}). It was thrown away; run the command again."
        )
