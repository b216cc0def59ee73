"""Fixtures of the plugins' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import Project
from .kubernetes_world import World, own_cluster


@pytest.fixture
def plugins() -> tuple[str, ...]:
    """The plugins that `project` installs; a test module may say others."""
    return ("random",)


@pytest.fixture
def project(tmp_path: Path, plugins: tuple[str, ...]) -> Iterator[Project]:
    """A project of the test's own; what it made is destroyed at the end."""
    made = Project(tmp_path / "pulumi", plugins)
    yield made
    # What the random plugin makes lies in the state alone.
    if set(plugins) - {"random"}:
        made.destroy("--exclude-protected")


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The Kubernetes cluster's side of a test: the user's own cluster where one is named, else the test cluster."""
    place = own_cluster()
    if place is None:
        cluster = request.getfixturevalue("cluster")
        place = cluster.kubeconfig, cluster.context
    made = World(*place)
    yield made
    made.remove_all()
