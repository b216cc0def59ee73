"""The daemon's side of the docker plugin's tests: a tiny image, `docker inspect`, and cleaning up."""

import io
import shutil
import subprocess
import tarfile
import tempfile
import uuid
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

REPOSITORY = "supatest.local/docker-plugin"
_PREFIX = "docker-conformance"
_APPLETS = ("cat", "echo", "false", "id", "ls", "nc", "sh", "sleep", "stat", "test", "touch", "true")


class World:
    """What one test makes on the daemon has names with the test's own prefix, and is removed at its end."""

    def __init__(self, image: str) -> None:
        self.api: Any = docker.from_env(version="auto").api
        self.prefix = f"{_PREFIX}-{uuid.uuid4().hex[:8]}"
        self.image = image

    def name(self, what: str) -> str:
        """A name of this test's own."""
        return f"{self.prefix}-{what}"

    def container(self, what: str) -> dict[str, Any]:
        """`docker inspect` of a container."""
        return dict(self.api.inspect_container(self.name(what)))

    def containers(self) -> list[str]:
        """Names of this test's containers, running or not."""
        found = self.api.containers(all=True, filters={"name": f"^/{self.prefix}"})
        return sorted(item["Names"][0].lstrip("/") for item in found)

    def run(self, what: str, *command: str) -> str:
        """The output of a command inside a container."""
        started = self.api.exec_create(self.name(what), list(command))
        return str(self.api.exec_start(started["Id"]).decode())

    def file_in_volume(self, volume: str, path: str) -> str:
        """The content of a file in a volume; empty if there is none."""
        made = self.api.create_container(
            self.image,
            ["sh", "-c", f"cat /v/{path} 2>/dev/null"],
            name=self.name(f"look-{uuid.uuid4().hex[:6]}"),
            volumes=["/v"],
            host_config=self.api.create_host_config(binds=[f"{volume}:/v"]),
        )
        self.api.start(made)
        self.api.wait(made)
        content = self.api.logs(made).decode()
        self.api.remove_container(made, force=True)
        return str(content)

    def remove_all(self) -> None:
        """Remove what the test left."""
        for name in self.containers():
            self.api.remove_container(name, force=True, v=True)
        for network in self.api.networks(names=[self.prefix]):
            self.api.remove_network(network["Id"])
        for volume in self.api.volumes(filters={"name": self.prefix})["Volumes"] or []:
            self.api.remove_volume(volume["Name"], force=True)
        for image in self.api.images(filters={"reference": f"{REPOSITORY}:{self.prefix}*"}):
            for tag in image["RepoTags"]:
                self.api.remove_image(tag, force=True)


def make_image() -> str:
    """A 2 MB image with a static busybox, from this machine or from its package mirror; elsewhere the registry's busybox."""
    api: Any = docker.from_env(version="auto").api
    name = f"{REPOSITORY}:{_PREFIX}-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        program = _static_busybox(Path(folder))
        if program is not None:
            repository, _, tag = name.rpartition(":")
            api.import_image_from_data(_root_file_system(program), repository=repository, tag=tag)
            return name
    try:
        api.pull("busybox", tag="stable")
    except docker.errors.APIError as error:
        pytest.fail(f"no image for the tests: no static busybox here (apt-get install busybox-static), and none to pull: {error}")
    api.tag("busybox:stable", *name.rsplit(":", 1))
    return name


def remove_image(name: str) -> None:
    """Remove what make_image made."""
    docker.from_env(version="auto").api.remove_image(name, force=True)


def _static_busybox(folder: Path) -> Path | None:
    found = shutil.which("busybox")
    if found and _is_static(Path(found)):
        return Path(found)
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
            # Images of Debian come without lists. Only root can fetch them; for others the next command fails as it would have.
            subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False)
        # Without root, and without installing it. apt's sandbox user can't write here, which it says on stderr only.
        subprocess.run(["apt-get", "download", "busybox-static"], cwd=folder, capture_output=True, check=False)
        for package in folder.glob("busybox-static*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True)
            return next(path for path in (folder / "root").rglob("busybox") if path.is_file() and path.stat().st_size > 100_000)
    return None


def _is_static(program: Path) -> bool:
    """Whether an ELF program asks for no interpreter."""
    return b"/ld-linux" not in program.read_bytes()[:4096] and b"/lib/ld-" not in program.read_bytes()[:4096]


def _root_file_system(busybox: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("bin", "etc", "tmp", "data"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        program = tarfile.TarInfo("bin/busybox")
        program.mode, program.size = 0o755, busybox.stat().st_size
        with busybox.open("rb") as data:
            tar.addfile(program, data)
        for applet in _APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return buffer.getvalue()
