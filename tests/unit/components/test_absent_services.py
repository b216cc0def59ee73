"""What is said of services that a release has no image of."""

import pytest

from components.absent_services import notes, refusals
from components.releases import ImageOverrides, load
from components.supabase_settings.override import SERVICES


@pytest.fixture
def release():
    return load("2024-01", local=False)


def test_what_is_asked_for_and_not_there_is_refused_with_the_way_out(release):
    (problem,) = refusals(release, {"pooler", "auth", "gateway"})
    for part in (
        "supastack:supabase.pooler.enabled",
        "release 2024-01 has no image of pooler",
        "supastack:images.overrides.pooler",
    ):
        assert part in problem


def test_what_is_on_by_default_and_not_there_is_left_out_and_said(release):
    said = notes(release, SERVICES, {"pooler"})
    assert [line.split()[0] for line in said] == ["analytics", "functions", "vector"]
    assert "functions is left out: release 2024-01 has no image of functions" in said[1]


def test_an_image_of_the_users_own_is_there():
    over = load("2024-01", local=False, overrides=ImageOverrides(references={"pooler": "supabase/supavisor:1.1.56"}))
    assert refusals(over, {"pooler"}) == []
    assert notes(over, {"pooler"}, set()) == []


def test_nothing_is_said_where_all_is_there():
    whole = load("2026-09", local=False)
    assert refusals(whole, SERVICES) == []
    assert notes(whole, SERVICES, set()) == []
