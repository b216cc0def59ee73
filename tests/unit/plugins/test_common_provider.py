"""The table-driven base: check, diff, previews, secrets, cancelling. No engine."""

import asyncio
from typing import Any

import pytest
from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue

from toolchain.plugins.common.errors import InitFailed, UserError
from toolchain.plugins.common.official import Official
from toolchain.plugins.common.provider import Call, Resource, StandIn, State
from toolchain.plugins.common.schema import Field, Kind, ResourceType, at_least
from toolchain.plugins.common.values import UNKNOWN, plain_map, property_map, secret_keys, to_property

TOKEN = "pkg:index:Thing"
URN = f"urn:pulumi:dev::p::outer:index:Component${TOKEN}::name"
OFFICIAL = Official("pkg", "1.2.3")


class Thing(Resource):
    kind = ResourceType(
        TOKEN,
        {
            "size": Field(Kind.INT, required=True, replaces=True, rule=at_least(1)),
            "on": Field(Kind.BOOL, default=True),
            "text": Field(Kind.STRING, replaces=lambda old, new: new != "quiet"),
            "tags": Field(Kind.MAP),
            "made": Field(Kind.STRING, output_only=True, derives_from=("text",)),
            "key": Field(Kind.STRING, output_only=True, secret=True),
        },
        rule=lambda inputs: ["size and text do not fit"] if inputs.get("text") == "misfit" else [],
    )

    def create(self, call: Call, inputs: State) -> tuple[str, State]:
        outputs = self.plan(inputs, None) | {"made": f"from {inputs.get('text')}", "key": "k"}
        if inputs.get("text") == "wait" and call.cancelled.wait(60):
            raise InitFailed("an-id", outputs, ["cancelled"])
        return "an-id", outputs

    def read(self, call: Call, resource_id: str, state: State, inputs: State) -> tuple[str, State, State] | None:
        return None if state.get("size") == 9 else (resource_id, state, inputs)

    def update(self, call: Call, resource_id: str, state: State, inputs: State) -> State:
        return {**state, **self.plan(inputs, state)}

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        raise UserError("in use")


def stand_in() -> StandIn:
    return StandIn(OFFICIAL, [Thing()])


def secret(value: str) -> PropertyValue:
    return to_property(value).with_secret(True)


def failures(**inputs: Any) -> list[str]:
    found = asyncio.run(stand_in().check(api.CheckRequest(URN, {}, property_map(inputs), b"")))
    assert all(f.property == "" for f in found.failures or ())
    return [f.reason for f in found.failures or ()]


def create(inputs: dict[str, PropertyValue], *, preview: bool = False) -> dict[str, PropertyValue]:
    return asyncio.run(stand_in().create(api.CreateRequest(URN, inputs, 0, preview))).properties


def diff(state: dict[str, Any], inputs: dict[str, Any]) -> api.DiffResponse:
    return asyncio.run(stand_in().diff(api.DiffRequest(URN, "i", property_map(state), property_map(inputs), [])))


@pytest.mark.parametrize(
    ("inputs", "reasons"),
    [
        ({"size": 1, "on": False, "text": "a", "tags": {"a": "b"}}, []),
        ({"size": UNKNOWN, "on": UNKNOWN, "text": UNKNOWN, "tags": {"a": UNKNOWN}}, []),
        ({"size": 1, "tags": UNKNOWN, "__defaults": []}, []),
        ({}, ["size is missing"]),
        ({"size": 0}, ["size must be at least 1"]),
        ({"size": "1"}, ["size must be a whole number"]),
        ({"size": True}, ["size must be a whole number"]),
        ({"size": 1.5}, ["size must be a whole number"]),
        ({"size": 1, "on": "true"}, ["on must be a boolean"]),
        ({"size": 1, "text": 1}, ["text must be a string"]),
        ({"size": 1, "tags": ["a"]}, ["tags must be a map of strings"]),
        ({"size": 1, "tags": {"a": 1, "b": "c"}}, ["tags.a must be a string"]),
        ({"size": 1, "made": "m"}, ["made is an output and can't be given"]),
        ({"size": 1, "text": "misfit"}, ["size and text do not fit"]),
        ({"on": 1, "text": 1}, ["size is missing", "on must be a boolean", "text must be a string"]),
    ],
)
def test_check_names_every_problem_and_passes_what_is_right(inputs: dict[str, Any], reasons: list[str]) -> None:
    assert sorted(failures(**inputs)) == sorted(reasons)


def test_an_unknown_field_or_type_or_function_or_setting_is_refused_with_the_way_out() -> None:
    (field,) = failures(size=1, colour="red")
    assert "colour is not a field of pkg:index:Thing" in field
    with pytest.raises(UserError) as other_type:
        asyncio.run(stand_in().check(api.CheckRequest("urn:pulumi:dev::p::pkg:index:Other::n", {}, {}, b"")))
    assert "pkg:index:Other is a type that this plugin does not have; it has Thing" in str(other_type.value)
    with pytest.raises(UserError) as function:
        asyncio.run(stand_in().invoke(api.InvokeRequest("pkg:index:find", {})))
    settings = asyncio.run(
        stand_in().check_config(api.CheckRequest("u", {}, property_map({"host": "h", "version": "1.2.3"}), b""))
    )
    (setting,) = settings.failures or ()
    assert "host is not a field of pulumi:providers:pkg" in setting.reason
    for text in (field, str(other_type.value), str(function.value), setting.reason):
        assert "Supastack's stand-in for the official Pulumi plugin pkg 1.2.3" in text
        assert "pulumi plugin install resource pkg 1.2.3" in text


