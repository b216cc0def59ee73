"""What GoTrue is told."""

import re

import pulumi
import pytest

from components.service import Gate
from components.services import secret_names as names
from components.supabase_settings.auth_values import HOOKS, PROVIDERS
from tests.unit.components.services.making import edges, env, made


def told(settings=None, **more):
    return env(made("auth", {"auth": settings or {}}, **more))


def test_mails_go_to_the_catcher_without_a_login():
    found = told()
    assert (found["GOTRUE_SMTP_HOST"], found["GOTRUE_SMTP_PORT"]) == ("{mail.host}", "{mail.port}")
    assert found["GOTRUE_SMTP_USER"] == found["GOTRUE_SMTP_PASS"] == ""
    assert "mail" in edges(made("auth"))
    assert made("auth").outside == ()


def test_mails_go_to_the_users_own_server_with_its_login():
    smtp = {
        "smtp": {
            "host": "smtp.example.com",
            "port": 465,
            "user": "apikey",
            "adminEmail": "shop@example.com",
            "senderName": "Shop",
        }
    }
    service = made("auth", {"auth": smtp}, secrets=[names.SMTP_PASSWORD])
    found = env(service)
    assert {name: found[f"GOTRUE_SMTP_{name}"] for name in ("HOST", "PORT", "USER", "PASS", "ADMIN_EMAIL", "SENDER_NAME")} == {
        "HOST": "smtp.example.com",
        "PORT": "465",
        "USER": "apikey",
        "PASS": "{smtp-password}",
        "ADMIN_EMAIL": "shop@example.com",
        "SENDER_NAME": "Shop",
    }
    assert "mail" not in edges(service)
    assert "smtp" in service.outside


def test_a_password_without_a_user_is_not_handed_over():
    assert told({"smtp": {"host": "smtp.example.com"}}, secrets=[names.SMTP_PASSWORD])["GOTRUE_SMTP_PASS"] == ""


def test_without_catcher_and_server_no_server_is_named():
    settings = {"mail": {"enabled": False}, "auth": {"email": {"enableConfirmations": False}}}
    service = made("auth", settings)
    found = env(service)
    assert not {"GOTRUE_SMTP_HOST", "GOTRUE_SMTP_USER", "GOTRUE_SMTP_PASS"} & found.keys()
    assert found["GOTRUE_MAILER_AUTOCONFIRM"] == "true"
    assert "mail" not in edges(service)


@pytest.mark.parametrize(
    ("site", "others"),
    [
        (None, ["http://localhost:3025", "http://localhost:3025/**"]),
        ("http://localhost:3000", ["http://127.0.0.1:3000", "http://127.0.0.1:3000/**"]),
        ("https://localhost/app", ["https://127.0.0.1", "https://127.0.0.1/**"]),
        (
            "http://[::1]:3025",
            ["http://localhost:3025", "http://localhost:3025/**", "http://127.0.0.1:3025", "http://127.0.0.1:3025/**"],
        ),
        ("https://app.example.com", []),
        ("http://localhost.example.com:3000", []),
        ("http://192.168.1.5:3000", []),
    ],
)
def test_an_app_on_this_machine_is_led_back_to_by_both_of_its_names(site, others):
    given = ["https://a.example/**", "app://b"]
    own = {} if site is None else {"siteUrl": site}
    assert told({**own, "additionalRedirectUrls": given})["GOTRUE_URI_ALLOW_LIST"].split(",") == [*given, *others]
    # Nothing stands there twice, and nothing at all where there is nothing to say.
    assert told({**own, "additionalRedirectUrls": others})["GOTRUE_URI_ALLOW_LIST"] == ",".join(others)
    assert told(own)["GOTRUE_URI_ALLOW_LIST"] == ",".join(others)


def test_what_is_not_given_is_left_to_gotrue():
    assert not [name for name in told() if re.search(r"RATE_LIMIT|SESSIONS|PASSWORD_|SECURITY|MFA|HOOK|TEMPLATES|SUBJECTS", name)]


