"""Amounts as the API server writes them: `1000m` is `1`, `1024Mi` is `1Gi`, `0.5` is `500m`.

Kubernetes' own rules (apimachinery, pkg/api/resource/quantity.go, CanonicalizeBytes): no fraction, the largest suffix that loses
nothing, the family of suffixes kept; a binary amount below 1024 is written as a decimal one.
"""

import re
from decimal import Decimal
from typing import Any

_BINARY = {"": 0, "Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_FORM = re.compile(r"([+-]?[0-9.]+)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)?")


def canonical(value: Any) -> Any:
    """The canonical text of an amount; what is none, or is written with an exponent, stays as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    found = _FORM.fullmatch(str(value))
    if found is None or found[1].count(".") > 1 or not any(c.isdigit() for c in found[1]):
        return value
    number, suffix = Decimal(found[1]), found[2] or ""
    if suffix in _BINARY and suffix:
        amount = number * 1024 ** _BINARY[suffix]
        if abs(amount) >= 1024:
            return _largest(amount, _BINARY, 1024)
        return _largest(amount, _DECIMAL, 1000)
    return _largest(number * Decimal(1000) ** _DECIMAL[suffix], _DECIMAL, 1000)


def _largest(amount: Decimal, suffixes: dict[str, int], base: int) -> str:
    if amount == 0:
        return "0"
    for suffix, power in sorted(suffixes.items(), key=lambda item: -item[1]):
        scaled = amount / Decimal(base) ** power
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    return str(amount)
