"""One Docker daemon of the tests' own for all integration tests, with the local images in it, and one Kubernetes cluster."""

import os
from collections.abc import Iterator

import pytest

from tests.integration.daemon import Daemon, why_none
from tests.integration.kubernetes_cluster import cluster
from tests.integration.local_images import build_missing

__all__ = ["cluster", "daemon"]


@pytest.fixture(scope="session", autouse=True)
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon of the tests' own, isolated, with all local images loaded; DOCKER_HOST names it meanwhile, for all integration tests."""
    if problem := why_none():
        pytest.fail(problem)
    references = build_missing(tmp_path_factory.mktemp("builder"))
    daemon = Daemon(tmp_path_factory.mktemp("daemon"))
    daemon.start()
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = daemon.host
    try:
        from toolchain import announce, images

        images.ensure(references, daemon.host, announce.step)
        yield daemon
    finally:
        if before is None:
            del os.environ["DOCKER_HOST"]
        else:
            os.environ["DOCKER_HOST"] = before
        daemon.remove()
