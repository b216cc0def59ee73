"""Folders of this machine that a cluster's pods are to see: their files go there in a ConfigMap."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from components.service import HostFolder, Service

LIMIT: Final = 2**20
"""Most that a ConfigMap or a Secret holds, in bytes (Kubernetes' documentation, "ConfigMaps")."""
Folder = Callable[[HostFolder], Mapping[str, bytes]]
"""Reads a folder: content by path in it."""


class FolderProblem(ValueError):
    """A folder of the machine that can't be taken along into a cluster."""


def read(folder: HostFolder) -> dict[str, bytes]:
    """The files of a folder, by path in it.

    Raises:
        FolderProblem: there is no such folder.
    """
    root = Path(folder.source)
    if not root.is_dir():
        raise FolderProblem(f"{folder.setting}: there is no folder {folder.source}. Make it, or take the setting out.")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def check(service: Service, folder: HostFolder, content: Mapping[str, bytes]) -> None:
    """Raises FolderProblem where a folder is too large."""
    size = sum(len(path) + len(data) for path, data in content.items())
    if size <= LIMIT:
        return
    largest = max(content, key=lambda path: len(content[path]))
    raise FolderProblem(
        f"{folder.setting}: the folder has {size / LIMIT:.1f} MiB, and a ConfigMap, in which it goes to the pods of {service.name}, "
        f"holds 1 MiB (the largest file: {largest}). Take out what the functions don't need, have them import it by address, or leave "
        f"the setting out and copy the folder onto the volume of {service.name}."
    )


def problems(services: Iterable[Service]) -> Iterator[str]:
    """What is wrong with the services' folders, each one once."""
    told: set[str] = set()
    for service in services:
        for folder in service.folders:
            try:
                check(service, folder, read(folder))
            except FolderProblem as problem:
                if folder.source not in told:
                    told.add(folder.source)
                    yield str(problem)
