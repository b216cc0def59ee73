"""When a workload is ready, and why it is not: from objects as the API gives them."""

import pytest

from components.targets.kubernetes.readiness import Found, unready


def workload(name="rest", **over):
    status = {"observedGeneration": 2, "updatedReplicas": 2, "readyReplicas": 2, **over.pop("status", {})}
    spec = {"replicas": 2, **over}
    return {
        "metadata": {"name": name, "generation": 2, "labels": {"app.kubernetes.io/name": name}},
        "spec": spec,
        "status": status,
    }


def pod(uid="p", ready=False, **status):
    conditions = [*status.pop("conditions", []), {"type": "Ready", "status": str(ready)}]
    return {
        "metadata": {"name": uid, "uid": uid, "labels": {"app.kubernetes.io/name": "rest"}},
        "status": {"conditions": conditions, **status},
    }


def job(created="2026-01-01", **conditions):
    return {
        "metadata": {"name": "rest-1", "labels": {"app.kubernetes.io/name": "rest"}, "creationTimestamp": created},
        "status": {"conditions": [{"type": kind, "status": "True", **more} for kind, more in conditions.items()]},
    }


def container(state, **more):
    return {"name": "rest", "ready": False, "state": state, **more}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, None),
        ({"observedGeneration": 1}, "its change has not been seen yet"),
        ({"updatedReplicas": 1}, "1 of 2 pods are updated"),
        ({"readyReplicas": 1}, "1 of 2 pods are ready"),
        ({"readyReplicas": None}, "0 of 2 pods are ready"),
    ],
)
def test_a_workload_is_ready_when_all_of_its_newest_pods_are(status, said):
    for kind in ("deployments", "stateful_sets"):
        assert unready("rest", False, Found(**{kind: [workload(status=status)]})) == said


def test_a_daemon_set_is_ready_on_every_node_that_wants_it():
    status = {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberReady": 2}
    assert unready("rest", False, Found(daemon_sets=[workload(status=status)])) == "2 of 3 pods are ready"
    assert unready("rest", False, Found(daemon_sets=[workload(status={**status, "numberReady": 3})])) is None


def test_pods_of_an_operator_stand_for_the_service_that_has_no_workload_of_ours():
    assert unready("rest", False, Found(pods=[pod(ready=True)])) is None
    assert unready("rest", False, Found(pods=[pod(ready=True), pod("q")])) == "its pod is not ready yet"
    assert unready("rest", False, Found()) == "!it does not exist"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes: insufficient memory"}]},
            "no node takes its pod: 0/1 nodes: insufficient memory",
        ),
        (
            {"containerStatuses": [container({"waiting": {"reason": "ImagePullBackOff", "message": "x"}})]},
            "rest: ImagePullBackOff: x",
        ),
        (
            {"containerStatuses": [container({"waiting": {"reason": "ErrImageNeverPull", "message": "not there"}})]},
            "!rest: ErrImageNeverPull: not there",
        ),
        (
            {
                "containerStatuses": [
                    container({"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"exitCode": 3}}),
                ]
            },
            "rest ends again and again, last with exit code 3",
        ),
        (
            {
                "containerStatuses": [
                    container(
                        {"waiting": {"reason": "CrashLoopBackOff"}},
                        lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                    ),
                ]
            },
            "rest ends again and again, last with exit code 137: it used more memory than its limit",
        ),
        ({"containerStatuses": [container({"waiting": {"reason": "ContainerCreating"}})]}, "its pod is not ready yet"),
    ],
)
def test_a_pod_that_is_not_ready_says_why(status, said):
    found = Found(deployments=[workload(status={"readyReplicas": 0})], pods=[pod(**status)])
    assert unready("rest", False, found) == said


def test_a_refusal_of_the_cluster_to_make_pods_is_the_reason():
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    found = Found(deployments=[workload(status={"readyReplicas": 0, "conditions": [condition]})])
    assert unready("rest", False, found) == "FailedCreate: exceeded quota"


