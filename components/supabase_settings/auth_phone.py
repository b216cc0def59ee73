"""Settings of auth (GoTrue) for text messages."""

from enum import Enum
from typing import Annotated, Final, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Setting
from components.supabase_settings import auth_values


class SmsProvider(str, Enum):
    """Who sends text messages, in GoTrue's own terms."""

    TWILIO = "twilio"
    TWILIO_VERIFY = "twilio_verify"
    MESSAGEBIRD = "messagebird"
    TEXTLOCAL = "textlocal"
    VONAGE = "vonage"


VARIABLES: Final = {
    SmsProvider.TWILIO: (
        "twilio",
        {"accountSid": "TWILIO_ACCOUNT_SID", "messageServiceSid": "TWILIO_MESSAGE_SERVICE_SID"},
        "TWILIO_AUTH_TOKEN",
    ),
    SmsProvider.TWILIO_VERIFY: (
        "twilioVerify",
        {"accountSid": "TWILIO_VERIFY_ACCOUNT_SID", "messageServiceSid": "TWILIO_VERIFY_MESSAGE_SERVICE_SID"},
        "TWILIO_VERIFY_AUTH_TOKEN",
    ),
    SmsProvider.MESSAGEBIRD: ("messagebird", {"sender": "MESSAGEBIRD_ORIGINATOR"}, "MESSAGEBIRD_ACCESS_KEY"),
    SmsProvider.TEXTLOCAL: ("textlocal", {"sender": "TEXTLOCAL_SENDER"}, "TEXTLOCAL_API_KEY"),
    SmsProvider.VONAGE: ("vonage", {"apiKey": "VONAGE_API_KEY", "sender": "VONAGE_FROM"}, "VONAGE_API_SECRET"),
}
"""Group of settings, its settings with their variables after GOTRUE_SMS_, and the variable of the secret, by provider."""


@declared
class TwilioSettings(TypedDict):
    """An account at Twilio. The token is a secret setting."""

    accountSid: NotRequired[Annotated[str, Setting(check=auth_values.account_name)]]
    """Id of the account."""
    messageServiceSid: NotRequired[Annotated[str, Setting(check=auth_values.account_name)]]
    """Id of the message service, or the phone number that messages come from."""


@declared
class SenderSettings(TypedDict):
    """An account at a provider of text messages. The key is a secret setting."""

    sender: NotRequired[Annotated[str, Setting(check=auth_values.account_name)]]
    """Name or number that messages come from."""


@declared
class VonageSettings(TypedDict):
    """An account at Vonage. The API secret is a secret setting."""

    apiKey: NotRequired[Annotated[str, Setting(check=auth_values.account_name)]]
    """API key; not a secret."""
    sender: NotRequired[Annotated[str, Setting(check=auth_values.account_name)]]
    """Name or number that messages come from."""


@declared
class AuthSmsSettings(TypedDict):
    """Sign-in by phone."""

    enabled: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether users can sign up and sign in with a phone number."""
    enableConfirmations: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether users must confirm their number by a message before they sign in. Without it, whoever names a number has it."""
    provider: NotRequired[Annotated[SmsProvider, Setting()]]
    """Who sends the messages. Unset: nobody, or the hook `send_sms`."""
    template: NotRequired[Annotated[str, Setting(check=auth_values.code_template)]]
    """Text of a message, with `{{ .Code }}` where the code goes. Unset: GoTrue's own."""
    maxFrequency: NotRequired[Annotated[str, Setting(unit="time", check=auth_values.go_duration)]]
    """Least time between two messages to the same user, as in "60s". Unset: GoTrue's own (1m)."""
    otpLength: NotRequired[Annotated[int, Setting(unit="digits", minimum=6, maximum=10)]]
    """Length of the code. Unset: GoTrue's own (6)."""
    otpExpiry: NotRequired[Annotated[int, Setting(unit="seconds", minimum=1, maximum=86400)]]
    """How long a code is good for. Unset: GoTrue's own (60)."""
    testOtp: NotRequired[
        Annotated[dict[str, str], Setting(default={}, key_check=auth_values.phone_number, check=auth_values.one_time_code)]
    ]
    """Codes that always work, by phone number: for tests, no message is sent."""
    twilio: NotRequired[TwilioSettings]
    """With provider `twilio`."""
    twilioVerify: NotRequired[TwilioSettings]
    """With provider `twilio_verify`."""
    messagebird: NotRequired[SenderSettings]
    """With provider `messagebird`."""
    textlocal: NotRequired[SenderSettings]
    """With provider `textlocal`."""
    vonage: NotRequired[VonageSettings]
    """With provider `vonage`."""
