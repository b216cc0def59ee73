"""Real event logs of the engine as data: recorded by tests/unit/preview/record.py, with stand-in plugins, of a small stack on Docker."""

from pathlib import Path

import pytest

from toolchain.preview import changes, report, risks
from toolchain.preview.changes import Op
from toolchain.preview.values import HIDDEN, UNKNOWN, at, plain, steps

RECORDED = Path(__file__).parent / "recorded"


def recorded(name, **how):
    return changes.read(RECORDED / f"{name}.jsonl", **how)


def by_name(preview, *ops):
    return {change.name: change for change in preview.of(*ops)}


def test_each_resource_has_one_change_and_a_replacement_is_one_too():
    preview = recorded("changed")
    assert preview.complete
    assert len({c.urn for c in preview.changes}) == len(preview.changes)
    assert by_name(preview, Op.REPLACE).keys() == {"supabase-postgres"}
    assert by_name(preview, Op.DELETE).keys() == {
        "objects-minio",
        "objects-minio-image",
        "objects-buckets",
        "objects-buckets-image",
    }
    assert by_name(preview, Op.CREATE).keys() == {"supabase-meta", "supabase-meta-image"}
    assert not preview.of(Op.UPDATE), "a provider whose version alone differs is no change"


def test_the_property_that_forces_a_replacement_is_known_with_both_values():
    (replaced,) = recorded("changed").of(Op.REPLACE)
    assert replaced.keys == ("command",)
    (command,) = replaced.properties
    assert command.replaces
    assert "shared_buffers=131072kB" in command.old
    assert "shared_buffers=98304kB" in command.new


def test_what_belongs_to_a_component_says_so():
    found = by_name(recorded("changed"), Op.DELETE, Op.CREATE)
    assert found["objects-minio"].component == "objects"
    assert found["supabase-meta"].component == "supabase"


def test_secrets_stand_as_such_and_the_engines_own_properties_are_left_out():
    (created,) = [c for c in recorded("changed").of(Op.CREATE) if c.name == "supabase-meta"]
    assert HIDDEN in str(created.new)
    assert "4dabf18193072939515e22adb298388d" not in str(created.new)
    assert "__defaults" not in created.new


def test_outputs_are_those_of_now_and_then():
    preview = recorded("changed")
    assert preview.old_outputs["S3_BUCKET"] == "service-center"
    assert "S3_BUCKET" not in preview.outputs
    assert preview.outputs["DB_URL"] == HIDDEN


def test_a_checks_failure_is_an_error_of_its_resource_and_the_preview_is_not_complete():
    preview = recorded("failed")
    assert not preview.complete
    (error,) = [d for d in preview.diagnostics if d.severity == "error"]
    assert error.urn.endswith("::checks")
    assert "holds data of minio" in error.message


NOT_SEEN_OFF = {
    "diagnosticEvent": {
        "severity": "error",
        "message": "Detected that /home/u/plugins/resource-docker-v5.2.0/pulumi-resource-docker exited prematurely. \n"
        "       This is *always* a bug in the provider. Please report the issue to the provider author as appropriate.\n",
    }
}


@pytest.mark.parametrize("result", ["succeeded", "failed"])
def test_a_plugin_that_a_busy_machine_let_go_late_is_an_error_of_a_run_alone_that_failed(result):
    preview = changes.parse([NOT_SEEN_OFF, {"summaryEvent": {"result": result}}])
    assert preview.complete == (result == "succeeded")
    assert [d.severity for d in preview.diagnostics] == ([] if preview.complete else ["error"])


def test_a_protected_secret_that_would_be_made_anew_is_a_risk():
    secret = by_name(recorded("precious"), Op.REPLACE)["app-setup-password"]
    assert secret.protected
    assert "made anew" in secret.risk
    assert [(p.path, p.old, p.new, p.replaces) for p in secret.properties] == [("length", 24, 30, True)]


def test_a_dynamic_providers_change_has_its_properties_though_the_engine_names_none():
    file = by_name(recorded("precious"), Op.UPDATE)["env-nextjs"]
    (revisions,) = file.properties
    assert revisions.new["SETUP_PASSWORD"] == UNKNOWN


def test_in_a_preview_what_other_hands_changed_stands_beside_what_sets_it_back():
    preview = recorded("precious")
    drifted = by_name(preview, Op.REFRESH)
    assert drifted["cache-valkey"].gone
    assert "cache-valkey" in by_name(preview, Op.CREATE)
    assert [(p.path, p.old, p.new) for p in drifted["objects-minio"].properties] == [
        ("memory", 1024, 300),
        ("memorySwap", 1024, 300),
    ]
    assert next((p.path, p.old, p.new) for p in by_name(preview, Op.UPDATE)["objects-minio"].properties) == ("memory", 300, 1024)


def test_a_refresh_finds_the_same():
    found = by_name(recorded("drift", refresh=True), Op.REFRESH)
    assert found.keys() == {"cache-valkey", "objects-minio"}
    assert found["cache-valkey"].gone
    assert not found["objects-minio"].gone


