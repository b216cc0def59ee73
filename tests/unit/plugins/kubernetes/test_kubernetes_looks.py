"""When the kubernetes stand-in takes an object for ready, what it says when it is not, and who owns which field."""

from typing import Any

import pytest
from pulumi.provider.experimental.property_value import PropertyValue

from toolchain.plugins.common.errors import UserError
from toolchain.plugins.common.values import property_map
from toolchain.plugins.kubernetes import ownership, secrecy
from toolchain.plugins.kubernetes.awaiting import expressions, reasons, traffic, workloads


def live(status: dict[str, Any], spec: dict[str, Any] | None = None, generation: int = 2) -> dict[str, Any]:
    return {
        "metadata": {"name": "x", "namespace": "n", "generation": generation, "uid": "u"},
        "spec": spec or {},
        "status": {"observedGeneration": generation, **status},
    }


def conditions(**states: str) -> list[dict[str, str]]:
    return [{"type": kind, "status": status, "reason": "NewReplicaSetAvailable"} for kind, status in states.items()]


DONE = {"updatedReplicas": 2, "readyReplicas": 2, "conditions": conditions(Available="True", Progressing="True")}


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        (DONE, True),
        ({**DONE, "observedGeneration": 1}, False),
        ({**DONE, "readyReplicas": 1}, False),
        ({**DONE, "updatedReplicas": 1}, False),
        ({**DONE, "conditions": conditions(Available="False", Progressing="True")}, False),
        ({**DONE, "conditions": conditions(Available="True", Progressing="False")}, False),
        (
            {**DONE, "conditions": [*conditions(Available="True"), {"type": "Progressing", "status": "True", "reason": "x"}]},
            False,
        ),
    ],
)
def test_a_deployment_is_ready_when_its_rollout_is_done(status: dict[str, Any], ready: bool) -> None:
    assert workloads.deployment(live(status, {"replicas": 2})).ready is ready


def test_a_deployment_of_no_replicas_is_ready() -> None:
    assert workloads.deployment(live({"conditions": conditions(Available="True", Progressing="True")}, {"replicas": 0})).ready


SET = {"replicas": 1, "readyReplicas": 1, "currentReplicas": 1, "currentRevision": "a", "updateRevision": "a"}


@pytest.mark.parametrize(
    ("status", "spec", "ready"),
    [
        (SET, {"replicas": 1}, True),
        ({**SET, "updateRevision": "b"}, {"replicas": 1}, False),
        ({**SET, "updateRevision": "b"}, {"replicas": 1, "updateStrategy": {"type": "OnDelete"}}, True),
        ({**SET, "readyReplicas": 0}, {"replicas": 1}, False),
        ({**SET, "currentReplicas": 0}, {"replicas": 1}, False),
        ({**SET, "observedGeneration": 1}, {"replicas": 1}, False),
        ({"replicas": 0, "currentRevision": "a", "updateRevision": "a"}, {"replicas": 0}, True),
    ],
)
def test_a_stateful_set_is_ready_when_all_are_of_the_latest_revision(
    status: dict[str, Any], spec: dict[str, Any], ready: bool
) -> None:
    assert workloads.stateful_set(live(status, spec)).ready is ready


def test_daemon_sets_jobs_and_pods() -> None:
    counts = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2, "numberReady": 2}
    assert workloads.daemon_set(live(counts)).ready
    assert not workloads.daemon_set(live({**counts, "updatedNumberScheduled": 1})).ready
    assert workloads.job(live({"conditions": conditions(Complete="True")})).ready
    over = workloads.job(live({"conditions": conditions(Failed="True")}))
    assert (over.ready, over.failed) == (False, True)
    assert not workloads.job(live({"startTime": "t"})).failed
    pod = live({"phase": "Running", "conditions": conditions(PodScheduled="True", Initialized="True", Ready="True")})
    assert workloads.pod(pod).ready
    assert workloads.pod(live({"phase": "Succeeded"})).ready
    assert workloads.pod(live({"phase": "Failed"})).failed
    assert workloads.pod(live({"phase": "Pending"})).waiting_for == "the Pod is not scheduled"


class Answers:
    """What a cluster answers to `list` by kind, and to `get`."""

    def __init__(self, **kinds: list[dict[str, Any]]) -> None:
        self.kinds = kinds
        self.logs = {"now": "the log now", "before": "the log before"}

    def list(self, _version: str, kind: str, _namespace: str, **query: str) -> list[dict[str, Any]]:
        found = self.kinds.get(kind, [])
        uid = query.get("fieldSelector", "").partition("uid=")[2].partition(",")[0]
        return [entry for entry in found if not uid or entry.get("uid") == uid]

    def log(self, _namespace: str, _pod: str, _container: str, *, previous: bool, lines: int) -> str:
        assert lines > 0
        return self.logs["before" if previous else "now"]


