"""Settings of auth (GoTrue) for mails: sign-in by email, the SMTP server, the texts."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import setting_values as values
from components.setting_declared import declared
from components.setting_values import Setting
from components.supabase_settings import auth_values


@declared
class AuthMailTemplate(TypedDict):
    """One mail that auth sends."""

    subject: NotRequired[Annotated[str, Setting(check=values.line_of_text)]]
    """Subject of the mail. Unset: GoTrue's own."""
    url: NotRequired[Annotated[str, Setting(check=values.http_url)]]
    """Where auth gets the HTML text from, as a Go template; it must be reached from inside the stack. Unset: GoTrue's own text."""


@declared
class AuthEmailSettings(TypedDict):
    """Sign-in by email."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether users can sign up and sign in with an email address."""
    enableConfirmations: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether users must confirm their address by a mail before they sign in."""
    doubleConfirmChanges: NotRequired[Annotated[bool, Setting()]]
    """Whether a new address is to be confirmed on both the old and the new one. Unset: GoTrue's own (true)."""
    securePasswordChange: NotRequired[Annotated[bool, Setting()]]
    """Whether users must have signed in lately to change their password. Unset: GoTrue's own (false)."""
    maxFrequency: NotRequired[Annotated[str, Setting(unit="time", check=auth_values.go_duration)]]
    """Least time between two mails to the same user, as in "60s". Unset: GoTrue's own (1m)."""
    otpLength: NotRequired[Annotated[int, Setting(unit="digits", minimum=6, maximum=10)]]
    """Length of the code in a mail. Unset: GoTrue's own (6)."""
    otpExpiry: NotRequired[Annotated[int, Setting(unit="seconds", minimum=1, maximum=86400)]]
    """How long a link or a code in a mail is good for. Unset: GoTrue's own (one day)."""
    template: NotRequired[Annotated[dict[str, AuthMailTemplate], Setting(default={}, key_check=auth_values.mail_name)]]
    """Texts of the mails, by name: `invite`, `confirmation`, `recovery`, `magic_link`, `email_change`, `reauthentication`."""


@declared
class AuthSmtpSettings(TypedDict):
    """The SMTP server that auth sends its mails by. The password is `smtpPassword`."""

    host: NotRequired[Annotated[str, Setting(check=auth_values.host_name)]]
    """Host of the server. Unset: the stack's own mail catcher, which sends nothing on."""
    port: NotRequired[Annotated[int, Setting(default=587, minimum=1, maximum=65535)]]
    """Port of the server."""
    user: NotRequired[Annotated[str, Setting(check=auth_values.account_name)]]
    """User name. Unset: no login."""
    adminEmail: NotRequired[Annotated[str, Setting(default="admin@example.com", check=values.email)]]
    """Address that the mails come from."""
    senderName: NotRequired[Annotated[str, Setting(default="Supabase", check=values.line_of_text)]]
    """Name that the mails come from."""
