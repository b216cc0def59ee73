"""The files of `uploads` as one tar archive for the container's root folder."""

import base64
import io
import tarfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PLAIN, _EXECUTABLE = 0o644, 0o744
"""Modes of a file with and without `executable` (terraform-provider-docker, resource_docker_container_funcs.go)."""


def archive(uploads: Sequence[Mapping[str, Any]]) -> bytes:
    """The archive; files belong to root.

    Raises:
        OSError: a file named by `source` can't be read.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for upload in uploads:
            content = _content(upload)
            entry = tarfile.TarInfo(upload["file"])
            entry.size = len(content)
            entry.mode = _mode(upload)
            entry.mtime = int(time.time())
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _content(upload: Mapping[str, Any]) -> bytes:
    if upload.get("contentBase64"):
        return base64.b64decode(upload["contentBase64"])
    if upload.get("source"):
        return Path(upload["source"]).read_bytes()
    return str(upload["content"]).encode()


def _mode(upload: Mapping[str, Any]) -> int:
    if upload.get("permissions"):
        return int(upload["permissions"], 8)
    return _EXECUTABLE if upload.get("executable") else _PLAIN
