"""How many pods a service has, and where they go."""

import pytest

from components.service import Kind, Mount
from components.targets.kubernetes import scaling
from tests.unit.components.targets.kubernetes.made import STACK, service, settings, stored

MANY = service("web", replicable=True)


@pytest.mark.parametrize(
    ("one", "given", "count"),
    [
        (MANY, {}, 1),
        (MANY, {"replicas": {"web": 3}}, 3),
        (MANY, {"autoscaling": {"web": {}}}, None),
        (service("web"), {"replicas": {"web": 3}}, 1),
        (stored("web", replicable=True), {"replicas": {"web": 3}}, 1),
        (service("web", replicable=True, mounts=(Mount("data", "/data"),)), {"replicas": {"web": 3}}, 1),
        (service("web", replicable=True, kind=Kind.JOB), {"replicas": {"web": 3}}, 1),
    ],
    ids=["one", "as asked", "the autoscaler's", "not replicable", "with a volume", "with another's volume", "a job"],
)
def test_a_service_has_as_many_pods_as_its_nature_and_the_settings_allow(one, given, count):
    wanted = {**settings(), **given}
    if "autoscaling" in given:
        wanted["autoscaling"] = {"web": {"minReplicas": 2, "maxReplicas": 4, "cpuPercent": 70}}
    assert scaling.replicas(one, wanted) == count


def kinds(made):
    return [(m.kind, m.body["metadata"]["name"]) for m in made]


@pytest.mark.parametrize(
    ("least", "made"), [(1, ["HorizontalPodAutoscaler"]), (2, ["PodDisruptionBudget", "HorizontalPodAutoscaler"])]
)
def test_there_is_a_budget_only_where_a_pod_can_always_be_spared(least, made):
    wanted = {**settings(), "autoscaling": {"web": {"minReplicas": least, "maxReplicas": 4, "cpuPercent": 70}}}
    found = scaling.scaling(STACK, "supabase", [MANY], wanted)
    assert [m.kind for m in found] == made
    assert all(m.body["metadata"]["name"] == "web" for m in found)


def test_one_pod_has_neither_and_a_writer_never():
    assert scaling.scaling(STACK, "supabase", [MANY, stored("db")], settings()) == []
    wanted = {**settings(), "replicas": {"web": 2, "db": 2}}
    assert kinds(scaling.scaling(STACK, "supabase", [MANY, stored("db")], wanted)) == [("PodDisruptionBudget", "web")]


def test_what_is_turned_off_is_not_scaled():
    wanted = {**settings(), "replicas": {"web": 2}}
    assert scaling.scaling(STACK, "supabase", [service("web", replicable=True, off=True)], wanted) == []


def test_an_autoscaler_comes_after_the_workload_that_it_scales():
    wanted = {**settings(), "autoscaling": {"web": {"minReplicas": 1, "maxReplicas": 4, "cpuPercent": 55}}}
    (made,) = scaling.scaling(STACK, "supabase", [MANY], wanted)
    assert made.after == ("supabase-web",)
    assert made.body["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    (metric,) = made.body["spec"]["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 55}


def test_pods_are_spread_where_there_are_several_and_by_wish_only():
    assert scaling.scheduling(STACK, MANY, settings()) == {}
    found = scaling.scheduling(STACK, MANY, {**settings(), "replicas": {"web": 2}})
    assert [c["topologyKey"] for c in found["topologySpreadConstraints"]] == [scaling.ZONE, scaling.HOST]
    assert {c["whenUnsatisfiable"] for c in found["topologySpreadConstraints"]} == {"ScheduleAnyway"}
    assert list(found["affinity"]["podAntiAffinity"]) == ["preferredDuringSchedulingIgnoredDuringExecution"]


@pytest.mark.parametrize(
    ("one", "kept"),
    [(stored("db"), True), (MANY, False), (stored("studio", optional=True), False)],
    ids=["data", "none", "optional"],
)
def test_only_what_others_live_on_has_the_priority_of_data(one, kept):
    found = scaling.scheduling(STACK, one, {**settings(), "dataPriorityClass": "data"})
    assert found == ({"priorityClassName": "data"} if kept else {})
    assert "priorityClassName" not in scaling.scheduling(STACK, one, settings())
