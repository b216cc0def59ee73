"""The gateway's service."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import yaml

from components.gateway import envoy, routes
from components.service import Encoding, Gate, Secret, Text
from components.services import secret_names as names
from components.services.context import Urls
from components.services.gateway import gateway
from tests.unit.gateway.contexts import ALL, context
from tests.unit.gateway.test_routes import RELEASES
from tests.unit.gateway.written import data, raw
from tests.unit.settings.samples.gateway import CERTIFICATE

each_release = pytest.mark.parametrize("release", RELEASES)


def published(service):
    return {port.publish: port.number for port in service.ports}


def plain(text: Text) -> str:
    (part,) = text.parts
    assert isinstance(part, str)
    return part


@each_release
def test_it_is_the_releases_program_at_the_same_place(release):
    service = gateway(context(release))
    assert service.image.role == ("envoy" if release == "2026-09" else "kong")
    assert (service.name, service.provides, service.port("http").number) == ("gateway", {"gateway": "http"}, 8000)
    assert published(service)["api"] == 8000
    assert not service.optional
    assert service.replicable


@each_release
def test_it_connects_to_what_its_table_names_and_waits_for_nobody(release):
    made = context(release, running=ALL - {"storage"})
    edges = gateway(made).connects
    assert {edge.capability for edge in edges} == set(routes.upstreams(routes.table(made)))
    assert {edge.gate for edge in edges} == {Gate.NONE}


@each_release
def test_studio_has_a_port_of_its_own_as_long_as_it_runs(release):
    assert published(gateway(context(release)))["studio"] == envoy.STUDIO_PORT
    assert "studio" not in published(gateway(context(release, running=ALL - {"studio"})))


def test_https_is_published_with_a_certificate():
    assert "apiHttps" not in published(gateway(context()))
    service = gateway(context(tlsCertificate=CERTIFICATE))
    assert published(service)["apiHttps"] == 8443
    assert names.TLS_KEY in service.secrets


def test_kong_always_has_https_and_takes_a_certificate():
    without = gateway(context("2024-05"))
    assert published(without)["apiHttps"] == 8443
    assert names.TLS_KEY not in without.secrets
    service = gateway(context("2024-05", tlsCertificate=CERTIFICATE))
    placed = {file.path: file.content for file in service.files}
    assert plain(placed[plain(service.env["KONG_SSL_CERT"])]) == CERTIFICATE
    assert placed[plain(service.env["KONG_SSL_CERT_KEY"])].parts == (Secret(names.TLS_KEY, Encoding.RAW),)


@each_release
@pytest.mark.parametrize("settings", [{}, {"tlsCertificate": CERTIFICATE}], ids=["http", "https"])
def test_no_secret_is_in_its_environment_or_its_command(release, settings):
    service = gateway(context(release, **settings))
    assert not any(text.secrets for text in service.env.values())
    assert not any(isinstance(word, Secret) for word in (*service.command, *service.entrypoint, *service.health.command))
    # Its own user reads them, who is not root in either image.
    assert all(file.mode & 0o004 for file in service.files)


def test_envoys_command_names_the_files_that_are_placed():
    service = gateway(context())
    assert {file.path for file in service.files} == {envoy.CONFIG_PATH, envoy.LUA_PATH}
    assert service.command[:3] == ("envoy", "-c", envoy.CONFIG_PATH)
    assert envoy.CONFIG_PATH.endswith(".yaml"), "Envoy goes by the name"


def test_what_is_json_is_yaml_too():
    """Kong reads the file as YAML, by its name."""
    made = context("2024-05")
    made.settings["studio"]["username"] = "\U0001f600 \x7f"
    (config,) = gateway(made).files
    assert config.path == plain(gateway(made).env["KONG_DECLARATIVE_CONFIG"])
    assert yaml.safe_load(raw(config.content)) == data(config.content)


@pytest.mark.parametrize(
    ("api", "settings", "inner"),
    [
        ("http://127.0.0.1:54321", {}, "54321:8000"),
        ("https://127.0.0.1:54330", {"tlsCertificate": CERTIFICATE}, "54330:8443"),
        ("https://api.example.com", {"publicUrl": "https://api.example.com"}, "443:8000"),
        ("http://api.example.com", {"publicUrl": "http://api.example.com"}, "80:8000"),
        ("https://api.example.com", {"publicUrl": "https://api.example.com", "tlsCertificate": CERTIFICATE}, "443:8000"),
    ],
)
def test_kong_tells_services_the_port_that_clients_use(api, settings, inner):
    made = context("2024-05", urls=Urls(api=api, studio="http://127.0.0.1:54323", site="http://127.0.0.1:3025"), **settings)
    assert urlsplit(made.urls.api).scheme in ("http", "https")
    assert plain(gateway(made).env["KONG_PORT_MAPS"]) == inner


def test_kongs_log_has_no_query():
    env = gateway(context("2024-05")).env
    name, _, line = plain(env["KONG_NGINX_HTTP_LOG_FORMAT"]).partition(" ")
    assert plain(env["KONG_PROXY_ACCESS_LOG"]) == f"/dev/stdout {name}"
    for forbidden in ("$request ", '$request"', "$request_uri", "$args", "$query_string", "referer"):
        assert forbidden not in line


def test_kong_has_no_admin_port():
    env = gateway(context("2024-05")).env
    assert plain(env["KONG_ADMIN_LISTEN"]) == "off"
    assert "8001" not in plain(env["KONG_PROXY_LISTEN"])


def test_memory_follows_the_setting():
    made = context()
    assert gateway(made).resources.memory_mib == 96
    more = replace(made, settings={**made.settings, "services": {"gateway": {"memory": 2**28}}})
    assert gateway(more).resources.memory_mib == 256
