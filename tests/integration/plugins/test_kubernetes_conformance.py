"""The kubernetes plugin over the life of objects in the engine, held against what the API server has.

Sources, all of pulumi/pulumi-kubernetes, named beside each expectation:
  P  provider/pkg/provider/provider.go        D  provider/pkg/provider/diff.go (forceNew)
  A  provider/pkg/await/await.go              M  provider/pkg/metadata (annotations, naming, overrides)
  C  provider/pkg/clients/unstructured.go     4278  the pull request of this number (upsertExistingObjects)
"""

import base64
import re

import pytest

from .harness import Project, forms_of
from .kubernetes_world import World

pytestmark = [pytest.mark.engine, pytest.mark.cluster]

DELETED_FIRST = ["delete-replaced", "replace", "create-replacement"]
CREATED_FIRST = ["create-replacement", "replace", "delete-replaced"]
MANAGER = re.compile(r"pulumi-kubernetes-[0-9a-f]{8}")
NO_WAIT = '"annotations": {"pulumi.com/skipAwait": "true"}'


@pytest.fixture
def plugins() -> tuple[str, ...]:
    return ("kubernetes",)


def config_map(name: str, data: str, metadata: str = "", options: str = "o") -> str:
    """A line of a program."""
    return f'k8s.core.v1.ConfigMap("{name}", metadata={{{metadata}}}, data={data}, opts={options})\n'


