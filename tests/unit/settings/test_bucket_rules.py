"""What the settings of Storage's buckets can't say together."""

import pytest

from components.settings import SettingsError, load


def given(buckets, **storage):
    config = {"supastack:supabase": {"storage": {"buckets": buckets, **storage}}, "supastack:envFiles": {}}
    return load(config, stack="dev")


@pytest.mark.parametrize(
    ("command", "key", "instead"),
    [("insert", "using", "withCheck"), ("select", "withCheck", "using"), ("delete", "withCheck", "using")],
)
def test_a_condition_that_a_policy_can_not_have_is_refused_with_the_one_it_can(command, key, instead):
    with pytest.raises(SettingsError) as refused:
        given({"a": {"policies": {"p": {"command": command, key: "true"}}}})
    text = str(refused.value)
    assert f"supabase.storage.buckets.a.policies.p.{key}" in text
    assert f"write it as {instead}" in text


def test_a_condition_that_it_can_have_is_taken():
    given({"a": {"policies": {"p": {"command": "update", "using": "true", "withCheck": "true"}, "q": {"command": "insert"}}}})


def test_two_buckets_can_not_have_a_policy_of_one_name():
    with pytest.raises(SettingsError) as refused:
        given({"a": {"policies": {"p": {}}}, "b": {"policies": {"p": {}}}})
    assert "bucket a has a policy of that name" in str(refused.value)


def test_buckets_without_storage_are_said_to_have_no_effect():
    (said,) = [w for w in given({"a": {}}, enabled=False).warnings if "buckets" in w]
    assert "has no effect: Storage is turned off" in said