@pytest.mark.parametrize(
    ("settings", "variable", "value"),
    [
        ({"dbMaxPoolSize": 10}, "DB_MAX_POOL_SIZE", "10"),
        ({"email": {"doubleConfirmChanges": False}}, "MAILER_SECURE_EMAIL_CHANGE_ENABLED", "false"),
        ({"email": {"enableConfirmations": False}}, "MAILER_AUTOCONFIRM", "true"),
        ({"email": {"enabled": False}}, "EXTERNAL_EMAIL_ENABLED", "false"),
        ({"email": {"maxFrequency": "5s"}}, "SMTP_MAX_FREQUENCY", "5s"),
        ({"email": {"otpExpiry": 600}}, "MAILER_OTP_EXP", "600"),
        ({"email": {"otpLength": 8}}, "MAILER_OTP_LENGTH", "8"),
        ({"email": {"securePasswordChange": True}}, "SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION", "true"),
        ({"email": {"template": {"magic_link": {"subject": "Hi"}}}}, "MAILER_SUBJECTS_MAGIC_LINK", "Hi"),
        ({"email": {"template": {"invite": {"url": "http://app/i.html"}}}}, "MAILER_TEMPLATES_INVITE", "http://app/i.html"),
        ({"enableAnonymousSignIns": True}, "EXTERNAL_ANONYMOUS_USERS_ENABLED", "true"),
        ({"enableManualLinking": True}, "SECURITY_MANUAL_LINKING_ENABLED", "true"),
        ({"enableRefreshTokenRotation": False}, "SECURITY_REFRESH_TOKEN_ROTATION_ENABLED", "false"),
        ({"enableSignup": False}, "DISABLE_SIGNUP", "true"),
        ({"jwtExpiry": 600}, "JWT_EXP", "600"),
        ({"mfa": {"maxEnrolledFactors": 3}}, "MFA_MAX_ENROLLED_FACTORS", "3"),
        ({"mfa": {"phone": {"enrollEnabled": True}}}, "MFA_PHONE_ENROLL_ENABLED", "true"),
        ({"mfa": {"phone": {"maxFrequency": "9s"}}}, "MFA_PHONE_MAX_FREQUENCY", "9s"),
        ({"mfa": {"phone": {"otpLength": 7}}}, "MFA_PHONE_OTP_LENGTH", "7"),
        ({"mfa": {"phone": {"template": "{{ .Code }}!"}}}, "MFA_PHONE_TEMPLATE", "{{ .Code }}!"),
        ({"mfa": {"phone": {"verifyEnabled": True}}}, "MFA_PHONE_VERIFY_ENABLED", "true"),
        ({"mfa": {"totp": {"enrollEnabled": False}}}, "MFA_TOTP_ENROLL_ENABLED", "false"),
        ({"mfa": {"totp": {"verifyEnabled": False}}}, "MFA_TOTP_VERIFY_ENABLED", "false"),
        ({"mfa": {"webAuthn": {"enrollEnabled": True}}}, "MFA_WEB_AUTHN_ENROLL_ENABLED", "true"),
        ({"mfa": {"webAuthn": {"verifyEnabled": True}}}, "MFA_WEB_AUTHN_VERIFY_ENABLED", "true"),
        ({"minimumPasswordLength": 10}, "PASSWORD_MIN_LENGTH", "10"),
        ({"rateLimit": {"anonymousUsers": 1}}, "RATE_LIMIT_ANONYMOUS_USERS", "1"),
        ({"rateLimit": {"emailSent": 2}}, "RATE_LIMIT_EMAIL_SENT", "2"),
        ({"rateLimit": {"signInSignUps": 3}}, "RATE_LIMIT_OTP", "3"),
        ({"rateLimit": {"smsSent": 4}}, "RATE_LIMIT_SMS_SENT", "4"),
        ({"rateLimit": {"tokenRefresh": 5}}, "RATE_LIMIT_TOKEN_REFRESH", "5"),
        ({"rateLimit": {"tokenVerifications": 6}}, "RATE_LIMIT_VERIFY", "6"),
        ({"refreshTokenReuseInterval": 10}, "SECURITY_REFRESH_TOKEN_REUSE_INTERVAL", "10"),
        ({"sessions": {"inactivityTimeout": "8h"}}, "SESSIONS_INACTIVITY_TIMEOUT", "8h"),
        ({"sessions": {"singlePerUser": True}}, "SESSIONS_SINGLE_PER_USER", "true"),
        ({"sessions": {"timebox": "24h"}}, "SESSIONS_TIMEBOX", "24h"),
        ({"siteUrl": "https://shop.example"}, "SITE_URL", "https://shop.example"),
        ({"sms": {"enableConfirmations": True}}, "SMS_AUTOCONFIRM", "false"),
        ({"sms": {"enabled": True}}, "EXTERNAL_PHONE_ENABLED", "true"),
        ({"sms": {"maxFrequency": "7s"}}, "SMS_MAX_FREQUENCY", "7s"),
        ({"sms": {"otpExpiry": 90}}, "SMS_OTP_EXP", "90"),
        ({"sms": {"otpLength": 9}}, "SMS_OTP_LENGTH", "9"),
        ({"sms": {"template": "x {{ .Code }}"}}, "SMS_TEMPLATE", "x {{ .Code }}"),
        (
            {"sms": {"testOtp": {"4915112345678": "123456", "14152127777": "654321"}}},
            "SMS_TEST_OTP",
            "14152127777:654321,4915112345678:123456",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else None,
)
def test_a_setting_reaches_gotrue_under_its_name(settings, variable, value):
    assert told(settings)[f"GOTRUE_{variable}"] == value


def test_groups_of_characters_are_parted_by_colons_and_a_colon_among_them_is_escaped():
    # GoTrue's PasswordRequiredCharacters.Decode, rebuilt.
    def decode(value):
        parts = value.split(":")
        for i in range(len(parts) - 1):
            if parts[i].endswith("\\"):
                parts[i], parts[i + 1] = parts[i][:-1] + ":" + parts[i + 1], ""
        return [part for part in parts if part]

    value = told({"passwordRequirements": "lower_upper_letters_digits_symbols"})["GOTRUE_PASSWORD_REQUIRED_CHARACTERS"]
    lower, upper, digits, symbols = decode(value)
    assert (len(lower), len(upper), digits) == (26, 26, "0123456789")
    assert {":", "\\", "'", '"', "`", "~"} <= set(symbols)
    assert not any(character.isalnum() or character.isspace() for character in symbols)


def test_a_provider_is_handed_over_with_its_secret_and_leads_back_to_the_gateway():
    providers = {
        "github": {"clientId": "id"},
        "keycloak": {"clientId": "k", "url": "https://k.example/realms/r", "enabled": False},
    }
    service = made("auth", {"auth": {"external": providers}}, secrets=[names.auth_provider("github")])
    found = env(service)
    assert found["GOTRUE_EXTERNAL_GITHUB_ENABLED"] == "true"
    assert found["GOTRUE_EXTERNAL_GITHUB_CLIENT_ID"] == "id"
    assert found["GOTRUE_EXTERNAL_GITHUB_SECRET"] == "{auth-provider-github}"
    assert found["GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI"] == "http://127.0.0.1:54321/auth/v1/callback"
    assert "GOTRUE_EXTERNAL_GITHUB_SKIP_NONCE_CHECK" not in found
    assert found["GOTRUE_EXTERNAL_KEYCLOAK_ENABLED"] == "false"
    assert found["GOTRUE_EXTERNAL_KEYCLOAK_URL"] == "https://k.example/realms/r"
    assert service.outside == ("oauth",)


@pytest.mark.parametrize("release", ["2024-05", "2026-09"])
def test_the_way_back_is_the_same_in_every_release(release):
    found = told({"external": {"google": {"clientId": "id", "skipNonceCheck": True}}}, release=release)
    assert found["GOTRUE_EXTERNAL_GOOGLE_REDIRECT_URI"] == "http://127.0.0.1:54321/auth/v1/callback"
    assert found["GOTRUE_EXTERNAL_GOOGLE_SKIP_NONCE_CHECK"] == "true"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_known_provider_can_be_named(provider):
    assert f"GOTRUE_EXTERNAL_{provider.upper()}_CLIENT_ID" in told({"external": {provider: {"clientId": "id"}}})


def test_a_hook_of_the_database_needs_no_secret_and_leads_nowhere():
    service = made("auth", {"auth": {"hooks": {"custom_access_token": {"uri": "pg-functions://postgres/public/claims"}}}})
    found = env(service)
    assert found["GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_ENABLED"] == "true"
    assert found["GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_URI"] == "pg-functions://postgres/public/claims"
    assert "GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_SECRETS" not in found
    assert service.outside == ()


def test_a_hook_by_http_is_signed_and_leads_outside():
    hooks = {"send_sms": {"uri": "https://hooks.example.com/sms"}}
    service = made("auth", {"auth": {"hooks": hooks}}, secrets=[names.auth_hook("send_sms")])
    assert env(service)["GOTRUE_HOOK_SEND_SMS_SECRETS"] == "{auth-hook-send_sms}"
    assert service.outside == ("webhooks",)


def test_the_texts_of_mails_are_fetched_from_outside_or_by_the_gateway():
    def fetching(url):
        return made("auth", {"auth": {"email": {"template": {"invite": {"url": url}}}}})

    away, own = fetching("https://app.example.com/i.html"), fetching("http://gateway:8000/storage/v1/object/public/mails/i.html")
    assert (away.outside, "gateway" in edges(away)) == (("webhooks",), False)
    assert (own.outside, "gateway" in edges(own)) == ((), True)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_known_hook_can_be_named(hook):
    assert f"GOTRUE_HOOK_{hook.upper()}_ENABLED" in told({"hooks": {hook: {}}})


@pytest.mark.parametrize(
    ("provider", "group", "variables", "secret"),
    [
        (
            "twilio",
            {"twilio": {"accountSid": "A", "messageServiceSid": "M"}},
            {"TWILIO_ACCOUNT_SID": "A", "TWILIO_MESSAGE_SERVICE_SID": "M"},
            "TWILIO_AUTH_TOKEN",
        ),
        (
            "twilio_verify",
            {"twilioVerify": {"accountSid": "A", "messageServiceSid": "M"}},
            {"TWILIO_VERIFY_ACCOUNT_SID": "A", "TWILIO_VERIFY_MESSAGE_SERVICE_SID": "M"},
            "TWILIO_VERIFY_AUTH_TOKEN",
        ),
        ("messagebird", {"messagebird": {"sender": "S"}}, {"MESSAGEBIRD_ORIGINATOR": "S"}, "MESSAGEBIRD_ACCESS_KEY"),
        ("textlocal", {"textlocal": {"sender": "S"}}, {"TEXTLOCAL_SENDER": "S"}, "TEXTLOCAL_API_KEY"),
        ("vonage", {"vonage": {"apiKey": "K", "sender": "S"}}, {"VONAGE_API_KEY": "K", "VONAGE_FROM": "S"}, "VONAGE_API_SECRET"),
    ],
)
def test_messages_are_sent_by_the_provider_that_is_named(provider, group, variables, secret):
    service = made("auth", {"auth": {"sms": {"provider": provider, **group}}}, secrets=[names.auth_sms(secret)])
    found = env(service)
    assert found["GOTRUE_SMS_PROVIDER"] == provider
    assert {name: found[f"GOTRUE_SMS_{name}"] for name in variables} == variables
    assert found[f"GOTRUE_SMS_{secret}"] == f"{{auth-sms-{secret}}}"
    assert service.outside == ("sms",)


def test_it_signs_with_both_keys_where_the_switch_is_on():
    assert told()["GOTRUE_JWT_KEYS"] == "{jwt-keys}"
    assert "GOTRUE_JWT_KEYS" not in env(made("auth", {"keys": {"asymmetric": False}}))
    assert "GOTRUE_JWT_KEYS" not in told(release="2024-05")


def test_its_address_has_the_path_since_upstream_wants_it():
    assert told()["API_EXTERNAL_URL"] == told()["GOTRUE_JWT_ISSUER"] == "http://127.0.0.1:54321/auth/v1"
    assert told(release="2024-05")["API_EXTERNAL_URL"] == "http://127.0.0.1:54321"


def test_anonymous_sign_ins_reach_an_older_release_once_they_are_asked_for():
    name = "GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED"
    assert name not in told(release="2024-05")
    assert told({"enableAnonymousSignIns": True}, release="2024-05")[name] == "true"


def test_it_waits_for_the_database_alone():
    assert {edge.capability: edge.gate for edge in made("auth").connects} == {"postgres": Gate.HEALTHY, "mail": Gate.NONE}


def test_the_way_out_wins_over_a_setting():
    settings = {
        "auth": {"jwtExpiry": 600},
        "services": {"auth": {"env": {"GOTRUE_JWT_EXP": "60", "GOTRUE_SAML_ENABLED": "true"}}},
    }
    found = env(made("auth", settings))
    assert (found["GOTRUE_JWT_EXP"], found["GOTRUE_SAML_ENABLED"]) == ("60", "true")


def test_the_way_out_takes_no_secret_in_plain_text():
    given = {"GOTRUE_JWT_SECRET": "hunter2-hunter2-hunter2-hunter2!"}
    with pytest.raises(pulumi.InputPropertyError, match=r"serviceSecrets\.auth\.GOTRUE_JWT_SECRET") as caught:
        made("auth", {"services": {"auth": {"env": given}}})
    assert "hunter2" not in str(caught.value)
    hidden = made("auth", secrets=[names.of_service("auth", "GOTRUE_JWT_SECRET")])
    assert env(hidden)["GOTRUE_JWT_SECRET"] == "{service-auth-GOTRUE_JWT_SECRET}"
    # What has no secret in this stack may be emptied.
    assert env(made("auth", {"services": {"auth": {"env": {"GOTRUE_JWT_SECRET": ""}}}}))["GOTRUE_JWT_SECRET"] == ""