def test_the_last_warning_of_a_pod_is_its_reason():
    events = [
        {
            "type": "Warning",
            "involvedObject": {"uid": "p"},
            "lastTimestamp": "2026-01-01T00:00:02Z",
            "message": "Readiness probe\nfailed: late",
        },
        {"type": "Warning", "involvedObject": {"uid": "p"}, "lastTimestamp": "2026-01-01T00:00:01Z", "message": "earlier"},
        {"type": "Warning", "involvedObject": {"uid": "other"}, "lastTimestamp": "2026-01-01T00:00:03Z", "message": "another's"},
    ]
    found = Found(
        deployments=[workload(status={"readyReplicas": 0})],
        pods=[pod(containerStatuses=[container({"running": {}})])],
        events=events,
    )
    assert unready("rest", False, found) == "Readiness probe failed: late"


def test_of_several_pods_the_hopeless_one_counts():
    hopeless = pod("q", containerStatuses=[container({"waiting": {"reason": "InvalidImageName"}})])
    found = Found(deployments=[workload(status={"readyReplicas": 0})], pods=[pod(containerStatuses=[]), hopeless])
    assert unready("rest", False, found) == "!rest: InvalidImageName"


def test_a_job_is_well_when_it_has_completed():
    assert unready("rest", True, Found()) == "!it does not exist"
    assert unready("rest", True, Found(jobs=[job()])) == "it runs"
    assert unready("rest", True, Found(jobs=[job(Complete={})])) is None


def test_a_job_that_failed_says_how_it_ended():
    failed = job(Failed={"reason": "BackoffLimitExceeded", "message": "too often"})
    assert unready("rest", True, Found(jobs=[failed])) == "!it failed: BackoffLimitExceeded: too often"
    ended = pod(containerStatuses=[container({"terminated": {"exitCode": 2}})])
    assert unready("rest", True, Found(jobs=[failed], pods=[ended])) == "!rest ended with exit code 2"


def test_the_newest_job_of_a_service_counts():
    old = job("2026-01-01", Failed={"reason": "x"})
    assert unready("rest", True, Found(jobs=[job("2026-01-02", Complete={}), old])) is None


def test_an_operators_pooler_is_told_by_the_label_of_its_own():
    """Its other labels are those of the operator, and of the server."""
    labels = {"app.kubernetes.io/name": "postgresql", "cnpg.io/poolerName": "postgres-pooler"}
    made = workload("postgres-pooler", status={"readyReplicas": 0})
    made["metadata"]["labels"] = labels
    crashing = pod("x", containerStatuses=[container({"waiting": {"reason": "CrashLoopBackOff", "message": "again"}})])
    crashing["metadata"]["labels"] = labels
    found = Found(deployments=[made], pods=[crashing])
    assert unready("postgres-pooler", False, found, operated=True) == "rest: CrashLoopBackOff: again"
    made["status"]["readyReplicas"] = 2
    assert unready("postgres-pooler", False, Found(deployments=[made]), operated=True) is None


def test_what_an_operator_has_not_made_yet_is_waited_for():
    assert unready("postgres-pooler", False, Found(), operated=True) == "its operator has not made it yet"
    assert unready("postgres-pooler", False, Found()) == "!it does not exist"


def test_a_server_whose_log_is_not_archived_is_not_well():
    def cluster(status, name="rest", **spec):
        condition = {"type": "ContinuousArchiving", "status": status, "message": "Expected empty archive"}
        metadata = {"name": name, "labels": {"app.kubernetes.io/name": name}}
        return {"metadata": metadata, "spec": {"plugins": [{}], **spec}, "status": {"conditions": [condition]}}

    def said(*clusters):
        return unready("rest", False, Found(pods=[pod(ready=True)], clusters=clusters), operated=True)

    assert said(cluster("False")) == "its write-ahead log is not archived, so its volume fills: Expected empty archive"
    assert said(cluster("True"), cluster("False", "other")) is None
    assert said(cluster("False", plugins=[])) is None, "its backups were turned off, perhaps for that very reason"
