"""What is said of services that a release has no image of."""

import pytest

from components import supabase_stack
from components.absent_services import notes, refusals
from components.releases import ImageOverrides, load
from components.services import secret_names
from components.supabase_settings.override import SERVICES
from tests.unit.components.placements import placement


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


GIVEN = {
    "services": {"studio": {"env": {"A": "b"}}, "mail": {"memory": "64mb"}, "auth": {"env": {"A": "b"}}, "vector": {}},
    "gateway": {"mcp": True},
}


def said_of(settings, **over):
    secrets = {secret_names.of_service(service, "KEY"): "" for service in ("auth", "vector")}
    return supabase_stack.notes({"placement": placement(local_images=False, **over), "settings": settings, "secrets": secrets})


def test_what_is_set_for_a_service_that_does_not_run_is_said_to_have_no_effect():
    off = {"studio": {"enabled": False}, "mail": {"enabled": False}}
    assert said_of({**GIVEN, **off}) == [
        "supastack:supabase.services.mail has no effect: mail is not part of this stack",
        "supastack:supabase.services.studio has no effect: studio is not part of this stack",
        "supastack:serviceSecrets.vector has no effect: vector is not part of this stack",
        "supastack:supabase.gateway.mcp has no effect: studio is not part of this stack",
    ]


def test_what_is_set_for_a_service_that_runs_is_not_spoken_of():
    logs = {"analytics": {"enabled": True}, "vector": {"enabled": True}}
    assert said_of({**GIVEN, **logs}) == []


def test_what_is_set_for_a_service_that_the_release_has_no_image_of_has_no_effect_either():
    said = said_of({"services": {"functions": {"memory": "64mb"}}}, release="2024-01")
    assert "supastack:supabase.services.functions has no effect: functions is not part of this stack" in said
