"""docker:index/container:Container (terraform-provider-docker, resource_docker_container_funcs.go)."""

import time
from collections.abc import Mapping
from typing import Any

import docker.errors
import requests

from toolchain.plugins.common.errors import InitFailed, UserError

from . import image
from .container_config import UPDATED_IN_PLACE, create_body, endpoint, update_arguments
from .container_state import read_back, run_state
from .diff import changes
from .errors import explained, is_gone, sentence
from .operation import Operation, State
from .schema import CONTAINER
from .uploads import archive

_STARTED_AFTER = 0.1
"""Seconds after the start at which a container that must run is looked at (containerReadRefreshDelay)."""

_MARK = "supastack.stack-id"
_REFUSED = "refused: "
"""So a health check of Supastack's begins what it says where waiting can't help (components/sql/health.sh). The official plugin waits
nevertheless; what other containers say means nothing here."""


def create(operation: Operation, inputs: Mapping[str, Any]) -> tuple[str, State]:
    """Makes and starts the container, and waits for what the inputs ask for.

    Until it has started, a failure removes it again; after that it stays, as InitFailed, so that its logs can be read.
    """
    name = inputs["name"]
    client = operation.client
    image.ensure(operation, inputs["image"])
    with explained(f"container {name!r} could not be created", operation.secrets):
        container_id = str(client.create_container_from_config(create_body(inputs), name)["Id"])
    try:
        _prepare(operation, container_id, inputs)
    except BaseException as error:
        _take_back(operation, container_id, inputs, error)
        raise
    try:
        return container_id, _await(operation, container_id, inputs)
    except InitFailed:
        raise
    except Exception as error:
        # It is there, whatever went wrong since: an error that says otherwise would lose it. Only a UserError is free of secrets.
        reason = str(error) if isinstance(error, UserError) else f"container {name!r} could not be read: {type(error).__name__}"
        raise InitFailed(container_id, _state_so_far(operation, container_id, inputs), [reason]) from error


def read(operation: Operation, resource_id: str, known: Mapping[str, Any]) -> tuple[str, State] | None:
    """What the daemon says of it."""
    with explained(f"container {known.get('name', resource_id)!r} could not be read", operation.secrets):
        try:
            inspected = operation.client.inspect_container(resource_id)
        except docker.errors.NotFound:
            return None
    return inspected["Id"], read_back(inspected, known)


