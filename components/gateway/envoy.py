"""The table as Envoy's configuration: static, in JSON, and complete, so nothing is filled in when the container starts.

Written for Envoy 1.39 (v3 API). Envoy's own filters check keys and passwords; the Lua filter (`keys.lua`, which holds no secret) only
finds the key and swaps it. Every filter is on for every route unless the row says otherwise, so a row that says nothing is closed.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from components.gateway import routes
from components.gateway.origins import LOCAL_ORIGIN, own_origins
from components.gateway.rendering import Json, json_text
from components.gateway.routes import CLIENTS, Cors, Guard, KeyTo, Listener, Match, Route
from components.service import Address, AddressPart, Encoding, Secret, Text, text
from components.services import secret_names as names
from components.services.context import Context

HTTP_PORT: Final = 8000
HTTPS_PORT: Final = 8443
STUDIO_PORT: Final = 8100
HEALTH_PATH: Final = "/gateway/health"
"""Answered with 200 by the gateway itself as long as it takes requests, and not logged. Chosen by us."""
CONFIG_PATH: Final = "/etc/envoy/envoy.yaml"
"""Where the image's own command looks. JSON is YAML."""
LUA_PATH: Final = "/etc/envoy/keys.lua"
MAX_CONNECTIONS: Final = 4000
"""From clients, at once: chosen by us, so that the default memory limit bears them (measured: 15 KiB for an idle one)."""
CONNECT_SECONDS: Final = 1
"""How long a service's kernel may take to answer, each of the two times that are tried: it is next door. Chosen by us."""

_API = "type.googleapis.com/envoy"
_HTTP = f"{_API}.extensions.filters.http"
_CORS = "envoy.filters.http.cors"
_HEALTH = "envoy.filters.http.health_check"
_LOGIN = "envoy.filters.http.basic_auth"
_LUA = "envoy.filters.http.lua"
_GROUPS = "envoy.filters.http.rbac"
_ROUTER = "envoy.filters.http.router"
_OFF: Final[Json] = {"@type": f"{_API}.config.route.v3.FilterConfig", "disabled": True}
# Common log format, without the query and the referrer: keys and mails' tokens stand there.
_LOG = (
    '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% - - [%START_TIME(%d/%b/%Y:%H:%M:%S %z)%] "%REQ(:METHOD)% %PATH(NQ:ORIG)% %PROTOCOL%" '
    '%RESPONSE_CODE% %BYTES_SENT% "-" "%REQ(USER-AGENT)%"\n'
)
_TOKENS: Final = {
    "anon": (names.ANON_KEY, names.ANON_KEY_ASYMMETRIC),
    "service_role": (names.SERVICE_ROLE_KEY, names.SERVICE_ROLE_KEY_ASYMMETRIC),
}
_OPAQUE: Final = {"anon": names.PUBLISHABLE_KEY, "service_role": names.SECRET_KEY}


def lua() -> Text:
    """The filter that finds the key."""
    return text(Path(__file__).with_name("keys.lua").read_text())


def configuration(context: Context) -> Text:
    """The whole configuration file."""
    table = routes.table(context)
    api = routes.listening(table, Listener.API)
    listeners = [_listener(context, "api", HTTP_PORT, api)]
    certificate = context.settings["gateway"].get("tlsCertificate")
    if certificate is not None:
        listeners.append(_listener(context, "api-tls", HTTPS_PORT, api, tls=_tls(certificate)))
    if "studio" in context.running:
        listeners.append(_listener(context, "studio", STUDIO_PORT, routes.listening(table, Listener.STUDIO)))
    return json_text(
        {
            "overload_manager": {
                "resource_monitors": [
                    {
                        "name": "envoy.resource_monitors.global_downstream_max_connections",
                        "typed_config": {
                            "@type": f"{_API}.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                            "max_active_downstream_connections": MAX_CONNECTIONS,
                        },
                    }
                ]
            },
            "static_resources": {
                "listeners": listeners,
                "clusters": [_cluster(name) for name in routes.upstreams(table)],
            },
        }
    )


