"""The cluster that other tests stand on does what they take for granted."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.cluster.stub_pods import (
    OPEN,
    STUB,
    a_namespace,
    connect,
    in_pod,
    run_pods,
    service_for,
    small_claim,
    stub_pod,
    until,
)
from toolchain import cluster as clusters
from toolchain.announce import ToolchainError
from toolchain.cluster import layout as layouts
from toolchain.cluster import machine, pins
from toolchain.cluster.cluster import Cluster
from toolchain.cluster.layout import Layout
from toolchain.context import Context

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def namespace(own: Cluster) -> Iterator[str]:
    with a_namespace(own, "things") as name:
        yield name


def test_the_node_is_ready_and_a_restricted_pod_runs_on_it(own: Cluster, namespace: str) -> None:
    assert all(one["running"] for one in own.programs().values())
    run_pods(own, stub_pod(namespace, "first"))
    assert "uid=1000" in in_pod(own, namespace, "first", "id")
    assert own.kubectl("logs", f"--namespace={namespace}", "first") is not None


def test_a_pod_that_its_namespace_forbids_is_refused(own: Cluster, namespace: str) -> None:
    pod = stub_pod(namespace, "forbidden")
    pod["spec"]["hostNetwork"] = True
    with pytest.raises(ToolchainError, match="violates PodSecurity"):
        own.api.apply(pod)


def test_the_kubeconfig_is_for_its_owner_alone_and_names_its_context(own: Cluster) -> None:
    assert own.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert own.kubectl("config", "current-context").strip() == own.context == "supastack"


def test_a_service_is_found_by_its_name_and_answers(own: Cluster, namespace: str) -> None:
    run_pods(own, stub_pod(namespace, "server"), stub_pod(namespace, "client"))
    own.api.apply(service_for(namespace, "rest", "server"))
    address = own.api.get(f"/api/v1/namespaces/{namespace}/services/rest")["spec"]["clusterIP"]
    assert in_pod(own, namespace, "client", "getent", "hosts", "rest").split()[0] == address
    full = f"rest.{namespace}.svc.cluster.local"
    assert in_pod(own, namespace, "client", "getent", "hosts", full).split()[0] == address
    assert until(lambda: connect(own, namespace, "client", "rest", 80) == OPEN)


def test_a_node_port_and_a_forwarded_port_answer_on_this_machine(own: Cluster, namespace: str) -> None:
    run_pods(own, stub_pod(namespace, "published"))
    own.api.apply(service_for(namespace, "published", "published", type="NodePort"))
    port = own.api.get(f"/api/v1/namespaces/{namespace}/services/published")["spec"]["ports"][0]["nodePort"]
    assert until(lambda: _status(f"http://{own.address}:{port}/")) == 501
    with _forwarded(own, f"--namespace={namespace}", "service/published", ":80") as local:
        assert _status(f"http://127.0.0.1:{local}/") == 501


def test_a_host_port_answers_on_the_node_address(own: Cluster) -> None:
    with a_namespace(own, "host-ports", "privileged") as namespace:
        run_pods(own, stub_pod(namespace, "host", named=[{"containerPort": 8080, "hostPort": 28080}]))
        assert until(lambda: _status(f"http://{own.address}:28080/")) == 501


def _status(url: str) -> int | None:
    try:
        return requests.get(url, timeout=5).status_code
    except requests.RequestException:
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
    own.api.apply(small_claim(namespace, "data"))
    run_pods(own, stub_pod(namespace, "writer", claim="data"))
    in_pod(own, namespace, "writer", "touch", "/data/kept")
    own.kubectl("delete", f"--namespace={namespace}", "pod/writer", "--wait")
    run_pods(own, stub_pod(namespace, "reader", claim="data"))
    assert in_pod(own, namespace, "reader", "ls", "/data").split() == ["kept"]
    volume = own.api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/data")["spec"]["volumeName"]
    folder = Path(own.api.get(f"/api/v1/persistentvolumes/{volume}")["spec"]["hostPath"]["path"])
    assert (folder / "kept").exists()
    own.kubectl("delete", f"--namespace={namespace}", "pod/reader", "pvc/data", "--wait")
    until(lambda: own.api.find(f"/api/v1/persistentvolumes/{volume}") is None)
    assert not folder.exists()


def test_a_claim_made_again_under_the_same_name_is_empty(own: Cluster, namespace: str) -> None:
    for _ in range(2):
        own.api.apply(small_claim(namespace, "again"))
        run_pods(own, stub_pod(namespace, "user", claim="again"))
        assert in_pod(own, namespace, "user", "ls", "/data") == ""
        in_pod(own, namespace, "user", "touch", "/data/old")
        own.kubectl("delete", f"--namespace={namespace}", "pod/user", "pvc/again", "--wait")


def test_an_image_that_is_there_is_not_brought_again_and_one_that_docker_lacks_is_named(own: Cluster) -> None:
    assert own.import_images([STUB]) == []
    with pytest.raises(ToolchainError, match=r"does not have supastack\.local/nothing:1"):
        own.import_images([STUB, "supastack.local/nothing:1"])


def test_the_kinds_of_the_gateway_api_and_of_cert_manager_are_known(own: Cluster) -> None:
    kinds = own.kubectl("api-resources", "--output=name").split()
    assert {"httproutes.gateway.networking.k8s.io", "certificates.cert-manager.io"} <= {*kinds}


def test_pods_go_on_when_the_kubelet_is_killed_and_it_sees_them_again(own: Cluster, namespace: str) -> None:
    run_pods(own, stub_pod(namespace, "goes-on"))
    path = f"/api/v1/namespaces/{namespace}/pods/goes-on"
    before = own.api.get(path)["status"]["containerStatuses"][0]
    own.restart("kubelet")
    run_pods(own, stub_pod(namespace, "after"))
    after = own.api.get(path)["status"]["containerStatuses"][0]
    assert (after["containerID"], after["restartCount"]) == (before["containerID"], 0)


def test_the_operator_of_cloudnativepg_runs_and_makes_a_database(own: Cluster) -> None:
    own.install_cnpg(Context.of())
    with a_namespace(own, "cnpg") as namespace:
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
        assert in_pod(own, namespace, "pg-1", *asked).strip() == pins.CNPG_OPERAND_IMAGE.rpartition(":")[2]


def test_a_cluster_survives_being_killed_and_ends_without_a_trace(own: Cluster, tmp_path: Path) -> None:
    """A second one, beside the first, which goes on."""
    context = Context.of()
    second = clusters.up(context, tmp_path, reaches_out=True)
    assert second.address != own.address
    second.import_images([STUB])
    second.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}})
    until(lambda: second.api.find("/api/v1/namespaces/kept/serviceaccounts/default"))
    second.api.apply(small_claim("kept", "data"))
    run_pods(second, stub_pod("kept", "keeper", claim="data"))
    in_pod(second, "kept", "keeper", "touch", "/data/kept")
    programs = second.programs()

    assert clusters.up(context, tmp_path).programs() == programs, "a second up starts nothing"

    process = machine.process_of(second.layout)
    assert process is not None
    os.kill(process, signal.SIGKILL)
    until(lambda: clusters.find(tmp_path) is None)
    third = clusters.up(context, tmp_path)
    assert third.address == second.address
    # Of the run before it is only remembered: it must be seen to run now.
    until(lambda: _runs(third, "kept", "keeper"), 120)
    assert in_pod(third, "kept", "keeper", "ls", "/data").split() == ["kept"]

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
        return in_pod(own, namespace, pod, "echo", "here").strip() == "here"
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
        # Not by glob, which fails where one goes while it looks.
        *(at for at, *_ in os.walk("/sys/fs/cgroup") if at.endswith(f"/{layout.cgroup.strip('/')}")),
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
