"""Settings of the API keys and of the project's reference. The keys themselves are secret settings of the stack."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Refused, Setting

_MIDNIGHT: Final = " 00:00:00 +0000 UTC"
"""What the engine adds to a day that stands without quotes in a stack file (seen with 3.258)."""


def day(text: str) -> date:
    """Check a day, "2026-01-01"; the program gets it as a date."""
    found = text.removesuffix(_MIDNIGHT)
    try:
        if not re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", found, re.ASCII):
            raise ValueError
        return datetime.strptime(found, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Refused("it is not a day of this century", 'write year, month and day, as in "2026-01-01"') from None


def project_ref(text: str) -> str:
    """Check a project's reference: it stands in host names, in login names (`postgres.<ref>`) and in folders' names."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,38}[a-z0-9]", text, re.ASCII):
        raise Refused(
            "it is not the reference of a project",
            'use 3 to 40 of a-z, 0-9 and "-", beginning with a letter, as in "upending-expectoration"',
        )
    return text


@declared
class KeySettings(TypedDict):
    """The API keys."""

    asymmetric: NotRequired[Annotated[bool, Setting()]]
    """Sign tokens with an ES256 key and accept the sb_ keys; the old keys go on working. Unset: yes, where the release can."""
    issuedAt: NotRequired[Annotated[str, Setting(default="2026-01-01", unit="day", check=day)]]
    """Day from which ANON_KEY, SERVICE_ROLE_KEY and the gateway's own tokens are issued (claim iat). A change makes new ones."""
    expiresAt: NotRequired[Annotated[str, Setting(default="2036-01-01", unit="day", check=day)]]
    """Day at whose begin they end (claim exp, UTC). In the 60 days before it the preview warns. A change makes new ones."""
