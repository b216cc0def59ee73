"""Several endpoints are asked at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


def at_once(ask: Callable[[_Asked], _Answer], asked: Sequence[_Asked]) -> list[_Answer]:
    """The answers, in order. What `ask` raises is raised."""
    if not asked:
        return []
    with ThreadPoolExecutor(max_workers=min(len(asked), 32)) as pool:
        return list(pool.map(ask, asked))
