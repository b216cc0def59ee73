"""A user's own service in a cluster: fed by the stack, rolled under load without a failed call, and kept by a bad deployment."""

import json
import re
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from components.supabase_settings.override import SERVICES
from tests.integration import sample_app
from tests.integration.clone import Clone
from tests.integration.cluster.house import House, until
from tests.integration.daemon import Daemon

pytestmark = pytest.mark.docker
FAILED = 2
"""What make ends with where a command failed."""
NAMESPACE = "supastack-apps-test"
APP, LOADER = "kpi-dashboard-backend", "loader"
BACKEND: dict[str, Any] = {
    "image": sample_app.FIRST,
    "port": 3000,
    "replicas": 3,
    "healthPath": "/health",
    "startWithin": 150,
    "env": {
        "NODE_ENV": "production",
        "SHOWS": "NODE_ENV DIRECT_URL TOKEN",
        "RELEASE": "one",
        "DATABASE_URL": "${DB_URL}",
        "DIRECT_URL": "${DB_URL}",
    },
    "secrets": {"supabase-secret": {"keys": {"database-url": "DATABASE_URL", "direct-url": "DIRECT_URL"}}},
    "resources": {"memoryRequest": "32mb", "memoryLimit": "64mb", "cpuRequest": "10m", "cpuLimit": "500m"},
}
OTHER: dict[str, Any] = {
    "image": sample_app.FIRST,
    "port": 3000,
    "healthPath": "/health",
    "connects": [APP],
    "env": {"LOAD": f"http://{APP}:3000/"},
}


class Apps:
    """The stack with its two apps."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.backend = deepcopy(BACKEND)

    def up(self, code: int | None = 0) -> str:
        """`make up` with the app as it is set now."""
        self.house.configure(**{"supastack:apps": {APP: self.backend, LOADER: OTHER}})
        return self.house.make("up", code)

    def get(self, app: str, path: str) -> dict[str, Any]:
        """What an app answers; by way of the API server, as its node may reach every pod."""
        said = self.house.cluster.kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/services/{app}:3000/proxy{path}")
        found: dict[str, Any] = json.loads(said)
        return found

    def pods(self) -> dict[str, str]:
        """The app's pods that are ready: uid by name."""
        found = json.loads(self.house.kubectl("get", "pods", f"--selector=app={APP}", "--output=json"))["items"]
        return {
            pod["metadata"]["name"]: pod["metadata"]["uid"]
            for pod in found
            if "deletionTimestamp" not in pod["metadata"]
            and any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
        }

    def secret(self, name: str) -> dict[str, str]:
        """What a Secret has."""
        found: dict[str, str] = json.loads(self.house.kubectl("get", "secret", name, "--output=json"))["data"]
        return found

    def calls(self) -> dict[str, dict[str, Any]]:
        """How many calls the loader has made, and which failed."""
        return self.get(LOADER, "/load")


