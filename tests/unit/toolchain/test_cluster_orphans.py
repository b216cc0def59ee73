"""What a killed engine left in a cluster: removed by name, and nothing else."""

import math

import pytest

from toolchain.stack import cluster_orphans
from toolchain.stack.cluster_access import STACK_ID
from toolchain.stack.state import StackState

INSTANCE = "supastack-kube"
OURS, THEIRS = "0123456789abcdef", "fedcba9876543210"
MADE = "2026-11-21T12:00:00Z"


def item(name, stack_id=OURS, **metadata):
    return {"metadata": {"name": name, "annotations": {STACK_ID: stack_id}, "creationTimestamp": MADE, **metadata}}


class FakeAccess:
    def __init__(self, namespaces=("supastack-kube",), claims=(), **held):
        self._namespaces, self._claims, self.held, self.removed = namespaces, list(claims), held, []
        self.own, self.made, self.waited = ("supastack-kube", "supastack-kube-logs"), {}, {}

    def namespaces(self, stack_id, instance):
        assert instance == INSTANCE
        return list(self._namespaces) if stack_id == OURS else []

    def claims(self, namespace):
        return self._claims

    def find(self, path):
        return self.made.get(path) if "/secrets/" in path else item(path.rpartition("/")[2])

    def those(self, path):
        return self.held.get(path.rpartition("/")[2], [])

    def make(self, path, body):
        self.made[f"{path}/{body['metadata']['name']}"] = body

    def wait_gone(self, what):
        self.waited |= what

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
    cluster_orphans.remove(access, state(("kubernetes:core/v1:Service", "supastack-kube/auth")), math.inf, INSTANCE)
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
    cluster_orphans.remove(access, state(), math.inf, INSTANCE)
    assert access.removed == []


def test_what_another_engine_may_be_making_right_now_is_left_alone():
    access = FakeAccess(deployments=[item("auth")])
    cluster_orphans.remove(access, state(), older_than=0, instance=INSTANCE)
    assert access.removed == []


@pytest.mark.parametrize(("claims", "removed"), [([], ["other"]), (["data-postgres-0"], [])])
def test_a_namespace_goes_only_where_no_data_is_in_it(claims, removed):
    access = FakeAccess(namespaces=["other"], claims=claims)
    cluster_orphans.remove(access, state(), math.inf, INSTANCE)
    assert access.removed == removed


def test_nothing_is_ours_while_the_state_has_no_id():
    access = FakeAccess(services=[item("gateway")])
    cluster_orphans.remove(access, StackState({"deployment": {"resources": []}}), math.inf, INSTANCE)
    assert access.removed == []


def test_what_belongs_to_a_databases_cluster_goes_and_the_cluster_and_its_backups_stay(capsys):
    left = {
        kind: [item("left")] for kind in ("httproutes", "databases", "poolers", "scheduledbackups", "clusters", "objectstores")
    }
    access = FakeAccess(**left)
    cluster_orphans.remove(access, state(), math.inf, INSTANCE)
    assert {path.rsplit("/", 2)[1] for path in access.removed} == set(left) - {"clusters", "objectstores"}
    assert access.waited.keys() == set(access.removed)
    said = capsys.readouterr().err
    for kind in ("Cluster", "ObjectStore"):
        assert f"{kind} left is of this stack but not in its state; it was left alone" in said
    assert f"pulumi config set supastack:stackId {OURS}" in said


def test_of_the_whole_cluster_only_what_is_named_as_ours_goes():
    access = FakeAccess(
        namespaces=["supastack-kube-logs"],
        claims=["none-of-it"],
        clusterroles=[item("supastack-kube-logs-vector"), item("another-logs-vector"), item("supastack-kube-logs-known")],
        clusterrolebindings=[item("supastack-kube-logs-vector", THEIRS)],
    )
    known = ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "supastack-kube-logs-known")
    cluster_orphans.remove(access, state(known), math.inf, INSTANCE)
    assert access.removed == ["/apis/rbac.authorization.k8s.io/v1/clusterroles/supastack-kube-logs-vector"]


EMPTY = StackState({})
SECRETS = "/api/v1/namespaces/supastack-kube/secrets"


def secret(name, data, **metadata):
    return {**item(name, **metadata), "type": "Opaque", "data": data}