def test_no_message_of_check_repeats_a_value() -> None:
    assert "hunter22" not in " ".join(failures(size="hunter22", on="hunter22", tags={"a": "b", "c": 1}, colour="hunter22"))


@pytest.mark.parametrize(
    ("inputs", "replaces", "updates"),
    [
        ({"size": 1}, [], []),
        ({"size": 1, "on": True}, [], []),
        ({"size": 2}, ["size"], []),
        ({"size": UNKNOWN}, ["size"], []),
        ({"size": 1, "on": False}, [], ["on"]),
        ({"size": 1, "text": "loud"}, ["text"], []),
        ({"size": 1, "text": "quiet"}, [], ["text"]),
        ({"size": 1, "tags": {"a": "b"}}, [], ["tags"]),
        ({"size": 2, "on": False}, ["size"], ["on"]),
    ],
)
def test_diff_tells_replacements_from_updates(inputs: dict[str, Any], replaces: list[str], updates: list[str]) -> None:
    found = diff({"size": 1, "on": True, "made": "m", "key": "k"}, inputs)
    assert (found.changes, found.replaces, sorted(found.diffs)) == (
        bool(replaces or updates),
        replaces,
        sorted(replaces + updates),
    )
    assert set(found.detailed_diff) == set(replaces + updates)


def test_a_property_left_out_is_a_deletion() -> None:
    found = diff({"size": 1, "on": True, "tags": {"a": "b"}}, {"size": 1})
    assert found.detailed_diff["tags"].kind is api.PropertyDiffKind.DELETE


def test_a_preview_makes_nothing_and_leaves_outputs_unknown() -> None:
    outputs = create(property_map({"size": UNKNOWN, "text": "wait"}), preview=True)
    assert plain_map(outputs) == {"size": UNKNOWN, "on": True, "text": "wait", "made": UNKNOWN, "key": UNKNOWN}
    assert secret_keys(outputs) == {"key"}


def test_a_preview_of_an_update_keeps_the_outputs_that_stay() -> None:
    olds = property_map({"size": 1, "on": True, "made": "m", "key": "k", "__meta": "1"}, secret=["key"])
    request = api.UpdateRequest(URN, "i", olds, property_map({"size": 1, "on": False}), 0, [], preview=True)
    outputs = asyncio.run(stand_in().update(request)).properties
    assert plain_map(outputs) == {"size": 1, "on": False, "made": "m", "key": "k", "__meta": "1"}
    assert secret_keys(outputs) == {"key"}


def test_outputs_made_from_a_secret_are_secret_and_others_are_not() -> None:
    assert secret_keys(create({"size": to_property(1), "text": secret("s")})) == {"text", "made", "key"}
    assert secret_keys(create(property_map({"size": 1, "text": "s"}))) == {"key"}


def test_a_refresh_keeps_the_secrets_of_the_state_and_finds_what_is_gone() -> None:
    properties = {"size": to_property(1), "text": secret("s"), "made": secret("m"), "key": secret("k")}
    inputs = {"size": to_property(1), "text": secret("s")}
    found = asyncio.run(stand_in().read(api.ReadRequest(URN, "i", properties, inputs)))
    assert (found.resource_id, found.properties, found.inputs) == ("i", properties, inputs)
    gone = asyncio.run(stand_in().read(api.ReadRequest(URN, "i", property_map({"size": 9}), {})))
    assert not gone.resource_id


def test_an_input_that_is_no_longer_secret_becomes_readable() -> None:
    olds = {"size": to_property(1), "text": secret("s"), "made": to_property("m"), "key": secret("k")}
    request = api.UpdateRequest(URN, "i", olds, property_map({"size": 1, "text": "s"}), 0, [], preview=False)
    assert secret_keys(asyncio.run(stand_in().update(request)).properties) == {"key"}


def test_cancelling_ends_what_waits_with_its_id_and_refuses_what_has_not_begun() -> None:
    async def run() -> None:
        plugin = stand_in()
        inputs = {"size": to_property(1), "text": secret("wait")}
        waiting = asyncio.create_task(plugin.create(api.CreateRequest(URN, inputs, 0, preview=False)))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await plugin.cancel()
        with pytest.raises(InitFailed) as kept:
            await waiting
        assert kept.value.resource_id == "an-id"
        assert secret_keys(kept.value.properties) == {"text", "made", "key"}
        with pytest.raises(UserError, match="nothing was done"):
            await plugin.create(api.CreateRequest(URN, property_map({"size": 1}), 0, preview=False))

    asyncio.run(run())


def test_the_version_stood_for_is_that_of_the_installed_package() -> None:
    from importlib import metadata

    assert Official.of("random").version == metadata.version("pulumi-random")
