"""Settings of auth (GoTrue). Names follow `[auth]` of the Supabase CLI's config.toml (3.1.0), in camelCase.

What has no setting here (captcha, SAML, web3, the OAuth server ...) goes in as `services.auth.env` and `serviceSecrets`.
"""

from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import setting_values as values
from components.setting_declared import declared
from components.setting_values import Setting
from components.supabase_settings import auth_values
from components.supabase_settings.auth_email import AuthEmailSettings, AuthSmtpSettings
from components.supabase_settings.auth_phone import AuthSmsSettings


class PasswordRequirements(str, Enum):
    """What must be in a password, in the CLI's own terms."""

    LETTERS_DIGITS = "letters_digits"
    LOWER_UPPER_LETTERS_DIGITS = "lower_upper_letters_digits"
    LOWER_UPPER_LETTERS_DIGITS_SYMBOLS = "lower_upper_letters_digits_symbols"


@declared
class AuthProviderSettings(TypedDict):
    """An external sign-in provider. Its secret is a secret setting."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether users can sign in by it."""
    clientId: NotRequired[Annotated[str, Setting(check=auth_values.account_name)]]
    """Client id that the provider gave out."""
    redirectUri: NotRequired[Annotated[str, Setting(check=values.http_url)]]
    """Where the provider leads back to. Unset: auth's own address, /auth/v1/callback at the gateway."""
    url: NotRequired[Annotated[str, Setting(check=values.http_url)]]
    """The provider's own address, for one that is hosted by many: GitLab, Keycloak, Azure's tenants. Unset: the provider's usual one."""
    skipNonceCheck: NotRequired[Annotated[bool, Setting()]]
    """Whether tokens from an app are taken without a nonce, as Google's on phones need. Unset: GoTrue's own (false)."""
    emailOptional: NotRequired[Annotated[bool, Setting()]]
    """Whether users without an email address can sign in. Unset: GoTrue's own (false)."""


@declared
class AuthHookSettings(TypedDict):
    """What auth asks at one point of its work. The secret of an http hook is a secret setting."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether it is asked."""
    uri: NotRequired[Annotated[str, Setting(check=auth_values.hook_uri)]]
    """Where: "pg-functions://postgres/SCHEMA/FUNCTION", or an https address."""


@declared
class AuthFactorSettings(TypedDict):
    """One kind of second factor."""

    enrollEnabled: NotRequired[Annotated[bool, Setting()]]
    """Whether users can add it. Unset: GoTrue's own (apps: true, others: false)."""
    verifyEnabled: NotRequired[Annotated[bool, Setting()]]
    """Whether users can sign in with it. Unset: GoTrue's own (apps: true, others: false)."""


@declared
class AuthPhoneFactorSettings(TypedDict):
    """A code by text message as second factor."""

    enrollEnabled: NotRequired[Annotated[bool, Setting()]]
    """Whether users can add it. Unset: GoTrue's own (false)."""
    verifyEnabled: NotRequired[Annotated[bool, Setting()]]
    """Whether users can sign in with it. Unset: GoTrue's own (false)."""
    otpLength: NotRequired[Annotated[int, Setting(unit="digits", minimum=6, maximum=10)]]
    """Length of the code. Unset: GoTrue's own (6)."""
    template: NotRequired[Annotated[str, Setting(check=auth_values.code_template)]]
    """Text of the message, with `{{ .Code }}` where the code goes. Unset: GoTrue's own."""
    maxFrequency: NotRequired[Annotated[str, Setting(unit="time", check=auth_values.go_duration)]]
    """Least time between two messages, as in "60s". Unset: GoTrue's own (1m)."""


@declared
class AuthMfaSettings(TypedDict):
    """Second factors."""

    maxEnrolledFactors: NotRequired[Annotated[int, Setting(minimum=1, maximum=100)]]
    """How many factors a user can have. Unset: GoTrue's own (10)."""
    totp: NotRequired[AuthFactorSettings]
    """Authenticator apps."""
    phone: NotRequired[AuthPhoneFactorSettings]
    """Text messages."""
    webAuthn: NotRequired[AuthFactorSettings]
    """Security keys (WebAuthn)."""


