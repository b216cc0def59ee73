"""The form of a resource's state (provider.go, checkpointObject and parseCheckpointObject): the live object, its inputs beside it."""

from collections.abc import Mapping
from typing import Any

from .naming import FIELD_MANAGER, INITIAL_API_VERSION, INPUTS
from .objects import Object


def state_of(inputs: Mapping[str, Any], live: Mapping[str, Any], api_version: str, manager: str) -> Object:
    """The outputs of a resource."""
    return {**live, INPUTS: dict(inputs), INITIAL_API_VERSION: api_version, FIELD_MANAGER: manager}


def inputs_and_live(state: Mapping[str, Any]) -> tuple[Object, Object]:
    """The inputs and the live object of a state."""
    live = {key: value for key, value in state.items() if not key.startswith("__")}
    return dict(state.get(INPUTS) or {}), live


def without_server_fields(live: Mapping[str, Any]) -> Object:
    """The inputs that a live object would have come from: for an import (provider.go, Read)."""
    found = {key: value for key, value in live.items() if key != "status"}
    dropped = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
    metadata = {key: value for key, value in (live.get("metadata") or {}).items() if key not in dropped}
    noted = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")
    notes = {key: value for key, value in (metadata.pop("annotations", None) or {}).items() if key not in noted}
    return {**found, "metadata": {**metadata, **({"annotations": notes} if notes else {})}}
