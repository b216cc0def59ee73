"""A stack in a cluster as the toolchain sees it: where it is, how its workloads are, what purge removes, what forward opens."""

import json
import socket
import struct
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_stack_state import resource, state

from toolchain.announce import ToolchainError
from toolchain.plugins.kubernetes.client import ApiError
from toolchain.stack import cluster_access, cluster_status, describe, forward, operations, prepare, purging, summary
from toolchain.stack.cluster_access import Access, Place
from toolchain.stack.describe import Cluster, Description, Forward
from toolchain.stack.state import Output
from toolchain.stack.websocket import Closed, WebSocket

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


def listed(name, stack_id):
    return {"metadata": {"name": name, "annotations": {"supastack.io/stack-id": stack_id} if stack_id else {}}}


def test_purge_removes_the_namespaces_of_the_stack_and_no_other(machine, monkeypatch):
    ours, theirs, plain = listed("n", OURS), listed("other", THEIRS), listed("kube-system", None)
    objects = {"/api/v1/namespaces": [ours, theirs, plain, listed("n-logs", OURS)]}
    held = access(**objects, **{f"/api/v1/namespaces/{name}": {} for name in ("n", "n-logs", "other")})

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
    assert held.namespaces(OURS) == ["n"]


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


# ---- forward ---------------------------------------------------------------------------------------------------------

CLUSTER = Cluster(
    kubeconfig=Path("kubeconfig"),
    context="c",
    namespace="supastack-dev",
    bind="127.0.0.1",
    forwards=(Forward("postgres", "postgres", 5432, 54322), Forward("api", "gateway", 8000, 54321)),
)


def test_addresses_of_the_cluster_become_this_machines_and_others_stay():
    inside = "supastack-dev.svc.cluster.local"
    text = f"A=postgresql://u:p@postgres.{inside}:5432/db\nB=http://gateway.{inside}:8000/x\nC=http://gateway.{inside}:9999\nD=https://x.example"
    assert forward.forwarded(text, CLUSTER).splitlines() == [
        "A=postgresql://u:p@127.0.0.1:54322/db",
        "B=http://127.0.0.1:54321/x",
        f"C=http://gateway.{inside}:9999",
        "D=https://x.example",
    ]


def test_forwarded_env_files_are_private_and_go_with_the_ports(tmp_path):
    file, other = tmp_path / ".env.dev", tmp_path / "config.toml"
    file.write_text("A=http://gateway.supastack-dev.svc.cluster.local:8000\n")
    other.write_text("x")
    with forward.forwarded_files([file, other, tmp_path / ".env.missing"], CLUSTER) as written:
        assert written == [tmp_path / ".env.dev.forwarded"]
        assert written[0].read_text() == "A=http://127.0.0.1:54321\n"
        assert written[0].stat().st_mode & 0o077 == 0
    assert not written[0].exists()
    assert file.read_text().startswith("A=http://gateway")


def test_ports_that_are_taken_are_told_all_at_once_and_none_is_kept():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        free = socket.create_server(("127.0.0.1", 0))
        number = free.getsockname()[1]
        free.close()
        wanted = [Forward(n, "s", 1, p) for n, p in (("a", one.getsockname()[1]), ("b", number), ("c", two.getsockname()[1]))]
        with pytest.raises(ToolchainError, match=r"\(a\), .*\(c\)"):
            forward._open("127.0.0.1", wanted)
        socket.create_server(("127.0.0.1", number)).close()


def test_a_stack_on_docker_has_nothing_to_forward(machine, monkeypatch):
    monkeypatch.setattr(forward, "config_file", lambda context: Path("x"))
    monkeypatch.setattr(describe, "start", lambda *_: None)
    monkeypatch.setattr(
        describe, "finish", lambda _: Description("docker", needs_docker=True, docker_host=None, image_source=None)
    )
    with pytest.raises(ToolchainError, match="open on this machine already"):
        forward.forward(machine.context())


def test_a_ready_pod_is_chosen_and_neither_one_that_goes_nor_a_standby():
    def pod(name, ready, role=None, **metadata):
        labels = {LABEL: "rest", cluster_access.INSTANCE: "i", **({"cnpg.io/instanceRole": role} if role else {})}
        return {
            "metadata": {"name": name, "labels": labels, **metadata},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }

    pods = [
        pod("starting", "False"),
        pod("going", "True", deletionTimestamp="now"),
        pod("standby", "True", "replica"),
        pod("ready", "True", "primary"),
    ]
    pooler = {**pod("pooler", "True"), "metadata": {"name": "p", "labels": {"cnpg.io/poolerName": "postgres-pooler"}}}
    tunnel = forward.Tunnel(access(**{"/api/v1/namespaces/n/pods": [*pods, pooler]}), "i")
    assert tunnel.pod("rest") == "ready"
    assert tunnel.pod("postgres-pooler") == "p"
    assert tunnel.pod("rest-ro") == "standby"
    assert tunnel.pod("auth") is None


