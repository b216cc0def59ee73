"""Whether workloads are ready, and if not, why: told from the objects as Kubernetes' API gives them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.targets.kubernetes.naming import NAME

Json = Mapping[str, Any]
REFUSED: Final = "refused:"
"""So a health check begins what it says where waiting can't help: cause and cure follow."""
_HOPELESS: Final = frozenset({"ErrImageNeverPull", "InvalidImageName"})
"""Reasons of a waiting container that no time mends (kubelet, pkg/kubelet/images/types.go)."""
POOLER: Final = "cnpg.io/poolerName"
"""Label of all that CloudNativePG makes of a Pooler: its name (its documentation, "Labels and annotations").

Its other labels are the operator's own, and none of the stack's.
"""
_SAID_CHARACTERS: Final = 600
_ABSENT: Final = "!it does not exist"


@dataclass(frozen=True, slots=True)
class Found:
    """What is in the stack's namespaces: workloads, their pods, and the warnings that were written of them."""

    deployments: Sequence[Json] = ()
    stateful_sets: Sequence[Json] = ()
    daemon_sets: Sequence[Json] = ()
    jobs: Sequence[Json] = ()
    pods: Sequence[Json] = ()
    events: Sequence[Json] = ()
    clusters: Sequence[Json] = ()
    """Database servers that CloudNativePG runs."""


def unready(service: str, job: bool, found: Found, *, operated: bool = False) -> str | None:
    """Why a service is not well yet, None when it is; with a leading `!` where waiting can't help.

    Args:
        service: Its name.
        job: Whether it is a job.
        found: What is there.
        operated: Whether an operator makes it, which may still come to it.
    """
    if job:
        return _job(service, found)
    workloads = [
        w
        for w in (*found.deployments, *found.stateful_sets, *found.daemon_sets)
        if _of(w, service) and w["metadata"]["name"] == service
    ]
    if not workloads:
        why = _operated(service, found)
        return "its operator has not made it yet" if operated and why == _ABSENT else why
    (workload, *_) = workloads
    lacking = _lacking(workload)
    if lacking is None:
        return None
    pods = [pod for pod in found.pods if _of(pod, service) and not _ready(pod)]
    return _of_pods(pods, found) or _condition(workload) or lacking


def _operated(service: str, found: Found) -> str | None:
    """An operator's pods have the name, and no workload of ours."""
    pods = [pod for pod in found.pods if _of(pod, service)]
    if not pods:
        return _ABSENT
    if not all(map(_ready, pods)):
        return _of_pods(pods, found)
    for cluster in found.clusters:
        if not (cluster.get("spec") or {}).get("plugins"):
            # Of backups that were turned off: its log is no more archived, nor waits to be.
            continue
        for condition in (cluster.get("status") or {}).get("conditions") or ():
            # Without it backups are none, and the log fills the volume: the operator itself calls such a cluster healthy.
            if _of(cluster, service) and condition.get("type") == "ContinuousArchiving" and condition.get("status") == "False":
                return _short(f"its write-ahead log is not archived, so its volume fills: {condition.get('message', '')}")
    return None


def _of(item: Json, service: str) -> bool:
    labels = item["metadata"].get("labels") or {}
    return service in (labels.get(NAME), labels.get(POOLER))


def _lacking(workload: Json) -> str | None:
    """What the controller still has to do; None where all is done."""
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    if int(status.get("observedGeneration") or 0) < int(workload["metadata"].get("generation") or 0):
        return "its change has not been seen yet"
    if "desiredNumberScheduled" in status:  # a DaemonSet
        wanted, updated, ready = (
            int(status.get(n) or 0) for n in ("desiredNumberScheduled", "updatedNumberScheduled", "numberReady")
        )
    else:
        wanted = int(spec["replicas"]) if spec.get("replicas") is not None else 1
        updated, ready = (int(status.get(n) or 0) for n in ("updatedReplicas", "readyReplicas"))
    if updated < wanted:
        return f"{updated} of {wanted} pods are updated"
    return None if ready >= wanted else f"{ready} of {wanted} pods are ready"


def _condition(workload: Json) -> str | None:
    """What the controller itself complains of: a quota, a Pod Security level, a deadline."""
    for condition in (workload.get("status") or {}).get("conditions") or ():
        failed = condition.get("type") == "ReplicaFailure" and condition.get("status") == "True"
        late = condition.get("reason") == "ProgressDeadlineExceeded"
        if failed or late:
            return _short(f"{condition.get('reason')}: {condition.get('message', '')}")
    return None


def _job(service: str, found: Found) -> str | None:
    jobs = sorted((j for j in found.jobs if _of(j, service)), key=lambda j: str(j["metadata"].get("creationTimestamp", "")))
    if not jobs:
        return _ABSENT
    job = jobs[-1]
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition.get("status") != "True":
            continue
        if condition.get("type") == "Complete":
            return None
        if condition.get("type") == "Failed":
            why = _of_pods([p for p in found.pods if _of(p, service)], found, ended=True)
            return "!" + (why or _short(f"it failed: {condition.get('reason')}: {condition.get('message', '')}")).lstrip("!")
    return _of_pods([p for p in found.pods if _of(p, service)], found) or "it runs"


def _ready(pod: Json) -> bool:
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return True  # on its way out: its successor counts
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ())


def _of_pods(pods: Iterable[Json], found: Found, *, ended: bool = False) -> str | None:
    """The plainest reason that any of these pods gives."""
    reasons = [why for pod in pods if (why := _of_pod(pod, found, ended=ended)) is not None]
    return min(reasons, key=lambda why: not why.startswith("!"), default=None)


def _of_pod(pod: Json, found: Found, *, ended: bool) -> str | None:
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _short(f"no node takes its pod: {condition.get('message', condition.get('reason', ''))}")
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for container in containers:
        state = container.get("state") or {}
        if waiting := state.get("waiting"):
            why = _waiting(container, waiting)
            if why is not None:
                return why
        over = state.get("terminated") or {}
        if ended and over.get("exitCode"):
            return f"{container['name']} ended with exit code {over['exitCode']}{_because(over)}"
    said = _event(pod, found)
    if said and REFUSED in said:
        return "!" + said[said.index(REFUSED) :]
    if said:
        return _short(said)
    starting = any(not c.get("ready") for c in containers) or not containers
    return "its pod is not ready yet" if starting else None


def _waiting(container: Json, waiting: Json) -> str | None:
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in ("PodInitializing", "ContainerCreating"):
        return None
    last = (container.get("lastState") or {}).get("terminated") or {}
    if reason == "CrashLoopBackOff" and last:
        return f"{container['name']} ends again and again, last with exit code {last.get('exitCode')}{_because(last)}"
    mark = "!" if reason in _HOPELESS else ""
    return mark + _short(f"{container['name']}: {reason}{f': {message}' if message else ''}")


def _because(over: Json) -> str:
    return ": it used more memory than its limit" if over.get("reason") == "OOMKilled" else ""


def _event(pod: Json, found: Found) -> str | None:
    """The last warning that was written of a pod: what its health check said stands there, and nowhere else."""
    uid = pod["metadata"].get("uid")
    warnings = [e for e in found.events if e.get("type") == "Warning" and (e.get("involvedObject") or {}).get("uid") == uid]
    last = max(warnings, key=lambda e: str(e.get("lastTimestamp") or e.get("eventTime") or ""), default=None)
    return None if last is None else " ".join(str(last.get("message", "")).split())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SAID_CHARACTERS else f"{text[:_SAID_CHARACTERS]} ..."
