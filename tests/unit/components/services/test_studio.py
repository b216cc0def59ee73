"""What Studio, postgres-meta and the mail catcher are told."""

from components.services import secret_names as names
from tests.unit.components.services.making import edges, env, made


def test_studio_gets_logs_where_they_are():
    assert env(made("studio"))["ENABLED_FEATURES_LOGS_ALL"] == "false"
    assert "analytics" not in edges(made("studio"))
    service = made("studio", {"analytics": {"enabled": True}})
    found = env(service)
    assert found["ENABLED_FEATURES_LOGS_ALL"] == "true"
    assert found["LOGFLARE_URL"] == "http://{analytics}"
    assert found["LOGFLARE_PRIVATE_ACCESS_TOKEN"] == "{logflare-private-access-token}"
    assert "analytics" in edges(service)


def test_studio_has_an_assistant_with_a_key():
    assert "OPENAI_API_KEY" not in env(made("studio"))
    service = made("studio", secrets=[names.OPENAI_API_KEY])
    assert env(service)["OPENAI_API_KEY"] == "{openai-api-key}"
    assert service.outside == ("openai",)


def test_studio_shows_the_names_and_the_api_that_the_settings_say():
    settings = {
        "studio": {"defaultOrganization": "ACME", "defaultProject": "Shop"},
        "rest": {"schemas": ["shop"], "maxRows": 5, "extraSearchPath": ["gis"]},
        "database": {"name": "shop"},
    }
    found = env(made("studio", settings))
    assert (found["DEFAULT_ORGANIZATION_NAME"], found["DEFAULT_PROJECT_NAME"]) == ("ACME", "Shop")
    rest = env(made("rest", settings))
    for variable in ("SCHEMAS", "MAX_ROWS", "EXTRA_SEARCH_PATH"):
        assert found[f"PGRST_DB_{variable}"] == rest[f"PGRST_DB_{variable}"]
    assert found["POSTGRES_DB"] == env(made("meta", settings))["PG_META_DB_NAME"] == "shop"


def test_studio_is_reached_by_the_gateway_alone():
    assert [port.publish for port in made("studio").ports] == [None]


def test_studio_and_meta_hide_connections_with_the_same_key():
    assert env(made("studio"))["PG_META_CRYPTO_KEY"] == env(made("meta"))["CRYPTO_KEY"] == "{pg-meta-crypto-key}"


def test_snippets_are_kept_in_every_release_and_turned_off():
    for more in ({}, {"release": "2024-05"}, {"settings": {"studio": {"enabled": False}}}):
        volumes = {volume.name: volume for volume in made("studio", **more).volumes}
        assert volumes["studio-snippets"].precious


def test_new_keys_are_shown_where_there_are_some():
    assert env(made("studio"))["SUPABASE_PUBLISHABLE_KEY"] == "{publishable-key}"
    assert "SUPABASE_SECRET_KEY" not in env(made("studio", {"keys": {"asymmetric": False}}))


def test_an_older_release_is_told_what_it_knows():
    found = env(made("studio", {"analytics": {"enabled": True}}, release="2024-05"))
    assert (
        found["LOGFLARE_API_KEY"]
        == env(made("analytics", {"analytics": {"enabled": True}}, release="2024-05"))["LOGFLARE_API_KEY"]
    )
    assert found["NEXT_PUBLIC_ENABLE_LOGS"] == "true"
    assert not {"POSTGRES_HOST", "SNIPPETS_MANAGEMENT_FOLDER", "AUTH_JWT_SECRET", "OPENAI_API_KEY"} & found.keys()
    assert env(made("meta", release="2024-05"))["PG_META_DB_USER"] == "supabase_admin"
    assert "CRYPTO_KEY" not in env(made("meta", release="2024-05"))


def test_nobody_waits_for_what_is_optional():
    for name in ("studio", "imgproxy", "mail"):
        assert made(name).optional
    for name in ("auth", "rest", "storage", "meta"):
        assert not made(name).optional


def test_the_mail_catcher_publishes_what_it_serves():
    def published(settings=None):
        return {port.publish: port.number for port in made("mail", settings).ports}

    assert published() == {"smtp": 1025, "mailWeb": 8025}
    assert published({"mail": {"pop3": True}}) == {"smtp": 1025, "mailWeb": 8025, "pop3": 1110}


def test_pop3_has_studios_login_without_which_mailpit_serves_none():
    assert "MP_POP3_AUTH" not in env(made("mail"))
    found = env(made("mail", {"mail": {"pop3": True, "maxMessages": 50}, "studio": {"username": "boss"}}))
    assert found["MP_POP3_AUTH"] == "boss:{dashboard-password}"
    assert found["MP_MAX_MESSAGES"] == "50"


def test_auth_reaches_the_smtp_port_of_the_catcher():
    service = made("mail")
    assert service.port(service.provides["mail"]).number == 1025