def test_a_log_that_stops_in_the_middle_is_not_complete(tmp_path):
    lines = (RECORDED / "changed.jsonl").read_text().splitlines()
    (tmp_path / "log").write_text("\n".join(lines[: len(lines) // 2]))
    assert not changes.read(tmp_path / "log").complete


# ---- made by hand, after the engine's and the providers' own forms ----------------------------------------------------

VOLUME, CLAIM = "docker:index/volume:Volume", "kubernetes:core/v1:PersistentVolumeClaim"
PRECIOUS = {"labels": [{"label": "supastack.precious", "value": "true"}]}


def event(op, kind, old=None, **more):
    urn = f"urn:pulumi:dev::supastack::{kind}::it"
    sides = {"old": old, "new": None if op == "delete" else {"inputs": {}}}
    return {"resOutputsEvent": {"metadata": {"op": op, "urn": urn, "type": kind, **sides, **more}}}


@pytest.mark.parametrize(
    ("kind", "inputs", "said"),
    [
        (VOLUME, PRECIOUS, "the volume is removed, with what is in it"),
        (CLAIM, {}, "the claim is removed"),
        ("kubernetes:apps/v1:StatefulSet", {}, "the claims with its data stay"),
        ("kubernetes:postgresql.cnpg.io/v1:Cluster", {}, "the operator removes the database"),
        ("kubernetes:core/v1:Namespace", {}, "everything in the namespace"),
        ("kubernetes:barmancloud.cnpg.io/v1:ObjectStore", {}, "the database's backups end here"),
        ("random:index/randomPassword:RandomPassword", {}, "does not open with another"),
    ],
)
def test_what_holds_data_is_a_risk_when_it_goes(kind, inputs, said):
    (change,) = changes.parse([event("delete", kind, {"inputs": inputs})]).changes
    assert said in change.risk


# That of what reads all pods' logs, as components/targets/kubernetes/namespace.py makes it.
LOGS = {"metadata": {"name": "it-logs", "labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}


@pytest.mark.parametrize(
    ("kind", "inputs"), [(VOLUME, {}), ("docker:index/container:Container", {}), ("kubernetes:core/v1:Namespace", LOGS)]
)
def test_what_can_be_made_again_is_none(kind, inputs):
    (change,) = changes.parse([event("delete", kind, {"inputs": inputs})]).changes
    assert change.risk is None


def test_a_volume_that_is_retained_stays_and_one_made_anew_is_empty():
    assert "stays on the daemon" in risks.of(VOLUME, PRECIOUS, goes=True, retained=True)
    assert "the new one is empty" in risks.of(VOLUME, PRECIOUS, goes=True, retained=True, anew=True)
    assert risks.of(VOLUME, PRECIOUS, goes=False) is None


PLACES = "pulumi-python:dynamic/supastack:DataPlaces"


def test_a_place_of_data_that_is_another_is_a_risk_though_nothing_goes():
    here = {
        "__provider": "p",
        "storage": {"backend": "file", "bucket": "a", "tenant": "t"},
        "buckets": {"store": "own", "bucket": "b"},
    }
    there = {**here, "storage": {**here["storage"], "bucket": "z"}}
    said = event("update", PLACES, {"inputs": here, "protect": True})
    said["resOutputsEvent"]["metadata"]["new"] = {"inputs": there, "protect": True}
    (change,) = changes.parse([said]).changes
    assert [p.path for p in change.properties] == ["storage"]
    assert "from its volume (bucket a, tenant t) to its volume (bucket z, tenant t): they are not moved" in change.risk
    (section,) = report.at_risk([change])
    assert "**changed** `it` (`supastack:DataPlaces`): Storage's files go" in section.text()
    assert "protection" not in section.text(), "an update takes no protection off"
    assert risks.moved("docker:index/container:Container", here, there) is None
    assert risks.moved(PLACES, {}, there) is None


def test_a_provider_without_details_is_known_by_its_keys():
    old, new = {"inputs": {"length": 8}, "outputs": {}}, {"inputs": {"length": 9}}
    metadata = event("replace", "random:index/randomId:RandomId", old, keys=["length"], diffs=["length"])
    metadata["resOutputsEvent"]["metadata"]["new"] = new
    ((found,),) = (c.properties for c in changes.parse([metadata]).changes)
    assert (found.path, found.old, found.new, found.replaces) == ("length", 8, 9, True)


def test_a_place_of_the_cluster_that_the_settings_name_otherwise_is_no_drift():
    """With `--run-program` a refresh has the provider's step too."""
    moved = event("update", "pulumi:providers:kubernetes", {"inputs": {"context": "a"}}, diffs=["context"])
    touched = event("update", "kubernetes:core/v1:Secret", {"inputs": {"data": "a"}}, diffs=["data"])
    found = changes.parse([moved, touched], refresh=True).of(Op.REFRESH)
    assert [change.type for change in found] == ["kubernetes:core/v1:Secret"]


def test_policy_packs_of_the_engine_are_heard_once():
    said = {"policyName": "no-latest", "policyPackName": "supastack", "message": "m", "enforcementLevel": "mandatory"}
    (violation,) = changes.parse([{"policyEvent": said}, {"policyEvent": said}]).violations
    assert (violation.policy, violation.mandatory) == ("no-latest", True)


@pytest.mark.parametrize(
    ("path", "parts"),
    [("a.b[2].c", ["a", "b", 2, "c"]), ('data["x.y"][0]', ["data", "x.y", 0]), (r'["a\"b"]', ['a"b']), ("envs", ["envs"])],
)
def test_property_paths_are_read(path, parts):
    assert steps(path) == parts


def test_what_stands_within_a_secret_is_secret():
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
    value = plain({"envs": secret, "__defaults": [], "unknown": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"})
    assert value == {"envs": HIDDEN, "unknown": UNKNOWN}
    assert at(value, "envs[3]") == HIDDEN
    assert at(value, "nothing[0].here") is None
