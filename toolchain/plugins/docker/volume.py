"""docker:index/volume:Volume (terraform-provider-docker, resource_docker_volume.go)."""

from collections.abc import Mapping
from typing import Any

import docker.errors

from toolchain.plugins.common.errors import UserError

from .container_config import labels
from .errors import explained, sentence
from .operation import Operation, State

_IN_USE_TIMEOUT = 30.0
"""Seconds to wait for the last container to let go (volumeReadRefreshTimeout)."""


def create(operation: Operation, inputs: Mapping[str, Any]) -> tuple[str, State]:
    """Make the volume, or take the one that has this name already: the daemon's create is idempotent and keeps the old labels."""
    with explained(f"volume {inputs['name']!r} could not be created", operation.secrets):
        created = operation.client.create_volume(
            inputs["name"],
            driver=inputs.get("driver"),
            driver_opts=inputs.get("driverOpts"),
            labels=labels(inputs) or None,
        )
        name = created["Name"]
        return name, _state(operation.client.inspect_volume(name), inputs)


def read(operation: Operation, resource_id: str, known: Mapping[str, Any]) -> tuple[str, State] | None:
    """What the daemon knows of it."""
    with explained(f"volume {resource_id!r} could not be read", operation.secrets):
        try:
            return resource_id, _state(operation.client.inspect_volume(resource_id), known)
        except docker.errors.NotFound:
            return None


def update(operation: Operation, resource_id: str, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> State:
    """No field of a volume is changed in place."""
    del operation, resource_id
    return {**state, **inputs}


def delete(operation: Operation, resource_id: str, state: Mapping[str, Any]) -> None:
    """Removes it with its data; waits a while for containers that are about to let go."""
    del state
    last: list[Exception] = []

    def removed() -> bool:
        try:
            operation.client.remove_volume(resource_id, force=True)
        except docker.errors.NotFound:
            return True
        except docker.errors.APIError as error:
            if "volume is in use" not in str(error.explanation):
                raise
            last[:] = [error]
            return False
        return True

    with explained(f"volume {resource_id!r} could not be removed", operation.secrets):
        if not operation.wait_for(removed, _IN_USE_TIMEOUT, every=0.5):
            raise UserError(f"volume {resource_id!r} could not be removed, containers still use it: {sentence(last[0])}")


def _state(inspected: Mapping[str, Any], known: Mapping[str, Any]) -> State:
    return {
        **known,
        "name": inspected["Name"],
        "labels": [{"label": key, "value": value} for key, value in sorted((inspected.get("Labels") or {}).items())],
        "driver": inspected["Driver"],
        "driverOpts": inspected.get("Options") or {},
        "mountpoint": inspected["Mountpoint"],
    }
