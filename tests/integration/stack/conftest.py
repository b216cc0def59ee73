"""Two clones for all tests of whole stacks: one whose dev stack is all of it, one with the servers that keep data alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.clone import Clone
from tests.integration.daemon import Daemon
from tests.integration.stack.whole import Whole


@pytest.fixture(scope="session")
def clone(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A fresh clone in a clean HOME; its dev stack is database, cache and object store."""
    clone = Clone(Path(tmp_path_factory.mktemp("clone")), daemon, core=True)
    clone.create()
    return clone


@pytest.fixture(scope="session")
def whole(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A fresh clone in a clean HOME, as it is."""
    clone = Clone(Path(tmp_path_factory.mktemp("whole")), daemon)
    clone.create()
    return clone


@pytest.fixture(scope="package")
def whole_up(whole: Clone) -> Iterator[Whole]:
    """The dev stack of `whole`, up as `make up` brings it up from nothing; one for all.

    It has the names and the ports of `clone`'s: files of tests that use it are named test_whole_*, which come last.
    """
    yield Whole(whole, shown=whole.make("up").stdout)
    whole.make("purge", CONFIRM="dev")
