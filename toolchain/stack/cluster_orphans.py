"""Before an up: what carries this stack's id in its cluster but is not in its state was left by a killed engine, and is removed.

Else the next engine would meet it and fail, since it exists already. Claims are never removed, nor what an operator answers for: with a
database's Cluster its data would go.
"""

from datetime import datetime
from typing import Final

from toolchain.announce import note
from toolchain.stack.cluster_access import STACK_ID, Access, Json
from toolchain.stack.state import NAMESPACE, StackState

_KINDS: Final = {
    "kubernetes:core/v1:Service": "/api/v1/namespaces/{}/services",
    "kubernetes:core/v1:Secret": "/api/v1/namespaces/{}/secrets",
    "kubernetes:core/v1:ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "kubernetes:core/v1:ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "kubernetes:apps/v1:Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "kubernetes:apps/v1:StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "kubernetes:apps/v1:DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "kubernetes:batch/v1:Job": "/apis/batch/v1/namespaces/{}/jobs",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "kubernetes:networking.k8s.io/v1:Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "kubernetes:policy/v1:PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
}


def remove(access: Access, state: StackState, older_than: float) -> None:
    """Name and remove what is left. Nothing is ours while the state has no stack id.

    `older_than`: what was made after this time (seconds since 1970) is left alone, since its engine may be at work still.
    """
    stack_id = state.stack_id
    if stack_id is None:
        return
    for namespace in access.namespaces(stack_id):
        if namespace not in state.ids(NAMESPACE) and not access.claims(namespace):
            found = access.find(f"/api/v1/namespaces/{namespace}")
            if found is not None and _made(found) <= older_than:
                note(f"leftover: removing namespace {namespace}, of this stack but not in its state; no data is in it")
                access.remove_namespace(namespace)
            continue
        for kind, path in _KINDS.items():
            known = state.ids(kind)
            for item in access.items(path.format(namespace)):
                metadata = item["metadata"]
                name = metadata["name"]
                ours = (metadata.get("annotations") or {}).get(STACK_ID) == stack_id and not metadata.get("ownerReferences")
                if ours and f"{namespace}/{name}" not in known and _made(item) <= older_than:
                    note(f"leftover: removing {kind.rpartition(':')[2]} {name}, of this stack but not in its state")
                    access.remove(f"{path.format(namespace)}/{name}")


def _made(item: Json) -> float:
    return datetime.fromisoformat(item["metadata"]["creationTimestamp"]).timestamp()
