"""What PostgREST is told."""

import pytest

from tests.unit.components.services.making import env, made


def told(settings=None, **more):
    return env(made("rest", {"rest": settings or {}}, **more))


@pytest.mark.parametrize(
    ("settings", "variable", "value"),
    [
        ({"schemas": ["public", "shop"]}, "SCHEMAS", "public,shop"),
        ({"extraSearchPath": ["extensions", "gis"]}, "EXTRA_SEARCH_PATH", "extensions,gis"),
        ({"maxRows": 50}, "MAX_ROWS", "50"),
        ({"dbPool": 20}, "POOL", "20"),
        ({"dbPoolAcquisitionTimeout": 3}, "POOL_ACQUISITION_TIMEOUT", "3"),
        ({"dbTxEnd": "rollback-allow-override"}, "TX_END", "rollback-allow-override"),
    ],
)
@pytest.mark.parametrize("release", ["2024-05", "2026-09"])
def test_a_setting_reaches_postgrest_under_its_name(settings, variable, value, release):
    assert told(settings, release=release)[f"PGRST_DB_{variable}"] == value


def test_what_is_not_given_is_upstreams_and_else_postgrests():
    assert {name: told()[f"PGRST_DB_{name}"] for name in ("SCHEMAS", "EXTRA_SEARCH_PATH", "MAX_ROWS")} == {
        "SCHEMAS": "public,storage,graphql_public",
        "EXTRA_SEARCH_PATH": "public",
        "MAX_ROWS": "1000",
    }
    assert not {"PGRST_DB_POOL", "PGRST_DB_TX_END"} & told().keys()
    assert not {"PGRST_DB_MAX_ROWS", "PGRST_DB_EXTRA_SEARCH_PATH", "PGRST_ADMIN_SERVER_PORT"} & told(release="2024-05").keys()


def test_it_verifies_with_all_keys_where_the_switch_is_on():
    assert told()["PGRST_JWT_SECRET"] == "{jwt-jwks}"
    assert env(made("rest", {"keys": {"asymmetric": False}}))["PGRST_JWT_SECRET"] == "{jwt-secret}"
    assert told(release="2024-05")["PGRST_JWT_SECRET"] == "{jwt-secret}"


def test_the_database_is_told_how_long_auths_tokens_are_good_for():
    assert env(made("rest", {"auth": {"jwtExpiry": 77}}))["PGRST_APP_SETTINGS_JWT_EXP"] == "77"


def test_an_image_without_shell_and_check_of_its_own_has_none():
    assert made("rest").health.command == ("postgrest", "--ready")
    assert made("rest", release="2024-05").health is None
