"""When Services, Ingresses and claims are ready.

provider/pkg/await: service.go, ingress.go, awaiters.go. The official plugin lets endpoints settle for ten seconds; here they count
at once.
"""

from collections.abc import Mapping
from typing import Any

from toolchain.plugins.kubernetes.client import ApiError
from toolchain.plugins.kubernetes.cluster import Cluster
from toolchain.plugins.kubernetes.objects import name_of, namespace_of, pluck

from .look import READY, Look, waiting

Live = Mapping[str, Any]


def service(cluster: Cluster, live: Live) -> Look:
    """It leads to pods, and a LoadBalancer has its address. Headless ones, names, and ones without a selector lead to none."""
    kind = pluck(live, "spec", "type") or "ClusterIP"
    plain = kind == "ExternalName" or pluck(live, "spec", "clusterIP") == "None" or not pluck(live, "spec", "selector")
    if not plain and not _has_endpoints(cluster, namespace_of(live), name_of(live)):
        return waiting("the Service does not target any Pods: the selected ones may not be ready, or the selector matches none")
    if kind == "LoadBalancer" and not pluck(live, "status", "loadBalancer", "ingress"):
        return waiting("the Service was not given an address; does the cluster have load balancers?")
    return READY


def ingress(cluster: Cluster, live: Live) -> Look:
    """Its controller has given it an address, and every path leads to a Service that is there."""
    for rule in pluck(live, "spec", "rules") or []:
        for path in pluck(rule, "http", "paths") or []:
            name = pluck(path, "backend", "service", "name")
            if name and not _exists(cluster, namespace_of(live), str(name)):
                return waiting(f"the Ingress leads to the Service {name}, which is not there")
    if not pluck(live, "status", "loadBalancer", "ingress"):
        return waiting("the Ingress was not given an address; is a controller of its class running?")
    return READY


def claim(cluster: Cluster, live: Live) -> Look:
    """Bound, or waiting for its first consumer where the storage class binds so late."""
    phase = pluck(live, "status", "phase")
    if phase == "Bound" or (phase == "Pending" and _binds_late(cluster, live)):
        return READY
    return waiting(f"the claim is {phase or 'not seen yet'}")


def _binds_late(cluster: Cluster, live: Live) -> bool:
    name = pluck(live, "spec", "storageClassName")
    if not name:
        return False
    try:
        found = cluster.get({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}})
    except ApiError:
        return False
    return found.get("volumeBindingMode") == "WaitForFirstConsumer"


def _has_endpoints(cluster: Cluster, namespace: str, name: str) -> bool:
    slices = cluster.list("discovery.k8s.io/v1", "EndpointSlice", namespace, labelSelector=f"kubernetes.io/service-name={name}")
    return any(entry.get("endpoints") for entry in slices)


def _exists(cluster: Cluster, namespace: str, name: str) -> bool:
    try:
        cluster.get({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}})
    except ApiError as error:
        if error.is_not_found:
            return False
        raise
    return True
