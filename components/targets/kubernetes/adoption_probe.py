"""Before a stack takes over what an earlier one left: whether each object of a name that it wants is that one's."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.targets.kubernetes.api import Cluster, Refused, Unreachable
from components.targets.kubernetes.naming import STACK_ID
from components.targets.kubernetes.probe import reached, unreachable


def before(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
    """Every object of a wanted name that does not carry the stack's id. It only looks."""
    del preview
    if parameters["stack_id"] is None:
        return []
    try:
        return list(_foreign(parameters, reached(parameters)))
    except (Unreachable, Refused) as error:
        return [unreachable(parameters, error)]


def _foreign(parameters: Mapping[str, Any], cluster: Cluster) -> Iterator[str]:
    known: dict[str, dict[str, str]] = {}
    for wanted in parameters["wanted"] or ():
        api, kind, namespace, name = (wanted[key] for key in ("api", "kind", "namespace", "name"))
        base = f"/apis/{api}" if "/" in api else f"/api/{api}"
        if base not in known:
            known[base] = _plurals(cluster, base)
        if kind not in known[base]:
            continue
        found = cluster.find(f"{base}{f'/namespaces/{namespace}' if namespace else ''}/{known[base][kind]}/{name}")
        if found is None or (found["metadata"].get("annotations") or {}).get(STACK_ID) == parameters["stack_id"]:
            continue
        where = f" in namespace {namespace}" if namespace else ""
        yield (
            f"there is a {kind} {name}{where} that is not of the stack with id {parameters['stack_id']} (supastack:stackId), and this "
            f"stack needs one of that name. Nothing was touched. Give it another name, or choose another namespace: kubernetes.namespace."
        )


def _plurals(cluster: Cluster, base: str) -> dict[str, str]:
    """The name of each kind in the paths of an API group; none where the cluster does not know the group."""
    listed = (cluster.find(base) or {}).get("resources") or ()
    return {str(entry["kind"]): str(entry["name"]) for entry in listed if "/" not in str(entry["name"])}


def paired(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:  # noqa: ARG001 - there is no volume
    """Nothing."""
    return ()


def after(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:  # noqa: ARG001 - nothing is deployed by it
    """Nothing."""
    return ()
