"""What a killed engine left in a cluster: removed by name, and nothing else."""

import math

import pytest

from toolchain.stack import cluster_orphans
from toolchain.stack.cluster_access import STACK_ID
from toolchain.stack.state import StackState

OURS, THEIRS = "0123456789abcdef", "fedcba9876543210"
MADE = "2026-11-21T12:00:00Z"


def item(name, stack_id=OURS, **metadata):
    return {"metadata": {"name": name, "annotations": {STACK_ID: stack_id}, "creationTimestamp": MADE, **metadata}}


class FakeAccess:
    def __init__(self, namespaces=("supastack-kube",), claims=(), **held):
        self._namespaces, self._claims, self.held, self.removed = namespaces, list(claims), held, []

    def namespaces(self, stack_id):
        return list(self._namespaces) if stack_id == OURS else []

    def claims(self, namespace):
        return self._claims

    def find(self, path):
        return item(path.rpartition("/")[2])

    def items(self, path, **query):
        return self.held.get(path.rpartition("/")[2], [])

    def remove(self, path):
        self.removed.append(path)

    def remove_namespace(self, name):
        self.removed.append(name)


def state(*known):
    urn = "urn:pulumi:kube::supastack::x::"
    namespace = {"urn": f"{urn}namespace", "type": "kubernetes:core/v1:Namespace", "id": "supastack-kube"}
    own = {"urn": f"{urn}stack-id", "type": "random:index/randomId:RandomId", "id": "x", "outputs": {"hex": OURS}}
    resources = [own, namespace, *({"urn": f"{urn}{i}", "type": t, "id": i} for t, i in known)]
    return StackState({"deployment": {"resources": resources}})


def test_what_is_not_in_the_state_is_removed_and_what_is_stays():
    access = FakeAccess(services=[item("gateway"), item("auth")])
    cluster_orphans.remove(access, state(("kubernetes:core/v1:Service", "supastack-kube/auth")), math.inf)
    assert access.removed == ["/api/v1/namespaces/supastack-kube/services/gateway"]


@pytest.mark.parametrize(
    "left",
    [
        item("gateway", THEIRS),
        {"metadata": {"name": "kube-root-ca.crt", "creationTimestamp": MADE}},
        item("gateway", ownerReferences=[{"kind": "Cluster"}]),
    ],
)
def test_what_others_made_is_left_alone(left):
    access = FakeAccess(secrets=[left])
    cluster_orphans.remove(access, state(), math.inf)
    assert access.removed == []


def test_what_another_engine_may_be_making_right_now_is_left_alone():
    access = FakeAccess(deployments=[item("auth")])
    cluster_orphans.remove(access, state(), older_than=0)
    assert access.removed == []


@pytest.mark.parametrize(("claims", "removed"), [([], ["other"]), (["data-postgres-0"], [])])
def test_a_namespace_goes_only_where_no_data_is_in_it(claims, removed):
    access = FakeAccess(namespaces=["other"], claims=claims)
    cluster_orphans.remove(access, state(), math.inf)
    assert access.removed == removed


def test_nothing_is_ours_while_the_state_has_no_id():
    access = FakeAccess(services=[item("gateway")])
    cluster_orphans.remove(access, StackState({"deployment": {"resources": []}}), math.inf)
    assert access.removed == []
