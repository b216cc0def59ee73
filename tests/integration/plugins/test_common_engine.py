"""What every stand-in has from its base, seen through the real engine with a plugin that fails on demand."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .harness import PLUGINS, Project, forms_of, install_program

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(PLUGINS != "stand-in", reason="no official plugin is under test here"),
]


@pytest.fixture
def plugins() -> tuple[str, ...]:
    return ()


@pytest.fixture
def file(tmp_path: Path, project: Project) -> Path:
    install_program(project.home / "plugins" / "resource-faulty-v1.0.0", "faulty", f"{__package__}.faulty_plugin")
    return tmp_path / "thing"


def program(file: Path, mode: str) -> str:
    return f"""
import pulumi
inputs = {{"path": "{file}", "mode": "{mode}", "secret": pulumi.Output.secret("unseen-secret")}}
pulumi.CustomResource("faulty:index:Thing", "thing", inputs, pulumi.ResourceOptions(version="1.0.0"))
"""


def wait_for(file: Path, process: subprocess.Popen[bytes]) -> int:
    """Waits until the plugin has made the file; its pid, which it wrote there."""
    while not (file.exists() and file.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    return int(file.read_text())


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_what_was_made_but_is_not_ready_stays_in_the_state_and_the_next_up_repairs_it(project: Project, file: Path) -> None:
    run = project.up(program(file, "sick"), fails=True)
    assert "it did not get ready" in run.text
    assert "Traceback" not in run.text
    kept = project.state()["thing"]
    assert (kept.id, kept.init_errors) == ("thing", ("it did not get ready", "it is sick"))
    assert kept.outputs["mode"] == "sick"
    # The secret and what is made from it are so in what failed, too.
    assert project.secret_outputs("thing") == {"secret", "shout"}
    assert not any(form in project.stored() for secret in ("unseen-secret", "UNSEEN-SECRET") for form in forms_of(secret))
    # Not passed over: the same program tries again, and fails again.
    run = project.up(program(file, "sick"), fails=True)
    assert run.ops() == {"thing": ["update"]}
    assert project.up(program(file, "well")).ops() == {"thing": ["update"]}
    assert project.state()["thing"].init_errors == ()
    assert project.up(program(file, "well")).ops() == {}


def test_a_read_can_find_that_something_is_not_ready(project: Project, file: Path) -> None:
    project.up(program(file, "sick"), fails=True)
    assert "it is sick" in " ".join(project.refresh().warnings)
    kept = project.state()["thing"]
    assert (kept.id, kept.init_errors) == ("thing", ("it is sick",))
    assert project.secret_outputs("thing") == {"secret", "shout"}
    file.unlink()
    assert project.refresh().ops() == {"thing": ["delete"]}


def test_errors_for_the_user_come_without_a_traceback_and_leave_nothing(project: Project, file: Path) -> None:
    run = project.up(program(file, "refuse"), fails=True)
    assert any(error.endswith("the daemon said no") for error in run.errors), run.errors
    assert "Traceback" not in run.text
    assert ".py" not in run.text
    assert project.state() == {}


def test_a_defect_says_that_it_is_one_and_where(project: Project, file: Path) -> None:
    run = project.up(program(file, "bug"), fails=True)
    assert "a defect of this plugin: ZeroDivisionError: of the plugin's own" in run.text
    assert "faulty_plugin.py, line" in run.text
    assert project.state() == {}


def test_a_cancelled_up_keeps_what_was_made(project: Project, file: Path) -> None:
    process = project.start_up(program(file, "slow"))
    pid = wait_for(file, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    kept = project.state()["thing"]
    assert kept.init_errors == ("cancelled while it waited",)
    assert not is_running(pid)
    assert project.up(program(file, "well")).ops() == {"thing": ["update"]}


def test_a_plugin_ends_when_its_engine_is_killed(project: Project, file: Path) -> None:
    process = project.start_up(program(file, "slow"))
    pid = wait_for(file, process)
    assert is_running(pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    for _ in range(200):
        if not is_running(pid):
            break
        time.sleep(0.05)
    assert not is_running(pid)
    project.pulumi("cancel", "--yes")
    # The engine had not heard of it; the next up makes it as if new.
    assert project.up(program(file, "well")).ops() == {"thing": ["create"]}
