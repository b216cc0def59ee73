"""Why an object is not ready: what its pods, its controllers and their events say, and the last lines that its containers wrote."""

from collections.abc import Iterator, Mapping
from typing import Any

from toolchain.plugins.kubernetes.client import ApiError
from toolchain.plugins.kubernetes.cluster import Cluster
from toolchain.plugins.kubernetes.objects import kind_id, name_of, namespace_of, pluck

Live = Mapping[str, Any]

_MOST_PODS = 3
_LOG_LINES = 10
_MOST_EVENTS = 5
_OWNERS = frozenset({"apps/v1/DaemonSet", "apps/v1/Deployment", "apps/v1/StatefulSet", "batch/v1/Job"})
_NO_TIME_MENDS = frozenset({"ErrImageNeverPull", "InvalidImageName"})
"""Reasons of a waiting container (kubelet, pkg/kubelet/images/types.go)."""
_REFUSED = "refused: "
"""So a health check of Supastack's begins what it says where waiting can't help; what other pods say means nothing here."""
_NOT_YET = frozenset({"ContainerCreating", "PodInitializing"})


def of(cluster: Cluster, live: Live) -> list[str]:
    """The reasons, each a sentence, the most telling first; each only once."""
    found = [*_of_conditions(live)]
    if kind_id(live) == "v1/Pod":
        found += _of_pod(cluster, live)
    elif kind_id(live) in _OWNERS:
        for owner in _controllers(cluster, live):
            found += _of_events(cluster, owner)
        for pod in _unready(cluster, live)[:_MOST_PODS]:
            if _is_left_behind(pod, live):
                found.append(
                    f"Pod {name_of(pod)} never got ready before the change, and Kubernetes does not replace it: delete it"
                )
            found += _of_pod(cluster, pod)
        found += _of_claims(cluster, live)
    found += _of_events(cluster, live)
    return list(dict.fromkeys(found))


def hopeless(cluster: Cluster, live: Live) -> str:
    """Why waiting longer is of no use, of a workload that is not ready: an image that no time brings, a health check that says so.

    The official plugin waits for its whole time limit.
    """
    if kind_id(live) not in _OWNERS:
        return ""
    for pod in _unready(cluster, live):
        if _is_left_behind(pod, live):
            continue
        for status in _container_statuses(pod):
            reason = pluck(status, "state", "waiting", "reason")
            if reason in _NO_TIME_MENDS:
                return f"the image of container {status.get('name')} in Pod {name_of(pod)} can't be had: {reason}"
        is_ours = pluck(pod, "metadata", "labels", "app.kubernetes.io/part-of") == "supastack"
        for text in _of_events(cluster, pod) if is_ours else ():
            if _REFUSED in text:
                return f"the health check of Pod {name_of(pod)} says that it will not get well"
    return ""


def _of_conditions(live: Live) -> Iterator[str]:
    """What a controller says that is wrong."""
    for entry in pluck(live, "status", "conditions") or []:
        bad = (entry.get("type") in {"ReplicaFailure", "Failed"}) == (entry.get("status") == "True")
        if bad and entry.get("message") and kind_id(live) != "v1/Pod":
            yield f"[{entry.get('reason')}] {entry['message']}"


def _controllers(cluster: Cluster, live: Live) -> list[Live]:
    """The ReplicaSets of a Deployment's latest revision: it is they that are refused pods."""
    if kind_id(live) != "apps/v1/Deployment":
        return []
    revision = pluck(live, "metadata", "annotations", "deployment.kubernetes.io/revision")
    sets = cluster.list("apps/v1", "ReplicaSet", namespace_of(live))
    return [
        {**entry, "apiVersion": "apps/v1", "kind": "ReplicaSet"}
        for entry in sets
        if _is_owned(entry, {str(pluck(live, "metadata", "uid"))})
        and pluck(entry, "metadata", "annotations", "deployment.kubernetes.io/revision") == revision
    ]


def _is_owned(item: Live, uids: set[str]) -> bool:
    return any(owner.get("uid") in uids for owner in pluck(item, "metadata", "ownerReferences") or [])


def _unready(cluster: Cluster, live: Live) -> list[Live]:
    owners = {str(pluck(entry, "metadata", "uid")) for entry in (live, *_controllers(cluster, live))}
    pods = [pod for pod in cluster.list("v1", "Pod", namespace_of(live)) if _is_owned(pod, owners)]
    return [{**pod, "apiVersion": "v1", "kind": "Pod"} for pod in pods if not _is_fine(pod)]


