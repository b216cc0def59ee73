"""Two clones for all tests of whole stacks: one whose dev stack is all of it, one with the servers that keep data alone."""

from pathlib import Path

import pytest

from tests.integration.clone import Clone
from tests.integration.daemon import Daemon


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
