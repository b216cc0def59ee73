"""Which checks a stack's outputs call for, and running them.

All at once, but for databases with the same password: one of them is asked first, as `components.verification.probe` does and for the
same reason. Supabase bans an address after a few wrong passwords.
"""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from components.verification.together import at_once, one_first
from components.verification.wrong import Wrong
from toolchain.smoke import asking, tenants
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
        tenant: Id of the tenant whose own project is asked; None for the stack.
    """

    name: str
    url: str
    ask: Callable[[], str]
    service: str = ""
    missing: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
    tenant: str | None = None


def of(outputs: Mapping[str, Any]) -> list[Check]:
    """The checks that outputs (in clear) call for, in the order of what depends on what."""
    return [*_databases(outputs), *_stores(outputs), *_api(outputs), *_pages(outputs), *_apps(outputs), *_tenants(outputs)]


def _databases(outputs: Mapping[str, Any]) -> Iterator[Check]:
    for name, output, service in _DATABASES:
        if url := outputs.get(output):
            yield _database(name, url, service, _bound(asking.database, url))
    if (url := outputs.get("TEST_DATABASE_URL")) and (schema := outputs.get("TEST_SCHEMA")):
        yield _database("test schema", url, "pooler", _bound(asking.schema, url, schema))


def _database(name: str, url: str, service: str, ask: Callable[[], str]) -> Check:
    return Check(name=name, url=url, ask=ask, service=service, password=urlsplit(url).password or "")


def _stores(outputs: Mapping[str, Any]) -> Iterator[Check]:
    if url := outputs.get("REDIS_URL"):
        yield Check(name="cache", url=url, ask=_bound(asking.redis, url))
    for name, output, rest, service in _STORES:
        if url := outputs.get(output):
            missing = tuple(n for n in rest[:3] if not outputs.get(n))
            # The bucket is the last, and needs not be named.
            given = [*(outputs.get(n, "") for n in rest[:3]), outputs.get(rest[3]) if len(rest) > 3 else None]
            yield Check(name=name, url=url, ask=_bound(asking.store, url, *given), service=service, missing=missing)


def _api(outputs: Mapping[str, Any]) -> Iterator[Check]:
    url = outputs.get("API_URL")
    for name, keys, ask, service, needs in _API if url else ():
        if needs is None or outputs.get(needs):
            key = next((held for name in keys if (held := outputs.get(name))), None)
            missing = (" or ".join(keys),) if key is None else ()
            yield Check(name=name, url=str(url), ask=_bound(ask, url, key), service=service, missing=missing)


def _pages(outputs: Mapping[str, Any]) -> Iterator[Check]:
    for name, output, service in _PAGES:
        # Of a project that others run, that is their dashboard.
        if (url := outputs.get(output)) and outputs.get("DASHBOARD_PASSWORD", output != "STUDIO_URL"):
            yield Check(name=name, url=url, ask=_bound(asking.page, url), service=service)


def _apps(outputs: Mapping[str, Any]) -> Iterator[Check]:
    for app, told in sorted(_told(outputs.get("APPS")).items()):
        url, health = told.get("url", ""), told.get("healthPath")
        yield Check(
            name=f"app {app}", url=f"{url}{health or ''}" if url else "", ask=_bound(asking.app, url, health), service=app
        )


def _tenants(outputs: Mapping[str, Any]) -> Iterator[Check]:
    """What each tenant's own project is asked. It is not the stack's, so no image of the stack's stands for it."""
    for output in sorted(name for name in outputs if name.startswith(_TENANT)):
        tenant, own = output.removeprefix(_TENANT), _told(_told(outputs[output]).get("outputs"))
        for check in (*_databases(own), *_stores(own), *_api(own)):
            yield replace(check, name=f"tenant {tenant}: {check.name}", service="", tenant=tenant)


def _told(value: Any) -> dict[str, Any]:
    """An output that is a table; another one is empty."""
    return value if isinstance(value, dict) else {}


def _bound(ask: Callable[..., str], *given: Any) -> Callable[[], str]:
    return lambda: ask(*given)


