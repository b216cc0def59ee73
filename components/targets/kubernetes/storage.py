"""Volumes of pods: claims for what must stay, emptyDirs with a limit for what must not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi

from components.service import Mount, Service, Volume
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.resources import quantity

IDENTITY: Final = "supastack.io/identity"
"""Annotation of a claim: what its data was written by (`components.identity`)."""
PAIRED_SECRET: Final = "supastack.io/paired-secret"
"""Annotation of a claim: mark of the secret that its data was initialised with (`components.fingerprint`)."""
_MIB: Final = 2**20
_SCRATCH_MIB: Final = 256
"""Limit of /tmp, and of each folder that a service writes to. Chosen by us."""
_PART: Final = "data"
"""The part of a claim that is prepared: a file system of its own has more in it (lost+found), and its root belongs to root."""
_WHOLE: Final = "/supastack"
"""Where the preparing container has whole claims."""


@dataclass
class Volumes:
    """Volumes of one pod.

    Attributes:
        claims: volumeClaimTemplates.
        volumes: The pod's.
        mounts: The container's.
        prepared: The preparing container's mounts, and its script's lines.
        scratch_mib: Most that all emptyDirs hold on the node's disk.
    """

    claims: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    mounts: list[dict[str, Any]] = field(default_factory=list)
    prepared: tuple[list[dict[str, Any]], list[str]] = field(default_factory=lambda: ([], []))
    scratch_mib: int = 0

    def scratch(self, name: str, path: str, mib: int) -> None:
        """A folder that goes with the pod."""
        self.volumes.append({"name": name, "emptyDir": {"sizeLimit": quantity(mib * _MIB)}})
        self.mounts.append({"name": name, "mountPath": path})
        self.scratch_mib += mib


def claim_name(service: Service, volume: str) -> str:
    """Name of the claim that the StatefulSet of a service makes for a volume."""
    return f"{volume}-{service.name}-0"


def given_size(service: Service, number: int, settings: Mapping[str, Any]) -> int | None:
    """Size in bytes that the settings name for a service's volume; they name its first one's alone."""
    return settings["volumeSizes"].get(service.name) if number == 0 else None


def owner(mount: Mount, services: Sequence[Service]) -> Service | None:
    """Who has the claim that another one mounts; None where there is no such claim now."""
    for service in services:
        if not service.off and any(volume.name == mount.volume for volume in service.kept):
            return service
    return None


def claims(
    stack: Stack, component: str, service: Service, settings: Mapping[str, Any], marks: Mapping[str, pulumi.Input[str]]
) -> list[dict[str, Any]]:
    """Claim templates of a service. `marks`: of the paired secret, by volume."""
    found = []
    for number, volume in enumerate(service.kept):
        metadata = stack.metadata(volume.name, component, service.name)
        del metadata["namespace"]
        # What the data is: read before each deployment, so it says what was true when the claim was made.
        metadata["annotations"] |= {IDENTITY: service.identity}
        if volume.name in marks:
            metadata["annotations"] |= {PAIRED_SECRET: marks[volume.name]}
        given = given_size(service, number, settings)
        spec: dict[str, Any] = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": quantity(volume.size_mib * _MIB if given is None else given)}},
            "volumeMode": "Filesystem",
        }
        if storage_class := settings.get("storageClass"):
            spec["storageClassName"] = storage_class
        found.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})
    return found


def volumes(service: Service, services: Sequence[Service]) -> Volumes:
    """The volumes of a service's pods, without those of files."""
    found = Volumes()
    for volume in service.kept:
        _claim(found, service, volume)
    for volume in service.volumes:
        if not volume.precious:
            found.scratch(volume.name, volume.path, volume.size_mib)
    for mount in service.mounts:
        _shared(found, mount, services)
    found.scratch("tmp", "/tmp", _SCRATCH_MIB)  # noqa: S108 - in the container
    # A stub writes nothing, and its image has none of the folders.
    for number, path in enumerate(() if service.image.kind == "stub" else service.writable or (), 1):
        found.scratch(f"scratch-{number}", path, _SCRATCH_MIB)
    if service.shm_mib is not None:
        found.volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": quantity(service.shm_mib * _MIB)}})
        found.mounts.append({"name": "shm", "mountPath": "/dev/shm"})  # noqa: S108 - in the container
    return found


def _claim(found: Volumes, service: Service, volume: Volume) -> None:
    mount: dict[str, Any] = {"name": volume.name, "mountPath": volume.path}
    if (volume.owned or volume.filled) and service.image.kind != "stub":
        mount["subPath"] = _PART
        mounts, lines = found.prepared
        whole = f"{_WHOLE}/{volume.name}"
        mounts.append({"name": volume.name, "mountPath": whole})
        lines += _filling(whole, volume.path) if volume.filled else _owning(whole)
    found.mounts.append(mount)


def _owning(whole: str) -> list[str]:
    # Whoever makes a folder owns it: PostgreSQL refuses one that is another's, as kubelet's are.
    return [f"[ -d {whole}/{_PART} ] || mkdir -m 0700 {whole}/{_PART}"]


def _filling(whole: str, path: str) -> list[str]:
    # In one step at the end, so that a copy that was interrupted is begun afresh. With owners: who starts as root will be another user.
    return [
        f"if [ ! -d {whole}/{_PART} ]; then",
        f"  rm -rf {whole}/.making && mkdir {whole}/.making",
        f"  [ ! -d {path} ] || cp -a {path}/. {whole}/.making/",
        f"  mv {whole}/.making {whole}/{_PART}",
        "fi",
    ]


def _shared(found: Volumes, mount: Mount, services: Sequence[Service]) -> None:
    name = f"of-{mount.volume}"
    has = owner(mount, services)
    if has is None:
        # Nobody has it: an empty folder, as with Docker.
        found.scratch(name, mount.path, _SCRATCH_MIB)
        return
    # The claim allows writing (another pod does), the mount does not.
    found.volumes.append({"name": name, "persistentVolumeClaim": {"claimName": claim_name(has, mount.volume)}})
    found.mounts.append({"name": name, "mountPath": mount.path, "readOnly": mount.read_only})


def group(service: Service, services: Sequence[Service]) -> int | None:
    """The group that a pod's volumes belong to; None: it is not changed.

    Pods that share a claim name the same, else each would take it from the other.
    """
    owners = [has for mount in service.mounts if (has := owner(mount, services)) is not None]
    if owners and not service.kept:
        return owners[0].image.user
    return service.image.user