def update(operation: Operation, resource_id: str, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> State:
    """Changes limits and restart policy, and starts a stopped container that must run. All else is only remembered."""
    name = inputs["name"]
    with explained(f"container {name!r} could not be updated", operation.secrets):
        if set(UPDATED_IN_PLACE) & set(changes(CONTAINER, state, inputs)):
            operation.client.update_container(resource_id, **update_arguments(inputs))
        inspected = _inspect(operation, resource_id, name)
        if inputs.get("mustRun", True) and inputs.get("start", True) and not inspected["State"]["Running"]:
            operation.client.start(resource_id)
            inspected = _inspect(operation, resource_id, name)
    outputs = {key: value for key, value in state.items() if key in CONTAINER.fields and CONTAINER.fields[key].output_only}
    return {**outputs, **inputs, **run_state(inspected, inputs)}


def delete(operation: Operation, resource_id: str, state: Mapping[str, Any]) -> None:
    """Stops it with destroyGraceSeconds, unless it is attached to, and removes it with its anonymous volumes."""
    name = state.get("name", resource_id)
    client = operation.client
    with explained(f"container {name!r} could not be removed", operation.secrets):
        try:
            if not state.get("attach"):
                client.stop(resource_id, timeout=state.get("destroyGraceSeconds") or 0)
            client.remove_container(resource_id, v=bool(state.get("removeVolumes", True)), force=True)
        except docker.errors.APIError as error:
            if not is_gone(error):
                raise
        _wait_until_removed(operation, resource_id)


def _prepare(operation: Operation, container_id: str, inputs: Mapping[str, Any]) -> None:
    """Networks, files, start."""
    name = inputs["name"]
    client = operation.client
    if inputs.get("networksAdvanced"):
        with explained(f"container {name!r} could not leave the default network", operation.secrets):
            try:
                client.disconnect_container_from_network(container_id, "bridge")
            except docker.errors.APIError as error:
                if "is not connected to" not in str(error.explanation):
                    raise
        for network in inputs["networksAdvanced"]:
            with explained(f"container {name!r} could not join network {network['name']!r}", operation.secrets):
                _join(client, network["name"], container_id, endpoint(network))
    if inputs.get("uploads"):
        with explained(f"files could not be uploaded into container {name!r}", operation.secrets):
            client.put_archive(container_id, "/", archive(inputs["uploads"]))
    if operation.cancelled.is_set():
        raise UserError(f"the creation of container {name!r} was cancelled")
    if inputs.get("start", True):
        with explained(f"container {name!r} could not be started", operation.secrets):
            client.start(container_id)


def _await(operation: Operation, container_id: str, inputs: Mapping[str, Any]) -> State:
    """Waits for what the inputs ask for. Returns the state."""
    state: State = dict(inputs)
    if inputs.get("start", True):
        if inputs.get("wait"):
            _wait_until_healthy(operation, container_id, inputs)
        if inputs.get("attach"):
            state.update(_run_to_its_end(operation, container_id, inputs))
        elif inputs.get("mustRun", True):
            _require_running(operation, container_id, inputs)
    return read_back(_inspect(operation, container_id, inputs["name"]), state)


def _join(client: Any, network: str, container_id: str, settings: Mapping[str, Any]) -> None:
    addresses = settings["IPAMConfig"]
    client.connect_container_to_network(
        container_id,
        network,
        aliases=settings["Aliases"] or None,
        ipv4_address=addresses.get("IPv4Address"),
        ipv6_address=addresses.get("IPv6Address"),
    )


def _take_back(operation: Operation, container_id: str, inputs: Mapping[str, Any], why: BaseException) -> None:
    """Removes a container that never started; one that can't be removed is kept in the state."""
    try:
        operation.client.remove_container(container_id, v=True, force=True)
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        if not is_gone(error):
            raise InitFailed(container_id, inputs, [f"{why}; and it could not be removed again: {sentence(error)}"]) from why


def _inspect(operation: Operation, container_id: str, name: str) -> dict[str, Any]:
    with explained(f"container {name!r} could not be read", operation.secrets):
        try:
            return dict(operation.client.inspect_container(container_id))
        except docker.errors.NotFound as error:
            raise UserError(
                f"container {name!r} is gone; run `pulumi refresh`, or `pulumi up --refresh`, so that it is made anew"
            ) from error


def _state_so_far(operation: Operation, container_id: str, inputs: Mapping[str, Any]) -> State:
    """The state of a container that is not ready. It stays as the program wants it, so that only its health is at issue."""
    try:
        return read_back(operation.client.inspect_container(container_id), inputs)
    except Exception:  # noqa: BLE001 - the reason why it is not ready matters more, and the id most
        return dict(inputs)


def _wait_until_healthy(operation: Operation, container_id: str, inputs: Mapping[str, Any]) -> None:
    """Raise InitFailed unless it becomes healthy within waitTimeout."""
    name, seconds = inputs["name"], inputs.get("waitTimeout", 60)
    last: dict[str, Any] = {}

    def healthy() -> bool:
        found = _inspect(operation, container_id, name)
        last.update(found["State"])
        if "Health" not in last:
            raise UserError(
                f"container {name!r} has wait=true but no health check, neither its own nor its image's;"
                " give it a healthcheck or leave wait out"
            )
        if last["Status"] == "exited":
            raise UserError(f"container {name!r} exited with code {last['ExitCode']} before it was healthy")
        if _MARK in (found["Config"].get("Labels") or {}) and (why := _said(last)).startswith(_REFUSED):
            raise UserError(f"container {name!r} will not become healthy: {why.removeprefix(_REFUSED)}")
        return bool(last["Health"]["Status"] == "healthy")

    try:
        ready = operation.wait_for(healthy, seconds)
    except UserError as error:
        raise InitFailed(container_id, _state_so_far(operation, container_id, inputs), [str(error)]) from error
    if not ready:
        if operation.cancelled.is_set():
            reason = f"cancelled while container {name!r} was not healthy yet"
        else:
            reason = f"container {name!r} did not become healthy in {seconds} s; its health is {last['Health']['Status']!r}"
            reason += f": {said}" if (said := _said(last)) else ""
        raise InitFailed(container_id, _state_so_far(operation, container_id, inputs), [reason])


def _said(state: Mapping[str, Any]) -> str:
    """What the last health check wrote, on one line and not too long."""
    log = state["Health"].get("Log") or [{}]
    text = " ".join((log[-1].get("Output") or "").split())
    return text[:600]


def _run_to_its_end(operation: Operation, container_id: str, inputs: Mapping[str, Any]) -> State:
    """Waits for the container to exit, however long that takes; keeps its output if `logs` asks for it."""
    name = inputs["name"]
    last: dict[str, Any] = {}

    def ended() -> bool:
        last.update(_inspect(operation, container_id, name)["State"])
        return last["Status"] not in ("running", "restarting", "paused", "created")

    try:
        if not operation.wait_for(ended, timeout=float("inf")):
            raise UserError(f"cancelled while container {name!r} was still running")
        if inputs.get("mustRun", True):
            raise UserError(
                f"container {name!r} exited with code {last['ExitCode']}; a container that is to exit needs mustRun=false"
            )
        if not inputs.get("logs"):
            return {}
        with explained(f"the output of container {name!r} could not be read", operation.secrets):
            output = operation.client.logs(container_id, stdout=True, stderr=True)
    except UserError as error:
        raise InitFailed(container_id, _state_so_far(operation, container_id, inputs), [str(error)]) from error
    return {"containerLogs": output.decode(errors="replace")}


def _require_running(operation: Operation, container_id: str, inputs: Mapping[str, Any]) -> None:
    name = inputs["name"]
    time.sleep(_STARTED_AFTER)
    last = _inspect(operation, container_id, name)["State"]
    if not last["Running"]:
        reason = f"container {name!r} exited immediately, with code {last['ExitCode']}; `docker logs {name}` tells more"
        raise InitFailed(container_id, _state_so_far(operation, container_id, inputs), [reason])


def _wait_until_removed(operation: Operation, container_id: str) -> None:
    """A container with rm=true, or one that someone else removes, is gone a moment later."""

    def gone() -> bool:
        try:
            operation.client.inspect_container(container_id)
        except docker.errors.NotFound:
            return True
        return False

    operation.wait_for(gone, timeout=15, every=0.1)
