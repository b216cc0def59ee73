"""Draws a stack from its services: `python -m components.graph [FILE] --stack NAME --config FILE`, or `make graph`.

Boxes are what runs, with what it publishes on the machine, keeps and reaches outside; lines are the connections that services open,
drawn by what must be true of the other end before a service starts.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from components.graph_layout import Box, Layout, Point, place
from components.plan import Plan, PlanError
from components.service import Gate, Kind, Service
from components.settings import ROOT, SettingsError, load_file

DONE, USAGE = 0, 2
"""Exit codes."""

_MARGIN: Final = 24
_LINE: Final = 15
"""Height of a line of text."""
_LETTER: Final = {"name": 8.0, "port": 6.9, "small": 6.0}
"""Width of a letter by class, rather too much than too little: fonts differ."""
_COLOURS: Final = ("#1b7f5c", "#b4551d", "#3b62b5", "#8a3fa0", "#8c7a1a")
"""Of the components, in their order."""
_GATES: Final[Mapping[Gate, tuple[str, str]]] = {
    Gate.HEALTHY: ("healthy", "waits until the other is healthy"),
    Gate.STARTED: ("started", "waits until the other has started"),
    Gate.NONE: ("none", "connects, and waits for nothing"),
}
_STYLE: Final = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #1d232b }
.name { font-weight: 600; font-size: 13px }
.small { font-size: 11px; fill: #4d5763 }
.port { font: 11px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1d232b }
.box { fill: #ffffff; stroke-width: 1.6 }
.job { fill: #f3f1ea }
.optional { stroke-dasharray: 5 3 }
.line { fill: none; stroke: #aab3bd; stroke-width: 1.2 }
.healthy { stroke: #1d232b; stroke-width: 2 }
.started { stroke: #1d232b; stroke-width: 2; stroke-dasharray: 6 4 }
"""


@dataclass(frozen=True, slots=True)
class _Node:
    """One service as it is drawn."""

    service: Service
    component: int
    name: str
    """Of its container without project and stack: no two are the same."""
    lines: tuple[tuple[str, str], ...]
    """Class and text of each line."""

    @property
    def box(self) -> Box:
        width = max(round(len(text) * _LETTER[kind]) for kind, text in self.lines) + 24
        return Box(self.name, max(width, 96), len(self.lines) * _LINE + 14)


def draw(plan: Plan) -> str:
    """The picture of a stack, as SVG. The same plan gives the same text."""
    nodes = [
        _Node(service, number, f"{component}-{service.name}", tuple(_lines(plan, service)))
        for number, (component, services) in enumerate(plan.services.items())
        for service in services
        if not service.off
    ]
    gates = _edges(nodes)
    layout = place([node.box for node in nodes], list(gates))
    legend = _legend(list(plan.services), layout.size[1] + 2 * _MARGIN, {n.component for n in nodes})
    width, height = max(layout.size[0] + 2 * _MARGIN, 720), layout.size[1] + 2 * _MARGIN + 62
    s = plan.settings
    title = f"Stack {s.stack} of {s.project}: {len(nodes)} services"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "<defs>",
            *(_arrow(name, colour) for name, colour in (("none", "#aab3bd"), ("healthy", "#1d232b"), ("started", "#1d232b"))),
            "</defs>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#fbfbf9"/>',
            f'<g transform="translate({_MARGIN} {_MARGIN})">',
            *_drawn_lines(gates, layout),
            *(_drawn(node, layout.corners[node.name]) for node in nodes),
            "</g>",
            *legend,
            "</svg>\n",
        ]
    )


def _lines(plan: Plan, service: Service) -> list[tuple[str, str]]:
    marks = [word for word, there in (("job", service.kind is Kind.JOB), ("optional", service.optional)) if there]
    found = [("name", service.name)]
    if marks:
        found.append(("small", ", ".join(marks)))
    s = plan.settings
    found += [("port", f"{s.bind_address}:{s.ports[p.publish]} {p.publish}") for p in service.ports if p.publish]
    kept = [volume.name for volume in service.volumes]
    seen = [mount.volume for mount in service.mounts]
    found += [("small", f"keeps {', '.join(kept)}")] if kept else []
    found += [("small", f"sees {', '.join(seen)}")] if seen else []
    found += [("small", "reads the logs of all")] if service.collects_logs else []
    found += [("small", f"outside: {', '.join(service.outside)}")] if service.outside else []
    return found


