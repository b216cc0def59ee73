"""What the pooler and its tenant script are told. The script itself ran by hand: see docs/decisions/0008."""

import re

import pytest

from components.service import Gate
from tests.unit.components.services.making import env, made, written


def script(service):
    return written(next(file.content for file in service.files if file.path.endswith(".exs")))


def test_the_tenant_is_the_projects_reference():
    assert env(made("pooler", {"projectRef": "myproject"}))["POOLER_TENANT_ID"] == "myproject"


def test_the_pool_is_as_the_settings_say():
    settings = {"poolMode": "session", "defaultPoolSize": 3, "maxClientConn": 40, "dbPoolSize": 2}
    found = env(made("pooler", {"pooler": settings, "database": {"name": "shop"}}))
    told = {
        name: found[name] for name in ("POOLER_POOL_MODE", "POOLER_DEFAULT_POOL_SIZE", "POOLER_MAX_CLIENT_CONN", "DB_POOL_SIZE")
    }
    assert list(told.values()) == ["session", "3", "40", "2"]
    assert found["POSTGRES_DB"] == "shop"


def test_it_is_reached_in_both_modes():
    assert {port.number: port.publish for port in made("pooler").ports} == {
        5432: "poolerSession",
        6543: "poolerTransaction",
        4000: None,
    }


def test_the_script_stands_in_the_arguments_of_a_process_and_so_holds_no_secret():
    service = made("pooler")
    assert "$(cat /etc/pooler/pooler.exs)" in service.command[-1]
    assert not any(file.content.secrets for file in service.files)


def test_the_script_reads_only_what_the_service_is_given():
    service = made("pooler")
    asked = set(re.findall(r'(?:fetch_env!\(|number\.\()"([A-Z_]+)"', script(service)))
    assert "POSTGRES_PASSWORD" in asked
    assert asked <= set(env(service))


def test_the_tenant_is_made_anew_so_that_a_changed_password_takes_effect():
    text = script(made("pooler"))
    assert text.index("delete_tenant_by_external_id") < text.index("create_tenant")
    assert "Repo.transaction" in text[: text.index("delete_tenant_by_external_id")]


def test_it_waits_for_the_database_that_it_migrates():
    assert [(edge.capability, edge.gate) for edge in made("pooler").connects] == [("postgres", Gate.HEALTHY)]


@pytest.mark.parametrize("release", ["2024-01", "2024-05"])
def test_a_release_without_a_pooler_has_none(release):
    assert made("pooler", release=release).off
