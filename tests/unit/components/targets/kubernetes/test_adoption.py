"""Taking over what a stack whose state is lost left in the cluster: what is its own is adopted, and nothing else."""

import json
import runpy

import pulumi
import pytest

from components.checks import _Given
from components.targets.kubernetes import adoption, adoption_probe
from components.targets.kubernetes.manifest import Manifest
from tests.clone_root import ROOT
from tests.unit.components.targets.kubernetes.api_server import serving

OURS, THEIRS = "0123456789abcdef", "fedcba9876543210"
FORCE = "pulumi.com/patchForce"
DEPLOYMENTS = "/apis/apps/v1/namespaces/n/deployments"


@pytest.fixture
def api():
    with serving() as fake:
        fake.objects["/apis/apps/v1"] = {"resources": [{"kind": "Deployment", "name": "deployments"}]}
        yield fake


def foreign(api, folder, *wanted, stack_id=OURS):
    objects = [_Given(zip(("api", "kind", "namespace", "name"), each, strict=True)) for each in wanted]
    told = {"kubeconfig": str(api.kubeconfig(folder)), "context": "test", "stack_id": stack_id, "wanted": objects}
    return list(adoption_probe.before(_Given(told), preview=False))


def test_an_object_that_does_not_carry_the_given_id_is_refused_by_name(api, tmp_path):
    wanted = ("apps/v1", "Deployment", "n", "auth")
    assert foreign(api, tmp_path, wanted) == []
    api.objects[f"{DEPLOYMENTS}/auth"] = {"metadata": {"annotations": {"supastack.io/stack-id": OURS}}}
    assert foreign(api, tmp_path, wanted) == []
    for marks in ({}, {"annotations": {"supastack.io/stack-id": THEIRS}}):
        api.objects[f"{DEPLOYMENTS}/auth"] = {"metadata": marks}
        (problem,) = foreign(api, tmp_path, wanted)
        assert f"a Deployment auth in namespace n that is not of the stack with id {OURS}" in problem
        assert "Nothing was touched" in problem


def test_a_kind_that_the_cluster_has_not_has_no_objects_and_no_answer_is_a_problem(api, tmp_path):
    assert foreign(api, tmp_path, ("postgresql.cnpg.io/v1", "Cluster", "n", "postgres")) == []
    api.refused["/apis/apps/v1"] = 503
    (problem,) = foreign(api, tmp_path, ("apps/v1", "Deployment", "n", "auth"))
    assert "supastack:kubernetes.context" in problem


@pytest.mark.parametrize(
    ("api_version", "kind", "labels", "stays"),
    [
        ("v1", "Namespace", {}, True),
        ("postgresql.cnpg.io/v1", "Cluster", {}, True),
        ("barmancloud.cnpg.io/v1", "ObjectStore", {}, True),
        ("v1", "Secret", {"cnpg.io/reload": "true"}, True),
        ("v1", "Secret", {}, False),
        ("apps/v1", "StatefulSet", {}, False),
    ],
)
def test_fields_are_taken_over_of_those_alone_that_are_still_there(api_version, kind, labels, stays):
    body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "it", "labels": labels}}
    assert adoption.annotations(Manifest(name="it", body=body)) == ({FORCE: "true"} if stays else {})


@pytest.fixture
def run(engine):
    def program(**given):
        config = {
            "supastack:target": "kubernetes",
            "supastack:imageSource": "local",
            "supastack:objectStorage": json.dumps({"enabled": False}),
            "supastack:kubernetes": json.dumps({"kubeconfig": "k", "context": "c", "exposure": {"kind": "none"}}),
            **{f"supastack:{name}": value for name, value in given.items()},
        }
        pulumi.runtime.set_all_config(config, [])
        return engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))

    yield program
    pulumi.runtime.set_all_config({}, [])


def test_with_an_id_that_is_given_everything_comes_after_a_look_at_whose_it_is(run):
    recorder = run(stackId=OURS)
    assert recorder.inputs("kubernetes")["upsertExistingObjects"] in (True, "true")
    assert recorder.inputs("namespace")["metadata"]["annotations"] == {FORCE: "true", "supastack.io/stack-id": OURS}
    made = {name: r for name, r in recorder.requests.items() if r.type.startswith("kubernetes:")}
    assert len(made) > 50
    wanted = set()
    for name, request in made.items():
        assert any("-adoption" in urn for urn in request.dependencies), name
        body = recorder.inputs(name)
        assert body["metadata"]["annotations"]["supastack.io/stack-id"] == OURS, f"{name} would be refused the next time"
        if body["kind"] != "Namespace":
            wanted.add((body["kind"], body["metadata"]["name"]))
    looks = [recorder.inputs(name)["parameters"] for name in recorder.requests if name.endswith("-adoption")]
    assert {(each["kind"], each["name"]) for look in looks for each in look["wanted"]} == wanted
    assert {look["stack_id"] for look in looks} == {OURS}


def test_without_one_what_is_there_is_never_taken_for_made(run):
    recorder = run()
    assert "upsertExistingObjects" not in recorder.inputs("kubernetes")
    assert not [name for name in recorder.requests if name.endswith("-adoption")]
    assert FORCE not in recorder.inputs("namespace")["metadata"]["annotations"]
