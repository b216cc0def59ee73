"""Pods of the stub image on a cluster of our own, and what they meet."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from toolchain.announce import ToolchainError
from toolchain.cluster.cluster import Cluster

STUB = "supastack.local/stub:1"
REFUSED, PROHIBITED, OPEN, SILENT = "refused", "prohibited", "open", "silent"


@contextlib.contextmanager
def a_namespace(own: Cluster, name: str, level: str = "restricted", **labels: str) -> Iterator[str]:
    labels = {"pod-security.kubernetes.io/enforce": level, **labels}
    own.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    # The account comes a moment after its namespace, and pods are refused until then.
    until(lambda: own.api.find(f"/api/v1/namespaces/{name}/serviceaccounts/default") is not None)
    try:
        yield name
    finally:
        own.api.delete(f"/api/v1/namespaces/{name}")


def until(done: Callable[[], Any], seconds: float = 180.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
    return found


def stub_pod(namespace: str, name: str, ports: str = "8080", **more: Any) -> dict[str, Any]:
    """A pod of the stub image that keeps to `restricted`; `labels`, `claim` and container ports (`named`) by wish."""
    container: dict[str, Any] = {
        "name": "stub",
        "image": STUB,
        "imagePullPolicy": "Never",
        "command": ["stub"],
        "env": [{"name": "STUB_PORTS", "value": ports}, {"name": "STUB_SERVICE", "value": "rest"}],
        "ports": more.get("named", []),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    spec: dict[str, Any] = {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    if "claim" in more:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": more["claim"]}}]
    labels = {"app": name, **more.get("labels", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": spec,
    }


def run_pods(own: Cluster, *pods: dict[str, Any]) -> None:
    own.api.apply(*pods)
    for pod in pods:
        wait_until_ready(own, pod["metadata"]["namespace"], pod["metadata"]["name"])


def wait_until_ready(own: Cluster, namespace: str, name: str) -> None:
    own.kubectl("wait", f"--namespace={namespace}", "--for=condition=Ready", f"pod/{name}", "--timeout=240s")


def service_for(namespace: str, name: str, pod: str, **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080}]
    metadata = {"name": name, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": {"app": pod}, "ports": ports, **spec},
    }


def small_claim(namespace: str, name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def in_pod(own: Cluster, namespace: str, pod: str, *command: str) -> str:
    return own.kubectl("exec", f"--namespace={namespace}", pod, "--", *command)


def connect(own: Cluster, namespace: str, pod: str, host: str, port: int) -> str:
    """What a pod meets at an address.

    `open`, `refused` (nobody listens there), `prohibited` (a policy is in the way) or `silent` (no answer in time).
    """
    script = f"exec 3<>/dev/tcp/{host}/{port}"
    command = ["exec", f"--namespace={namespace}", pod, "--", "timeout", "15", "bash", "-c", script]
    try:
        own.kubectl(*command)
    except ToolchainError as error:
        # 124 is how `timeout` says that the time was over.
        for said, meaning in (("No route to host", PROHIBITED), ("Connection refused", REFUSED), ("exit code 124", SILENT)):
            if said in str(error):
                return meaning
        raise
    return OPEN


def address_of(own: Cluster, namespace: str, pod: str) -> str:
    return str(own.api.get(f"/api/v1/namespaces/{namespace}/pods/{pod}")["status"]["podIP"])
