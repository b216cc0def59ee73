"""A setting's value from a Secret that is in the cluster already, with a real engine: checked, used, hidden and followed."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.clone import Clone
from tests.integration.cluster.test_up import House
from tests.integration.daemon import Daemon

pytestmark = pytest.mark.docker
PLATFORM = "existing-secrets-test"
FIRST, SECOND = "First/of:them@1", "Second/of:them@2"


def _hold(cluster: Any, password: str) -> None:
    data = {"password": base64.b64encode(password.encode()).decode()}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": PLATFORM}, "data": data}
    # kubectl notes all of it in an annotation of the object, which the state has too.
    cluster.kubectl("apply", "--filename=-", given=json.dumps(body))


@pytest.fixture(scope="module")
def house(cluster: Any, daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    clone = Clone(Path(tmp_path_factory.mktemp("existing")), daemon)
    clone.create()
    made = House(clone, cluster)
    made.configure(**{"supastack:supabase": {"enabled": False}, "supastack:objectStorage": {"enabled": False}})
    at = {"name": "login", "key": "password", "namespace": PLATFORM}
    made.configure_kubernetes(existingSecrets={"cachePassword": at})
    cluster.kubectl("create", "namespace", PLATFORM)
    try:
        yield made
    finally:
        made.make("purge", code=None, CONFIRM="kube")
        cluster.kubectl("delete", "namespace", PLATFORM)


def _answers(house: House, password: str) -> bool:
    said = house.kubectl("exec", "valkey-0", "--", "valkey-cli", "--no-auth-warning", "-a", password, "ping")
    return said.strip().endswith("PONG")


def test_a_value_of_the_cluster_is_checked_used_and_followed(house: House, cluster: Any) -> None:
    refused = house.make("up", code=None)
    assert f"there is no Secret login in namespace {PLATFORM}" in refused
    _hold(cluster, "Shrt5")
    refused = house.make("up", code=None)
    assert "shorter than 8 characters" in refused
    assert "Shrt5" not in refused

    _hold(cluster, FIRST)
    said = house.make("up")
    assert _answers(house, FIRST)
    assert house.steps() == {}, "reading it again is no change"
    state = house.clone.state_file("kube").read_text()
    for text in (FIRST, base64.b64encode(FIRST.encode()).decode()):
        assert text not in state + said

    _hold(cluster, SECOND)
    house.make("up")
    assert _answers(house, SECOND), "its pod was made anew"
    house.make("down")
    assert cluster.kubectl("--namespace", PLATFORM, "get", "secret", "login", "--output=name").strip() == "secret/login"
