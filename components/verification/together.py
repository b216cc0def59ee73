"""Several endpoints are asked at once, or one of them first."""

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


def one_first(
    ask: Callable[[_Asked], _Answer],
    asked: Sequence[_Asked],
    *,
    taken: Callable[[_Answer], bool],
    refused: Callable[[_Answer], bool],
) -> dict[int, _Answer]:
    """The answers by place, where all are asked with one password: who gives a few wrong ones may be banned.

    One after the other until one has taken the password or refused it. Taken, all others are asked at once; refused, none is.

    Args:
        ask: Asks one; what it raises is raised.
        asked: All of them.
        taken: Whether an answer says that the password is right.
        refused: Whether an answer says that it is wrong. An answer may say neither.

    Returns:
        What was not asked is not among them.
    """
    answers: dict[int, _Answer] = {}
    for place, one in enumerate(asked):
        answers[place] = answer = ask(one)
        if taken(answer):
            return answers | dict(enumerate(at_once(ask, asked[place + 1 :]), place + 1))
        if refused(answer):
            break
    return answers