# ---- the way to a pod ------------------------------------------------------------------------------------------------


def frame(payload, kind=2, final=True):
    length = len(payload)
    head = (
        struct.pack("!BB", (0x80 if final else 0) | kind, length)
        if length < 126
        else struct.pack("!BBH", 0x80 | kind, 126, length)
    )
    return head + payload


class Kubelet(threading.Thread):
    """The far end of one forwarded connection: it answers what it gets in capital letters."""

    def __init__(self, status="101 Switching Protocols"):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.status = status
        self.head = b""
        self.start()

    def run(self):
        connection, _ = self.server.accept()
        with connection:
            while b"\r\n\r\n" not in self.head:
                self.head += connection.recv(4096)
            connection.sendall(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
            if not self.status.startswith("101"):
                return
            port = struct.pack("<H", 8000)
            connection.sendall(frame(b"\0" + port) + frame(b"\1" + port))
            while (message := self.read(connection)) is not None:
                # A ping in between, and an answer in two frames.
                connection.sendall(frame(b"hello", kind=9) + frame(b"\0" + message[1:3].upper(), final=False))
                connection.sendall(frame(message[3:].upper(), kind=0))

    @staticmethod
    def read(connection):
        while True:
            head = connection.recv(2, socket.MSG_WAITALL)
            if len(head) < 2 or head[0] & 0x0F == 8:
                return None
            length = head[1] & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))
            assert head[1] & 0x80, "a client masks what it sends"
            mask, masked = connection.recv(4, socket.MSG_WAITALL), connection.recv(length, socket.MSG_WAITALL)
            if head[0] & 0x0F == 2:
                return bytes(b ^ mask[i % 4] for i, b in enumerate(masked))


def test_bytes_go_to_a_pod_and_back(monkeypatch):
    kubelet = Kubelet()
    tunnel = forward.Tunnel(access(), "i")
    tunnel.access.client.access = SimpleNamespace(
        server=f"http://127.0.0.1:{kubelet.server.getsockname()[1]}/base", token="t0ken", basic="", server_name=""
    )
    monkeypatch.setattr(tunnel, "pod", lambda service: "rest-1")
    near, here = socket.socketpair()
    threading.Thread(target=forward._carry, args=(tunnel, Forward("api", "gateway", 8000, 1), near), daemon=True).start()
    with here:
        here.settimeout(10)
        for sent in (b"hello", b"x" * 1000):
            here.sendall(sent)
            got = b""
            while len(got) < len(sent):
                got += here.recv(4096)
            assert got == sent.upper()
    head = kubelet.head.decode()
    assert head.startswith("GET /base/api/v1/namespaces/n/pods/rest-1/portforward?ports=8000 HTTP/1.1\r\n")
    assert "Authorization: Bearer t0ken" in head
    assert "Sec-WebSocket-Protocol: v4.channel.k8s.io" in head


def test_a_server_that_refuses_says_with_what():
    kubelet = Kubelet("403 Forbidden")
    with socket.create_connection(kubelet.server.getsockname()) as raw, pytest.raises(Closed, match="403 Forbidden"):
        WebSocket(raw, "x", "/", "p", {})


def test_a_connection_to_a_service_without_a_ready_pod_ends_and_is_said(capsys, monkeypatch):
    tunnel = forward.Tunnel(access(), "i")
    monkeypatch.setattr(tunnel, "pod", lambda service: None)
    near, here = socket.socketpair()
    with here:
        forward._carry(tunnel, Forward("api", "gateway", 8000, 1), near)
        assert here.recv(1) == b""
    assert "no pod of gateway is ready" in capsys.readouterr().err


def test_a_description_has_the_cluster_and_its_ports():
    told = {
        "target": "kubernetes",
        "needs_docker": False,
        "docker_host": None,
        "image_source": "local",
        "images": [],
        "registries": [],
        "notes": [],
        "env_files": [{"app": "nextjs", "path": "/x/.env"}],
        "cluster": {
            "kubeconfig": "/k",
            "context": "c",
            "namespace": "n",
            "bind": "127.0.0.1",
            "forwards": [{"name": "api", "service": "gateway", "port": 8000, "local": 54321}],
        },
    }
    found = describe.parse(json.loads(json.dumps(told)))
    assert found.cluster == Cluster(Path("/k"), "c", "n", "127.0.0.1", (Forward("api", "gateway", 8000, 54321),))
    assert found.env_files == (Path("/x/.env"),)
