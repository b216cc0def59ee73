"""What is asked of the Docker daemon to get images into it."""

import contextlib
import gzip
import http.client
import os
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import docker
import docker.errors
import requests
import urllib3.exceptions

from toolchain.announce import ToolchainError, fail
from toolchain.setup.system import tail

_SECONDS = 900
"""How long the daemon may say nothing, as during a long step of a build."""
_LEFT_OUT_OF_CONTEXT = ("testdata", "__pycache__")

_ERRORS = (
    docker.errors.DockerException,
    docker.errors.StreamParseError,
    requests.exceptions.RequestException,
    # Of answers that are read as they come, past `requests`.
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    EOFError,
    OSError,
)
"""What the SDK, the connection and this machine's disk raise."""


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Make a ToolchainError that begins with `what` of whatever goes wrong inside."""
    try:
        yield
    except _ERRORS as error:
        raise ToolchainError(f"{what}: {error or type(error).__name__}") from error


class Daemon:
    """One Docker daemon. All methods raise ToolchainError."""

    def __init__(self, host: str | None, environment: Mapping[str, str] | None = None) -> None:
        """Connect to `host`, None: to DOCKER_HOST or the default socket.

        `environment` has DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH as the docker command knows them; None: the process's.
        """
        environment = {**(os.environ if environment is None else environment), **({"DOCKER_HOST": host} if host else {})}
        try:
            self._client: Any = docker.from_env(
                version="auto",
                timeout=_SECONDS,
                environment=environment,
                use_ssh_client=environment.get("DOCKER_HOST", "").startswith("ssh://"),
            )
        except _ERRORS as error:
            name = environment.get("DOCKER_HOST") or "the default one"
            raise ToolchainError(f"The Docker daemon ({name}) does not answer: {error}") from error

    @property
    def machine(self) -> str:
        """The daemon's architecture as `uname -m` names it."""
        with _told("the Docker daemon can't be asked for its architecture"):
            return str(self._client.info()["Architecture"])

    def label(self, reference: str, name: str) -> str | None:
        """A label of an image, None if there is no such image or label."""
        with _told(f"{reference} can't be looked for"):
            try:
                image = self._client.images.get(reference)
            except docker.errors.ImageNotFound:
                return None
            value = image.labels.get(name)
            return None if value is None else str(value)

    def import_base(self, packed: Path, reference: str, labels: Mapping[str, str]) -> None:
        """Make an image of a packed root file system."""
        repository, _, tag = reference.rpartition(":")
        changes = ['CMD ["bash"]', *(f"LABEL {key}={value}" for key, value in labels.items())]
        with _told(f"importing {reference} from {packed} failed"), gzip.open(packed) as plain:
            self._client.api.import_image_from_data(plain, repository=repository, tag=tag, changes=changes)
        if self.label(reference, next(iter(labels))) is None:
            fail(f"{reference}: the daemon did not keep the imported base image")

    def build(
        self,
        reference: str,
        files: Mapping[str, Path],
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> None:
        """Build an image from a context of these files and folders and give it its name. Steps see the machine's network."""
        with _told(f"building {reference} failed"):
            self._build(reference, files, arguments, labels, on_line)

    def _build(
        self,
        reference: str,
        files: Mapping[str, Path],
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> None:
        lines: list[str] = []
        build = uuid.uuid4().hex
        previous = self._id(reference)
        with tempfile.TemporaryFile() as context:
            _write_context(context, files)
            context.seek(0)
            events: Iterator[dict[str, Any]] = self._client.api.build(
                fileobj=context,
                custom_context=True,
                tag=reference,
                buildargs={**arguments, **({"BUILD": build} if _compiles(files) else {})},
                labels=dict(labels),
                network_mode="host",
                rm=True,
                forcerm=True,
                decode=True,
            )
            for event in events:
                if "error" in event:
                    # The daemon repeats the whole command: its end says what happened.
                    why = event["error"].strip().splitlines()[-1][-120:]
                    raise ToolchainError(f"building {reference} failed: {why}\n{tail(lines)}")
                for line in str(event.get("stream", "")).splitlines():
                    lines.append(line)
                    on_line(line)
        self._remove_replaced(previous, reference)
        # Stages that only compile are big and of no further use. Only this build's own: others may be under way.
        self._client.images.prune(filters={"dangling": True, "label": f"supastack.build={build}"})

    def save(self, reference: str, packed: Path) -> None:
        """Write an image with all its layers into a file, packed with gzip."""
        temporary = packed.with_name(f".{packed.name}.part")
        with _told(f"saving {reference} in {packed.parent} failed"):
            with gzip.open(temporary, "wb", compresslevel=1) as file:
                for chunk in self._client.api.get_image(reference, chunk_size=1 << 21):
                    file.write(chunk)
            temporary.replace(packed)

    def identity(self, reference: str) -> str | None:
        """An image's id, None if there is no such image."""
        with _told(f"{reference} can't be looked for"):
            return self._id(reference)

    def export(self, reference: str) -> Iterator[bytes]:
        """An image with its name and all its layers, as `docker save` writes it, in pieces."""
        with _told(f"reading {reference} from the Docker daemon failed"):
            # The tag's name goes along only where it is asked for.
            yield from self._client.images.get(reference).save(chunk_size=1 << 21, named=reference)

    def load(self, packed: Path, reference: str) -> None:
        """Take an image from a file that `save` wrote."""
        with _told(f"loading {reference} from {packed} failed"):
            previous = self._id(reference)
            # The daemon unpacks gzip itself.
            with packed.open("rb") as file:
                for event in self._client.api.load_image(file):
                    if "error" in event:
                        raise ToolchainError(f"loading {reference} from {packed} failed: {event['error'].strip()}")
            self._remove_replaced(previous, reference)

    def _id(self, reference: str) -> str | None:
        try:
            return str(self._client.images.get(reference).id)
        except docker.errors.ImageNotFound:
            return None

    def _remove_replaced(self, previous: str | None, reference: str) -> None:
        if previous is None or previous == self._id(reference):
            return
        # It stays where a container still uses it.
        with contextlib.suppress(docker.errors.APIError):
            self._client.images.remove(previous)


def _compiles(files: Mapping[str, Path]) -> bool:
    """Whether the Dockerfile has a stage of its own for compiling; it labels that with the build argument BUILD."""
    return "ARG BUILD\n" in files["Dockerfile"].read_text()


def _write_context(target: IO[bytes], files: Mapping[str, Path]) -> None:
    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = entry.name.split("/")
        if any(part in _LEFT_OUT_OF_CONTEXT for part in parts) or entry.name.endswith("_test.go"):
            return None
        # Nothing of the machine or the day: equal content is an equal context, which the daemon's build cache knows.
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = 0
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, path in sorted(files.items()):
            archive.add(path, name, filter=plain)
