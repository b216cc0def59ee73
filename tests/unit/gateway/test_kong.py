"""Kong's configuration against the table, structurally: no Kong was run. Its router is modelled here, by its documentation."""

import re

import pytest

from components.gateway import kong, routes
from components.gateway.routes import Cors, Guard, KeyTo, Match
from components.services import secret_names as names
from components.services.context import Urls
from tests.unit.gateway.contexts import ALL, context
from tests.unit.gateway.test_routes import RELEASES
from tests.unit.gateway.written import data

OLD = [release for release in RELEASES if release != "2026-09"]


def stacks():
    for release in OLD:
        yield pytest.param(context(release), id=release)
    yield pytest.param(context("2024-05", analytics=True, mcp=True), id="all-by-settings")
    yield pytest.param(context("2024-05", running=ALL - {"studio", "auth"}), id="without-two")
    # Not in use, and it must not break when it is: Kong beside a newer release's paths.
    yield pytest.param(context("2026-09", keys={"asymmetric": False}), id="newer-paths")


@pytest.fixture(scope="module", params=stacks())
def rendered(request):
    made = request.param
    table = {row.name: row for row in routes.table(made) if row.match is not Match.ENCODED_SLASH}
    return made, table, data(kong.configuration(made))


def all_routes(config):
    """Routes with their service, which may be none, and their plugins."""
    for service in config["services"]:
        for route in service["routes"]:
            yield route, service, {plugin["name"]: plugin.get("config", {}) for plugin in service["plugins"]}
    for route in config["routes"]:
        yield route, None, {plugin["name"]: plugin.get("config", {}) for plugin in route["plugins"]}


def chosen(config, path):
    """The route that Kong takes: regular expressions first, then the longest path that the request's begins with."""
    patterns = [r for r, _, _ in all_routes(config) if r["paths"][0].endswith("$") and re.match(r["paths"][0], path)]
    plain = [r for r, _, _ in all_routes(config) if not r["paths"][0].endswith("$") and path.startswith(r["paths"][0])]
    return (patterns or sorted(plain, key=lambda r: len(r["paths"][0]), reverse=True))[0]["name"]


def test_every_row_is_there_once(rendered):
    _, table, config = rendered
    assert sorted(route["name"] for route, _, _ in all_routes(config)) == sorted(table)


def test_kong_chooses_the_row_that_the_table_chooses(rendered):
    _, table, config = rendered
    paths = [row.path for row in table.values()]
    paths += [f"{path.rstrip('/')}/x/y" for path in paths] + [path + "x" for path in paths if path.endswith("/")]
    for path in paths:
        assert chosen(config, path) == routes.find(table.values(), path).name, path


def test_a_row_leads_to_its_service(rendered):
    _, table, config = rendered
    for route, service, _ in all_routes(config):
        row = table[route["name"]]
        if row.status is not None:
            assert service is None
            continue
        assert (service["host"], service["port"], service["protocol"]) == (f"<{row.upstream}.host>", 4711, "http")
        assert service["path"].rstrip("/") == (row.rewrite or "").rstrip("/")
        assert route["strip_path"] == (row.rewrite is not None)
        assert route["preserve_host"] is False
        # It has no limit for the whole, so a function may take as long as it says something.
        assert service["read_timeout"] == service["write_timeout"] == row.idle * 1000
        # Bodies of any size, as they come.
        assert (route["request_buffering"], route["response_buffering"]) == (False, False)


def test_a_row_lets_in_whom_its_guard_says(rendered):
    _, table, config = rendered
    for route, _, plugins in all_routes(config):
        row = table[route["name"]]
        if row.guard in (Guard.KEY, Guard.SERVICE_ROLE):
            assert plugins["key-auth"]["key_names"] == ["apikey"]
            allowed = ["anon", "service_role"] if row.guard is Guard.KEY else ["service_role"]
            assert plugins["acl"]["allow"] == allowed
        elif row.guard is Guard.LOGIN:
            assert plugins["basic-auth"] == {"hide_credentials": True}
            assert plugins["acl"]["allow"] == ["dashboard"]
        else:
            assert {"key-auth", "basic-auth", "acl"}.isdisjoint(plugins)


def test_a_row_that_the_gateway_answers_is_ended_there(rendered):
    _, table, config = rendered
    for route, _, plugins in all_routes(config):
        row = table[route["name"]]
        ended = plugins.get("request-termination")
        assert ended == (None if row.status is None else {"status_code": row.status, "message": row.message})


