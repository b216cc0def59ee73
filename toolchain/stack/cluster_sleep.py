"""Puts the databases that an operator runs to sleep when their stack goes down: they are protected, and would run on alone."""

from typing import Any, Final

from toolchain.plugins.kubernetes.client import ApiError
from toolchain.stack.cluster_access import STACK_ID, Access
from toolchain.stack.state import StackState

_CLUSTERS: Final = "/apis/postgresql.cnpg.io/v1/namespaces/{}/clusters"
_HIBERNATION: Final = "cnpg.io/hibernation"
"""CloudNativePG's declarative hibernation: `on` takes the pods away and keeps the claims (its documentation, "Declarative hibernation")."""
_MANAGER: Final = "supastack-down"
_NOT_FOUND, _CONFLICT = 404, 409
_TRIES: Final = 5


def put_to_sleep(access: Access, state: StackState) -> list[str]:
    """Put every database of the stack to sleep that is left in its namespaces. Returns their names; the next up wakes them.

    Raises ApiError where the cluster refuses it.
    """
    return [name for namespace in sorted(state.namespaces) for name in _of_namespace(access, namespace, state.stack_id)]


def _of_namespace(access: Access, namespace: str, stack_id: str | None) -> list[str]:
    folder = _CLUSTERS.format(namespace)
    try:
        found = access.items(folder)
    except ApiError as error:
        if error.code == _NOT_FOUND:  # there is no such operator in this cluster
            return []
        raise
    asleep = []
    for cluster in found:
        metadata = cluster["metadata"]
        if stack_id is None or (metadata.get("annotations") or {}).get(STACK_ID) != stack_id:
            continue
        if metadata["annotations"].get(_HIBERNATION) != "on":
            _patch(access, f"{folder}/{metadata['name']}")
        asleep.append(f"{namespace}/{metadata['name']}")
    return asleep


def _patch(access: Access, path: str) -> None:
    change = {"metadata": {"annotations": {_HIBERNATION: "on"}}}
    _merge(access, path, change)
    # The field belongs to nobody then: the next up may write it, which the server would else refuse as another manager's.
    for attempt in range(_TRIES):
        metadata = access.client.request("GET", path)["metadata"]
        left = [entry for entry in metadata.get("managedFields", ()) if entry.get("manager") != _MANAGER]
        try:
            _merge(access, path, {"metadata": {"managedFields": left, "resourceVersion": metadata["resourceVersion"]}})
        except ApiError as error:
            if error.code != _CONFLICT or attempt == _TRIES - 1:  # the operator writes its status all the time
                raise
        else:
            return


def _merge(access: Access, path: str, change: dict[str, Any]) -> None:
    access.client.request(
        "PATCH", path, query={"fieldManager": _MANAGER}, body=change, content_type="application/merge-patch+json"
    )
