"""What the CloudNativePG operator is told. That it takes it, tests/contract/kubernetes and tests/integration/cluster show."""

import base64
import json

import pytest

from components.setting_groups import complete
from components.supabase_stack import services
from components.targets.kubernetes import resources
from components.targets.kubernetes.cloudnativepg import manifests
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.network_policies import operated_pods
from components.targets.placement import TargetKind
from tests.unit.components.placements import placement

STACK = Stack(project="supastack", stack="dev", namespace="ns", stack_id="0123456789abcdef")
PASSWORD = "a:secret/with'all"
IN_THE_STORE = {"backend": "s3", "bucket": "app"}

LOGIN = {"name": "registry", "namespace": "platform"}


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
    server = server_of(args)
    values = dict.fromkeys(server.secrets, PASSWORD)
    return {m.body["kind"] + "/" + m.body["metadata"]["name"]: m for m in manifests(STACK, "supabase", server, target, values)}


def server_of(args):
    return next(service for service in services(args) if service.name == "postgres")


def spec(found, kind="Cluster/postgres"):
    return found[kind].body["spec"]


def test_the_cluster_and_its_secrets_stay_when_the_stack_goes():
    found = made()
    assert found["Cluster/postgres"].name == "supabase-postgres", "as a workload would be named"
    for name in ("Cluster/postgres", "Secret/postgres-admin", "Secret/postgres-superuser"):
        assert found[name].protect
        assert found[name].retain
    assert set(found["Cluster/postgres"].after) == {"supabase-postgres-admin", "supabase-postgres-superuser"}


def test_backups_can_be_turned_off_and_on_again_since_nothing_of_theirs_is_held_or_left():
    backup = {"schedule": "0 0 3 * * *"}
    on, off = made(files=IN_THE_STORE, backup=backup), made(files=IN_THE_STORE)
    gone = on.keys() - off.keys()
    assert gone == {"Secret/postgres-backup", "ObjectStore/postgres-backup", "ScheduledBackup/postgres-base-backups"}
    assert [name for name in gone if on[name].protect or on[name].retain] == []
    # What is protected comes after them, so `pulumi destroy --exclude-protected` leaves them with it.
    assert {on[name].name for name in gone if not name.startswith("Scheduled")} <= set(on["Cluster/postgres"].after)


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
    settings = {"storageClass": "fast", "dataPriorityClass": "data", "imagePullSecret": LOGIN, "profile": "medium"}
    told = spec(made(settings, walStorage="2gb", storage="20gb"))
    assert told["storage"] == {"size": "20Gi", "storageClass": "fast", "resizeInUseVolumes": True}
    assert told["walStorage"]["size"] == "2Gi"
    assert told["priorityClassName"] == "data"
    assert told["imagePullSecrets"] == [{"name": "image-pull"}]
    assert told["resources"]["limits"]["memory"] == "2Gi"
    assert told["enablePDB"] is True


def test_hibernation_is_an_annotation_that_is_always_there():
    for hibernate, said in ((False, "off"), (True, "on")):
        assert made(hibernate=hibernate)["Cluster/postgres"].body["metadata"]["annotations"]["cnpg.io/hibernation"] == said


def test_the_pooler_and_the_backups_come_with_their_settings():
    assert not [name for name in made() if name.startswith(("Pooler", "ScheduledBackup", "ObjectStore"))]
    found = made(files=IN_THE_STORE, pooler={"enabled": True, "instances": 2}, backup={"schedule": "0 0 3 * * *"})
    assert spec(found, "Pooler/postgres-pooler")["instances"] == 2
    assert spec(found, "ScheduledBackup/postgres-base-backups")["schedule"] == "0 0 3 * * *"
    store = spec(found, "ObjectStore/postgres-backup")
    assert store["configuration"]["destinationPath"] == "s3://app/postgres-backup"
    assert store["configuration"]["endpointURL"] == "http://minio:9000"
    assert store["retentionPolicy"] == "30d"
    # The folder is this stack's and this life's: barman refuses one with another server's write-ahead log.
    named = {"barmanObjectName": "postgres-backup", "serverName": f"supastack-dev-{STACK.stack_id}"}
    assert spec(found)["plugins"][0]["parameters"] == named


