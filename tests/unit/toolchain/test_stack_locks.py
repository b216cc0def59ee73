"""Locks: those of dead engines go, those of living ones stop us, and two commands never work on one stack."""

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from toolchain.announce import ToolchainError
from toolchain.stack import locks


@pytest.fixture
def clone(machine):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    return machine


def lay(context, pid, host=None, made=None, stack=None):
    """A lock as engine 3.258 writes it."""
    folder = context.private / "state" / ".pulumi" / "locks" / "organization" / "supastack" / (stack or context.stack)
    folder.mkdir(parents=True, exist_ok=True)
    when = datetime.fromtimestamp(made or time.time(), UTC).isoformat().replace("+00:00", "Z")
    path = folder / "1545ea52-a82d-4a4c-b685-0da14b06a876.json"
    path.write_text(json.dumps({"pid": pid, "username": "root", "hostname": host or socket.gethostname(), "timestamp": when}))
    path.with_name(path.name + ".attrs").write_text("{}")
    return path


def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_lock_of_a_dead_engine_is_removed_and_named(clone, capsys):
    context = clone.context()
    path = lay(context, pid := dead_pid())
    assert locks.remove_stale(context)
    assert list(path.parent.iterdir()) == []
    assert f"process {pid}" in capsys.readouterr().err


def test_the_lock_of_a_living_engine_stops_us(clone):
    context = clone.context()
    path = lay(context, os.getpid())
    with pytest.raises(ToolchainError, match=f"worked on by process {os.getpid()}"):
        locks.remove_stale(context)
    assert path.exists()


def test_a_process_that_only_has_the_same_number_is_not_the_engine(clone):
    context = clone.context()
    path = lay(context, os.getpid(), made=time.time() - 30 * 24 * 3600)
    assert locks.remove_stale(context)
    assert not path.exists()


def test_the_lock_of_another_machine_stays_and_the_way_out_is_named(clone):
    context = clone.context()
    path = lay(context, 1, host="elsewhere")
    with pytest.raises(ToolchainError, match=r"root@elsewhere(.|\n)*pulumi cancel --yes -s dev"):
        locks.remove_stale(context)
    assert path.exists()


def test_locks_of_other_stacks_are_left_alone(clone):
    context = clone.context()
    path = lay(context, dead_pid(), stack="dev-2")
    assert not locks.remove_stale(context)
    assert path.exists()


def test_a_torn_lock_is_not_guessed_at(clone):
    context = clone.context()
    path = lay(context, 1)
    path.write_text('{"pid": 1')
    with pytest.raises(ToolchainError, match="can't be read"):
        locks.remove_stale(context)


def test_backends_that_are_no_folder_have_no_locks_to_look_at(clone, monkeypatch):
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    assert locks.backend_locks(clone.context()) == []


def test_a_folder_of_the_users_own_is_looked_into_as_well(clone, monkeypatch, tmp_path):
    lay(clone.context(), pid := dead_pid())
    (clone.root / ".supastack" / "state").rename(tmp_path / "mine")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path / 'mine'}?no_tmp_dir=true")
    assert [lock.pid for lock in locks.backend_locks(clone.context())] == [pid]


def hold(context, held, done):
    with locks.exclusive(context):
        held.set()
        done.wait(20)


def test_two_commands_never_work_on_one_stack(clone):
    context, other = clone.context(), clone.context("dev", 2)
    fork = multiprocessing.get_context("fork")
    held, done = fork.Event(), fork.Event()
    process = fork.Process(target=hold, args=(context, held, done))
    process.start()
    assert held.wait(20)
    with pytest.raises(ToolchainError, match=f"process {process.pid}"), locks.exclusive(context):
        pass
    with locks.exclusive(other):
        pass
    done.set()
    process.join()
    with locks.exclusive(context):
        pass


def test_the_outermost_of_two_holds_of_one_command_counts(clone):
    context = clone.context()
    take = (
        f"import fcntl, sys; fcntl.flock(open({str(context.private / 'stacks' / 'dev.busy')!r}), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    )

    def is_free():
        return subprocess.run([sys.executable, "-c", take], capture_output=True, check=False).returncode == 0

    with locks.exclusive(context):
        with locks.exclusive(context):
            assert not is_free()
        assert not is_free()
    assert is_free()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_plugins_that_lost_their_engine_are_ended_and_no_others(clone):
    context = clone.context()
    mine = {**os.environ, "PULUMI_HOME": context.env["PULUMI_HOME"], "PULUMI_BACKEND_URL": context.env["PULUMI_BACKEND_URL"]}
    plugin = clone.program("pulumi-resource-test", "echo $$; while :; do sleep 0.1; done")
    other = clone.program("innocent", "echo $$; while :; do sleep 0.1; done")

    def orphan(program, env):
        # The shell in between ends at once, so the program loses its parent.
        done = subprocess.run(["/bin/sh", "-c", f"{program} > {clone.home}/pid & wait_for=1"], env=env, check=True)
        assert done.returncode == 0
        file = clone.home / "pid"
        while not file.exists() or not (text := file.read_text().strip()):
            time.sleep(0.01)
        file.unlink()
        return int(text)

    ours = orphan(plugin, mine)
    foreign = orphan(plugin, {**mine, "PULUMI_HOME": "/another"})
    innocent = orphan(other, mine)
    child = subprocess.Popen([plugin], env=mine, stdout=subprocess.DEVNULL)
    try:
        locks.end_left_processes(context)
        assert locks._parent(ours) is None
        assert locks._parent(foreign) is not None
        assert locks._parent(innocent) is not None
    finally:
        for pid in (foreign, innocent):
            os.kill(pid, 9)
        child.kill()
        child.wait()
