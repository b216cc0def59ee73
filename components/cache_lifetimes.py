"""How long an app keeps each kind of data in the cache: a table in the settings, told to apps in seconds."""

import json
import re
from collections.abc import Mapping
from typing import Final

from components.setting_values import Refused

PREFIX: Final = "CACHE_TTL_"
"""What the values of the single lifetimes begin with."""
ALL: Final = "CACHE_LIFETIMES"
"""The value that has the whole table."""

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MOST: Final = 365 * 86400


def lifetime(text: str) -> int:
    """Check how long something is kept, and return it in seconds: a number and s, m, h or d, as in "5m"; "0s" is not at all."""
    found = re.fullmatch(r"(0|[1-9][0-9]{0,8})([smhd])", text, re.ASCII)
    if not found or int(found[1]) * _SECONDS[found[2]] > _MOST:
        raise Refused("it is not a lifetime of up to a year", 'write a number and s, m, h or d, as in "5m"; "0s" is not at all')
    return int(found[1]) * _SECONDS[found[2]]


def kind(text: str) -> str:
    """Check the name of a kind of data, which becomes a variable's."""
    if not re.fullmatch(r"[a-z][A-Za-z0-9]{0,62}", text, re.ASCII):
        raise Refused("it is not the name of a kind of data", 'write it in camel case, as in "productCatalog"')
    return text


def variable(kind: str) -> str:
    """The value's name: `productCatalog` is CACHE_TTL_PRODUCT_CATALOG."""
    return PREFIX + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).upper()


def values(lifetimes: Mapping[str, str]) -> dict[str, str]:
    """What apps can be told: each lifetime, and the table as JSON; nothing where there are none.

    Args:
        lifetimes: As the settings have them, checked.
    """
    seconds = {kind: lifetime(text) for kind, text in sorted(lifetimes.items())}
    if not seconds:
        return {}
    return {ALL: json.dumps(seconds), **{variable(kind): str(number) for kind, number in seconds.items()}}
