"""Plain values and Pulumi outputs alike: what is plain stays plain, so that manifests can be rendered without an engine."""

from collections.abc import Callable, Sequence
from typing import Any

import pulumi


def joined(values: Sequence[pulumi.Input[str]], made: Callable[[list[str]], str]) -> pulumi.Input[str]:
    """`made` of all values: plain where all of them are."""
    plain = [value for value in values if isinstance(value, str)]
    if len(plain) == len(values):
        return made(plain)
    found: pulumi.Output[Any] = pulumi.Output.all(*values)
    return found.apply(lambda known: made([str(value) for value in known]))


def mapped(value: pulumi.Input[str], made: Callable[[str], str]) -> pulumi.Input[str]:
    """`made` of one value: plain where it is."""
    return joined([value], lambda known: made(known[0]))
