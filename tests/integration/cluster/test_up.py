"""`make up STACK=kube` on a real cluster: the whole stack, what a change costs, what breaks and comes back, `down`, `purge`."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.clone import Clone
from tests.integration.cluster.house import NAMESPACE, STACK, House, until
from tests.integration.daemon import Daemon

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def house(cluster: Any, daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    clone = Clone(Path(tmp_path_factory.mktemp("house")), daemon)
    clone.create()
    made = House(clone, cluster)
    yield made
    made.make("purge", code=None, CONFIRM=STACK)


@pytest.fixture(scope="module")
def up(house: House) -> str:
    """What the first `make up` says."""
    return house.make("up")


def test_a_context_that_is_not_there_is_refused_before_anything_is_made(house: House) -> None:
    right = house.cluster.context
    house.configure_kubernetes(context="nobody's")
    try:
        assert "has no context nobody's" in house.make("up", code=None)
    finally:
        house.configure_kubernetes(context=right)
    assert NAMESPACE not in house.cluster.kubectl("get", "namespaces", "--output=name")


def test_one_command_brings_the_whole_stack_up(house: House, up: str) -> None:
    assert f"Stack {STACK} is up." in up
    assert re.search(r"images: 0 real, from a registry, [1-9]\d* real, built here, 1 stub", up)
    assert house.unready() == set()


def test_the_namespace_enforces_restricted_and_all_pods_run_under_it(house: House, up: str) -> None:
    namespace = json.loads(house.cluster.kubectl("get", "namespace", NAMESPACE, "--output=json"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    warned = house.cluster.kubectl(
        "label", "--dry-run=server", "--overwrite", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted"
    )
    assert "violate" not in warned


def test_a_second_preview_changes_nothing(house: House, up: str) -> None:
    assert house.steps() == {}


def test_clients_on_this_machine_reach_the_stack_through_forwarded_ports(house: House, up: str) -> None:
    with house.forward() as at:
        with urllib.request.urlopen(f"{at['API_URL']}/gateway/health", timeout=10) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{at['API_URL']}/rest/v1/", timeout=10)
        assert refused.value.code == 401, "without a key"
        with pytest.raises(urllib.error.HTTPError) as login:
            urllib.request.urlopen(at["STUDIO_URL"], timeout=10)
        assert login.value.code == 401
        file = house.clone.root / ".env.kube.forwarded"
        url = re.search(r"^DATABASE_URL=\"?(postgresql://[^\"\n]+)", file.read_text(), re.MULTILINE)
        assert url is not None
        done = subprocess.run(["psql", url[1], "-Atc", "select 40 + 2"], capture_output=True, text=True, timeout=30, check=False)
        assert done.stdout.strip() == "42", done.stderr
        host, _, port = at["REDIS_URL"].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as cache:
            cache.sendall(b"PING\r\n")
            assert cache.recv(100).startswith(b"-NOAUTH")
    assert not file.exists()


def test_smoke_asks_the_stack_through_forwarded_ports(house: House, up: str) -> None:
    shown = house.make("smoke")
    assert "asked through forwarded ports" in shown
    for name in ("database", "cache", "API"):
        assert re.search(rf"^  ok +{name} ", shown, re.MULTILINE), shown
    assert "127.0.0.1:" in shown


def test_drift_tells_what_kubectl_did_and_nothing_else(house: House, up: str) -> None:
    assert "nothing was changed by other hands" in house.make("drift")
    house.kubectl("scale", "deployment/meta", "--replicas=2")
    try:
        shown = house.make("drift", code=2)
    finally:
        house.kubectl("scale", "deployment/meta", "--replicas=1")
    assert "1 resource is not as deployed." in shown
    assert "spec.replicas: 1 -> 2" in shown


def test_one_setting_changes_what_it_is_about_and_nothing_else(house: House, up: str) -> None:
    document = yaml.safe_load(house.file.read_text())
    before = document["config"].get("supastack:supabase", {})
    house.configure(**{"supastack:supabase": {**before, "rest": {"maxRows": 500}}})
    try:
        # Studio is told the same of the REST API.
        assert house.steps() == {"supabase-rest": "update", "supabase-studio": "update"}
    finally:
        house.configure(**{"supastack:supabase": before})


def test_a_changed_database_password_reaches_the_database_by_its_job_and_the_preview_says_so(house: House, up: str) -> None:
    """The next tests hold that nothing is left to change, and that `down` and `up` return with the changed one."""
    house.clone.run("bash", "-c", f"{_GIVE} supastack:databasePassword --stack {STACK}", inside=False, GIVEN=_CHANGED)
    steps = house.steps()
    assert steps["supabase-database-secret"] == steps["supabase-rest"] == steps["env-nextjs"] == "update"
    assert {name: step for name, step in steps.items() if step != "update"} == {"supabase-database-sync": "replace"}
    assert f"Stack {STACK} is up." in house.make("up")
    _only_the_changed_password_opens(house)


_GIVE = '. .supastack/activate && printf %s "$GIVEN" | pulumi config set --secret'
_CHANGED = "a-changed.password_2"


def _only_the_changed_password_opens(house: House) -> None:
    """By the pod's address: on its loopback every role is trusted."""
    at = house.kubectl("get", "pod", house.database, "--output=jsonpath={.status.podIP}")
    for role in ("postgres", "authenticator", "supabase_admin"):
        ask = f"psql -h {at} -U {role} -d postgres -Atc 'select 40 + 2' 2>&1 || true"
        said = house.kubectl("exec", house.database, "--", "sh", "-c", f"PGPASSWORD={_CHANGED} {ask}; PGPASSWORD=of-nobody {ask}")
        right, *wrong = said.splitlines()
        assert right == "42", said
        assert "password authentication failed" in " ".join(wrong)


