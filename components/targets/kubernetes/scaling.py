"""How many pods a service has and where they go: replicas, disruption budgets, autoscalers, spread and priority."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.service import Kind, Service
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.naming import Stack

ZONE: Final = "topology.kubernetes.io/zone"
HOST: Final = "kubernetes.io/hostname"
# Five minutes without need before a pod goes (Kubernetes' own default), written out as it decides how long connections last.
_CALM_SECONDS: Final = 300


def may_be_many(service: Service) -> bool:
    """Whether more than one pod of it can run: it says so, and none of its volumes, or of those it shares, is one pod's alone."""
    return service.kind is Kind.SERVER and service.replicable and not service.kept and not service.mounts


def autoscaled(service: Service, settings: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """How the number of a service's pods follows their load, as `components.kubernetes_settings.Autoscaling`; None: it does not."""
    if (own := service.autoscaled) is not None:
        return {"minReplicas": service.replicas or 1, "maxReplicas": own.maximum, "cpuPercent": own.cpu_percent}
    found: Mapping[str, Any] | None = settings["autoscaling"].get(service.name)
    return found


def replicas(service: Service, settings: Mapping[str, Any]) -> int | None:
    """Pods of a service; None where an autoscaler decides.

    Args:
        service: A server.
        settings: The completed settings of the target.
    """
    if not may_be_many(service):
        return 1
    if autoscaled(service, settings) is not None:
        return None
    return int(settings["replicas"].get(service.name, service.replicas or 1))


def least(service: Service, settings: Mapping[str, Any]) -> int:
    """The fewest pods that a service has while nothing is wrong."""
    fixed, wanted = replicas(service, settings), autoscaled(service, settings)
    return int(wanted["minReplicas"]) if fixed is None and wanted is not None else fixed or 1


def keeps_data(service: Service) -> bool:
    """Whether it is a store that others of the stack live on, by what it says of its data (`identity`)."""
    return bool(service.kept and service.identity) and not service.optional


def scheduling(stack: Stack, service: Service, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a pod's spec that says where it goes and what it is worth."""
    spec: dict[str, Any] = {}
    if keeps_data(service) and "dataPriorityClass" in settings:
        spec["priorityClassName"] = settings["dataPriorityClass"]
    most = (autoscaled(service, settings) or {}).get("maxReplicas", least(service, settings))
    if not may_be_many(service) or most < 2:
        return spec
    return {**spec, **spread({"matchLabels": stack.selector(service.name)})}


def spread(selector: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a pod's spec by which the pods that a selector chooses go to different zones and nodes.

    Wishes, no conditions: on a cluster with one node or one zone the pods start all the same.
    """
    wish = {"podAffinityTerm": {"labelSelector": selector, "topologyKey": HOST}, "weight": 100}
    return {
        "topologySpreadConstraints": [
            {
                "labelSelector": selector,
                "matchLabelKeys": ["pod-template-hash"],
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
            }
            for key in (ZONE, HOST)
        ],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}},
    }


def scaling(
    stack: Stack, component: str, services: Iterable[Service], settings: Mapping[str, Any], after: Mapping[str, str] | None = None
) -> list[Manifest]:
    """The budgets and autoscalers of a component's services.

    A budget only where a pod can be spared: on a single one it would stop every drain of a node.

    Args:
        stack: Whose they are.
        component: The component's name.
        services: Its services.
        settings: The completed settings of the target.
        after: Name of the workload's manifest by service, where it is not `<component>-<service>`.
    """
    made: list[Manifest] = []
    for service in services:
        if service.off or not may_be_many(service):
            continue
        workload = (after or {}).get(service.name, f"{component}-{service.name}")
        if least(service, settings) >= 2:
            made.append(_budget(stack, component, service))
        if (wanted := autoscaled(service, settings)) is not None:
            made.append(_autoscaler(stack, component, service, wanted, workload))
    return made


def _budget(stack: Stack, component: str, service: Service) -> Manifest:
    return Manifest(
        name=f"{component}-{service.name}-budget",
        body={
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": stack.metadata(service.name, component, service.name),
            "spec": {
                "maxUnavailable": 1,
                "selector": {"matchLabels": stack.selector(service.name)},
                # A pod that is not ready serves nobody: keeping it would only stop the drain.
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            },
        },
    )


def _autoscaler(stack: Stack, component: str, service: Service, wanted: Mapping[str, Any], workload: str) -> Manifest:
    return Manifest(
        name=f"{component}-{service.name}-autoscaler",
        body={
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": stack.metadata(service.name, component, service.name),
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": service.name},
                "minReplicas": wanted["minReplicas"],
                "maxReplicas": wanted["maxReplicas"],
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "averageUtilization": wanted["cpuPercent"]},
                        },
                    }
                ],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": _CALM_SECONDS}},
            },
        },
        after=(workload,),
    )
