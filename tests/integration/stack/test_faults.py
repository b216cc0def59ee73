"""Engines that are killed, disks that are full: the next up converges, and no row is lost."""

import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from tests.integration.stack.clients import Clients

pytestmark = [pytest.mark.docker, pytest.mark.engine]

SEED = int(os.environ.get("SUPASTACK_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.fixture(scope="module")
def data(clone):
    """A stack with data in it, and the marks of that data."""
    clone.make("up")
    clients = Clients(clone.outputs())
    mark = uuid.uuid4().hex
    with clone.daemon.network():
        clients.write(mark)
        # The append-only file is forced to disk once a second.
        time.sleep(1.5)
    yield {mark}
    clone.make("purge", CONFIRM="dev")


@pytest.fixture(scope="module")
def took(clone, data):
    """Seconds that an engine works on an up from nothing: what the random moments are drawn from."""
    clone.make("down")
    began = time.monotonic()
    shown = clone.make("up").stdout
    assert "Stack dev is up." in shown
    # Set-up and summary, before and after the engine, take a few seconds of it.
    return max(2.0, time.monotonic() - began - 4.0)


def is_there(clone, data):
    clients = Clients(clone.outputs())
    with clone.daemon.network():
        assert clients.marks() == (data, data, data)


def engines(clone):
    """Pids of the engines that work in this clone."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if Path(words[0].decode()).name == "pulumi" and b"up" in words and (entry / "cwd").resolve() == clone.root:
                found.append(int(entry.name))
    return found


def up_killed(clone, when):
    """Starts an up, kills its engine when `when()` says so, and waits for the rest to end. False if the engine had ended before."""
    # A file, and no pipe: it may say more than a pipe holds before it is read.
    with tempfile.TemporaryFile() as said:
        with clone.daemon.network():
            up = subprocess.Popen(
                ["make", "up"],
                cwd=clone.root,
                env=clone.env,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 600
        killed = False
        while not killed and up.poll() is None:
            assert time.monotonic() < deadline, "neither at its end nor at the moment to kill it"
            time.sleep(0.02)
            if engines(clone) and when():
                for pid in engines(clone):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        killed = True
        up.wait(300)
        said.seek(0)
        shown = said.read().decode()
    assert engines(clone) == []
    # That it fails by itself is no matter of chance.
    assert killed or up.returncode == 0, f"the up failed before it could be killed: {shown[-3000:]}"
    return up.returncode != 0


def passed(seconds):
    """Says whether so many seconds have passed since it was asked first."""
    began = None

    def when():
        nonlocal began
        began = began or time.monotonic()
        return time.monotonic() - began >= seconds

    return when


@pytest.mark.parametrize("attempt", range(5))
def test_after_an_engine_was_killed_at_a_random_moment_the_next_up_converges(clone, data, took, attempt):
    wait = random.Random(f"{SEED}-{attempt}").uniform(0.0, 0.9) * took
    for _ in range(4):
        print(f"seed {SEED}, attempt {attempt}: killed {wait:.2f} s after the engine began (SUPASTACK_SEED={SEED} repeats it)")
        clone.make("down")
        if up_killed(clone, passed(wait)):
            break
        # This up was that much faster than the one that was measured.
        wait /= 2
    else:
        pytest.fail("never killed in time")
    clone.make("up")
    assert clone.preview_steps() == {}
    is_there(clone, data)


def test_after_an_engine_was_killed_while_it_wrote_its_state_the_next_up_reads_it(clone, data):
    """The backend writes the attributes beside the state in place: killed there, the engine reads its own state no more."""
    attributes = clone.state_file().with_name(f"{clone.state_file().name}.attrs")
    for command in ("preview", "up"):
        attributes.write_bytes(b"")
        unread = clone.pulumi("stack", "export", "--stack", "dev", code=None)
        assert unread.returncode != 0, "without the cure nothing works"
        assert "EOF" in unread.stdout
        assert f"removed {attributes.name}" in clone.make(command).stdout
    assert clone.preview_steps() == {}
    is_there(clone, data)


def test_a_container_that_was_made_but_not_written_into_the_state_is_named_and_made_anew(clone, data):
    clone.make("down")
    name = "supastack-dev-objects-minio"
    client = clone.daemon.client()
    # Its creation ends only when it is healthy, seconds after it was made.
    assert up_killed(clone, lambda: bool(client.containers.list(filters={"name": name})))
    orphan = client.containers.get(name).id
    assert orphan not in clone.state_file().read_text()
    shown = clone.make("up").stdout
    assert name in shown[: shown.index("Previewing update")], "named before anything else happens"
    assert client.containers.get(name).id != orphan
    assert clone.preview_steps() == {}
    is_there(clone, data)


def test_objects_of_other_stacks_are_never_taken_for_orphans(clone, data):
    client = clone.daemon.client()
    image = client.containers.get("supastack-dev-cache-valkey").image.id
    theirs = client.containers.create(image, name="theirs", labels={"supastack.stack-id": "f" * 16, "supastack.stack": "dev"})
    try:
        clone.make("up")
        assert client.containers.get("theirs").id == theirs.id
    finally:
        # Its image has a volume without a name.
        theirs.remove(force=True, v=True)


def fill(ballast):
    """Takes all the space that is left."""
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4096):
            pass


def test_a_full_disk_under_the_database_is_named_and_nothing_is_lost(clone, data):
    stack_file = clone.root / "Pulumi.dev.yaml"
    before = stack_file.read_text()
    stack_file.write_text(before + "  supastack:healthTimeout: 20\n")
    clone.make("down")
    volume = clone.daemon.data / "volumes" / "supastack-dev-supabase-postgres-data" / "_data"
    saved = clone.daemon.folder / "saved"
    subprocess.run(["cp", "-a", volume, saved], check=True)
    used = int(subprocess.run(["du", "-sm", saved], check=True, capture_output=True, text=True).stdout.split()[0])
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={used + 48}m", "tmpfs", volume], check=True)
    try:
        subprocess.run(["cp", "-a", f"{saved}/.", volume], check=True)
        clone.make("up")
        is_there(clone, data)
        fill(volume / "ballast")
        clients = Clients(clone.outputs())
        with (
            clone.daemon.network(),
            pytest.raises(Exception, match=r"No space left|terminat|closed|refused|SSL|recovery|starting"),
        ):
            clients.sql("create table filler as select repeat('x', 1000) from generate_series(1, 200000)")
        # What it frees as it stops is filled too: it can't even write its process id when it is started again.
        clone.daemon.client().containers.get("supastack-dev-supabase-postgres").stop()
        fill(volume / "ballast")
        shown = clone.make("up", code=None)
        assert shown.returncode != 0
        assert "supastack-dev-supabase-postgres" in shown.stdout
        assert "No space left on device" in shown.stdout
        (volume / "ballast").unlink()
        clone.make("up")
        is_there(clone, data)
    finally:
        clone.make("down")
        subprocess.run(["rm", "-rf", saved], check=True)
        subprocess.run(["cp", "-a", volume, saved], check=True)
        subprocess.run(["umount", volume], check=True)
        subprocess.run(["find", volume, "-mindepth", "1", "-delete"], check=True)
        subprocess.run(["cp", "-a", f"{saved}/.", volume], check=True)
        stack_file.write_text(before)
    clone.make("up")
    is_there(clone, data)
