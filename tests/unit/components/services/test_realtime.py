"""What Realtime is told, and which tables it tells of."""

import re

import pytest

from components.service import Gate, Kind
from components.services.realtime import TENANT
from tests.unit.components.services.making import env, made, written


def test_it_seeds_the_tenant_that_the_gateway_names():
    assert env(made("realtime"))["SELF_HOST_TENANT_NAME"] == TENANT == "realtime-dev"


def test_it_verifies_new_tokens_only_with_the_one_switch_for_all():
    assert env(made("realtime"))["API_JWT_JWKS"] == "{jwt-jwks}"
    assert "API_JWT_JWKS" not in env(made("realtime", {"keys": {"asymmetric": False}}))
    assert "API_JWT_JWKS" not in env(made("realtime", release="2024-05"))


def test_it_works_in_the_stacks_own_database():
    assert env(made("realtime", {"database": {"name": "shop"}}))["DB_NAME"] == "shop"


@pytest.mark.parametrize(
    ("setting", "value", "variable", "told"),
    [
        ("ipVersion", "ipv4", "REALTIME_IP_VERSION", "ipv4"),
        ("maxHeaderLength", 8192, "MAX_HEADER_LENGTH", "8192"),
        ("maxConcurrentUsers", 500, "TENANT_MAX_CONCURRENT_USERS", "500"),
        ("maxChannelsPerClient", 5, "TENANT_MAX_CHANNELS_PER_CLIENT", "5"),
        ("maxEventsPerSecond", 1000, "TENANT_MAX_EVENTS_PER_SECOND", "1000"),
        ("maxJoinsPerSecond", 7, "TENANT_MAX_JOINS_PER_SECOND", "7"),
        ("maxBytesPerSecond", 10**6, "TENANT_MAX_BYTES_PER_SECOND", "1000000"),
    ],
)
def test_a_limit_is_told_where_the_settings_name_one_and_else_left_to_it(setting, value, variable, told):
    assert env(made("realtime", {"realtime": {setting: value}}))[variable] == told
    assert variable not in env(made("realtime"))


def test_no_key_is_in_its_health_check():
    for release in ("2026-09", "2024-05", "2024-01"):
        assert not re.search(r"eyJ|sb_|Bearer|\$", " ".join(made("realtime", release=release).health.command))


def test_the_releases_of_2024_migrate_and_seed_by_their_command():
    new, old = made("realtime"), made("realtime", release="2024-01")
    assert (new.command, env(new)["SEED_SELF_HOST"]) == ((), "true")
    assert "Realtime.Release.seeds" in old.command[-1]
    assert "SEED_SELF_HOST" not in env(old)


def test_without_tables_there_is_no_job():
    with pytest.raises(StopIteration):
        made("realtime-tables")
    for off in (
        {"realtime": {"enabled": False, "tables": ["public.a"]}},
        {"enabled": False, "realtime": {"tables": ["public.a"]}},
    ):
        with pytest.raises(StopIteration):
            made("realtime-tables", off)


def test_the_tables_are_put_into_the_publication_by_a_job_that_waits_for_the_database():
    job = made("realtime-tables", {"realtime": {"tables": ["public.messages", "shop.*"]}, "database": {"name": "shop"}})
    assert job.kind is Kind.JOB
    assert [(edge.capability, edge.gate) for edge in job.connects] == [("postgres", Gate.HEALTHY)]
    assert env(job)["PGDATABASE"] == "shop"
    assert "ARRAY['public.messages', 'shop.*']" in written(job.files[0].content)
    assert not job.files[0].content.secrets
