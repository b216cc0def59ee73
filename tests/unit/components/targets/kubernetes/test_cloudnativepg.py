"""What the CloudNativePG operator is told. That it takes it, tests/contract/kubernetes and tests/integration/cluster show."""

import base64
import json

import pytest

from components.setting_groups import complete
from components.supabase_stack import services
from components.targets.kubernetes.cloudnativepg import manifests
from components.targets.kubernetes.naming import Stack
from components.targets.placement import TargetKind
from tests.unit.components.placements import placement

STACK = Stack(project="supastack", stack="dev", namespace="ns", stack_id="0123456789abcdef")
PASSWORD = "a:secret/with'all"
IN_THE_STORE = {"backend": "s3", "bucket": "app"}


def made(settings=None, files=None, **cnpg):
    target = complete("kubernetes", settings or {})
    given = {"database": {"engine": "cloudnativepg", "cnpg": cnpg}, **({"storage": files} if files else {})}
    args = {
        "placement": placement(target=TargetKind.KUBERNETES, kubernetes={"namespace": "ns", "settings": target}),
        "settings": given,
    }
    if files:
        args["object_store"] = {
            "endpoint": "http://minio:9000",
            "bucket": "app",
            "region": "us-east-1",
            "access_key": "a",
            "secret_key": "b",
        }
    (server,) = (service for service in services(args) if service.name == "postgres")
    values = dict.fromkeys(server.secrets, PASSWORD)
    return {m.body["kind"] + "/" + m.body["metadata"]["name"]: m for m in manifests(STACK, "supabase", server, target, values)}


def spec(found, kind="Cluster/postgres"):
    return found[kind].body["spec"]


def test_the_cluster_and_its_secrets_stay_when_the_stack_goes():
    found = made()
    assert found["Cluster/postgres"].name == "supabase-postgres", "as a workload would be named"
    for name in ("Cluster/postgres", "Secret/postgres-admin", "Secret/postgres-superuser"):
        assert found[name].protect
        assert found[name].retain
    assert set(found["Cluster/postgres"].after) == {"supabase-postgres-admin", "supabase-postgres-superuser"}


def test_logins_are_basic_auth_and_take_effect_at_once():
    for part, user in (("superuser", "postgres"), ("admin", "supabase_admin")):
        body = made()[f"Secret/postgres-{part}"].body
        assert body["type"] == "kubernetes.io/basic-auth"
        assert {k: base64.b64decode(v).decode() for k, v in body["data"].items()} == {"username": user, "password": PASSWORD}
        assert body["metadata"]["labels"]["cnpg.io/reload"] == "true"


def test_no_secret_stands_outside_a_secret():
    for files in (None, IN_THE_STORE):
        backup = {"backup": {"schedule": "0 0 3 * * *"}} if files else {}
        for name, manifest in made(files=files, **backup).items():
            written = json.dumps(manifest.body, default=str)
            assert name.startswith("Secret/") or (
                PASSWORD not in written and base64.b64encode(PASSWORD.encode()).decode() not in written
            )


def test_the_administrator_is_the_one_declared_role_and_its_memberships_are_said():
    (role,) = spec(made())["managed"]["roles"]
    assert role["name"] == "supabase_admin"
    assert role["superuser"]
    assert role["inRoles"] == []
    assert role["passwordSecret"] == {"name": "postgres-admin"}


def test_the_primary_has_the_name_that_the_service_has_everywhere():
    (additional,) = spec(made())["managed"]["services"]["additional"]
    assert additional["selectorType"] == "rw"
    assert additional["serviceTemplate"]["metadata"]["name"] == "postgres"


@pytest.mark.parametrize(("instances", "durability"), [(1, None), (2, "preferred"), (3, "required")])
def test_what_is_acknowledged_is_on_a_standby_where_there_is_one(instances, durability):
    told = spec(made(instances=instances))["postgresql"].get("synchronous")
    assert told == (None if durability is None else {"method": "any", "number": 1, "dataDurability": durability})


def test_settings_of_the_target_reach_the_cluster():
    settings = {"storageClass": "fast", "dataPriorityClass": "data", "imagePullSecret": "registry", "profile": "medium"}
    told = spec(made(settings, walStorage="2gb", storage="20gb"))
    assert told["storage"] == {"size": "20Gi", "storageClass": "fast", "resizeInUseVolumes": True}
    assert told["walStorage"]["size"] == "2Gi"
    assert told["priorityClassName"] == "data"
    assert told["imagePullSecrets"] == [{"name": "registry"}]
    assert told["resources"]["limits"]["memory"] == "2Gi"
    assert told["enablePDB"] is True


def test_hibernation_is_an_annotation_that_is_always_there():
    for hibernate, said in ((False, "off"), (True, "on")):
        assert made(hibernate=hibernate)["Cluster/postgres"].body["metadata"]["annotations"]["cnpg.io/hibernation"] == said


def test_the_pooler_and_the_backups_come_with_their_settings():
    assert not [name for name in made() if name.startswith(("Pooler", "ScheduledBackup", "ObjectStore"))]
    found = made(files=IN_THE_STORE, pooler={"enabled": True, "instances": 2}, backup={"schedule": "0 0 3 * * *"})
    assert spec(found, "Pooler/postgres-pooler")["instances"] == 2
    assert spec(found, "ScheduledBackup/postgres-backup-schedule")["schedule"] == "0 0 3 * * *"
    store = spec(found, "ObjectStore/postgres-backup")
    assert store["configuration"]["destinationPath"] == "s3://app/postgres-backup"
    assert store["configuration"]["endpointURL"] == "http://minio:9000"
    assert store["retentionPolicy"] == "30d"
    assert spec(found)["plugins"][0]["parameters"] == {"barmanObjectName": "postgres-backup"}
