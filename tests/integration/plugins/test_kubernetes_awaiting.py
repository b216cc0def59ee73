"""What the kubernetes plugin waits for, on a real node, and what it says when a thing does not get ready.

Sources, all of pulumi/pulumi-kubernetes, provider/pkg:
  W  await/deployment.go, statefulset.go, daemonset.go, job.go, service.go, ingress.go, awaiters.go, checker/pod/check.go
  M  metadata/annotations.go and overrides.go
  P  provider/provider.go
"""

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from .harness import PLUGINS, Project, Run
from .kubernetes_world import IMAGE, World

pytestmark = [pytest.mark.engine, pytest.mark.cluster]
stand_in_only = pytest.mark.skipif(PLUGINS != "stand-in", reason="the official plugin says it in other words, or not at all")


@pytest.fixture
def plugins() -> tuple[str, ...]:
    return ("kubernetes",)


def pod(command: str = "sleep 1000", **more: Any) -> dict[str, Any]:
    """A pod's template, with one container that does `command`; `container` adds to it, all else to the pod."""
    container = {
        "name": "c",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", command],
        **more.pop("container", {}),
    }
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container], **more}
    return {"metadata": {"labels": {"app": "x"}}, "spec": spec}


UNREADY = {"readinessProbe": {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1}}
"""A container that is ready once that file is there. Without a probe, one that crashes is ready for a moment."""


def workload(kind: str, template: dict[str, Any], timeout: int = 240, options: str = "o", name: str = "w", **spec: Any) -> str:
    """A line of a program: a Deployment, StatefulSet or DaemonSet."""
    template = {**template, "metadata": {"labels": {"app": "x", "name": name}}}
    notes = {"pulumi.com/timeoutSeconds": str(timeout)}
    body = {"selector": {"matchLabels": {"name": name}}, "template": template, **spec}
    if kind == "StatefulSet":
        body.setdefault("serviceName", name)
    return (
        f'k8s.apps.v1.{kind}("{name}", metadata={{"name": "{name}", "annotations": {notes!r}}}, spec={body!r}, opts={options})\n'
    )


def until_told(project: Project, program: Callable[[int], str], is_told: Callable[[str], bool]) -> tuple[Run, int]:
    """An up that fails when its `program(seconds)` is over time, and those seconds; `is_told` looks for the reason in what it says.

    What there is to say of a pod comes as the node finds time for it: where it is not there yet, the next up waits for longer.
    """
    for seconds in (10, 40, 120):
        run = project.up(program(seconds), "--parallel", "16", fails=True)
        if is_told("\n".join(run.errors)):
            break
    return run, seconds


def job(template: dict[str, Any], notes: dict[str, str] | None = None) -> str:
    """A line of a program: a Job `j`."""
    template["spec"]["restartPolicy"] = "Never"
    body = {"backoffLimit": 0, "template": template}
    given = {"pulumi.com/timeoutSeconds": "240", **(notes or {})}
    return f'k8s.batch.v1.Job("j", metadata={{"name": "j", "annotations": {given!r}}}, spec={body!r}, opts=o)\n'


def test_a_deployment_is_waited_for_at_its_creation_and_at_each_rollout(project: Project, space: World) -> None:
    command = "sleep 2; touch /tmp/ready; echo {}; sleep 1000"
    project.up(space.provider() + workload("Deployment", pod(command.format(1), container=UNREADY)))
    status = space.get("apps/v1", "Deployment", "w")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"]) == (1, 1)
    assert project.state()["w"].outputs["status"]["readyReplicas"] == 1
    changed = space.provider() + workload("Deployment", pod(command.format(2), container=UNREADY), replicas=2)
    assert project.up(changed).ops() == {"w": ["update"]}
    status = space.get("apps/v1", "Deployment", "w")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"], status["replicas"]) == (2, 2, 2)
    assert project.up(changed, "--refresh").ops() == {}


