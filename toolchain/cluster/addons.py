"""What a cluster has from its first minute: DNS, a storage class, CRDs of the Gateway API and of cert-manager."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from toolchain.cluster import builds, pins
from toolchain.cluster.api import Api, documents
from toolchain.cluster.layout import DNS_ADDRESS, Layout
from toolchain.context import Context
from toolchain.setup.folders import key_of

STORAGE_CLASS = "standard"
PROVISIONER = "supastack.local/folders"

_COREFILE = """\
.:53 {
    errors
    health :8080 {
        lameduck 2s
    }
    ready :8181
    kubernetes cluster.local in-addr.arpa {
        pods insecure
        ttl 5
    }
    forward . /etc/resolv.conf
    cache 30
    reload
}
"""


def apply(api: Api, context: Context, layout: Layout) -> bool:
    """Apply them all where these were not applied before. Returns whether something was applied."""
    files = [
        *builds.module_files(context, pins.GATEWAY_API, "config/crd/standard/*.yaml").glob("*.yaml"),
        *builds.module_files(context, pins.CERT_MANAGER, "deploy/crds/*.yaml").glob("*.yaml"),
    ]
    base = [*_dns(layout), _storage_class()]
    key = key_of(*sorted(files), repr(base))
    marker = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "supastack-addons", "namespace": "kube-system"}}
    found = api.find("/api/v1/namespaces/kube-system/configmaps/supastack-addons")
    if found is not None and found["data"].get("key") == key:
        return False
    api.apply(*base)
    # The server takes tens of milliseconds for each, most of them waiting.
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(api.apply, _crds(files)))
    api.apply({**marker, "data": {"key": key}})
    return True


def _crds(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for file in sorted(files):
        for one in documents(file.read_text()):
            # Beside CRDs the Gateway API has an admission policy against downgrades of them.
            if one["kind"] == "CustomResourceDefinition":
                yield one


def _storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _dns(layout: Layout) -> list[dict[str, Any]]:
    labels = {"k8s-app": "kube-dns"}
    here = {"namespace": "kube-system"}
    forward = (layout.config / "resolv.conf").read_text().strip()
    corefile = _COREFILE if forward else _COREFILE.replace("    forward . /etc/resolv.conf\n", "")
    account = {"kind": "ServiceAccount", "name": "coredns", **here}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "supastack:coredns"}
    look = ["list", "watch"]
    container = {
        "name": "coredns",
        "image": pins.COREDNS_IMAGE,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "30Mi"}, "limits": {"memory": "170Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1, "failureThreshold": 30},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 30},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    pod = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        # On port 53 itself, as elsewhere: policies of a pod's egress are of the port that the DNS pod listens on.
        "securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
        "terminationGracePeriodSeconds": 5,
    }
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "coredns", **here}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": role["name"]},
            "rules": [
                {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": look},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": look},
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role["name"]},
            "roleRef": role,
            "subjects": [account],
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", **here}, "data": {"Corefile": corefile}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", "labels": labels, **here},
            "spec": {
                "clusterIP": DNS_ADDRESS,
                "selector": labels,
                "ports": [
                    {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns"},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": "dns-tcp"},
                ],
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "coredns", "labels": labels, **here},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
    ]
