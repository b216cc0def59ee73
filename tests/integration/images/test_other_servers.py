"""The pgbouncer, envoy, mailpit and imgproxy images. The stub's image lends curl."""

import base64
from collections.abc import Callable

import pytest

from tests.integration.images.conftest import Box, Dock, as_json

pytestmark = pytest.mark.docker

PASSWORD = "pool-Test_0123456789"
# A red PNG, 2 by 2.
PIXELS = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR42mP4z8AARAwQCgAf7gP9Y167WwAAAABJRU5ErkJggg=="
ENVOY = """\
static_resources:
  listeners:
    - address: {socket_address: {address: 0.0.0.0, port_value: 8000}}
      filter_chains:
        - filters:
            - name: http
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: test
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - match: {prefix: /}
                          direct_response: {status: 200, body: {inline_string: through envoy}}
                http_filters:
                  - name: router
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
"""
LISTENS = ("timeout", "1", "bash", "-c", "</dev/tcp/127.0.0.1/8000")


@pytest.fixture
def curl(dock: Dock, image: Callable[[str], str]) -> Box:
    return dock.box(image("stub"), "1").healthy()


def test_pgbouncer_pools_with_its_configuration_and_user_list(dock: Dock, image: Callable[[str], str]) -> None:
    env = {"POSTGRES_PASSWORD": PASSWORD}
    health = ("pg_isready", "-U", "postgres", "-h", "localhost")
    database = dock.box(image("postgres"), env=env, health=health).healthy()
    configuration = (
        f"[databases]\npostgres = host={database.name} port=5432\n[pgbouncer]\nlisten_addr = *\nlisten_port = 6543\n"
        "auth_type = scram-sha-256\nauth_file = /etc/pgbouncer/userlist.txt\npool_mode = transaction\n"
        # A user list with plain passwords can log in to a server that asks for SCRAM.
        "ignore_startup_parameters = extra_float_digits\n"
    )
    files = {"/etc/pgbouncer/pgbouncer.ini": configuration, "/etc/pgbouncer/userlist.txt": f'"postgres" "{PASSWORD}"\n'}
    pool = dock.box(image("pgbouncer"), files=files).ready("pg_isready", "-h", "localhost", "-p", "6543")
    query = ("psql", "-At", f"host={pool.name} port=6543 user=postgres dbname=postgres", "-c", "select 40 + 2")
    assert database.ok(*query, env={"PGPASSWORD": PASSWORD}) == "42"
    code, output = database.run(*query, env={"PGPASSWORD": "wrong"})
    assert code != 0
    assert "password authentication failed" in output or "SASL authentication failed" in output
    assert pool.ok("stat", "-c", "%u", "/proc/1") == "70"


def test_pgbouncer_without_a_configuration_says_so(dock: Dock, image: Callable[[str], str]) -> None:
    refused = dock.box(image("pgbouncer"))
    assert refused.exit_code() == 1
    assert "/etc/pgbouncer/pgbouncer.ini is missing" in refused.logs()


def test_envoy_serves_its_configuration_and_is_not_root(dock: Dock, image: Callable[[str], str], curl: Box) -> None:
    proxy = dock.box(image("envoy"), files={"/etc/envoy/envoy.yaml": ENVOY}, health=LISTENS).healthy()
    assert curl.ok("curl", "-fsS", f"http://{proxy.name}:8000/any") == "through envoy"
    assert proxy.ok("stat", "-c", "%U", "/proc/1") == "envoy"
    proxy.container.stop(timeout=30)
    assert proxy.exit_code() == 0


def test_envoy_runs_an_entrypoint_of_ones_own(dock: Dock, image: Callable[[str], str]) -> None:
    script = "sed 's/through/around/' /tmp/template.yaml > /etc/envoy/envoy.yaml && exec envoy -c /etc/envoy/envoy.yaml"
    files = {"/tmp/template.yaml": ENVOY, "/docker-entrypoint.sh": script}
    dock.box(image("envoy"), entrypoint=["/bin/sh", "/docker-entrypoint.sh"], files=files, health=LISTENS).healthy()


def test_mailpit_takes_a_mail_and_shows_it(dock: Dock, image: Callable[[str], str], curl: Box) -> None:
    server = dock.box(image("mailpit"), health=("/mailpit", "readyz")).healthy()
    curl.put("/tmp/mail", "Subject: hello\r\nFrom: a@example.com\r\nTo: b@example.com\r\n\r\nText\r\n")
    address = f"smtp://{server.name}:1025"
    curl.ok("curl", "-sS", address, "--mail-from", "a@example.com", "--mail-rcpt", "b@example.com", "-T", "/tmp/mail")
    messages = as_json(curl.ok("curl", "-fsS", f"http://{server.name}:8025/api/v1/messages"))
    assert [m["Subject"] for m in messages["messages"]] == ["hello"]


def test_imgproxy_resizes_a_file(dock: Dock, image: Callable[[str], str], curl: Box) -> None:
    env = {
        "IMGPROXY_BIND": ":5001",
        "IMGPROXY_LOCAL_FILESYSTEM_ROOT": "/",
        "IMGPROXY_USE_ETAG": "true",
        "IMGPROXY_AUTO_WEBP": "true",
    }
    server = dock.box(image("imgproxy"), env=env, health=("imgproxy", "health"), start=False)
    server.put("/srv/a.png", base64.b64decode(PIXELS))
    server.container.start()
    server.healthy()
    url = f"http://{server.name}:5001/insecure/rs:fill:7:5/el:1/plain/local:///srv/a.png@png"
    # Width and height stand in bytes 16 to 23 of a PNG.
    assert curl.ok("sh", "-c", f"curl -fsS '{url}' | od -An -tu1 -j16 -N8").split() == ["0", "0", "0", "7", "0", "0", "0", "5"]
    webp = f"curl -fsS -H 'Accept: image/webp' '{url.removesuffix('@png')}' | od -An -c -j8 -N4"
    assert curl.ok("sh", "-c", webp).split() == list("WEBP")
    assert server.ok("id", "-u") == "999"
