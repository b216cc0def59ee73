"""When Deployments, StatefulSets, DaemonSets, Jobs and Pods are ready.

provider/pkg/await: deployment.go, statefulset.go, daemonset.go (kstatus), checker/job/check.go, checker/pod/check.go. Unlike the
official plugin, which looks at the ReplicaSet, a Deployment is judged by its own status, and none of them by a status that is older
than the change.
"""

from collections.abc import Mapping
from typing import Any

from toolchain.plugins.kubernetes.objects import pluck

from .look import READY, Look, condition, failed, is_observed, number, waiting

Live = Mapping[str, Any]


def deployment(live: Live) -> Look:
    """All replicas updated and ready, and the controller says that it is available and the rollout done."""
    if not is_observed(live):
        return waiting("the controller has not seen the change yet")
    wanted = number(live, "spec", "replicas", default=1)
    updated, ready = number(live, "status", "updatedReplicas"), number(live, "status", "readyReplicas")
    if updated < wanted or ready < wanted:
        return waiting(f"{min(updated, ready)} of {wanted} updated pods are ready")
    if condition(live, "Available").get("status") != "True":
        return waiting("the minimum of available pods is not reached")
    progress = condition(live, "Progressing")
    if progress and (progress.get("reason") != "NewReplicaSetAvailable" or progress.get("status") != "True"):
        return waiting("the rollout is not done")
    return READY


def stateful_set(live: Live) -> Look:
    """All replicas ready, and of the latest revision unless updates are made by hand."""
    if not is_observed(live):
        return waiting("the controller has not seen the change yet")
    wanted = number(live, "spec", "replicas", default=1)
    have, ready = number(live, "status", "replicas"), number(live, "status", "readyReplicas")
    if have != wanted or ready != wanted:
        return waiting(f"{ready} of {wanted} pods are ready")
    by_hand = pluck(live, "spec", "updateStrategy", "type") == "OnDelete" and number(live, "metadata", "generation") > 1
    if by_hand:
        return READY
    current, latest = pluck(live, "status", "currentRevision"), pluck(live, "status", "updateRevision")
    if current != latest or (wanted and number(live, "status", "currentReplicas") != wanted):
        return waiting(f"{number(live, 'status', 'updatedReplicas')} of {wanted} pods are updated")
    return READY


def daemon_set(live: Live) -> Look:
    """A ready and updated pod on every node that is to have one."""
    if not is_observed(live):
        return waiting("the controller has not seen the change yet")
    wanted = number(live, "status", "desiredNumberScheduled")
    updated, available = number(live, "status", "updatedNumberScheduled"), number(live, "status", "numberAvailable")
    ready = number(live, "status", "numberReady")
    if min(updated, available, ready) < wanted:
        return waiting(f"{min(updated, available, ready)} of {wanted} updated pods are ready")
    return READY


def job(live: Live) -> Look:
    """Complete. A Job that has failed stays so."""
    if condition(live, "Failed").get("status") == "True":
        entry = condition(live, "Failed")
        return failed(f"the Job failed: [{entry.get('reason')}] {entry.get('message')}")
    if condition(live, "Complete").get("status") == "True":
        return READY
    if not pluck(live, "status", "startTime"):
        return waiting("the Job has not started")
    return waiting(f"the Job is running ({number(live, 'status', 'failed')} failed pods so far)")


def pod(live: Live) -> Look:
    """Scheduled, initialised and ready, or at its successful end. One that has failed is not waited for."""
    phase = pluck(live, "status", "phase")
    if phase == "Succeeded":
        return READY
    if phase == "Failed":
        return failed("the Pod failed")
    for kind, text in (("PodScheduled", "scheduled"), ("Initialized", "initialised"), ("Ready", "ready")):
        if condition(live, kind).get("status") != "True":
            return waiting(f"the Pod is not {text}")
    return READY
