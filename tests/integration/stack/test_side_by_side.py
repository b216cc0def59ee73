"""Two stacks on one machine share nothing; a third one with taken ports is refused before anything starts."""

import json

import pytest
import redis

from tests.integration.stack.clients import Clients

pytestmark = [pytest.mark.docker, pytest.mark.engine]

PORTS = {"app": 3025, "postgres": 54322, "cache": 6379, "objectStore": 9000, "objectStoreConsole": 9001}


@pytest.fixture(scope="module")
def both(clone):
    clone.make("up")
    clone.make("up", INSTANCE="2")
    yield clone.outputs("dev"), clone.outputs("dev-2")
    clone.make("purge", INSTANCE="2", CONFIRM="dev-2")
    clone.make("purge", CONFIRM="dev")


def objects(clone, stack):
    client = clone.daemon.client()
    wanted = {"filters": {"label": f"supastack.stack={stack}"}}
    return (
        {c.id for c in client.containers.list(all=True, **wanted)},
        {v.name for v in client.volumes.list(**wanted)},
        {n.id for n in client.networks.list(**wanted)},
    )


def test_the_second_instance_has_ports_of_its_own(both):
    one, two = both
    assert {k: v for k, v in one["PORTS"].items() if k in PORTS} == {k: v for k, v in PORTS.items() if k in one["PORTS"]}
    assert two["PORTS"] == {name: port + 1000 for name, port in one["PORTS"].items()}


def test_they_share_no_container_volume_network_or_secret(clone, both):
    one, two = both
    for ours, theirs in zip(objects(clone, "dev"), objects(clone, "dev-2"), strict=True):
        assert ours
        assert theirs
        assert not ours & theirs
    for secret in ("DB_URL", "REDIS_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY"):
        assert one[secret] != two[secret]


def test_each_has_an_env_file_of_its_own(clone, both):
    one, two = both
    assert f"DATABASE_URL={one['DB_URL']}\n" in (clone.root / ".env").read_text()
    assert f"DATABASE_URL={two['DB_URL']}\n" in (clone.root / ".env.dev-2").read_text()
    assert clone.status() == ""


def told(clone, **variables):
    """The instances of this clone by stack, as `make status` tells them as data."""
    found = json.loads(clone.make("status", FORMAT="json", code=None, **variables).stdout)
    return {i["stack"]: i for i in found["instances"] if i["ofThisClone"]}


def test_status_tells_both_apart_by_what_runs(clone, both):
    instances = told(clone)
    assert {stack: i["state"] for stack, i in instances.items()} == {"dev": "up", "dev-2": "up"}
    for outputs, stack in zip(both, ("dev", "dev-2"), strict=True):
        ports = {p["port"] for s in instances[stack]["services"] for p in s["ports"]}
        assert ports == set(outputs["PORTS"].values())
        assert not [s for s in instances[stack]["services"] if s["orphan"]]
    text = clone.make("status").stdout
    assert "Stack dev is up." in text
    assert f"supastack dev-2 ({instances['dev-2']['stackId']}): up" in text


def test_status_sees_what_has_stopped_and_what_no_state_knows(clone, both):
    client = clone.daemon.client()
    client.containers.get("supastack-dev-2-cache-valkey").stop()
    made_by = client.containers.get("supastack-dev-cache-valkey")
    mine = {name: value for name, value in made_by.labels.items() if name.startswith("supastack.")}
    lost = client.containers.create(made_by.image.id, name="lost", labels={**mine, "supastack.service": "lost"})
    try:
        instances = told(clone)
        assert {stack: i["state"] for stack, i in instances.items()} == {"dev": "up", "dev-2": "not well"}
        assert [s["container"] for s in instances["dev"]["services"] if s["orphan"]] == ["lost"]
        stopped = [s for s in instances["dev-2"]["services"] if not s["well"]]
        assert [(s["service"], s["status"]) for s in stopped] == [("valkey", "exited")]
    finally:
        lost.remove(force=True, v=True)
        client.containers.get("supastack-dev-2-cache-valkey").start()


