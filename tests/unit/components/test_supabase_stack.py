"""Which services a Supabase stack is made of, by release and settings."""

import pulumi
import pytest

from components import supabase_stack
from components.service import Gate
from tests.unit.components.placements import placement


def made(release="2026-09", **settings):
    return supabase_stack.services(
        {"placement": {**placement(), "release": release, "local_images": False}, "settings": settings}
    )


def running(*arguments, **settings):
    return {s.name for s in made(*arguments, **settings) if not s.off}


def test_a_whole_supabase_runs_by_default_and_keeps_no_logs():
    assert running() == {
        "postgres", "gateway", "auth", "rest", "realtime", "storage", "imgproxy", "meta", "functions", "studio", "pooler", "mail",
    }  # fmt: skip


def test_what_a_release_has_not_got_is_left_out_where_it_is_on_by_default():
    assert "pooler" not in running("2024-05")
    assert {"functions", "pooler"}.isdisjoint(running("2024-01"))


def test_what_a_release_has_not_got_is_refused_where_it_is_turned_on():
    with pytest.raises(
        pulumi.InputPropertyError, match=r"supabase\.analytics\.enabled is true, and release 2024-01 has no image"
    ):
        made("2024-01", analytics={"enabled": True})


def test_the_logs_come_first_only_where_the_settings_say_so():
    logs = {"analytics": {"enabled": True}, "vector": {"enabled": True}}

    def gates(**settings):
        (database,) = (s for s in made("2024-05", **logs, **settings) if s.name == "postgres")
        return [edge.capability for edge in database.connects if edge.gate is not Gate.NONE]

    assert gates() == []
    assert gates(logsFirst=True) == ["vector"]


def test_turned_off_as_a_whole_only_the_volumes_stay():
    assert running(enabled=False) == set()
    assert [v.name for s in made(enabled=False) for v in s.volumes]
