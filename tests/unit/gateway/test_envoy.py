"""Envoy's configuration against the table."""

import json

import pytest

from components.gateway import envoy, routes
from components.gateway.routes import Cors, Guard, KeyTo, Listener, Match
from components.service import Secret, text
from components.services import secret_names as names
from tests.unit.gateway.contexts import ALL, context
from tests.unit.gateway.written import data

CERTIFICATE = {"tlsCertificate": "-----BEGIN CERTIFICATE-----"}
LOGIN, LUA, GROUPS, CORS = (f"envoy.filters.http.{name}" for name in ("basic_auth", "lua", "rbac", "cors"))
LISTENER = {"api": Listener.API, "api-tls": Listener.API, "studio": Listener.STUDIO}


def whole(**settings):
    made = context(**settings)
    return made, data(envoy.configuration(made))


def with_certificate():
    made = context()
    made.settings["gateway"].update(CERTIFICATE)
    return made, data(envoy.configuration(made))


def managers(config):
    """HTTP connection managers by listener."""
    return {
        listener["name"]: listener["filter_chains"][0]["filters"][0]["typed_config"]
        for listener in config["static_resources"]["listeners"]
    }


def written(manager):
    return manager["route_config"]["virtual_hosts"][0]["routes"]


def chain(manager):
    return {one["name"]: one["typed_config"] for one in manager["http_filters"]}


@pytest.fixture(scope="module", params=[{}, {"mcp": True, "analytics": True}, {"keys": {"asymmetric": False}}], ids=str)
def rendered(request):
    made, config = whole(**request.param)
    return made, managers(config)


def each_row(rendered):
    made, found = rendered
    table = routes.table(made)
    for name, manager in found.items():
        for row, route in zip(routes.listening(table, LISTENER[name]), written(manager), strict=True):
            yield name, manager, row, route


def test_every_row_is_a_route_in_its_place(rendered):
    for _, _, row, route in each_row(rendered):
        assert route["name"] == row.name
        assert {"direct_response" in route, "route" in route} == {True, False}
        if row.status is None:
            assert route["route"]["cluster"] == row.upstream
            assert route["route"].get("prefix_rewrite") == row.rewrite
            assert route["route"].get("host_rewrite_literal", "") == row.host
            assert route["request_headers_to_remove"] == list(row.hidden)
        else:
            assert route["direct_response"]["status"] == row.status


def test_a_route_matches_as_its_row(rendered):
    key = {Match.EXACT: "path", Match.SEGMENT: "path_separated_prefix", Match.PREFIX: "prefix", Match.ENCODED_SLASH: "prefix"}
    for _, _, row, route in each_row(rendered):
        assert route["match"][key[row.match]] == row.path
        assert ("headers" in route["match"]) == (row.match is Match.ENCODED_SLASH)


def test_times_are_the_rows(rendered):
    for _, _, row, route in each_row(rendered):
        if row.status is None:
            assert route["route"]["timeout"] == f"{row.timeout or 0}s"
            assert route["route"]["idle_timeout"] == f"{row.idle}s"
            assert ("upgrade_configs" in route["route"]) == row.websocket


def test_a_filter_that_a_row_does_not_open_lets_nobody_in(rendered):
    """Login and key check are on for every route; a row turns off those that its guard does not need, and no others."""
    for name, manager, row, route in each_row(rendered):
        filters = chain(manager)
        own = route["typed_per_filter_config"]
        off = {filter_name for filter_name, config in own.items() if config.get("disabled")}
        wanted = {LOGIN} if row.guard is not Guard.LOGIN else set()
        if name != "studio":
            assert GROUPS in filters
            wanted |= {GROUPS} if row.guard in (Guard.OPEN, Guard.LOGIN) else set()
            wanted |= {LUA} if row.guard in (Guard.OPEN, Guard.LOGIN) and row.key_to is KeyTo.NOWHERE else set()
        assert off == wanted, row.name
        assert LOGIN in filters
        assert set(own) <= set(filters)


def test_the_key_check_knows_the_guards_tokens_and_no_others(rendered):
    made, _ = rendered
    anon, service = {names.ANON_KEY}, {names.SERVICE_ROLE_KEY}
    if made.asymmetric:
        anon, service = anon | {names.ANON_KEY_ASYMMETRIC}, service | {names.SERVICE_ROLE_KEY_ASYMMETRIC}
    for _, manager, row, route in each_row(rendered):
        if row.guard not in (Guard.KEY, Guard.SERVICE_ROLE):
            continue
        default = chain(manager)[GROUPS]["rules"]
        rules = route["typed_per_filter_config"].get(GROUPS, {}).get("rbac", {}).get("rules", default)
        principals = [p["header"] for policy in rules["policies"].values() for p in policy["principals"]]
        assert rules["action"] == "ALLOW"
        assert {p["name"] for p in principals} == {"apikey"}
        allowed = anon | service if row.guard is Guard.KEY else service
        assert {p["string_match"]["exact"] for p in principals} == {f"<{name}>" for name in allowed}


def test_the_key_filter_is_told_of_each_route_what_the_row_says(rendered):
    for name, _, row, route in each_row(rendered):
        told = route.get("metadata", {}).get("filter_metadata", {}).get(LUA)
        if name == "studio" or (row.guard in (Guard.OPEN, Guard.LOGIN) and row.key_to is KeyTo.NOWHERE):
            assert told is None or name == "studio"
        else:
            assert told == {"asked": row.guard in (Guard.KEY, Guard.SERVICE_ROLE), "key_to": row.key_to.value}