EVERYTHING = f"""
n = k8s.core.v1.Namespace("n", metadata={{"name": NAMESPACE, "labels": {{"a": "b"}}}}, opts=o)
i = pulumi.ResourceOptions(provider=p, depends_on=[n])
pod = {{
    "metadata": {{"labels": {{"app": "x"}}}},
    "spec": {{
        "service_account_name": "account", "automount_service_account_token": False, "enable_service_links": False,
        "priority_class_name": "",
        "containers": [{{
            "name": "c", "image": "none.invalid/none", "image_pull_policy": "Never",
            "env": [{{"name": "A", "value": ""}}, {{"name": "B", "value_from": {{"secret_key_ref": {{"name": "s", "key": "k"}}}}}}],
            "ports": [{{"container_port": 80, "name": "http"}}],
            "resources": {{"requests": {{"cpu": "0.5", "memory": "1024Mi"}}, "limits": {{"cpu": 2, "memory": "2048Mi"}}}},
            "security_context": {{"allow_privilege_escalation": False, "read_only_root_filesystem": True}},
            "volume_mounts": [{{"name": "tmp", "mount_path": "/tmp", "read_only": False}}],
            "readiness_probe": {{"http_get": {{"path": "/", "port": "http"}}, "initial_delay_seconds": 0}},
        }}],
        "volumes": [{{"name": "tmp", "empty_dir": {{"size_limit": "1024Mi"}}}}, {{"name": "e", "empty_dir": {{}}}}],
    }},
}}
meta = lambda name: {{"name": name, {NO_WAIT}}}
selector = {{"match_labels": {{"app": "x"}}}}
k8s.core.v1.ServiceAccount("account", metadata=meta("account"), automount_service_account_token=False, opts=i)
k8s.core.v1.Secret("s", metadata=meta("s"), string_data={{"k": "v"}}, opts=i)
k8s.core.v1.ConfigMap("cm", metadata=meta("cm"), data={{"value": ""}}, opts=i)
k8s.core.v1.Service("service", metadata=meta("service"), spec={{
    "selector": {{"app": "x"}}, "ports": [{{"name": "http", "port": 80, "target_port": "http"}}]}}, opts=i)
k8s.core.v1.PersistentVolumeClaim("claim", metadata=meta("claim"), spec={{
    "access_modes": ["ReadWriteOnce"], "resources": {{"requests": {{"storage": "1024Mi"}}}}}}, opts=i)
k8s.core.v1.Pod("pod", metadata={{**meta("pod"), "labels": {{"x": "y"}}}}, spec=pod["spec"], opts=i)
k8s.apps.v1.Deployment("deployment", metadata=meta("deployment"), spec={{
    "replicas": 0, "selector": selector, "template": pod, "strategy": {{"type": "Recreate"}}}}, opts=i)
k8s.apps.v1.StatefulSet("set", metadata=meta("set"), spec={{
    "replicas": 0, "service_name": "service", "selector": selector, "template": pod, "volume_claim_templates": [{{
        "metadata": {{"name": "data"}},
        "spec": {{"access_modes": ["ReadWriteOnce"], "resources": {{"requests": {{"storage": "0.5Gi"}}}}}}}}],
    "persistent_volume_claim_retention_policy": {{"when_deleted": "Retain", "when_scaled": "Retain"}}}}, opts=i)
k8s.apps.v1.DaemonSet("daemons", metadata=meta("daemons"), spec={{"selector": selector, "template": {{
    **pod, "spec": {{**pod["spec"], "node_selector": {{"no": "node"}}}}}}}}, opts=i)
job = {{"metadata": pod["metadata"], "spec": {{**pod["spec"], "restart_policy": "Never"}}}}
k8s.batch.v1.Job("job", metadata=meta("job"), spec={{"template": job, "backoff_limit": 0, "suspend": True}}, opts=i)
k8s.batch.v1.CronJob("cron", metadata=meta("cron"), spec={{
    "schedule": "0 3 * * *", "job_template": {{"spec": {{"template": job}}}}}}, opts=i)
k8s.networking.v1.NetworkPolicy("policy", metadata=meta("policy"), spec={{
    "pod_selector": {{}}, "policy_types": ["Ingress", "Egress"], "ingress": [], "egress": [{{"to": [{{"pod_selector": {{}}}}]}}]}}, opts=i)
k8s.networking.v1.Ingress("ingress", metadata=meta("ingress"), spec={{"ingress_class_name": "none", "rules": [{{
    "host": "a.example", "http": {{"paths": [{{"path": "/", "path_type": "Prefix", "backend": {{
        "service": {{"name": "service", "port": {{"number": 80}}}}}}}}]}}}}]}}, opts=i)
k8s.policy.v1.PodDisruptionBudget("budget", metadata=meta("budget"), spec={{"selector": selector, "max_unavailable": 1}}, opts=i)
k8s.autoscaling.v2.HorizontalPodAutoscaler("scaler", metadata=meta("scaler"), spec={{
    "scale_target_ref": {{"api_version": "apps/v1", "kind": "Deployment", "name": "deployment"}}, "max_replicas": 3, "min_replicas": 1,
    "metrics": [{{"type": "Resource", "resource": {{"name": "cpu", "target": {{"type": "AverageValue", "average_value": "1000m"}}}}}}]}},
    opts=i)
rules = [{{"api_groups": [""], "resources": ["pods"], "verbs": ["get"]}}]
subjects = [{{"kind": "ServiceAccount", "name": "account", "namespace": NAMESPACE}}]
role = lambda kind: {{"api_group": "rbac.authorization.k8s.io", "kind": kind, "name": NAMESPACE}}
k8s.rbac.v1.Role("role", metadata=meta(NAMESPACE), rules=rules, opts=i)
k8s.rbac.v1.RoleBinding("binding", metadata=meta("binding"), role_ref=role("Role"), subjects=subjects, opts=i)
k8s.rbac.v1.ClusterRole("wide-role", metadata=meta(NAMESPACE), rules=rules, opts=i)
k8s.rbac.v1.ClusterRoleBinding("wide-binding", metadata=meta(NAMESPACE), role_ref=role("ClusterRole"), subjects=subjects, opts=i)
k8s.scheduling.v1.PriorityClass("priority", metadata=meta(NAMESPACE), value=7, opts=i)
"""

