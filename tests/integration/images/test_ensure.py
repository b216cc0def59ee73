"""What images say of themselves, and how they get into a daemon."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.images.conftest import Dock
from toolchain.announce import Step
from toolchain.images import available, ensure

pytestmark = pytest.mark.docker

NAMES = sorted(available())


class Recorder:
    """Steps as the user is told of them."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str, text: str) -> Iterator[Step]:
        current = Step(name, text)
        yield current
        self.steps.append(current)


def have(reference: str) -> Step:
    recorder = Recorder()
    ensure([reference], os.environ.get("DOCKER_HOST") or None, recorder.step)
    (only,) = recorder.steps
    return only


@pytest.mark.parametrize("name", NAMES)
def test_an_image_says_what_it_is_and_carries_no_package_lists(
    dock: Dock, image: Callable[[str], str], client: Any, name: str
) -> None:
    recipe = available()[name]
    labels = client.images.get(image(name)).labels
    assert labels["supastack.kind"] == ("stub" if name == "stub" else "local")
    assert labels["supastack.stands-for"] == recipe.stands_for
    assert labels["supastack.inputs"] == recipe.inputs
    assert recipe.note in labels["supastack.note"]
    assert all(missing in labels["supastack.note"] for missing in recipe.cannot)
    left = dock.once(image(name), "-c", "find /var/lib/apt/lists /var/cache/apt -type f", entrypoint=["/bin/sh"])
    assert left.strip() == ""


def test_an_image_that_is_there_is_left_alone(image: Callable[[str], str], client: Any) -> None:
    before = client.images.get(image("stub")).id
    again = have(image("stub"))
    assert again.skipped
    assert client.images.get(image("stub")).id == before


def test_an_image_that_is_gone_is_loaded_from_the_cache_and_is_the_same(image: Callable[[str], str], client: Any) -> None:
    reference = image("mailpit")
    before = client.images.get(reference).id
    # Under another name it stays whole for whoever uses it meanwhile.
    client.images.get(reference).tag("supastack.local/images-test", "kept")
    try:
        client.images.remove(reference, noprune=True)
        again = have(reference)
    finally:
        client.images.remove("supastack.local/images-test:kept", noprune=True)
    assert again.text.startswith("loaded")
    assert client.images.get(reference).id == before


def test_an_image_of_other_inputs_is_replaced(dock: Dock, image: Callable[[str], str], client: Any) -> None:
    reference = image("mailpit")
    right = client.images.get(reference).id
    stale = dock.box(reference, entrypoint=["true"], start=False)
    stale.container.commit("supastack.local/mailpit", available()["mailpit"].tag, conf={"Labels": {"supastack.inputs": "old"}})
    assert client.images.get(reference).id != right
    assert not have(reference).skipped
    assert client.images.get(reference).id == right