def test_cors_is_the_rows(rendered):
    _, table, config = rendered
    for route, _, plugins in all_routes(config):
        row = table[route["name"]]
        assert ("cors" in plugins) == (row.cors is not Cors.NONE)
        if row.cors is Cors.OWN:
            origins = plugins["cors"]["origins"]
            assert lets_in(origins, "http://127.0.0.1:54321")
            assert lets_in(origins, "http://localhost:3000")
            assert not lets_in(origins, "http://localhost.evil.example")


def lets_in(origins, origin):
    """Whether Kong takes the origin for one of a list: by kong/plugins/cors/handler.lua of 2.8."""
    return any(
        re.fullmatch(one.removeprefix("^").removesuffix("$"), origin) if re.search("[^A-Za-z0-9.:/-]", one) else one == origin
        for one in origins
    )


@pytest.mark.parametrize(
    ("url", "others"),
    [
        ("https://my_api.example.com", ("https://my_apixexample.com", "https://my_api.example.com.evil.example")),
        ("https://api-1.example.com:8443/base", ("https://api-1xexample.com:8443", "https://api-1.example.com")),
        ("http://[fd00::1]:54321", ("http://f:54321", "http://:54321", "http://1:54321")),
    ],
)
def test_an_origin_of_ones_own_is_no_pattern(url, others):
    made = context("2024-05", urls=Urls(api=url, studio="http://127.0.0.1:54323", site="http://127.0.0.1:3025"))
    config = data(kong.configuration(made))
    (origins,) = [p["cors"]["origins"] for r, _, p in all_routes(config) if p.get("cors")]
    assert lets_in(origins, url.removesuffix("/base"))
    assert not [other for other in others if lets_in(origins, other)]


def test_headers_are_the_rows(rendered):
    _, table, config = rendered
    for route, _, plugins in all_routes(config):
        row = table[route["name"]]
        changes = plugins.get("request-transformer", {"add": {"headers": []}, "replace": {"headers": []}})
        added, replaced = changes["add"]["headers"], changes["replace"]["headers"]
        assert (f"Host:{row.host}" in replaced) == bool(row.host)
        for name, value in row.headers:
            assert f"{name}:{value}" in added
        key = "$(headers.apikey or query_params.apikey)"
        asked = row.guard in (Guard.KEY, Guard.SERVICE_ROLE)
        assert (f"Authorization:Bearer {key}" in added) == (asked and row.key_to is KeyTo.AUTHORIZATION)
        assert (f"x-api-key:{key}" in added) == (f"x-api-key:{key}" in replaced) == (row.key_to is KeyTo.X_API_KEY)
        assert ("post-function" in plugins) == (not asked and row.key_to is KeyTo.AUTHORIZATION)


def test_the_consumers_are_the_two_roles_and_the_dashboard(rendered):
    _, _, config = rendered
    consumers = {one["username"]: one for one in config["consumers"]}
    assert set(consumers) == {"anon", "service_role", "dashboard"}
    assert consumers["anon"]["keyauth_credentials"] == [{"key": f"<{names.ANON_KEY}>"}]
    assert consumers["service_role"]["keyauth_credentials"] == [{"key": f"<{names.SERVICE_ROLE_KEY}>"}]
    assert consumers["dashboard"]["basicauth_credentials"] == [
        {"username": "supabase", "password": f"<{names.DASHBOARD_PASSWORD}>"}
    ]
    assert all(one["acls"] == [{"group": name}] for name, one in consumers.items())


def test_it_is_in_a_format_that_kong_2_and_3_read(rendered):
    _, _, config = rendered
    assert (config["_format_version"], config["_transform"]) == ("2.1", True)


def test_the_plugins_that_it_uses_are_those_that_are_loaded():
    used = set()
    for settings in ({}, {"analytics": True, "mcp": True}):
        for _, _, plugins in all_routes(data(kong.configuration(context("2024-05", **settings)))):
            used |= set(plugins)
    assert used == set(kong.PLUGINS)


def test_it_is_not_made_for_keys_that_it_does_not_know():
    with pytest.raises(ValueError, match="no release with Kong has them"):
        kong.configuration(context("2026-09"))


def test_no_secret_is_written_into_code():
    for part, after in zip(*(kong.configuration(context("2024-05")).parts[n:] for n in (0, 1)), strict=False):
        if isinstance(part, str) and not isinstance(after, str):
            assert part.endswith((": ", '"'))


def test_a_service_that_is_gone_costs_its_callers_two_seconds_at_most(rendered):
    _, _, config = rendered
    for service in config["services"]:
        assert (1 + service["retries"]) * service["connect_timeout"] <= 2000
