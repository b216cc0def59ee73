"""Planning of many projects in one process: settings, plan and all manifests of a stack in a cluster each, without an engine."""

import subprocess
import sys

from bench.table import Row
from tests.clone_root import ROOT

COUNTS = (1, 10, 100)
LINEAR = 1.2
FLAT_MB = 20.0

_PLAN = """
import resource, sys
from tests.contract.kubernetes.stacks import config, render

def used():
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime

render(config(), stack="warm")  # imports, and what is kept of them
began = used()
for n in range(int(sys.argv[1])):
    assert len(render(config(), stack=f"p{n}").manifests) > 100
print(used() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(repetitions: int) -> list[Row]:
    """CPU for each project, and peak memory, by the number of projects."""
    seconds: dict[int, list[float]] = {count: [] for count in COUNTS}
    memory: dict[int, list[float]] = {count: [] for count in COUNTS}
    for _ in range(repetitions):
        for count in COUNTS:
            command = [sys.executable, "-c", _PLAN, str(count)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            cpu, peak = map(float, done.stdout.split())
            seconds[count].append(cpu / count)
            memory[count].append(peak)
    least, most = COUNTS[0], COUNTS[-1]
    return [
        *(Row(f"planning {count} projects: CPU for each", seconds[count]) for count in COUNTS),
        Row(
            f"ratio, CPU for each of {most} to that of {least}",
            [b / a for a, b in zip(seconds[least], seconds[most], strict=True)],
            "",
            LINEAR,
        ),
        *(Row(f"planning {count} projects: peak memory", memory[count], "MB") for count in COUNTS),
        Row(
            f"peak memory of {most} over that of {least}",
            [b - a for a, b in zip(memory[least], memory[most], strict=True)],
            "MB",
            FLAT_MB,
        ),
    ]