REPLACED = {
    # D: what of each kind can't be changed in place. PVC: of `.spec.resources` a change is an update.
    "service": ('"target_port": "http"}]}', '"target_port": "http"}], "cluster_ip": "None"}', "spec.clusterIP"),
    "claim": (
        '"access_modes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"',
        '"access_modes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1024Mi"',
        "spec.accessModes[0]",
    ),
    "pod": ('spec=pod["spec"]', 'spec={**pod["spec"], "hostname": "other"}', "spec.hostname"),
    "set": ('"service_name": "service"', '"service_name": "other"', "spec.serviceName"),
    "job": ('"backoff_limit": 0', '"backoff_limit": 0, "completions": 2', "spec.completions"),
    "binding": ('role_ref=role("Role")', 'role_ref={**role("Role"), "name": "other"}', "roleRef.name"),
    "wide-binding": ('role_ref=role("ClusterRole")', 'role_ref={**role("ClusterRole"), "name": "other"}', "roleRef.name"),
}
UPDATED = {
    "deployment": (
        '"replicas": 0, "selector": selector, "template": pod, "strategy"',
        '"replicas": 0, "min_ready_seconds": 3, "selector": selector, "template": pod, "strategy"',
    ),
    "policy": ('"ingress": []', '"ingress": [{"from_": [{"pod_selector": {}}]}]'),
    "scaler": ('"max_replicas": 3', '"max_replicas": 4'),
    "budget": ('"max_unavailable": 1', '"max_unavailable": 2'),
    "cron": ('"0 3 * * *"', '"0 4 * * *"'),
    "account": (
        'meta("account"), automount_service_account_token=False',
        'meta("account"), automount_service_account_token=True',
    ),
    "n": ('"labels": {"a": "b"}', '"labels": {"a": "c"}'),
}


