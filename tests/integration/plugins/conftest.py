"""Fixtures of the plugins' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import Project
from .kubernetes_world import IMAGE, World, own_cluster


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


@pytest.fixture(scope="session")
def kubernetes_place(request: pytest.FixtureRequest) -> tuple[Path, str]:
    """The kubeconfig and the context of the user's own cluster where one is named, else of the test cluster."""
    place = own_cluster()
    if place is None:
        cluster = request.getfixturevalue("cluster")
        cluster.import_images([IMAGE])
        place = cluster.kubeconfig, cluster.context
    return place


@pytest.fixture
def world(kubernetes_place: tuple[Path, str]) -> Iterator[World]:
    """The Kubernetes cluster's side of a test."""
    made = World(*kubernetes_place)
    yield made
    made.remove_all()


@pytest.fixture
def space(world: World) -> World:
    """A world whose namespace is there."""
    world.make_namespace()
    return world