def _is_fine(pod: Live) -> bool:
    if pluck(pod, "status", "phase") == "Succeeded":
        return True
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in pluck(pod, "status", "conditions") or [])


def _of_pod(cluster: Cluster, pod: Live) -> Iterator[str]:
    name = f"Pod {namespace_of(pod)}/{name_of(pod)}"
    for entry in pluck(pod, "status", "conditions") or []:
        if entry.get("type") == "PodScheduled" and entry.get("status") != "True" and entry.get("message"):
            yield f"{name}: [{entry.get('reason')}] {entry['message']}"
    if pluck(pod, "status", "phase") == "Failed" and pluck(pod, "status", "message"):
        yield f"{name}: [{pluck(pod, 'status', 'reason')}] {pluck(pod, 'status', 'message')}"
    for status in _container_statuses(pod):
        said = list(_of_container(status))
        yield from (f"{name}, container {status.get('name')}: {text}" for text in said)
        if said or (not status.get("ready") and pluck(status, "state", "running")):
            yield from _of_log(cluster, pod, status, name)
    yield from _of_events(cluster, pod, name)


def _container_statuses(pod: Live) -> list[Live]:
    return [*(pluck(pod, "status", "initContainerStatuses") or []), *(pluck(pod, "status", "containerStatuses") or [])]


def _is_left_behind(pod: Live, live: Live) -> bool:
    """Whether a StatefulSet's pod is of an older revision: one that never got ready is not replaced by Kubernetes.

    kubernetes.io, StatefulSet, "Forced rollback".
    """
    latest = pluck(live, "status", "updateRevision")
    return bool(latest) and pluck(pod, "metadata", "labels", "controller-revision-hash") not in (None, latest)


def _of_container(status: Live) -> Iterator[str]:
    """Image pulls, crash loops, exit codes (checker/pod/check.go)."""
    state, last = status.get("state") or {}, pluck(status, "lastState", "terminated")
    held = state.get("waiting")
    if held and held.get("reason") not in _NOT_YET:
        yield f"[{held.get('reason')}] {held.get('message') or ''}".strip()
    ended = state.get("terminated")
    for end in (ended, last):
        if end and (end.get("exitCode") or not status.get("ready")) and end.get("reason") != "Completed":
            text = f"ended with exit code {end.get('exitCode')} ({end.get('reason')})"
            yield f"{text}: {end['message'].strip()}" if end.get("message") else text


def _of_log(cluster: Cluster, pod: Live, status: Live, name: str) -> Iterator[str]:
    container = str(status.get("name"))
    # Of one that waits for its next start, the last run tells.
    previous = bool(pluck(status, "state", "waiting")) and bool(pluck(status, "lastState", "terminated"))
    if not previous and not (pluck(status, "state", "running") or pluck(status, "state", "terminated")):
        return
    try:
        text = cluster.log(namespace_of(pod), name_of(pod), container, previous=previous, lines=_LOG_LINES).strip()
    except ApiError:
        return
    if text:
        yield f"{name}, container {container}, last lines of its log:\n" + "\n".join(f"  {line}" for line in text.splitlines())


def _of_claims(cluster: Cluster, live: Live) -> Iterator[str]:
    """Claims that the pods mount and that are not bound."""
    volumes = pluck(live, "spec", "template", "spec", "volumes") or []
    names = {pluck(volume, "persistentVolumeClaim", "claimName") for volume in volumes} - {None}
    for entry in cluster.list("v1", "PersistentVolumeClaim", namespace_of(live)) if names else []:
        if name_of(entry) in names and pluck(entry, "status", "phase") != "Bound":
            claim = {**entry, "apiVersion": "v1", "kind": "PersistentVolumeClaim"}
            yield f"claim {name_of(entry)} is {pluck(entry, 'status', 'phase')}"
            yield from _of_events(cluster, claim)


def _of_events(cluster: Cluster, item: Live, name: str = "") -> Iterator[str]:
    """The latest warnings about an object: failed probes, refused pods, volumes that can't be mounted."""
    uid = pluck(item, "metadata", "uid")
    if not uid or not namespace_of(item):
        return
    selector = f"involvedObject.uid={uid},type=Warning"
    events = cluster.list("v1", "Event", namespace_of(item), fieldSelector=selector)
    events.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    about = name or f"{item.get('kind')} {name_of(item)}"
    for event in events[-_MOST_EVENTS:]:
        yield f"{about}: [{event.get('reason')}] {str(event.get('message') or '').strip()}"
