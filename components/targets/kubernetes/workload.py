"""The workload of a service: StatefulSet, Deployment, DaemonSet or Job."""

from collections.abc import Mapping
from typing import Any, Final

import pulumi

from components.service import Kind, Service
from components.targets.kubernetes import marks, scaling
from components.targets.kubernetes.inputs import joined, mapped
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.pod import Parts, version

_TRIES: Final = 4
"""How often a job is tried again, each time twice as long after the last. Chosen by us."""
_HISTORY: Final = 3


def kind(service: Service) -> str:
    """Which kind of workload a service is."""
    if service.kind is Kind.JOB:
        return "Job"
    if service.collects_logs:
        return "DaemonSet"
    return "StatefulSet" if service.kept else "Deployment"


def workload(
    stack: Stack,
    component: str,
    parts: Parts,
    template: Mapping[str, Any],
    settings: Mapping[str, Any],
    claims: list[dict[str, Any]],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The workload, and its properties that Pulumi leaves alone."""
    service = parts.service
    metadata: dict[str, Any] = stack.metadata(service.name, component, service.name, version(service))
    metadata["namespace"] = stack.home(service)
    metadata["labels"] = {**service.labels, **metadata["labels"]}
    selector = {"matchLabels": stack.selector(service.name)}
    match kind(service):
        case "Job":
            metadata["name"] = _job_name(parts, template)
            return _body("batch/v1", "Job", metadata, {"backoffLimit": _TRIES, "template": template}), ()
        case "DaemonSet":
            spec = {"revisionHistoryLimit": _HISTORY, "selector": selector, "template": template}
            return _body("apps/v1", "DaemonSet", metadata, spec), ()
        case "StatefulSet":
            spec = {
                # A pod that does not get ready would else stand in the way of its own mending.
                "podManagementPolicy": "Parallel",
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "replicas": 1,
                "revisionHistoryLimit": _HISTORY,
                "selector": selector,
                "serviceName": service.name,
                "template": template,
                "updateStrategy": {"type": "RollingUpdate"},
                "volumeClaimTemplates": claims,
            }
            # They count when a claim is made; to change one would make the StatefulSet anew, and leave the claims as they are.
            return _body("apps/v1", "StatefulSet", metadata, spec), ("spec.volumeClaimTemplates",)
        case _:
            return _deployment(service, metadata, selector, template, settings)


def _deployment(
    service: Service,
    metadata: dict[str, Any],
    selector: Mapping[str, Any],
    template: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    spec: dict[str, Any] = {
        "revisionHistoryLimit": _HISTORY,
        "selector": selector,
        "strategy": {"type": "Recreate"} if _has_claim(template) or not service.replicable else _rolling(service),
        "template": template,
    }
    if service.start_within is not None:
        spec["progressDeadlineSeconds"] = service.start_within
    count = scaling.replicas(service, settings)
    if count is None:
        return _body("apps/v1", "Deployment", metadata, spec), ("spec.replicas",)
    return _body("apps/v1", "Deployment", metadata, {**spec, "replicas": count}), ()


def _rolling(service: Service) -> dict[str, Any]:
    """An old pod goes when a new one is ready. Of what may be many, several at once: the time for all must not grow with their number."""
    many = service.replicas is not None or service.autoscaled is not None
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%" if many else 1, "maxUnavailable": 0}}


def _has_claim(template: Mapping[str, Any]) -> bool:
    return any("persistentVolumeClaim" in volume for volume in template["spec"]["volumes"])


def _job_name(parts: Parts, template: Mapping[str, Any]) -> pulumi.Input[str]:
    """A job can't be changed, so its name says what it does: whatever changes, also a secret, is another job, which is run.

    What is secret is in it by its mark alone. The pod's annotations have that already, and the mark of the files.
    """
    container = template["spec"]["containers"][0]
    values: dict[str, pulumi.Input[str]] = {f"annotation {name}": value for name, value in parts.annotations.items()}
    for entry in container.get("env", ()):
        values[f"env {entry['name']}"] = entry.get("value", "")
    for part in ("command", "args"):
        values |= {f"{part} {number}": word for number, word in enumerate(container.get(part, ()))}
    values["image"] = container["image"]
    mark = marks.content(values)
    return joined([parts.service.name, mapped(mark, lambda known: known[:8])], "-".join)


def _body(api: str, kind: str, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}
