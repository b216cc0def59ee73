"""The one table of the gateway's routes: the first row that matches a path decides.

Paths, upstreams and guards are those of upstream's self-hosted gateway (docs/decisions/0007-gateway.md says where we differ).
`components.gateway.envoy` and `components.gateway.kong` render it; nothing of either program stands here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from components.services.context import Context
from components.services.realtime import TENANT


class Match(StrEnum):
    """Which paths a row is for."""

    EXACT = "exact"
    """The path alone."""
    SEGMENT = "segment"
    """The path, and all below it."""
    PREFIX = "prefix"
    """All that begin with it; it ends in a slash."""
    ENCODED_SLASH = "encoded slash"
    """Those that begin with it and hold a percent-encoded slash or backslash, as which the service might read one."""


class Guard(StrEnum):
    """Who is let in."""

    OPEN = "open"
    """Everybody; the service checks by itself."""
    KEY = "key"
    """Who has a key of `anon` or `service_role`."""
    SERVICE_ROLE = "service role"
    """Who has a key of `service_role`."""
    LOGIN = "login"
    """Who has the dashboard's user name and password."""


class KeyTo(StrEnum):
    """Where the token of the caller's key goes: the key itself if it is a token, else the one it stands for."""

    NOWHERE = ""
    AUTHORIZATION = "authorization"
    """`Authorization: Bearer`, unless the caller brings a token of its own."""
    X_API_KEY = "x-api-key"
    SB_API_KEY = "sb-api-key"
    """For sb_ keys only; `Authorization` and `apikey` stay as they came, and the query is not looked at."""


class Cors(StrEnum):
    """Which web pages may call."""

    ANY = "any"
    OWN = "own"
    """Those of the stack's own URLs and of this machine."""
    NONE = "none"


class Listener(StrEnum):
    """Which of the gateway's ports."""

    API = "api"
    STUDIO = "studio"


