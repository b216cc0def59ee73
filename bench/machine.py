"""What the figures were taken on."""

import datetime as dt
import os
import platform
import subprocess
from pathlib import Path

from tests.clone_root import ROOT


def describe(pulumi: str, plugins: str) -> str:
    """One line a fact: date, commit, machine, load, versions."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return "\n".join(
        f"- {name}: {value}"
        for name, value in {
            "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
            "commit": _commit(),
            "machine": f"{os.cpu_count()} cores ({_processor()}), {gibibytes:.0f} GiB, Linux {platform.release()}",
            "load at the end (1, 5, 15 minutes)": load,
            "Python": platform.python_version(),
            "engine": pulumi,
            "plugins": plugins,
        }.items()
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
