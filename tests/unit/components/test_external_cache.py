"""A cache that others run: nothing is made for it, and REDIS_URL leads to it."""

import pulumi
import pytest

from components.cache import Cache, external, services
from tests.conftest import holders_of, unwrapped
from tests.unit.components.placements import placement

UPSTASH = {"host": "eu1-fit-cat-12345.upstash.io", "port": 6380, "user": "default"}


def args(password="From/the:cache@x", **at):
    given = {"placement": placement(), "settings": {"engine": "external", "external": at}}
    return given if password is None else {**given, "password": password}


def url(engine, given):
    recorder = engine(lambda: Cache("cache", given))
    assert set(recorder.requests) <= {"cache", "supastack-dev"}, "nothing is made, no password either"
    return recorder.outputs["cache"]


def test_its_url_has_the_users_name_and_the_password_encoded_and_is_a_secret(engine):
    outputs = url(engine, args(**UPSTASH))
    assert unwrapped(outputs)["url"] == "rediss://default:From%2Fthe%3Acache%40x@eu1-fit-cat-12345.upstash.io:6380"
    assert holders_of("From%2Fthe", outputs) == {"secret"}


def test_without_a_user_the_password_stands_alone_and_without_tls_the_scheme_says_so(engine):
    assert unwrapped(url(engine, args(host="10.1.2.3", tls=False)))["url"] == "redis://:From%2Fthe%3Acache%40x@10.1.2.3:6379"


def test_an_address_of_ip_version_6_stands_in_brackets(engine):
    assert unwrapped(url(engine, args(host="2001:db8::7")))["url"].endswith("@[2001:db8::7]:6379")


def test_one_that_asks_for_no_password_has_none_in_its_url(engine):
    assert unwrapped(url(engine, args(host="cache.internal", anonymous=True)))["url"] == "rediss://cache.internal:6379"


@pytest.mark.parametrize(("given", "named"), [(args(), "host"), (args(None, host="cache.internal"), "password")])
def test_it_names_what_it_lacks(engine, given, named):
    with pytest.raises(pulumi.InputPropertyError) as refused:
        engine(lambda: Cache("cache", given))
    assert named in refused.value.property_path


def test_one_that_is_turned_off_needs_nothing_and_has_no_url(engine):
    given = {"placement": placement(), "settings": {"engine": "external", "enabled": False}}
    assert unwrapped(url(engine, given))["url"] == ""
    assert external(given) is None
    assert services(given) == ()


def test_only_an_external_cache_is_one():
    assert external(args(**UPSTASH))["host"] == UPSTASH["host"]
    assert external({"placement": placement()}) is None
