"""Settings of the mail catcher."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Setting


@declared
class MailSettings(TypedDict):
    """Mail catcher (Mailpit)."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it. Without it auth needs an SMTP server, or no confirmations."""
    maxMessages: NotRequired[Annotated[int, Setting(minimum=1, maximum=1_000_000)]]
    """How many mails it keeps; the oldest go. Unset: Mailpit's own (500)."""
    pop3: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether mails can be fetched by POP3, with Studio's login."""
