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
        ("postgres-17.from-local", "postgres-17.uid-999.from-local"),
        # Written before the source was: it may have come from either.
        ("postgres-17.uid-999", "postgres-17.uid-999.from-local"),
        ("postgres-17.uid-999", "postgres-17.from-registry"),
        ("postgres-17", "postgres-17.from-registry"),
        ("postgres-17.db-shop", "postgres-17.db-shop.uid-999.from-local"),
        ("plain-postgres-16.db-app-of-app", "plain-postgres-16.db-app-of-app.from-registry"),
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


@pytest.mark.parametrize(
    ("held", "wanted", "named"),
    [
        (
            "postgres-17.uid-999.from-local",
            "postgres-17.from-registry",
            ("built on the machine of postgres-17", "a registry's image ("),
        ),
        (
            "postgres-17.from-registry",
            "postgres-17.uid-999.from-local",
            ("a registry's image of postgres-17", "/etc/postgresql-custom"),
        ),
        ("plain-postgres-16.db-a-of-b.from-registry", "plain-postgres-16.db-a-of-b.from-local", ("PLAIN_DB_URL",)),
        # Another user comes with the other image: giving the files to it would not make them its.
        ("postgres-17.uid-999.from-local", "postgres-17.uid-105.from-registry", ("built on the machine",)),
    ],
)
def test_the_same_server_from_elsewhere_is_refused_with_the_way_by_a_dump(held, wanted, named):
    problem = refused(held, wanted)
    for part in (
        *named,
        "supastack:imageSource",
        "pg_dumpall",
        "docker volume rm supastack-dev-supabase-postgres-data",
        "Nothing was touched",
    ):
        assert part in problem
    assert "uid" not in problem
    assert "chown" not in problem


def test_another_name_or_version_is_seen_behind_the_source_as_well():
    assert "the database shop" in refused("postgres-17.from-local", "postgres-17.db-shop.from-local")
    assert "user 101" in refused("postgres-17.uid-101.from-registry", "postgres-17.uid-100.from-registry")
    assert "postgres-15" in refused("postgres-15.from-local", "postgres-17.from-local")


def test_a_database_knows_where_its_image_came_from_and_a_stub_of_it_knows_nothing():
    override = {"overrides": {"postgres": "registry.example.com/postgres:17.6"}}
    for over, expected in (
        ({"local_images": True}, "postgres-17.uid-999.from-local"),
        ({"local_images": False}, "postgres-17.from-registry"),
        ({"local_images": True, "images": override}, "postgres-17.from-registry"),
        ({"local_images": True, "images": {"overrides": {"postgres": "supastack.local/stub:1"}}}, "postgres-17"),
    ):
        made = next(s for s in services({"placement": placement(**over), "settings": {}}) if s.name == "postgres")
        assert made.identity == expected


def test_another_engine_is_refused_with_the_way_to_give_the_data_up():
    problem = refused("minio", "seaweedfs")
    assert "data of minio, which seaweedfs can't read" in problem
    assert "pg_dumpall" not in problem


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "postgres-17.uid-999.from-local"),
        ({"dataOwner": 999}, "postgres-17.from-local"),
        ({"dataOwner": 7}, "postgres-17.uid-999.from-local"),
    ],
)
def test_whoever_changed_the_owner_by_hand_says_so(settings, expected):
    made = next(s for s in services({"placement": placement(), "settings": settings}) if s.name == "postgres")
    assert made.identity == expected
    # Of an image whose user nobody knows before it runs, the health check is told.
    told = made.env.get("SUPASTACK_DATA_OWNER")
    assert (told and "".join(map(str, told.parts))) == (str(settings["dataOwner"]) if settings else None)
