"""The line of a tenant: what was seen of its own project, told as one."""

from collections.abc import Iterable, Sequence

from toolchain.smoke.result import Result, Verdict


def folded(tenant: str, results: Sequence[Result]) -> Result:
    """One result for all that a tenant's project was asked: it failed where anything has, it is well where anything is.

    Args:
        tenant: Its id.
        results: What was found, named `tenant <id>: <what>`; at least one.
    """
    name = f"tenant {tenant}"
    failed, well = ([r for r in results if r.verdict is verdict] for verdict in (Verdict.FAILED, Verdict.OK))
    others = [r for r in results if r not in (*failed, *well)]
    untried = Verdict.STUB if any(r.verdict is Verdict.STUB for r in others) else Verdict.SKIPPED
    parts = [
        *(f"{_what([result])} at {result.said}" for result in failed),
        *([f"well: {_what(well)}"] if well else ()),
        *(f"not tried: {_what([r for r in others if r.said == why])} ({why})" for why in _each(r.said for r in others)),
    ]
    return Result(
        name=name,
        verdict=Verdict.FAILED if failed else Verdict.OK if well else untried,
        said="; ".join(parts),
        fix="; ".join(_each(result.fix for result in failed)),
        refused=any(result.refused for result in failed),
    )


def _what(results: Iterable[Result]) -> str:
    # Some names have a comma in them.
    return ", ".join(result.name.partition(": ")[2].replace(",", " for") for result in results)


def _each(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
