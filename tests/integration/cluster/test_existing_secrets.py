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
THIRD, FOURTH = (f'{{"auths":{{"registry.example.com":{{"auth":"bWU6{which}"}}}}}}' for which in ("dGhpcmQ=", "Zm91cnRo"))
"""Logins of a registry."""


def _hold(cluster: Any, password: str) -> None:
    data = {"password": base64.b64encode(password.encode()).decode()}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": PLATFORM}, "data": data}
    # kubectl notes all of it in an annotation of the object, which the state has too.
    cluster.kubectl("apply", "--filename=-", given=json.dumps(body))


def _log_in(cluster: Any, login: str) -> None:
    data = {".dockerconfigjson": base64.b64encode(login.encode()).decode()}
    metadata = {"name": "registry", "namespace": PLATFORM}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/dockerconfigjson", "data": data}
    cluster.kubectl("apply", "--filename=-", given=json.dumps(body))


def _login(house: House) -> str:
    """What the pods' copy holds."""
    secret = json.loads(house.kubectl("get", "secret", "image-pull", "--output=json"))
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    return base64.b64decode(secret["data"][".dockerconfigjson"]).decode()


@pytest.fixture(scope="module")
def house(cluster: Any, daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    clone = Clone(Path(tmp_path_factory.mktemp("existing")), daemon)
    clone.create()
    made = House(clone, cluster)
    made.configure(**{"supastack:supabase": {"enabled": False}, "supastack:objectStorage": {"enabled": False}})
    at = {"name": "login", "key": "password", "namespace": PLATFORM}
    made.configure_kubernetes(existingSecrets={"cachePassword": at}, imagePullSecret={"name": "registry", "namespace": PLATFORM})
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
    assert f"there is no Secret registry in namespace {PLATFORM} (supastack:kubernetes.imagePullSecret)" in refused
    _log_in(cluster, THIRD)
    _hold(cluster, "Shrt5")
    refused = house.make("up", code=None)
    assert "shorter than 8 characters" in refused
    assert "Shrt5" not in refused

    _hold(cluster, FIRST)
    said = house.make("up")
    assert _answers(house, FIRST)
    assert house.steps() == {}, "reading it again is no change"
    state = house.clone.state_file("kube").read_text()
    # Pods are made from the first up on with the login of their registry, which nobody could have put there before.
    assert _login(house) == THIRD
    (pod,) = house.objects("pods")
    assert pod["spec"]["imagePullSecrets"] == [{"name": "image-pull"}]
    for text in (FIRST, THIRD, *(base64.b64encode(text.encode()).decode() for text in (FIRST, THIRD))):
        assert text not in state + said

    _hold(cluster, SECOND)
    _log_in(cluster, FOURTH)
    house.make("up")
    assert _answers(house, SECOND), "its pod was made anew"
    assert _login(house) == FOURTH
    house.make("down")
    assert cluster.kubectl("--namespace", PLATFORM, "get", "secret", "login", "--output=name").strip() == "secret/login"
