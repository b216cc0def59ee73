"""A stack in a cluster as the toolchain sees it: where it is, how its workloads are, and what purge removes."""

import json
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_stack_state import resource, state

from toolchain.announce import ToolchainError
from toolchain.plugins.kubernetes.client import ApiError
from toolchain.stack import cluster_access, cluster_status, describe, operations, prepare, purging, summary
from toolchain.stack.cluster_access import Access, Place
from toolchain.stack.describe import Description
from toolchain.stack.state import Output

OURS, THEIRS = "0123456789abcdef", "fedcba9876543210"
LABEL = "app.kubernetes.io/name"
PROVIDER = resource(
    "pulumi:providers:kubernetes",
    "kubernetes",
    id="p",
    inputs={"kubeconfig": "cluster/kubeconfig", "context": "c", "namespace": "n"},
)


def namespace(name="n", uid="u1", stack_id=OURS):
    metadata = {"name": name, "annotations": {"supastack.io/stack-id": stack_id}}
    outputs = {"metadata": {**metadata, "uid": uid}}
    return resource("kubernetes:core/v1:Namespace", "namespace", id=name, inputs={"metadata": metadata}, outputs=outputs)


class FakeClient:
    """Objects by path; a list of them is a list."""

    def __init__(self, **objects):
        self.objects = objects
        self.removed = []

    def request(self, method, path, *, query=None):
        if method == "DELETE":
            self.removed.append(path)
            self.objects.pop(path, None)
            return {}
        if path not in self.objects:
            raise ApiError(404, {"message": "not found"})
        found = self.objects[path]
        if isinstance(found, list):
            wanted = dict(part.split("=", 1) for part in (query or {}).get("labelSelector", "").split(",") if part)
            found = {"items": [o for o in found if wanted.items() <= o["metadata"].get("labels", {}).items()]}
        return found


def access(**objects):
    return Access(FakeClient(**objects), Place(Path("kubeconfig"), "c", "n"))


# ---- state -----------------------------------------------------------------------------------------------------------


def test_the_state_says_where_a_stack_is_and_whose_its_namespaces_are(machine):
    found = state(PROVIDER, namespace(), resource("random:index/randomId:RandomId", "stack-id", outputs={"hex": THEIRS}))
    assert found.stack_id == OURS, "an adopted id is the one on the objects"
    assert found.namespaces == {"n": "u1"}
    place = cluster_access.place_of(machine.context(), found)
    assert place == Place(machine.root / "cluster/kubeconfig", "c", "n")
    assert state().cluster == {}


def test_a_kubeconfig_by_its_whole_path_stays_so(machine):
    provider = {**PROVIDER, "inputs": {"kubeconfig": "/etc/kube/config", "context": "c"}}
    assert cluster_access.place_of(machine.context(), state(provider)).kubeconfig == Path("/etc/kube/config")


def test_a_stack_runs_when_it_has_a_container_or_a_workload():
    assert not state(PROVIDER, namespace()).runs()
    assert state(resource("kubernetes:apps/v1:StatefulSet", "s", id="n/s")).runs()
    assert state(resource("docker:index/container:Container", "c", id="c")).runs()


# ---- the right cluster -----------------------------------------------------------------------------------------------


def test_a_namespace_of_our_name_that_is_another_is_another_cluster():
    held = access(**{"/api/v1/namespaces/n": {"metadata": {"uid": "u2"}}})
    with pytest.raises(ToolchainError, match="another one is another stack"):
        cluster_access.refuse_another(held, state(PROVIDER, namespace()))


@pytest.mark.parametrize("objects", [{}, {"/api/v1/namespaces/n": {"metadata": {"uid": "u1"}}}])
def test_our_own_namespace_or_none_is_no_problem(objects):
    cluster_access.refuse_another(access(**objects), state(PROVIDER, namespace()))
    cluster_access.refuse_another(access(**objects), None)


