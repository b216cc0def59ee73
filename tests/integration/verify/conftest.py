"""The servers that stand where others' would, one set for all tests of the package."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.daemon import Daemon
from tests.integration.images.conftest import Dock, client, image
from tests.integration.verify.servers import Others, standing

__all__ = ["client", "image"]  # fixtures


@pytest.fixture(scope="package")
def others(daemon: Daemon, client: Any, image: Callable[[str], str]) -> Iterator[Others]:
    """Local servers at the other end, reached inside the daemon's network."""
    dock = Dock(client)
    try:
        with standing(dock, image, daemon) as found:
            yield found
    finally:
        dock.clean()
