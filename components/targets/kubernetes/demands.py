"""What a cluster must have before a stack is made there: kinds, objects that the settings name, rights. Plain data for the probe."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from components.existing_secrets import references
from components.kubernetes_settings import Exposure
from components.plan import ENGINE_SETTING, Plan
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.pull_secret import source
from components.targets.kubernetes.scaling import autoscaled, least
from components.targets.kubernetes.storage import claim_name, given_size

_EXPOSURE = "supastack:kubernetes.exposure"


def demands(plan: Plan) -> dict[str, Any]:
    """What `components.targets.kubernetes.probe.before` is told beside where it looks."""
    settings: dict[str, Any] = dict(plan.kubernetes)
    stored = [service for each in plan.services.values() for service in each if not service.off and service.kept]
    return {
        "kinds": [*_kinds(settings), *_operated_kinds(plan)],
        "objects": list(_objects(settings, plan)),
        "drained": sorted(s.name for each in plan.services.values() for s in each if not s.off and s.drain),
        "default_storage": bool(stored) and "storageClass" not in settings,
        "claims": list(_claims(settings, plan)),
        "operated": [
            {"name": service.name, "identity": service.identity, "setting": ENGINE_SETTING[component]}
            for component, services in plan.services.items()
            for service in services
            if service.operated is not None
        ],
        "existing": [asdict(at) for at in references(settings, plan.settings.kubernetes.namespace)],
        "registry": None if (at := source(settings)) is None else {"namespace": at[0], "name": at[1]},
        "rights": [list(right) for right in _rights(settings, plan)],
    }


def _claims(settings: dict[str, Any], plan: Plan) -> Iterator[dict[str, Any]]:
    """What may be kept in the namespace, of what is turned off too."""
    for component, services in plan.services.items():
        for service in services:
            sizes = {volume.name: given_size(service, number, settings) for number, volume in enumerate(service.kept)}
            for volume in service.volumes:
                size = sizes.get(volume.name)
                yield {
                    "name": claim_name(service, volume.name),
                    "identity": service.identity,
                    "setting": ENGINE_SETTING[component],
                    **({} if size is None else {"service": service.name, "size": size}),
                }


def _kinds(settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Kinds of others, and what brings them."""
    exposure = settings["exposure"]
    if exposure["kind"] is Exposure.GATEWAY:
        yield {
            "group": "gateway.networking.k8s.io",
            "version": "v1",
            "kinds": ["Gateway", "HTTPRoute"],
            "setting": f"{_EXPOSURE}.kind: gateway",
            "from": "the Gateway API (gateway-api.sigs.k8s.io) and one of its controllers",
        }
    if "issuer" in exposure:
        yield {
            "group": "cert-manager.io",
            "version": "v1",
            "kinds": ["Certificate", "ClusterIssuer"],
            "setting": f"{_EXPOSURE}.issuer",
            "from": "cert-manager (cert-manager.io)",
        }


def _operated_kinds(plan: Plan) -> Iterator[dict[str, Any]]:
    """Kinds of the operators that run services."""
    setting = "supastack:supabase.database"
    for service in (service for each in plan.services.values() for service in each if not service.off):
        told = service.operated
        if told is None:
            continue
        yield {
            "group": "postgresql.cnpg.io",
            "version": "v1",
            "kinds": ["Cluster", "Database", *(["Pooler"] if told.pooler else []), *(["ScheduledBackup"] if told.backup else [])],
            "setting": f"{setting}.engine: cloudnativepg",
            "from": "CloudNativePG (cloudnative-pg.io)",
        }
        if told.backup is not None:
            yield {
                "group": "barmancloud.cnpg.io",
                "version": "v1",
                "kinds": ["ObjectStore"],
                "setting": f"{setting}.cnpg.backup.schedule",
                "from": "the Barman Cloud plugin of CloudNativePG (cloudnative-pg.io/plugin-barman-cloud)",
            }


def _objects(settings: dict[str, Any], plan: Plan) -> Iterator[dict[str, Any]]:
    """Objects of the cluster that the settings name."""
    exposure = settings["exposure"]

    def named(what: str, name: str, path: str, setting: str, section: str | None = None) -> dict[str, Any]:
        fix = f"Choose one of `kubectl get {what.lower()}s -A`, or have it made."
        return {"what": what, "name": name, "path": f"{path}/{name}", "setting": setting, "fix": fix, "section": section}

    if "storageClass" in settings:
        path = "/apis/storage.k8s.io/v1/storageclasses"
        yield named("StorageClass", settings["storageClass"], path, "supastack:kubernetes.storageClass")
    if "dataPriorityClass" in settings:
        path = "/apis/scheduling.k8s.io/v1/priorityclasses"
        yield named("PriorityClass", settings["dataPriorityClass"], path, "supastack:kubernetes.dataPriorityClass")
    if exposure["kind"] is Exposure.INGRESS:
        path = "/apis/networking.k8s.io/v1/ingressclasses"
        yield named("IngressClass", exposure["className"], path, f"{_EXPOSURE}.className")
    if exposure["kind"] is Exposure.GATEWAY:
        gateway = exposure["gateway"]
        namespace = gateway.get("namespace") or plan.settings.kubernetes.namespace
        path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/gateways"
        yield named("Gateway", gateway["name"], path, f"{_EXPOSURE}.gateway", gateway.get("section"))
    if "issuer" in exposure:
        yield named("ClusterIssuer", exposure["issuer"], "/apis/cert-manager.io/v1/clusterissuers", f"{_EXPOSURE}.issuer")


def _rights(settings: dict[str, Any], plan: Plan) -> Iterator[tuple[str, str, str]]:
    """API group, resource and namespace of all that is made; an empty namespace is the whole cluster."""
    stack = Stack(project="", stack="", namespace=plan.settings.kubernetes.namespace)
    running = [service for each in plan.services.values() for service in each if not service.off]
    own, exposure = stack.namespace, settings["exposure"]["kind"]
    yield "", "namespaces", ""
    for resource in ("configmaps", "secrets", "serviceaccounts", "services"):
        yield "", resource, own
    for resource in ("deployments", "statefulsets"):
        yield "apps", resource, own
    yield "batch", "jobs", own
    if settings["networkPolicy"]["enabled"]:
        yield "networking.k8s.io", "networkpolicies", own
    if any(least(service, settings) >= 2 for service in running):
        yield "policy", "poddisruptionbudgets", own
    if any(autoscaled(service, settings) for service in running):
        yield "autoscaling", "horizontalpodautoscalers", own
    if exposure is Exposure.GATEWAY:
        yield "gateway.networking.k8s.io", "httproutes", own
    if exposure is Exposure.INGRESS:
        yield "networking.k8s.io", "ingresses", own
    for kinds in _operated_kinds(plan):
        for kind in kinds["kinds"]:
            yield kinds["group"], f"{kind.lower()}s", own
    if any(map(stack.reads_logs, running)):
        yield from _rights_of_logs(settings, stack)


def _rights_of_logs(settings: dict[str, Any], stack: Stack) -> Iterator[tuple[str, str, str]]:
    yield "apps", "daemonsets", stack.logs_namespace
    if source(settings) is not None:
        yield "", "secrets", stack.logs_namespace
    for resource in ("clusterroles", "clusterrolebindings"):
        yield "rbac.authorization.k8s.io", resource, ""
