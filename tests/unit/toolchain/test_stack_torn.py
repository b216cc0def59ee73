"""Attribute files that a killed engine left half written: removed, and nothing else is."""

import os

import pytest

from tests.unit.toolchain.test_stack_locks import dead_pid, lay
from toolchain.stack import torn


@pytest.fixture
def clone(machine):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    return machine


@pytest.fixture
def stacks(clone):
    folder = clone.context().private / "state" / ".pulumi" / "stacks" / "supastack"
    folder.mkdir(parents=True)
    for name in ("dev.json", "dev.json.bak", "dev-2.json"):
        (folder / name).write_text("{}")
        (folder / f"{name}.attrs").write_text('{"md5":"695BzpQjq7BTtjVVAqPjXw=="}\n')
    return folder


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_whole_ones_stay(clone, stacks):
    before = names(stacks)
    assert not torn.mend(clone.context())
    assert names(stacks) == before


@pytest.mark.parametrize("half", [b"", b'{"md5":"69', b"\xff\xfe"])
def test_a_torn_one_goes_and_is_named_and_the_state_stays(clone, stacks, capsys, half):
    before = names(stacks)
    (stacks / "dev.json.attrs").write_bytes(half)
    assert torn.mend(clone.context())
    assert names(stacks) == before - {"dev.json.attrs"}
    assert "dev.json.attrs" in capsys.readouterr().err


def test_that_of_another_stack_is_left_alone(clone, stacks):
    (stacks / "dev-2.json.attrs").write_bytes(b"")
    assert not torn.mend(clone.context())
    assert (stacks / "dev-2.json.attrs").exists()


def test_nothing_is_touched_while_an_engine_works(clone, stacks):
    """It could be writing that very file."""
    lay(clone.context(), os.getpid())
    (stacks / "dev.json.attrs").write_bytes(b"")
    assert not torn.mend(clone.context())
    assert (stacks / "dev.json.attrs").exists()


def test_the_lock_of_a_dead_engine_does_not_stop_it(clone, stacks):
    lay(clone.context(), dead_pid())
    (stacks / "dev.json.attrs").write_bytes(b"")
    assert torn.mend(clone.context())


def test_a_lock_that_cannot_be_read_is_for_others_to_name(clone, stacks):
    lay(clone.context(), dead_pid()).write_text("")
    (stacks / "dev.json.attrs").write_bytes(b"")
    assert not torn.mend(clone.context())
