"""The table's own rules."""

import pytest

from components.gateway import routes
from components.gateway.routes import BOTH, HEADINGS, Cors, Guard, KeyTo, Listener, Match, Route
from components.services.context import Urls
from tests.unit.gateway.contexts import ALL, context

RELEASES = ("2024-01", "2024-05", "2026-09")
STACKS = [
    *(pytest.param(context(release), id=release) for release in RELEASES),
    pytest.param(context(mcp=True, analytics=True), id="all-by-settings"),
    pytest.param(context(running=frozenset({"gateway", "postgres"})), id="alone"),
]
each = pytest.mark.parametrize("made", STACKS)


def rows(made):
    return {row.name: row for row in routes.table(made)}


@each
def test_no_row_hides_another(made):
    table = routes.table(made)
    assert len(rows(made)) == len(table)
    for row in table:
        below = {Match.ENCODED_SLASH: "%2f", Match.PREFIX: "x"}.get(row.match, "")
        assert routes.find(table, row.path + below) is row


@each
def test_a_path_ends_as_its_kind_of_match_needs_it(made):
    for row in routes.table(made):
        assert row.path.startswith("/")
        if row.match is Match.PREFIX:
            assert row.path.endswith("/"), "else it is for other names that begin alike too"
        if row.match is Match.SEGMENT:
            assert not row.path.endswith("/")
        if row.match is Match.PREFIX and row.rewrite is not None:
            assert row.rewrite.endswith("/")


@each
def test_a_row_leads_somewhere_or_answers(made):
    for row in routes.table(made):
        assert bool(row.upstream) != (row.status is not None), row.name
        assert bool(row.message) == (row.status is not None)
        assert row.on


@each
def test_every_path_is_answered_on_every_port(made):
    table = routes.table(made)
    for listener in Listener:
        assert routes.find(routes.listening(table, listener), "/anything/else") is not None


def test_what_is_open_is_open_for_a_reason():
    """Links and redirects of auth, public keys, and two services that check by themselves; nothing else."""
    made = rows(context(mcp=True, analytics=True))
    open_rows = {row.name for row in made.values() if row.guard is Guard.OPEN and row.upstream}
    assert open_rows == {
        *("auth-verify", "auth-callback", "auth-authorize", "auth-sso-saml-acs", "auth-sso-saml-metadata"),
        *("auth-jwks", "auth-well-known-oauth", "storage", "functions"),
    }


@each
def test_studio_and_logflare_are_behind_the_login_on_every_port(made):
    for row in routes.table(made):
        if row.upstream == "analytics" or (row.upstream == "studio" and row.name != "mcp"):
            assert row.guard is Guard.LOGIN
            assert "authorization" in row.hidden


def test_only_the_service_role_reaches_the_database_api_and_mcp():
    made = rows(context(mcp=True))
    assert {name for name, row in made.items() if row.guard is Guard.SERVICE_ROLE} == {"pg", "rest-root", "mcp"}


@pytest.mark.parametrize("release", RELEASES)
def test_the_root_of_the_rest_api_is_closed_where_the_release_closes_it(release):
    row = routes.find(routes.table(context(release)), "/rest/v1/")
    assert row.guard is (Guard.SERVICE_ROLE if release == "2026-09" else Guard.KEY)


def test_the_oauth_servers_metadata_follow_the_issuers_path():
    assert routes.well_known_oauth("https://x.example/auth/v1") == "/.well-known/oauth-authorization-server/auth/v1"
    assert routes.well_known_oauth("https://x.example") == "/.well-known/oauth-authorization-server"
    behind = Urls(api="https://x.example/base", studio="http://127.0.0.1:54323", site="http://127.0.0.1:3025")
    row = rows(context(urls=behind))["auth-well-known-oauth"]
    assert row.path == "/.well-known/oauth-authorization-server/base/auth/v1"
    assert "auth-well-known-oauth" not in rows(context("2024-05"))