def test_data_of_one_is_not_in_the_other(clone, both):
    one, two = (Clients(outputs) for outputs in both)
    with clone.daemon.network():
        one.write("of-one")
        two.write("of-two")
        assert one.marks() == ({"of-one"},) * 3
        assert two.marks() == ({"of-two"},) * 3


def test_the_network_of_one_does_not_reach_the_other(clone, both):
    client = clone.daemon.client()
    theirs = client.containers.get("supastack-dev-2-cache-valkey")
    (address,) = (n["IPAddress"] for n in theirs.attrs["NetworkSettings"]["Networks"].values())
    ours = client.containers.get("supastack-dev-cache-valkey")
    reached = ours.exec_run(["timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{address}/6379"])
    assert reached.exit_code != 0
    own = ours.exec_run(["timeout", "30", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/6379"])
    assert own.exit_code == 0, "so that the one above says something"


def test_a_third_with_the_first_ones_ports_is_told_which_who_and_how(clone, both):
    file = clone.root / "Pulumi.third.yaml"
    file.write_text((clone.root / "Pulumi.dev.yaml").read_text().replace("nextjs: {}", "nextjs: {path: .env.third}"))
    before = objects(clone, "dev"), objects(clone, "dev-2")
    try:
        refused = clone.make("up", code=None, STACK="third")
        assert refused.returncode != 0
        for port in (54322, 6379, 9000, 9001):
            assert f"port {port} on 127.0.0.1" in refused.stdout
        assert "supastack-dev-supabase-postgres" in refused.stdout
        assert "supastack:ports.postgres" in refused.stdout
        assert objects(clone, "third") == (set(), set(), set())
        assert (objects(clone, "dev"), objects(clone, "dev-2")) == before
    finally:
        clone.make("purge", code=None, STACK="third", CONFIRM="third")
        file.unlink()


def test_a_stack_of_a_redis_alone_has_nothing_else(clone, both):
    """What is turned off is not there; the other engine takes the same settings."""
    file = clone.root / "Pulumi.small.yaml"
    file.write_text(
        "config:\n"
        "  supastack:instance: 3\n"
        "  supastack:supabase: {enabled: false}\n"
        "  supastack:objectStorage: {enabled: false}\n"
        "  supastack:envFiles: {}\n"
        "  supastack:cache: {engine: redis, maxMemory: 20mb, evictionPolicy: allkeys-lru, appendOnly: false}\n"
    )
    try:
        clone.make("up", STACK="small")
        outputs = clone.outputs("small")
        assert {"DB_URL", "S3_ENDPOINT"}.isdisjoint(outputs)
        cache = Clients(outputs).cache
        with clone.daemon.network():
            cache.set("a", "b")
            assert cache.get("a") == "b"
            found = cache.config_get("maxmemory*") | cache.config_get("appendonly")
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(port=8379).ping()
        assert found["maxmemory"] == str(20 * 2**20)
        assert found["maxmemory-policy"] == "allkeys-lru"
        assert found["appendonly"] == "no"
        assert len(objects(clone, "small")[0]) == 1
        # Valkey over Redis' kept volume.
        file.write_text(file.read_text().replace("engine: redis", "engine: valkey"))
        refused = clone.make("up", code=None, STACK="small")
        assert refused.returncode != 0
        assert "holds data of redis" in refused.stdout
        assert "supastack:cache.engine" in refused.stdout
        # The way out that the message names.
        clone.make("down", STACK="small")
        clone.daemon.client().volumes.get("supastack-small-cache-data").remove()
        clone.make("up", STACK="small")
    finally:
        clone.make("purge", STACK="small", CONFIRM="small")
        file.unlink()
    assert objects(clone, "small") == (set(), set(), set())


def test_taking_one_down_leaves_the_other_alone(clone, both):
    other = objects(clone, "dev-2")
    clone.make("down")
    assert objects(clone, "dev-2") == other
    clone.make("up")
