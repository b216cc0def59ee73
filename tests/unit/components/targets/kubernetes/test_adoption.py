"""Taking over what a stack whose state is lost left in the cluster: what is its own is adopted, and nothing else."""

import base64
import json
import runpy

import pulumi
import pytest
from pulumi.runtime.rpc import UNKNOWN

from components.checks import _Given, _Provider
from components.targets.kubernetes import adoption, adoption_probe
from components.targets.kubernetes.manifest import Manifest
from tests.clone_root import ROOT
from tests.conftest import holders_of
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


SECRETS = "/api/v1/namespaces/n/secrets"


@pytest.fixture
def keys(api, tmp_path):
    """Looks for keys that this state would write over: of a stack whose Secret is there; `olds`: what the state has of the guard."""
    marks = {"annotations": {"supastack.io/stack-id": OURS}}
    api.objects[f"{SECRETS}/postgres-vault"] = {"metadata": marks, "data": {"vault.key": "a2V5"}}

    def look(*, olds=None, own_id=THEIRS, preview=False, stack_id=OURS):
        told = {
            "kubeconfig": str(api.kubeconfig(tmp_path)),
            "context": "test",
            "stack": "prod",
            "stack_id": stack_id,
            "own_id": own_id,
            "wanted": [],
            "secrets": [{"namespace": "n", "name": name} for name in ("postgres-vault", "postgres-admin")],
        }
        given = {
            "look": "before",
            "probe": "components.targets.kubernetes.adoption_probe",
            "parameters": told,
            "preview": preview,
        }
        return [failure.reason for failure in _Provider().check(olds or {}, given).failures]

    return look


@pytest.mark.parametrize("preview", [False, True])
def test_a_state_that_never_wrote_it_writes_over_no_secret_of_which_there_is_no_copy(api, keys, preview):
    (problem,) = keys(preview=preview)
    assert "Secret postgres-vault in namespace n." in problem, "the other is not there"
    assert "Nothing was touched" in problem
    assert "make up STACK=prod CONFIRM=prod" in problem
    assert keys(own_id=UNKNOWN, preview=preview) == [problem], "a preview of a state that is empty"
    api.objects[f"{SECRETS}/postgres-vault-before"] = {"metadata": {}, "data": {"vault.key": "b2xk"}}
    assert keys(preview=preview) == [problem], "of a life before"
    api.objects[f"{SECRETS}/postgres-vault-before-2"] = {"metadata": {}, "data": {"vault.key": "a2V5"}}
    assert keys(preview=preview) == []


def test_a_state_that_took_over_or_made_the_stack_needs_no_copies_later(keys):
    assert keys(olds={"look": "before"}) == []
    assert keys(own_id=OURS) == [], "the stack's own id is given, for what a killed engine left"


def test_a_secret_of_another_stack_is_no_key_of_this_one(api, keys):
    api.objects[f"{SECRETS}/postgres-vault"]["metadata"] = {"annotations": {"supastack.io/stack-id": THEIRS}}
    assert keys() == []
    api.objects[f"{SECRETS}/postgres-vault"]["metadata"] = {}
    assert keys() == []


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
        pulumi.runtime.set_all_config(config, ["supastack:vaultRootKey"] if "vaultRootKey" in given else [])
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


CLUSTER = {"engine": "cloudnativepg", "cnpg": {"userId": 101}}
RESOURCE = "kubernetes:core/v1:Secret"


def looked(recorder, name):
    parameters = recorder.inputs(f"{name}-adoption")["parameters"]
    return {each["name"] for each in parameters["secrets"]}, parameters["own_id"], parameters["stack"]


def test_before_anything_is_written_it_is_looked_whether_there_are_copies_of_what_the_stack_keeps(run):
    recorder = run(stackId=THEIRS, supabase=json.dumps({"database": CLUSTER}), plainDatabase=json.dumps({"enabled": True}))
    operated, own, stack = looked(recorder, "supabase")
    assert operated == {"postgres-superuser", "postgres-admin"}, "those that are written over; a local image has no vault"
    assert (own, stack) == (OURS, "dev")
    every, own, stack = looked(recorder, "network")
    assert (own, stack) == (OURS, "dev")
    made = {recorder.inputs(name)["metadata"]["name"] for name in recorder.of_type(RESOURCE)}
    assert operated <= every
    assert {"supabase-database", "supabase-jwt", "supabase-keys", "cache-credentials"} <= every & made
    for name, request in recorder.requests.items():
        if request.type.startswith("kubernetes:") or name.endswith("-adoption"):
            seen, todo = set(), set(request.dependencies)
            while todo:
                seen |= todo
                names = {urn.rsplit("::", 1)[-1] for urn in todo}
                todo = {d for n in names if n in recorder.requests for d in recorder.requests[n].dependencies} - seen
            assert name == "network-adoption" or any(urn.endswith("::network-adoption") for urn in seen), name


KEY = "0123456789abcdef" * 4


def test_a_vault_root_key_of_ones_own_is_what_the_server_gets_and_a_secret(run):
    image = {"imageSource": "registry", "vaultRootKey": KEY, "supabase": json.dumps({"database": CLUSTER})}
    recorder = run(stackId=OURS, **image)
    data = recorder.inputs("supabase-postgres-vault")["data"]
    assert holders_of(base64.b64encode(KEY.encode()).decode(), data) == {"secret"}
    assert "supabase-vault-root-key" in recorder.of_type("random:index/randomPassword:RandomPassword"), "it is protected"
    assert looked(recorder, "supabase")[0] == {"postgres-superuser", "postgres-admin", "postgres-vault"}
    assert "postgres-vault" in looked(recorder, "network")[0]
    for name in recorder.requests:
        assert holders_of(KEY, recorder.inputs(name)) <= {"secret"}, name


def test_without_one_what_is_there_is_never_taken_for_made(run):
    recorder = run()
    assert "upsertExistingObjects" not in recorder.inputs("kubernetes")
    assert not [name for name in recorder.requests if name.endswith("-adoption")]
    assert FORCE not in recorder.inputs("namespace")["metadata"]["annotations"]
