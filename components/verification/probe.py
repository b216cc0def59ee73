"""A probe of `components.checks`: asks all that others run, before anything of a deployment is touched.

All at once, but for databases with the same password: one of them is asked first. Supabase bans an address after a few wrong passwords, and
a wrong one would else be given to the database, both modes of its pooler and each replica.

Nothing is asked in a preview: one is made wherever somebody looks at a change, by people and machines that need not reach a database
or know its password, and what it shows must not hang on others' health.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from components.verification import cache, http, postgres
from components.verification.given import Given
from components.verification.together import at_once, one_first
from components.verification.wrong import SECRET, Wrong, told, without

_DATABASE: Final = "postgres"
_ASK: Final[Mapping[str, Callable[[Mapping[str, Any]], None]]] = {
    "cache": cache.ask,
    "api": http.ask_api,
    "store": http.ask_store,
}


def before(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
    """What did not answer as it must, a line each.

    Args:
        parameters: `endpoints`, a list of what `components.verification.endpoints` makes, secrets in plain.
        preview: Then nothing is asked.
    """
    endpoints = parameters["endpoints"]
    if preview or not endpoints:
        return ()
    return [problem for found in at_once(_of_group, _groups([Given(endpoint) for endpoint in endpoints])) for problem in found]


def _groups(endpoints: Sequence[Given]) -> list[list[Given]]:
    """Databases with the same password together, all others by themselves; in the order of their first ones."""
    groups: dict[Hashable, list[Given]] = {}
    for place, endpoint in enumerate(endpoints):
        key = endpoint["password_setting"] if endpoint["kind"] == _DATABASE else place
        groups.setdefault(key, []).append(endpoint)
    return list(groups.values())


def _of_group(group: Sequence[Given]) -> list[str]:
    if group[0]["kind"] == _DATABASE:
        return _of_databases(group)
    wrong = _wrong(_ASK[group[0]["kind"]], group[0])
    return [] if wrong is None else [told(group[0], wrong)]


def _of_databases(group: Sequence[Given]) -> list[str]:
    """What is wrong with databases that have the same password.

    Whether somebody listens is seen beforehand: no password is sent for that.
    """
    found = dict(enumerate(at_once(partial(_wrong, postgres.reach), group)))
    there = [place for place, wrong in found.items() if wrong is None]
    answers = one_first(
        lambda place: _wrong(postgres.log_in, group[place]),
        there,
        taken=lambda wrong: wrong is None,
        refused=lambda wrong: wrong is not None and wrong.password,
    )
    found |= {there[at]: wrong for at, wrong in answers.items()}
    lines = [told(group[place], wrong) for place, wrong in found.items() if wrong is not None]
    waiting = [place for at, place in enumerate(there) if at not in answers]
    if waiting:
        others = ", ".join(f"{group[place]['what']} ({group[place]['at']})" for place in waiting)
        lines.append(f"verify: not asked with that password too, since whoever gives a few wrong ones may be banned: {others}")
    return lines


def _wrong(ask: Callable[[Mapping[str, Any]], None], endpoint: Mapping[str, Any]) -> Wrong | None:
    try:
        ask(endpoint)
    except Wrong as wrong:
        return wrong
    except Exception as error:  # noqa: BLE001 - whatever a client library raises must name the endpoint, and no secret
        secrets = [value for name, value in endpoint.items() if name in SECRET]
        return Wrong(f"it can't be asked: {type(error).__name__}: {without(str(error), secrets)}", "mend what it says")
    return None


def paired(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:  # noqa: ARG001 - there is no volume
    """Nothing."""
    return ()


def after(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:  # noqa: ARG001 - nothing of others was deployed
    """Nothing."""
    return ()
