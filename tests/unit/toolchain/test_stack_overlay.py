"""The algebra of the private stack config: nothing written by command is lost, and edits of the tracked file take effect."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.stack.overlay import (
    BLOCKED,
    KEEPS,
    MISSING,
    Entry,
    Overlay,
    differences,
    fold,
    get,
    is_leaf,
    is_secret,
    render,
    same,
)

KEYS = st.sampled_from(["a", "b", "c"])
SCALARS = st.sampled_from(["x", "y", "", 1, True, None])
SECRETS = st.sampled_from(["v1:one", "v1:two"]).map(lambda text: {"secure": text})
VALUES = st.recursive(
    SCALARS | SECRETS | st.lists(SCALARS, max_size=2),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
TOP = st.fixed_dictionaries({}, optional={"encryptionsalt": st.sampled_from(["salt1", "salt2"])})


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    return {**draw(TOP), "config": draw(st.dictionaries(KEYS, VALUES, max_size=3))}


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, Any], Overlay]:
    """A tracked document and an overlay that came about by folding: every overlay that can exist."""
    overlay = Overlay()
    tracked = draw(documents())
    for _ in range(draw(st.integers(0, 3))):
        document, overlay, _ = render(tracked, overlay)
        overlay, _ = fold(overlay, document, draw(documents()), tracked)
        tracked = draw(st.one_of(st.just(tracked), documents()))
    return tracked, render(tracked, overlay)[1]


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if is_leaf(value):
        # An empty `config` is the same as none.
        return {path: value} if path not in ((), ("config",)) else {}
    return {p: v for key, inner in value.items() for p, v in leaves(inner, (*path, key)).items()}


@given(histories(), documents())
def test_what_a_command_wrote_stands_after_rendering_again(history, written):
    tracked, overlay = history
    before, overlay, _ = render(tracked, overlay)
    folded, _ = fold(overlay, before, written, tracked)
    after, _, _ = render(tracked, folded)
    for path, value in leaves(written["config"], ("config",)).items():
        assert same(get(after, path), value), path


@given(histories(), documents())
def test_nothing_appears_that_neither_the_command_nor_the_tracked_file_says(history, written):
    tracked, overlay = history
    before, overlay, _ = render(tracked, overlay)
    folded, notes = fold(overlay, before, written, tracked)
    after, _, _ = render(tracked, folded)
    returned = [note.path for note in notes if note.kind == "comes-back"]
    for path, value in leaves(after, ()).items():
        from_command = same(get(written, path), value)
        comes_back = same(get(tracked, path), value) and any(path[: len(r)] == r or r[: len(path)] == path for r in returned)
        assert from_command or comes_back, path


@given(histories(), documents())
def test_folding_the_same_twice_is_folding_it_once(history, written):
    tracked, overlay = history
    before, overlay, _ = render(tracked, overlay)
    once, _ = fold(overlay, before, written, tracked)
    twice, _ = fold(once, before, written, tracked)
    assert twice == once


@given(histories())
def test_folding_what_was_rendered_changes_nothing(history):
    tracked, overlay = history
    document, overlay, _ = render(tracked, overlay)
    assert fold(overlay, document, copy.deepcopy(document), tracked) == (overlay, [])


@given(histories())
def test_rendering_again_gives_the_same(history):
    tracked, overlay = history
    document, overlay, _ = render(tracked, overlay)
    again, same_overlay, notes = render(tracked, overlay)
    assert same(again, document)
    assert same_overlay == overlay
    assert notes == []


@given(histories(), documents())
def test_every_edit_of_the_tracked_file_takes_effect(history, edited):
    tracked, overlay = history
    document, _, notes = render(edited, overlay)
    kept = [note.path for note in notes if note.kind == "kept-secret"]
    for path in differences(tracked, edited):
        if path[0] in KEEPS or path in kept:
            continue
        value = get(edited, path)
        if value == {}:
            # An empty mapping says nothing about what a command put below it.
            assert isinstance(get(document, path), dict), path
        elif not isinstance(value, type(MISSING)) and is_leaf(value):
            assert same(get(document, path), value), path


@given(histories(), documents())
def test_what_an_edit_does_not_touch_stays_as_the_command_set_it(history, edited):
    overlay = history[1]
    document, left, _ = render(edited, overlay)
    for path, entry in overlay.entries.items():
        if same(get(edited, path), entry.over) or path[0] in KEEPS:
            assert same(get(document, path), entry.value), path
            assert path in left.entries


@given(histories(), documents())
def test_no_value_set_by_command_is_ever_lost(history, edited):
    _, overlay = history
    _, left, _ = render(edited, overlay)
    for path, entry in overlay.entries.items():
        assert path in left.entries or same(left.superseded[path], entry.value)


@given(histories())
def test_no_path_of_an_overlay_lies_below_another(history):
    _, overlay = history
    for one in overlay.entries:
        for other in overlay.entries:
            assert one == other or one[: len(other)] != other


@given(histories(), documents())
@settings(max_examples=50)
def test_inputs_are_left_as_they_are(history, written):
    tracked, overlay = history
    before = copy.deepcopy((tracked, overlay, written))
    document, _, _ = render(tracked, overlay)
    fold(overlay, document, written, tracked)
    assert (tracked, overlay, written) == before


def test_the_salt_stays_though_the_tracked_file_gets_one():
    overlay = Overlay({("encryptionsalt",): Entry("ours")})
    document, left, _ = render({"encryptionsalt": "theirs", "config": {}}, overlay)
    assert document["encryptionsalt"] == "ours"
    assert left.entries[("encryptionsalt",)].value == "ours"


def test_a_plain_password_replaced_by_a_secret_may_be_taken_out_of_the_tracked_file():
    path = ("config", "s:databasePassword")
    overlay = Overlay({path: Entry({"secure": "v1:x"}, "plain")})
    document, left, notes = render({"config": {}}, overlay)
    assert is_secret(get(document, path))
    assert [note.kind for note in notes] == ["kept-secret"]
    assert render({"config": {}}, left)[2] == []


def test_a_plain_value_set_by_command_goes_with_the_line_it_stood_over():
    path = ("config", "s:cache", "engine")
    overlay = Overlay({path: Entry("redis", "valkey")})
    document, left, notes = render({"config": {}}, overlay)
    assert get(document, path) is MISSING or get(document, path) is BLOCKED
    assert left.superseded == {path: "redis"}
    assert [note.kind for note in notes] == ["tracked-wins"]


def test_an_edit_beside_a_value_set_by_command_leaves_that_value():
    overlay = Overlay({("config", "s:cache", "engine"): Entry("redis", "valkey")})
    document, _, notes = render({"config": {"s:cache": {"engine": "valkey", "memory": "1gb"}}}, overlay)
    assert document["config"]["s:cache"] == {"engine": "redis", "memory": "1gb"}
    assert notes == []


def test_a_note_never_repeats_a_value():
    overlay = Overlay({("config", "s:pw"): Entry({"secure": "v1:ciphertext"}, "plain-password")})
    for edited in ({"config": {}}, {"config": {"s:pw": "other-password"}}):
        for note in render(edited, overlay)[2]:
            text = note.text("Pulumi.dev.yaml", "dev.overlay.yaml")
            assert "s:pw" in text
            assert "password" not in text
            assert "v1:" not in text
