"""A probe of `components.checks`: asks all that others run, at once, before anything of a deployment is touched.

Nothing is asked in a preview: one is made wherever somebody looks at a change, by people and machines that need not reach a database
or know its password, and what it shows must not hang on others' health.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from components.verification import cache, http, postgres
from components.verification.given import Given
from components.verification.wrong import SECRET, Wrong, told, without

_ASK: Final[Mapping[str, Callable[[Mapping[str, Any]], None]]] = {
    "postgres": postgres.ask,
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
    with ThreadPoolExecutor(max_workers=min(len(endpoints), 32)) as pool:
        return [problem for problem in pool.map(_problem, endpoints) if problem is not None]


def _problem(endpoint: Mapping[str, Any]) -> str | None:
    try:
        _ASK[endpoint["kind"]](Given(endpoint))
    except Wrong as wrong:
        return told(endpoint, wrong)
    except Exception as error:  # noqa: BLE001 - whatever a client library raises must name the endpoint, and no secret
        secrets = [value for name, value in endpoint.items() if name in SECRET]
        return told(
            endpoint, Wrong(f"it can't be asked: {type(error).__name__}: {without(str(error), secrets)}", "mend what it says")
        )
    return None


def paired(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:  # noqa: ARG001 - there is no volume
    """Nothing."""
    return ()


def after(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:  # noqa: ARG001 - nothing of others was deployed
    """Nothing."""
    return ()
