"""Images for the node's containerd: such as hold one static program, made without Docker, and such as a Docker daemon has."""

import contextlib
import gzip
import hashlib
import io
import json
import platform
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from toolchain.announce import fail

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_MEDIA = "application/vnd.oci.image"


def write_image(target: IO[bytes], reference: str, files: Mapping[str, Path], config: Mapping[str, Any]) -> None:
    """Write an image of one layer in the OCI layout, as `ctr images import` reads it. `files` are programs by their path in the image.

    `config` has Entrypoint, User, Env and so on, as the OCI image specification names them. Equal content is an equal image.
    """
    layer = _layer(files)
    packed = gzip.compress(layer, compresslevel=1, mtime=0)
    blobs: dict[str, bytes] = {}

    def blob(data: bytes, media: str) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": media, "digest": f"sha256:{digest}", "size": len(data)}

    about = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_MEDIA}.manifest.v1+json",
        "config": blob(json.dumps(about).encode(), f"{_MEDIA}.config.v1+json"),
        "layers": [blob(packed, f"{_MEDIA}.layer.v1.tar+gzip")],
    }
    described = blob(json.dumps(manifest).encode(), f"{_MEDIA}.manifest.v1+json")
    index = {"schemaVersion": 2, "manifests": [{**described, "annotations": {"io.containerd.image.name": reference}}]}
    with tarfile.open(fileobj=target, mode="w") as archive:
        _add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        for digest, data in blobs.items():
            _add(archive, f"blobs/sha256/{digest}", data)
        _add(archive, "index.json", json.dumps(index).encode())


def _layer(files: Mapping[str, Path]) -> bytes:
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        folders: set[Path] = set()
        for name, path in files.items():
            for folder in reversed(Path(name.lstrip("/")).parents[:-1]):
                if folder not in folders:
                    folders.add(folder)
                    entry = tarfile.TarInfo(str(folder))
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                    archive.addfile(entry)
            _add(archive, name.lstrip("/"), path.read_bytes(), mode=0o755)
    return layer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))


class Store:
    """The images of a node."""

    def __init__(self, inside: Callable[[Sequence[str]], list[str]]) -> None:
        """`inside` makes a command line run in the node's namespaces."""
        self._inside = inside

    def identities(self) -> dict[str, str]:
        """The digest of each image's configuration, which is what Docker calls its id, by reference."""
        done = subprocess.run(
            self._inside(["ctr", "-n", "k8s.io", "images", "list"]), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            fail(f"The node's images can't be listed: {done.stderr.strip()}")
        found = {}
        for line in done.stdout.splitlines()[1:]:
            reference, _media, digest, *_ = line.split()
            # What the kubelet's side of containerd adds: the image by its configuration's digest, with the same target.
            found[reference] = digest
        named = {digest: name for name, digest in found.items() if name.startswith("sha256:")}
        return {name: named[digest] for name, digest in found.items() if digest in named and not name.startswith("sha256:")}

    def load(self, pieces: Iterable[bytes], what: str) -> None:
        """Import an archive, given in pieces as they come. Raises ToolchainError."""
        command = self._inside(["ctr", "-n", "k8s.io", "images", "import", "-"])
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
            assert process.stdin is not None
            try:
                # An import that fails stops reading: what it says is in the log.
                with contextlib.suppress(BrokenPipeError):
                    for piece in pieces:
                        process.stdin.write(piece)
                    process.stdin.close()
            finally:
                code = process.wait()
            if code != 0:
                log.seek(0)
                fail(f"{what} can't be imported into the node: {log.read().decode(errors='replace').strip()[-400:]}")
