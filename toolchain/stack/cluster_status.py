"""How the workloads of a stack on Kubernetes are, told from the cluster and from what the stack's outputs say of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from toolchain.stack.cluster_access import NAME, POOLER, Access, Json
from toolchain.stack.state import Output
from toolchain.stack.status import Service

_KINDS = ("/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets", "/apis/apps/v1/daemonsets")


def of_stack(access: Access, instance: str, outputs: Mapping[str, Output]) -> list[Service]:
    """The services that the stack's outputs name, as they are in the cluster.

    Args:
        access: The cluster.
        instance: Value of the label that all objects of the stack have.
        outputs: Of the stack.
    """
    workloads = {_service(w): w for kind in _KINDS for w in access.of_stack(kind, instance)}
    jobs: dict[str, Json] = {}
    for job in sorted(
        access.of_stack("/apis/batch/v1/jobs", instance), key=lambda j: str(j["metadata"].get("creationTimestamp"))
    ):
        jobs[_service(job)] = job
    pods = access.of_stack("/api/v1/pods", instance)
    for name in (w["service"] for w in _plain(outputs, "WORKLOADS", []) if w.get("operated") == "pooler"):
        own, namespace = f"{POOLER}={name}", access.place.namespace
        for workload in access.items(f"/apis/apps/v1/namespaces/{namespace}/deployments", labelSelector=own):
            workloads[name] = workload
        pods += access.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=own)
    images = _plain(outputs, "IMAGES", {})
    found = []
    for wanted in _plain(outputs, "WORKLOADS", []):
        name = wanted["service"]
        of_it = [pod for pod in pods if name in (_service(pod), _labels(pod).get(POOLER))]
        ready, state = _of_job(jobs.get(name)) if wanted["job"] else _of_server(workloads.get(name), of_it)
        image = images.get(name, {})
        status = "running" if of_it else "missing"
        if wanted["job"]:
            status = {"missing": "missing", "running": "running"}.get(state, "exited")  # its pod may be gone when it has ended
        found.append(
            Service(
                component=wanted["component"],
                service=name,
                container=name,
                job=bool(wanted["job"]),
                optional=bool(wanted["optional"]),
                state=state,
                status=status,
                health=None if wanted["job"] else "healthy" if ready else "unhealthy",
                well=ready,
                image=image.get("reference", ""),
                image_kind=image.get("kind", ""),
                ports=(),
            )
        )
    return found


def _labels(item: Json) -> Mapping[str, Any]:
    return item["metadata"].get("labels") or {}


def _service(item: Json) -> str:
    return str(_labels(item).get(NAME, ""))


def _plain(outputs: Mapping[str, Output], name: str, default: Any) -> Any:
    output = outputs.get(name)
    return output.value if output and isinstance(output.value, type(default)) else default


def _of_server(workload: Json | None, pods: Sequence[Json]) -> tuple[bool, str]:
    """Whether all its pods are ready, and its state in words."""
    if workload is None:
        # An operator's pods, or nothing.
        ready = sum(map(_is_ready, pods))
        wanted = len(pods)
    else:
        spec, status = workload.get("spec") or {}, workload.get("status") or {}
        wanted = int(status.get("desiredNumberScheduled", spec.get("replicas", 1)) or 0)
        ready = int(status.get("readyReplicas", status.get("numberReady", 0)) or 0)
    if wanted == 0:
        return False, "missing" if workload is None else "scaled to none"
    if ready >= wanted:
        return True, "ready" if wanted == 1 else f"{ready} of {wanted} ready"
    why = next((reason for pod in pods if (reason := _reason(pod)) is not None), "")
    return False, ", ".join(filter(None, (f"{ready} of {wanted} ready", why)))


def _of_job(job: Json | None) -> tuple[bool, str]:
    if job is None:
        return False, "missing"
    states = {c["type"]: c.get("status") == "True" for c in (job.get("status") or {}).get("conditions") or ()}
    if states.get("Complete"):
        return True, "done"
    return (False, "failed") if states.get("Failed") else (True, "running")


def _is_ready(pod: Json) -> bool:
    return any(c["type"] == "Ready" and c.get("status") == "True" for c in (pod.get("status") or {}).get("conditions") or ())


def _reason(pod: Json) -> str | None:
    """Why a pod is not ready, in the kubelet's or the scheduler's word: `CrashLoopBackOff`."""
    status = pod.get("status") or {}
    containers: Iterable[Json] = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
    for container in containers:
        reason = ((container.get("state") or {}).get("waiting") or {}).get("reason")
        if reason:
            return str(reason)
    unscheduled = [c for c in status.get("conditions") or () if c["type"] == "PodScheduled" and c.get("status") == "False"]
    return str(unscheduled[0].get("reason", "Pending")) if unscheduled else None
