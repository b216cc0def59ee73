"""Auth (GoTrue): sign-up, sign-in, tokens.

Environment, port and health check are those of upstream's compose file. Every further variable stands in one of these:
supabase/auth internal/conf/configuration.go at d7a9ca6 (kelseyhightower/envconfig with the prefix GOTRUE, so a field's path is its
name), or supabase/cli apps/cli-go/internal/start/start.go at 962d57c, which also says what of `[auth]` in config.toml becomes which
variable. A setting that is not given is not passed on, so that GoTrue's own default counts.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from components.service import Address, AddressPart, Edge, Encoding, Gate, Health, Port, Secret, Service, Text, text
from components.services import database_engine, postgres, secret_names
from components.services.context import Context
from components.supabase_settings.auth import PasswordRequirements
from components.supabase_settings.auth_phone import VARIABLES as SMS_VARIABLES

PORT: Final = 9999
VERIFY: Final = "/auth/v1/verify"
"""Where the links in mails lead, at the gateway."""

_THIS_MACHINE: Final = ("localhost", "127.0.0.1")
"""Names of this machine that people use for one another."""

_GIVEN: Final = (
    ("dbMaxPoolSize", "DB_MAX_POOL_SIZE"),
    ("enableManualLinking", "SECURITY_MANUAL_LINKING_ENABLED"),
    ("enableRefreshTokenRotation", "SECURITY_REFRESH_TOKEN_ROTATION_ENABLED"),
    ("minimumPasswordLength", "PASSWORD_MIN_LENGTH"),
    ("refreshTokenReuseInterval", "SECURITY_REFRESH_TOKEN_REUSE_INTERVAL"),
    ("email.doubleConfirmChanges", "MAILER_SECURE_EMAIL_CHANGE_ENABLED"),
    ("email.maxFrequency", "SMTP_MAX_FREQUENCY"),
    ("email.otpExpiry", "MAILER_OTP_EXP"),
    ("email.otpLength", "MAILER_OTP_LENGTH"),
    ("email.securePasswordChange", "SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION"),
    ("mfa.maxEnrolledFactors", "MFA_MAX_ENROLLED_FACTORS"),
    ("mfa.phone.enrollEnabled", "MFA_PHONE_ENROLL_ENABLED"),
    ("mfa.phone.maxFrequency", "MFA_PHONE_MAX_FREQUENCY"),
    ("mfa.phone.otpLength", "MFA_PHONE_OTP_LENGTH"),
    ("mfa.phone.template", "MFA_PHONE_TEMPLATE"),
    ("mfa.phone.verifyEnabled", "MFA_PHONE_VERIFY_ENABLED"),
    ("mfa.totp.enrollEnabled", "MFA_TOTP_ENROLL_ENABLED"),
    ("mfa.totp.verifyEnabled", "MFA_TOTP_VERIFY_ENABLED"),
    ("mfa.webAuthn.enrollEnabled", "MFA_WEB_AUTHN_ENROLL_ENABLED"),
    ("mfa.webAuthn.verifyEnabled", "MFA_WEB_AUTHN_VERIFY_ENABLED"),
    ("rateLimit.anonymousUsers", "RATE_LIMIT_ANONYMOUS_USERS"),
    ("rateLimit.emailSent", "RATE_LIMIT_EMAIL_SENT"),
    ("rateLimit.signInSignUps", "RATE_LIMIT_OTP"),
    ("rateLimit.smsSent", "RATE_LIMIT_SMS_SENT"),
    ("rateLimit.tokenRefresh", "RATE_LIMIT_TOKEN_REFRESH"),
    ("rateLimit.tokenVerifications", "RATE_LIMIT_VERIFY"),
    ("sessions.inactivityTimeout", "SESSIONS_INACTIVITY_TIMEOUT"),
    ("sessions.singlePerUser", "SESSIONS_SINGLE_PER_USER"),
    ("sessions.timebox", "SESSIONS_TIMEBOX"),
    ("sms.maxFrequency", "SMS_MAX_FREQUENCY"),
    ("sms.otpExpiry", "SMS_OTP_EXP"),
    ("sms.otpLength", "SMS_OTP_LENGTH"),
    ("sms.template", "SMS_TEMPLATE"),
)
"""Settings that are handed over as they are, if they are given, and the variable after GOTRUE_."""

# What the CLI makes of its words (pkg/config/auth.go); a colon parts the groups, and in a group stands behind a backslash.
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_REQUIRED: Final = {
    PasswordRequirements.LETTERS_DIGITS: f"{_LETTERS}{_LETTERS.upper()}:0123456789",
    PasswordRequirements.LOWER_UPPER_LETTERS_DIGITS: f"{_LETTERS}:{_LETTERS.upper()}:0123456789",
    PasswordRequirements.LOWER_UPPER_LETTERS_DIGITS_SYMBOLS: (
        f"{_LETTERS}:{_LETTERS.upper()}:0123456789:" + r"""!@#$%^&*()_+-=[]{};'\\:"|<>?,./`~"""
    ),
}


