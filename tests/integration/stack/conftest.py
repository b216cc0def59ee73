"""Two clones for all tests of whole stacks: one whose dev stack is all of it, one with the servers that keep data alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.clone import Clone
from tests.integration.daemon import Daemon
from tests.integration.stack.whole import Whole

# In this order: what looks at the stack as it came up, what breaks it and mends it, what leaves it changed.
WHOLE = (
    "test_whole_up",
    "test_whole_api",
    "test_whole_keys",
    "test_whole_servers",
    "test_whole_preview",
    "test_whole_faults",
    "test_whole_side_by_side",
    "test_whole_parts",
    "test_secrecy",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests of the whole stack last: they share one, which must not meet those of `clone`."""
    items.sort(
        key=lambda item: (
            WHOLE.index(item.path.stem) + 1 if item.path.parent == Path(__file__).parent and item.path.stem in WHOLE else 0
        )
    )


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

    It has the names and the ports of `clone`'s, so its tests come after all others (`pytest_collection_modifyitems`).
    """
    yield Whole(whole, shown=whole.make("up").stdout)
    whole.make("purge", CONFIRM="dev")
