"""Where a capability is reached, by whom it is asked."""

from dataclasses import dataclass
from enum import StrEnum


class Viewpoint(StrEnum):
    """Who asks for the way."""

    INSIDE = "inside"
    """A service of the stack."""
    HOST = "host"
    """A program on the machine that runs the stack."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Host and port of a capability from one viewpoint."""

    host: str
    port: int

    def __str__(self) -> str:
        # IPv6 addresses stand in brackets inside URLs (RFC 3986, 3.2.2).
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
