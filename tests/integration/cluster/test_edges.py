"""Who reaches whom on a real cluster that enforces NetworkPolicies: measured, against the table that was written by hand.

Every service of a stack as a pod of the stub image that listens on every port of the stack, labelled as the rendered pods are, under the
rendered policies. What would be at the other end is of no account here: only who gets through.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.kubernetes import stacks
from tests.contract.kubernetes.test_edges import CLIENTS, World, rows
from tests.integration.cluster.databases import wait_for_account

pytestmark = pytest.mark.cluster

STACK, APPS, STRANGER = "edges", f"{CLIENTS}-of-edges", "stranger-to-edges"
STUB = "supastack.local/stub:1"
# All at once, and one process for each: what has not got through after three seconds is given up, since a refusal may not come back
# (the kernel tells of so many in a second only, and other enforcers of none).
_TRY = """
try() { exec 2>/dev/null 3<>"/dev/tcp/${1%,*}/${1#*,}" && echo "$1"; }
for at in $0; do try "$at" & running="$running $!"; done
sleep 3
kill $running 2>/dev/null
wait
"""


def _namespace(name: str) -> dict[str, Any]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _pod(namespace: str, name: str, labels: dict[str, str], ports: list[int]) -> dict[str, Any]:
    container = {
        "name": "stub",
        "image": STUB,
        "imagePullPolicy": "Never",
        "command": ["stub"],
        "env": [{"name": "STUB_PORTS", "value": ",".join(map(str, ports))}, {"name": "STUB_SERVICE", "value": name}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }


class Measured:
    """A stack's pods on a cluster, and who else is there."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster
        policy = {"networkPolicy": {"clientNamespaces": [APPS]}}
        self.world = World(stacks.render(stacks.config(source="local", kubernetes=policy), stack=STACK))
        self.home = self.world.made.stack.namespace
        # A pod without rights can't listen on lower ones.
        self.ports = [port for port in self.world.ports if port > 1024]
        self.addresses: dict[str, str] = {}

    def up(self) -> None:
        pods = [_pod(self.home, name, pod.labels, self.ports) for name, pod in self.world.pods.items()]
        pods += [_pod(APPS, "app", {}, [8080]), _pod(STRANGER, "stranger", self.world.pods["rest"].labels, [8080])]
        self.apply(*(_namespace(name) for name in (self.home, APPS, STRANGER)))
        for namespace in (self.home, APPS, STRANGER):
            wait_for_account(self.cluster, namespace)
        self.apply(*self.world.made.of("NetworkPolicy"))
        self.apply(*pods)
        for namespace in (self.home, APPS, STRANGER):
            self.cluster.kubectl("wait", f"--namespace={namespace}", "--for=condition=Ready", "pod", "--all", "--timeout=300s")
        found = json.loads(self.cluster.kubectl("get", "pods", f"--namespace={self.home}", "--output=json"))["items"]
        self.addresses = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in found}
        # A cluster of somebody else's is not asked.
        if hasattr(self.cluster, "wait_for_policies"):
            self.cluster.wait_for_policies(120)

    def apply(self, *bodies: dict[str, Any]) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(bodies)}
        self.cluster.kubectl("apply", "--server-side", "--filename=-", given=json.dumps(listed))

    def down(self) -> None:
        self.cluster.kubectl("delete", "namespace", self.home, APPS, STRANGER, "--ignore-not-found", "--wait=false")

    def reached(self, namespace: str, pod: str, wanted: set[tuple[str, int]]) -> set[tuple[str, int]]:
        """Services and ports that a pod gets through to, its own left out; all that it ever got through to.

        Those that are `wanted` may take longer than is waited for on a busy machine, and are tried again.
        """
        found: set[tuple[str, int]] = set()
        for _ in range(3):
            found |= self._reached(namespace, pod)
            if wanted <= found:
                break
        return found

    def _reached(self, namespace: str, pod: str) -> set[tuple[str, int]]:
        others = {address: name for name, address in self.addresses.items() if (namespace, name) != (self.home, pod)}
        targets = " ".join(f"{address},{port}" for address in others for port in self.ports)
        said = self.cluster.kubectl("exec", f"--namespace={namespace}", pod, "--", "bash", "-c", _TRY, targets)
        pairs = [line.split(",") for line in said.split()]
        return {(others[address], int(port)) for address, port in pairs}


@pytest.fixture(scope="module")
def measured(cluster: Any) -> Iterator[Measured]:
    cluster.import_images([STUB])
    found = Measured(cluster)
    try:
        found.up()
        yield found
    finally:
        found.down()


def _of(caller: str, edges: set[tuple[str, str, int]]) -> set[tuple[str, int]]:
    return {(callee, port) for name, callee, port in edges if name == caller}


def test_every_pod_gets_through_to_whom_the_table_names_and_to_nobody_else(measured: Measured) -> None:
    wanted = {edge for edge in measured.world.wanted("2026-09") if edge[2] in measured.ports}
    with ThreadPoolExecutor(4) as pool:
        by_caller = dict(
            zip(
                measured.addresses,
                pool.map(lambda n: measured.reached(measured.home, n, _of(n, wanted)), measured.addresses),
                strict=True,
            )
        )
    found = {(caller, callee, port) for caller, reached in by_caller.items() for callee, port in reached}
    assert found == wanted
    assert len(found) > 30


def test_apps_get_through_to_the_ports_for_apps_alone(measured: Measured) -> None:
    wanted = rows(measured.world, "clients")
    assert measured.reached(APPS, "app", wanted) == wanted


def test_a_stranger_with_the_labels_of_a_service_gets_nowhere(measured: Measured) -> None:
    assert measured.reached(STRANGER, "stranger", set()) == set()
