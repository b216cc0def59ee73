"""The cluster that other tests stand on does what they take for granted."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from toolchain import cluster as clusters
from toolchain.announce import ToolchainError
from toolchain.cluster import layout as layouts
from toolchain.cluster import machine, pins
from toolchain.cluster.cluster import Cluster
from toolchain.cluster.layout import Layout
from toolchain.context import Context

pytestmark = pytest.mark.docker
STUB = "supastack.local/stub:1"
REFUSED, PROHIBITED, OPEN = "refused", "prohibited", "open"


@pytest.fixture(scope="module")
def own(cluster: object) -> Cluster:
    if not isinstance(cluster, Cluster):
        pytest.skip("this is about a cluster of our own")
    cluster.import_images([STUB])
    return cluster


@pytest.fixture(scope="module")
def namespace(own: Cluster) -> Iterator[str]:
    with _namespace(own, "things") as name:
        yield name


@contextlib.contextmanager
def _namespace(own: Cluster, name: str, level: str = "restricted", **labels: str) -> Iterator[str]:
    labels = {"pod-security.kubernetes.io/enforce": level, **labels}
    own.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    # The account comes a moment after its namespace, and pods are refused until then.
    _until(lambda: own.api.find(f"/api/v1/namespaces/{name}/serviceaccounts/default") is not None)
    try:
        yield name
    finally:
        own.api.delete(f"/api/v1/namespaces/{name}")


def _until(done: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
    return found


def _pod(namespace: str, name: str, ports: str = "8080", **more: Any) -> dict[str, Any]:
    """A pod of the stub image that keeps to `restricted`; `labels`, `claim` and container ports (`named`) by wish."""
    container: dict[str, Any] = {
        "name": "stub",
        "image": STUB,
        "imagePullPolicy": "Never",
        "command": ["stub"],
        "env": [{"name": "STUB_PORTS", "value": ports}, {"name": "STUB_SERVICE", "value": "rest"}],
        "ports": more.get("named", []),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    spec: dict[str, Any] = {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    if "claim" in more:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": more["claim"]}}]
    labels = {"app": name, **more.get("labels", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": spec,
    }


def _run(own: Cluster, *pods: dict[str, Any]) -> None:
    own.api.apply(*pods)
    for pod in pods:
        _wait_for(own, pod["metadata"]["namespace"], pod["metadata"]["name"])


def _wait_for(own: Cluster, namespace: str, name: str) -> None:
    own.kubectl("wait", f"--namespace={namespace}", "--for=condition=Ready", f"pod/{name}", "--timeout=90s")


def _service(namespace: str, name: str, pod: str, **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080}]
    metadata = {"name": name, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": {"app": pod}, "ports": ports, **spec},
    }


def _claim(namespace: str, name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def _in(own: Cluster, namespace: str, pod: str, *command: str) -> str:
    return own.kubectl("exec", f"--namespace={namespace}", pod, "--", *command)


def _connect(own: Cluster, namespace: str, pod: str, host: str, port: int) -> str:
    """What a pod meets at an address: `open`, `refused` (nobody listens there) or `prohibited` (a policy is in the way)."""
    script = f"exec 3<>/dev/tcp/{host}/{port}"
    command = ["exec", f"--namespace={namespace}", pod, "--", "timeout", "5", "bash", "-c", script]
    try:
        own.kubectl(*command)
    except ToolchainError as error:
        for said, meaning in (("No route to host", PROHIBITED), ("Connection refused", REFUSED)):
            if said in str(error):
                return meaning
        raise
    return OPEN


def _address(own: Cluster, namespace: str, pod: str) -> str:
    return str(own.api.get(f"/api/v1/namespaces/{namespace}/pods/{pod}")["status"]["podIP"])


def test_the_node_is_ready_and_a_restricted_pod_runs_on_it(own: Cluster, namespace: str) -> None:
    assert all(one["running"] for one in own.programs().values())
    _run(own, _pod(namespace, "first"))
    assert "uid=1000" in _in(own, namespace, "first", "id")
    assert own.kubectl("logs", f"--namespace={namespace}", "first") is not None


def test_a_pod_that_its_namespace_forbids_is_refused(own: Cluster, namespace: str) -> None:
    pod = _pod(namespace, "forbidden")
    pod["spec"]["hostNetwork"] = True
    with pytest.raises(ToolchainError, match="violates PodSecurity"):
        own.api.apply(pod)


def test_the_kubeconfig_is_for_its_owner_alone_and_names_its_context(own: Cluster) -> None:
    assert own.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert own.kubectl("config", "current-context").strip() == own.context == "supastack"


def test_a_service_is_found_by_its_name_and_answers(own: Cluster, namespace: str) -> None:
    _run(own, _pod(namespace, "server"), _pod(namespace, "client"))
    own.api.apply(_service(namespace, "rest", "server"))
    address = own.api.get(f"/api/v1/namespaces/{namespace}/services/rest")["spec"]["clusterIP"]
    assert _in(own, namespace, "client", "getent", "hosts", "rest").split()[0] == address
    full = f"rest.{namespace}.svc.cluster.local"
    assert _in(own, namespace, "client", "getent", "hosts", full).split()[0] == address
    assert _until(lambda: _connect(own, namespace, "client", "rest", 80) == OPEN)


def test_a_node_port_and_a_forwarded_port_answer_on_this_machine(own: Cluster, namespace: str) -> None:
    _run(own, _pod(namespace, "published"))
    own.api.apply(_service(namespace, "published", "published", type="NodePort"))
    port = own.api.get(f"/api/v1/namespaces/{namespace}/services/published")["spec"]["ports"][0]["nodePort"]
    assert _until(lambda: _status(f"http://{own.address}:{port}/")) == 501
    with _forwarded(own, f"--namespace={namespace}", "service/published", ":80") as local:
        assert _status(f"http://127.0.0.1:{local}/") == 501


def test_a_host_port_answers_on_the_node_address(own: Cluster) -> None:
    with _namespace(own, "host-ports", "privileged") as namespace:
        _run(own, _pod(namespace, "host", named=[{"containerPort": 8080, "hostPort": 28080}]))
        assert _until(lambda: _status(f"http://{own.address}:28080/")) == 501


def _status(url: str) -> int | None:
    try:
        return requests.get(url, timeout=5).status_code
    except requests.ConnectionError:
        return None


@contextlib.contextmanager
def _forwarded(own: Cluster, *arguments: str) -> Iterator[int]:
    command = [str(own.folder / "kubectl"), f"--kubeconfig={own.kubeconfig}", "port-forward", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found
        yield int(found[1])
    finally:
        process.kill()
        process.wait()


def test_a_volume_keeps_its_data_when_its_pod_goes_and_goes_with_its_claim(own: Cluster, namespace: str) -> None:
    own.api.apply(_claim(namespace, "data"))
    _run(own, _pod(namespace, "writer", claim="data"))
    _in(own, namespace, "writer", "touch", "/data/kept")
    own.kubectl("delete", f"--namespace={namespace}", "pod/writer", "--wait")
    _run(own, _pod(namespace, "reader", claim="data"))
    assert _in(own, namespace, "reader", "ls", "/data").split() == ["kept"]
    volume = own.api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/data")["spec"]["volumeName"]
    folder = Path(own.api.get(f"/api/v1/persistentvolumes/{volume}")["spec"]["hostPath"]["path"])
    assert (folder / "kept").exists()
    own.kubectl("delete", f"--namespace={namespace}", "pod/reader", "pvc/data", "--wait")
    _until(lambda: own.api.find(f"/api/v1/persistentvolumes/{volume}") is None)
    assert not folder.exists()


def test_a_claim_made_again_under_the_same_name_is_empty(own: Cluster, namespace: str) -> None:
    for _ in range(2):
        own.api.apply(_claim(namespace, "again"))
        _run(own, _pod(namespace, "user", claim="again"))
        assert _in(own, namespace, "user", "ls", "/data") == ""
        _in(own, namespace, "user", "touch", "/data/old")
        own.kubectl("delete", f"--namespace={namespace}", "pod/user", "pvc/again", "--wait")


def test_an_image_that_is_there_is_not_brought_again_and_one_that_docker_lacks_is_named(own: Cluster) -> None:
    assert own.import_images([STUB]) == []
    with pytest.raises(ToolchainError, match=r"does not have supastack\.local/nothing:1"):
        own.import_images([STUB, "supastack.local/nothing:1"])


def test_the_kinds_of_the_gateway_api_and_of_cert_manager_are_known(own: Cluster) -> None:
    kinds = own.kubectl("api-resources", "--output=name").split()
    assert {"httproutes.gateway.networking.k8s.io", "certificates.cert-manager.io"} <= {*kinds}


def test_pods_go_on_when_the_kubelet_is_killed_and_it_sees_them_again(own: Cluster, namespace: str) -> None:
    _run(own, _pod(namespace, "goes-on"))
    path = f"/api/v1/namespaces/{namespace}/pods/goes-on"
    before = own.api.get(path)["status"]["containerStatuses"][0]
    own.restart("kubelet")
    _run(own, _pod(namespace, "after"))
    after = own.api.get(path)["status"]["containerStatuses"][0]
    assert (after["containerID"], after["restartCount"]) == (before["containerID"], 0)


def test_the_operator_of_cloudnativepg_runs_and_makes_a_database(own: Cluster) -> None:
    own.install_cnpg(Context.of())
    with _namespace(own, "cnpg") as namespace:
        own.api.apply(
            {
                "apiVersion": "postgresql.cnpg.io/v1",
                "kind": "Cluster",
                "metadata": {"name": "pg", "namespace": namespace},
                "spec": {
                    "instances": 1,
                    "imageName": pins.CNPG_OPERAND_IMAGE,
                    "imagePullPolicy": "Never",
                    "storage": {"size": "1Gi"},
                },
            }
        )
        own.kubectl("wait", f"--namespace={namespace}", "--for=condition=Ready", "cluster/pg", "--timeout=180s")
        asked = ("psql", "--no-psqlrc", "--tuples-only", "--command=select current_setting('server_version_num')::int / 10000")
        assert _in(own, namespace, "pg-1", *asked).strip() == pins.CNPG_OPERAND_IMAGE.rpartition(":")[2]


_PORTS = "8080,8081,8085"


@pytest.fixture(scope="module")
def pods(own: Cluster) -> Iterator[Cluster]:
    """`policies`: server, friend, stranger; `policies-other` (team: other): friend, guest."""
    named = [{"containerPort": 8080, "name": "web"}]
    with _namespace(own, "policies") as here, _namespace(own, "policies-other", team="other") as there:
        _run(
            own,
            _pod(here, "server", _PORTS, named=named),
            _pod(here, "friend", labels={"role": "friend"}),
            _pod(here, "stranger"),
            _pod(there, "friend", labels={"role": "friend"}),
            _pod(there, "guest", labels={"role": "guest"}),
        )
        yield own


_FRIEND = {"podSelector": {"matchLabels": {"role": "friend"}}}
_OTHER = {"namespaceSelector": {"matchLabels": {"team": "other"}}}
_DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}
H, T = "policies", "policies-other"

# Written by hand from the API reference of NetworkPolicy. By policy: who reaches which port of the server.
INGRESS: dict[str, tuple[dict[str, Any], dict[tuple[str, str, int], str]]] = {
    "no-policy": (
        {},
        {(H, "stranger", 8080): OPEN, (T, "guest", 8085): OPEN, (H, "stranger", 9999): REFUSED},
    ),
    "default-deny": (
        {"policyTypes": ["Ingress"]},
        {(H, "friend", 8080): PROHIBITED, (T, "friend", 8080): PROHIBITED, (H, "server", 8080): OPEN},
    ),
    "all-allowed": ({"ingress": [{}]}, {(H, "stranger", 8081): OPEN, (T, "guest", 8085): OPEN}),
    "a-label-in-the-same-namespace": (
        {"ingress": [{"from": [_FRIEND]}]},
        {(H, "friend", 8080): OPEN, (H, "stranger", 8080): PROHIBITED, (T, "friend", 8080): PROHIBITED},
    ),
    "a-namespace": (
        {"ingress": [{"from": [_OTHER]}]},
        {(T, "guest", 8080): OPEN, (T, "friend", 8080): OPEN, (H, "friend", 8080): PROHIBITED},
    ),
    "a-label-in-a-namespace": (
        {"ingress": [{"from": [{**_OTHER, **_FRIEND}]}]},
        {(T, "friend", 8080): OPEN, (T, "guest", 8080): PROHIBITED, (H, "friend", 8080): PROHIBITED},
    ),
    "either-of-two": (
        {"ingress": [{"from": [_OTHER, _FRIEND]}]},
        {(T, "guest", 8080): OPEN, (H, "friend", 8080): OPEN, (H, "stranger", 8080): PROHIBITED},
    ),
    "a-named-port": (
        {"ingress": [{"from": [_FRIEND], "ports": [{"port": "web"}]}]},
        {(H, "friend", 8080): OPEN, (H, "friend", 8081): PROHIBITED, (H, "stranger", 8080): PROHIBITED},
    ),
    "a-range-of-ports": (
        {"ingress": [{"ports": [{"port": 8081, "endPort": 8084}]}]},
        {(H, "stranger", 8081): OPEN, (H, "stranger", 8080): PROHIBITED, (H, "stranger", 8085): PROHIBITED},
    ),
    "another-protocol": ({"ingress": [{"ports": [{"protocol": "UDP"}]}]}, {(H, "friend", 8080): PROHIBITED}),
    "expressions": (
        {"ingress": [{"from": [{"podSelector": {"matchExpressions": [{"key": "role", "operator": "DoesNotExist"}]}}]}]},
        {(H, "stranger", 8080): OPEN, (H, "friend", 8080): PROHIBITED},
    ),
    "egress-only": ({"policyTypes": ["Egress"]}, {(H, "stranger", 8080): OPEN, (T, "guest", 8080): OPEN}),
}


@pytest.mark.parametrize("case", INGRESS)
def test_what_reaches_a_pod_is_what_its_policies_allow(pods: Cluster, case: str) -> None:
    spec, expected = INGRESS[case]
    server = _address(pods, H, "server")
    with _policies(pods, {case: {"podSelector": {"matchLabels": {"app": "server"}}, **spec}} if spec else {}):
        found = {(ns, pod, port): _connect(pods, ns, pod, server, port) for ns, pod, port in expected}
    assert found == expected


def test_what_a_pod_reaches_is_what_its_policies_allow(pods: Cluster) -> None:
    def meets() -> dict[str, str]:
        return {
            "server web": _connect(pods, H, "friend", _address(pods, H, "server"), 8080),
            "server 8081": _connect(pods, H, "friend", _address(pods, H, "server"), 8081),
            "other namespace": _connect(pods, H, "friend", _address(pods, T, "guest"), 8080),
            "api": _connect(pods, H, "friend", "kubernetes.default", 443),
        }

    web = {"to": [{"podSelector": {"matchLabels": {"app": "server"}}}], "ports": [{"port": "web"}]}
    friend = {"podSelector": {"matchLabels": {"app": "friend"}}}
    with _policies(pods, {"egress": {**friend, "policyTypes": ["Egress"], "egress": [web, _DNS]}}):
        assert meets() == {"server web": OPEN, "server 8081": PROHIBITED, "other namespace": PROHIBITED, "api": PROHIBITED}
    # Both ends must agree, and policies add up.
    deny = {"podSelector": {}, "policyTypes": ["Ingress"]}
    allow = {"podSelector": {"matchLabels": {"app": "server"}}, "ingress": [{"from": [_FRIEND], "ports": [{"port": 8081}]}]}
    rest = {**friend, "policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {}}]}, _DNS]}
    with _policies(pods, {"deny": deny, "allow": allow, "rest": rest}):
        assert meets() == {"server web": PROHIBITED, "server 8081": OPEN, "other namespace": PROHIBITED, "api": PROHIBITED}
    assert set(meets().values()) == {OPEN}


def test_a_network_is_allowed_but_for_what_it_excepts(pods: Cluster) -> None:
    server, friend, guest = _address(pods, H, "server"), _address(pods, H, "friend"), _address(pods, T, "guest")
    block = {"cidr": "10.244.0.0/16", "except": [f"{friend}/32"]}
    spec = {"podSelector": {"matchLabels": {"app": "server"}}, "ingress": [{"from": [{"ipBlock": block}]}]}
    with _policies(pods, {"block": spec}):
        assert _connect(pods, T, "guest", server, 8080) == OPEN
        assert _connect(pods, H, "friend", server, 8080) == PROHIBITED
    out = {"podSelector": {"matchLabels": {"app": "friend"}}, "policyTypes": ["Egress"]}
    with _policies(pods, {"out": {**out, "egress": [{"to": [{"ipBlock": {"cidr": f"{guest}/32"}}]}]}}):
        assert _connect(pods, H, "friend", guest, 8080) == OPEN
        assert _connect(pods, H, "friend", server, 8080) == PROHIBITED


def test_a_pod_that_comes_later_and_one_whose_label_changes_are_taken_up(pods: Cluster) -> None:
    server = _address(pods, H, "server")
    spec = {"podSelector": {"matchLabels": {"app": "server"}}, "ingress": [{"from": [_FRIEND]}]}
    with _policies(pods, {"friends": spec}):
        _run(pods, _pod(H, "newcomer"))
        pods.wait_for_policies()
        assert _connect(pods, H, "newcomer", server, 8080) == PROHIBITED
        pods.kubectl("label", f"--namespace={H}", "pod/newcomer", "role=friend")
        assert _until(lambda: _connect(pods, H, "newcomer", server, 8080) == OPEN)
        pods.kubectl("delete", f"--namespace={H}", "pod/newcomer", "--wait")


@contextlib.contextmanager
def _policies(own: Cluster, specs: dict[str, dict[str, Any]]) -> Iterator[None]:
    paths = []
    for name, spec in specs.items():
        metadata = {"name": name, "namespace": H}
        own.api.apply({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec})
        paths.append(f"/apis/networking.k8s.io/v1/namespaces/{H}/networkpolicies/{name}")
    own.wait_for_policies()
    try:
        yield
    finally:
        for path in paths:
            own.api.delete(path)
        own.wait_for_policies()


def test_a_cluster_survives_being_killed_and_ends_without_a_trace(own: Cluster, tmp_path: Path) -> None:
    """A second one, beside the first, which goes on."""
    context = Context.of()
    second = clusters.up(context, tmp_path, reaches_out=True)
    assert second.address != own.address
    second.import_images([STUB])
    second.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}})
    _until(lambda: second.api.find("/api/v1/namespaces/kept/serviceaccounts/default"))
    second.api.apply(_claim("kept", "data"))
    _run(second, _pod("kept", "keeper", claim="data"))
    _in(second, "kept", "keeper", "touch", "/data/kept")
    programs = second.programs()

    assert clusters.up(context, tmp_path).programs() == programs, "a second up starts nothing"

    process = machine.process_of(second.layout)
    assert process is not None
    os.kill(process, signal.SIGKILL)
    _until(lambda: clusters.find(tmp_path) is None)
    third = clusters.up(context, tmp_path)
    assert third.address == second.address
    # Of the run before it is only remembered: it must be seen to run now.
    _until(lambda: _runs(third, "kept", "keeper"), 120)
    assert _in(third, "kept", "keeper", "ls", "/data").split() == ["kept"]

    process = machine.process_of(third.layout)
    assert process is not None
    processes = _started_by(process)
    assert len(processes) > 10
    assert len(_traces(third.layout)) > 4
    clusters.down(tmp_path, purge=True)
    assert not tmp_path.exists()
    assert _traces(third.layout) == []
    assert processes.isdisjoint(_started_by(1))
    assert all(one["running"] for one in own.programs().values())


def test_what_is_left_of_an_ended_cluster_is_not_looked_for_at_the_one_that_has_its_number_now(
    own: Cluster, tmp_path: Path
) -> None:
    layouts.save(Layout(tmp_path, own.layout.number), own.binaries)
    before = _traces(own.layout)
    clusters.down(tmp_path)
    assert _traces(own.layout) == before
    assert own.api.ready()


def _runs(own: Cluster, namespace: str, pod: str) -> bool:
    try:
        return _in(own, namespace, pod, "echo", "here").strip() == "here"
    except ToolchainError:
        return False


def _traces(layout: Layout) -> list[str]:
    """What of a cluster can be seen on this machine: devices, control groups, mounts, packet filter rules."""

    def lines(*command: str) -> list[str]:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    name = re.compile(rf"{layout.link}\b")
    return [
        *(
            line
            for line in (*lines("ip", "link"), *lines("nft", "list", "tables"), *lines("iptables", "-S"))
            if name.search(line)
        ),
        *(str(one) for one in Path("/sys/fs/cgroup").glob(f"**/{layout.cgroup.strip('/')}")),
        *(line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(layout.folder) in line),
    ]


def _started_by(process: int) -> set[tuple[int, str]]:
    """A process and all below it, each with the time of its start, so that another one with its number is told apart."""
    found: dict[int, tuple[int, str]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # After the name, which may have spaces: state, parent, ..., the 20th is the start.
            words = stat.read_text().rpartition(")")[2].split()
            found[int(stat.parent.name)] = (int(words[1]), words[19])
    below = {process}
    while more := {pid for pid, (parent, _) in found.items() if parent in below} - below:
        below |= more
    return {(pid, found[pid][1]) for pid in below if pid in found}


def test_nothing_of_a_program_of_the_node_is_seen_by_this_machine(own: Cluster) -> None:
    assert str(own.folder) not in Path("/proc/self/mountinfo").read_text()
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    assert "KUBE-" not in rules
    assert "CNI-" not in rules