def test_realtimes_host_names_its_tenant():
    for row in routes.table(context()):
        if row.upstream == "realtime":
            assert row.host.partition(".")[0] == routes.TENANT
        else:
            assert not row.host


@pytest.mark.parametrize("service", sorted(ALL - {"gateway", "postgres"}))
def test_without_a_service_its_rows_say_so_and_the_others_stay(service):
    with_it, without = rows(context(mcp=True, analytics=True)), rows(context(running=ALL - {service}, mcp=True, analytics=True))
    assert set(with_it) == set(without)
    for name, row in with_it.items():
        if row.upstream == service:
            assert (without[name].status, without[name].upstream) == (404, "")
            assert service in without[name].message
            assert (without[name].path, without[name].match, without[name].on) == (row.path, row.match, row.on)
        else:
            assert without[name] == row


def test_analytics_and_mcp_are_there_by_setting_only():
    made = context()
    assert "analytics" not in rows(made)
    assert rows(made)["mcp"].status == 403
    assert routes.find(routes.listening(routes.table(made), Listener.STUDIO), "/api/mcp").status == 403
    opened = context(mcp=True, analytics=True)
    assert rows(opened)["analytics"].upstream == "analytics"
    assert rows(opened)["mcp"].rewrite == "/api/mcp"


def test_files_and_functions_have_the_time_they_need():
    made = rows(context())
    # Upstream's for functions, so that the runtime ends them and not the gateway.
    assert (made["functions"].timeout, made["functions"].idle) == (410, 160)
    assert made["storage"].timeout is None
    assert made["storage"].idle >= 300
    assert made["realtime"].timeout is None
    assert {name for name, row in made.items() if row.websocket} == {"realtime", "functions"}


def test_pages_of_others_call_the_api_and_not_the_database():
    made = rows(context())
    assert {name for name, row in made.items() if row.cors is Cors.OWN} == {"pg"}
    assert {name for name, row in made.items() if row.cors is Cors.NONE} == {name for name, row in made.items() if row.status}


def test_a_key_goes_where_the_service_looks_for_it():
    made = rows(context())
    assert {name: row.key_to for name, row in made.items() if row.key_to} == {
        **dict.fromkeys(("auth", "rest", "rest-root", "graphql", "realtime-api", "storage"), KeyTo.AUTHORIZATION),
        "realtime": KeyTo.X_API_KEY,
        "functions": KeyTo.SB_API_KEY,
    }


@pytest.mark.parametrize(
    ("match", "hits", "misses"),
    [
        (Match.EXACT, ["/a/b"], ["/a/b/", "/a/bc", "/a", "/A/b"]),
        (Match.SEGMENT, ["/a/b", "/a/b/", "/a/b/c"], ["/a/bc", "/a", "/x/a/b"]),
        (Match.PREFIX, ["/a/b", "/a/bc", "/a/b/c"], ["/a", "/x/a/b"]),
        (Match.ENCODED_SLASH, ["/a/b%2f", "/a/bx%5Cy"], ["/a/b", "/a/b%25", "/x%2f"]),
    ],
)
def test_a_path_is_compared_as_the_row_says(match, hits, misses):
    row = Route(name="x", path="/a/b", match=match, status=200, message="x")
    assert all(row.matches(path) for path in hits)
    assert not any(row.matches(path) for path in misses)


@each
def test_the_table_can_be_printed(made):
    for row in routes.table(made):
        cells = row.cells()
        assert len(cells) == len(HEADINGS)
        assert all(isinstance(cell, str) and "\n" not in cell for cell in cells)
        assert cells[:2] == (row.name, row.path)
    assert Route(name="x", path="/", on=BOTH, hidden=("a", "b"), headers=(("c", "d"),), websocket=True).cells()[-7:] == (
        *("", "c: d", "a, b", "yes", "", ""),
        "api, studio",
    )
