"""docker:index/remoteImage:RemoteImage (terraform-provider-docker, resource_docker_image_funcs.go)."""

from collections.abc import Mapping
from typing import Any

import docker.errors

from toolchain.plugins.common.errors import UserError

from .errors import explained, sentence
from .operation import Operation, State


def create(operation: Operation, inputs: Mapping[str, Any]) -> tuple[str, State]:
    """Pulls the image unless it is here already."""
    inspected = ensure(operation, inputs["name"], inputs.get("platform"))
    return _id(inspected, inputs), _state(inspected, inputs)


def read(operation: Operation, resource_id: str, known: Mapping[str, Any]) -> tuple[str, State] | None:
    """The image that has the name now."""
    del resource_id
    with explained(f"image {known['name']!r} could not be read", operation.secrets):
        try:
            inspected = operation.client.inspect_image(known["name"])
        except docker.errors.NotFound:
            return None
    return _id(inspected, known), _state(inspected, known)


def update(operation: Operation, resource_id: str, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> State:
    """KeepLocally and forceRemove are only remembered; the image is looked up again, and pulled if it is gone."""
    del resource_id, state
    return _state(ensure(operation, inputs["name"], inputs.get("platform")), inputs)


def delete(operation: Operation, resource_id: str, state: Mapping[str, Any]) -> None:
    """Removes the image unless keepLocally is set."""
    del resource_id
    if state.get("keepLocally"):
        return
    with explained(f"image {state['name']!r} could not be removed", operation.secrets):
        try:
            operation.client.remove_image(state["name"], force=bool(state.get("forceRemove")))
        except docker.errors.NotFound:
            return


def ensure(operation: Operation, name: str, platform: str | None = None) -> dict[str, Any]:
    """`docker inspect` of the image, pulled first if it is not here.

    Raises:
        UserError: it is not here and can't be pulled.
    """
    client = operation.client
    with explained(f"image {name!r} could not be looked up", operation.secrets):
        try:
            return dict(client.inspect_image(name))
        except docker.errors.NotFound:
            pass
    if name.startswith("sha256:"):
        raise UserError(f"no such image: {name!r} is not on this daemon, and an image id can't be pulled")
    with explained(f"image {name!r} is not on this daemon and could not be pulled", operation.secrets):
        for line in client.pull(_with_tag(name), stream=True, decode=True, platform=platform):
            if "error" in line:
                raise UserError(
                    f"image {name!r} is not on this daemon and could not be pulled: "
                    + sentence(Exception(line["error"]), operation.secrets)
                )
            if operation.cancelled.is_set():
                raise UserError(f"the pull of image {name!r} was cancelled")
        return dict(client.inspect_image(name))


def _with_tag(name: str) -> str:
    """A name without tag and digest means `latest`; the API would pull every tag."""
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"


def _id(inspected: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """The image's id with the name behind it, as the official plugin has it."""
    return f"{inspected['Id']}{known['name']}"


def _state(inspected: Mapping[str, Any], known: Mapping[str, Any]) -> State:
    return {**known, "imageId": inspected["Id"], "repoDigest": _repo_digest(inspected, known["name"])}


def _repo_digest(inspected: Mapping[str, Any], name: str) -> str:
    """The digest under which this repository gave out the image; empty for one that was built here."""
    digests: list[str] = inspected.get("RepoDigests") or []
    repository = name.partition("@")[0]
    if ":" in repository.rpartition("/")[2]:
        repository = repository.rpartition(":")[0]
    familiar = repository.removeprefix("docker.io/").removeprefix("library/")
    same = [digest for digest in digests if digest.partition("@")[0] in (repository, familiar)]
    return same[0] if same else ""
