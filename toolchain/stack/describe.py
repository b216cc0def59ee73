"""Asks the program what a stack needs, before anything is set up: settings errors come first."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.announce import ToolchainError, fail
from toolchain.context import Context


class SettingsProblem(ToolchainError):
    """The stack's settings are not right; nothing was touched."""

    exit_code = 2


@dataclass(frozen=True)
class Image:
    """An image that the stack uses."""

    role: str
    reference: str
    kind: str
    """`registry`, `local` (built here from the real thing) or `stub` (stands for one that can't be had)."""
    note: str = ""
    setting: str = ""
    """The setting that it comes from."""


@dataclass(frozen=True)
class Forward:
    """A port of the cluster that `make forward` opens here."""

    name: str
    """In the port plan."""
    service: str
    port: int
    """The service's own."""
    local: int
    """On this machine."""


@dataclass(frozen=True)
class Cluster:
    """The Kubernetes cluster that the settings name."""

    kubeconfig: Path
    context: str
    namespace: str
    bind: str
    """Address that forwarded ports are opened on."""
    forwards: tuple[Forward, ...]


@dataclass(frozen=True)
class Description:
    """What `python -m components.describe` says."""

    target: str
    needs_docker: bool
    docker_host: str | None
    image_source: str | None
    """`registry` or `local`; None: not chosen yet."""
    images: tuple[Image, ...] = ()
    registries: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cluster: Cluster | None = None
    """None for another target."""
    env_files: tuple[Path, ...] = ()

    @property
    def plugins(self) -> tuple[str, ...]:
        """The provider plugins that the target uses."""
        return plugins_of(self.target)

    @property
    def built_here(self) -> list[str]:
        """References of the images that no registry has."""
        return [image.reference for image in self.images if image.kind in ("local", "stub")]


def plugins_of(target: str) -> tuple[str, ...]:
    """The provider plugins that a target uses; a managed one makes nothing but random values of the stack's own."""
    return ("random",) if target == "managed" else ("kubernetes" if target == "kubernetes" else "docker", "random")


def start(context: Context, config: Path) -> "subprocess.Popen[str]":
    """Begin to ask, so that something else can be done meanwhile."""
    return subprocess.Popen(
        [str(context.venv_bin / "python"), "-m", "components.describe", "--stack", context.stack, "--config", str(config)],
        cwd=context.root,
        env=context.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(asked: "subprocess.Popen[str]") -> Description:
    """The answer. Raises SettingsProblem with all problems of the settings, ToolchainError where there is no answer."""
    out, err = asked.communicate()
    if asked.returncode == 2:
        raise SettingsProblem(err.strip())
    if asked.returncode != 0:
        fail(f"the program can't say what the stack needs (components.describe ended with {asked.returncode}):\n{err.strip()}")
    try:
        return parse(json.loads(out))
    except (ValueError, KeyError, TypeError) as error:
        fail(f"python -m components.describe gave an answer that can't be read: {error!r}")


def parse(answer: dict[str, Any]) -> Description:
    """The answer as data. Raises KeyError or TypeError where it has another shape."""
    return Description(
        target=answer["target"],
        needs_docker=answer["needs_docker"],
        docker_host=answer["docker_host"],
        image_source=answer["image_source"],
        images=tuple(
            Image(i["role"], i["reference"], i["kind"], i.get("note", ""), i.get("setting", "")) for i in answer["images"]
        ),
        registries=tuple(answer["registries"]),
        notes=tuple(answer["notes"]),
        cluster=_cluster(answer["cluster"]) if answer.get("cluster") else None,
        env_files=tuple(map(Path, [*(file["path"] for file in answer.get("env_files", ())), *answer.get("tenant_files", ())])),
    )


def _cluster(answer: dict[str, Any]) -> Cluster:
    return Cluster(
        kubeconfig=Path(answer["kubeconfig"]),
        context=answer["context"],
        namespace=answer["namespace"],
        bind=answer["bind"],
        forwards=tuple(Forward(f["name"], f["service"], f["port"], f["local"]) for f in answer["forwards"]),
    )
