"""When an image is left alone, loaded or built: decided with a pretended daemon."""

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest
import requests

from toolchain import images
from toolchain.announce import Step, ToolchainError
from toolchain.images import available, ensure, programs
from toolchain.images import daemon as images_daemon

STUB = available()["stub"]


class Daemon:
    """Keeps the labels of its images."""

    def __init__(self) -> None:
        self.machine = platform.machine()
        self.images: dict[str, dict[str, str]] = {}
        self.calls: list[str] = []
        self.save_fails = False

    def label(self, reference: str, name: str) -> str | None:
        return self.images.get(reference, {}).get(name)

    def import_base(self, packed: Path, reference: str, labels: Mapping[str, str]) -> None:
        self.calls.append("import")
        self.images[reference] = dict(labels)

    def build(
        self, reference: str, files: Mapping[str, Path], arguments: Mapping[str, str], labels: Mapping[str, str], on_line: Any
    ) -> None:
        self.calls.append(f"build {reference} from {arguments['BASE']}")
        assert {"Dockerfile", "bin"} <= files.keys()
        self.images[reference] = dict(labels)

    def save(self, reference: str, packed: Path) -> None:
        self.calls.append(f"save {reference}")
        packed.write_text("packed")
        if self.save_fails:
            raise ToolchainError("disk full")

    def load(self, packed: Path, reference: str) -> None:
        self.calls.append(f"load {reference}")
        self.images[reference] = STUB.labels


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    made = Daemon()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(images, "Daemon", lambda host, environment: made)
    monkeypatch.setattr(images, "ensure_base", lambda step: tmp_path / "base.tar.gz")
    monkeypatch.setattr(programs, "ensure", lambda recipe, cache, progress: {"bin": tmp_path})
    return made


@pytest.fixture
def steps() -> list[Step]:
    return []


@pytest.fixture
def have(steps: list[Step]) -> Callable[..., None]:
    @contextmanager
    def step(name: str, text: str) -> Iterator[Step]:
        current = Step(name, text)
        steps.append(current)
        yield current

    return lambda *references: ensure(list(references), None, step)


def kinds(daemon: Daemon) -> list[str]:
    return [call.split()[0] for call in daemon.calls]


def test_a_new_image_is_built_and_saved(daemon: Daemon, have: Callable[..., None], tmp_path: Path) -> None:
    have(STUB.reference)
    assert kinds(daemon) == ["import", "build", "save"]
    assert list(tmp_path.glob(f"supastack/image-stub-{STUB.inputs}/image.tar.gz"))


def test_one_that_is_there_is_left_alone(daemon: Daemon, have: Callable[..., None], steps: list[Step]) -> None:
    have(STUB.reference)
    daemon.calls.clear()
    have(STUB.reference)
    assert daemon.calls == []
    assert steps[-1].skipped


def test_another_daemon_gets_it_from_the_cache(daemon: Daemon, have: Callable[..., None]) -> None:
    have(STUB.reference)
    daemon.calls.clear()
    daemon.images.clear()
    have(STUB.reference)
    assert kinds(daemon) == ["load"]


def test_one_of_other_inputs_is_made_anew(daemon: Daemon, have: Callable[..., None]) -> None:
    daemon.images[STUB.reference] = {"supastack.inputs": "others"}
    have(STUB.reference)
    assert kinds(daemon) == ["import", "build", "save"]


def test_a_save_that_failed_leaves_nothing_that_looks_saved(daemon: Daemon, have: Callable[..., None], tmp_path: Path) -> None:
    daemon.save_fails = True
    with pytest.raises(ToolchainError, match="disk full"):
        have(STUB.reference)
    assert not list(tmp_path.glob("supastack/*/image.tar.gz"))


def test_a_daemon_of_another_architecture_is_refused_before_anything_is_built(daemon: Daemon, have: Callable[..., None]) -> None:
    daemon.machine = "riscv64"
    with pytest.raises(ToolchainError, match="its Docker daemon riscv64"):
        have(STUB.reference)
    assert daemon.calls == []


def test_a_wrong_reference_is_refused_before_anything_is_done(daemon: Daemon, have: Callable[..., None]) -> None:
    with pytest.raises(ToolchainError, match="no recipe"):
        have(STUB.reference, "supastack.local/nothing:1")
    assert daemon.calls == []


def test_a_daemon_that_does_not_answer_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, have: Callable[..., None]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(ToolchainError, match="does not answer"):
        have(STUB.reference)


def test_a_machine_without_go_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="there is no `go` on PATH") as error:
        programs.ensure(STUB, tmp_path / "cache", lambda _: None)
    assert STUB.reference in str(error.value)
    assert not list((tmp_path / "cache").glob("image-programs-*"))


class Sdk:
    """Stands in for the SDK's client: every call raises `error`."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        if name in ("images", "api"):
            return self

        def fails(*_: Any, **__: Any) -> None:
            raise self.error

        return fails


@pytest.mark.parametrize(
    "error",
    [docker.errors.APIError("conflict"), requests.exceptions.ReadTimeout("timed out"), OSError(28, "No space left on device")],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda daemon, folder: daemon.machine,
        lambda daemon, folder: daemon.label("a:1", "x"),
        lambda daemon, folder: daemon.import_base(folder / "packed", "a:1", {}),
        lambda daemon, folder: daemon.build("a:1", {"Dockerfile": folder / "packed"}, {}, {}, print),
        lambda daemon, folder: daemon.save("a:1", folder / "saved"),
        lambda daemon, folder: daemon.load(folder / "packed", "a:1"),
    ],
    ids=["machine", "label", "import", "build", "save", "load"],
)
def test_whatever_the_daemon_the_line_or_the_disk_does_is_an_error_for_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, call: Any, error: Exception
) -> None:
    monkeypatch.setattr(docker, "from_env", lambda **_: Sdk(error))
    (tmp_path / "packed").write_bytes(b"")
    with pytest.raises(ToolchainError, match=r"conflict|timed out|No space left"):
        call(images_daemon.Daemon(None), tmp_path)


def test_the_daemon_is_reached_with_the_environment_of_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(docker, "from_env", lambda **options: given.append(options["environment"]))
    monkeypatch.setenv("DOCKER_HOST", "unix:///of-the-process")
    far = {"DOCKER_HOST": "tcp://10.0.0.1:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certificates"}
    images_daemon.Daemon(None, far)
    images_daemon.Daemon("unix:///named")
    assert given[0] == far
    assert given[1]["DOCKER_HOST"] == "unix:///named"
