"""A real API server takes every manifest, strictly: its own validation, the rules in the CRDs, and Pod Security's warnings."""

import json
from typing import Any

import pytest

from components.targets.kubernetes.security import unrestricted
from tests.contract.kubernetes import stacks
from tests.integration.cluster.databases import wait_for_account

pytestmark = pytest.mark.cluster

MORE = {"replicas": {"meta": 2}, "autoscaling": {"rest": {}}, "networkPolicy": {"clientNamespaces": ["apps"]}}
STACKS = {
    "gateway": {"exposure": "gateway", "kubernetes": MORE},
    "cloudnativepg": {"exposure": "ingress", "source": "local", "engine": "cloudnativepg"},
    "external database": {"exposure": "loadbalancer", "engine": "external"},
    "local": {"source": "local"},
    "2024-01": {"release": "2024-01"},
}


@pytest.mark.parametrize("which", STACKS)
def test_the_api_server_takes_every_manifest_and_warns_of_those_pods_that_the_preview_names(cluster: Any, which: str) -> None:
    if which == "cloudnativepg" and not cluster.kubectl(
        "get", "crd", "clusters.postgresql.cnpg.io", "--ignore-not-found", "--output=name"
    ):
        from toolchain.cluster import cnpg
        from toolchain.context import Context

        cnpg.install(cluster, Context.of(), None)
    # A name for each: a namespace takes a while to go.
    made = stacks.render(stacks.config(**STACKS[which]), stack=f"taken-{list(STACKS).index(which)}")
    spaces = made.of("Namespace")
    # The cluster has no Barman plugin.
    bodies = [body for body in made.bodies if body["kind"] not in ("Namespace", "ObjectStore")]
    try:
        for space in spaces:
            cluster.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", given=json.dumps(space))
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies})
        said = cluster.kubectl(
            "apply", "--server-side", "--dry-run=server", "--validate=strict", "--output=name", "--filename=-", given=listed
        )
        assert len(said.split()) == len(bodies)
        warned = warnings_of(cluster, made)
    finally:
        names = [space["metadata"]["name"] for space in spaces]
        cluster.kubectl("delete", "namespace", *names, "--ignore-not-found", "--wait=false")
    assert warned == set(unrestricted(made.services))


def warnings_of(cluster: Any, made: stacks.Rendered) -> set[str]:
    """Services whose pods Kubernetes' own admission would not let into a namespace that is `restricted`."""
    found = set()
    for workload, template in made.templates():
        if workload["metadata"]["namespace"] != made.stack.namespace:
            continue
        name = stacks.service_of(template)
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"as-{name}", "namespace": RESTRICTED, "labels": template["metadata"]["labels"]},
            # Its volumes and its account are in the stack's own namespace, and of no account here.
            "spec": {**{k: v for k, v in template["spec"].items() if k != "serviceAccountName"}, "restartPolicy": "Never"},
        }
        if refused(cluster, without_claims(pod)):
            found.add(name)
    return found


RESTRICTED = "taken-restricted"


def without_claims(pod: dict[str, Any]) -> dict[str, Any]:
    """Mounts of claims that a StatefulSet would make have no volume in a pod by itself."""
    there = {volume["name"] for volume in pod["spec"].get("volumes", ())}
    for container in [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]:
        container["volumeMounts"] = [mount for mount in container.get("volumeMounts", ()) if mount["name"] in there]
    return pod


@pytest.fixture(autouse=True, scope="module")
def _restricted(cluster: Any) -> Any:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": RESTRICTED, "labels": labels}}
    cluster.kubectl("apply", "--server-side", "--filename=-", given=json.dumps(body))
    wait_for_account(cluster, RESTRICTED)
    yield
    cluster.kubectl("delete", "namespace", RESTRICTED, "--wait=false")


def refused(cluster: Any, pod: dict[str, Any]) -> bool:
    try:
        cluster.kubectl("create", "--dry-run=server", "--filename=-", given=json.dumps(pod))
    except Exception as error:  # AssertionError of a given cluster, ToolchainError of our own
        if 'violates PodSecurity "restricted' not in str(error):
            raise
        return True
    return False
