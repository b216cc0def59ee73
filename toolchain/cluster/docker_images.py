"""Images from a Docker daemon into a node."""

from collections.abc import Mapping, Sequence

from toolchain.announce import fail, step
from toolchain.cluster.images import Store
from toolchain.images.daemon import Daemon


def bring(store: Store, references: Sequence[str], docker: Mapping[str, str] | None) -> list[str]:
    """Bring the images that the node does not have, or has in another version. Returns their references.

    `docker` has the variables of Docker's clients; None: the process's. Raises ToolchainError, for an image that the daemon
    lacks before anything is done.
    """
    daemon = Daemon(None, docker)
    wanted = {reference: daemon.identity(reference) for reference in dict.fromkeys(references)}
    missing = [reference for reference, identity in wanted.items() if identity is None]
    if missing:
        fail(f"The Docker daemon does not have {', '.join(missing)}: `docker pull` or `make up` on Docker brings it there.")
    there = store.identities()
    brought = [reference for reference, identity in wanted.items() if there.get(full_name(reference)) != identity]
    for reference in brought:
        with step("cluster", f"import {reference}") as current:
            store.load(daemon.export(reference), reference)
            current.done(f"imported {reference}")
    return brought


def full_name(reference: str) -> str:
    """A reference as containerd has it, with what Docker leaves out: its own registry, `library/` and the tag `latest`."""
    name, tagged, tag = reference.rpartition(":")
    if not tagged or "/" in tag:
        name, tag = reference, "latest"
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"docker.io/{name}"
    return f"{name}:{tag}"