def auth(c: Context) -> Service:
    """Auth (GoTrue)."""
    settings = c.settings["auth"]
    url = c.urls.auth(with_path=c.release.features.auth_url_has_path)
    env = {
        "API_EXTERNAL_URL": text(url),
        "GOTRUE_API_HOST": text("0.0.0.0"),  # all addresses of its own container
        "GOTRUE_API_PORT": text(str(PORT)),
        "GOTRUE_DB_DATABASE_URL": text(
            "postgres://supabase_auth_admin:",
            Secret(secret_names.DATABASE_PASSWORD, Encoding.URL),
            "@",
            Address("postgres"),
            f"/{postgres.database(c)}{database_engine.query(c)}",
        ),
        "GOTRUE_DB_DRIVER": text("postgres"),
        "GOTRUE_DISABLE_SIGNUP": _bool(not settings["enableSignup"]),
        "GOTRUE_JWT_ADMIN_ROLES": text("service_role"),
        "GOTRUE_JWT_AUD": text("authenticated"),
        "GOTRUE_JWT_DEFAULT_GROUP_NAME": text("authenticated"),
        "GOTRUE_JWT_EXP": text(str(settings["jwtExpiry"])),
        "GOTRUE_JWT_SECRET": text(Secret(secret_names.JWT_SECRET)),
        "GOTRUE_SITE_URL": text(c.urls.site),
        "GOTRUE_URI_ALLOW_LIST": text(",".join(_allowed(c))),
        **_mail(c),
        **_phone(c),
        **dict(_plain(settings)),
        **dict(_providers(c)),
        **dict(_hooks(c)),
    }
    # Neither stands in upstream's sets of 2024; those versions take the issuer from API_EXTERNAL_URL's place in the set, or none.
    if not c.release.features.legacy_names:
        env["GOTRUE_JWT_ISSUER"] = text(url)
    if not c.release.features.legacy_names or settings["enableAnonymousSignIns"]:
        env["GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED"] = _bool(settings["enableAnonymousSignIns"])
    if c.asymmetric:
        env["GOTRUE_JWT_KEYS"] = text(Secret(secret_names.JWT_KEYS))
    if requirements := settings.get("passwordRequirements"):
        env["GOTRUE_PASSWORD_REQUIRED_CHARACTERS"] = text(_REQUIRED[requirements])
    return Service(
        name="auth",
        image=c.release.image_if_any("auth"),
        # At rest it has 8 to 11 MB (KahitSan/supabase-air, DIGITALOCEAN-BENCHMARKS.md); each password it hashes takes a little more.
        resources=c.memory("auth", 64),
        env=env,
        ports=(Port("http", PORT),),
        health=Health(
            ("wget", "--no-verbose", "--tries=1", "--spider", f"http://localhost:{PORT}/health"),
            # It migrates its schema before it listens.
            interval=2,
            retries=15,
            start_period=10,
        ),
        # It ends where it can't migrate, so it is started when the database is there.
        connects=(
            Edge("postgres", Gate.HEALTHY),
            *((Edge("mail"),) if _uses_catcher(c) else ()),
            # The texts of mails may lie in the stack's own storage. (Hooks by http are refused but for this machine's.)
            *((Edge("gateway"),) if c.runs("gateway") and "gateway" in _called(c) else ()),
        ),
        outside=tuple(sorted(_outside(c))),
        provides={"auth": "http"},
        replicable=True,
    )


def _allowed(c: Context) -> tuple[str, ...]:
    """Where a sign-in may lead back to, beside the site itself: what the settings say, and this machine by its other name.

    GoTrue takes `localhost` and 127.0.0.1 for different sites, and sends whoever opened the app by the other name to the site's own, where
    neither session nor PKCE cookie is (supabase/auth internal/utilities/request.go, IsRedirectURLValid). Its patterns have the separators
    "." and "/", and `**` is any text (supabase/auth#334). The address alone is a pattern of its own: `window.location.origin` has no slash.
    """
    given = c.settings["auth"].get("additionalRedirectUrls", ())
    site = urlsplit(c.urls.site)
    if site.hostname not in (*_THIS_MACHINE, "::1"):
        return tuple(given)
    port = "" if site.port is None else f":{site.port}"
    others = (f"{site.scheme}://{host}{port}" for host in _THIS_MACHINE if host != site.hostname)
    return tuple(dict.fromkeys((*given, *(pattern for other in others for pattern in (other, f"{other}/**")))))


def _bool(value: object) -> Text:
    return text("true" if value else "false")