def test_a_container_that_crashes_is_told_with_exit_code_and_last_log_lines_and_mended_by_the_next_up(
    project: Project, space: World
) -> None:
    crashing = pod("echo first line; echo it is broken; exit 7", container=UNREADY)
    run, seconds = until_told(
        project,
        lambda seconds: space.provider() + workload("Deployment", crashing, timeout=seconds),
        lambda said: "exit code 7" in said and (PLUGINS != "stand-in" or "it is broken" in said),
    )
    said = "\n".join(run.errors)
    assert "exit code 7" in said  # W: containerLastTerminationState
    if PLUGINS == "stand-in":
        assert "it is broken" in said
        assert f"not ready after {seconds} seconds" in said
    kept = project.state()["w"]
    assert kept.id == f"{space.namespace}/w"  # P: partialError
    assert kept.init_errors
    fixed = space.provider() + workload("Deployment", pod("echo well; sleep 1000"))
    assert project.up(fixed).ops() == {"w": ["update"]}
    assert project.state()["w"].init_errors == ()
    assert project.preview(fixed).ops() == {}


def test_a_resource_that_did_not_get_ready_is_waited_for_again_without_a_change(project: Project, space: World) -> None:
    slow = space.provider() + workload("Deployment", pod("sleep 60; touch /tmp/ready; sleep 1000", container=UNREADY), timeout=30)
    run = project.up(slow, fails=True)
    if PLUGINS == "stand-in":
        assert any("Readiness probe failed" in error for error in run.errors), run.errors
    longer = slow.replace("'pulumi.com/timeoutSeconds': '30'", "'pulumi.com/timeoutSeconds': '240'")
    assert project.up(longer).ops() == {"w": ["update"]}
    assert project.state()["w"].init_errors == ()


WHY = {
    "image": (pod(container={"image": "none.invalid/none:1"}), "[ErrImageNeverPull]"),
    "node": (pod(nodeSelector={"no": "node"}), "[Unschedulable]"),
    "memory": (pod(container={"resources": {"requests": {"memory": "900Ti"}}}), "Insufficient memory"),
    "command": (pod(container={"command": ["/no/such/program"]}), "/no/such/program"),
    "volume": (
        pod(
            volumes=[{"name": "v", "secret": {"secretName": "absent"}}],
            container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
        ),
        'secret "absent" not found',
    ),
    "environment": (
        pod(container={"envFrom": [{"secretRef": {"name": "missing"}}]}),
        '[CreateContainerConfigError] secret "missing" not found',
    ),
    "account": (pod(serviceAccountName="nobody"), 'serviceaccount "nobody" not found'),
    "probe": (pod(container=UNREADY), "Readiness probe failed"),
}


@stand_in_only
def test_why_pods_do_not_start_is_told_of_each(project: Project, space: World) -> None:
    hopeless = "can't be had: ErrImageNeverPull"  # An image that no time brings is not waited for.

    def program(seconds: int) -> str:
        return space.provider() + "".join(
            workload("Deployment", template, timeout=seconds, name=name) for name, (template, _) in WHY.items()
        )

    run, _ = until_told(project, program, lambda said: hopeless in said and all(reason in said for _, reason in WHY.values()))
    for name, (_, reason) in WHY.items():
        about = "\n".join(error for error in run.errors if f"Deployment {space.namespace}/{name}:" in error)
        assert reason in about, (name, run.errors)
    assert all(found.init_errors for found in project.state().values())
    assert any("Deployment" in error and hopeless in error for error in run.errors)


@stand_in_only
def test_a_refusal_by_pod_security_is_told_though_there_is_no_pod(project: Project, world: World) -> None:
    world.make_namespace(**{"pod-security.kubernetes.io/enforce": "restricted"})
    run, _ = until_told(
        project,
        lambda seconds: world.provider() + workload("Deployment", pod(), timeout=seconds),
        lambda said: "violates PodSecurity" in said,
    )
    said = "\n".join(run.errors)
    assert "violates PodSecurity" in said
    assert "allowPrivilegeEscalation" in said


