"""Schedules in the words of cron."""

import re
from typing import Final

from components.setting_values import Refused

_SECONDS: Final = (0, 59)
_FIELDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""Minute, hour, day, month, weekday."""


def checked(text: str, *, seconds: bool, reason: str, fix: str) -> str:
    """Check a schedule: of five fields, or of six with `seconds` first. `reason`: what it says of another number of fields.

    Raises:
        Refused: it is none; `fix` is how to mend it.
    """
    fields = (_SECONDS, *_FIELDS) if seconds else _FIELDS
    parts = text.split(" ")
    if len(parts) != len(fields):
        raise Refused(reason, fix)
    for part, (low, high) in zip(parts, fields, strict=True):
        for item in part.split(","):
            found = re.fullmatch(r"(\*|\d{1,2}(-\d{1,2})?)(/[1-9]\d?)?", item, re.ASCII)
            numbers = [int(number) for number in re.findall(r"\d+", item.partition("/")[0])]
            if not found or any(not low <= n <= high for n in numbers) or numbers != sorted(numbers):
                raise Refused(f"a field of it is none: each is *, or numbers from {low} to {high} there", fix)
    return text
