"""Samples of the texts that settings take, by the check that they are for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HIDDEN = "Zq9hidden"
"""Begins every value that must not be shown."""


@dataclass(frozen=True)
class Texts:
    """Samples of one kind of text."""

    right: tuple[str, ...]
    wrong: tuple[str, ...]
    free: bool = False
    """Whether it may be empty, long, or of several lines."""


Samples = dict[Callable[[Any], Any], Texts]
"""By check."""