def test_the_database_has_what_a_database_of_the_stacks_own_has():
    def of(kind, engine):
        target = complete("kubernetes", {"profile": "medium"})
        where = placement(target=TargetKind.KUBERNETES, kubernetes={"namespace": "ns", "settings": target})
        made = services({"placement": where, "settings": {"database": {"engine": engine}}})
        return resources.resources(next(s for s in made if s.name == "postgres"), target, 512)[kind]

    assert of("requests", "cloudnativepg") == of("requests", "builtin")
    assert of("limits", "cloudnativepg") == of("limits", "builtin")
    assert of("requests", "cloudnativepg")["memory"] == of("limits", "cloudnativepg")["memory"], "it is the last to go"


def test_what_an_instance_writes_beside_its_volumes_has_a_limit_that_has_room_for_a_backup():
    def limits(**given):
        told = spec(made({"profile": "medium"}, **given))
        return told["ephemeralVolumesSizeLimit"], told["resources"]["limits"]

    volumes, container = limits()
    assert volumes == {"shm": container["memory"], "temporaryData": "512Mi"}
    assert container["ephemeral-storage"] == "768Mi", "its logs are on the same disk"
    volumes, container = limits(files=IN_THE_STORE, backup={"schedule": "0 0 3 * * *"})
    assert volumes["temporaryData"] == "8704Mi"
    assert container["ephemeral-storage"] == "8960Mi"


def test_the_pods_of_a_pooler_have_limits_and_go_to_different_nodes():
    settings = {"profile": "medium", "imagePullSecret": LOGIN}

    def pods(instances):
        return spec(made(settings, pooler={"enabled": True, "instances": instances}), "Pooler/postgres-pooler")["template"][
            "spec"
        ]

    found = pods(2)
    names = [c["name"] for c in (*found["containers"], *found["initContainers"])]
    assert names == ["pgbouncer", "bootstrap-controller"], "the operator's (its pkg/specs/pgbouncer, 1.30)"
    for container in (*found["containers"], *found["initContainers"]):
        assert container["resources"]["limits"] == {"cpu": "2", "ephemeral-storage": "768Mi", "memory": "256Mi"}
        assert container["resources"]["requests"]["memory"] == "128Mi"
    assert found["imagePullSecrets"] == [{"name": "image-pull"}]
    constraints = found["topologySpreadConstraints"]
    assert {c["topologyKey"] for c in constraints} == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    assert {c["whenUnsatisfiable"] for c in constraints} == {"ScheduleAnyway"}
    for constraint in constraints:
        assert constraint["labelSelector"] == {"matchLabels": {"cnpg.io/poolerName": "postgres-pooler"}}
    assert "topologySpreadConstraints" not in pods(1)


@pytest.mark.parametrize(
    ("given", "ids"), [({}, (999, 999)), ({"userId": 101, "groupId": 102}, (101, 102)), ({"userId": 105}, (105, 105))]
)
def test_the_operator_is_told_the_images_user_and_its_group(given, ids):
    told = spec(made(**given))
    assert (told["postgresUID"], told["postgresGID"]) == ids


@pytest.mark.parametrize(("supavisor", "provided"), [(False, {"pooler": 5432}), (True, {})])
def test_whoever_uses_the_operators_pooler_is_let_through_to_it_and_not_to_the_server(supavisor, provided):
    target = complete("kubernetes", {})
    cnpg = {"pooler": {"enabled": True}}
    settings = {"database": {"engine": "cloudnativepg", "cnpg": cnpg}, "pooler": {"enabled": supavisor}}
    where = placement(target=TargetKind.KUBERNETES, kubernetes={"namespace": "ns", "settings": target})
    server, pooler = operated_pods(STACK, server_of({"placement": where, "settings": settings}), target["networkPolicy"])
    assert (server.provides, pooler.provides) == ({"postgres": 5432}, provided)
    assert pooler.connects == ("postgres",)
