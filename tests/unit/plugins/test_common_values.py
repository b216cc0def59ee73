"""Plain values to the wire and back, and where secrets stay."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.runtime import rpc

from toolchain.plugins.common.values import (
    UNKNOWN,
    has_unknown,
    plain_map,
    property_map,
    secret_keys,
    secret_strings,
    to_plain,
    to_property,
    with_secrets_of,
)


def secret(value: Any) -> PropertyValue:
    return to_property(value).with_secret(True)


SCALARS = st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(st.dictionaries(st.text(), PLAIN))
def test_plain_values_come_back_from_the_wire(values: dict[str, Any]) -> None:
    sent = PropertyValue.marshal_map(property_map(values))
    assert plain_map(PropertyValue.unmarshal_map(sent)) == values


@given(st.dictionaries(st.text(min_size=1), PLAIN, min_size=1))
def test_an_output_of_a_secret_inputs_name_hides_it_whole_or_in_its_parts(values: dict[str, Any]) -> None:
    inputs = {key: secret(value) for key, value in values.items()}
    assert secret_keys(with_secrets_of(property_map(values), inputs)) == set(values)


def test_the_unknown_is_the_sdks() -> None:
    assert rpc.UNKNOWN == UNKNOWN
    assert to_plain(PropertyValue(Computed())) == UNKNOWN
    # A boolean, a number, a list or an object that is not known has a mark of its own (pulumi, rpc.go, UnknownBoolValue).
    assert to_plain(PropertyValue("1c4a061d-8072-4f0a-a4cb-0ff528b18fe7")) == UNKNOWN
    assert to_property(UNKNOWN).marshal().string_value == UNKNOWN


@pytest.mark.parametrize("value", [UNKNOWN, ["a", UNKNOWN], {"a": {"b": [UNKNOWN]}}])
def test_an_unknown_is_found_anywhere_inside(value: Any) -> None:
    assert has_unknown(value)
    assert not has_unknown({"a": ["b", 1, None, True]})


def test_inside_an_object_only_what_was_secret_is() -> None:
    inputs = {"keepers": PropertyValue({"a": PropertyValue("1"), "b": secret("2")})}
    marked = with_secrets_of(property_map({"keepers": {"a": "1", "b": "2"}, "other": "3"}), inputs)
    assert marked == {
        "keepers": PropertyValue({"a": PropertyValue("1"), "b": secret("2")}),
        "other": PropertyValue("3"),
    }


def test_a_list_with_a_secret_in_it_is_secret_whole() -> None:
    # pulumi, provider_plugin.go, annotateSecrets: only objects are gone into
    inputs = {"envs": PropertyValue([PropertyValue("A=1"), secret("B=2")])}
    marked = with_secrets_of(property_map({"envs": ["B=2", "A=1", "PATH=/bin"]}), inputs)
    assert marked["envs"].is_secret


def test_an_object_that_was_secret_whole_stays_so() -> None:
    assert with_secrets_of(property_map({"a": {"b": "c"}}), {"a": secret({"b": "c"})})["a"].is_secret


def test_nulls_are_left_out() -> None:
    assert plain_map({"a": PropertyValue(None), "b": PropertyValue(1.0)}) == {"b": 1}
    assert property_map({"a": None, "b": 1}) == {"b": PropertyValue(1.0)}


def test_secret_texts_are_found_with_the_values_of_assignments() -> None:
    source = {
        "envs": PropertyValue([secret("PASSWORD=hunter22"), PropertyValue("A=shown")]),
        "n": secret("abc"),
        "u": secret(UNKNOWN),
    }
    assert secret_strings(source) == {"PASSWORD=hunter22", "hunter22"}