@declared
class AuthSessionSettings(TypedDict):
    """How long users stay signed in."""

    timebox: NotRequired[Annotated[str, Setting(unit="time", check=auth_values.go_duration)]]
    """After what time a session ends, as in "24h". Unset: never."""
    inactivityTimeout: NotRequired[Annotated[str, Setting(unit="time", check=auth_values.go_duration)]]
    """After what time without use a session ends, as in "8h". Unset: never."""
    singlePerUser: NotRequired[Annotated[bool, Setting()]]
    """Whether a new session ends the user's others. Unset: GoTrue's own (false)."""


_Rate = Annotated[int, Setting(minimum=1, maximum=1_000_000)]


@declared
class AuthRateLimitSettings(TypedDict):
    """How often what may be done. Unset: GoTrue's own limits."""

    emailSent: NotRequired[_Rate]
    """Mails an hour, of the whole stack. Unset: 30."""
    smsSent: NotRequired[_Rate]
    """Text messages an hour, of the whole stack. Unset: 30."""
    anonymousUsers: NotRequired[_Rate]
    """Anonymous sign-ins an hour and address. Unset: 30."""
    tokenRefresh: NotRequired[_Rate]
    """Refreshed sessions in 5 minutes and address. Unset: 150."""
    signInSignUps: NotRequired[_Rate]
    """Sign-ins and sign-ups in 5 minutes and address. Unset: 30."""
    tokenVerifications: NotRequired[_Rate]
    """Checked codes and links in 5 minutes and address. Unset: 30."""


@declared
class AuthSettings(TypedDict):
    """Auth (GoTrue)."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it."""
    siteUrl: NotRequired[Annotated[str, Setting(check=values.http_url)]]
    """Address of the app, which sign-ins and mails lead back to. Unset: the app's planned port on this machine."""
    additionalRedirectUrls: NotRequired[Annotated[list[str], Setting(minimum=0, maximum=100, check=auth_values.redirect_url)]]
    """Further addresses, or patterns of them, that a sign-in may lead back to. Unset: none."""
    jwtExpiry: NotRequired[Annotated[int, Setting(default=3600, unit="seconds", minimum=30, maximum=604800)]]
    """How long an access token is good for."""
    enableSignup: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether new users can sign up."""
    enableAnonymousSignIns: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether users can sign in without saying who they are."""
    enableManualLinking: NotRequired[Annotated[bool, Setting()]]
    """Whether users can add further ways to sign in to their account. Unset: GoTrue's own (false)."""
    minimumPasswordLength: NotRequired[Annotated[int, Setting(unit="characters", minimum=6, maximum=72)]]
    """Least length of a password. Unset: GoTrue's own (6)."""
    passwordRequirements: NotRequired[Annotated[PasswordRequirements, Setting()]]
    """What must be in a password. Unset: nothing."""
    enableRefreshTokenRotation: NotRequired[Annotated[bool, Setting()]]
    """Whether a refresh token is good for one use. Unset: GoTrue's own (true)."""
    refreshTokenReuseInterval: NotRequired[Annotated[int, Setting(unit="seconds", minimum=0, maximum=86400)]]
    """How long a used refresh token is still taken. Unset: GoTrue's own (0)."""
    dbMaxPoolSize: NotRequired[Annotated[int, Setting(minimum=1, maximum=10000)]]
    """Most connections to the database. Unset: GoTrue's own (no limit)."""
    email: NotRequired[AuthEmailSettings]
    """Sign-in by email."""
    smtp: NotRequired[AuthSmtpSettings]
    """The SMTP server."""
    sms: NotRequired[AuthSmsSettings]
    """Sign-in by phone."""
    external: NotRequired[Annotated[dict[str, AuthProviderSettings], Setting(default={}, key_check=auth_values.provider_name)]]
    """External sign-in providers, by name: `github`, `google`, `azure` ..."""
    hooks: NotRequired[Annotated[dict[str, AuthHookSettings], Setting(default={}, key_check=auth_values.hook_name)]]
    """Hooks, by name: `custom_access_token`, `send_email`, `send_sms` ..."""
    mfa: NotRequired[AuthMfaSettings]
    """Second factors."""
    sessions: NotRequired[AuthSessionSettings]
    """How long users stay signed in."""
    rateLimit: NotRequired[AuthRateLimitSettings]
    """How often what may be done."""
