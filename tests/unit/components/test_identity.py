"""Which server may get the data of another one, and the steps where it may not."""

import pytest

from components.identity import identity, refusal
from components.supabase_stack import services
from tests.unit.components.placements import placement


def refused(held, wanted):
    return refusal("supastack-dev-supabase-postgres-data", held, wanted, "supastack:release")


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ("postgres-17", "postgres-17"),
        ("postgres-17.uid-999", "postgres-17.uid-999"),
        ("postgres-17", "postgres-17.uid-999"),
        ("postgres-17.uid-999", "postgres-17"),
        ("postgres-17.db-shop", "postgres-17.db-shop.uid-999"),
        ("minio", "minio"),
    ],
)
def test_the_same_server_may_have_its_data_whether_or_not_its_user_is_known(held, wanted):
    assert refused(held, wanted) is None


def test_the_user_stands_behind_what_it_was_before():
    assert identity("postgres-17") == "postgres-17"
    assert identity("postgres-17", user=999) == "postgres-17.uid-999"
    assert identity("postgres-17", database="shop", user=999) == "postgres-17.db-shop.uid-999"


@pytest.mark.parametrize(
    ("held", "wanted", "named"),
    [
        ("postgres-17", "postgres-17.db-shop.uid-999", ("the usual database", "the database shop")),
        ("postgres-17.db-shop", "postgres-17.db-store", ("the database shop", "the database store")),
    ],
)
def test_another_name_of_the_database_is_refused(held, wanted, named):
    problem = refused(held, wanted)
    assert all(part in problem for part in named)


def test_another_major_version_is_refused_with_the_way_by_a_dump():
    for held, wanted in (
        ("postgres-15", "postgres-17"),
        ("postgres-15.uid-101", "postgres-17.uid-999"),
        ("postgres-17", "postgres-15"),
    ):
        problem = refused(held, wanted)
        for part in (
            "pg_dumpall",
            "docker volume rm supastack-dev-supabase-postgres-data",
            "root key",
            "supastack:release",
            "Nothing was touched",
        ):
            assert part in problem
        assert "uid" not in problem


def test_upstreams_script_is_named_for_the_versions_that_it_is_for():
    assert "upgrade-pg17.sh" in refused("postgres-15", "postgres-17")
    assert "upgrade-pg17.sh" not in refused("postgres-17", "postgres-15")


def test_another_user_is_refused_with_the_way_by_chown():
    problem = refused("postgres-17.uid-101", "postgres-17.uid-100")
    for part in ("user 101", "user 100", "chown IMAGE -R 100 /data", "supastack:supabase.dataOwner 100", "Nothing was touched"):
        assert part in problem


def test_another_engine_is_refused_with_the_way_to_give_the_data_up():
    problem = refused("minio", "seaweedfs")
    assert "data of minio, which seaweedfs can't read" in problem
    assert "pg_dumpall" not in problem


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, "postgres-17.uid-999"), ({"dataOwner": 999}, "postgres-17"), ({"dataOwner": 7}, "postgres-17.uid-999")],
)
def test_whoever_changed_the_owner_by_hand_says_so(settings, expected):
    made = next(s for s in services({"placement": placement(), "settings": settings}) if s.name == "postgres")
    assert made.identity == expected