def test_only_this_clones_cluster_is_started(machine, monkeypatch):
    context, started = machine.context(), []
    monkeypatch.setattr(cluster_access, "find", lambda folder: None)
    monkeypatch.setattr(cluster_access, "up", lambda context, folder: started.append(folder))
    cluster_access.ensure_running(context, Place(Path("/home/me/.kube/config"), "prod", "n"))
    assert started == []
    cluster_access.ensure_running(context, Place(context.private / "cluster/kubeconfig", "supastack", "n"))
    assert started == [context.private / "cluster"]


def test_images_are_brought_into_a_cluster_of_ours_and_named_for_another(machine, monkeypatch, tmp_path, capsys):
    brought = []
    ours = SimpleNamespace(kubeconfig=tmp_path / "kubeconfig", import_images=lambda names, env: brought.extend(names))
    monkeypatch.setattr(cluster_access, "find", lambda folder: ours if folder == tmp_path else None)
    cluster_access.bring_images(machine.context(), Place(tmp_path / "kubeconfig", "c", "n"), ["supastack.local/stub:1"])
    assert brought == ["supastack.local/stub:1"]
    cluster_access.bring_images(machine.context(), Place(Path("/elsewhere/config"), "prod", "n"), ["supastack.local/stub:1"])
    assert "nodes of context prod must have supastack.local/stub:1" in capsys.readouterr().err


def test_what_is_built_here_for_a_cluster_needs_docker_and_nothing_else_does(machine, monkeypatch):
    asked = []
    monkeypatch.setattr(prepare.setup, "ensure", lambda context, needs: asked.append(needs) or context)
    monkeypatch.setattr(prepare, "config_file", lambda context: Path("x"))
    monkeypatch.setattr(prepare.describe, "start", lambda *_: None)
    local = describe.Image("stub", "supastack.local/stub:1", "stub")
    for images, docker in (((local,), True), ((), False)):
        told = Description("kubernetes", needs_docker=False, docker_host=None, image_source="local", images=images)
        monkeypatch.setattr(prepare.describe, "finish", lambda _, told=told: told)
        prepare._set_up(machine.context(), images=True)
        assert (asked[-1].docker, asked[-1].plugins) == (docker, ("kubernetes", "random"))
    prepare._set_up(machine.context(), images=False)
    assert not asked[-1].docker, "a preview builds nothing"


# ---- status ----------------------------------------------------------------------------------------------------------


def item(name, **more):
    return {"metadata": {"name": name, "labels": {LABEL: name, cluster_access.INSTANCE: "supastack-dev"}}, **more}


def outputs(*services):
    workloads = [{"component": "supabase", "service": s, "job": s == "buckets", "optional": s == "studio"} for s in services]
    images = {s: {"reference": f"supastack.local/{s}:1", "kind": "local"} for s in services}
    return {"WORKLOADS": Output(workloads, False), "IMAGES": Output(images, False)}