def test_a_pod_that_is_killed_comes_back_with_its_data(house: House, up: str) -> None:
    house.sql("create table if not exists kept (a int); truncate kept; insert into kept values (42)")
    house.kubectl("delete", "pod", "postgres-0", "--grace-period=0", "--force", "--wait=true")
    until(house.is_well, "the database's pod")
    assert house.sql("select a from kept") == "42"
    assert house.settles()


def test_a_kubelet_that_is_killed_changes_nothing(house: House, up: str) -> None:
    if not hasattr(house.cluster, "restart"):
        pytest.skip("this is about a cluster of our own")
    house.cluster.restart("kubelet")
    # It asks every pod anew before it calls them ready again, and a preview meanwhile tells of workloads that are not.
    until(lambda: not house.unready() and house.steps() == {}, "a preview without a change after the kubelet's restart")


def test_down_keeps_the_claims_and_up_returns_with_the_data_though_its_engine_is_killed(house: House, up: str) -> None:
    house.sql("create table if not exists kept (a int); truncate kept; insert into kept values (42)")
    said = house.make("down")
    assert "postgres-data-postgres-0" in said
    assert house.objects("pods") == [] or until(lambda: not house.objects("pods"), "the pods' end")
    assert {c["status"]["phase"] for c in house.objects("pvc")} == {"Bound"}
    _kill_an_up(house)
    assert f"Stack {STACK} is up." in house.make("up")
    assert house.sql("select a from kept") == "42"
    assert house.settles()


def _kill_an_up(house: House) -> None:
    """Starts an up, kills its engine as soon as it has made some objects, and waits for the rest to end."""
    command = ["make", "--no-print-directory", "up", f"STACK={STACK}"]
    up = subprocess.Popen(
        command,
        cwd=house.clone.root,
        env=house.clone.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: len(house.objects("services")) >= 3, "the first objects")
    killed = _engines(house.clone.root)
    for engine in killed:
        os.kill(engine, signal.SIGKILL)
    assert killed
    assert up.wait(120) != 0


def _engines(root: Path) -> list[int]:
    """Pids of the engines that work on an up in a clone."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if Path(words[0].decode()).name == "pulumi" and b"up" in words and (entry / "cwd").resolve() == root:
                found.append(int(entry.name))
    return found


def test_purge_leaves_nothing(house: House, up: str) -> None:
    house.make("purge", CONFIRM=STACK)
    assert NAMESPACE not in house.cluster.kubectl("get", "namespaces", "--output=name")
    until(lambda: not house.volumes(), "the end of the volumes")
    assert not list((house.clone.root / ".supastack/state").rglob("kube.json"))
