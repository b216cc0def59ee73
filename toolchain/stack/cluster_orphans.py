"""Before an up: what carries this stack's id in its cluster but is not in its state was left by a killed engine, and is removed.

Else the next engine would meet it and fail, since it exists already. Claims are never removed, nor what an operator answers for: with a
database's Cluster its data would go.

The same where the state is lost and the setting `stackId` gives the id: what the program adopts is left for it
(`components.targets.kubernetes.adoption`), and what the old Secrets hold is kept under other names, since it is nowhere else any more.
So too in each later up with that setting: a takeover may have ended half-way, with the namespace in the state already.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain, count
from typing import Final

from toolchain.announce import note
from toolchain.stack.cluster_access import STACK_ID, Access, Json
from toolchain.stack.state import NAMESPACE, StackState

_SECRET: Final = "kubernetes:core/v1:Secret"
_POSTGRES: Final = "/apis/postgresql.cnpg.io/v1/namespaces/{}"
_RIGHTS: Final = "/apis/rbac.authorization.k8s.io/v1"
_KINDS: Final = {
    "kubernetes:core/v1:Service": "/api/v1/namespaces/{}/services",
    _SECRET: "/api/v1/namespaces/{}/secrets",
    "kubernetes:core/v1:ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "kubernetes:core/v1:ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "kubernetes:apps/v1:Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "kubernetes:apps/v1:StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "kubernetes:apps/v1:DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "kubernetes:batch/v1:Job": "/apis/batch/v1/namespaces/{}/jobs",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "kubernetes:networking.k8s.io/v1:Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute": "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes",
    "kubernetes:policy/v1:PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
}
"""Kinds in a namespace that no data hangs on. A StatefulSet's claims stay (its persistentVolumeClaimRetentionPolicy)."""
_BESIDE: Final = {
    "kubernetes:postgresql.cnpg.io/v1:Database": f"{_POSTGRES}/databases",
    "kubernetes:postgresql.cnpg.io/v1:Pooler": f"{_POSTGRES}/poolers",
    "kubernetes:postgresql.cnpg.io/v1:ScheduledBackup": f"{_POSTGRES}/scheduledbackups",
}
"""What belongs to a Cluster, and no data hangs on: the databases themselves stay (databaseReclaimPolicy). A stack that takes over adopts
them, since of a database that sleeps nobody would end them."""
_KEPT: Final = {
    "kubernetes:postgresql.cnpg.io/v1:Cluster": f"{_POSTGRES}/clusters",
    "kubernetes:barmancloud.cnpg.io/v1:ObjectStore": "/apis/barmancloud.cnpg.io/v1/namespaces/{}/objectstores",
}
"""What data hangs on, and its backups: never removed."""
_WIDE: Final = {
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": f"{_RIGHTS}/clusterroles",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": f"{_RIGHTS}/clusterrolebindings",
}
"""Kinds of the whole cluster; the names of ours begin with their namespace's."""
_RELOAD: Final = "cnpg.io/reload"
"""Label of Secrets that an operator reads for as long as its database is there: a stack that takes over adopts them."""
_BEFORE: Final = "before"
"""Ending of the name of a Secret's copy."""
_PASSWORD: Final = ("supabase-database", "database-password")
"""The Secret that holds the database's password, and its key (`components.targets.kubernetes.concerns`)."""


def lost(access: Access, state: StackState, instance: str, adopts: str | None) -> list[str]:
    """Namespaces of the stack that its state does not know, though they carry the id that the settings give.

    None where the state knows the stack's own: the one of what reads logs, which an earlier life left, holds no data.
    """
    known = state.ids(NAMESPACE)
    if adopts is None or known.intersection(access.own[:1]):
        return []
    return [namespace for namespace in access.namespaces(adopts, instance) if namespace in access.own and namespace not in known]


def holds_password(access: Access, namespaces: Iterable[str], stack_id: str) -> str | None:
    """The command that prints the password of a lost stack's database, where it has one of its own."""
    secret, key = _PASSWORD
    for namespace in namespaces:
        found = access.find(f"/api/v1/namespaces/{namespace}/secrets/{secret}")
        if found is not None and _is_ours(found, stack_id) and key in (found.get("data") or {}):
            return f"kubectl -n {namespace} get secret {secret} -o jsonpath='{{.data.{key}}}' | base64 -d"
    return None