@pytest.fixture(scope="module")
def apps(cluster: Any, daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    sample_app.tag(daemon.client())
    cluster.import_images([sample_app.FIRST, sample_app.SECOND])
    clone = Clone(Path(tmp_path_factory.mktemp("apps")), daemon)
    clone.create()
    house = House(clone, cluster, NAMESPACE)
    off = {name: {"enabled": False} for name in SERVICES if name != "postgres"}
    house.configure(
        **{
            "supastack:supabase": {"database": {"memory": "384mb", "sharedBuffers": "96mb"}, **off},
            "supastack:cache": {"enabled": False},
            "supastack:objectStorage": {"enabled": False},
            "supastack:envFiles": {},
        }
    )
    made = Apps(house)
    try:
        made.up()
        yield made
    finally:
        house.make("purge", code=None, CONFIRM="kube")


@pytest.fixture
def under_load(apps: Apps) -> Iterator[None]:
    """Every call that is made meanwhile, with a connection kept or not, is answered."""
    before = apps.calls()
    time.sleep(1)
    yield
    time.sleep(1)
    after = apps.calls()
    for kind in ("kept", "fresh"):
        assert after[kind]["Sent"] > before[kind]["Sent"] + 100
        # Those that failed before are from when the app was not there yet.
        assert after[kind]["Failed"] == before[kind]["Failed"], after[kind]["Errors"]


def test_three_pods_of_it_run_with_the_secrets_that_the_seed_names_and_reach_the_database(apps: Apps) -> None:
    assert len(apps.pods()) == 3
    assert set(apps.secret("supabase-secret")) == {"database-url", "direct-url"}
    assert apps.get(APP, "/database") == {"user": "postgres"}
    shown = apps.get(APP, "/")["environment"]
    assert shown["NODE_ENV"] == "production"
    assert "@postgres:5432/" in shown["DIRECT_URL"]
    level = json.loads(apps.house.cluster.kubectl("get", "namespace", NAMESPACE, "--output=json"))["metadata"]["labels"]
    assert level["pod-security.kubernetes.io/enforce"] == "restricted"
    assert apps.house.steps() == {}


def test_smoke_asks_each_through_a_port_that_nobody_has_published(apps: Apps) -> None:
    said = apps.house.make("smoke")
    for app in (APP, LOADER):
        assert re.search(rf"^  ok +app {app} +http://127\.0\.0\.1:\d+/health answers \(HTTP 200\)$", said, re.MULTILINE), said


@pytest.mark.usefixtures("under_load")
def test_a_changed_variable_rolls_it_and_no_call_fails(apps: Apps) -> None:
    before = apps.pods()
    apps.backend["env"]["RELEASE"] = "two"
    apps.up()
    assert not set(before.values()) & set(apps.pods().values())
    # A connection that is kept stays with its old pod as long as that drains.
    until(lambda: {"one", "two"} <= set(apps.calls()["kept"]["Releases"]), "the kept connections to reach the new pods")


@pytest.mark.usefixtures("under_load")
def test_a_new_image_rolls_it_and_no_call_fails(apps: Apps) -> None:
    before = apps.pods()
    apps.backend |= {"image": sample_app.SECOND}
    apps.up()
    assert not set(before.values()) & set(apps.pods().values())


def test_another_value_of_a_secret_rolls_it(apps: Apps) -> None:
    before, held = apps.pods(), apps.secret("supabase-secret")
    apps.backend["env"]["DATABASE_URL"] = "${DB_URL}?application_name=kpi"
    apps.up()
    now = apps.secret("supabase-secret")
    assert now["direct-url"] == held["direct-url"]
    assert now["database-url"] != held["database-url"]
    assert not set(before.values()) & set(apps.pods().values())
    assert apps.get(APP, "/database") == {"user": "postgres"}


@pytest.mark.usefixtures("under_load")
def test_an_image_that_can_not_be_had_fails_the_deployment_and_the_old_pods_go_on(apps: Apps) -> None:
    before = apps.pods()
    apps.backend |= {"image": sample_app.ABSENT, "startWithin": 30}
    said = apps.up(code=FAILED)
    assert "sample-app:absent" in said
    assert "ErrImagePull" in said or "ImagePullBackOff" in said
    assert apps.pods() == before


@pytest.mark.usefixtures("under_load")
def test_one_that_never_gets_ready_does_no_harm_either_and_a_good_one_mends_it(apps: Apps) -> None:
    before = apps.pods()
    apps.backend |= {"image": sample_app.SECOND}
    apps.backend["env"] |= {"FAILS": "health"}
    said = apps.up(code=FAILED)
    assert APP in said
    assert "503" in said
    assert apps.pods() == before
    del apps.backend["env"]["FAILS"]
    apps.backend["startWithin"] = 150
    apps.backend["env"]["RELEASE"] = "three"
    apps.up()
    assert apps.get(APP, "/")["release"] == "three"
    assert len(apps.pods()) == 3


def test_a_secret_that_is_there_keeps_its_name_and_its_content(apps: Apps) -> None:
    apps.house.kubectl("create", "secret", "generic", "platform", "--from-literal=token=theirs")
    uid = apps.house.kubectl("get", "secret", "platform", "--output=jsonpath={.metadata.uid}")
    apps.backend["secrets"]["platform"] = {"existing": True, "keys": {"token": "TOKEN"}}
    apps.up()
    assert apps.get(APP, "/")["environment"]["TOKEN"] == "theirs"
    del apps.backend["secrets"]["platform"]
    apps.up()
    assert apps.house.kubectl("get", "secret", "platform", "--output=jsonpath={.metadata.uid}") == uid
