"""The postgres-meta and redis-commander images: npm packages on Debian's Node. The stub's image lends curl."""

from collections.abc import Callable

import pytest

from tests.integration.images.conftest import Box, Dock, as_json

pytestmark = pytest.mark.docker

PASSWORD = "node-Test_0123456789"
CRYPTO_KEY = "abcdefghijklmnopqrstuvwxyz012345"
# As Studio names another connection to postgres-meta: encrypted with the key that both know.
ENCRYPT = """\
const crypto = require('/usr/src/app/node_modules/crypto-js');
console.log(crypto.AES.encrypt(process.argv[1], process.argv[2]).toString());
"""


@pytest.fixture
def curl(dock: Dock, image: Callable[[str], str]) -> Box:
    return dock.box(image("stub"), "1").healthy()


@pytest.fixture
def database(dock: Dock, image: Callable[[str], str]) -> Box:
    health = ("pg_isready", "-U", "postgres", "-h", "localhost")
    env = {"POSTGRES_PASSWORD": PASSWORD}
    server = dock.box(image("postgres"), env=env, health=health).healthy()
    server.ok("psql", "-U", "postgres", "-c", "create table public.invoices (id int primary key, paid boolean not null)")
    return server


def meta_environment(database: Box, password: str = PASSWORD) -> dict[str, str]:
    return {
        "PG_META_PORT": "8080",
        "PG_META_DB_HOST": database.name,
        "PG_META_DB_PORT": "5432",
        "PG_META_DB_NAME": "postgres",
        "PG_META_DB_USER": "postgres",
        "PG_META_DB_PASSWORD": password,
        "CRYPTO_KEY": CRYPTO_KEY,
    }


def post(curl: Box, server: Box, path: str, body: str, *more: str) -> str:
    arguments = ["curl", "-sS", "-X", "POST", "-H", "Content-Type: application/json", "-d", body, *more]
    return curl.ok(*arguments, f"http://{server.name}:8080{path}")


def test_postgres_meta_describes_and_queries_the_database(
    dock: Dock, image: Callable[[str], str], curl: Box, database: Box
) -> None:
    # By its own health check, and on a root file system that is read-only.
    meta = dock.box(image("postgres-meta"), env=meta_environment(database), read_only=True).healthy()
    get = ("curl", "-fsS")
    assert "date" in as_json(curl.ok(*get, f"http://{meta.name}:8080/health"))
    tables = as_json(curl.ok(*get, f"http://{meta.name}:8080/tables?included_schemas=public"))
    assert [t["name"] for t in tables] == ["invoices"]
    assert as_json(post(curl, meta, "/query", '{"query": "select current_user as who"}')) == [{"who": "postgres"}]
    assert "paid: boolean" in curl.ok(*get, f"http://{meta.name}:8080/generators/typescript")
    # What the parts are for that are taken out of, or chosen for, this image: parser and formatter.
    assert as_json(post(curl, meta, "/query/parse", '{"query": "select 1"}'))["stmts"]
    assert "select" in post(curl, meta, "/query/format", '{"query": "select   1 from t"}')


def test_postgres_meta_takes_an_encrypted_connection_with_its_key_only(
    dock: Dock, image: Callable[[str], str], curl: Box, database: Box
) -> None:
    meta = dock.box(image("postgres-meta"), env=meta_environment(database)).healthy()
    address = f"postgresql://supabase_admin:{PASSWORD}@{database.name}:5432/postgres"
    answers = {}
    for key in (CRYPTO_KEY, "another-key-another-key-another-"):
        secret = meta.ok("node", "-e", ENCRYPT, address, key)
        body = '{"query": "select current_user as who"}'
        answers[key] = post(curl, meta, "/query", body, "-H", f"x-connection-encrypted: {secret}")
    assert as_json(answers.pop(CRYPTO_KEY)) == [{"who": "supabase_admin"}]
    assert "supabase_admin" not in str(answers)