def test_every_kind_is_made_as_given_and_then_nothing_changes(project: Project, world: World) -> None:
    program = world.provider() + f"NAMESPACE = {world.namespace!r}\n" + EVERYTHING
    # The namespace is not there yet: a preview must do without it (P: Create, namespaceError).
    previewed = project.preview(program).ops()
    assert set(map(tuple, previewed.values())) == {("create",)}
    assert world.get("v1", "Namespace", world.namespace) == {}
    project.up(program)

    deployment = world.get("apps/v1", "Deployment", "deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"] == {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
    assert deployment["spec"]["replicas"] == 0
    assert world.get("v1", "Secret", "s")["data"] == {"k": base64.b64encode(b"v").decode()}
    assert world.get("v1", "ConfigMap", "cm")["data"] == {"value": ""}
    state = project.state()
    assert state["deployment"].id == f"{world.namespace}/deployment"  # P: fqObjName
    assert state["n"].id == world.namespace
    assert state["priority"].id == world.namespace
    # What P's checkpointObject adds.
    assert state["deployment"].outputs["__initialApiVersion"] == "apps/v1"
    assert MANAGER.fullmatch(state["deployment"].outputs["__fieldManager"])
    assert state["cm"].outputs["__inputs"]["data"] == {"value": ""}

    assert project.preview(program).ops() == {}
    assert project.up(program, "--refresh").ops() == {}

    changed = program
    for before, after, _ in REPLACED.values():
        assert program.count(before) == 1, before
        changed = changed.replace(before, after)
    for before, after in UPDATED.values():
        assert program.count(before) == 1, before
        changed = changed.replace(before, after)
    run = project.preview(changed)
    found = run.ops()
    assert {name: found.get(name) for name in REPLACED} == dict.fromkeys(REPLACED, DELETED_FIRST)
    assert {name: found.get(name) for name in UPDATED} == {name: ["update"] for name in UPDATED}
    for name, (_, _, path) in REPLACED.items():
        assert run.step(name, "replace").replacing == {path}


def test_a_name_that_the_program_leaves_out_is_made_up_once_and_anew_for_a_replacement(project: Project, space: World) -> None:
    program = space.provider() + config_map("cm", '{"a": "1"}')
    assert project.preview(program).ops() == {"cm": ["create"]}
    project.up(program)
    [first] = [name for name in space.names("v1", "ConfigMap") if name.startswith("cm-")]
    assert re.fullmatch(r"cm-[0-9a-f]{8}", first)  # M: AssignNameIfAutonamable
    assert space.get("v1", "ConfigMap", first)["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert project.up(program, "--refresh").ops() == {}
    # D: a ConfigMap's data replaces; P: one with a made-up name is created before the old one goes.
    run = project.up(program.replace('"1"', '"2"'))
    assert run.ops() == {"cm": CREATED_FIRST}
    assert run.step("cm", "replace").replacing == {"data.a"}
    [second] = [name for name in space.names("v1", "ConfigMap") if name.startswith("cm-")]
    assert second != first
    assert space.get("v1", "ConfigMap", second)["data"] == {"a": "2"}


def test_a_config_map_with_a_name_is_deleted_first_or_updated_where_that_is_enabled(project: Project, space: World) -> None:
    named = '"name": "cm"'
    project.up(space.provider() + config_map("cm", '{"a": "1"}', named))
    before = space.get("v1", "ConfigMap", "cm")
    assert project.up(space.provider() + config_map("cm", '{"a": "2"}', named)).ops() == {
        "cm": DELETED_FIRST
    }  # P: deleteBeforeReplace
    after = space.get("v1", "ConfigMap", "cm")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    mutable = space.provider("enable_config_map_mutable=True")
    assert project.up(mutable + config_map("cm", '{"a": "3"}', named)).ops() == {"cm": ["update"]}  # D
    last = space.get("v1", "ConfigMap", "cm")
    assert (last["metadata"]["uid"], last["data"]) == (after["metadata"]["uid"], {"a": "3"})
    # D: one that is immutable is replaced all the same.
    fixed = mutable + config_map("cm", '{"a": "3"}', named).replace(", data=", ", immutable=True, data=")
    assert project.up(fixed).ops() == {"cm": ["update"]}
    assert project.up(fixed.replace('"3"', '"4"')).ops() == {"cm": DELETED_FIRST}


def test_a_secrets_data_is_secret_whether_marked_or_not_and_is_nowhere_in_clear(project: Project, space: World) -> None:
    first, second = "an unmarked secret <1>", "another & secret 2"
    program = space.provider() + (
        f's = k8s.core.v1.Secret("s", metadata={{"name": "s"}}, string_data={{"a": {first!r}}}, data={{"b": "Yg=="}}, opts=o)\n'
        f'k8s.apps.v1.Deployment("d", metadata={{"name": "d", {NO_WAIT}}}, spec={{"replicas": 0,'
        ' "selector": {"match_labels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": ['
        f'{{"name": "c", "image": "i", "env": [{{"name": "P", "value": pulumi.Output.secret({second!r})}}]}}]}}}}}}, opts=o)\n'
    )
    preview = project.preview(program, "--diff")
    assert first not in preview.text
    assert second not in preview.text
    project.up(program)
    data = space.get("v1", "Secret", "s")["data"]
    assert {key: base64.b64decode(value).decode() for key, value in data.items()} == {"a": first, "b": "b"}
    # C: normalizeSecret; P: annotateSecrets.
    outputs = project.state()["s"].outputs
    assert outputs["data"] == data
    assert "stringData" not in outputs["__inputs"]
    assert project.secret_outputs("s") >= {"data"}
    stored = project.stored()
    for secret in (first, second):
        assert not [form for form in forms_of(secret) if form in stored]
    changed = program.replace("<1>", "<3>")
    preview = project.preview(changed, "--diff")
    assert "unmarked secret" not in preview.text
    assert preview.ops() == {"s": DELETED_FIRST}  # D
    run = project.up(changed.replace("namespace=", "enable_secret_mutable=True, namespace="))
    assert run.ops() == {"s": ["update"]}  # D
    assert base64.b64decode(space.get("v1", "Secret", "s")["data"]["a"]).decode() == "an unmarked secret <3>"


def test_fields_belong_to_one_manager_a_resource_from_the_creation_on(project: Project, space: World) -> None:
    program = space.provider() + config_map("cm", '{"a": "1"}', '"name": "cm", "labels": {"x": "1"}')
    project.up(program)
    manager = project.state()["cm"].outputs["__fieldManager"]
    assert MANAGER.fullmatch(manager)
    # 4278: a plain creation, whose manager has the operation Update.
    assert managers(space) == [(manager, "Update")]
    assert project.up(program.replace('"x": "1"', '"x": "2"')).ops() == {"cm": ["update"]}
    assert project.state()["cm"].outputs["__fieldManager"] == manager
    assert managers(space) == [(manager, "Apply")]  # A: fixCSAFieldManagers
    # What the program no longer gives goes away, what others added stays.
    space.apply({**space.item("v1", "ConfigMap", "cm"), "data": {"theirs": "t"}}, "someone")
    assert project.up(program.replace('"labels": {"x": "1"}', '"labels": {"y": "1"}')).ops() == {"cm": ["update"]}
    found = space.get("v1", "ConfigMap", "cm")
    assert (found["metadata"]["labels"], found["data"]) == ({"y": "1"}, {"a": "1", "theirs": "t"})
    # M: the annotation names the manager; P: the former one gives up its fields.
    named = program.replace('"labels": {"x": "1"}', '"annotations": {"pulumi.com/patchFieldManager": "mine"}')
    assert project.up(named).ops() == {"cm": ["update"]}
    assert ("mine", "Apply") in managers(space)
    assert manager not in dict(managers(space))
    assert project.state()["cm"].outputs["__fieldManager"] == "mine"


def managers(space: World) -> list[tuple[str, str]]:
    found = space.get("v1", "ConfigMap", "cm")["metadata"]["managedFields"]
    return [(entry["manager"], entry["operation"]) for entry in found]


def test_a_conflict_names_the_other_manager_and_no_value_and_force_takes_the_field(project: Project, space: World) -> None:
    mutable = space.provider("enable_secret_mutable=True")
    secret = 'k8s.core.v1.Secret("s", metadata={"name": "s"}, string_data={"a": "first value"}, opts=o)\n'
    project.up(mutable + secret)
    theirs = base64.b64encode(b"value of theirs").decode()
    space.apply({**space.item("v1", "Secret", "s"), "data": {"a": theirs}}, "someone-else")
    project.refresh()
    changed = mutable + secret.replace("first value", "second value")
    run = project.up(changed, fails=True)
    assert any("conflict" in error and "someone-else" in error for error in run.errors), run.errors
    for hidden in ("first value", "second value", theirs, "value of theirs"):
        assert hidden not in run.text
    assert space.get("v1", "Secret", "s")["data"]["a"] == theirs
    # P, Update: it stays with the resource as an error, so that the next run tries again.
    assert project.state()["s"].init_errors
    forced = changed.replace('{"name": "s"}', '{"name": "s", "annotations": {"pulumi.com/patchForce": "true"}}')
    assert project.up(forced).ops() == {"s": ["update"]}
    assert base64.b64decode(space.get("v1", "Secret", "s")["data"]["a"]) == b"second value"
    assert not project.state()["s"].init_errors


def test_an_ignored_field_is_left_to_whom_it_belongs(project: Project, space: World) -> None:
    program = space.provider("enable_config_map_mutable=True") + config_map(
        "cm", '{"a": "1", "b": "1"}', '"name": "cm"', 'pulumi.ResourceOptions(provider=p, ignore_changes=["data.a"])'
    )
    project.up(program)
    space.apply({**space.item("v1", "ConfigMap", "cm"), "data": {"a": "theirs"}}, "someone")
    assert project.up(program, "--refresh").ops() == {}
    assert project.up(program.replace('"b": "1"', '"b": "2"')).ops() == {"cm": ["update"]}
    assert space.get("v1", "ConfigMap", "cm")["data"] == {"a": "theirs", "b": "2"}  # A: handleSSAIgnoreFields


def test_an_object_that_is_there_already_is_taken_over_only_where_that_is_enabled(project: Project, space: World) -> None:
    space.make({**space.item("v1", "ConfigMap", "cm"), "data": {"theirs": "t"}})
    program = space.provider() + config_map("cm", '{"a": "1"}', '"name": "cm"')
    run = project.up(program, fails=True)  # 4278
    assert any("already exists" in error for error in run.errors), run.errors
    assert project.state() == {}
    upsert = space.provider("upsert_existing_objects=True") + config_map("cm", '{"a": "1"}', '"name": "cm"')
    assert project.up(upsert).ops() == {"cm": ["create"]}
    assert space.get("v1", "ConfigMap", "cm")["data"] == {"theirs": "t", "a": "1"}


def test_what_changed_on_the_cluster_is_found_by_refresh_and_put_right_by_up(project: Project, space: World) -> None:
    program = space.provider("enable_config_map_mutable=True") + config_map("cm", '{"a": "1"}', '"name": "cm"')
    program += config_map("gone", '{"a": "1"}', '"name": "gone"')
    project.up(program)
    patch = [{"op": "replace", "path": "/data/a", "value": "drifted"}]
    space.cluster.patch(space.item("v1", "ConfigMap", "cm"), patch)
    space.remove("v1", "ConfigMap", "gone")
    assert project.refresh().ops() == {"cm": ["update"], "gone": ["delete"]}
    assert project.state()["cm"].outputs["data"] == {"a": "drifted"}
    assert set(project.state()) == {"cm"}
    assert project.up(program.replace("enable_config", "enable_patch_force=True, enable_config")).ops() == {
        "cm": ["update"],
        "gone": ["create"],
    }
    assert space.get("v1", "ConfigMap", "cm")["data"] == {"a": "1"}
    # P: Delete of what is gone already.
    space.remove("v1", "ConfigMap", "gone")
    project.destroy()
    assert [name for name in space.names("v1", "ConfigMap") if name in ("cm", "gone")] == []


def test_a_preview_asks_the_api_server_and_makes_nothing(project: Project, space: World) -> None:
    wrong = space.provider() + (
        'k8s.core.v1.Service("s", metadata={"name": "s"}, spec={"ports": [{"port": 80, "name": "NOT A NAME"}]}, opts=o)\n'
    )
    run = project.preview(wrong, fails=True)
    assert any("spec.ports[0].name" in error for error in run.errors), run.errors
    fine = space.provider() + config_map("cm", '{"a": "1"}', '"name": "cm"') + "pulumi.export('uid', 1)\n"
    assert project.preview(fine).ops() == {"cm": ["create"]}
    assert space.get("v1", "ConfigMap", "cm") == {}


def test_an_import_takes_the_object_as_it_is(project: Project, space: World) -> None:
    space.make({**space.item("v1", "ConfigMap", "cm"), "data": {"a": "1"}})
    options = f'pulumi.ResourceOptions(provider=p, import_="{space.namespace}/cm")'
    run = project.up(space.provider() + config_map("cm", '{"a": "1"}', '"name": "cm"', options))
    assert run.ops() == {"cm": ["import"]}
    assert project.up(space.provider() + config_map("cm", '{"a": "1"}', '"name": "cm"')).ops() == {}
    looked = space.provider() + (
        f'found = k8s.core.v1.ConfigMap.get("found", "{space.namespace}/cm", opts=o)\npulumi.export("data", found.data)\n'
    )
    project.up(looked + config_map("cm", '{"a": "1"}', '"name": "cm"'))
    assert project.outputs()["data"] == {"a": "1"}
