"""Files of a service: in a ConfigMap or, with a secret in them, in a Secret, and mounted one by one.

One by one, since a folder laid over the image's own would hide what is there, and since what is mounted as a whole are symbolic
links, which the bundler of functions does not follow (seen by krycha1248/supabase-kubernetes-cnpg).
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import pulumi

from components.service import HostFolder, Service, Text
from components.targets.kubernetes.folders import Folder, check
from components.targets.kubernetes.inputs import mapped


@dataclass
class Files:
    """Files of one pod.

    Attributes:
        plain: Keys and values of the ConfigMap; `binary`: those that are no text, in base64.
        secret: Keys and values of the Secret, not yet in base64.
        folders: The folders' files, a ConfigMap's worth: content by key.
    """

    plain: dict[str, pulumi.Input[str]] = field(default_factory=dict)
    secret: dict[str, pulumi.Input[str]] = field(default_factory=dict)
    folder: dict[str, str] = field(default_factory=dict)
    binary: dict[str, str] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    mounts: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, path: str, mode: int) -> str:
        """The key of another file, which is mounted at `path`; `kind` is the name of the volume."""
        # Keys are letters, digits, dots, dashes and underscores.
        key = re.sub(r"[^A-Za-z0-9._-]", "_", path.strip("/").replace("/", ".")).lstrip(".")[-240:]
        while key in self.modes:
            key += "_"
        self.modes[key] = mode
        self.mounts.append({"name": kind, "mountPath": path, "subPath": key, "readOnly": True})
        return key


def files(service: Service, resolve: Callable[[Text], pulumi.Input[str]], folder: Folder) -> Files:
    """The files of a service's pods.

    Raises:
        FolderProblem: a folder is too large.
    """
    found = Files()
    for file in service.files:
        secret = bool(file.content.secrets)
        key = found.add("secret-files" if secret else "files", file.path, file.mode)
        (found.secret if secret else found.plain)[key] = resolve(file.content)
    for given in service.folders:
        _folder(found, service, given, folder(given))
    return found


def _folder(found: Files, service: Service, given: HostFolder, content: Mapping[str, bytes]) -> None:
    check(service, given, content)
    for path, data in sorted(content.items()):
        target = str(PurePosixPath(given.path) / path)
        if PurePosixPath(path).name.startswith(".env"):
            # As the Supabase CLI has them: secrets of functions.
            found.secret[found.add("secret-files", target, 0o644)] = data.decode()
            continue
        key = found.add("folder", target, 0o644)
        try:
            found.folder[key] = data.decode()
        except UnicodeDecodeError:
            found.binary[key] = base64.b64encode(data).decode()


def encoded(values: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """A Secret's `data`. Not `stringData`: what is taken out of that stays in the object."""
    return {key: mapped(value, lambda known: base64.b64encode(known.encode()).decode()) for key, value in sorted(values.items())}


def volumes(service: Service, files: Files) -> list[dict[str, Any]]:
    """The pod's volumes of files."""
    found: list[dict[str, Any]] = []

    def items(keys: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"key": key, "path": key, "mode": files.modes[key]} for key in sorted(keys)]

    if files.plain:
        found.append({"name": "files", "configMap": {"name": f"{service.name}-files", "items": items(files.plain)}})
    if files.folder or files.binary:
        held = {**files.folder, **files.binary}
        found.append({"name": "folder", "configMap": {"name": f"{service.name}-folder", "items": items(held)}})
    if files.secret:
        found.append(
            {"name": "secret-files", "secret": {"secretName": f"{service.name}-secret-files", "items": items(files.secret)}}
        )
    return found