def test_postgres_meta_with_a_wrong_password_is_healthy_and_says_what_is_wrong_when_asked(
    dock: Dock, image: Callable[[str], str], curl: Box, database: Box
) -> None:
    meta = dock.box(image("postgres-meta"), env=meta_environment(database, "wrong")).healthy()
    assert "password authentication failed" in post(curl, meta, "/query", '{"query": "select 1"}')
    assert "password authentication failed" in curl.ok("curl", "-sS", f"http://{meta.name}:8080/tables")


def test_postgres_meta_makes_types_as_the_supabase_cli_asks_it_to(dock: Dock, image: Callable[[str], str], database: Box) -> None:
    address = f"postgresql://postgres:{PASSWORD}@{database.name}:5432/postgres"
    env = {"PG_META_DB_URL": address, "PG_META_GENERATE_TYPES": "typescript", "PG_META_GENERATE_TYPES_INCLUDED_SCHEMAS": "public"}
    text = dock.once(image("postgres-meta"), "node", "dist/server/server.js", env=env)
    assert "export type Database" in text
    assert "invoices: {" in text


def test_postgres_meta_is_not_root_and_stops_when_told(dock: Dock, image: Callable[[str], str], database: Box) -> None:
    meta = dock.box(image("postgres-meta"), env=meta_environment(database)).healthy()
    assert meta.ok("stat", "-c", "%u", "/proc/1") == "65532"
    meta.container.stop(timeout=60)
    # Not killed: 137 would be SIGKILL after the grace.
    assert meta.exit_code() == 0


def test_redis_commander_shows_what_is_in_the_server_it_is_given(dock: Dock, image: Callable[[str], str], curl: Box) -> None:
    server = dock.box(image("valkey"), "valkey-server", "--requirepass", PASSWORD)
    server.ready("valkey-cli", "-a", PASSWORD, "-n", "3", "set", "hello", "world")
    health = ("/redis-commander/bin/healthcheck.js",)
    env = {"REDIS_HOSTS": f"local:{server.name}:6379:3:{PASSWORD}", "PORT": "8081"}
    page = dock.box(image("redis-commander"), env=env, health=health).healthy()
    base = f"http://{page.name}:8081"
    listed = as_json(curl.ok("curl", "-fsS", f"{base}/connections"))["connections"]
    assert [(c["label"], c["conId"]) for c in listed] == [("local", f"R:{server.name}:6379:3")]
    assert PASSWORD not in str(listed)
    value = as_json(curl.ok("curl", "-fsS", f"{base}/apiv2/key/R:{server.name}:6379:3/hello"))
    assert value["value"] == "world"
    # The scripts that the page asks for are there.
    html = curl.ok("curl", "-fsS", f"{base}/")
    for script in ("scripts/browserify.js", "scripts/redisCommander.js", "jstree/jstree.js", "json-viewer/jquery.json-viewer.js"):
        assert script in html
        curl.ok("curl", "-fsS", "-o", "/dev/null", f"{base}/{script}")
    assert page.ok("stat", "-c", "%u", "/proc/1") == "10000"
    assert PASSWORD not in page.logs()


def test_redis_commander_asks_for_its_login_where_one_is_set(dock: Dock, image: Callable[[str], str], curl: Box) -> None:
    health = ("/redis-commander/bin/healthcheck.js",)
    for env in ({"HTTP_PASSWORD": PASSWORD}, {"HTTP_PASSWORD_FILE": "/tmp/password"}):
        files = {"/tmp/password": PASSWORD}
        page = dock.box(image("redis-commander"), env={**env, "HTTP_USER": "admin"}, files=files, health=health).healthy()
        address = f"http://{page.name}:8081/signin"
        ask = ("curl", "-sS", "-X", "POST", "-d")
        assert as_json(curl.ok(*ask, f"username=admin&password={PASSWORD}", address))["ok"] is True
        assert as_json(curl.ok(*ask, "username=admin&password=wrong", address))["ok"] is False
        refused = curl.ok("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", f"http://{page.name}:8081/connections")
        assert refused == "401"
