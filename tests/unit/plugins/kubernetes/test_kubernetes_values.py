"""The kubernetes stand-in's pure parts: amounts, canonical form, pruning, differences, names."""

import base64

import pytest

from toolchain.plugins.common.values import UNKNOWN
from toolchain.plugins.kubernetes import annotations, diff, kinds, naming
from toolchain.plugins.kubernetes.diff import Change
from toolchain.plugins.kubernetes.normalize import normalize
from toolchain.plugins.kubernetes.prune import prune
from toolchain.plugins.kubernetes.quantity import canonical


@pytest.mark.parametrize(
    ("given", "written"),
    [
        # apimachinery, pkg/api/resource/quantity_test.go
        ("1000m", "1"),
        ("0.5", "500m"),
        (0.5, "500m"),
        (1, "1"),
        ("1.5Gi", "1536Mi"),
        ("0.5Gi", "512Mi"),
        ("1024Mi", "1Gi"),
        ("1023Mi", "1023Mi"),
        ("2000", "2k"),
        ("100000k", "100M"),
        ("512Ki", "512Ki"),
        ("0.001Ki", "1024m"),
        ("0", "0"),
        ("0Gi", "0"),
        ("-1000m", "-1"),
        ("1e3", "1e3"),
        ("soon", "soon"),
        (True, True),
    ],
)
def test_an_amount_is_written_as_the_api_server_writes_it(given: object, written: object) -> None:
    assert canonical(given) == written


def item(kind: str = "ConfigMap", api_version: str = "v1", **rest: object) -> dict[str, object]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **rest}


def test_a_secrets_string_data_goes_into_its_data() -> None:
    found = normalize(item("Secret", data={"a": "b2xk", "b": "Yg==\n"}, stringData={"a": "new"}))
    assert found["data"] == {"a": base64.b64encode(b"new").decode(), "b": "Yg=="}
    assert "stringData" not in found
    assert normalize(item("Secret", stringData={"a": UNKNOWN}))["stringData"] == {"a": UNKNOWN}
    # Another group's Secret is none.
    assert "stringData" in normalize(item("Secret", "example.org/v1", stringData={"a": "b"}))


def test_amounts_and_left_out_zeros_are_canonical_and_a_programs_own_keys_are_not_touched() -> None:
    container = {
        "resources": {"requests": {"cpu": "1000m", "example.org/gpu": 2}},
        "env": [{"name": "A", "value": ""}],
        "securityContext": {"allowPrivilegeEscalation": False, "runAsUser": 0},
        "volumeMounts": [{"name": "v", "readOnly": False}],
    }
    found = normalize(
        item(
            "Pod",
            spec={
                "automountServiceAccountToken": False,
                "containers": [container],
                "nodeSelector": {"value": ""},
                "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1024Mi"}}],
            },
        )
    )
    assert found["spec"] == {
        "automountServiceAccountToken": False,
        "containers": [
            {
                "resources": {"requests": {"cpu": "1", "example.org/gpu": "2"}},
                "env": [{"name": "A"}],
                "securityContext": {"allowPrivilegeEscalation": False, "runAsUser": 0},
                "volumeMounts": [{"name": "v"}],
            }
        ],
        "nodeSelector": {"value": ""},
        "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}],
    }
    assert normalize(item(data={"value": "", "readOnly": ""}))["data"] == {"value": "", "readOnly": ""}
    custom = item("Cluster", "postgresql.cnpg.io/v1", spec={"resources": {"requests": {"cpu": "1000m"}}, "value": ""})
    assert normalize(custom) == custom


def test_metadata_of_the_server_is_no_input() -> None:
    given = item()
    given["metadata"] = {"name": "x", "uid": "1", "resourceVersion": "2", "creationTimestamp": None, "managedFields": []}
    assert normalize(given)["metadata"] == {"name": "x"}


def test_a_live_object_is_pruned_to_the_shape_of_its_inputs() -> None:
    live = {"a": {"x": 1, "server": 2}, "list": [{"x": 1, "s": 2}, {"x": 3, "s": 4}], "more": 1, "typed": "text"}
    shape = {"a": {"x": 0}, "list": [{"x": 0}], "absent": 1, "typed": 5}
    # provider/util_test.go
    assert prune(live, shape) == {"a": {"x": 1}, "list": [{"x": 1}], "typed": "text"}
    assert prune({"l": [1, 2]}, {"l": [{"a": 1}]}) == {"l": [1, 2]}
    assert prune({"l": []}, {"l": [1]}) == {"l": []}


def test_differences_are_told_by_path() -> None:
    old = {"spec": {"a": 1, "gone": 1, "list": [1, 2, 3], "items": [{"n": "a", "v": 1}], "same": 1.0}}
    new = {"spec": {"a": 2, "new": {"x": 1}, "list": [1, 9], "items": [{"n": "a", "v": 2}, {"n": "b"}], "same": 1}}
    assert diff.changes(old, new) == {
        "spec.a": Change("update"),
        "spec.new": Change("add"),
        "spec.gone": Change("delete"),
        "spec.list[1]": Change("update"),
        "spec.list[2]": Change("delete"),
        "spec.items[0].v": Change("update"),
        "spec.items[1]": Change("add"),
    }
    assert diff.changes({"a": True}, {"a": 1}) == {"a": Change("update")}
    assert diff.changes({"a": 1}, {"a": UNKNOWN}) == {"a": Change("update")}
    assert diff.changes({}, {"a": UNKNOWN}) == {"a": Change("add")}


def test_what_the_api_server_leaves_out_when_it_is_empty_is_no_difference() -> None:
    old, new = {"spec": {}}, {"spec": {"ingress": [], "labels": {}, "emptyDir": {}}}
    live = {"spec": {"emptyDir": {}}}
    assert set(diff.changes(old, new, live=live)) == {"spec.emptyDir"}
    assert set(diff.changes(old, new)) == {"spec.ingress", "spec.labels", "spec.emptyDir"}


