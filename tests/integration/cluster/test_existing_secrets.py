"""A setting's value from a Secret that is in the cluster already, with a real engine: checked, used, hidden and followed.

The same stack is then reached by another kubeconfig and context.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

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


def _elsewhere(house: House, name: str) -> str:
    """The cluster's kubeconfig at another place, its context by another name, both in the settings. Returns the place."""
    config = yaml.safe_load(house.cluster.kubeconfig.read_text())
    for entry in config["contexts"]:
        if entry["name"] == house.cluster.context:
            entry["name"] = name
    config.pop("current-context", None)
    place = house.clone.home / f"{name}.yaml"
    place.write_text(yaml.safe_dump(config))
    house.configure_kubernetes(kubeconfig=str(place), context=name)
    return str(place)


def test_a_kubeconfig_that_has_moved_and_a_renamed_context_are_the_same_stack(house: House, cluster: Any) -> None:
    _log_in(cluster, FOURTH)
    _hold(cluster, SECOND)
    house.make("up")
    state = house.clone.state_file("kube")
    uid = house.objects("pods")[0]["metadata"]["uid"]

    first = _elsewhere(house, "first")
    house.make("up")
    assert house.objects("pods")[0]["metadata"]["uid"] == uid, "nothing was replaced"
    assert first in state.read_text()

    # As on another machine: what the state names is not there. A look writes nothing down.
    Path(first).unlink()
    second = _elsewhere(house, "second")
    before = state.read_text()
    shown = house.make("preview")
    assert "can't be reached" not in shown
    assert house.steps().keys() <= {"kubernetes"}, "the provider alone"
    assert "nothing was changed by other hands" in house.make("drift")
    assert state.read_text() == before
    house.make("status")

    house.make("down")
    assert second in state.read_text()
    assert house.objects("pods") == []
    assert house.objects("pvc") != [], "the data stays"
    assert cluster.kubectl("--namespace", PLATFORM, "get", "secret", "login", "--output=name").strip() == "secret/login"

    house.configure_kubernetes(namespace="elsewhere")
    assert "supastack:kubernetes.namespace = elsewhere" in house.make("preview", code=None)
    house.configure_kubernetes(namespace=house.namespace)
