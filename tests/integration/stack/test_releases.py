"""supa-manager's stack (seed 002, release 2024-05) on local images, and what a change of the release does to it.

The tests stand in the order of one stack's life. A local PostgreSQL is 17 in every release; that a registry's 15 is not given to 17 is
tested without an engine, in tests/unit/components/test_releases.py.
"""

import json
import re
from collections.abc import Iterator

import pytest

from tests.integration.clone import Clone
from tests.integration.stack.whole import Whole, steps

pytestmark = [pytest.mark.docker, pytest.mark.engine]

STACK = "supa-manager"
MADE_HERE = {"postgres", "imgproxy", "mail", "meta"}
STUBS = {"gateway", "auth", "rest", "realtime", "storage", "functions", "analytics", "vector", "studio"}
"""With postgres, imgproxy and meta the seed's twelve services. The gateway is Kong, which can't be built here."""
AS_SHIPPED = {**dict.fromkeys(MADE_HERE, False), **dict.fromkeys(STUBS, True)}


@pytest.fixture(scope="module")
def manager(clone: Clone) -> Iterator[Whole]:
    """The stack as its file is shipped, up from nothing."""
    try:
        yield Whole(clone, STACK, clone.make("up", STACK=STACK).stdout)
    finally:
        clone.make("purge", code=None, STACK=STACK, CONFIRM=STACK)


def healthy(shown: str) -> dict[str, bool]:
    """Services that an up has told as healthy, with whether a stub stands for each."""
    found = re.findall(r"^    (\S+) +running, healthy +\S+ \((stub|real)", shown, re.MULTILINE)
    return {name: kind == "stub" for name, kind in found}


def ids(manager: Whole) -> dict[str, str]:
    return {name.removeprefix("supabase-"): c.id for name, c in manager.containers().items()}


def volumes(manager: Whole) -> dict[str, str]:
    """When each volume was made."""
    found = manager.clone.daemon.client().volumes.list(filters={"label": f"supastack.stack={STACK}"})
    return {v.name: v.attrs["CreatedAt"] for v in found}


def test_the_seeds_services_come_up_without_what_its_release_has_not(manager: Whole):
    assert f"Stack {STACK} is up." in manager.shown
    assert healthy(manager.shown) == AS_SHIPPED
    assert manager.outputs["DB_URL"].endswith("/upending_expectoration")
    assert {"POOLER_URL", "PUBLISHABLE_KEY", "JWKS"}.isdisjoint(manager.outputs)


def test_a_second_up_changes_nothing(manager: Whole):
    before = manager.ids()
    assert set(steps(manager.up())) == {"unchanged"}
    assert manager.ids() == before


def test_another_release_does_what_its_preview_says_and_the_data_stays(manager: Whole):
    with manager.clone.daemon.network(), manager.sql() as connection:
        connection.execute("create table public.kept ()")
    before, kept = ids(manager), volumes(manager)
    # supa-manager's release has no pooler, so its file may have turned it off.
    with manager.settings(release="2026-09", supabase={"pooler": {"enabled": True}}):
        shown = manager.clone.make("preview", STACK=STACK, FORMAT="json").stdout
        changes = json.loads(shown[shown.index('{\n  "stack"') : shown.rindex("\n}") + 2])["changes"]
        told = {c["name"].removeprefix("supabase-"): c["op"] for c in changes if c["type"] == "docker:index/container:Container"}
        # The images of the database and the mail catcher are the same ones here, in every release.
        replaced = (MADE_HERE | STUBS) - {"postgres", "mail"}
        assert told == {**dict.fromkeys(replaced, "replace"), "pooler": "create"}
        assert [c["name"] for c in changes if "volume" in c["type"].lower() or c["risk"]] == []
        (why,) = (c["properties"] for c in changes if c["name"] == "supabase-gateway-image")
        assert [(p["old"], p["new"]) for p in why] == [("supastack.local/stub:1", "supastack.local/envoy:1.39")]
        assert ids(manager) == before, "a preview changes nothing"

        assert healthy(manager.up()) == {**AS_SHIPPED, "gateway": False, "pooler": True}
        now = ids(manager)
    assert {name for name in before if now.get(name) != before[name]} == replaced
    assert now.keys() - before.keys() == {"pooler"}
    assert volumes(manager) == kept
    with manager.clone.daemon.network(), manager.sql() as connection:
        assert connection.execute("select count(*) from public.kept").fetchone() == (0,)


def test_back_in_the_seeds_release_and_order_the_logs_go_first(manager: Whole):
    manager.clone.make("down", STACK=STACK)
    with manager.settings(supabase={"logsFirst": True}):
        assert healthy(manager.up()) == AS_SHIPPED
    made = {name.removeprefix("supabase-"): c.attrs["Created"] for name, c in manager.containers().items()}
    started = {name.removeprefix("supabase-"): c.attrs["State"]["StartedAt"] for name, c in manager.containers().items()}
    for first, then in (("vector", "postgres"), ("postgres", "analytics"), ("analytics", "studio")):
        assert started[first] < made[then], f"{then} waits for {first}"
    with manager.clone.daemon.network(), manager.sql() as connection:
        assert connection.execute("select count(*) from public.kept").fetchone() == (0,)
