"""Namespaces and the Pod Security level that each enforces."""

from dataclasses import replace

import pytest

from components.service import Image
from components.targets.kubernetes import namespace
from tests.unit.components.targets.kubernetes.made import STACK, service, settings

WHY = {"db": "its user id is not known"}


def levels(made):
    return {
        m.body["metadata"]["name"]: {
            k.partition("/")[2]: v for k, v in m.body["metadata"]["labels"].items() if k.startswith("pod-security.kubernetes.io/")
        }
        for m in made
    }


@pytest.mark.parametrize(
    ("asked", "unrestricted", "enforced"),
    [
        ("auto", {}, "restricted"),
        ("auto", WHY, "baseline"),
        ("baseline", {}, "baseline"),
        ("restricted", {}, "restricted"),
    ],
)
def test_the_level_is_as_strict_as_the_pods_allow_and_tells_of_what_is_not_restricted(asked, unrestricted, enforced):
    made = namespace.namespaces(STACK, [service("web")], settings(podSecurity=asked), unrestricted)
    assert levels(made) == {"shop-test": {"enforce": enforced, "warn": "restricted", "audit": "restricted"}}


def collector(kind):
    return service("vector", collects_logs=True).__class__(
        name="vector",
        image=Image("vector", "registry.example.com/vector:1", kind=kind),
        resources=service("x").resources,
        collects_logs=True,
    )


def test_what_reads_the_nodes_logs_has_a_namespace_of_its_own_and_the_stacks_own_stays_strict():
    made = namespace.namespaces(STACK, [service("web"), collector("registry")], settings(), {})
    found = levels(made)
    assert found["shop-test"]["enforce"] == "restricted"
    assert found["shop-test-logs"] == {"enforce": "privileged", "warn": "baseline", "audit": "baseline"}


def test_a_stub_of_it_reads_nothing_and_stays_with_the_others():
    assert list(levels(namespace.namespaces(STACK, [collector("stub")], settings(), {}))) == ["shop-test"]


def kept(services):
    return {m.body["metadata"]["name"]: (m.protect, m.retain) for m in namespace.namespaces(STACK, services, settings(), {})}


def test_a_namespace_is_never_destroyed_with_its_claims():
    assert kept([service("web")]) == {"shop-test": (True, True)}


def test_logs_can_be_turned_off_and_on_again_since_nothing_holds_or_leaves_their_namespace():
    on = kept([service("web"), collector("registry")])
    assert on == {"shop-test": (True, True), "shop-test-logs": (False, False)}
    gone = on.keys() - kept([service("web"), replace(collector("registry"), off=True)])
    assert gone == {"shop-test-logs"}


def test_the_preview_says_who_keeps_the_namespace_from_being_restricted_and_why():
    (said,) = namespace.notes(settings(), WHY)
    assert "db" in said
    assert WHY["db"] in said
    assert namespace.notes(settings(), {}) == []


def test_restricted_can_not_be_asked_for_where_a_pod_would_be_refused():
    (said,) = namespace.refusals(settings(podSecurity="restricted"), WHY)
    assert "podSecurity" in said
    assert WHY["db"] in said
    assert namespace.refusals(settings(podSecurity="restricted"), {}) == []
    assert namespace.refusals(settings(), WHY) == []
