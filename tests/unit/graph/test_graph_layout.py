"""Boxes in layers: none over another, none in a line's way, and the same every time."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.graph_layout import GAP, Box, place


def boxes(*names, width=100, height=40):
    return [Box(name, width, height) for name in names]


@st.composite
def graphs(draw):
    names = [f"n{n}" for n in range(draw(st.integers(1, 12)))]
    made = [Box(name, draw(st.integers(60, 220)), draw(st.integers(30, 90))) for name in names]
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1])
    return made, draw(st.lists(pairs, max_size=25))


def meet(one, other, corners):
    (x, y), (u, v) = corners[one.name], corners[other.name]
    return x < u + other.width and u < x + one.width and y < v + other.height and v < y + one.height


@settings(max_examples=200)
@given(graphs())
def test_no_box_lies_on_another_and_all_are_inside(graph):
    made, edges = graph
    layout = place(made, edges)
    assert not [pair for pair in combinations(made, 2) if meet(*pair, layout.corners)]
    for box in made:
        x, y = layout.corners[box.name]
        assert x >= 0 <= y
        assert x + box.width <= layout.size[0]
        assert y + box.height <= layout.size[1]


@settings(max_examples=200)
@given(graphs())
def test_every_edge_has_a_line_from_box_to_box_and_beside_other_boxes_it_is_straight(graph):
    made, edges = graph
    layout = place(made, edges)
    assert set(layout.lines) == set(edges)
    by_name = {box.name: box for box in made}
    for (one, other), points in layout.lines.items():
        for name, (x, y) in ((one, points[0]), (other, points[-1])):
            left, top = layout.corners[name]
            assert left <= x <= left + by_name[name].width
            assert y in (top, top + by_name[name].height)
        for box in made:
            left, top = layout.corners[box.name]
            if box.name in (one, other):
                continue
            for (x, y), (u, v) in pairwise(points):
                beside = min(y, v) < top + box.height and max(y, v) > top
                assert not (beside and x == u and left < x < left + box.width), (box.name, one, other)
                assert not (beside and x != u), "it bends between layers only"


@settings(max_examples=50)
@given(graphs())
def test_the_same_graph_has_the_same_places(graph):
    assert place(*graph) == place(*graph)


def test_what_points_at_another_stands_above_it():
    layout = place(boxes("c", "b", "a"), [("a", "b"), ("b", "c"), ("a", "c")])
    heights = [layout.corners[name][1] for name in "abc"]
    assert heights == sorted(heights)
    assert len(set(heights)) == 3


def test_a_circle_is_cut_where_it_is_entered_and_both_ways_share_a_line():
    layout = place(boxes("studio", "gateway", "client"), [("client", "gateway"), ("gateway", "studio"), ("studio", "gateway")])
    assert layout.corners["gateway"][1] < layout.corners["studio"][1]
    assert layout.lines["gateway", "studio"] == layout.lines["studio", "gateway"][::-1]


def test_lines_that_need_not_cross_do_not():
    layout = place(boxes("a", "b", "x", "y"), [("a", "y"), ("b", "x")])
    assert (layout.corners["a"][0] < layout.corners["b"][0]) == (layout.corners["y"][0] < layout.corners["x"][0])


def test_boxes_beside_each_other_keep_their_distance():
    layout = place(boxes("a", "b"), [])
    first, second = sorted(layout.corners[name][0] for name in "ab")
    assert second - first >= 100 + GAP


@pytest.mark.parametrize("names", [(), ("a",)])
def test_nothing_and_one_box_are_no_trouble(names):
    assert set(place(boxes(*names), []).corners) == set(names)
