"""Asks one endpoint of a stack as an app would. Each returns what it saw, or raises `Wrong` with what is wrong and what to do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from components.verification import cache, http, network, postgres
from components.verification.wrong import Wrong

_STUB: Final = "x-supastack-stub"
"""The header that a stub answers with."""
_TABLE: Final = "supastack_smoke"
"""A table that no schema has: that it is missing is PostgREST's own answer."""
_MOST: Final = 65536
_STARTED: Final = "see its log: `make status` tells what runs"


class Stub(Exception):
    """A stub has answered for the real thing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP."""

    status: int
    body: bytes


def api(url: str, key: str) -> str:
    """The gateway: it refuses whoever has no key, and lets this one through."""
    where = f"{url}/rest/v1/{_TABLE}?select=*&limit=1"
    without = _get(where, {}, stubs=True)
    if without.status not in (401, 403):
        raise Wrong(
            f"it let a request without a key through (HTTP {without.status})" if without.status < 500 else _status(without),
            "see that this is the gateway's address, and what stands before it" if without.status < 500 else _STARTED,
        )
    given = _get(where, _keyed(key), stubs=True)
    if given.status in (401, 403):
        raise Wrong(
            f"it refuses the {_kind(key)} key", "see that the key is this stack's: `make up` gives the apps the current one"
        )
    return f"refuses who has no key, takes the {_kind(key)} key"


def auth(url: str, key: str) -> str:
    """Auth says that it is well."""
    _well(_get(f"{url}/auth/v1/health", _keyed(key)))
    return "says that it is well"


def rest(url: str, key: str) -> str:
    """REST knows the database's schema: it can tell that a table is not there."""
    answer = _get(f"{url}/rest/v1/{_TABLE}?select=*&limit=1", _keyed(key))
    code = _code(answer)
    # PGRST205: not in the schema cache (PostgREST 12.2 on); 42P01: PostgreSQL's own, of versions before.
    if answer.status == 200 or (answer.status == 404 and code in ("PGRST205", "42P01")):
        return "answers out of the database's schema"
    raise Wrong(f"{_status(answer)}{f', {code}' if code else ''}", _STARTED)


def storage(url: str, key: str) -> str:
    """Storage lists its buckets, which are rows of the database."""
    answer = _get(f"{url}/storage/v1/bucket", _keyed(key))
    _well(answer)
    found = json.loads(answer.body) if answer.body.startswith(b"[") else []
    return f"lists its buckets ({len(found)})"


def page(url: str) -> str:
    """Something for people answers: itself, or by asking who they are."""
    answer = _get(url, {})
    if answer.status >= 400 and answer.status not in (401, 403):
        raise Wrong(_status(answer), _STARTED)
    return f"answers (HTTP {answer.status})"


def app(url: str, health: str | None) -> str:
    """A service of the user's own answers at its health path; where it has none, at its address, with whatever is no server's error.

    `url`: its address, without a slash at the end.
    """
    # A forwarded port takes every connection, so that one is taken would prove nothing.
    answer = _get(f"{url}{health or '/'}", {})
    if answer.status >= (500 if health is None else 400):
        raise Wrong(_status(answer), _STARTED)
    return f"answers (HTTP {answer.status})"


def listens(url: str) -> str:
    """Somebody listens where a database is said to be; no password is sent."""
    postgres.reach(_endpoint(url))
    return "listens"


def database(url: str) -> str:
    """A login and a statement."""
    endpoint = _endpoint(url)
    postgres.ask(endpoint)
    return f"takes a login and a statement (sslmode {endpoint['sslmode']})"


def schema(url: str, name: str) -> str:
    """A login that sees the schema of a name, and may make tables there. `url`: may name the schema in Prisma's way."""
    import psycopg

    endpoint = _endpoint(url)
    query = (
        "SELECT has_schema_privilege(oid, 'USAGE') AND has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %s"
    )
    postgres.reach(endpoint)
    try:
        with psycopg.connect(**postgres.connection(endpoint)) as session:
            found = session.execute(query, (name,)).fetchone()
    except psycopg.Error as error:
        raise postgres.why(error, endpoint) from None
    if found is None:
        raise Wrong(f"there is no schema {name}", _SCHEMA)
    if not found[0]:
        raise Wrong(f"{endpoint['user']} may not make tables in the schema {name}", f"GRANT ALL ON SCHEMA {name} TO the user")
    return f"has the schema {name}, for tables of its user's"


