"""What a smoke check found."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    STUB = "stub"
    """A stub stands for the real thing, so nothing is proved; it is no failure, since the stack was deployed so."""
    SKIPPED = "skipped"
    FAILED = "FAILED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One check.

    Attributes:
        name: What was asked, for people.
        verdict: How it ended.
        said: What was seen, or why not; never a secret.
        fix: What to do about a failure.
        refused: Whether it is the password that was refused.
    """

    name: str
    verdict: Verdict
    said: str
    fix: str = ""
    refused: bool = False