def _listener(
    context: Context, name: str, port: int, rows: Iterable[Route], *, tls: Mapping[str, Json] | None = None
) -> Mapping[str, Json]:
    keys = name != "studio"
    filters = _filters(context, keys=keys)
    manager: Mapping[str, Json] = {
        "@type": f"{_API}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "access_log": [_access_log()],
        # Rows are compared with what the path means, not with how it is written.
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        # As upstream: behind some servers `a_b` and `a-b` are one header.
        "common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST"},
        "use_remote_address": True,
        # Who calls from an internal address may steer the gateway by x-envoy headers. None is: an empty list would mean all private
        # networks, and on Docker every caller comes from one.
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        # What the gateway itself answers is JSON, as what the services answer.
        "local_reply_config": {"body_format": {"json_format": {"message": "%LOCAL_REPLY_BODY%"}}},
        "route_config": {
            "name": name,
            "virtual_hosts": [
                {
                    "name": name,
                    "domains": ["*"],
                    # Without the port that it listens on itself, which no client knows: services would build URLs with it.
                    "request_headers_to_add": [_added("X-Forwarded-Host", "%REQ(:AUTHORITY)%")],
                    "typed_per_filter_config": {_LUA: _key_context(context)} if keys else {},
                    "routes": [_route(context, row, tuple(f for f in filters if f != _ROUTER)) for row in rows],
                }
            ],
        },
        "http_filters": [{"name": name, "typed_config": config} for name, config in filters.items()],
    }
    chain: dict[str, Json] = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}],
    }
    if tls is not None:
        chain["transport_socket"] = tls
    return {
        "name": name,
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": port}},
        # What is held of one stream while the other side is slow; a body is passed on as it comes, of any size.
        "per_connection_buffer_limit_bytes": 65536,
        "filter_chains": [chain],
    }


def _access_log() -> Mapping[str, Json]:
    return {
        "name": "envoy.access_loggers.stdout",
        "filter": {"not_health_check_filter": {}},
        "typed_config": {
            "@type": f"{_API}.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {"text_format_source": {"inline_string": _LOG}},
        },
    }


def _filters(context: Context, *, keys: bool) -> Mapping[str, Mapping[str, Json]]:
    """The chain, in its order."""
    health: Mapping[str, Mapping[str, Json]] = {
        _HEALTH: {
            "@type": f"{_HTTP}.health_check.v3.HealthCheck",
            "pass_through_mode": False,
            "headers": [{"name": ":path", "string_match": {"exact": HEALTH_PATH}}],
        }
    }
    key_filters: Mapping[str, Mapping[str, Json]] = {
        _LUA: {
            "@type": f"{_HTTP}.lua.v3.Lua",
            "default_source_code": {"filename": LUA_PATH},
            # The row is chosen; what the filter changes does not choose another.
            "clear_route_cache": False,
        },
        _GROUPS: {"@type": f"{_HTTP}.rbac.v3.RBAC", "rules": _rules(context, Guard.KEY)},
    }
    return {
        **(health if keys else {}),
        _CORS: {"@type": f"{_HTTP}.cors.v3.Cors"},
        _LOGIN: {"@type": f"{_HTTP}.basic_auth.v3.BasicAuth", "users": {"inline_string": _secret(names.DASHBOARD_HTPASSWD)}},
        **(key_filters if keys else {}),
        _ROUTER: {"@type": f"{_HTTP}.router.v3.Router"},
    }


def _rules(context: Context, guard: Guard) -> Mapping[str, Json]:
    """Lets in requests whose `apikey` is a token of the guard's clients, as the Lua filter leaves it: no sb_ key among them."""
    return {
        "action": "ALLOW",
        "policies": {
            client: {
                "permissions": [{"any": True}],
                "principals": [
                    {"header": {"name": "apikey", "string_match": {"exact": _secret(token)}}}
                    for token in _tokens(context, client)
                ],
            }
            for client in CLIENTS[guard]
        },
    }


def _tokens(context: Context, client: str) -> tuple[str, ...]:
    """Secrets with the tokens of a client: the one that is its key too, and the one that its sb_ key stands for."""
    legacy, swapped = _TOKENS[client]
    return (legacy, swapped) if context.asymmetric else (legacy,)


def _key_context(context: Context) -> Mapping[str, Json]:
    """What the Lua filter knows. `anon` first: should a user give both roles one key, it is the lesser one's."""
    known: list[Json] = []
    for client, (legacy, swapped) in _TOKENS.items():
        known.append({"consumer": client, "key": _secret(legacy), "token": _secret(legacy), "opaque": False})
        if context.asymmetric:
            key = _secret(_OPAQUE[client])
            known.append({"consumer": client, "key": key, "token": _secret(swapped), "opaque": True})
    return {"@type": f"{_HTTP}.lua.v3.LuaPerRoute", "filter_context": {"keys": known}}


def _secret(name: str) -> Secret:
    return Secret(name, Encoding.JSON)


def _tls(certificate: str) -> Mapping[str, Json]:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_API}.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "tls_certificates": [
                    {
                        "certificate_chain": {"inline_string": certificate},
                        "private_key": {"inline_string": _secret(names.TLS_KEY)},
                    }
                ],
            },
        },
    }


