"""A user's own service on Docker: fed by the stack's real servers, asked from this machine, and kept by an image that can't be had."""

import json
import re
import urllib.error
import urllib.request

import pytest
import yaml

from tests.integration import sample_app

pytestmark = [pytest.mark.docker, pytest.mark.engine]
NAME = "supastack-dev-app-shop-backend"
TOKEN = "a-token-of-the-users-own"
FAILED = 2
"""What make ends with where a command failed."""
BACKEND = {
    "image": sample_app.FIRST,
    "port": 3000,
    "publish": "backend",
    "healthPath": "/health",
    "replicas": 3,
    "env": {
        "SHOWS": "REDIS_URL TOKEN API",
        "RELEASE": "one",
        "DATABASE_URL": "${DB_URL}",
        "REDIS_URL": "${REDIS_URL}",
        "API": "${APP_URL}",
    },
    "resources": {"memoryLimit": "96mb", "cpuLimit": "500m"},
    "stopGrace": 20,
}


@pytest.fixture(scope="module")
def shop(clone):
    sample_app.tag(clone.daemon.client())
    file = clone.root / "Pulumi.dev.yaml"
    before = file.read_text()

    def up(code=0, **over):
        document = yaml.safe_load(before)
        env = {**BACKEND["env"], **over.pop("env", {})}
        document["config"] |= {
            "supastack:healthTimeout": over.pop("within", 180),
            "supastack:objectStorage": {"enabled": False},
            "supastack:supabase": {**document["config"]["supastack:supabase"], "database": {"testSchema": "test"}},
            "supastack:apps": {"shop-backend": {**BACKEND, "env": env, **over}} if over.pop("there", True) else {},
        }
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        return clone.make("up", code=code).stdout

    up(there=False)
    clone.pulumi("config", "set", "--secret", "--stack", "dev", "--path", "supastack:appSecrets.shop-backend.TOKEN", TOKEN)
    try:
        yield up
    finally:
        clone.make("purge", code=None, CONFIRM="dev")
        file.write_text(before)


def container(clone):
    return clone.daemon.client().containers.get(NAME)


def get(clone, path, port=3026):
    with clone.daemon.network(), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def test_it_is_given_what_it_reaches_from_inside_and_is_reached_here(clone, shop):
    said = shop()
    assert "on Docker one of it runs" in said
    assert get(clone, "/database") == {"user": "postgres"}
    shown = get(clone, "/")["environment"]
    assert shown["REDIS_URL"].endswith("@valkey:6379")
    assert shown["TOKEN"] == TOKEN
    assert shown["API"] == "http://127.0.0.1:3025", "what browsers are told"
    assert TOKEN not in clone.state_file().read_text() + said
    limits = container(clone).attrs["HostConfig"]
    assert (limits["Memory"], limits["NanoCpus"]) == (96 * 2**20, 500_000_000)
    assert clone.preview_steps() == {}


def test_smoke_asks_it_and_whether_the_schema_of_the_tests_is_its_users(clone, shop):
    said = clone.make("smoke").stdout
    assert re.search(r"^  ok +app shop-backend +http://127\.0\.0\.1:3026/health answers \(HTTP 200\)$", said, re.MULTILINE), said
    assert re.search(r"^  ok +test schema +127\.0\.0\.1:\d+ has the schema test", said, re.MULTILINE), said
    database = clone.daemon.client().containers.get("supastack-dev-supabase-postgres")
    database.exec_run(["psql", "-U", "supabase_admin", "-d", "postgres", "-c", "ALTER SCHEMA test RENAME TO away"])
    try:
        said = clone.make("smoke", code=FAILED).stdout
    finally:
        database.exec_run(["psql", "-U", "supabase_admin", "-d", "postgres", "-c", "ALTER SCHEMA away RENAME TO test"])
    assert re.search(r"^  FAILED +test schema +\S+: there is no schema test$", said, re.MULTILINE), said


def test_an_image_that_can_not_be_had_is_named_and_the_app_goes_on(clone, shop):
    before = container(clone).id
    said = shop(code=FAILED, image=sample_app.ABSENT)
    assert "sample-app:absent" in said
    assert container(clone).id == before
    assert get(clone, "/")["release"] == "one"


def test_one_that_is_not_well_fails_the_deployment_by_what_it_answers_and_a_good_one_mends_it(clone, shop):
    said = shop(code=FAILED, env={"FAILS": "health"}, image=sample_app.SECOND, within=20)
    assert f"{NAME} is not well" in said
    assert "http://127.0.0.1:3026/health answers with status 503" in said
    shop(env={"RELEASE": "two"}, image=sample_app.SECOND)
    assert get(clone, "/")["release"] == "two"


def test_taken_out_of_the_settings_it_goes_and_nothing_else_does(clone, shop):
    clone.pulumi("config", "rm", "--stack", "dev", "supastack:appSecrets")
    others = {c.name: c.id for c in clone.daemon.client().containers.list() if c.name != NAME}
    shop(there=False)
    now = {c.name: c.id for c in clone.daemon.client().containers.list()}
    assert now == others
    with pytest.raises(urllib.error.URLError):
        get(clone, "/")
