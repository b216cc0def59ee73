"""Before a stack takes over what an earlier one left: whether each object of a wanted name is that one's, and its keys are copied."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count, takewhile
from typing import Any, Final

from components.targets.kubernetes.api import Cluster, Json, Refused, Unreachable
from components.targets.kubernetes.naming import STACK_ID
from components.targets.kubernetes.probe import reached, unreachable

_BEFORE: Final = "before"
"""Ending of the name of a Secret's copy (`toolchain.stack.cluster_orphans`)."""


def before(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
    """Every object of a wanted name that does not carry the stack's id, and Secrets that would be lost. It only looks."""
    del preview
    if parameters["stack_id"] is None:
        return []
    try:
        cluster = reached(parameters)
        return [*_foreign(parameters, cluster), *_uncopied(parameters, cluster)]
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


def _uncopied(parameters: Mapping[str, Any], cluster: Cluster) -> Iterator[str]:
    """The Secrets of another state's keys that nobody has copied.

    Who took the stack over has passed this before; and a state that made the stack is given its own id, to adopt what a killed engine
    left. An empty one does not know its id yet in a preview.
    """
    stack_id, stack = parameters["stack_id"], parameters["stack"]
    if not parameters["new"] or parameters["own_id"] == stack_id:
        return
    found: dict[str, list[str]] = {}
    for secret in parameters["secrets"] or ():
        namespace, name = secret["namespace"], secret["name"]
        path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        held = cluster.find(path)
        if held is None or (held["metadata"].get("annotations") or {}).get(STACK_ID) != stack_id:
            continue
        if not _copied(cluster, path, held):
            found.setdefault(namespace, []).append(name)
    for namespace, names in found.items():
        yield (
            f"the state here knows nothing of the stack with id {stack_id} (supastack:stackId), and would write other keys over its last "
            f"ones: Secret {', '.join(names)} in namespace {namespace}. Nothing was touched. Where its state is elsewhere, go by that: "
            f"PULUMI_BACKEND_URL, `state` in delivery.yaml, or the clone that has it. To take it over: `make up STACK={stack} "
            f"CONFIRM={stack}`, which copies them first (docs/kubernetes.md, A lost state)."
        )


def _copied(cluster: Cluster, path: str, held: Json) -> bool:
    """Whether one of the copies, which are numbered from the second on, has the same in it."""
    paths = (f"{path}-{_BEFORE}{'' if number == 1 else f'-{number}'}" for number in count(1))
    copies = takewhile(bool, map(cluster.find, paths))
    return any((copy.get("data") or {}) == (held.get("data") or {}) for copy in copies if copy)


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