_DATABASES: Final = (
    ("database", "DB_URL", "postgres"),
    ("pooler, transactions", "POOLER_URL", "pooler"),
    ("pooler, sessions", "POOLER_SESSION_URL", "pooler"),
    ("database, to read", "READ_URL", ""),
    ("database without Supabase", "PLAIN_DB_URL", ""),
    ("PgBouncer", "PGBOUNCER_URL", "pgbouncer"),
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
_PUBLIC: Final = ("ANON_KEY", "PUBLISHABLE_KEY")
_PRIVATE: Final = ("SERVICE_ROLE_KEY", "SECRET_KEY")
_API: Final[tuple[tuple[str, tuple[str, ...], Callable[[str, str], str], str, str | None], ...]] = (
    ("API", _PUBLIC, asking.api, "gateway", None),
    ("auth", _PUBLIC, asking.auth, "auth", None),
    ("REST", _PUBLIC, asking.rest, "rest", "REST_URL"),
    ("storage", _PRIVATE, asking.storage, "storage", None),
)
"""Name, keys of which the first that is there will do, what is asked, service, and the output without which it is not there."""
_PAGES: Final = (
    ("Studio", "STUDIO_URL", "studio"),
    ("mail", "MAILPIT_URL", "mail"),
    ("Redis Commander", "REDIS_COMMANDER_URL", ""),
)
_TENANT: Final = "TENANT_"
"""What the names of the tenants' outputs begin with."""


def run(checks: Sequence[Check], images: Mapping[str, Any], *, pause: float = _PAUSE) -> list[Result]:
    """Ask all; a tenant's project is one result.

    Args:
        checks: What to ask.
        images: The output IMAGES, which says what is a stub.
        pause: Seconds between attempts.
    """
    groups: dict[Hashable, list[Check]] = {}
    for number, check in enumerate(checks):
        groups.setdefault(number if check.password is None else check.password, []).append(check)
    found = at_once(lambda group: _of_group(group, images, pause), list(groups.values()))
    by_name = {result.name: result for results in found for result in results}
    told: dict[str | None, list[Result]] = {None: []}
    for check in checks:
        told.setdefault(check.tenant, []).append(by_name[check.name])
    return [*told[None], *(tenants.folded(tenant, results) for tenant, results in told.items() if tenant is not None)]


def _of_group(group: Sequence[Check], images: Mapping[str, Any], pause: float) -> list[Result]:
    """What is asked with one password.

    Whether somebody listens is seen beforehand: no password is sent for that.
    """
    if len(group) == 1:
        return [_result(group[0], images, pause)]
    found = at_once(lambda check: _result(replace(check, ask=_bound(asking.listens, check.url)), images, pause), group)
    there = [number for number, result in enumerate(found) if result.verdict is Verdict.OK]
    answers = one_first(
        lambda number: _result(group[number], images, pause),
        there,
        taken=lambda result: result.verdict is Verdict.OK,
        refused=lambda result: result.refused,
    )
    refusing = next((result.name for result in answers.values() if result.refused), "")
    for at, number in enumerate(there):
        said = f"{place(group[number].url)}: not asked with the password that {refusing} refuses: who gives a few wrong ones may be banned"
        found[number] = answers.get(at) or replace(found[number], verdict=Verdict.SKIPPED, said=said)
    return found


def _result(check: Check, images: Mapping[str, Any], pause: float) -> Result:
    at = place(check.url) if check.url else "not reached from outside"
    # Where none of them is there, the project is one that others run.
    if check.service in _RUNS_OR_NOT and check.service not in images and images.keys() & {"gateway", *_RUNS_OR_NOT}:
        return Result(name=check.name, verdict=Verdict.SKIPPED, said=f"{check.service} is turned off")
    if (images.get(check.service) or {}).get("kind") == "stub":
        return Result(name=check.name, verdict=Verdict.STUB, said=f"{at}: a stub stands for {check.service}")
    if not check.url:
        return Result(name=check.name, verdict=Verdict.SKIPPED, said=f"{at}: it has no port, or publishes none")
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
