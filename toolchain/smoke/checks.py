"""Which checks a stack's outputs call for, and running them.

All at once, but for databases with the same password: one of them is asked first, as `components.verification.probe` does and for the
same reason. Supabase bans an address after a few wrong passwords.
"""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from components.verification.together import at_once
from components.verification.wrong import Wrong
from toolchain.smoke import asking
from toolchain.smoke.result import Result, Verdict

_ATTEMPTS: Final = 3
_PAUSE: Final = 2.0
"""Seconds between attempts: one lost packet must not stop a deployment. Chosen by us."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """Something to ask.

    Attributes:
        name: What is asked, for people.
        url: Where; its host and port are shown.
        ask: Asks, and says what it saw.
        service: The service behind it, as IMAGES names it.
        missing: Outputs that it needs and that are not there.
        password: What a database is asked with; None for all else.
    """

    name: str
    url: str
    ask: Callable[[], str]
    service: str = ""
    missing: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)


def of(outputs: Mapping[str, Any]) -> list[Check]:
    """The checks that outputs (in clear) call for, in the order of what depends on what."""
    found = []
    for name, output, service in _DATABASES:
        if url := outputs.get(output):
            password = urlsplit(url).password or ""
            found.append(Check(name=name, url=url, ask=_bound(asking.database, url), service=service, password=password))
    if url := outputs.get("REDIS_URL"):
        found.append(Check(name="cache", url=url, ask=_bound(asking.redis, url)))
    for name, output, rest, service in _STORES:
        if url := outputs.get(output):
            missing = tuple(n for n in rest[:3] if not outputs.get(n))
            # The bucket is the last, and needs not be named.
            given = [*(outputs.get(n, "") for n in rest[:3]), outputs.get(rest[3]) if len(rest) > 3 else None]
            found.append(Check(name=name, url=url, ask=_bound(asking.store, url, *given), service=service, missing=missing))
    if url := outputs.get("API_URL"):
        for name, key, ask, service, needs in _API:
            if needs is None or outputs.get(needs):
                missing = () if outputs.get(key) else (key,)
                found.append(
                    Check(name=name, url=url, ask=_bound(ask, url, outputs.get(key, "")), service=service, missing=missing)
                )
    for name, output, service in _PAGES:
        # Of a project that others run, that is their dashboard.
        if (url := outputs.get(output)) and outputs.get("DASHBOARD_PASSWORD", output != "STUDIO_URL"):
            found.append(Check(name=name, url=url, ask=_bound(asking.page, url), service=service))
    return found


def _bound(ask: Callable[..., str], *given: Any) -> Callable[[], str]:
    return lambda: ask(*given)


_DATABASES: Final = (
    ("database", "DB_URL", "postgres"),
    ("pooler, transactions", "POOLER_URL", "pooler"),
    ("pooler, sessions", "POOLER_SESSION_URL", "pooler"),
    ("database, to read", "READ_URL", ""),
    ("database without Supabase", "PLAIN_DB_URL", ""),
    ("PgBouncer", "PGBOUNCER_URL", "pgbouncer"),
    ("test schema", "TEST_DATABASE_URL", "pooler"),
)
_STORES: Final[tuple[tuple[str, str, tuple[str, ...], str], ...]] = (
    ("object store", "S3_ENDPOINT", ("S3_REGION", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET"), ""),
    (
        "storage by S3",
        "STORAGE_S3_URL",
        ("S3_PROTOCOL_REGION", "S3_PROTOCOL_ACCESS_KEY_ID", "S3_PROTOCOL_ACCESS_KEY_SECRET"),
        "storage",
    ),
)
_API: Final[tuple[tuple[str, str, Callable[[str, str], str], str, str | None], ...]] = (
    ("API", "ANON_KEY", asking.api, "gateway", None),
    ("auth", "ANON_KEY", asking.auth, "auth", None),
    ("REST", "ANON_KEY", asking.rest, "rest", "REST_URL"),
    ("storage", "SERVICE_ROLE_KEY", asking.storage, "storage", None),
)
"""Name, key, what is asked, service, and the output without which it is not there."""
_PAGES: Final = (
    ("Studio", "STUDIO_URL", "studio"),
    ("mail", "MAILPIT_URL", "mail"),
    ("Redis Commander", "REDIS_COMMANDER_URL", ""),
)


def run(checks: Sequence[Check], images: Mapping[str, Any], *, pause: float = _PAUSE) -> list[Result]:
    """Ask all. `images`: the output IMAGES, which says what is a stub. `pause`: seconds between attempts."""
    groups: dict[Hashable, list[Check]] = {}
    for number, check in enumerate(checks):
        groups.setdefault(number if check.password is None else check.password, []).append(check)
    found = at_once(lambda group: _of_group(group, images, pause), list(groups.values()))
    by_name = {result.name: result for results in found for result in results}
    return [by_name[check.name] for check in checks]


def _of_group(group: Sequence[Check], images: Mapping[str, Any], pause: float) -> list[Result]:
    """What is asked with one password: one after the other until one has taken it or not, then the rest.

    Whether somebody listens is seen beforehand: no password is sent for that.
    """
    if len(group) == 1:
        return [_result(group[0], images, pause)]
    found = dict(
        enumerate(at_once(lambda check: _result(replace(check, ask=_bound(asking.listens, check.url)), images, pause), group))
    )
    waiting = [number for number, result in found.items() if result.verdict is Verdict.OK]
    while waiting:
        asked, *waiting = waiting
        found[asked] = _result(group[asked], images, pause)
        if found[asked].verdict is Verdict.OK:
            found.update(zip(waiting, at_once(lambda n: _result(group[n], images, pause), waiting), strict=True))
            break
        if found[asked].refused:
            said = f"not asked with the password that {group[asked].name} refuses: who gives a few wrong ones may be banned"
            found.update({n: replace(found[n], verdict=Verdict.SKIPPED, said=f"{place(group[n].url)}: {said}") for n in waiting})
            break
    return [found[number] for number in range(len(group))]


def _result(check: Check, images: Mapping[str, Any], pause: float) -> Result:
    at = place(check.url)
    if images and check.service in _RUNS_OR_NOT and check.service not in images:
        return Result(name=check.name, verdict=Verdict.SKIPPED, said=f"{check.service} is turned off")
    if (images.get(check.service) or {}).get("kind") == "stub":
        return Result(name=check.name, verdict=Verdict.STUB, said=f"{at}: a stub stands for {check.service}")
    if check.missing:
        said = f"{at}: not among the outputs: {', '.join(check.missing)}"
        return Result(name=check.name, verdict=Verdict.SKIPPED, said=said)
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(pause)
        refused = False
        try:
            return Result(name=check.name, verdict=Verdict.OK, said=f"{at} {check.ask()}")
        except asking.Stub:
            return Result(name=check.name, verdict=Verdict.STUB, said=f"{at}: a stub has answered")
        except Wrong as wrong:
            why, fix, refused = wrong.reason, wrong.fix, wrong.password
        except Exception as error:  # noqa: BLE001 - a client's own error: its text may hold what it was given
            why, fix = f"it can't be asked: {type(error).__name__}", "the same with VERBOSE=1 on the machine of the stack"
        if refused:
            break
    return Result(name=check.name, verdict=Verdict.FAILED, said=f"{at}: {why}", fix=fix, refused=refused)


_RUNS_OR_NOT: Final = ("auth", "rest", "storage")
"""Services that the API's address says nothing of."""


def place(url: str) -> str:
    """Host and port of a URL, and its path where it is one of HTTP: never a login."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    at = f"{host}:{parts.port}" if parts.port else f"{host}"
    return f"{parts.scheme}://{at}{parts.path}" if parts.scheme.startswith("http") else at
