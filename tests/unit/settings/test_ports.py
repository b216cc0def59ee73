"""The port plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ports import AUTO_FIRST, AUTO_LAST, BASE, LAST_INSTANCE, auto_first, clashes, plan
from components.setting_schema import fields
from components.setting_types import PortSettings

names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=100)


def test_instance_one_has_the_ports_of_the_table() -> None:
    assert dict(plan(1)) == {
        "app": 3025,
        "api": 54321,
        "apiHttps": 54330,
        "postgres": 54322,
        "studio": 54323,
        "mailWeb": 54324,
        "smtp": 54325,
        "pop3": 54326,
        "analytics": 54327,
        "poolerSession": 54328,
        "poolerTransaction": 54329,
        "cache": 6379,
        "objectStore": 9000,
        "objectStoreConsole": 9001,
        "plainPostgres": 5432,
        "pgbouncer": 6543,
        "redisCommander": 8081,
        "backend": 3026,
        "shadow": 54320,
    }


def test_an_app_may_plan_its_ports_for_instance_one_and_each_further_one_adds_to_them() -> None:
    assert plan(3, others={"app": 3001, "backend": 3000})["backend"] == 5000
    assert plan(3, overrides={"app": 8000}, others={"app": 3001})["app"] == 8000
    assert plan(3, ("p", "s"), others={"app": 3001}) == plan(3, ("p", "s"))


def test_the_seeds_table_wins_over_its_formula() -> None:
    assert [plan(instance)["app"] for instance in (1, 2, 3)] == [3025, 4025, 5025]
    assert [plan(instance)["postgres"] for instance in (1, 2, 3)] == [54322, 55322, 56322]


def test_no_port_is_planned_twice_in_any_instance() -> None:
    ports = [port for instance in range(1, LAST_INSTANCE + 1) for port in plan(instance).values()]
    assert len(set(ports)) == len(ports) == LAST_INSTANCE * len(BASE)
    assert all(1024 <= port <= 65535 for port in ports)
    assert not [port for port in ports if AUTO_FIRST <= port <= AUTO_LAST]


def test_one_instance_more_would_not_fit() -> None:
    assert max(BASE.values()) + LAST_INSTANCE * 1000 > 65535


@pytest.mark.parametrize("instance", [0, -1, 13])
def test_an_instance_outside_the_plan_is_refused(instance: int) -> None:
    with pytest.raises(ValueError, match=str(instance)):
        plan(instance)


def test_an_override_under_no_known_name_is_refused() -> None:
    with pytest.raises(ValueError, match="api_https"):
        plan(1, None, {"api_https": 1})


@given(names, names)
def test_a_stacks_own_ports_are_stable_in_their_range_and_one_block(project: str, stack: str) -> None:
    ports = plan(1, (project, stack))
    assert ports == plan(99, (project, stack))
    first = auto_first(project, stack)
    assert sorted(ports.values()) == list(range(first, first + len(BASE)))
    assert first >= AUTO_FIRST
    assert max(ports.values()) <= AUTO_LAST
    assert list(ports) == list(BASE)
    assert not clashes(ports)


@given(names, names, names, names)
def test_two_stacks_have_the_same_block_or_share_no_port(p1: str, s1: str, p2: str, s2: str) -> None:
    one, two = plan(1, (p1, s1)), plan(1, (p2, s2))
    assert one == two or not set(one.values()) & set(two.values())


def test_a_stacks_own_ports_do_not_change_with_a_release_of_this_project() -> None:
    # Written down: a running stack would move.
    assert (auto_first("supastack", "dev"), auto_first("supastack", "prod"), auto_first("shop", "dev")) == (26800, 21260, 23620)


def test_stacks_are_spread_over_the_range() -> None:
    blocks = {auto_first("supastack", f"stack-{n}") for n in range(2000)}
    assert len(blocks) > 450, "there are 495"
    assert (min(blocks), max(blocks)) == (AUTO_FIRST, AUTO_LAST - 19)


@given(st.dictionaries(st.sampled_from(list(BASE)), st.integers(1, 65535)), st.booleans(), st.integers(1, 12))
def test_overrides_win_and_move_nothing_else(overrides: dict[str, int], auto: bool, instance: int) -> None:
    at = ("supastack", "dev") if auto else None
    ports, planned = plan(instance, at, overrides), plan(instance, at)
    assert ports == {**planned, **overrides}
    for port, holders in clashes(ports):
        assert len(holders) > 1
        assert {ports[name] for name in holders} == {port}


def test_the_settings_name_every_port_and_its_planned_number() -> None:
    from components.setting_docs import description

    declared = {name: field for name, field in fields(PortSettings).items() if name != "auto"}
    assert declared.keys() == BASE.keys()
    for name, field in declared.items():
        assert description(field).endswith(f"Planned: {BASE[name]}."), name