def _plain(settings: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    """Settings that are given, as variables."""
    for path, variable in _GIVEN:
        value: Any = settings
        for part in path.split("."):
            value = None if value is None else value.get(part)
        if value is not None:
            yield f"GOTRUE_{variable}", _bool(value) if isinstance(value, bool) else text(str(value))


def _uses_catcher(c: Context) -> bool:
    return c.runs("mail") and "host" not in c.settings["auth"]["smtp"]


def _mail(c: Context) -> dict[str, Text]:
    settings = c.settings["auth"]
    smtp, email = settings["smtp"], settings["email"]
    env = {f"GOTRUE_MAILER_URLPATHS_{mail}": text(VERIFY) for mail in ("CONFIRMATION", "EMAIL_CHANGE", "INVITE", "RECOVERY")}
    env |= {
        "GOTRUE_EXTERNAL_EMAIL_ENABLED": _bool(email["enabled"]),
        "GOTRUE_MAILER_AUTOCONFIRM": _bool(not email["enableConfirmations"]),
        "GOTRUE_SMTP_ADMIN_EMAIL": text(smtp["adminEmail"]),
        "GOTRUE_SMTP_SENDER_NAME": text(smtp["senderName"]),
    }
    for name, mail in email["template"].items():
        if "subject" in mail:
            env[f"GOTRUE_MAILER_SUBJECTS_{name.upper()}"] = text(mail["subject"])
        if "url" in mail:
            env[f"GOTRUE_MAILER_TEMPLATES_{name.upper()}"] = text(mail["url"])
    if "host" in smtp:
        password = (Secret(secret_names.SMTP_PASSWORD),) if "user" in smtp and secret_names.SMTP_PASSWORD in c.secrets else ()
        env |= {
            "GOTRUE_SMTP_HOST": text(smtp["host"]),
            "GOTRUE_SMTP_PORT": text(str(smtp["port"])),
            "GOTRUE_SMTP_USER": text(smtp.get("user", "")),
            "GOTRUE_SMTP_PASS": text(*password),
        }
    elif c.runs("mail"):
        env |= {
            "GOTRUE_SMTP_HOST": text(Address("mail", AddressPart.HOST)),
            "GOTRUE_SMTP_PORT": text(Address("mail", AddressPart.PORT)),
            # Empty: Go's client refuses to log in where there is no TLS (supabase/supabase#4656, #29164).
            "GOTRUE_SMTP_USER": text(""),
            "GOTRUE_SMTP_PASS": text(""),
        }
    return env


def _phone(c: Context) -> dict[str, Text]:
    sms = c.settings["auth"]["sms"]
    env = {
        "GOTRUE_EXTERNAL_PHONE_ENABLED": _bool(sms["enabled"]),
        "GOTRUE_SMS_AUTOCONFIRM": _bool(not sms["enableConfirmations"]),
    }
    if sms["testOtp"]:
        env["GOTRUE_SMS_TEST_OTP"] = text(",".join(f"{phone}:{code}" for phone, code in sorted(sms["testOtp"].items())))
    if provider := sms.get("provider"):
        group, variables, secret = SMS_VARIABLES[provider]
        env["GOTRUE_SMS_PROVIDER"] = text(provider.value)
        env |= {f"GOTRUE_SMS_{variable}": text(sms[group].get(setting, "")) for setting, variable in variables.items()}
        if secret_names.auth_sms(secret) in c.secrets:
            env[f"GOTRUE_SMS_{secret}"] = text(Secret(secret_names.auth_sms(secret)))
    return env


def _providers(c: Context) -> Iterator[tuple[str, Text]]:
    for name, provider in sorted(c.settings["auth"]["external"].items()):
        prefix = f"GOTRUE_EXTERNAL_{name.upper()}"
        yield f"{prefix}_ENABLED", _bool(provider["enabled"])
        yield f"{prefix}_CLIENT_ID", text(provider.get("clientId", ""))
        yield f"{prefix}_REDIRECT_URI", text(provider.get("redirectUri", f"{c.urls.api}/auth/v1/callback"))
        if secret_names.auth_provider(name) in c.secrets:
            yield f"{prefix}_SECRET", text(Secret(secret_names.auth_provider(name)))
        if "url" in provider:
            yield f"{prefix}_URL", text(provider["url"])
        for setting, variable in (("skipNonceCheck", "SKIP_NONCE_CHECK"), ("emailOptional", "EMAIL_OPTIONAL")):
            if setting in provider:
                yield f"{prefix}_{variable}", _bool(provider[setting])


def _hooks(c: Context) -> Iterator[tuple[str, Text]]:
    for name, hook in sorted(c.settings["auth"]["hooks"].items()):
        prefix = f"GOTRUE_HOOK_{name.upper()}"
        yield f"{prefix}_ENABLED", _bool(hook["enabled"])
        if "uri" in hook:
            yield f"{prefix}_URI", text(hook["uri"])
        if secret_names.auth_hook(name) in c.secrets:
            yield f"{prefix}_SECRETS", text(Secret(secret_names.auth_hook(name)))


def _outside(c: Context) -> Iterator[str]:
    settings = c.settings["auth"]
    if "host" in settings["smtp"]:
        yield "smtp"
    if any(provider["enabled"] for provider in settings["external"].values()):
        yield "oauth"
    if "provider" in settings["sms"]:
        yield "sms"
    if _called(c) - {"gateway"}:
        yield "webhooks"


def _called(c: Context) -> set[str]:
    """Hosts of the hooks and of the mails' texts, which it fetches by HTTP."""
    settings = c.settings["auth"]
    urls = [hook["uri"] for hook in settings["hooks"].values() if hook["enabled"] and hook.get("uri", "").startswith("http")]
    urls += [mail["url"] for mail in settings["email"]["template"].values() if "url" in mail]
    return {urlsplit(url).hostname or "" for url in urls}
