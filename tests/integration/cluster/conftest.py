"""The cluster of our own, for the tests that are about it."""

import pytest

from tests.integration.cluster.stub_pods import STUB
from toolchain.cluster.cluster import Cluster


@pytest.fixture(scope="module")
def own(cluster: object) -> Cluster:
    if not isinstance(cluster, Cluster):
        pytest.skip("this is about a cluster of our own")
    cluster.import_images([STUB])
    return cluster
