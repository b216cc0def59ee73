"""docker:index/network:Network (terraform-provider-docker, resource_docker_network_funcs.go)."""

from collections.abc import Mapping
from typing import Any

import docker.errors

from toolchain.plugins.common.errors import UserError

from .container_config import labels
from .errors import explained, sentence
from .operation import Operation, State

_IN_USE_TIMEOUT = 30.0
"""Seconds to wait for the last container to leave (networkRemoveRefreshTimeout)."""


def create(operation: Operation, inputs: Mapping[str, Any]) -> tuple[str, State]:
    """Makes the network; a second one of the same name is refused by the daemon."""
    name = inputs["name"]
    with explained(f"network {name!r} could not be created", operation.secrets):
        client = operation.client
        answer = client.create_network(
            name,
            driver=inputs.get("driver"),
            options=inputs.get("options"),
            ipam=_ipam(inputs),
            check_duplicate=True,
            internal=bool(inputs.get("internal")),
            labels=labels(inputs),
            enable_ipv6=bool(inputs.get("ipv6")),
            attachable=inputs.get("attachable"),
            ingress=inputs.get("ingress"),
        )
        resource_id = answer["Id"]
        return resource_id, _state(client.inspect_network(resource_id), inputs)


def read(operation: Operation, resource_id: str, known: Mapping[str, Any]) -> tuple[str, State] | None:
    """What the daemon knows of it."""
    with explained(f"network {known.get('name', resource_id)!r} could not be read", operation.secrets):
        try:
            inspected = operation.client.inspect_network(resource_id)
        except docker.errors.NotFound:
            return None
        return inspected["Id"], _state(inspected, known)


def update(operation: Operation, resource_id: str, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> State:
    """No field of a network is changed in place."""
    del operation, resource_id
    return {**state, **inputs}


def delete(operation: Operation, resource_id: str, state: Mapping[str, Any]) -> None:
    """Removes it; waits a while for containers that are about to leave it."""
    name = state.get("name", resource_id)
    last: list[Exception] = []

    def removed() -> bool:
        try:
            operation.client.remove_network(resource_id)
        except docker.errors.NotFound:
            return True
        except docker.errors.APIError as error:
            if "has active endpoints" not in str(error.explanation):
                raise
            last[:] = [error]
            return False
        return True

    with explained(f"network {name!r} could not be removed", operation.secrets):
        if not operation.wait_for(removed, _IN_USE_TIMEOUT, every=0.5):
            raise UserError(f"network {name!r} could not be removed, containers still use it: {sentence(last[0])}")


def _ipam(inputs: Mapping[str, Any]) -> dict[str, Any]:
    configs = [
        {
            "Subnet": item.get("subnet") or "",
            "IPRange": item.get("ipRange") or "",
            "Gateway": item.get("gateway") or "",
            "AuxiliaryAddresses": item.get("auxAddress") or {},
        }
        for item in inputs.get("ipamConfigs") or []
    ]
    return {
        "Driver": inputs.get("ipamDriver") or "default",
        "Config": [{key: value for key, value in item.items() if value} for item in configs],
        "Options": inputs.get("ipamOptions") or {},
    }


def _state(inspected: Mapping[str, Any], known: Mapping[str, Any]) -> State:
    ipam = inspected.get("IPAM") or {}
    return {
        **known,
        "name": inspected["Name"],
        "labels": [{"label": key, "value": value} for key, value in sorted((inspected.get("Labels") or {}).items())],
        "driver": inspected["Driver"],
        "options": inspected.get("Options") or {},
        "internal": bool(inspected.get("Internal")),
        "attachable": bool(inspected.get("Attachable")),
        "ingress": bool(inspected.get("Ingress")),
        "ipv6": bool(inspected.get("EnableIPv6")),
        "ipamDriver": ipam.get("Driver") or "",
        "scope": inspected["Scope"],
        "ipamConfigs": [
            {
                "subnet": item.get("Subnet") or "",
                "ipRange": item.get("IPRange") or "",
                "gateway": item.get("Gateway") or "",
                "auxAddress": item.get("AuxiliaryAddresses") or {},
            }
            for item in ipam.get("Config") or []
        ],
    }
