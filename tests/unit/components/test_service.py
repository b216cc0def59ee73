"""Services as data: their graph and their texts."""

import json

import pytest
import yaml

from components.encode import encode
from components.service import (
    Edge,
    Encoding,
    Gate,
    Health,
    Image,
    Port,
    Resources,
    Secret,
    Service,
    ServiceGraphError,
    Volume,
    start_order,
    text,
)

HEALTH = Health(("true",))


def service(name, *, connects=(), health=None, provides=None, **more):
    return Service(
        name=name,
        image=Image("role", "image:1"),
        resources=Resources(64),
        ports=(Port(name, 1),),
        provides={name: name} if provides is None else provides,
        connects=connects,
        health=health,
        **more,
    )


def order(*services):
    return [s.name for s, _ in start_order(services)]


def test_a_service_comes_after_all_that_gate_it():
    a = service("a", connects=(Edge("b", Gate.HEALTHY), Edge("c", Gate.STARTED)))
    names = order(a, service("b", health=HEALTH, connects=(Edge("c", Gate.STARTED),)), service("c"))
    assert names == ["c", "b", "a"]


def test_an_edge_without_a_gate_orders_nothing():
    a = service("a", connects=(Edge("b"),))
    b = service("b", connects=(Edge("a"),))
    assert sorted(order(a, b)) == ["a", "b"]


def test_gates_in_a_circle_are_refused_with_the_circle():
    a = service("a", connects=(Edge("b", Gate.STARTED),))
    b = service("b", connects=(Edge("a", Gate.STARTED),))
    with pytest.raises(ServiceGraphError, match=r"circle: (a -> b -> a|b -> a -> b)"):
        order(a, b)


def test_a_health_gate_needs_a_health_check():
    with pytest.raises(ServiceGraphError, match="no health check"):
        order(service("a", connects=(Edge("b", Gate.HEALTHY),)), service("b"))


def test_two_providers_of_one_capability_are_refused():
    with pytest.raises(ServiceGraphError, match="both provide"):
        order(service("a", provides={"x": "a"}), service("b", provides={"x": "b"}))


def test_two_services_of_one_name_are_refused():
    with pytest.raises(ServiceGraphError, match="two services"):
        order(service("a"), service("a", provides={}))


def test_a_gate_on_something_from_outside_waits_for_nothing():
    assert order(service("a", connects=(Edge("elsewhere", Gate.HEALTHY),))) == ["a"]


def test_a_service_uses_the_secrets_of_its_env_files_and_volumes():
    s = service("a", env={"A": text("x", Secret("one"))}, volumes=(Volume("v", "/v", precious=True, paired_secret="two"),))
    assert s.secrets == {"one", "two"}


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        (Encoding.RAW, "a/b@c'\"d"),
        (Encoding.URL, "a%2Fb%40c%27%22d"),
        (Encoding.JSON, '"a/b@c\'\\"d"'),
        (Encoding.SQL, "'a/b@c''\"d'"),
    ],
)
def test_a_value_is_written_as_its_place_needs_it(encoding, written):
    assert encode("a/b@c'\"d", encoding) == written


EDGES = "\x7f\x85\xa0\u2028\u2029\ud7ff\ue000\ufeff\ufffe\uffff\U00010000\U0001f600\U0010ffff"


@pytest.mark.parametrize("value", ["".join(map(chr, range(0x3000))), EDGES, "\\ud83d\\ude00 \\\U0001f600", " a: # b ", ""])
def test_json_means_the_same_as_yaml_whatever_is_in_it(value):
    written = encode(value, Encoding.JSON)
    assert json.loads(written) == value
    assert yaml.safe_load(written) == value


def test_a_nul_can_not_go_into_sql():
    with pytest.raises(ValueError, match="NUL"):
        encode("a\0b", Encoding.SQL)
