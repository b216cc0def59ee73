"""Python loads this by its name at start: at its end the process writes down what it used, where BENCH_PROBE names a folder."""  # noqa: INP001 - on the path by itself

import atexit
import os
import sys


def _report(folder: str) -> None:
    spent = os.times()
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib would be part of what is measured
        # Not ru_maxrss: that begins with the memory of the process that started this one.
        peak = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    with open(f"{folder}/{os.getpid()}", "w") as out:  # noqa: PTH123
        out.write("\0".join([str(spent.user + spent.system), peak, *sys.orig_argv]))


if "BENCH_PROBE" in os.environ:
    # Registered first, so it runs last.
    atexit.register(_report, os.environ["BENCH_PROBE"])