def test_a_service_leads_to_pods_or_need_not() -> None:
    none, some = Answers(), Answers(EndpointSlice=[{"endpoints": [{}]}])
    spec = {"selector": {"a": "b"}, "clusterIP": "10.0.0.1", "type": "ClusterIP"}
    assert not traffic.service(none, live({}, spec)).ready  # type: ignore[arg-type]
    assert traffic.service(some, live({}, spec)).ready  # type: ignore[arg-type]
    for other in ({**spec, "clusterIP": "None"}, {**spec, "selector": {}}, {**spec, "type": "ExternalName"}):
        assert traffic.service(none, live({}, other)).ready  # type: ignore[arg-type]
    balanced = {**spec, "type": "LoadBalancer"}
    assert not traffic.service(some, live({}, balanced)).ready  # type: ignore[arg-type]
    assert traffic.service(some, live({"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}, balanced)).ready  # type: ignore[arg-type]


def test_expressions_of_wait_for() -> None:
    found = live({"phase": "Bound", "ready": True, "n": 3, "conditions": conditions(Ready="True"), "list": [{"a": "b"}]})

    def holds(text: str) -> bool:
        return expressions.look(expressions.parse(text), found).ready

    assert holds("condition=Ready")
    assert holds("condition=Ready=True")
    assert not holds("condition=Ready=False")
    assert holds("jsonpath={.status.phase}=Bound")
    assert not holds("jsonpath={.status.phase}=Lost")
    assert holds("jsonpath={.status.phase}")
    assert holds("jsonpath='{.status.ready}'=true")
    assert holds("jsonpath={.status.n}=3")
    assert holds("jsonpath={.status.list[0].a}=b")
    assert holds('["condition=Ready", "jsonpath={.status.phase}=Bound"]')
    assert not holds('["condition=Ready", "condition=Other"]')
    for wrong in ("ready", "[]", "jsonpath={.status.list[*].a}=b", "jsonpath={.status.list[?(@.a)]}"):
        with pytest.raises(UserError):
            expressions.parse(wrong)


def crashed(**more: Any) -> dict[str, Any]:
    status = {
        "name": "c",
        "ready": False,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        "lastState": {"terminated": {"exitCode": 7, "reason": "Error"}},
        **more,
    }
    owner = [{"uid": "rs"}]
    return {
        "metadata": {"name": "p", "namespace": "n", "uid": "pod", "ownerReferences": owner},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


def test_reasons_go_from_the_deployment_over_its_replica_set_to_pods_logs_and_events() -> None:
    revision = {"deployment.kubernetes.io/revision": "2"}
    replica_set = {
        "metadata": {"name": "rs", "namespace": "n", "uid": "rs", "ownerReferences": [{"uid": "u"}], "annotations": revision}
    }
    cluster = Answers(
        ReplicaSet=[replica_set],
        Pod=[crashed(), {**crashed(), "metadata": {"name": "other", "namespace": "n", "uid": "o", "ownerReferences": []}}],
        Event=[
            {"uid": "rs", "reason": "FailedCreate", "message": "violates PodSecurity"},
            {"uid": "pod", "reason": "Unhealthy", "message": "Readiness probe failed"},
            {"uid": "strange", "reason": "Strange", "message": "not ours"},
        ],
    )
    item = {**live({"conditions": [{"type": "Available", "status": "False", "reason": "M", "message": "too few"}]})}
    item |= {"apiVersion": "apps/v1", "kind": "Deployment"}
    item["metadata"] = {**item["metadata"], "annotations": revision}
    assert reasons.of(cluster, item) == [  # type: ignore[arg-type]
        "[M] too few",
        "ReplicaSet rs: [FailedCreate] violates PodSecurity",
        "Pod n/p, container c: [CrashLoopBackOff] back-off",
        "Pod n/p, container c: ended with exit code 7 (Error)",
        "Pod n/p, container c, last lines of its log:\n  the log before",
        "Pod n/p: [Unhealthy] Readiness probe failed",
    ]


def test_what_no_time_mends_is_told_early_and_a_pod_left_behind_by_name() -> None:
    item = {**live({"updateRevision": "new"}), "apiVersion": "apps/v1", "kind": "StatefulSet"}

    def pod(revision: str, part_of: str = "supastack", **state: Any) -> dict[str, Any]:
        found = crashed(state=state, lastState={})
        labels = {"controller-revision-hash": revision, "app.kubernetes.io/part-of": part_of}
        return {**found, "metadata": {**found["metadata"], "ownerReferences": [{"uid": "u"}], "labels": labels}}

    def told(*pods: dict[str, Any], events: list[dict[str, Any]] | None = None) -> str:
        return reasons.hopeless(Answers(Pod=list(pods), Event=events or []), item)  # type: ignore[arg-type]

    assert "ErrImageNeverPull" in told(pod("new", waiting={"reason": "ErrImageNeverPull"}))
    assert told(pod("new", waiting={"reason": "CrashLoopBackOff"})) == ""
    refused = {"uid": "pod", "reason": "Unhealthy", "message": "Readiness probe failed: refused: another version's data"}
    assert "will not get well" in told(pod("new", running={}), events=[refused])
    assert told(pod("new", "others", running={}), events=[refused]) == ""
    assert told(pod("old", waiting={"reason": "ErrImageNeverPull"}), events=[refused]) == ""
    said = reasons.of(Answers(Pod=[pod("old", running={})]), item)  # type: ignore[arg-type]
    assert "Pod p never got ready before the change, and Kubernetes does not replace it: delete it" in said


def entry(manager: str, operation: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": fields, "apiVersion": "v1", **more}


def owned(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"managedFields": list(entries), "resourceVersion": "5"}, "data": {"a": "live", "b": "live"}}


def test_an_update_takes_over_what_was_created_or_applied_by_hand_and_nobody_elses() -> None:
    created = entry("pulumi-kubernetes-1", "Update", {"f:data": {"f:a": {}}})
    status = entry("kubectl", "Update", {"f:status": {}}, subresource="status")
    other = entry("controller", "Update", {"f:data": {"f:c": {}}})
    applied = entry("pulumi-kubernetes-1", "Apply", {"f:data": {"f:b": {}}})
    [fields, version] = ownership.taking_over(owned(created, status, other, applied), "pulumi-kubernetes-1")
    assert fields["value"] == [entry("pulumi-kubernetes-1", "Apply", {"f:data": {"f:a": {}, "f:b": {}}}), status, other]
    assert version == {"op": "replace", "path": "/metadata/resourceVersion", "value": "5"}
    assert ownership.taking_over(owned(other, applied), "pulumi-kubernetes-1") == []


def test_an_ignored_field_is_left_out_when_another_has_it_and_kept_as_it_is_when_we_have_it() -> None:
    theirs = entry("them", "Apply", {"f:data": {"f:a": {}, "f:b": {}}})
    found = owned(entry("us", "Apply", {"f:data": {"f:b": {}}}), theirs)
    wanted = {"data": {"a": "ours", "b": "ours", "c": "ours"}}
    assert ownership.with_ignored(wanted, found, "us", ["data.a", "data.b"]) == {"data": {"b": "live", "c": "ours"}}
    assert wanted == {"data": {"a": "ours", "b": "ours", "c": "ours"}}


def test_force_is_the_annotations_the_settings_or_the_previews(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = {"metadata": {"annotations": {"pulumi.com/patchForce": "true"}}}
    other = owned(entry("kubectl", "Apply", {}))
    assert ownership.is_forced(noted, other, always=False, preview=False)
    assert ownership.is_forced({}, other, always=True, preview=False)
    assert not ownership.is_forced({}, other, always=False, preview=False)
    assert ownership.is_forced({}, None, always=False, preview=True)
    assert not ownership.is_forced({}, other, always=False, preview=True)
    created = owned(entry("pulumi-kubernetes-1", "Update", {}))
    assert ownership.is_forced({}, created, always=False, preview=True)
    monkeypatch.setenv("PULUMI_K8S_ENABLE_PATCH_FORCE", "true")
    assert ownership.is_forced({}, other, always=False, preview=False)


def test_a_secrets_data_and_what_comes_from_secrets_is_marked() -> None:
    source = property_map({"kind": "Secret", "data": {"a": "b"}, "metadata": {"name": "x"}})
    found = secrecy.marked({"kind": "Secret", "data": {"a": "b"}, "__inputs": {"kind": "Secret", "data": {"a": "b"}}}, source)
    assert found["data"].is_secret
    assert found["__inputs"].value["data"].is_secret
    noted = {"kind": "Secret", "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}}
    assert secrecy.marked(noted, {})["metadata"].is_secret
    source = {
        "kind": PropertyValue("Pod"),
        "spec": PropertyValue({"a": PropertyValue([PropertyValue("s").with_secret(True)]), "b": PropertyValue("t")}),
    }
    found = secrecy.marked({"kind": "Pod", "spec": {"a": ["s"], "b": "t"}, "status": {"a": "s"}}, source)
    assert found["spec"].value["a"].is_secret
    assert not found["spec"].value["b"].is_secret
    assert not found["status"].contains_secret()


def test_of_other_resources_secrets_words_stay_readable() -> None:
    given = {"supabase_admin", "short1", "generated-Secret", "pass-word-with-1", "a-long-passphrase-of-words"}
    assert secrecy.elsewhere(given) == {"generated-Secret", "pass-word-with-1", "a-long-passphrase-of-words"}


def test_secret_texts_are_hidden_in_every_form() -> None:
    texts = secrecy.texts(property_map({"kind": "Secret", "data": {"a": "aGVsbG8gd29ybGQ="}}))
    assert secrecy.without('Invalid value: "hello world" aGVsbG8gd29ybGQ=', texts) == 'Invalid value: "[secret]" [secret]'
    texts = secrecy.texts({"kind": PropertyValue("Pod"), "x": PropertyValue("hello world").with_secret(True)})
    assert secrecy.without("hello world, aGVsbG8gd29ybGQ=", texts) == "[secret], [secret]"
