"""A plugin's process ends with its engine, and when it is told to."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CHILD = """
from toolchain.plugins.common.lifetime import end_with_parent

end_with_parent()
print("on", flush=True)
import time

time.sleep(600)
"""
PARENT = f"""
import subprocess, sys

child = subprocess.Popen([sys.executable, "-c", {CHILD!r}])
print(child.pid, flush=True)
child.wait()
"""


def ended(pid: int) -> bool:
    for _ in range(400):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_it_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    lines = {parent.stdout.readline().strip(), parent.stdout.readline().strip()}
    (pid,) = (int(line) for line in lines - {"on"})
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert ended(pid)


def test_it_goes_on_while_its_parent_lives_and_ends_at_once_when_told_to() -> None:
    for told in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([sys.executable, "-c", CHILD], cwd=ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(1)
        assert process.poll() is None
        process.send_signal(told)
        assert process.wait(20) == 0