def test_a_lost_stack_is_made_anew_around_its_data_and_what_its_secrets_hold_is_kept():
    read_on = secret("postgres-vault", {"vault.key": "a2V5"}, labels={"cnpg.io/reload": "true"})
    access = FakeAccess(
        claims=["postgres-data-postgres-0"],
        statefulsets=[item("postgres")],
        secrets=[secret("supabase-api", {"jwt": "b2xk"}), read_on, secret("of-another", {"a": "Yg=="}, annotations={})],
        **{kind: [item("postgres")] for kind in ("clusters", "databases", "objectstores")},
    )
    cluster_orphans.remove(access, EMPTY, math.inf, INSTANCE, adopts=OURS)
    assert [path.rsplit("/", 2)[1:] for path in access.removed] == [["secrets", "supabase-api"], ["statefulsets", "postgres"]]
    assert {path: body["data"] for path, body in access.made.items()} == {
        f"{SECRETS}/supabase-api-before": {"jwt": "b2xk"},
        f"{SECRETS}/postgres-vault-before": {"vault.key": "a2V5"},
    }
    # Whoever loses it again has both.
    access.held["secrets"] = [secret("supabase-api", {"jwt": "bmV3"}), read_on]
    cluster_orphans.remove(access, EMPTY, math.inf, INSTANCE, adopts=OURS)
    assert access.made[f"{SECRETS}/supabase-api-before-2"]["data"] == {"jwt": "bmV3"}
    assert len(access.made) == 3


def test_a_takeover_that_ended_half_way_loses_no_secret_and_nothing_that_an_operator_reads():
    read_on = secret("postgres-vault", {"vault.key": "a2V5"}, labels={"cnpg.io/reload": "true"})
    secrets = [secret("left", {"a": "Yg=="}), read_on, secret("ours", {"a": "Yw=="})]
    access = FakeAccess(secrets=secrets, **{kind: [item("postgres")] for kind in ("clusters", "databases", "poolers")})
    known = ("kubernetes:core/v1:Secret", "supastack-kube/ours")
    cluster_orphans.remove(access, state(known), math.inf, INSTANCE, adopts=OURS)
    assert access.removed == [f"{SECRETS}/left"]
    assert access.made.keys() == {f"{SECRETS}/left-before", f"{SECRETS}/postgres-vault-before"}


def test_what_a_stack_that_took_over_adopts_is_not_told_of(capsys):
    cluster_orphans.remove(FakeAccess(clusters=[item("postgres")]), state(), math.inf, INSTANCE, adopts=OURS)
    assert "Cluster" not in capsys.readouterr().err


def test_the_logs_namespace_of_the_life_before_is_removed_and_asks_for_no_confirmation():
    access = FakeAccess(namespaces=["supastack-kube", "supastack-kube-logs"])
    assert cluster_orphans.lost(access, state(), INSTANCE, OURS) == []
    cluster_orphans.remove(access, state(), math.inf, INSTANCE, adopts=OURS)
    assert access.removed == ["supastack-kube-logs"]


def test_a_state_that_knows_the_logs_namespace_alone_still_lost_the_other():
    urn = "urn:pulumi:kube::supastack::x::logs"
    logs = StackState(
        {"deployment": {"resources": [{"urn": urn, "type": "kubernetes:core/v1:Namespace", "id": "supastack-kube-logs"}]}}
    )
    access = FakeAccess(namespaces=["supastack-kube", "supastack-kube-logs"])
    assert cluster_orphans.lost(access, logs, INSTANCE, OURS) == ["supastack-kube"]
    cluster_orphans.remove(access, logs, math.inf, INSTANCE, adopts=OURS)
    assert access.removed == []


def test_the_password_of_a_lost_database_is_named_with_the_command_that_prints_it():
    found = secret("supabase-database", {"database-password": "b2xk"})

    class Holding(FakeAccess):
        def find(self, path):
            return found if path == f"{SECRETS}/supabase-database" else None

    command = cluster_orphans.holds_password(Holding(), ["supastack-kube"], OURS)
    expected = "kubectl -n supastack-kube get secret supabase-database -o jsonpath='{.data.database-password}' | base64 -d"
    assert command == expected
    assert cluster_orphans.holds_password(Holding(), ["supastack-kube"], THEIRS) is None
    assert cluster_orphans.holds_password(FakeAccess(), ["supastack-kube"], OURS) is None


def test_what_an_up_would_take_over_is_what_carries_the_id_in_the_stacks_own_namespaces_and_is_not_in_its_state():
    assert cluster_orphans.lost(FakeAccess(), EMPTY, INSTANCE, OURS) == ["supastack-kube"]
    assert cluster_orphans.lost(FakeAccess(), state(), INSTANCE, OURS) == []
    assert cluster_orphans.lost(FakeAccess(), EMPTY, INSTANCE, None) == []
    assert cluster_orphans.lost(FakeAccess(namespaces=["elsewhere"]), EMPTY, INSTANCE, OURS) == []


def test_another_stack_of_the_same_id_is_left_alone_when_its_id_is_taken_over():
    access = FakeAccess(namespaces=["elsewhere"], services=[item("gateway")])
    cluster_orphans.remove(access, EMPTY, math.inf, INSTANCE, adopts=OURS)
    assert access.removed == []
