"""Go's durations, which Docker's healthchecks are written in: "1m30s", "500ms"."""

import re
from fractions import Fraction

_UNITS = {"h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "µs": 1_000, "ns": 1}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|h|m|s)")


def parse_duration(text: str) -> int:
    """The nanoseconds of a duration such as "1m30s" (Go, time.ParseDuration, without a sign).

    Raises:
        ValueError: the text is not such a duration.
    """
    if text == "0":
        return 0
    total = Fraction(0)
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            break
        total += Fraction(part[1].rstrip(".") or "0") * _UNITS[part[2]]
        position = part.end()
    if not text or position < len(text):
        raise ValueError(f"{text!r} is not a duration; write it like 500ms, 10s or 1m30s")
    return int(total)


def format_duration(nanoseconds: int) -> str:
    """The text Go prints for a duration (time.Duration.String): "10s", "1m30s", "500ms"; zero is "0s"."""
    if nanoseconds == 0:
        return "0s"
    for unit in ("ns", "us", "ms"):
        larger = {"ns": "us", "us": "ms", "ms": "s"}[unit]
        if nanoseconds < _UNITS[larger]:
            return _decimal(nanoseconds, _UNITS[unit]) + ("µs" if unit == "us" else unit)
    hours, rest = divmod(nanoseconds, _UNITS["h"])
    minutes, rest = divmod(rest, _UNITS["m"])
    text = _decimal(rest, _UNITS["s"]) + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
