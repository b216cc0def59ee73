"""What the settings of the Supabase services can't say together, and what is warned of."""

from typing import Any

import pytest

from components.setting_schema import SECRETS
from components.settings import Settings, SettingsError, load
from tests.unit.settings.declared import keyed, named


def _load(supabase: dict[str, Any], secrets: dict[str, Any] | None = None, **more: Any) -> Settings:
    config = {**keyed({"supabase": supabase, **more}), **keyed(secrets or {})}
    return load(config, stack="dev", secret_keys=[f"supastack:{name}" for name in SECRETS])


def _problems(supabase: dict[str, Any], secrets: dict[str, Any] | None = None, **more: Any) -> dict[str, str]:
    """Return key and text of what is wrong."""
    with pytest.raises(SettingsError) as caught:
        _load(supabase, secrets, **more)
    found = {
        named(problem.path).removeprefix("supastack:"): f"{problem.reason}; {problem.fix}" for problem in caught.value.problems
    }
    assert len(found) == len(caught.value.problems), "one place is reported twice"
    return found


def _off(*names: str) -> dict[str, Any]:
    return {name: {"enabled": False} for name in names}


NO_CONFIRMATIONS = {"auth": {"email": {"enableConfirmations": False}}}


@pytest.mark.parametrize(
    ("off", "named_by", "needing"),
    [
        (_off("meta"), "supabase.meta.enabled", "studio"),
        (_off("gateway"), "supabase.gateway.enabled", "studio"),
        (_off("rest"), "supabase.rest.enabled", "storage"),
        ({"vector": {"enabled": True}}, "supabase.vector.enabled", "vector"),
    ],
)
def test_what_is_needed_can_not_be_turned_off_alone(off: dict[str, Any], named_by: str, needing: str) -> None:
    found = _problems(off)
    assert found.keys() == {named_by}
    assert f"supabase.{needing}.enabled: false" in found[named_by]


def test_what_is_needed_can_be_turned_off_with_what_needs_it() -> None:
    _load(_off("meta", "gateway", "studio"))
    _load(_off("rest", "storage"))
    _load({"vector": {"enabled": True}, "analytics": {"enabled": True}})


@pytest.mark.parametrize("name", ["auth", "realtime", "storage", "imgproxy", "functions", "studio", "pooler"])
def test_each_service_that_nothing_needs_can_be_turned_off(name: str) -> None:
    _load(_off(name))


def test_a_stack_that_is_off_is_not_asked_what_its_services_need() -> None:
    _load({"enabled": False, **_off("meta", "mail"), "auth": {"external": {"github": {}}}, "storage": {"backend": "s3"}})


def test_confirmations_without_a_mail_server_are_refused_with_the_three_ways_out() -> None:
    found = _problems(_off("mail"))
    assert found.keys() == {"supabase.mail.enabled"}
    assert "every sign-up would fail" in found["supabase.mail.enabled"]
    _load({**_off("mail"), **NO_CONFIRMATIONS})
    _load({**_off("mail"), "auth": {"smtp": {"host": "smtp.example.com"}}})
    _load({**_off("mail"), "auth": {"email": {"enabled": False}}})
    _load({**_off("mail"), "auth": {"enabled": False}})
    _load({**_off("mail"), "auth": {"hooks": {"send_email": {"uri": "pg-functions://postgres/public/send"}}}})


def test_an_smtp_user_has_a_server_and_a_password() -> None:
    path = "supabase.auth.smtp.user"
    assert "no server" in _problems({"auth": {"smtp": {"user": "me"}}}, {"smtpPassword": "given-password"})[path]
    complete = {"auth": {"smtp": {"host": "smtp.example.com", "user": "me"}}}
    assert "pulumi config set --secret 'supastack:smtpPassword' --stack dev" in _problems(complete)[path]
    _load(complete, {"smtpPassword": "given-password"})


def test_a_password_without_a_user_is_said() -> None:
    (said,) = _load({}, {"smtpPassword": "given-password"}).warnings
    assert said.startswith("supastack:smtpPassword has no effect")


def test_a_provider_has_a_client_id_and_a_secret() -> None:
    found = _problems({"auth": {"external": {"github": {}}}})
    assert found.keys() == {"supabase.auth.external.github.clientId", "supabase.auth.external.github.enabled"}
    command = "pulumi config set --secret --path 'supastack:authProviderSecrets.github' --stack dev"
    assert command in found["supabase.auth.external.github.enabled"]
    _load({"auth": {"external": {"github": {"enabled": False}}}})
    _load({"auth": {"external": {"github": {"clientId": "id"}}}}, {"authProviderSecrets": {"github": "given-secret"}})


def test_another_providers_secret_does_not_count() -> None:
    found = _problems({"auth": {"external": {"github": {"clientId": "id"}}}}, {"authProviderSecrets": {"azure": "given-secret"}})
    assert found.keys() == {"supabase.auth.external.github.enabled"}