def test_a_stateful_set_is_waited_for_and_its_claims_stay(project: Project, space: World) -> None:
    claims = [
        {
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
        }
    ]
    mounted = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    template = pod("date >> /data/runs; sleep 1000", container=mounted)
    program = space.provider() + workload("StatefulSet", template, volumeClaimTemplates=claims)
    project.up(program)
    assert space.get("apps/v1", "StatefulSet", "w")["status"]["readyReplicas"] == 1
    assert space.names("v1", "PersistentVolumeClaim") == ["data-w-0"]
    changed = space.provider() + workload(
        "StatefulSet", pod("echo again; sleep 1000", container=mounted), volumeClaimTemplates=claims
    )
    assert project.up(changed).ops() == {"w": ["update"]}
    status = space.get("apps/v1", "StatefulSet", "w")["status"]
    assert status["currentRevision"] == status["updateRevision"]  # W
    assert project.destroy().ops() == {"w": ["delete"]}
    assert space.get("apps/v1", "StatefulSet", "w") == {}
    assert space.names("v1", "Pod") == []  # M: Foreground, so the pods are gone before the set
    assert space.names("v1", "PersistentVolumeClaim") == ["data-w-0"]


@stand_in_only
def test_a_pod_that_kubernetes_does_not_replace_is_told_by_name(project: Project, space: World) -> None:
    def program(command: str, seconds: int) -> str:
        return space.provider() + workload("StatefulSet", pod(command, container=UNREADY), timeout=seconds)

    until_told(project, lambda seconds: program("exit 1", seconds), lambda _: space.names("v1", "Pod") == ["w-0"])
    fixed = "touch /tmp/ready; sleep 1000"
    run, _ = until_told(project, lambda seconds: program(fixed, seconds), lambda said: "Pod w-0 never got ready" in said)
    assert any("Pod w-0 never got ready before the change" in error and "delete it" in error for error in run.errors), run.errors
    space.remove("v1", "Pod", "w-0")
    assert project.up(program(fixed, 240)).ops() == {"w": ["update"]}
    assert space.get("apps/v1", "StatefulSet", "w")["status"]["readyReplicas"] == 1


def test_a_job_is_waited_for_to_its_end_and_its_failure_ends_the_wait(project: Project, space: World) -> None:
    project.up(space.provider() + job(pod("sleep 2; echo done")))
    assert space.get("batch/v1", "Job", "j")["status"]["succeeded"] == 1
    project.destroy()
    started = time.monotonic()
    run = project.up(space.provider() + job(pod("echo no luck; exit 3"), {"pulumi.com/timeoutSeconds": "300"}), fails=True)
    assert time.monotonic() - started < 200  # far from its 300 seconds: the failure ended the wait
    said = "\n".join(run.errors)
    assert "BackoffLimitExceeded" in said  # W: checker/job/check.go
    if PLUGINS == "stand-in":
        assert "exit code 3" in said
        assert "no luck" in said
    assert project.state()["j"].init_errors


def test_a_failed_job_is_made_anew_where_the_annotation_says_so(project: Project, space: World) -> None:
    notes = {"pulumi.com/replaceUnready": "true"}
    failing = space.provider() + job(pod("exit 3"), notes)
    project.up(failing, fails=True)
    first = space.get("batch/v1", "Job", "j")["metadata"]["uid"]
    run = project.up(failing, fails=True)  # P: Diff, ReplaceUnready
    assert run.ops()["j"][0] == "delete-replaced"
    assert space.get("batch/v1", "Job", "j")["metadata"]["uid"] != first


