"""What `down` does to the databases that an operator runs: those of the stack, and no field stays ours."""

import copy
from pathlib import Path

import pytest
from test_stack_cluster import OURS, PROVIDER, THEIRS, namespace
from test_stack_state import resource, state

from toolchain.plugins.kubernetes.client import ApiError
from toolchain.stack import cluster_sleep
from toolchain.stack.cluster_access import Access, Place

FOLDER = "/apis/postgresql.cnpg.io/v1/namespaces/n/clusters"
STACK_ID = resource("random:index/randomId:RandomId", "stack-id", id="x", outputs={"hex": OURS})


class Server:
    """An API server with clusters of CloudNativePG; `busy`: so many writes meet another's."""

    def __init__(self, clusters, busy=0):
        self.clusters = {f"{FOLDER}/{c['metadata']['name']}": c for c in clusters}
        self.busy = busy
        self.patched = []

    def request(self, method, path, *, query=None, body=None, content_type="application/json"):
        if method == "GET" and path == FOLDER:
            if not self.clusters:
                raise ApiError(404, {"message": "the server could not find the requested resource"})
            return {"items": copy.deepcopy(list(self.clusters.values()))}
        metadata = self.clusters[path]["metadata"]
        if method == "GET":
            return copy.deepcopy(self.clusters[path])
        assert (method, content_type) == ("PATCH", "application/merge-patch+json")
        change = body["metadata"]
        if "resourceVersion" in change and self.busy:
            self.busy -= 1
            raise ApiError(409, {"message": "the object has been modified"})
        self.patched.append(path)
        if "annotations" in change:
            metadata["annotations"] |= change["annotations"]
            metadata["managedFields"] = [*metadata["managedFields"], {"manager": query["fieldManager"], "operation": "Update"}]
        else:
            metadata["managedFields"] = change["managedFields"]
        return {}


def cluster(name="postgres", stack_id=OURS, asleep="off"):
    annotations = {"supastack.io/stack-id": stack_id, "cnpg.io/hibernation": asleep}
    fields = [{"manager": "pulumi-kubernetes", "operation": "Apply"}]
    return {"metadata": {"name": name, "annotations": annotations, "managedFields": fields, "resourceVersion": "1"}}


def slept(server):
    given = state(PROVIDER, STACK_ID, namespace())
    assert given.stack_id == OURS
    return cluster_sleep.put_to_sleep(Access(server, Place(Path("kubeconfig"), "c", "n")), given)


def test_the_stacks_own_is_put_to_sleep_and_its_fields_stay_those_of_the_engine():
    server = Server([cluster()])
    assert slept(server) == ["n/postgres"]
    metadata = server.clusters[f"{FOLDER}/postgres"]["metadata"]
    assert metadata["annotations"]["cnpg.io/hibernation"] == "on"
    assert [entry["manager"] for entry in metadata["managedFields"]] == ["pulumi-kubernetes"]


def test_one_that_sleeps_already_is_named_and_not_written():
    server = Server([cluster(asleep="on")])
    assert slept(server) == ["n/postgres"]
    assert server.patched == []


def test_that_of_another_stack_is_left_alone():
    server = Server([cluster(stack_id=THEIRS)])
    assert slept(server) == []
    assert server.patched == []


def test_a_cluster_without_the_operator_has_none():
    assert slept(Server([])) == []


def test_a_write_that_meets_the_operators_is_tried_again():
    server = Server([cluster()], busy=2)
    assert slept(server) == ["n/postgres"]
    assert [entry["manager"] for entry in server.clusters[f"{FOLDER}/postgres"]["metadata"]["managedFields"]] == [
        "pulumi-kubernetes"
    ]


def test_an_operator_that_never_lets_one_write_is_an_error():
    with pytest.raises(ApiError):
        slept(Server([cluster()], busy=99))
