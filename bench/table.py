"""The table: one row a figure, with its median, spread, and goal where there is one."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        name: What was measured.
        values: One for each repetition.
        unit: `s`, `MB`, or empty for a ratio.
        goal: The value that the median should not exceed.
        indent: Part of the row above.
    """

    name: str
    values: Sequence[float]
    unit: str = "s"
    goal: float | None = None
    indent: bool = False

    @property
    def median(self) -> float:
        """The median of the repetitions."""
        return statistics.median(self.values)

    def cells(self) -> list[str]:
        """The row as text."""
        digits = 0 if self.unit == "MB" else 2
        unit = f" {self.unit}" if self.unit else ""
        spread = f"{min(self.values):.{digits}f} to {max(self.values):.{digits}f}" if len(self.values) > 1 else "-"
        verdict = ""
        if self.goal is not None:
            met = self.median <= self.goal
            verdict = f"<= {self.goal:g}{unit}: {'met' if met else f'MISSED by {self.median - self.goal:.{digits}f}{unit}'}"
        return ["  " * self.indent + self.name, f"{self.median:.{digits}f}{unit}", spread, str(len(self.values)), verdict]


def show(rows: Sequence[Row]) -> str:
    """The table as Markdown."""
    return grid(["figure", "median", "spread", "runs", "goal"], [row.cells() for row in rows])


def grid(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Any table as Markdown, its columns aligned."""
    widths = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
    lines = [[*head], ["-" * width for width in widths], *body]
    return "\n".join("| " + " | ".join(cell.ljust(widths[i]) for i, cell in enumerate(line)) + " |" for line in lines)
