"""`make up STACK=kube` with the database of CloudNativePG, by its real operator: what differs from the stack's own server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.clone import Clone
from tests.integration.cluster.house import STACK, House, until
from tests.integration.daemon import Daemon

pytestmark = pytest.mark.docker
NAMESPACE = "supastack-operated"
CLUSTER = "cluster.postgresql.cnpg.io"


@pytest.fixture(scope="module")
def house(cluster: Any, daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    if not cluster.kubectl("get", "crd", "clusters.postgresql.cnpg.io", "--ignore-not-found", "--output=name"):
        from toolchain.cluster import cnpg
        from toolchain.context import Context

        cnpg.install(cluster, Context.of(), None)
    clone = Clone(Path(tmp_path_factory.mktemp("operated")), daemon)
    clone.create()
    made = House(clone, cluster, NAMESPACE, "postgres-1")
    made.configure(**{"supastack:supabase": {**SUPABASE}})
    yield made
    made.make("purge", code=None, CONFIRM=STACK)


SUPABASE: dict[str, Any] = {
    "database": {
        "engine": "cloudnativepg",
        "cnpg": {"instances": 2, "storage": "1gb", "pooler": {"enabled": True}},
        "memory": "384mb",
        "sharedBuffers": "96mb",
    },
    # The operator's own is in its place.
    "pooler": {"enabled": False},
}


@pytest.fixture(scope="module")
def up(house: House) -> str:
    """What the first `make up` says."""
    return house.make("up")


def _phase(house: House) -> str:
    return str(json.loads(house.kubectl("get", CLUSTER, "postgres", "--output=json"))["status"].get("phase"))


def test_one_command_brings_the_whole_stack_up_with_a_standby(house: House, up: str) -> None:
    assert f"Stack {STACK} is up." in up
    assert house.unready() == set()
    pods = {pod["metadata"]["name"] for pod in house.objects("pods")}
    assert {"postgres-1", "postgres-2"} <= pods
    streaming = "select count(*) from pg_stat_replication where state = 'streaming'"
    until(lambda: house.sql(streaming) == "1", "the standby to follow")


def test_the_operators_pooler_answers_a_login_where_pooled_urls_lead(house: House, up: str) -> None:
    shown = house.make("smoke")
    for way in ("pooler, transactions", "database, to read"):
        assert re.search(rf"^  ok +{way} +127\.0\.0\.1:\d+ takes a login", shown, re.MULTILINE), shown
    pods = {pod["metadata"]["labels"].get("cnpg.io/poolerName"): pod["spec"] for pod in house.objects("pods")}
    assert {c["resources"]["limits"]["memory"] for c in pods["postgres-pooler"]["containers"]} == {"128Mi"}
    assert re.search(r"^ +postgres-pooler +ready ", house.make("status"), re.MULTILINE)


def test_a_second_preview_changes_nothing(house: House, up: str) -> None:
    assert house.steps() == {}


def test_one_setting_changes_what_it_is_about_and_nothing_else(house: House, up: str) -> None:
    house.configure(**{"supastack:supabase": {**SUPABASE, "rest": {"maxRows": 500}}})
    try:
        assert house.steps() == {"supabase-rest": "update", "supabase-studio": "update"}
    finally:
        house.configure(**{"supastack:supabase": SUPABASE})


def test_a_standby_takes_over_with_the_data_and_the_stack_stays_as_it_is(house: House, up: str) -> None:
    house.sql("create table if not exists kept (a int); truncate kept; insert into kept values (42)")
    house.kubectl("delete", "pod", "postgres-1", "--grace-period=0", "--force")
    until(lambda: _primary(house) == "postgres-2", "the other instance to take over")
    until(lambda: not house.unready() and _phase(house) == "Cluster in healthy state", "all to be well again", 300)
    house.database = "postgres-2"
    assert house.sql("select a from kept") == "42"
    assert house.settles()


def _primary(house: House) -> str:
    return house.kubectl("get", CLUSTER, "postgres", "--output=jsonpath={.status.currentPrimary}")


def test_down_puts_the_database_to_sleep_and_up_wakes_it_with_its_data(house: House, up: str) -> None:
    house.sql("create table if not exists kept (a int); truncate kept; insert into kept values (43)")
    said = house.make("down")
    assert f"asleep, since their operator would run them on: {NAMESPACE}/postgres" in said
    assert f"{NAMESPACE}/postgres-1" in said
    until(lambda: not house.objects("pods"), "the pods' end")
    assert {c["status"]["phase"] for c in house.objects("pvc")} == {"Bound"}
    assert f"Stack {STACK} is up." in house.make("up")
    house.database = _primary(house)
    assert house.sql("select a from kept") == "43"
    until(lambda: not house.unready(), "all to be well again")
    assert house.settles()


def test_a_lost_states_database_is_adopted_by_its_id_with_its_data(house: House, up: str) -> None:
    house.sql("create table if not exists kept (a int); truncate kept; insert into kept values (44)")
    made = house.kubectl("get", CLUSTER, "postgres", "--output=jsonpath={.metadata.uid}")
    house.give_back(*house.lose_state())
    held = _versions(house)
    refused = house.bare_up()
    assert "would write other keys over its last ones: Secret " in refused
    assert "postgres-vault" in refused or "postgres-superuser" in refused
    assert _versions(house) == held

    assert f"Stack {STACK} is up." in house.make("up", CONFIRM=STACK)
    assert house.kubectl("get", CLUSTER, "postgres", "--output=jsonpath={.metadata.uid}") == made
    house.database = _primary(house)
    assert house.sql("select a from kept") == "44"
    assert house.settles()


def test_a_stack_that_took_over_needs_its_copies_no_more(house: House, up: str) -> None:
    copies = [name for name in _versions(house) if name.endswith("-before")]
    assert copies
    house.kubectl("delete", "secret", *copies)
    house.make("down")
    assert f"Stack {STACK} is up." in house.make("up")
    house.database = _primary(house)
    assert house.sql("select a from kept") == "44"


def _versions(house: House) -> dict[str, str]:
    """The Secrets, each with what changes when it is written."""
    return {secret["metadata"]["name"]: secret["metadata"]["resourceVersion"] for secret in house.objects("secrets")}


def test_purge_leaves_nothing(house: House, up: str) -> None:
    house.make("purge", CONFIRM=STACK)
    assert NAMESPACE not in house.cluster.kubectl("get", "namespaces", "--output=name")
    until(lambda: not house.volumes(), "the end of the volumes")