def test_keycloak_has_an_address() -> None:
    given = {"authProviderSecrets": {"keycloak": "given-secret"}}
    assert _problems({"auth": {"external": {"keycloak": {"clientId": "id"}}}}, given).keys() == {
        "supabase.auth.external.keycloak.url"
    }


def test_a_hook_has_an_address_and_by_http_a_secret() -> None:
    assert _problems({"auth": {"hooks": {"send_sms": {}}}}).keys() == {"supabase.auth.hooks.send_sms.uri"}
    by_http = {"auth": {"hooks": {"send_sms": {"uri": "https://hooks.example.com"}}}}
    found = _problems(by_http)
    assert "supastack:authHookSecrets.send_sms" in found["supabase.auth.hooks.send_sms.enabled"]
    _load(by_http, {"authHookSecrets": {"send_sms": f"v1,whsec_{'A' * 40}"}})
    _load({"auth": {"hooks": {"custom_access_token": {"uri": "pg-functions://postgres/public/claims"}}}})


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"sms": {"enabled": True, "enableConfirmations": True}}, "supabase.auth.sms.enableConfirmations"),
        ({"mfa": {"phone": {"enrollEnabled": True}}}, "supabase.auth.mfa.phone.enrollEnabled"),
    ],
)
def test_codes_by_message_have_somebody_who_sends_them(asked: dict[str, Any], path: str) -> None:
    assert _problems({"auth": asked}).keys() == {path}
    _load({"auth": {**asked, "hooks": {"send_sms": {"uri": "pg-functions://postgres/public/send"}}}})


def test_who_sends_messages_is_named_completely() -> None:
    sms = {"enabled": True, "enableConfirmations": True, "provider": "twilio"}
    assert _problems({"auth": {"sms": sms}}).keys() == {
        "supabase.auth.sms.twilio.accountSid",
        "supabase.auth.sms.twilio.messageServiceSid",
        "supabase.auth.sms.provider",
    }
    sms |= {"twilio": {"accountSid": "A", "messageServiceSid": "M"}}
    _load({"auth": {"sms": sms}}, {"authSmsSecrets": {"TWILIO_AUTH_TOKEN": "given-token"}})


def test_files_in_the_object_store_need_the_store_and_their_bucket() -> None:
    backend = {"storage": {"backend": "s3"}}
    assert _problems(backend, objectStorage={"enabled": False}).keys() == {"supabase.storage.backend"}
    assert _problems(backend).keys() == {"supabase.storage.bucket"}
    _load(backend, objectStorage={"buckets": ["app", "supabase-storage"]})
    _load({"storage": {"backend": "s3", "bucket": "app"}})


def test_a_store_of_others_on_this_machine_can_not_be_reached_from_a_container() -> None:
    store = {"engine": "external", "accessKey": "key", "buckets": ["supabase-storage"]}
    secret = {"objectStorageSecretKey": "given-secret"}
    for host in ("127.0.0.1:9000", "localhost", "[::1]:9000"):
        found = _problems({"storage": {"backend": "s3"}}, secret, objectStorage={**store, "endpoint": f"http://{host}"})
        assert found.keys() == {"supabase.storage.backend"}
    _load({"storage": {"backend": "s3"}}, secret, objectStorage={**store, "endpoint": "https://s3.example.com"})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (_off("gateway", "studio"), "supabase.gateway.enabled is false: nobody outside the stack reaches the API"),
        (_off("imgproxy"), "supabase.imgproxy.enabled is false: Storage gives images as they are"),
        (_off("storage"), "supabase.storage.enabled is false: nobody asks imgproxy"),
        ({**_off("mail"), **NO_CONFIRMATIONS}, "nobody can have a new password sent"),
        ({"auth": {"sms": {"enabled": True}}}, "whoever names a phone number has it"),
    ],
)
def test_what_adapts_is_said(settings: dict[str, Any], said: str) -> None:
    (line,) = _load(settings).warnings
    assert said in line


def test_nothing_is_said_of_the_defaults() -> None:
    assert _load({}).warnings == ()


@pytest.mark.parametrize(
    ("service", "variable", "instead"),
    [
        ("postgres", "PGDATA", "remove it"),
        ("postgres", "POSTGRES_DB", "use supabase.database.name"),
        ("storage", "FILE_STORAGE_BACKEND_PATH", "remove it"),
        ("storage", "GLOBAL_S3_BUCKET", "use supabase.storage.bucket"),
        ("studio", "SNIPPETS_MANAGEMENT_FOLDER", "remove it"),
    ],
)
def test_the_way_out_does_not_lead_data_off_their_volumes(service: str, variable: str, instead: str) -> None:
    plain = _problems({"services": {service: {"env": {variable: "/elsewhere"}}}})
    hidden = _problems({}, {"serviceSecrets": {service: {variable: "/elsewhere"}}})
    assert list(plain) == [f"supabase.services.{service}.env.{variable}"]
    assert list(hidden) == [f"serviceSecrets.{service}.{variable}"]
    for text in (*plain.values(), *hidden.values()):
        assert text.endswith(f"; {instead}")
