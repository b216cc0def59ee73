"""The start order of upstream's sets of 2024, as an option."""

from dataclasses import replace

import pytest

from components.logs_first import with_logs_first
from components.service import Edge, Gate, Health, Image, Port, Resources, Service, start_order


def server(name, *connects, **over):
    held = {
        "image": Image(name, f"{name}:1"),
        "resources": Resources(memory_mib=64),
        "ports": (Port("http", 80),),
        "health": Health(("true",)),
        "provides": {name: "http"},
        "connects": connects,
    }
    return Service(name=name, **{**held, **over})


@pytest.fixture
def stack():
    return (
        server("postgres"),
        server("rest", Edge("postgres", Gate.HEALTHY)),
        server("analytics", Edge("postgres", Gate.HEALTHY), optional=True),
        server("vector", Edge("analytics", Gate.HEALTHY), optional=True),
        server("studio", Edge("analytics"), Edge("rest"), optional=True),
    )


def gates(services):
    return {
        service.name: sorted(edge.capability for edge in service.connects if edge.gate is not Gate.NONE) for service in services
    }


def without(stack, name, **change):
    return tuple(replace(s, **change) if s.name == name else s for s in stack)


def test_the_database_waits_for_vector_and_studio_for_logflare(stack):
    assert gates(with_logs_first(stack)) == {
        "postgres": ["vector"],
        "rest": ["postgres"],
        "analytics": ["postgres"],
        "vector": [],
        "studio": ["analytics"],
    }


def test_the_order_is_one_that_can_be_started(stack):
    names = [service.name for service, _ in start_order(with_logs_first(stack))]
    assert names.index("vector") < names.index("postgres") < names.index("analytics") < names.index("studio")


def test_connections_stay_and_what_is_waited_for_is_not_optional(stack):
    made = {service.name: service for service in with_logs_first(stack)}
    assert [edge.capability for edge in made["vector"].connects] == ["analytics"]
    assert sorted(edge.capability for edge in made["studio"].connects) == ["analytics", "rest"]
    assert {name: s.optional for name, s in made.items()} == {
        "postgres": False,
        "rest": False,
        "analytics": False,
        "vector": False,
        "studio": True,
    }


@pytest.mark.parametrize("change", [{"off": True}, {"health": None}], ids=["off", "without a health check"])
def test_what_can_not_be_waited_for_is_not_waited_for(stack, change):
    found = gates(with_logs_first(without(stack, "vector", **change)))
    assert found["postgres"] == []
    assert found["vector"] == ["analytics"]
    assert gates(with_logs_first(without(stack, "analytics", **change)))["studio"] == []


def test_a_log_shipper_that_nobody_names_can_be_waited_for(stack):
    made = with_logs_first(without(stack, "vector", provides={}))
    assert gates(made)["postgres"] == ["vector"]
    assert next(service.name for service, _ in start_order(made)) == "vector"


def test_a_stack_without_logs_stays_as_it_is(stack):
    assert with_logs_first(stack[:2]) == stack[:2]