def test_ignored_paths_are_passed_over_with_all_below_them() -> None:
    old = {"data": {"a": 1, "b.c": 1}, "list": [{"x": 1, "y": 1}]}
    new = {"data": {"a": 2, "b.c": 2}, "list": [{"x": 2, "y": 2}]}
    assert set(diff.changes(old, new, ignored=["data"])) == {"list[0].x", "list[0].y"}
    assert set(diff.changes(old, new, ignored=["list[*].x", "data.a"])) == {'data["b.c"]', "list[0].y"}
    assert set(diff.changes(old, new, ignored=['data["b.c"]', "list[0]"])) == {"data.a"}


def test_a_change_at_above_or_below_a_replacing_field_replaces() -> None:
    fields = (".spec.selector", ".spec.containers[*].image")
    below = diff.changes({"spec": {"selector": {"a": "1"}}}, {"spec": {"selector": {"a": "2"}}}, fields)
    assert below == {"spec.selector.a": Change("update", replaces=True)}
    assert diff.changes({}, {"spec": {"selector": {}}}, fields) == {"spec": Change("add", replaces=True)}
    assert diff.changes({}, {"spec": {"other": {}}}, fields) == {"spec": Change("add")}
    old = {"spec": {"containers": [{"image": "a", "name": "c"}]}}
    assert diff.changes(old, {"spec": {"containers": [{"image": "b", "name": "d"}]}}, fields) == {
        "spec.containers[0].image": Change("update", replaces=True),
        "spec.containers[0].name": Change("update"),
    }


def test_secrets_and_config_maps_are_replaced_unless_they_may_change() -> None:
    def fields(kind: str, *, mutable: bool, **rest: object) -> set[str]:
        return set(kinds.replacing_fields(item(kind, **rest), mutable_config_maps=mutable, mutable_secrets=mutable))

    assert ".data" in fields("Secret", mutable=False)
    assert fields("Secret", mutable=True) == {".metadata.name", ".metadata.namespace", ".type"}
    assert ".data" in fields("Secret", mutable=True, immutable=True)
    assert {".data", ".binaryData"} <= fields("ConfigMap", mutable=False)
    assert fields("ConfigMap", mutable=True) == {".metadata.name", ".metadata.namespace"}
    assert ".data" in fields("ConfigMap", mutable=True, immutable=True)


@pytest.mark.parametrize(
    ("token", "refused"),
    [
        ("kubernetes:core/v1:Secret", False),
        ("kubernetes:apps/v1:Deployment", False),
        ("kubernetes:rbac.authorization.k8s.io/v1:Role", False),
        ("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", False),
        ("kubernetes:postgresql.cnpg.io/v1:Cluster", False),
        ("kubernetes:apps/v1:DeploymentPatch", True),
        ("kubernetes:core/v1:SecretList", True),
        ("kubernetes:apps/v1beta1:Deployment", True),
        ("kubernetes:core/v1:ReplicationController", True),
        ("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", True),
        ("kubernetes:helm.sh/v3:Release", True),
        ("kubernetes:helm.sh/v4:Chart", True),
        ("kubernetes:kustomize/v2:Directory", True),
        ("kubernetes:yaml/v2:ConfigGroup", True),
        ("kubernetes:postgresql.cnpg.io/v1:ClusterPatch", True),
        ("docker:index/container:Container", True),
    ],
)
def test_types_are_known_or_refused_by_name(token: str, refused: bool) -> None:
    problem = kinds.problem_of_token(token)
    assert (problem is not None) is refused
    assert problem is None or token in problem


def test_a_name_is_the_programs_else_the_one_made_up_before_else_a_new_one() -> None:
    assert naming.named(item(), {}, "r", b"seed")["metadata"] == {"name": "x"}
    bare: dict[str, object] = {"kind": "ConfigMap"}
    first = naming.named(bare, {}, "r", b"seed")
    assert (
        first["metadata"]["name"]
        == naming.named(bare, {}, "r", b"seed")["metadata"]["name"]
        != naming.named(bare, {}, "r", b"other")
    )
    assert first["metadata"]["annotations"] == {annotations.AUTONAMED: "true"}
    assert naming.named(bare, first, "r", b"other") == first
    # A name that the program gave before and no longer gives is not kept (naming.go, AdoptOldAutonameIfUnnamed).
    assert "metadata" not in naming.named(bare, item(), "r", b"seed")
    assert naming.named({"metadata": {"name": UNKNOWN}}, {}, "r", b"s") == {"metadata": {"name": UNKNOWN}}


def test_the_field_manager_is_the_annotations_else_the_states_else_a_new_one() -> None:
    noted = {"metadata": {"annotations": {annotations.PATCH_FIELD_MANAGER: "mine"}}}
    assert naming.field_manager({"__fieldManager": "theirs"}, noted) == "mine"
    assert naming.field_manager({"__fieldManager": "theirs"}, {}) == "theirs"
    assert naming.field_manager({}, {}).startswith("pulumi-kubernetes-")
    assert naming.field_manager({}, {}) != naming.field_manager({}, {})


def test_timeouts_and_propagation_are_read_from_the_annotations() -> None:
    noted = {"metadata": {"annotations": {annotations.TIMEOUT_SECONDS: "5", annotations.DELETION_PROPAGATION: "Orphan"}}}
    assert (annotations.timeout_of(noted, 0, 600), annotations.timeout_of(noted, 7, 600)) == (5, 7)
    assert annotations.timeout_of({}, 0, 600) == 600
    assert (annotations.propagation_of(noted), annotations.propagation_of({})) == ("Orphan", "Foreground")
