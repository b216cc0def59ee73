"""Pods against Pod Security: our reading of the standard against Kubernetes' own cases, then every pod against its namespace's level."""

import pytest
import yaml

from components.targets.kubernetes.security import unrestricted
from tests.contract.kubernetes import stacks
from tests.contract.kubernetes.crds import POD_SECURITY_ADMISSION
from tests.contract.kubernetes.pod_security import violations
from toolchain.cluster import builds
from toolchain.context import Context

each_stack = pytest.mark.parametrize("which", stacks.SMALL, ids="-".join)


def cases(level, verdict):
    folder = builds.module_files(Context.of(), POD_SECURITY_ADMISSION, f"test/testdata/{level}/v1.34/{verdict}/*.yaml")
    return {file.stem: yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yaml"))}


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_our_reading_of_the_standard_is_kubernetes_own(level):
    passing, failing = cases(level, "pass"), cases(level, "fail")
    assert len(passing) > 5
    assert len(failing) > 20

    def judged(pod):
        return violations(level, pod["spec"], pod["metadata"].get("annotations"))

    assert {name: judged(pod) for name, pod in passing.items() if judged(pod)} == {}
    assert [name for name, pod in failing.items() if not judged(pod)] == []


@each_stack
def test_every_pod_is_allowed_by_its_namespace(which):
    made = stacks.rendered(*which)
    levels = {n["metadata"]["name"]: n["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] for n in made.of("Namespace")}
    found = {
        f"{workload['kind']} {workload['metadata']['name']}": wrong
        for workload, template in made.templates()
        if (wrong := violations(levels[workload["metadata"]["namespace"]], template["spec"]))
    }
    assert found == {}


@each_stack
def test_a_service_is_excused_from_restricted_only_where_its_pod_needs_it_and_every_other_is_restricted(which):
    made = stacks.rendered(*which)
    excused = set(unrestricted(made.services))
    found = {
        stacks.service_of(template)
        for workload, template in made.templates()
        if workload["metadata"]["namespace"] == made.stack.namespace and violations("restricted", template["spec"])
    }
    assert found == excused


@each_stack
def test_without_the_images_that_can_not_the_namespace_is_restricted(which):
    made = stacks.rendered(*which)
    (own,) = (n for n in made.of("Namespace") if n["metadata"]["name"] == made.stack.namespace)
    labels = {k.split("/")[1]: v for k, v in own["metadata"]["labels"].items() if k.startswith("pod-security")}
    enforced = "baseline" if unrestricted(made.services) else "restricted"
    assert labels == {"enforce": enforced, "warn": "restricted", "audit": "restricted"}


@each_stack
def test_whatever_its_level_a_container_drops_all_capabilities_and_only_known_ones_come_back(which):
    made = stacks.rendered(*which)
    for workload, template in made.templates():
        for container in [*template["spec"].get("initContainers", ()), *template["spec"]["containers"]]:
            context = container["securityContext"]
            assert context["capabilities"]["drop"] == ["ALL"], workload["metadata"]["name"]
            assert "privileged" not in context
            assert isinstance(context["readOnlyRootFilesystem"], bool)
        assert template["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
