"""A stack in a cluster whose state is lost: refused, then taken over as documented, with its data and nobody else's objects."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.supabase_settings.override import SERVICES
from tests.integration.clone import Clone
from tests.integration.cluster.house import STACK, House
from tests.integration.daemon import Daemon

pytestmark = pytest.mark.docker
NAMESPACE, COPIED = "supastack-lost", "supastack-copied"
ID = "supastack.io/stack-id"


@pytest.fixture(scope="module")
def house(cluster: Any, daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    clone = Clone(Path(tmp_path_factory.mktemp("lost")), daemon)
    clone.create()
    made = House(clone, cluster, NAMESPACE)
    off: dict[str, Any] = {service: {"enabled": False} for service in SERVICES if service != "postgres"}
    made.configure(**{"supastack:supabase": off, "supastack:objectStorage": {"enabled": False}})
    yield made
    made.make("purge", code=None, CONFIRM=STACK)


def test_a_lost_states_namespace_is_taken_over_by_its_id_and_password_with_its_data(house: House) -> None:
    house.make("up")
    house.sql("create table kept (a int); insert into kept values (42)")
    held, claim = _secrets(house), _claim(house)
    stack_id, password = house.lose_state()

    refused = house.make("up", code=None)
    assert f"belongs to a Supastack stack with id {stack_id}" in refused
    assert f"pulumi config set supastack:stackId {stack_id}" in refused
    house.set_to(f"supastack:stackId {stack_id}")

    pods = {pod["metadata"]["uid"] for pod in house.objects("pods")}
    refused = house.make("up", code=None)
    assert f"holds the stack with id {stack_id} (supastack:stackId), of which the state here knows nothing" in refused
    refused = house.make("up", code=None, CONFIRM=STACK)
    assert f"kubectl -n {NAMESPACE} get secret supabase-database" in refused
    assert password not in refused
    assert {pod["metadata"]["uid"] for pod in house.objects("pods")} == pods, "whose state is elsewhere goes on running"
    house.set_to("--secret supastack:databasePassword", password)

    house.kubectl("annotate", "networkpolicy", _guarding(house), f"{ID}-")
    refused = house.make("up", code=None, CONFIRM=STACK)
    assert f"that is not of the stack with id {stack_id}" in refused
    house.kubectl("annotate", "networkpolicy", _guarding(house), f"{ID}={stack_id}")

    assert f"Stack {STACK} is up." in house.make("up", CONFIRM=STACK)
    assert house.sql("select a from kept") == "42"
    assert _claim(house)["metadata"]["uid"] == claim["metadata"]["uid"]
    now = _secrets(house)
    assert {name: now[f"{name}-before"] for name in held} == held, "what the lost state held is nowhere else any more"
    assert house.settles()


def test_a_namespace_that_was_deleted_is_made_anew_by_who_confirms_it_and_that_of_a_copied_file_is_never_touched(
    house: House,
) -> None:
    stack_id = next(
        s["metadata"]["annotations"][ID] for s in house.objects("secrets") if s["metadata"]["name"] == "supabase-database"
    )
    # As a stack has it whose file was copied, `stackId` and all.
    house.cluster.kubectl("create", "namespace", COPIED)
    house.cluster.kubectl("label", "namespace", COPIED, f"app.kubernetes.io/instance={COPIED}")
    house.cluster.kubectl("annotate", "namespace", COPIED, f"{ID}={stack_id}")
    house.cluster.kubectl("--namespace", COPIED, "create", "configmap", "held")
    house.cluster.kubectl("--namespace", COPIED, "annotate", "configmap", "held", f"{ID}={stack_id}")

    house.cluster.kubectl("delete", "namespace", NAMESPACE)
    for command in ("up", "preview"):
        assert f"namespace {NAMESPACE} of stack {STACK} is not in context" in house.make(command, code=None)
    assert f"Stack {STACK} is up." in house.make("up", CONFIRM=STACK)
    assert house.sql("select to_regclass('kept') is null") == "t", "the data went with the namespace"

    house.make("purge", CONFIRM=STACK)
    left = house.cluster.kubectl("get", "namespaces", "--output=name").split()
    assert f"namespace/{NAMESPACE}" not in left
    assert f"namespace/{COPIED}" in left
    house.cluster.kubectl("--namespace", COPIED, "get", "configmap", "held")
    house.cluster.kubectl("delete", "namespace", COPIED)


def _secrets(house: House) -> dict[str, dict[str, str]]:
    """What each Secret holds."""
    return {
        secret["metadata"]["name"]: {key: base64.b64decode(text).decode() for key, text in (secret.get("data") or {}).items()}
        for secret in house.objects("secrets")
    }


def _claim(house: House) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(house.kubectl("get", "pvc", "postgres-data-postgres-0", "--output=json"))
    return found


def _guarding(house: House) -> str:
    names = json.loads(house.kubectl("get", "networkpolicies", "--output=json"))["items"]
    return str(names[0]["metadata"]["name"])