def remove(access: Access, state: StackState, older_than: float, instance: str, adopts: str | None = None) -> None:
    """Name and remove what is left. Nothing is ours while the state has no stack id and none is given.

    `older_than`: what was made after this time (seconds since 1970) is left alone, since its engine may be at work still.
    `instance`: the stack's, `<project>-<stack>`. `adopts`: the id that the settings give.
    """
    known, taken = state.ids(NAMESPACE), lost(access, state, instance, adopts)
    removed: dict[str, str] = {}
    for stack_id in dict.fromkeys(found for found in (state.stack_id, adopts) if found is not None):
        for namespace in access.namespaces(stack_id, instance):
            adopted = stack_id == adopts
            if adopted and namespace not in known and namespace not in access.own:
                continue  # from when the settings named another namespace
            if adopted and namespace in taken:
                note(
                    f"taking over namespace {namespace} of stack id {stack_id}: its data stays, and what its Secrets hold, as "
                    f"<name>-{_BEFORE}; all else is made anew"
                )
            elif namespace not in known and not access.claims(namespace):
                found = access.find(f"/api/v1/namespaces/{namespace}")
                if found is not None and _made(found) <= older_than:
                    note(f"leftover: removing namespace {namespace}, of this stack but not in its state; no data is in it")
                    access.remove_namespace(namespace)
                continue
            if adopted:
                _keep_secrets(access, state, namespace, stack_id)
            else:
                _tell_kept(access, state, namespace, stack_id)
            removed |= _clear(access, state, namespace, stack_id, older_than, adopted=adopted)
    access.wait_gone(removed)


def _clear(
    access: Access, state: StackState, namespace: str, stack_id: str, older_than: float, *, adopted: bool
) -> dict[str, str]:
    """Remove what no data hangs on. Returns the UID of each by its path."""
    found = {kind: path.format(namespace) for kind, path in {**_KINDS, **({} if adopted else _BESIDE)}.items()}
    removed = {}
    for kind, path in {**found, **_WIDE}.items():
        known, within = state.ids(kind), "" if kind in _WIDE else f"{namespace}/"
        for item in access.those(path):
            metadata = item["metadata"]
            name = metadata["name"]
            if not _is_ours(item, stack_id) or f"{within}{name}" in known or _made(item) > older_than:
                continue
            if kind in _WIDE and not name.startswith(f"{namespace}-"):
                continue
            if adopted and kind == _SECRET and _is_read_on(item):
                continue
            note(f"leftover: removing {kind.rpartition(':')[2]} {name}, of this stack but not in its state")
            access.remove(f"{path}/{name}")
            removed[f"{path}/{name}"] = str(metadata.get("uid"))
    return removed


def _tell_kept(access: Access, state: StackState, namespace: str, stack_id: str) -> None:
    for kind, path in _KEPT.items():
        known = state.ids(kind)
        for item in access.those(path.format(namespace)):
            name = item["metadata"]["name"]
            if _is_ours(item, stack_id) and f"{namespace}/{name}" not in known:
                note(
                    f"leftover: {kind.rpartition(':')[2]} {name} is of this stack but not in its state; it was left alone, since data "
                    f"hangs on it. An up adopts it with the stack's own id as setting: `pulumi config set supastack:stackId {stack_id}`"
                )


def _keep_secrets(access: Access, state: StackState, namespace: str, stack_id: str) -> None:
    """Copies every Secret that the state does not know, once; what another life before it left stays beside."""
    path, known = f"/api/v1/namespaces/{namespace}/secrets", state.ids(_SECRET)
    for item in access.those(path):
        if not _is_ours(item, stack_id) or f"{namespace}/{item['metadata']['name']}" in known:
            continue
        data, first = item.get("data") or {}, f"{item['metadata']['name']}-{_BEFORE}"
        for name in chain([first], (f"{first}-{number}" for number in count(2))):
            found = access.find(f"{path}/{name}")
            if found is None:
                metadata = {"name": name, "namespace": namespace}
                body = {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": metadata,
                    "type": item.get("type", "Opaque"),
                    "data": data,
                }
                access.make(path, body)
            if found is None or (found.get("data") or {}) == data:
                break


def _is_ours(item: Json, stack_id: str) -> bool:
    metadata = item["metadata"]
    return (metadata.get("annotations") or {}).get(STACK_ID) == stack_id and not metadata.get("ownerReferences")


def _is_read_on(item: Json) -> bool:
    return _RELOAD in (item["metadata"].get("labels") or {})


def _made(item: Json) -> float:
    return datetime.fromisoformat(item["metadata"]["creationTimestamp"]).timestamp()
