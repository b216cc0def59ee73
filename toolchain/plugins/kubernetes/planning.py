"""Before anything is done: where an object goes, and what a change of it brings about."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import annotations, diff, kinds, naming
from .awaiting import workloads
from .checkpoint import inputs_and_live
from .client import ApiError, Unreachable
from .cluster import UnknownKindError
from .connection import Connection
from .normalize import normalize
from .objects import Object, kind_id, name_of, namespace_of, pluck, with_metadata
from .prune import prune


@dataclass(frozen=True)
class Plan:
    """What a change brings about.

    Attributes:
        changes: by path, in Pulumi's notation.
        replaces: the paths for which the object is replaced.
        delete_first: the replacement would have the old one's name, so that one goes first.
    """

    changes: Mapping[str, diff.Change] = field(default_factory=dict)
    replaces: list[str] = field(default_factory=list)
    delete_first: bool = False


def placed(item: Object, connection: Connection) -> Object:
    """`item` in the default namespace, if it is of a namespaced kind and names none (provider.go, Check)."""
    if namespace_of(item) or pluck(item, "metadata", "namespace") is not None or not is_namespaced(item, connection):
        return item
    namespace = connection.default_namespace()
    return with_metadata(item, namespace=namespace) if namespace else item


def is_namespaced(item: Mapping[str, Any], connection: Connection) -> bool:
    """Whether the kind lives in namespaces. Of one that nobody knows yet it is assumed."""
    built_in = kinds.known(item)
    if built_in is not None:
        return built_in.namespaced
    cluster = connection.cluster()
    if cluster is None:
        return True
    try:
        return cluster.is_namespaced(item)
    except (UnknownKindError, ApiError, Unreachable):
        return True


def plan(state: Object, item: Object, ignored: Collection[str], connection: Connection) -> Plan:
    """Compare the last state with the inputs (provider.go, Diff)."""
    old_inputs, live = inputs_and_live(state)
    old, new = prune(live, normalize(old_inputs)), normalize(item)
    if is_namespaced(new, connection):
        old = with_metadata(old, namespace=namespace_of(old) or "default")
        if pluck(new, "metadata", "namespace") is None:
            new = with_metadata(new, namespace="default")
    else:
        old, new = _without_namespace(old), _without_namespace(new)
    if not old.get("kind"):
        old = {**old, "apiVersion": new.get("apiVersion"), "kind": new.get("kind")}
    if name_of(new):
        old = with_metadata(old, name=name_of(live))
    settings = connection.settings
    replacing = kinds.replacing_fields(
        new, mutable_config_maps=settings.mutable_config_maps, mutable_secrets=settings.mutable_secrets
    )
    changes = diff.changes(old, new, replacing, ignored, live if kinds.is_built_in(new) else None)
    replaces = [path for path, change in changes.items() if change.replaces or (path == "metadata" and change.kind == "delete")]
    if _is_unready_job(new, live, connection):
        replaces.append(f'metadata.annotations["{annotations.REPLACE_UNREADY}"]')
    same_place = name_of(new) == name_of(live) and namespace_of(new) == (namespace_of(live) or namespace_of(new))
    delete_first = bool(replaces) and naming.has_name(new) and not naming.is_autonamed(new) and same_place
    return Plan(changes, replaces, delete_first)


def _without_namespace(item: Object) -> Object:
    metadata = item.get("metadata")
    if not isinstance(metadata, Mapping):
        return item
    return {**item, "metadata": {key: value for key, value in metadata.items() if key != "namespace"}}


def _is_unready_job(new: Mapping[str, Any], live: Object, connection: Connection) -> bool:
    """Whether a Job is to be replaced because it is not complete now; where that can't be asked, it is not."""
    if not annotations.is_true(new, annotations.REPLACE_UNREADY) or kind_id(new) != "batch/v1/Job":
        return False
    cluster = connection.cluster()
    if cluster is None:
        return False
    try:
        return not workloads.job(cluster.get(live)).ready
    except (ApiError, Unreachable):
        return False
