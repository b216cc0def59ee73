"""Smoke checks against a server of the tests' own that answers as a gateway does; the real ones are asked in tests/integration."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
import redis

from components.verification import cache, postgres
from components.verification.wrong import Wrong
from toolchain.smoke import checks, command
from toolchain.smoke.checks import place, run
from toolchain.smoke.command import lines
from toolchain.smoke.result import Result, Verdict
from toolchain.stack.describe import Cluster, Forward
from toolchain.stack.forward import forwarded

KEY = "anon-key"
NEW_KEYS = {"PUBLISHABLE_KEY": "sb_publishable_x", "SECRET_KEY": "sb_secret_x"}


class Gateway(BaseHTTPRequestHandler):
    """Refuses who has no key; REST has no table."""

    answers: dict[str, tuple[int, object]]
    stub = False

    def do_GET(self):
        path = self.path.partition("?")[0]
        status, body = self.answers.get(path, (404, {}))
        keys = (KEY, "service-key", *NEW_KEYS.values())
        if path.startswith(("/rest", "/auth", "/storage")) and self.headers.get("apikey") not in keys:
            status, body = 401, {"message": "no key"}
        content = json.dumps(body).encode()
        self.send_response(status)
        if self.stub:
            self.send_header("x-supastack-stub", "rest")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def gateway() -> Iterator[tuple[type[Gateway], str]]:
    handler = type("Own", (Gateway,), {"answers": dict(GOOD)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


GOOD = {
    "/rest/v1/supastack_smoke": (404, {"code": "PGRST205", "message": "no such table"}),
    "/auth/v1/health": (200, {"name": "GoTrue"}),
    "/storage/v1/bucket": (200, [{"id": "a"}]),
}


def asked(url: str, images: dict[str, object] | None = None, **more: str) -> dict[str, Result]:
    outputs = {"API_URL": url, "REST_URL": f"{url}/rest/v1", "ANON_KEY": KEY, "SERVICE_ROLE_KEY": "service-key", **more}
    return {r.name: r for r in run(checks.of(outputs), images or {}, pause=0)}


def test_a_gateway_that_is_well_is_told_by_what_it_answers(gateway):
    found = asked(gateway[1])
    assert {name: r.verdict for name, r in found.items()} == dict.fromkeys(("API", "auth", "REST", "storage"), Verdict.OK)
    assert "lists its buckets (1)" in found["storage"].said


def test_a_gateway_without_a_guard_fails(gateway, monkeypatch):
    handler, url = gateway
    monkeypatch.setattr(
        handler, "do_GET", lambda self: (self.send_response(200), self.send_header("content-length", "0"), self.end_headers())
    )
    assert "without a key" in asked(url)["API"].said


def test_a_key_of_another_stack_fails(gateway):
    assert "refuses the anon key" in asked(gateway[1], ANON_KEY="another")["API"].said


def test_a_database_that_rest_can_not_read_fails_with_rests_own_code(gateway):
    handler, url = gateway
    handler.answers["/rest/v1/supastack_smoke"] = (503, {"code": "PGRST002"})
    found = asked(url)["REST"]
    assert found.verdict is Verdict.FAILED
    assert "HTTP 503, PGRST002" in found.said


def test_a_stub_is_no_failure_and_no_success(gateway):
    handler, url = gateway
    handler.stub = True
    found = asked(url, {"auth": {"kind": "stub"}, "rest": {"kind": "local"}, "storage": {"kind": "local"}, "gateway": {}})
    assert found["auth"].verdict is Verdict.STUB
    assert found["REST"].verdict is Verdict.STUB
    assert found["API"].verdict is Verdict.OK


def test_what_is_turned_off_or_has_no_key_is_skipped_and_says_why(gateway):
    found = asked(gateway[1], {"auth": {}, "rest": {}}, SERVICE_ROLE_KEY="")
    assert found["storage"].verdict is Verdict.SKIPPED
    assert "turned off" in found["storage"].said
    keyless = asked(gateway[1], SERVICE_ROLE_KEY="")["storage"]
    assert "SERVICE_ROLE_KEY" in keyless.said


def test_nobody_listening_is_a_failure_that_names_the_place_and_no_password():
    found = {
        r.name: r
        for r in run(
            checks.of({"DB_URL": "postgresql://u:hush@127.0.0.1:1/d", "REDIS_URL": "redis://:hush@127.0.0.1:1"}), {}, pause=0
        )
    }
    for result in found.values():
        assert result.verdict is Verdict.FAILED
        assert "127.0.0.1:1: the connection is refused" in result.said
    assert "hush" not in "".join(lines("dev", list(found.values())))


def test_a_lost_packet_is_tried_again(gateway, monkeypatch):
    handler, url = gateway
    answers = iter([(502, {}), (200, {})])
    monkeypatch.setattr(checks, "_API", [entry for entry in checks._API if entry[0] == "auth"])
    original = handler.answers

    class Flaky(dict):
        def get(self, path, default=None):
            return next(answers) if path == "/auth/v1/health" else original.get(path, default)

    handler.answers = Flaky()
    assert asked(url)["auth"].verdict is Verdict.OK


def test_the_report_counts_and_says_what_a_stub_means():
    said = {"a": Verdict.OK, "b": Verdict.STUB, "c": Verdict.FAILED}
    results = [Result(name=name, verdict=verdict, said="x", fix="w" * (name == "c")) for name, verdict in said.items()]
    text = "\n".join(lines("dev", results))
    assert "1 ok, 1 stub, 1 failed" in text
    assert "fix: w" in text
    assert "A stub answers health checks only" in text


def test_a_place_has_no_login():
    assert place("postgresql://u:p@h:5432/d?x=1") == "h:5432"
    assert place("https://u:p@h/a") == "https://h/a"
    assert place("redis://:p@[::1]:6379") == "[::1]:6379"


class Databases:
    """Stand for database servers: `wrong` says what each port answers to a login."""

    def __init__(self, monkeypatch, **wrong: Wrong) -> None:
        self.wrong = {int(port.removeprefix("p")): said for port, said in wrong.items()}
        self.logins: list[int] = []
        monkeypatch.setattr(postgres, "reach", self.reach)
        monkeypatch.setattr(postgres, "log_in", self.log_in)

    def reach(self, endpoint):
        if (wrong := self.wrong.get(endpoint["port"])) is not None and wrong.silent:
            raise wrong

    def log_in(self, endpoint):
        self.logins.append(endpoint["port"])
        if (wrong := self.wrong.get(endpoint["port"])) is not None:
            raise wrong

    def asked(self, **more: dict[str, object]) -> dict[str, Result]:
        urls = {"DB_URL": "u:a@h:1", "POOLER_URL": "u.x:a@h:2", "READ_URL": "u:a@h:3", "PLAIN_DB_URL": "u:b@h:4"}
        outputs = {name: f"postgresql://{url}/d" for name, url in urls.items()}
        return {r.name: r for r in run(checks.of({**outputs, **more}), {}, pause=0)}


def test_a_password_that_one_database_refuses_is_given_to_no_other_one_and_never_twice(monkeypatch):
    databases = Databases(monkeypatch, p1=Wrong("the password of u is wrong", "give it anew", password=True))
    found = databases.asked()
    assert sorted(databases.logins) == [1, 4], "the one with another password is asked, too"
    assert (found["database"].verdict, found["database without Supabase"].verdict) == (Verdict.FAILED, Verdict.OK)
    for name in ("pooler, transactions", "database, to read"):
        assert found[name].verdict is Verdict.SKIPPED
        assert "not asked with the password that database refuses" in found[name].said


def test_where_the_first_database_is_away_the_next_one_tells_whether_the_password_is_right(monkeypatch):
    databases = Databases(monkeypatch, p1=Wrong("nobody answers", "start it", silent=True))
    found = databases.asked()
    assert sorted(databases.logins) == [2, 3, 4]
    assert {name for name, r in found.items() if r.verdict is not Verdict.OK} == {"database"}


def test_a_database_that_fails_for_another_reason_does_not_keep_the_others_from_being_asked(monkeypatch):
    databases = Databases(monkeypatch, p1=Wrong("there is no database d", "create it"))
    assert {name for name, r in databases.asked().items() if r.verdict is not Verdict.OK} == {"database"}
    assert sorted(databases.logins) == [1, 1, 1, 2, 3, 4]


def test_each_tenant_with_a_project_of_its_own_is_one_line_and_a_password_of_one_is_given_to_no_other(monkeypatch, gateway):
    _, url = gateway
    databases = Databases(monkeypatch, p5=Wrong("the password of u is wrong", "give it anew", password=True))
    own = {"API_URL": url, **NEW_KEYS, "STORAGE_S3_URL": url}
    found = databases.asked(
        TENANT_acme={
            "tier": "enterprise",
            "outputs": {**own, "DB_URL": "postgresql://u:c@h:5/d", "POOLER_URL": "postgresql://u:c@h:6/d"},
        },
        TENANT_globex={"tier": "enterprise", "outputs": {**own, "DB_URL": "postgresql://u:e@h:7/d"}},
        TENANT_small={"tier": "standard"},
    )
    assert sorted(databases.logins) == [1, 2, 3, 4, 5, 7]
    assert {name for name in found if "tenant" in name} == {"tenant acme", "tenant globex"}
    assert found["tenant globex"].verdict is Verdict.OK
    assert "well: database, API, auth, storage; not tried: storage by S3" in found["tenant globex"].said
    acme = found["tenant acme"]
    assert (acme.verdict, acme.refused, acme.fix) == (Verdict.FAILED, True, "give it anew")
    assert acme.said.startswith("database at h:5: the password of u is wrong; well: API")
    assert "pooler for transactions (h:6: not asked with the password that tenant acme: database refuses" in acme.said.replace(
        "  ", " "
    )


def test_where_there_is_no_key_of_the_old_kind_one_of_the_new_kind_will_do(gateway):
    found = asked(gateway[1], ANON_KEY="", SERVICE_ROLE_KEY="", **NEW_KEYS)
    assert {r.verdict for r in found.values()} == {Verdict.OK}
    assert "takes the publishable key" in found["API"].said


def test_a_project_that_others_run_is_asked_beside_a_cache_of_the_stacks_own(gateway):
    found = asked(gateway[1], {"valkey": {"kind": "local"}, "shop": {"kind": "registry"}})
    assert {r.verdict for r in found.values()} == {Verdict.OK}


def of_app(url: str, images: dict[str, object] | None = None, **told: str) -> Result:
    (found,) = run(checks.of({"APPS": {"shop": {"url": url, **told} if url else {}}}), images or {}, pause=0)
    assert found.name == "app shop"
    return found


def test_an_app_is_asked_at_its_health_path(gateway):
    handler, url = gateway
    handler.answers["/health"] = (200, {})
    found = of_app(url, healthPath="/health?deep=1")
    assert (found.verdict, found.said) == (Verdict.OK, f"{url}/health answers (HTTP 200)")
    handler.answers["/health"] = (404, {})
    assert of_app(url, healthPath="/health").verdict is Verdict.FAILED


def test_an_app_without_a_health_path_is_well_when_it_answers_at_all(gateway):
    handler, url = gateway
    assert of_app(url).said.endswith("answers (HTTP 404)")
    handler.answers["/"] = (503, {})
    assert "HTTP 503" in of_app(url).said
    assert of_app("http://127.0.0.1:1").verdict is Verdict.FAILED


def test_an_app_that_nobody_reaches_from_here_is_skipped_and_a_stub_for_one_is_told(gateway):
    handler, url = gateway
    assert (of_app("").verdict, of_app("", {"shop": {"kind": "stub"}}).verdict) == (Verdict.SKIPPED, Verdict.STUB)
    handler.stub = True
    assert of_app(url, healthPath="/health").verdict is Verdict.STUB


CLUSTER = Cluster(Path("k"), "c", "shop-dev", "127.0.0.1", (Forward("cache", "valkey", 6379, 6379),))


def test_apps_that_the_cluster_alone_reaches_are_asked_through_ports_that_the_plan_does_not_have():
    inside = "http://{}.shop-dev.svc.cluster.local:3000"
    outputs = {"APPS": {"back": {"url": inside.format("back")}, "front": {"url": "https://shop.example.com"}, "worker": {}}}
    (more,) = command._of_apps(outputs, CLUSTER)
    assert (more.service, more.port) == ("back", 3000)
    assert list(command._of_apps(outputs, replace(CLUSTER, forwards=(more,)))) == []
    here = replace(CLUSTER, forwards=(replace(more, local=4711),))
    moved = command._moved(outputs, lambda text: forwarded(text, here))
    assert moved["APPS"]["back"]["url"] == "http://127.0.0.1:4711"
    assert moved["APPS"]["front"]["url"] == "https://shop.example.com"


def test_standbys_of_an_operators_are_reached_like_the_rest_and_replicas_of_others_as_they_are():
    inside = f"postgresql://postgres:p@postgres-ro.{CLUSTER.namespace}.svc.cluster.local:5432/postgres"
    (more,) = command._of_standbys({"READ_URL": inside}, CLUSTER)
    assert more == Forward("postgresRead", "postgres-ro", 5432, 0)
    for url in ("", "postgresql://postgres:p@replica.example.com:5432/postgres"):
        assert list(command._of_standbys({"READ_URL": url}, CLUSTER)) == []


def test_a_cache_is_asked_for_the_database_that_its_url_names(monkeypatch):
    asked_for = []
    monkeypatch.setattr(cache.network, "reach", lambda *_, **__: None)
    monkeypatch.setattr(redis.Redis, "ping", lambda client: asked_for.append(client.get_connection_kwargs()["db"]))
    for path in ("", "/2"):
        (result,) = run(checks.of({"REDIS_URL": f"redis://:p@h:6379{path}"}), {}, pause=0)
        assert result.said == "h:6379 takes a login and a PING"
    assert asked_for == [0, 2]


class Session:
    """Stands for a login that finds the schema, if it is there, and what its user may do in it."""

    def __init__(self, found: tuple[bool] | None) -> None:
        self.found = found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def execute(self, _query, names):
        assert names == ("ci",)
        return self

    def fetchone(self):
        return self.found


@pytest.mark.parametrize(
    ("found", "said"),
    [((True,), "has the schema ci"), ((False,), "u may not make tables in the schema ci"), (None, "there is no schema ci")],
)
def test_the_tests_schema_must_be_there_and_its_users_to_fill(monkeypatch, found, said):
    monkeypatch.setattr(postgres, "reach", lambda _: None)
    monkeypatch.setattr(psycopg, "connect", lambda **_: Session(found))
    outputs = {"TEST_DATABASE_URL": "postgresql://u:p@h:1/d?schema=ci", "TEST_SCHEMA": "ci"}
    (result,) = run(checks.of(outputs), {}, pause=0)
    assert said in result.said
    assert (result.verdict is Verdict.OK) == (found == (True,))