BOTH: Final = frozenset(Listener)
CLIENTS: Final = {Guard.KEY: ("anon", "service_role"), Guard.SERVICE_ROLE: ("service_role",)}
"""Whose keys a guard lets in."""
REALTIME_HOST: Final = f"{TENANT}.supabase-realtime"
"""Realtime takes its tenant from the first label of `Host`."""
_ENCODED_SLASH: Final = re.compile("%(2f|5c)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One row.

    Attributes:
        name: Unique.
        path: What the request's path is compared with, as `match` says.
        upstream: The capability it goes to; empty where the gateway answers by itself.
        rewrite: What stands in the path's place when it is passed on; None: it is passed on as it is.
        guard: Who is let in.
        key_to: Where the token of the caller's key goes.
        cors: Which web pages may call.
        timeout: Seconds after which the answer must be complete; None: no limit.
        idle: Seconds in which nothing is heard of the service or the caller, after which the request ends.
        host: The `Host` header for the service; empty: the caller's.
        headers: Headers to add where the caller did not send them.
        hidden: Headers of the caller that the service must not see.
        websocket: Whether the connection may become a WebSocket.
        status: What the gateway answers by itself.
        message: The text of that answer.
        on: The ports that have it.
    """

    name: str
    path: str
    match: Match = Match.PREFIX
    upstream: str = ""
    rewrite: str | None = None
    guard: Guard = Guard.OPEN
    key_to: KeyTo = KeyTo.NOWHERE
    cors: Cors = Cors.ANY
    timeout: int | None = None
    idle: int = 60
    host: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    hidden: tuple[str, ...] = ()
    websocket: bool = False
    status: int | None = None
    message: str = ""
    on: frozenset[Listener] = frozenset({Listener.API})

    def matches(self, path: str) -> bool:
        """Whether it is for a path (no query in it)."""
        match self.match:
            case Match.EXACT:
                return path == self.path
            case Match.SEGMENT:
                return path == self.path or path.startswith(f"{self.path}/")
            case Match.PREFIX:
                return path.startswith(self.path)
            case Match.ENCODED_SLASH:
                return path.startswith(self.path) and _ENCODED_SLASH.search(path) is not None

    @property
    def stripped(self) -> str:
        """What is taken off the path, for `X-Forwarded-Prefix`; empty where nothing is."""
        return "" if self.rewrite is None else self.path.rstrip("/")

    def cells(self) -> tuple[str, ...]:
        """The row as texts, in the order of `HEADINGS`."""
        return tuple(_shown(getattr(self, name)) for name in HEADINGS)


HEADINGS: Final = tuple(f.name for f in fields(Route))


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else ""
        case frozenset():
            return ", ".join(sorted(value))
        case tuple():
            return ", ".join(item if isinstance(item, str) else ": ".join(item) for item in value)
    return str(value)


def find(table: Iterable[Route], path: str) -> Route | None:
    """The row that decides for a path."""
    return next((route for route in table if route.matches(path)), None)


def table(context: Context) -> tuple[Route, ...]:
    """The rows of a stack, in their order.

    Those of a service that does not run answer 404 and say so: a caller's key must not end at Studio's login.
    """
    return tuple(route if not route.upstream or route.upstream in context.running else _absent(route) for route in _rows(context))


def listening(routes: Iterable[Route], listener: Listener) -> tuple[Route, ...]:
    """The rows that one port has."""
    return tuple(route for route in routes if listener in route.on)


def upstreams(routes: Iterable[Route]) -> tuple[str, ...]:
    """The capabilities that the rows lead to, by name."""
    return tuple(sorted({route.upstream for route in routes if route.upstream}))


def well_known_oauth(issuer: str) -> str:
    """Path of the OAuth server's metadata for an issuer (RFC 8414, 3.1: before the issuer's own path)."""
    return f"/.well-known/oauth-authorization-server{urlsplit(issuer).path.rstrip('/')}"


def _absent(route: Route) -> Route:
    return replace(
        _answer(route.name, route.path, 404, f"{route.upstream} is not part of this stack", match=route.match), on=route.on
    )


def _answer(name: str, path: str, status: int, message: str, *, match: Match = Match.SEGMENT) -> Route:
    return Route(name=name, path=path, match=match, cors=Cors.NONE, status=status, message=message)


def _rows(context: Context) -> Iterator[Route]:
    yield from _files_and_functions()
    # Only what stands above may have encoded slashes: no rule below looks at single paths there.
    yield replace(_answer("encoded-slash", "/", 400, "a slash is percent-encoded", match=Match.ENCODED_SLASH), on=BOTH)
    yield from _auth(context)
    yield from _rest(context)
    yield from _realtime()
    yield Route(name="pg", path="/pg/", upstream="meta", rewrite="/", guard=Guard.SERVICE_ROLE, cors=Cors.OWN)
    if context.settings["gateway"]["analytics"]:
        yield Route(
            name="analytics",
            path="/analytics/v1/",
            upstream="analytics",
            rewrite="/",
            guard=Guard.LOGIN,
            hidden=("authorization",),
        )
    yield from _studio(context)


def _files_and_functions() -> Iterator[Route]:
    yield Route(
        name="storage",
        path="/storage/v1/",
        upstream="storage",
        rewrite="/",
        key_to=KeyTo.AUTHORIZATION,
        # A file takes as long as it takes.
        idle=300,
    )
    # Upstream's: the runtime ends a function after 400 s, and one that says nothing after 150.
    yield Route(
        name="functions",
        path="/functions/v1/",
        upstream="functions",
        rewrite="/",
        key_to=KeyTo.SB_API_KEY,
        timeout=410,
        idle=160,
        websocket=True,
    )


def _auth(context: Context) -> Iterator[Route]:
    # Opened by links in mails and by redirects, which bring no key.
    for below in ("/verify", "/callback", "/authorize", "/sso/saml/acs", "/sso/saml/metadata"):
        name = f"auth{below.replace('/', '-')}"
        yield Route(name=name, path=f"/auth/v1{below}", match=Match.SEGMENT, upstream="auth", rewrite=below)
    jwks = "/.well-known/jwks.json"
    yield Route(name="auth-jwks", path=f"/auth/v1{jwks}", match=Match.EXACT, upstream="auth", rewrite=jwks)
    if context.release.features.auth_url_has_path:
        yield Route(
            name="auth-well-known-oauth",
            path=well_known_oauth(context.urls.auth(with_path=True)),
            match=Match.EXACT,
            upstream="auth",
            rewrite="/.well-known/oauth-authorization-server",
        )
    yield Route(name="auth", path="/auth/v1/", upstream="auth", rewrite="/", guard=Guard.KEY, key_to=KeyTo.AUTHORIZATION)


def _rest(context: Context) -> Iterator[Route]:
    rest = Route(name="rest", path="/rest/v1/", upstream="rest", rewrite="/", guard=Guard.KEY, key_to=KeyTo.AUTHORIZATION)
    if context.release.features.openapi_root_closed:
        yield replace(rest, name="rest-root", match=Match.EXACT, guard=Guard.SERVICE_ROLE)
    yield rest
    yield replace(
        rest,
        name="graphql",
        path="/graphql/v1",
        match=Match.SEGMENT,
        rewrite="/rpc/graphql",
        headers=(("Content-Profile", "graphql_public"),),
    )


def _realtime() -> Iterator[Route]:
    # These administer tenants.
    for below in ("openapi", "tenants"):
        yield _answer(f"realtime-{below}", f"/realtime/v1/api/{below}", 403, "Access is forbidden.")
    api = Route(
        name="realtime-api",
        path="/realtime/v1/api",
        match=Match.SEGMENT,
        upstream="realtime",
        rewrite="/api",
        guard=Guard.KEY,
        key_to=KeyTo.AUTHORIZATION,
        host=REALTIME_HOST,
    )
    yield api
    yield replace(
        api,
        name="realtime",
        path="/realtime/v1/",
        match=Match.PREFIX,
        rewrite="/socket/",
        key_to=KeyTo.X_API_KEY,
        idle=300,
        websocket=True,
    )


def _studio(context: Context) -> Iterator[Route]:
    if context.settings["gateway"]["mcp"]:
        yield Route(name="mcp", path="/mcp", match=Match.SEGMENT, upstream="studio", rewrite="/api/mcp", guard=Guard.SERVICE_ROLE)
    else:
        yield _answer("mcp", "/mcp", 403, "Access is forbidden.")
        yield replace(_answer("studio-mcp", "/api/mcp", 403, "Access is forbidden."), on=BOTH)
    yield Route(name="studio", path="/", upstream="studio", guard=Guard.LOGIN, hidden=("authorization",), on=BOTH)
