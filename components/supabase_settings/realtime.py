"""Settings of Realtime."""

import re
from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Refused, Setting


class IpVersion(str, Enum):
    """Versions of the internet protocol, as Realtime calls them."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


def table_name(text: str) -> str:
    """Check the name of a table with its schema, or of all tables of a schema; names as PostgreSQL takes them in quotes."""
    part = r"[A-Za-z_][A-Za-z0-9_$-]{0,62}"
    if not re.fullmatch(rf"{part}\.({part}|\*)", text):
        raise Refused(
            "it is not the name of a table with its schema", 'write both, as in "public.messages"; "public.*" is all of a schema'
        )
    return text


@declared
class RealtimeSettings(TypedDict):
    """Realtime."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it."""
    tables: NotRequired[Annotated[list[str], Setting(default=[], check=table_name)]]
    """Tables whose changes it tells of: "public.messages", or "public.*" for all of a schema, later ones too. One taken off stays in."""
    ipVersion: NotRequired[Annotated[IpVersion, Setting()]]
    """Internet protocol it listens on. Unset: IPv6 where there is any, which takes IPv4 too."""
    maxHeaderLength: NotRequired[Annotated[int, Setting(unit="bytes", minimum=1024, maximum=1048576)]]
    """The longest header it takes; keys and tokens travel in headers. Unset: Realtime's own, 4096."""
    maxConcurrentUsers: NotRequired[Annotated[int, Setting(minimum=1, maximum=1000000)]]
    """How many clients a channel takes at once. Unset: Realtime's own, 200."""
    maxChannelsPerClient: NotRequired[Annotated[int, Setting(minimum=1, maximum=1000000)]]
    """How many channels a client may join. Unset: Realtime's own, 100."""
    maxEventsPerSecond: NotRequired[Annotated[int, Setting(minimum=1, maximum=1000000)]]
    """How many events it takes in a second. Unset: Realtime's own, 100."""
    maxJoinsPerSecond: NotRequired[Annotated[int, Setting(minimum=1, maximum=1000000)]]
    """How many clients may join a channel in a second. Unset: Realtime's own, 100."""
    maxBytesPerSecond: NotRequired[Annotated[int, Setting(unit="bytes", minimum=1, maximum=1000000000)]]
    """How much it takes in a second. Unset: Realtime's own, 100000."""