def _edges(nodes: Sequence[_Node]) -> dict[tuple[str, str], Gate]:
    """Who connects to whom, with the gate; of several between two, the one that waits for most."""
    rank = list(Gate)
    found: dict[tuple[str, str], Gate] = {}
    for node in nodes:
        # A component's own comes first; what it does not have, another one of the stack has.
        others = sorted(nodes, key=lambda other: other.component != node.component)
        for edge in node.service.connects:
            other = next((o for o in others if edge.capability in o.service.provides), None)
            if other is not None and other is not node:
                pair = (node.name, other.name)
                found[pair] = max(found.get(pair, Gate.NONE), edge.gate, key=rank.index)
    return found


def _drawn(node: _Node, corner: Point) -> str:
    x, y = corner
    box, service = node.box, node.service
    classes = ["box", *(["job"] if service.kind is Kind.JOB else []), *(["optional"] if service.optional else [])]
    radius = 16 if service.kind is Kind.JOB else 5
    parts = [
        f"<g id={quoteattr(node.name)}>",
        f'<rect class="{" ".join(classes)}" x="{x}" y="{y}" width="{box.width}" height="{box.height}" rx="{radius}" '
        f'stroke="{_COLOURS[node.component % len(_COLOURS)]}"/>',
    ]
    for number, (kind, text) in enumerate(node.lines, start=1):
        at = f'x="{x + box.width // 2}" y="{y + number * _LINE + 2}"'
        parts.append(f'<text class="{kind}" {at} text-anchor="middle">{escape(text)}</text>')
    return "".join([*parts, "</g>"])


def _drawn_lines(gates: Mapping[tuple[str, str], Gate], layout: Layout) -> list[str]:
    # Those that wait lie on top.
    ordered = sorted(gates.items(), key=lambda item: (list(Gate).index(item[1]), item[0]))
    found = []
    for (one, other), gate in ordered:
        name = _GATES[gate][0]
        path = _path(layout.lines[one, other])
        about = f"<title>{escape(f'{one} connects to {other}')}</title>"
        found.append(f'<path class="line {name}" d="{path}" marker-end="url(#arrow-{name})">{about}</path>')
    return found


def _path(points: Sequence[Point]) -> str:
    """A smooth line: straight beside boxes, bent between layers."""
    (x, y), *rest = points
    words = [f"M{x} {y}"]
    for to_x, to_y in rest:
        bend = (to_y - y) // 2
        words.append(f"V{to_y}" if to_x == x else f"C{x} {y + bend} {to_x} {to_y - bend} {to_x} {to_y}")
        x, y = to_x, to_y
    return "".join(words)


def _arrow(name: str, colour: str) -> str:
    return (
        f'<marker id="arrow-{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
    )


def _legend(components: Sequence[str], top: int, shown: set[int]) -> list[str]:
    found = [f'<g transform="translate({_MARGIN} {top})">']
    x = 0
    for name, about in _GATES.values():
        found.append(f'<path class="line {name}" d="M{x} 8H{x + 34}" marker-end="url(#arrow-{name})"/>')
        found.append(f'<text class="small" x="{x + 42}" y="12">{about}</text>')
        x += 56 + round(len(about) * 5.6)
    x = 0
    for number in sorted(shown):
        colour = _COLOURS[number % len(_COLOURS)]
        found.append(f'<rect class="box" x="{x}" y="26" width="18" height="12" rx="3" stroke="{colour}"/>')
        found.append(f'<text class="small" x="{x + 26}" y="36">{escape(components[number])}</text>')
        x += 48 + round(len(components[number]) * 6)
    found.append(f'<rect class="box optional" x="{x}" y="26" width="18" height="12" rx="3" stroke="#4d5763"/>')
    found.append(f'<text class="small" x="{x + 26}" y="36">optional: nothing needs it</text>')
    return [*found, "</g>"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw a stack. Returns an exit code: 0 done, 2 it can't be drawn."""
    parser = argparse.ArgumentParser(prog="graph", description="Draw a stack from its services, as SVG.")
    parser.add_argument(
        "file", nargs="?", type=Path, help="where to (default: docs/stack.svg; of another stack than dev, docs/stack-NAME.svg)"
    )
    parser.add_argument("--stack", required=True)
    parser.add_argument("--config", required=True, type=Path, help="the stack file")
    options = parser.parse_args(arguments)
    usual = ROOT / "docs" / ("stack.svg" if options.stack == "dev" else f"stack-{options.stack}.svg")
    file: Path = options.file or usual
    try:
        file.write_text(draw(Plan(load_file(options.config, stack=options.stack))), encoding="utf-8")
    except (SettingsError, PlanError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    print(file)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
