"""What the Docker target writes in Docker's own terms."""

import pytest

from components.targets import docker


@pytest.mark.parametrize(
    ("seconds", "written"), [(0, "0s"), (5, "5s"), (60, "1m0s"), (90, "1m30s"), (3600, "1h0m0s"), (3725, "1h2m5s")]
)
def test_durations_are_written_as_go_reads_them_back(seconds, written):
    assert docker._duration(seconds) == written
