"""Places boxes in layers and leads lines between them: what points at another stands above it, and long lines go round boxes.

The method of Sugiyama, Tagawa and Toda (1981) in its plainest form; a stack has some twenty boxes. The same input gives the same places.
Coordinates are in pixels, y downwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP = 28
"""Least distance of two boxes beside each other."""
STEP = 64
"""Distance of a layer's lowest edge to the next layer."""
_SWEEPS = 24

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """What is to be placed."""

    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is.

    Attributes:
        corners: Upper left corner of each box, by name.
        lines: The points of each line, from the box that it leaves to the one that it reaches.
        size: Width and height of it all.
    """

    corners: Mapping[str, Point]
    lines: Mapping[tuple[str, str], tuple[Point, ...]]
    size: Point


def place(boxes: Sequence[Box], edges: Sequence[tuple[str, str]]) -> Layout:
    """Place boxes by their edges, each from the name of one box to that of another. Edges that go both ways share a line."""
    return _Placing(boxes, edges).layout()


class _Placing:
    def __init__(self, boxes: Sequence[Box], edges: Sequence[tuple[str, str]]) -> None:
        self.boxes = {box.name: box for box in boxes}
        self.edges = list(dict.fromkeys(edges))
        self.down = _without_circles(list(self.boxes), self.edges)
        self.layers = self._layers()
        self.chains = self._chains()
        self.order()
        self.x = self._across()

    # A node is a box's name, or a point of a long line: (from, to, layer).

    def _layers(self) -> list[list[object]]:
        depth = dict.fromkeys(self.boxes, 0)
        for _ in self.boxes:
            for above, below in self.down:
                depth[below] = max(depth[below], depth[above] + 1)
        # What nothing points at goes down to just above what it points at: its lines are shorter.
        for name in self.boxes:
            if not any(below == name for _, below in self.down):
                depth[name] = min((depth[below] - 1 for above, below in self.down if above == name), default=0)
        layers: list[list[object]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
        for name, layer in depth.items():
            layers[layer].append(name)
        self.depth = depth
        return layers

    def _chains(self) -> dict[tuple[str, str], list[object]]:
        chains: dict[tuple[str, str], list[object]] = {}
        for above, below in self.down:
            between: list[object] = [(above, below, n) for n in range(self.depth[above] + 1, self.depth[below])]
            for point, layer in zip(between, range(self.depth[above] + 1, self.depth[below]), strict=True):
                self.layers[layer].append(point)
            chains[above, below] = [above, *between, below]
        return chains

    def order(self) -> None:
        """Order each layer so that few lines cross."""
        links = [pair for chain in self.chains.values() for pair in pairwise(chain)]
        up: dict[object, list[object]] = {}
        below: dict[object, list[object]] = {}
        for one, other in links:
            below.setdefault(one, []).append(other)
            up.setdefault(other, []).append(one)
        best, fewest = [list(layer) for layer in self.layers], self._crossings(links)
        for sweep in range(_SWEEPS):
            downwards = sweep % 2 == 0
            for layer in self.layers[1:] if downwards else self.layers[-2::-1]:
                self._sort(layer, up if downwards else below)
            crossings = self._crossings(links)
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self.layers], crossings
        self.layers = best
        self.up, self.below = up, below

    def _sort(self, layer: list[object], neighbours: Mapping[object, list[object]]) -> None:
        at = self._positions()
        # What has no neighbour there stays where it is.
        wish = {
            node: sum(at[n] for n in neighbours[node]) / len(neighbours[node]) if neighbours.get(node) else at[node]
            for node in layer
        }
        layer.sort(key=lambda node: (wish[node], at[node]))

    def _positions(self) -> dict[object, float]:
        return {node: (n + 0.5) / len(layer) for layer in self.layers for n, node in enumerate(layer)}

    def _crossings(self, links: Sequence[tuple[object, object]]) -> int:
        at = self._positions()
        layer_of = {node: n for n, layer in enumerate(self.layers) for node in layer}
        found = 0
        for n, (a, b) in enumerate(links):
            for c, d in links[n + 1 :]:
                if layer_of[a] == layer_of[c] and (at[a] - at[c]) * (at[b] - at[d]) < 0:
                    found += 1
        return found

    def _across(self) -> dict[object, float]:
        """The middle of each node: as near as can be to its neighbours' middles, in the order of its layer."""
        x: dict[object, float] = {}
        for layer in self.layers:
            edge = 0.0
            for node in layer:
                x[node] = edge + self._width(node) / 2
                edge += self._width(node) + GAP
        for sweep in range(_SWEEPS):
            for layer in self.layers if sweep % 2 == 0 else self.layers[::-1]:
                wish = {}
                for node in layer:
                    near = [*self.up.get(node, ()), *self.below.get(node, ())]
                    wish[node] = sum(x[n] for n in near) / len(near) if near else x[node]
                self._settle(layer, wish, x)
        left = min((x[node] - self._width(node) / 2 for node in x), default=0)
        return {node: place - left for node, place in x.items()}

    def _settle(self, layer: Sequence[object], wish: Mapping[object, float], x: dict[object, float]) -> None:
        """Give each its wish as far as the order and the gaps allow: those that push each other share the push evenly."""
        groups: list[tuple[list[object], float]] = []
        for node in layer:
            members, middle = [node], wish[node]
            while groups and self._left(members, middle) < self._right(*groups[-1]) + GAP:
                before, their_middle = groups.pop()
                joined = [*before, *members]
                offsets = self._offsets(joined)
                middle = sum(wish[n] - offsets[n] for n in joined) / len(joined)
                members = joined
                del their_middle
            groups.append((members, middle))
        for members, middle in groups:
            for node, offset in self._offsets(members).items():
                x[node] = middle + offset

    def _offsets(self, members: Sequence[object]) -> dict[object, float]:
        """The middle of each, from that of the first, standing as near as they may."""
        offsets: dict[object, float] = {members[0]: 0.0}
        for one, other in pairwise(members):
            offsets[other] = offsets[one] + (self._width(one) + self._width(other)) / 2 + GAP
        return offsets

    def _left(self, members: Sequence[object], middle: float) -> float:
        return middle - self._width(members[0]) / 2

    def _right(self, members: Sequence[object], middle: float) -> float:
        return middle + self._offsets(members)[members[-1]] + self._width(members[-1]) / 2

    def _width(self, node: object) -> int:
        return self.boxes[node].width if isinstance(node, str) else 8

    def layout(self) -> Layout:
        heights = [max((self.boxes[n].height for n in layer if isinstance(n, str)), default=0) for layer in self.layers]
        tops = [sum(heights[:n]) + n * STEP for n in range(len(heights))]
        corners = {name: (round(self.x[name] - box.width / 2), tops[self.depth[name]]) for name, box in self.boxes.items()}
        lines = {}
        for chain in self.chains.values():
            lines.update(self._line(chain, corners, heights, tops))
        right = max((corner[0] + self.boxes[name].width for name, corner in corners.items()), default=0)
        right = max([right, *(x for line in lines.values() for x, _ in line)])
        return Layout(corners, lines, (right, tops[-1] + heights[-1] if tops else 0))

    def _line(
        self, chain: Sequence[object], corners: Mapping[str, Point], heights: Sequence[int], tops: Sequence[int]
    ) -> dict[tuple[str, str], tuple[Point, ...]]:
        first, *between, last = chain
        assert isinstance(first, str)
        assert isinstance(last, str)
        foot, layer = self._foot(first, chain[1]), self.depth[first]
        # A box beside may be taller: not before its lower edge a line may turn.
        points = list(dict.fromkeys([(foot, corners[first][1] + self.boxes[first].height), (foot, tops[layer] + heights[layer])]))
        for node in between:
            layer = next(n for n, nodes in enumerate(self.layers) if node in nodes)
            middle = round(self.x[node])
            points += [(middle, tops[layer]), (middle, tops[layer] + heights[layer])]
        points.append((self._head(last, chain[-2]), corners[last][1]))
        both = {(first, last): tuple(points), (last, first): tuple(reversed(points))}
        return {edge: line for edge, line in both.items() if edge in self.edges}

    def _foot(self, name: str, to: object) -> int:
        return self._port(name, to, self.below.get(name, []))

    def _head(self, name: str, of: object) -> int:
        return self._port(name, of, self.up.get(name, []))

    def _port(self, name: str, other: object, others: Sequence[object]) -> int:
        """Where at a box's edge the line to another node is: side by side in the order in which those stand."""
        ordered = sorted(others, key=lambda n: self.x[n])
        width = self.boxes[name].width * 0.7
        share = (ordered.index(other) + 0.5) / len(ordered)
        return round(self.x[name] - width / 2 + width * share)


def _without_circles(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The edges, with those turned round that would close a circle; two that go both ways become one."""
    place = {name: number for number, name in enumerate(_in_line(names, set(edges)))}
    return list(dict.fromkeys((one, other) if place[one] < place[other] else (other, one) for one, other in edges))


def _in_line(names: Sequence[str], edges: set[tuple[str, str]]) -> list[str]:
    """The names in an order in which few edges lead back (Eades, Lin and Smyth, 1993): ends first, then who has most to say."""
    left, first, last = list(names), list[str](), list[str]()

    def entered(name: str) -> bool:
        """Whether what stands before points at it: there a circle is cut."""
        return any(one in first and other == name for one, other in edges)

    while left:
        out = {name: sum(one == name and other in left for one, other in edges) for name in left}
        into = {name: sum(other == name and one in left for one, other in edges) for name in left}
        begins = next((name for name in left if not into[name]), None)
        ends = next((name for name in left if not out[name]), None) if begins is None else None
        if ends is not None:
            last.insert(0, ends)
        else:
            first.append(begins if begins is not None else max(left, key=lambda name: (out[name] - into[name], entered(name))))
        left.remove(ends if ends is not None else first[-1])
    return first + last