_SCHEMA: Final = "`make up` makes it; in a database that others run, with supabase.database.createTestSchema alone"


def _endpoint(url: str) -> dict[str, Any]:
    """A database's URL as `components.verification.postgres` takes it."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    return {
        "host": parts.hostname or "",
        "port": parts.port or 5432,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.removeprefix("/")),
        # `prefer` is libpq's own default.
        "sslmode": asked.get("sslmode", ["prefer"])[0],
        "ca": asked.get("sslrootcert", [None])[0],
        "password_setting": None,
        "password_fix": _PASSWORD,
        "database_setting": None,
        "user_setting": None,
    }


_PASSWORD: Final = "`make up` writes the current one into the env files; where others run it, take it from them"


def redis(url: str) -> str:
    """A login and a PING."""
    parts = urlsplit(url)
    cache.ask(
        {
            "host": parts.hostname or "",
            "port": parts.port or 6379,
            "user": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
            "number": int(parts.path[1:]) if parts.path[1:].isdecimal() else None,
            "tls": parts.scheme == "rediss",
            "tls_fix": "have REDIS_URL begin with rediss:// where it speaks TLS",
            "ca": None,
            "password_setting": None,
            "password_fix": _PASSWORD,
            "anonymous_fix": _PASSWORD,
            "user_setting": None,
        }
    )
    return "takes a login and a PING" if parts.password else "answers a PING"


def store(url: str, region: str, access_key: str, secret_key: str, bucket: str | None) -> str:
    """An S3 store lists a bucket, or its buckets where none is named."""
    http.ask_store(
        {
            "url": url.rstrip("/"),
            "region": region,
            "bucket": bucket,
            "access_key": access_key,
            "secret_key": secret_key,
            "ca": None,
            "key_setting": None,
            "key_fix": _PASSWORD,
            "bucket_setting": None,
            "region_setting": None,
        }
    )
    return f"lists the bucket {bucket}" if bucket else "lists its buckets"


def _kind(key: str) -> str:
    return "publishable" if key.startswith("sb_") else "anon"


def _keyed(key: str) -> dict[str, str]:
    # A new kind of key (sb_...) is no token, and stands in the one header only.
    return {"apikey": key} if key.startswith("sb_") else {"apikey": key, "authorization": f"Bearer {key}"}


def _well(answer: Answer) -> None:
    if answer.status != 200:
        raise Wrong(_status(answer), _STARTED)


def _status(answer: Answer) -> str:
    return f"it answered with HTTP {answer.status}"


def _code(answer: Answer) -> str:
    try:
        found: Any = json.loads(answer.body)
    except ValueError:
        return ""
    code = found.get("code") if isinstance(found, Mapping) else None
    return code if isinstance(code, str) and code.isalnum() else ""


def _get(url: str, headers: Mapping[str, str], *, stubs: bool = False) -> Answer:
    """One request; redirects are not followed. `stubs`: a stub's answer will do. Raises Wrong, and Stub where one has answered."""
    import urllib3

    at = urlsplit(url)
    tls = at.scheme == "https"
    network.reach(at.hostname or "", at.port or (443 if tls else 80), tls=tls)
    trusted = network.context(None) if tls else None
    limits = urllib3.Timeout(connect=network.WITHIN, read=network.WITHIN)
    try:
        with urllib3.PoolManager(timeout=limits, retries=False, ssl_context=trusted) as pool:
            answer = pool.request("GET", url, headers=dict(headers), redirect=False, preload_content=False)
            try:
                body = answer.read(_MOST)
            finally:
                answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise Wrong(f"it hangs up without an answer ({type(error).__name__})", _STARTED) from None
    if not stubs and _STUB in answer.headers:
        raise Stub
    return Answer(answer.status, body)
