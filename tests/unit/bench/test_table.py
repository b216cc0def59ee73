"""The table of figures, and how the toolchain's lines are read."""

from bench.run import Run
from bench.scenes import _is_unchanged, _steps
from bench.table import Row, show


def test_a_missed_goal_is_said_and_by_how_much():
    assert "<= 2: MISSED by 0.50" in show([Row("ratio", [2.4, 2.5, 9.0], "", 2.0)])


def test_a_goal_is_held_against_the_median():
    shown = show([Row("ours", [0.1, 1.9, 30.0], "s", 2.0)])
    assert "<= 2 s: met" in shown
    assert "| 1.90 s | 0.10 to 30.00 | 3 " in shown


def test_a_figure_without_repetitions_has_no_spread():
    assert "| 44 MB  | -      | 1 " in show([Row("peak memory", [44.3], "MB")])


def test_the_toolchains_steps_are_read_with_their_times():
    lines = [
        "  python      make .venv with Python 3.11.2      4.1s\n",
        "  engine      built pulumi 3.258.0   3m58s\n",
        "Updating (dev):\n",
    ]
    steps = list(_steps(Run(lines=[(0.0, line) for line in lines])))
    assert [(s.name, s.text, s.seconds) for s in steps] == [
        ("python", "make .venv with Python 3.11.2", 4.1),
        ("engine", "built pulumi 3.258.0", 238.0),
    ]


def test_only_a_run_that_changed_nothing_counts_as_one():
    def run(summary):
        return Run(lines=[(0.0, "Resources:\n"), (0.0, summary)])

    assert _is_unchanged(run("    31 unchanged\n"))
    assert not _is_unchanged(run("    ~ 1 to update\n    30 unchanged\n"))
    assert not _is_unchanged(run("    +-1 replaced\n    30 unchanged\n"))
    assert not _is_unchanged(Run(lines=[(0.0, "error: no\n")]))
