"""One clone for all tests of whole stacks."""

from pathlib import Path

import pytest

from tests.integration.clone import Clone
from tests.integration.daemon import Daemon


@pytest.fixture(scope="session")
def clone(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A fresh clone in a clean HOME."""
    clone = Clone(Path(tmp_path_factory.mktemp("clone")), daemon)
    clone.create()
    return clone