def _route(context: Context, row: Route, filters: tuple[str, ...]) -> Mapping[str, Json]:
    found: dict[str, Json] = {"name": row.name, "match": _match(row)}
    if row.status is not None:
        found["direct_response"] = {"status": row.status, "body": {"inline_string": row.message}}
    else:
        found["route"] = _action(row)
        added = ([("X-Forwarded-Prefix", row.stripped)] if row.stripped else []) + list(row.headers)
        found["request_headers_to_add"] = [_added(name, value) for name, value in added]
        found["request_headers_to_remove"] = list(row.hidden)
    own = _per_filter(context, row)
    found["typed_per_filter_config"] = {name: own[name] for name in filters if name in own}
    if own.get(_LUA) is not _OFF:
        found["metadata"] = {"filter_metadata": {_LUA: {"asked": row.guard in CLIENTS, "key_to": row.key_to.value}}}
    return found


def _match(row: Route) -> Mapping[str, Json]:
    match row.match:
        case Match.EXACT:
            return {"path": row.path}
        case Match.SEGMENT:
            return {"path_separated_prefix": row.path}
        case Match.PREFIX:
            return {"prefix": row.path}
        case Match.ENCODED_SLASH:
            return {"prefix": row.path, "headers": [{"name": ":path", "string_match": {"safe_regex": {"regex": _ENCODED_SLASH}}}]}


# `:path` has the query in it, where an encoded slash is fine.
_ENCODED_SLASH = r"[^?]*%(2[fF]|5[cC]).*"


def _action(row: Route) -> Mapping[str, Json]:
    found: dict[str, Json] = {
        "cluster": row.upstream,
        "timeout": f"{row.timeout or 0}s",
        "idle_timeout": f"{row.idle}s",
        # Nothing was sent yet, so any method may be tried again.
        "retry_policy": {"retry_on": "connect-failure,refused-stream", "num_retries": 1},
    }
    if row.rewrite is not None:
        found["prefix_rewrite"] = row.rewrite
    if row.host:
        found["host_rewrite_literal"] = row.host
    if row.websocket:
        found["upgrade_configs"] = [{"upgrade_type": "websocket"}]
    return found


def _per_filter(context: Context, row: Route) -> Mapping[str, Json]:
    """What the row changes of each filter. One that is not named stays on, and closed."""
    found: dict[str, Json] = {}
    if row.cors is not Cors.NONE:
        found[_CORS] = _cors(context, row.cors)
    if row.guard is not Guard.LOGIN:
        found[_LOGIN] = _OFF
    if row.guard not in CLIENTS:
        found[_GROUPS] = _OFF
        if row.key_to is KeyTo.NOWHERE:
            found[_LUA] = _OFF
    elif row.guard is not Guard.KEY:
        found[_GROUPS] = {"@type": f"{_HTTP}.rbac.v3.RBACPerRoute", "rbac": {"rules": _rules(context, row.guard)}}
    return found


def _cors(context: Context, cors: Cors) -> Mapping[str, Json]:
    allowed: list[Json] = [{"exact": one} for one in own_origins(context)] + [{"safe_regex": {"regex": LOCAL_ORIGIN}}]
    return {
        "@type": f"{_HTTP}.cors.v3.CorsPolicy",
        "allow_origin_string_match": allowed if cors is Cors.OWN else [{"safe_regex": {"regex": ".*"}}],
        # Envoy reads a star as: what the browser asks for. That covers Authorization, which a star in the answer would not.
        "allow_methods": "*",
        "allow_headers": "*",
        "expose_headers": "*",
        "max_age": "3600",
    }


def _added(name: str, value: str) -> Mapping[str, Json]:
    return {"header": {"key": name, "value": value}, "append_action": "ADD_IF_ABSENT"}


def _cluster(capability: str) -> Mapping[str, Json]:
    """A service. Nothing is probed: its own health check does that, and a request finds out by itself."""
    return {
        "name": capability,
        "cluster_type": {
            "name": "envoy.clusters.dns",
            "typed_config": {
                "@type": f"{_API}.extensions.clusters.dns.v3.DnsCluster",
                # A container that comes back has another address.
                "dns_refresh_rate": "5s",
                "dns_failure_refresh_rate": {"base_interval": "1s", "max_interval": "1s"},
                # The services listen on IPv4.
                "dns_lookup_family": "V4_PREFERRED",
            },
        },
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "load_assignment": {
            "cluster_name": capability,
            "endpoints": [
                {
                    "lb_endpoints": [
                        {
                            "endpoint": {
                                "address": {
                                    "socket_address": {
                                        "address": Address(capability, AddressPart.HOST),
                                        "port_value": Address(capability, AddressPart.PORT),
                                    }
                                }
                            }
                        }
                    ]
                }
            ],
        },
        "circuit_breakers": {
            "thresholds": [
                {"max_connections": MAX_CONNECTIONS, "max_pending_requests": MAX_CONNECTIONS, "max_requests": MAX_CONNECTIONS}
            ]
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_API}.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http_protocol_options": {}},
                # Node.js closes a connection that was idle for 5 s; a request must not meet that.
                "common_http_protocol_options": {"idle_timeout": "4s"},
            }
        },
    }