def test_a_service_waits_for_pods_unless_it_leads_to_none_or_is_told_not_to(project: Project, space: World) -> None:
    def service(name: str, spec: str, notes: str = "") -> str:
        notes = notes or '"pulumi.com/timeoutSeconds": "240"'
        return (
            f'k8s.core.v1.Service("{name}", metadata={{"name": "{name}", "annotations": {{{notes}}}}}, spec={{{spec}}}, opts=o)\n'
        )

    ports = '"ports": [{"port": 80}]'
    program = space.provider()
    program += service("headless", f'"cluster_ip": "None", "selector": {{"app": "none"}}, {ports}')  # W: isHeadlessService
    program += service("name", '"type": "ExternalName", "external_name": "a.example"')  # W: isExternalNameService
    program += service("skipped", f'"selector": {{"app": "none"}}, {ports}', '"pulumi.com/skipAwait": "true"')  # M
    program += workload("Deployment", pod()) + service("used", f'"selector": {{"app": "x"}}, {ports}')
    project.up(program)
    assert {name: bool(project.state()[name].init_errors) for name in ("headless", "name", "skipped", "used")} == {
        "headless": False,
        "name": False,
        "skipped": False,
        "used": False,
    }
    lonely = service("lonely", f'"selector": {{"app": "none"}}, {ports}', '"pulumi.com/timeoutSeconds": "2"')
    run = project.up(program + lonely, fails=True)
    assert any("does not target any Pods" in error for error in run.errors), run.errors  # W: errorMessages
    assert project.state()["lonely"].init_errors


@stand_in_only
def test_an_address_that_nobody_gives_is_told(project: Project, space: World) -> None:
    note = '"annotations": {"pulumi.com/timeoutSeconds": "SECONDS"}'
    program = space.provider() + (
        f'k8s.core.v1.Service("lb", metadata={{"name": "lb", {note}}}, '
        'spec={"type": "LoadBalancer", "ports": [{"port": 80}]}, opts=o)\n'
        f'k8s.networking.v1.Ingress("in", metadata={{"name": "in", {note}}}, spec={{"default_backend": '
        '{"service": {"name": "lb", "port": {"number": 80}}}}, opts=o)\n'
        f'k8s.core.v1.PersistentVolumeClaim("claim", metadata={{"name": "claim", {note}}}, spec={{"access_modes": ["ReadWriteOnce"],'
        ' "storage_class_name": "none", "resources": {"requests": {"storage": "1Mi"}}}, opts=o)\n'
        'k8s.core.v1.PersistentVolumeClaim("late", metadata={"name": "late"}, spec={"access_modes": ["ReadWriteOnce"],'
        ' "resources": {"requests": {"storage": "1Mi"}}}, opts=o)\n'
    )
    classless = 'storageclass.storage.k8s.io "none" not found'
    run, _ = until_told(project, lambda seconds: program.replace("SECONDS", str(seconds)), lambda said: classless in said)
    said = "\n".join(run.errors)
    assert "the Service was not given an address" in said
    assert "the Ingress was not given an address" in said
    assert classless in said
    # W: a claim whose class waits for its first consumer is not waited for.
    assert {name: bool(found.init_errors) for name, found in project.state().items()} == {
        "lb": True,
        "in": True,
        "claim": True,
        "late": False,
    }


def test_pods_and_daemon_sets_are_waited_for(project: Project, space: World) -> None:
    single = pod("sleep 1000")["spec"]
    finished = {**pod("true")["spec"], "restartPolicy": "Never"}
    program = space.provider() + workload("DaemonSet", pod())
    program += f'k8s.core.v1.Pod("p", metadata={{"name": "p"}}, spec={single!r}, opts=o)\n'
    program += f'k8s.core.v1.Pod("f", metadata={{"name": "f"}}, spec={finished!r}, opts=o)\n'
    project.up(program)
    status = space.get("apps/v1", "DaemonSet", "w")["status"]
    assert status["numberReady"] == status["desiredNumberScheduled"] > 0
    assert space.get("v1", "Pod", "p")["status"]["phase"] == "Running"
    assert space.get("v1", "Pod", "f")["status"]["phase"] == "Succeeded"


def test_custom_timeouts_win_over_the_annotation(project: Project, space: World) -> None:
    options = 'pulumi.ResourceOptions(provider=p, custom_timeouts=pulumi.CustomTimeouts(create="3s"))'
    started = time.monotonic()
    run = project.up(
        space.provider() + workload("Deployment", pod("exit 1", container=UNREADY), timeout=300, options=options), fails=True
    )  # M
    assert time.monotonic() - started < 200
    if PLUGINS == "stand-in":
        assert any("not ready after 3 seconds" in error for error in run.errors), run.errors