def test_cors_is_the_rows(rendered):
    for _, _, row, route in each_row(rendered):
        policy = route["typed_per_filter_config"].get(CORS)
        assert (policy is None) == (row.cors is Cors.NONE)
        if row.cors is Cors.OWN:
            assert {"exact": "http://127.0.0.1:54321"} in policy["allow_origin_string_match"]
            assert {"safe_regex": {"regex": ".*"}} not in policy["allow_origin_string_match"]


def test_the_filters_come_in_the_order_that_makes_them_sound(rendered):
    _, found = rendered
    for name, manager in found.items():
        order = list(chain(manager))
        # Preflights bring no key; the key is found before it is checked; nothing is checked after the router.
        wanted = (
            [CORS, LOGIN, "envoy.filters.http.router"]
            if name == "studio"
            else [CORS, LOGIN, LUA, GROUPS, "envoy.filters.http.router"]
        )
        assert [one for one in order if one in wanted] == wanted
        assert order[-1] == "envoy.filters.http.router"


def test_every_upstream_is_a_cluster_at_its_address():
    made, config = whole(mcp=True, analytics=True)
    clusters = {one["name"]: one for one in config["static_resources"]["clusters"]}
    assert set(clusters) == set(routes.upstreams(routes.table(made)))
    for name, cluster in clusters.items():
        (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        assert endpoint["endpoint"]["address"]["socket_address"] == {"address": f"<{name}.host>", "port_value": 4711}
        # A service that is not ready keeps nobody waiting but its own callers.
        assert "health_checks" not in cluster


def test_a_service_that_is_gone_costs_its_callers_two_seconds_at_most(rendered):
    policies = [route["route"]["retry_policy"] for _, _, _, route in each_row(rendered) if "route" in route]
    _, config = whole()
    for cluster in config["static_resources"]["clusters"]:
        once = int(cluster["connect_timeout"].removesuffix("s"))
        assert all((1 + policy["num_retries"]) * once <= 2 for policy in policies)


def test_without_a_service_there_is_no_cluster_and_no_port_of_it():
    _, config = whole(running=ALL - {"studio", "auth"})
    assert {"studio", "auth"}.isdisjoint(one["name"] for one in config["static_resources"]["clusters"])
    assert set(managers(config)) == {"api"}


def test_it_serves_https_by_a_certificate_only():
    _, plain = whole()
    assert set(managers(plain)) == {"api", "studio"}
    made, config = with_certificate()
    found = managers(config)
    assert set(found) == {"api", "api-tls", "studio"}
    assert written(found["api-tls"]) == written(found["api"])
    (tls,) = [one for one in config["static_resources"]["listeners"] if one["name"] == "api-tls"]
    assert tls["address"]["socket_address"]["port_value"] == envoy.HTTPS_PORT
    common = tls["filter_chains"][0]["transport_socket"]["typed_config"]["common_tls_context"]
    assert common["tls_certificates"] == [
        {
            "certificate_chain": {"inline_string": made.settings["gateway"]["tlsCertificate"]},
            "private_key": {"inline_string": f"<{names.TLS_KEY}>"},
        }
    ]
    assert common["tls_params"] == {"tls_minimum_protocol_version": "TLSv1_2"}
    assert names.TLS_KEY not in json.dumps(plain)


def test_it_has_no_admin_port():
    _, config = whole()
    assert set(config) == {"overload_manager", "static_resources"}


def test_paths_are_read_as_they_are_meant():
    for manager in managers(whole()[1]).values():
        assert manager["normalize_path"] is True
        assert manager["merge_slashes"] is True
        assert manager["common_http_protocol_options"]["headers_with_underscores_action"] == "REJECT_REQUEST"
        assert manager["use_remote_address"] is True


def test_no_secret_stands_in_the_script_and_each_in_the_file_is_a_string_of_its_own():
    assert not envoy.lua().secrets
    made = context()
    found = envoy.configuration(made)
    assert found.secrets == {
        *(names.ANON_KEY, names.SERVICE_ROLE_KEY, names.PUBLISHABLE_KEY, names.SECRET_KEY),
        *(names.ANON_KEY_ASYMMETRIC, names.SERVICE_ROLE_KEY_ASYMMETRIC, names.DASHBOARD_HTPASSWD),
    }
    for before, part, after in zip(found.parts, found.parts[1:], found.parts[2:], strict=False):
        if isinstance(part, Secret):
            assert before.endswith(": ")
            assert after[0] in ",\n"


def test_without_asymmetric_keys_it_knows_no_new_ones():
    found = envoy.configuration(context(keys={"asymmetric": False}))
    assert found.secrets == {names.ANON_KEY, names.SERVICE_ROLE_KEY, names.DASHBOARD_HTPASSWD}


def test_the_log_has_neither_query_nor_referrer():
    for manager in managers(whole()[1]).values():
        (log,) = manager["access_log"]
        line = log["typed_config"]["log_format"]["text_format_source"]["inline_string"]
        for forbidden in ("%REQ(:PATH)", "REFERER", "X-ENVOY-ORIGINAL-PATH", "AUTHORIZATION", "APIKEY"):
            assert forbidden not in line.upper()


def test_the_script_is_placed_as_it_is():
    assert envoy.lua() == text(*envoy.lua().parts)
    assert "function envoy_on_request" in envoy.lua().parts[0]
