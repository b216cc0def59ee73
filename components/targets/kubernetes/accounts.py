"""ServiceAccounts: one for each service, without a token; and the rights of the one that reads logs."""

from typing import Any

from components.service import Service
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.naming import Stack


def accounts(stack: Stack, component: str, service: Service) -> list[Manifest]:
    """The ServiceAccount of a service, and its rights."""
    metadata = {**stack.metadata(service.name, component, service.name), "namespace": stack.home(service)}
    found = [
        Manifest(
            name=f"{component}-{service.name}-account",
            body={"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False},
        )
    ]
    return [*found, *_rights(stack, component, service)] if Stack.reads_logs(service) else found


def _rights(stack: Stack, component: str, service: Service) -> list[Manifest]:
    """Vector tells of each line which pod it is from (its reference, `kubernetes_logs`: namespaces, nodes and pods, to list and watch)."""
    api = "rbac.authorization.k8s.io"
    name = f"{stack.logs_namespace}-{service.name}"
    metadata: dict[str, Any] = stack.metadata(name, component, service.name)
    del metadata["namespace"]
    role = f"{component}-{service.name}-role"
    return [
        Manifest(
            name=role,
            body={
                "apiVersion": f"{api}/v1",
                "kind": "ClusterRole",
                "metadata": metadata,
                "rules": [{"apiGroups": [""], "resources": ["namespaces", "nodes", "pods"], "verbs": ["list", "watch"]}],
            },
        ),
        Manifest(
            name=f"{component}-{service.name}-binding",
            body={
                "apiVersion": f"{api}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": service.name, "namespace": stack.logs_namespace}],
            },
            after=(role,),
        ),
    ]