def test_a_cancelled_up_keeps_what_was_made_and_the_next_one_waits_on(project: Project, space: World) -> None:
    template = pod("sleep 20; touch /tmp/ready; sleep 1000", container=UNREADY)
    program = space.provider() + workload("Deployment", template, timeout=300)
    process = project.start_up(program)
    for _ in range(300):
        if space.names("v1", "Pod"):
            break
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    kept = project.state()["w"]
    assert kept.init_errors
    if PLUGINS == "stand-in":
        assert "cancelled" in kept.init_errors[0]
    assert project.up(program).ops() == {"w": ["update"]}
    assert project.state()["w"].init_errors == ()


def test_what_a_killed_engine_left_is_told_or_taken_over_by_the_next_up(project: Project, space: World) -> None:
    slow = workload("Deployment", pod("sleep 20; touch /tmp/ready; sleep 1000", container=UNREADY), timeout=240)
    taking = space.provider("upsert_existing_objects=True, enable_patch_force=True")
    process = project.start_up(taking + slow)
    for _ in range(300):
        if space.names("v1", "Pod"):
            break
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    project.pulumi("cancel", "--yes")
    assert project.state() == {}
    run = project.up(space.provider() + slow, fails=True)  # pull request 4278
    assert any("already exists" in error for error in run.errors), run.errors
    first = space.get("apps/v1", "Deployment", "w")["metadata"]["uid"]
    assert project.up(taking + slow).ops() == {"w": ["create"]}
    found = space.get("apps/v1", "Deployment", "w")
    assert (found["metadata"]["uid"], found["status"]["readyReplicas"]) == (first, 1)
    # The manager of the first run still owns the fields: without force the change would be a conflict.
    assert project.up(taking + slow.replace("sleep 20", "sleep 1")).ops() == {"w": ["update"]}
    assert space.get("apps/v1", "Deployment", "w")["status"]["updatedReplicas"] == 1


def test_a_namespace_is_waited_for_until_it_is_gone(project: Project, world: World) -> None:
    program = world.provider() + f'k8s.core.v1.Namespace("n", metadata={{"name": {world.namespace!r}}}, opts=o)\n'
    project.up(program)
    world.make({**world.item("v1", "ConfigMap", "inside"), "data": {"a": "1"}})
    assert project.destroy().ops() == {"n": ["delete"]}
    assert world.get("v1", "Namespace", world.namespace) == {}


@stand_in_only
def test_an_object_that_does_not_go_is_told_with_its_finalizers_and_stays_in_the_state(project: Project, space: World) -> None:
    held = '"finalizers": ["tests.example/held"], "annotations": {"pulumi.com/timeoutSeconds": "2"}'
    program = space.provider() + f'k8s.core.v1.ConfigMap("cm", metadata={{"name": "cm", {held}}}, data={{"a": "1"}}, opts=o)\n'
    project.up(program)
    run = project.destroy(fails=True)
    assert any("tests.example/held" in error for error in run.errors), run.errors
    assert "cm" in project.state()
    release: list[dict[str, Any]] = [{"op": "remove", "path": "/metadata/finalizers"}]
    space.cluster.patch(space.item("v1", "ConfigMap", "cm"), release)
    project.destroy()
    assert project.state() == {}


@stand_in_only
def test_a_log_line_that_holds_a_secret_is_masked(project: Project, space: World) -> None:
    secret = "a word nobody may read"
    template = pod('echo "the password is $P"; exit 1', container={**UNREADY, "env": [{"name": "P", "value": secret}]})
    marked = f"pulumi.Output.secret({secret!r})"
    run, _ = until_told(
        project,
        lambda seconds: space.provider() + workload("Deployment", template, timeout=seconds).replace(repr(secret), marked),
        lambda said: "the password is" in said,
    )
    assert "the password is [secret]" in "\n".join(run.errors)
    assert secret not in run.text
    assert secret not in json.dumps(project.state()["w"].init_errors)
