"""The table as Kong's declarative configuration, with which the older releases come.

Written for Kong 2.8 by reading its documentation and sources: no image of it was run. Kong 3 reads it too: with format 2.1 it takes the
paths as 2.8 did. Kong chooses the longest path and not the first row; a test holds that both choose the same for this table.

What Kong does not do as Envoy does: it knows no sb_ keys (no release has both), does not compare keys that contradict each other, lets
percent-encoded slashes and underscores in headers pass, and has no end for a whole answer, only for silence.
"""

import re
from collections.abc import Iterator
from typing import Final

from components.gateway import routes
from components.gateway.origins import LOCAL_ORIGIN, own_origins
from components.gateway.rendering import Json, json_text
from components.gateway.routes import CLIENTS, Cors, Guard, KeyTo, Match, Route
from components.service import Address, AddressPart, Encoding, Secret, Text
from components.services import secret_names as names
from components.services.context import Context

PLUGINS: Final = ("request-transformer", "cors", "key-auth", "acl", "basic-auth", "request-termination", "post-function")
"""Those that the configuration uses."""
_LOGIN_GROUP: Final = "dashboard"
_KEYS: Final = {"anon": names.ANON_KEY, "service_role": names.SERVICE_ROLE_KEY}
_KEY: Final = "$(headers.apikey or query_params.apikey)"
# Storage asks for no key, so the header is only filled where there is one: an empty one would hide a signature in the query.
_FILL_AUTHORIZATION: Final = """
local given = kong.request.get_header("authorization")
local key = kong.request.get_header("apikey")
if (given == nil or given == "") and key ~= nil and key ~= "" then
  kong.service.request.set_header("Authorization", "Bearer " .. key)
end
"""


def configuration(context: Context) -> Text:
    """The whole configuration file.

    Raises:
        ValueError: the stack uses sb_ keys.
    """
    if context.asymmetric:
        raise ValueError("Kong is given no sb_ keys: no release with Kong has them")
    table = [row for row in routes.table(context) if row.match is not Match.ENCODED_SLASH]
    return json_text(
        {
            "_format_version": "2.1",
            # The password is given as it is, and Kong hashes it.
            "_transform": True,
            "consumers": [*_consumers(context)],
            "services": [_service(context, row) for row in table if row.status is None],
            "routes": [
                {**_route(row), "plugins": [_plugin("request-termination", status_code=row.status, message=row.message)]}
                for row in table
                if row.status is not None
            ],
        }
    )


def _consumers(context: Context) -> Iterator[Json]:
    for client, key in _KEYS.items():
        yield {
            "username": client,
            "keyauth_credentials": [{"key": Secret(key, Encoding.JSON)}],
            "acls": [{"group": client}],
        }
    yield {
        "username": _LOGIN_GROUP,
        "basicauth_credentials": [
            {
                "username": context.settings["studio"]["username"],
                "password": Secret(names.DASHBOARD_PASSWORD, Encoding.JSON),
            }
        ],
        "acls": [{"group": _LOGIN_GROUP}],
    }


def _service(context: Context, row: Route) -> Json:
    return {
        "name": row.name,
        "protocol": "http",
        "host": Address(row.upstream, AddressPart.HOST),
        "port": Address(row.upstream, AddressPart.PORT),
        "path": "/" if row.rewrite is None else row.rewrite.rstrip("/") or "/",
        "connect_timeout": 1000,
        # Envoy's, too. Kong's default of five would be five times as long for each caller of a service that is gone.
        "retries": 1,
        "read_timeout": row.idle * 1000,
        "write_timeout": row.idle * 1000,
        "routes": [_route(row)],
        "plugins": [*_plugins(context, row)],
    }


def _route(row: Route) -> dict[str, Json]:
    return {
        "name": row.name,
        "paths": [row.path.replace(".", r"\.") + "$" if row.match is Match.EXACT else row.path],
        "strip_path": row.rewrite is not None,
        "preserve_host": False,
        "protocols": ["http", "https"],
        # Passed on as it comes, of any size.
        "request_buffering": False,
        "response_buffering": False,
    }


def _plugins(context: Context, row: Route) -> Iterator[Json]:
    match row.cors:
        case Cors.ANY:
            yield _plugin("cors")
        case Cors.OWN:
            yield _plugin("cors", origins=[*map(_literally, own_origins(context)), f"^{LOCAL_ORIGIN}$"])
    if row.guard in CLIENTS:
        yield _plugin("key-auth", key_names=["apikey"], hide_credentials=False)
        yield _plugin("acl", allow=list(CLIENTS[row.guard]), hide_groups_header=True)
    elif row.guard is Guard.LOGIN:
        yield _plugin("basic-auth", hide_credentials="authorization" in row.hidden)
        # A key is no password: only the dashboard's user is in this group.
        yield _plugin("acl", allow=[_LOGIN_GROUP], hide_groups_header=True)
    added = [f"{name}:{value}" for name, value in row.headers]
    replaced = [f"Host:{row.host}"] if row.host else []
    if row.guard in CLIENTS and row.key_to is KeyTo.AUTHORIZATION:
        added.append(f"Authorization:Bearer {_KEY}")
    elif row.key_to is KeyTo.AUTHORIZATION:
        yield _plugin("post-function", access=[_FILL_AUTHORIZATION])
    elif row.key_to is KeyTo.X_API_KEY:
        added.append(f"x-api-key:{_KEY}")
        replaced.append(f"x-api-key:{_KEY}")
    if added or replaced:
        yield _plugin("request-transformer", add={"headers": added}, replace={"headers": replaced})


def _literally(origin: str) -> str:
    """An origin for the list in which Kong takes all but the plainest for regular expressions (kong/plugins/cors/handler.lua)."""
    return f"^{re.escape(origin)}$"


def _plugin(name: str, **config: Json) -> Json:
    return {"name": name, "config": config} if config else {"name": name}
