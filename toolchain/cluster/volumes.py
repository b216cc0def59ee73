"""Persistent volumes of the test cluster: a folder on the node for each claim of the storage class `standard`.

Ours, for tests. The usual provisioner of folders (rancher/local-path-provisioner) makes and removes each folder by a pod with a shell,
which would tie every cluster to an image with one and cost each claim some seconds; claims and volumes look the same here.
"""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolchain.announce import ToolchainError
from toolchain.cluster.addons import PROVISIONER
from toolchain.cluster.api import Api
from toolchain.cluster.informer import Informer
from toolchain.cluster.layout import NODE

_SELECTED = "volume.kubernetes.io/selected-node"
_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
"""Annotations the scheduler and the controller manager put on a claim that waits for its volume."""
_PROVISIONED = "pv.kubernetes.io/provisioned-by"


class Volumes:
    """Makes the volumes of claims that wait for one, and removes those that are released."""

    def __init__(self, api: Api, folder: Path) -> None:
        self._api = api
        self._folder = folder
        self._changed = threading.Event()
        self._claims = Informer(api, "/api/v1/persistentvolumeclaims", self._changed)
        self._volumes = Informer(api, "/api/v1/persistentvolumes", self._changed)

    def run(self) -> None:
        """Forever."""
        while True:
            # Also without a change, so that what failed is tried again.
            self._changed.wait(10)
            self._changed.clear()
            if self._claims.synced.is_set() and self._volumes.synced.is_set():
                self._look()

    def _look(self) -> None:
        volumes = self._volumes.objects()
        named = {one["metadata"]["name"] for one in volumes}
        for claim in self._claims.objects():
            if waits(claim) and volume_name(claim) not in named:
                self._try(lambda claim=claim: self._make(claim))
        for volume in released(volumes):
            self._try(lambda volume=volume: self._remove(volume))

    @staticmethod
    def _try(action: Any) -> None:
        try:
            action()
        except (ToolchainError, OSError) as error:
            print(error, flush=True)

    def _make(self, claim: dict[str, Any]) -> None:
        path = self._folder / folder_name(claim)
        path.mkdir(parents=True, exist_ok=True)
        # Whoever the pod runs as: no other machine's user gets here, as the folder above is root's.
        path.chmod(0o777)
        self._api.apply(volume_for(claim, path))

    def _remove(self, volume: dict[str, Any]) -> None:
        path = Path(volume["spec"]["hostPath"]["path"])
        if path.parent == self._folder:
            shutil.rmtree(path, ignore_errors=True)
        self._api.delete(f"/api/v1/persistentvolumes/{volume['metadata']['name']}")


def waits(claim: dict[str, Any]) -> bool:
    """Whether a claim waits for a volume of ours, and a pod that uses it has its node."""
    annotations = claim["metadata"].get("annotations", {})
    return (
        claim.get("status", {}).get("phase") == "Pending"
        and not claim["spec"].get("volumeName")
        and "deletionTimestamp" not in claim["metadata"]
        and annotations.get(_PROVISIONER) == PROVISIONER
        and annotations.get(_SELECTED) == NODE
    )


def volume_name(claim: dict[str, Any]) -> str:
    """The volume's name: of the claim's id, so that a claim made again gets another volume."""
    return f"pvc-{claim['metadata']['uid']}"


def folder_name(claim: dict[str, Any]) -> str:
    """The folder's name, with what a person looks for in it."""
    return f"{claim['metadata']['namespace']}-{claim['metadata']['name']}-{claim['metadata']['uid']}"


def volume_for(claim: dict[str, Any], path: Path) -> dict[str, Any]:
    """The volume that answers a claim."""
    metadata, spec = claim["metadata"], claim["spec"]
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume_name(claim), "annotations": {_PROVISIONED: PROVISIONER}},
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "hostPath": {"path": str(path), "type": "Directory"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": spec["storageClassName"],
            "volumeMode": "Filesystem",
        },
    }


def released(volumes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Volumes of ours whose claim is gone and that are to go with it."""
    for volume in volumes:
        ours = volume["metadata"].get("annotations", {}).get(_PROVISIONED) == PROVISIONER
        goes = volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
        if ours and goes and volume.get("status", {}).get("phase") == "Released":
            yield volume
