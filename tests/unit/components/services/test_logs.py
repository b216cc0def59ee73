"""What Logflare and Vector are told."""

import json
import re

import pytest
import yaml

from components.service import Gate, Logs, LogsPart
from components.services.vector import SOURCES
from components.supabase_settings.override import SERVICES
from tests.unit.components.services.making import edges, env, made, written

ON = {"analytics": {"enabled": True}, "vector": {"enabled": True}}
SOURCE = '{"type": "docker_logs", "include_labels": ["a=b"]}'


def config(service):
    """Vector's configuration with a source in it, as text and as data."""
    told = {LogsPart.SOURCE: SOURCE, LogsPart.SERVICE: '.label."a.b"'}
    (file,) = service.files
    parts = [told[part.part] if isinstance(part, Logs) else part for part in file.content.parts]
    text = "".join(part if isinstance(part, str) else written(type(file.content)((part,))) for part in parts)
    return text, yaml.safe_load(text)


def test_logs_are_off_unless_the_settings_want_them():
    assert made("analytics").off
    assert made("vector").off


def test_logflare_is_published_only_where_the_settings_say_so():
    assert [port.publish for port in made("analytics", ON).ports] == [None]
    published = made("analytics", {"analytics": {"enabled": True, "publish": True}})
    assert [port.publish for port in published.ports] == ["analytics"]


def test_logflare_waits_for_the_database_and_nothing_waits_for_the_logs():
    assert [(edge.capability, edge.gate) for edge in made("analytics", ON).connects] == [("postgres", Gate.HEALTHY)]
    for service in ("analytics", "vector"):
        assert made(service, ON).optional
    assert [(edge.capability, edge.gate) for edge in made("vector", ON).connects] == [("analytics", Gate.NONE)]


def test_one_key_is_for_all_in_the_set_of_2024_and_two_are_in_newer_ones():
    old, new = env(made("analytics", ON, release="2024-05")), env(made("analytics", ON))
    assert old["LOGFLARE_API_KEY"] == "{logflare-public-access-token}"
    assert new["LOGFLARE_PUBLIC_ACCESS_TOKEN"] != new["LOGFLARE_PRIVATE_ACCESS_TOKEN"]
    assert not set(old) & {"LOGFLARE_PUBLIC_ACCESS_TOKEN", "LOGFLARE_PRIVATE_ACCESS_TOKEN"}


@pytest.mark.parametrize("release", ["2026-09", "2024-05"])
def test_vector_asks_the_target_for_its_source_and_names_no_container(release):
    service = made("vector", ON, release=release)
    assert service.collects_logs
    text, told = config(service)
    assert told["sources"] == {"stack": json.loads(SOURCE)}
    assert "supabase-" not in text
    assert '.label."a.b"' in told["transforms"]["told"]["source"]


def test_every_source_of_logflare_gets_the_logs_of_its_service():
    _, told = config(made("vector", ON))
    assert set(SOURCES) <= set(SERVICES)
    assert set(told["sinks"]) == set(SOURCES)
    for service, source in SOURCES.items():
        sink = told["sinks"][service]
        assert sink["uri"] == f"http://{{analytics}}/api/logs?source_name={source}"
        (transform,) = (told["transforms"][name] for name in sink["inputs"])
        assert transform["inputs"] == [f"by_service.{service}"]
        assert told["transforms"]["by_service"]["route"][service] == f'.appname == "{service}"'


@pytest.mark.parametrize(("release", "variable"), [("2026-09", "LOGFLARE_PUBLIC_ACCESS_TOKEN"), ("2024-05", "LOGFLARE_API_KEY")])
def test_the_token_comes_from_the_environment_and_no_dollar_sign_stands_elsewhere(release, variable):
    service = made("vector", ON, release=release)
    assert set(env(service)) == {variable}
    assert not service.files[0].content.secrets
    text, told = config(service)
    assert {sink["request"]["headers"]["x-api-key"] for sink in told["sinks"].values()} == {
        f"${{{variable}?{variable} is required}}"
    }
    assert set(re.findall(r"\$.{0,3}", text)) == {f"${{{variable[:2]}"}


def test_vector_is_asked_where_it_listens():
    service = made("vector", ON)
    _, told = config(service)
    assert told["api"]["address"].endswith(f":{service.ports[0].number}")
    assert service.health.command[-1] == f"http://127.0.0.1:{service.ports[0].number}/health"


def test_vector_connects_to_logflare_alone():
    assert edges(made("vector", ON)) == {"analytics"}
