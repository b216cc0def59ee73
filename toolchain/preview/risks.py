"""Which changes put data at risk: by the type of a resource and what it holds, no provider is asked."""

from collections.abc import Mapping
from typing import Any, Final

from components.data_moves import moves
from toolchain.stack.state import GENERATED, VOLUME

_PRECIOUS = "supastack.precious"
"""The label on Docker volumes whose data can't be made again."""
_CLAIM: Final = "kubernetes:core/v1:PersistentVolumeClaim"
_STATEFUL: Final = "kubernetes:apps/v1:StatefulSet"
_NAMESPACE: Final = "kubernetes:core/v1:Namespace"
_OPERATED: Final = "kubernetes:postgresql.cnpg.io/v1:Cluster"
_PLACES: Final = "pulumi-python:dynamic/supastack:DataPlaces"
"""Where the data is (components/data_places.py)."""
_BACKUPS: Final = "kubernetes:barmancloud.cnpg.io/v1:ObjectStore"


def of(
    kind: str, held: Mapping[str, Any], *, goes: bool, anew: bool = False, gone: bool = False, retained: bool = False
) -> str | None:
    """What happens to data; None: nothing.

    Args:
        kind: The resource's type.
        held: Its inputs, as they are.
        goes: It is deleted, or replaced.
        anew: It is replaced.
        gone: Other hands have removed it already.
        retained: What it stands for stays when the stack lets go of it.
    """
    if not goes:
        return None
    if kind == VOLUME and _is_precious(held):
        if gone:
            return "the volume is gone, and what was in it"
        if retained:
            return f"the volume stays on the daemon, with what is in it, but the stack lets go of it{_ANEW if anew else ''}"
        return f"the volume is removed, with what is in it{_ANEW if anew else ''}"
    if kind == _NAMESPACE and _is_privileged(held):
        return None
    if kind in _CLUSTER_KINDS:
        return _CLUSTER_KINDS[kind][2 if gone else 1 if retained else 0]
    if kind in GENERATED:
        return f"the secret is {'made anew' if anew else 'forgotten'}: data that was made with the old one does not open with another"
    return None


def moved(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """What of data stays behind where a resource changes in place; None: nothing.

    Args:
        kind: The resource's type.
        old: Its inputs now.
        new: Its inputs then.
    """
    return (" ".join(f"{line}." for line in moves(old, new)) or None) if kind == _PLACES else None


_ANEW = "; the new one is empty"
_CLUSTER_KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    _CLAIM: (
        "the claim is removed; with most storage classes its data goes with it",
        "the claim stays in the cluster, but the stack lets go of it",
        "the claim is gone; with most storage classes its data is too",
    ),
    _STATEFUL: (
        "its pods end; the claims with its data stay, and are taken up again only under the same name",
        "it stays in the cluster, but the stack lets go of it",
        "it is gone; the claims with its data may still be there",
    ),
    _OPERATED: (
        "the operator removes the database, its claims with it",
        "the database stays in the cluster, but the stack lets go of it",
        "the database is gone; the operator removes its claims with it",
    ),
    _BACKUPS: (
        "the database's backups end here; those that were made stay in their store, and none is removed as too old any more",
        "the database's backups end here; those that were made stay in their store, and none is removed as too old any more",
        "the database is backed up no more; backups that were made are in their store",
    ),
    _NAMESPACE: (
        "everything in the namespace is removed, its claims too",
        "the namespace stays in the cluster, but the stack lets go of it",
        "the namespace is gone, and all that was in it",
    ),
}
"""What is said where it is removed, where it is retained, where it is gone already."""


def _is_privileged(held: Mapping[str, Any]) -> bool:
    """Whether it is that of what reads all pods' logs, which keeps no data (components/targets/kubernetes/namespace.py)."""
    metadata = held.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return isinstance(labels, Mapping) and labels.get("pod-security.kubernetes.io/enforce") == "privileged"


def _is_precious(held: Mapping[str, Any]) -> bool:
    labels = held.get("labels")
    return isinstance(labels, list) and any(
        isinstance(label, Mapping) and label.get("label") == _PRECIOUS and label.get("value") == "true" for label in labels
    )
