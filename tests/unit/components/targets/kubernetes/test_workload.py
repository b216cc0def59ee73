"""Which kind of workload a service is, and what its pods are."""

import pytest

from components.service import Edge, Gate, Image, Kind, Mount, Port
from tests.unit.components.targets.kubernetes.making import container, data, pod, render, service


def kind(*services, name="supabase-it", **settings):
    return render(*services, **settings)[name].kind


def test_what_keeps_data_is_a_stateful_set_and_all_else_a_deployment():
    assert kind(service(volumes=(data(),))) == "StatefulSet"
    assert kind(service()) == "Deployment"
    assert kind(service(kind=Kind.JOB)) == "Job"
    assert kind(service(collects_logs=True)) == "DaemonSet"


def test_a_volume_that_is_not_used_now_makes_no_stateful_set():
    """Its claim stays in the cluster without it: a StatefulSet that goes leaves its claims."""
    assert kind(service(volumes=(data(idle=True),))) == "Deployment"


def test_nothing_is_made_of_what_is_turned_off():
    assert render(service(off=True, volumes=(data(),))) == {}


def test_claims_outlive_their_stateful_set():
    body = render(service(volumes=(data(),)))["supabase-it"].body
    assert body["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert render(service(volumes=(data(),)))["supabase-it"].ignore == ("spec.volumeClaimTemplates",)


def test_a_selector_has_only_labels_that_never_change():
    one, other = (
        render(service(image=Image("it", f"it:{tag}")))["supabase-it"].body["spec"]["selector"] for tag in ("1.2", "1.3")
    )
    assert one == other == {"matchLabels": {"app.kubernetes.io/name": "it", "app.kubernetes.io/instance": "shop-prod"}}


def test_pods_get_neither_a_token_nor_the_addresses_of_all_services():
    found = render(service())
    spec = pod(found["supabase-it"])
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["serviceAccountName"] == found["supabase-it-account"].body["metadata"]["name"] == "it"
    assert found["supabase-it-account"].body["automountServiceAccountToken"] is False


def test_one_that_can_be_only_one_goes_before_its_successor_comes():
    assert render(service())["supabase-it"].body["spec"]["strategy"] == {"type": "Recreate"}
    spec = render(service(replicable=True))["supabase-it"].body["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_who_reads_the_volume_of_another_is_on_its_node_and_goes_before_its_successor_comes():
    found = render(
        service("files", volumes=(data("files-data"),)),
        service(replicable=True, mounts=(Mount("files-data", "/files"),)),
    )
    spec = pod(found["supabase-it"])
    (term,) = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["labelSelector"]["matchLabels"]["app.kubernetes.io/name"] == "files"
    assert found["supabase-it"].body["spec"]["strategy"] == {"type": "Recreate"}
    assert {"name": "of-files-data", "persistentVolumeClaim": {"claimName": "files-data-files-0"}} in spec["volumes"]
    assert {"name": "of-files-data", "mountPath": "/files", "readOnly": True} in container(found["supabase-it"])["volumeMounts"]
    assert "supabase-files" in found["supabase-it"].after


def test_the_volume_of_one_that_is_turned_off_is_an_empty_folder():
    found = render(service("files", off=True, volumes=(data("files-data"),)), service(mounts=(Mount("files-data", "/files"),)))
    assert {"name": "of-files-data", "emptyDir": {"sizeLimit": "256Mi"}} in pod(found["supabase-it"])["volumes"]


@pytest.mark.parametrize("gate", [Gate.STARTED, Gate.HEALTHY])
def test_a_gated_service_comes_after_the_other(gate):
    found = render(service("db", provides={"db": "http"}), service(connects=(Edge("db", gate),)))
    assert "supabase-db" in found["supabase-it"].after


def test_an_edge_without_a_gate_makes_no_order():
    found = render(service("db", provides={"db": "http"}), service(connects=(Edge("db"),)))
    assert "supabase-db" not in found["supabase-it"].after


def test_nobody_waits_for_what_is_optional_but_those_that_say_so():
    assert not render(service(optional=True))["supabase-it"].wait
    assert render(service())["supabase-it"].wait
    found = render(service("db", optional=True, provides={"db": "http"}), service(connects=(Edge("db", Gate.HEALTHY),)))
    assert found["supabase-db"].wait


def test_a_service_name_is_there_before_its_pods_and_is_not_waited_for():
    found = render(service())
    assert "supabase-it-service" in found["supabase-it"].after
    assert not found["supabase-it-service"].wait
    assert found["supabase-it-service"].body["spec"]["ports"] == [
        {"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8080}
    ]


def test_a_stub_is_told_its_ports_and_is_never_pulled():
    stub = Image("it", "supastack.local/stub:1", "stub")
    found = container(render(service(image=stub, command=("serve",), entrypoint=("run",)))["supabase-it"])
    assert (found["command"], "args" in found, found["imagePullPolicy"]) == (["stub"], False, "Never")
    assert {"name": "STUB_PORTS", "value": "8080"} in found["env"]
    assert {"name": "STUB_SERVICE", "value": "it"} in found["env"]


@pytest.mark.parametrize(
    ("reference", "kind", "policy"),
    [
        ("supastack.local/it:1", "local", "Never"),
        ("example.com/it:1", "registry", "IfNotPresent"),
        ("example.com/it:latest", "registry", "Always"),
        (f"example.com/it@sha256:{'0' * 64}", "registry", "IfNotPresent"),
    ],
)
def test_images_are_pulled_where_another_may_be_behind_the_name(reference, kind, policy):
    assert container(render(service(image=Image("it", reference, kind)))["supabase-it"])["imagePullPolicy"] == policy


def test_a_pod_knows_itself_by_its_services_name_as_with_docker():
    """A health check that asks by that name would else ask nobody: a Service leads to pods that are ready."""
    assert pod(render(service())["supabase-it"])["hostAliases"] == [{"ip": "127.0.0.1", "hostnames": ["it"]}]


def test_a_database_gets_two_minutes_to_stop_and_others_what_they_ask_for():
    assert pod(render(service(volumes=(data(owned=True),), stop_grace=30))["supabase-it"])["terminationGracePeriodSeconds"] == 120
    assert pod(render(service(volumes=(data(),), stop_grace=30))["supabase-it"])["terminationGracePeriodSeconds"] == 30


def test_replicas_are_left_out_where_an_autoscaler_sets_them():
    fixed = render(service("rest", replicable=True), replicas={"rest": 3})["supabase-rest"]
    assert (fixed.body["spec"]["replicas"], fixed.ignore) == (3, ())
    free = render(service("rest", replicable=True), autoscaling={"rest": {}})["supabase-rest"]
    assert ("replicas" in free.body["spec"], free.ignore) == (False, ("spec.replicas",))


def test_pods_are_pulled_with_the_secret_that_the_settings_name():
    login = {"name": "registry", "namespace": "platform"}
    assert pod(render(service(), imagePullSecret=login)["supabase-it"])["imagePullSecrets"] == [{"name": "image-pull"}]


def test_entrypoint_and_command_are_kubernetes_command_and_arguments():
    found = container(render(service(entrypoint=("sh",), command=("-c", "echo $(date)")))["supabase-it"])
    assert found["command"] == ["sh"]
    # Kubernetes would take $(date) for a variable of its own.
    assert found["args"] == ["-c", "echo $$(date)"]


def test_a_collector_of_logs_is_in_a_namespace_of_its_own_with_the_rights_to_name_pods():
    found = render(service("shipper", collects_logs=True, ports=(Port("api", 9001),)))
    assert {m.body["metadata"].get("namespace") for m in found.values()} == {"shop-prod-logs", None}
    (rule,) = found["supabase-shipper-role"].body["rules"]
    assert rule == {"apiGroups": [""], "resources": ["namespaces", "nodes", "pods"], "verbs": ["list", "watch"]}
    spec = pod(found["supabase-shipper"])
    assert spec["automountServiceAccountToken"] is True
    assert {"name": "logs", "hostPath": {"path": "/var/log/pods", "type": "Directory"}} in spec["volumes"]
    assert all(m["readOnly"] for m in container(found["supabase-shipper"])["volumeMounts"] if m["name"] == "logs")


def test_a_stub_of_it_gets_none_of_that():
    found = render(service("shipper", collects_logs=True, image=Image("shipper", "supastack.local/stub:1", "stub")))
    assert {m.body["metadata"]["namespace"] for m in found.values()} == {"shop-prod"}
    assert not any("hostPath" in v for v in pod(found["supabase-shipper"])["volumes"])