def test_each_service_of_the_outputs_is_told_with_its_state():
    waiting = {"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}
    held = access(
        **{
            "/apis/apps/v1/deployments": [
                item("rest", spec={"replicas": 2}, status={"readyReplicas": 2}),
                item("auth", spec={"replicas": 1}, status={}),
            ],
            "/apis/apps/v1/statefulsets": [item("studio", spec={"replicas": 1}, status={"readyReplicas": 1})],
            "/apis/apps/v1/daemonsets": [],
            "/apis/batch/v1/jobs": [item("buckets", status={"conditions": [{"type": "Complete", "status": "True"}]})],
            "/api/v1/pods": [item("auth", status=waiting)],
        }
    )
    found = cluster_status.of_stack(held, "supastack-dev", outputs("rest", "auth", "studio", "buckets", "gone"))
    assert {s.service: (s.well, s.state) for s in found} == {
        "rest": (True, "2 of 2 ready"),
        "auth": (False, "0 of 1 ready, CrashLoopBackOff"),
        "studio": (True, "ready"),
        "buckets": (True, "done"),
        "gone": (False, "missing"),
    }
    assert [s.service for s in found if not s.needed] == ["studio"]


def test_an_operators_pooler_is_told_with_its_state():
    labels = {"cnpg.io/poolerName": "postgres-pooler", "app.kubernetes.io/instance": "postgres"}
    made = {"metadata": {"name": "postgres-pooler", "labels": labels}, "spec": {"replicas": 2}, "status": {"readyReplicas": 1}}
    held = access(
        **{f"/apis/apps/v1/{kind}": [] for kind in ("deployments", "statefulsets", "daemonsets")},
        **{"/apis/batch/v1/jobs": [], "/api/v1/pods": []},
        **{"/apis/apps/v1/namespaces/n/deployments": [made], "/api/v1/namespaces/n/pods": [{"metadata": {"labels": labels}}]},
    )
    told = {"component": "supabase", "service": "postgres-pooler", "job": False, "optional": False, "operated": "pooler"}
    (found,) = cluster_status.of_stack(held, "supastack-dev", {"WORKLOADS": Output([told], False)})
    assert (found.well, found.state, found.status) == (False, "1 of 2 ready", "running")


def test_the_summary_speaks_of_workloads(machine):
    found = cluster_status.of_stack(
        access(**{path: [] for path in (*cluster_status._KINDS, "/apis/batch/v1/jobs", "/api/v1/pods")}), "i", outputs("rest")
    )
    assert summary.heading(machine.context(), found, "kubernetes").endswith("is not well: 1 of 1 workloads (rest).")
    told = summary.render(machine.context(), outputs("rest"), found, {}, False, "kubernetes")
    assert "WORKLOADS" not in told


@pytest.fixture
def status_of(machine, monkeypatch, capsys):
    """`make status FORMAT=json` of a stack in a cluster that answers with these objects (None: it does not answer)."""
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    monkeypatch.setattr(operations, "_has_engine", lambda _: True)
    monkeypatch.setattr(operations, "has_private_config", lambda _: False)
    monkeypatch.setattr(operations.prepare, "target", lambda _: "kubernetes")

    def ask(found, objects):
        @contextmanager
        def connected(_place):
            if objects is None:
                raise ToolchainError("that cluster does not answer")
            yield access(**{path: [] for path in (*cluster_status._KINDS, "/apis/batch/v1/jobs", "/api/v1/pods")} | objects)

        monkeypatch.setattr(cluster_access, "connect", connected)
        monkeypatch.setattr(operations.Engine, "read_state", lambda *_, **__: found)
        code = operations.status(machine.context(), as_json=True)
        return code, json.loads(capsys.readouterr().out)

    return ask


CLAIM = {"/api/v1/namespaces/n/persistentvolumeclaims": [{"metadata": {"name": "postgres-data-postgres-0"}}]}


def test_as_json_a_stack_in_a_cluster_has_its_services_as_one_on_docker(status_of):
    told_of = {name: output.value for name, output in outputs("rest", "buckets").items()}
    stack = resource("pulumi:pulumi:Stack", "supastack-dev", outputs=told_of)
    found = state(stack, PROVIDER, namespace(), resource("kubernetes:apps/v1:StatefulSet", "s", id="n/s"))
    objects = {
        "/apis/apps/v1/deployments": [item("rest", spec={"replicas": 2}, status={"readyReplicas": 1})],
        "/apis/batch/v1/jobs": [item("buckets", status={"conditions": [{"type": "Complete", "status": "True"}]})],
        "/api/v1/pods": [item("rest")],
    }
    code, told = status_of(found, objects | CLAIM)
    assert (code, told["exists"], told["well"]) == (1, True, False)
    (instance,) = told["instances"]
    rest, buckets = instance.pop("services")
    assert instance == {
        "project": "supastack",
        "stack": "dev",
        "stackId": OURS,
        "daemon": None,
        "cluster": {"context": "c", "namespace": "n"},
        "state": "not well",
        "ofThisClone": True,
        "volumes": ["n/postgres-data-postgres-0"],
    }
    assert rest == {
        "component": "supabase",
        "service": "rest",
        "container": "rest",
        "kind": "server",
        "optional": False,
        "status": "running",
        "health": "unhealthy",
        "state": "1 of 2 ready",
        "well": False,
        "image": "supastack.local/rest:1",
        "imageKind": "local",
        "ports": [],
        "orphan": None,
    }
    assert {k: buckets[k] for k in ("kind", "status", "health", "state", "well")} == {
        "kind": "job",
        "status": "exited",
        "health": None,
        "state": "done",
        "well": True,
    }, "its pod may be gone"


def test_as_json_a_stack_that_is_down_in_its_cluster_has_what_is_kept(status_of):
    _, told = status_of(state(PROVIDER, namespace()), CLAIM)
    (instance,) = told["instances"]
    assert (instance["state"], instance["services"], instance["volumes"]) == ("down", [], ["n/postgres-data-postgres-0"])


def test_as_json_a_stack_whose_cluster_does_not_answer_is_no_instance(status_of):
    found = state(PROVIDER, namespace(), resource("kubernetes:apps/v1:StatefulSet", "s", id="n/s"))
    code, told = status_of(found, None)
    assert (code, told["exists"], told["well"], told["instances"]) == (1, True, False, [])


# ---- purge -----------------------------------------------------------------------------------------------------------


def listed(name, stack_id, instance=None):
    annotations = {"supastack.io/stack-id": stack_id} if stack_id else {}
    return {"metadata": {"name": name, "annotations": annotations, "labels": {cluster_access.INSTANCE: instance}}}


def test_purge_removes_the_namespaces_of_the_stack_and_no_other(machine, monkeypatch):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\n")
    own = cluster_access.instance_of(machine.context())
    ours, theirs, plain = listed("n", OURS, own), listed("other", THEIRS, own), listed("kube-system", None)
    # A stack file that was copied took its stackId along.
    copied = listed("copy", OURS, f"{own}-2")
    objects = {"/api/v1/namespaces": [ours, theirs, plain, copied, listed("n-logs", OURS, own)]}
    held = access(**objects, **{f"/api/v1/namespaces/{name}": {} for name in ("n", "n-logs", "other", "copy")})

    @contextmanager
    def connected(place):
        assert place == Place(machine.root / "cluster/kubeconfig", "c", "n")
        yield held

    monkeypatch.setattr(cluster_access, "connect", connected)
    purging.remove_namespaces(
        machine.context(), purging.Ours([OURS], [], {"kubeconfig": "cluster/kubeconfig", "context": "c", "namespace": "n"})
    )
    assert held.client.removed == ["/api/v1/namespaces/n", "/api/v1/namespaces/n-logs"]


def test_who_may_not_list_all_namespaces_is_told_of_the_stacks_own(monkeypatch):
    held = access(**{"/api/v1/namespaces/n": listed("n", OURS), "/api/v1/namespaces/n-logs": listed("n-logs", THEIRS)})

    def forbidden(path, **query):
        raise ApiError(403, {"message": "no"})

    monkeypatch.setattr(held, "items", forbidden)
    assert held.namespaces(OURS, "supastack-kube") == ["n"]


def test_a_purge_that_was_cut_short_still_knows_its_cluster(tmp_path):
    journal = tmp_path / "dev.purge"
    at = {"kubeconfig": "cluster/kubeconfig", "context": "c", "namespace": "n"}
    assert purging._remembered(journal, state(PROVIDER, namespace())) == purging.Ours([OURS], [], at)
    assert purging._remembered(journal, None) == purging.Ours([OURS], [], at)


def test_a_namespace_that_does_not_go_says_why(monkeypatch):
    held = access()
    stuck = {"status": {"conditions": [{"type": "NamespaceContentRemaining", "status": "True", "message": "a pod is left"}]}}
    monkeypatch.setattr(cluster_access, "_GONE_SECONDS", -1.0)
    monkeypatch.setattr(held, "find", lambda path: stuck)
    with pytest.raises(ToolchainError, match="a pod is left"):
        held.remove_namespace("n")
