"""What the Kubernetes probe refuses and waits for, on a faked API server; integration tests hold the same on a real cluster."""

import base64
import json
import re
import stat

import pytest
import yaml

from components import engine_log
from components.checks import _Given
from components.targets.kubernetes import probe
from components.targets.kubernetes.api import Cluster, Refused, Unreachable
from tests.unit.components.targets.kubernetes.api_server import serving

OURS = "0123456789abcdef"
THEIRS = "fedcba9876543210"
NS = "/api/v1/namespaces/supastack-dev"
LABELS = {"app.kubernetes.io/instance": "supastack-dev"}


@pytest.fixture
def api(monkeypatch):
    monkeypatch.setattr(probe, "_POLL_SECONDS", 0)
    with serving() as fake:
        yield fake


@pytest.fixture
def kubeconfig(api, tmp_path):
    return api.kubeconfig(tmp_path)


def told(kubeconfig, **over):
    return _Given(
        {
            "kubeconfig": str(kubeconfig),
            "context": "test",
            "namespace": "supastack-dev",
            "namespaces": ["supastack-dev"],
            "instance": "supastack-dev",
            "stack_id": OURS,
            **{name: over.pop(name, []) for name in ("kinds", "objects", "claims", "operated", "rights", "workloads")},
            **over,
        }
    )


def before(kubeconfig, *, preview=False, **over):
    given = told(kubeconfig, **over)
    for name in ("kinds", "objects", "claims"):
        given[name] = [_Given(item) for item in given[name]]
    return list(probe.before(given, preview=preview))


# ---- before ----------------------------------------------------------------------------------------------------------


def test_an_empty_cluster_that_has_all_is_no_problem(kubeconfig):
    assert before(kubeconfig) == []


def test_a_context_that_is_not_there_is_named_with_those_that_are(kubeconfig):
    (problem,) = before(kubeconfig, context="prod")
    assert "has no context prod; it has: test" in problem


def test_a_kubeconfig_that_is_not_there_and_a_server_that_does_not_answer_are_said(tmp_path, api):
    (problem,) = before(tmp_path / "nothing")
    assert "there is no kubeconfig" in problem
    api.url = "http://127.0.0.1:1"
    (problem,) = before(api.kubeconfig(tmp_path))
    assert "no cluster answers at http://127.0.0.1:1" in problem


@pytest.mark.parametrize(("status", "said"), [(401, "does not know who asks"), (403, "does not let this user ask")])
def test_a_login_that_counts_for_nothing_is_said(api, kubeconfig, status, said):
    api.refused["/version"] = status
    (problem,) = before(kubeconfig)
    assert said in problem


@pytest.mark.parametrize(
    ("version", "refused"), [("v1.26.9", True), ("v1.27.0", False), ("v1.34.4+k3s1", False), ("v2.0.0", False)]
)
def test_a_cluster_that_is_too_old_is_refused(api, kubeconfig, version, refused):
    api.objects["/version"] = {"gitVersion": version}
    assert bool(before(kubeconfig)) is refused


@pytest.mark.parametrize(("version", "refused"), [("v1.29.9", True), ("v1.30.0", False)])
def test_a_cluster_that_does_not_let_pods_drain_is_refused_where_apps_want_to(api, kubeconfig, version, refused):
    api.objects["/version"] = {"gitVersion": version}
    found = before(kubeconfig, drained=["shop"])
    assert [("supastack:apps.shop.drain needs 1.30 or later" in problem) for problem in found] == [True] * refused
    assert before(kubeconfig, drained=[]) == []


def test_kinds_that_the_cluster_lacks_are_named_with_what_brings_them(api, kubeconfig):
    wanted = {"group": "cert-manager.io", "version": "v1", "kinds": ["Certificate", "ClusterIssuer"], "setting": "S", "from": "F"}
    (problem,) = before(kubeconfig, kinds=[wanted])
    assert "Certificate, ClusterIssuer (cert-manager.io/v1), which S needs. Install F" in problem
    api.objects["/apis/cert-manager.io/v1"] = {"resources": [{"kind": "Certificate"}]}
    (problem,) = before(kubeconfig, kinds=[wanted])
    assert "does not know ClusterIssuer (" in problem
    api.objects["/apis/cert-manager.io/v1"]["resources"].append({"kind": "ClusterIssuer"})
    assert before(kubeconfig, kinds=[wanted]) == []


@pytest.mark.parametrize(
    ("annotations", "phase", "said"),
    [
        ({}, "Active", "was not made by Supastack"),
        ({"supastack.io/stack-id": THEIRS}, "Active", f"with id {THEIRS}"),
        ({"supastack.io/stack-id": OURS}, "Terminating", "is being deleted"),
        ({"supastack.io/stack-id": OURS}, "Active", None),
    ],
)
def test_a_namespace_of_that_name_must_be_ours(api, kubeconfig, annotations, phase, said):
    api.objects[NS] = {"metadata": {"annotations": annotations}, "status": {"phase": phase}}
    found = before(kubeconfig)
    assert [said in problem for problem in found] == ([True] if said else [])


def test_a_lost_stacks_namespace_is_refused_with_the_way_to_take_it_over(api, kubeconfig):
    api.objects[NS] = {"metadata": {"annotations": {"supastack.io/stack-id": THEIRS}}}
    (problem,) = before(kubeconfig)
    assert f"`pulumi config set supastack:stackId {THEIRS}`, `pulumi config set --secret supastack:databasePassword`" in problem
    assert problem.endswith("which deletes all of it."), "what deletes comes last, and says so"


def test_in_a_preview_before_there_is_an_id_a_namespace_is_nobodys_of_ours(api, kubeconfig):
    api.objects[NS] = {"metadata": {"annotations": {"supastack.io/stack-id": THEIRS}}}
    assert len(before(kubeconfig, stack_id=None)) == 1


def test_objects_that_the_settings_name_must_be_there_and_a_gateway_must_have_the_listener(api, kubeconfig):
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/gateways/gateways/public"
    wanted = {"what": "Gateway", "name": "public", "path": path, "setting": "S", "fix": "Do.", "section": "https"}
    (problem,) = before(kubeconfig, objects=[wanted])
    assert "there is no Gateway public in the cluster (S). Do." in problem
    api.objects[path] = {"spec": {"listeners": [{"name": "http"}]}}
    (problem,) = before(kubeconfig, objects=[wanted])
    assert "has no listener https" in problem
    assert "it has: http" in problem
    api.objects[path]["spec"]["listeners"].append({"name": "https"})
    assert before(kubeconfig, objects=[wanted]) == []
    api.refused[path] = 403
    assert before(kubeconfig, objects=[wanted]) == [], "who may not look may refer to it"


def test_claims_without_a_class_need_a_default_one(api, kubeconfig):
    path = "/apis/storage.k8s.io/v1/storageclasses"
    api.objects[path] = [{"metadata": {"name": "slow"}}]
    (problem,) = before(kubeconfig, default_storage=True)
    assert "its classes: slow" in problem
    api.objects[path][0]["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    assert before(kubeconfig, default_storage=True) == []


def claim(identity="postgres-17", stack_id=OURS, name="data-postgres-0"):
    marks = {"supastack.io/stack-id": stack_id, "supastack.io/identity": identity, "supastack.io/paired-secret": "mark"}
    return {"metadata": {"name": name, "annotations": marks, "labels": {"app.kubernetes.io/component": "supabase"}}}


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (claim(), None),
        (claim("postgres-15"), "which postgres-17 can't read"),
        (claim(name="data-old-0"), "for which the settings have no use any more"),
        (claim(name="somebody-elses", stack_id=THEIRS), None),
    ],
)
def test_a_claim_is_given_to_no_server_that_can_not_read_it(api, kubeconfig, kept, said):
    api.objects[f"{NS}/persistentvolumeclaims"] = [kept]
    found = before(kubeconfig, claims=[{"name": "data-postgres-0", "identity": "postgres-17", "setting": "S"}])
    assert [said in problem for problem in found] == ([True] if said else [])


@pytest.mark.parametrize(
    ("asked", "size", "said"),
    [
        ("8Gi", 20 * 2**30, True),
        ("8G", 8 * 2**30, True),
        ("20Gi", 20 * 2**30, False),
        ("50Gi", 20 * 2**30, False),  # by hand, and nothing is made smaller
        ("0.5Gi", 20 * 2**30, False),  # not read
        ("8Gi", None, False),
    ],
)
def test_a_claim_that_is_smaller_than_the_settings_say_is_named_with_the_command_that_enlarges_it(
    api, kubeconfig, asked, size, said
):
    kept = claim()
    kept["spec"] = {"resources": {"requests": {"storage": asked}}}
    api.objects[f"{NS}/persistentvolumeclaims"] = [kept]
    wanted = {"name": "data-postgres-0", "identity": "postgres-17", "setting": "S", "service": "postgres"}
    found = before(kubeconfig, claims=[wanted if size is None else {**wanted, "size": size}])
    assert bool(found) is said
    if found:
        assert f"asks for {asked}, and supastack:kubernetes.volumeSizes.postgres is {size // 2**30}Gi" in found[0]
        patch = json.loads(re.search("--patch '([^']*)'", found[0])[1])
        assert patch == {"spec": {"resources": {"requests": {"storage": f"{size // 2**30}Gi"}}}}


@pytest.mark.parametrize(("identity", "problems"), [("cloudnativepg-17", 0), ("cloudnativepg-16", 1)])
def test_the_claims_that_an_operator_numbers_are_known_by_its_label(api, kubeconfig, identity, problems):
    kept = claim("cloudnativepg-17", name="postgres-3")
    kept["metadata"]["labels"]["cnpg.io/cluster"] = "postgres"
    api.objects[f"{NS}/persistentvolumeclaims"] = [kept]
    assert len(before(kubeconfig, operated=[{"name": "postgres", "identity": identity, "setting": "S"}])) == problems
    assert len(before(kubeconfig)) == 1, "of another engine"


def test_rights_that_are_missing_are_named_all_at_once(api, kubeconfig):
    rights = [["", "namespaces", ""], ["apps", "deployments", "supastack-dev"], ["", "secrets", "supastack-dev"]]
    api.forbidden = {"* *", "create namespaces", "patch deployments", "delete deployments"}
    cluster, inside = before(kubeconfig, rights=rights)
    assert "namespaces (create)" in cluster
    assert "in namespace supastack-dev: deployments.apps (patch, delete)." in inside
    assert "secrets" not in inside


def test_who_may_do_everything_is_asked_once_for_a_namespace(api, kubeconfig):
    rights = [["apps", "deployments", "supastack-dev"], ["", "secrets", "supastack-dev"]]
    assert before(kubeconfig, rights=rights) == []
    assert sum("selfsubjectaccessreviews" in path for path, _ in api.seen) == 1


def test_a_preview_asks_for_no_more_than_to_look(api, kubeconfig):
    """As the account of pull requests has it, which may only read (docs/delivery.md)."""
    rights = [["", "namespaces", ""], ["apps", "deployments", "supastack-dev"], ["", "secrets", "supastack-dev"]]
    writes = {f"{verb} {kind}" for verb in ("create", "patch", "delete") for kind in ("namespaces", "deployments", "secrets")}
    api.forbidden = {"* *", "get *", "get namespaces", *writes}
    assert before(kubeconfig, rights=rights, preview=True) == []
    assert len(before(kubeconfig, rights=rights)) == 2
    api.forbidden.add("get secrets")
    (problem,) = before(kubeconfig, rights=rights, preview=True)
    assert "this user may not do what a preview needs in namespace supastack-dev: secrets (get). Ask" in problem


# ---- paired ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mark", "refused"), [("mark", False), ("another", True), (None, False)])
def test_a_claim_and_another_password_are_refused(api, kubeconfig, mark, refused):
    api.objects[f"{NS}/persistentvolumeclaims/data-postgres-0"] = claim()
    given = told(kubeconfig, claim="data-postgres-0", mark=mark, setting="supastack:databasePassword")
    found = probe.paired(given, preview=False)
    assert bool(found) is refused
    assert all("supastack:databasePassword" in problem for problem in found)


@pytest.mark.parametrize(
    ("held", "now", "refused"),
    [
        ("first login", "first login", False),
        ("first login", "changed login", False),
        ("first login", "first made-anew", False),
        ("first login", "another made-anew", True),
        # A claim that was made before there were logins.
        ("first", "first login", False),
        ("first", "changed login", True),
    ],
)
def test_a_changed_password_passes_by_the_login_of_its_job_and_a_lost_state_does_not(api, kubeconfig, held, now, refused):
    kept = claim()
    kept["metadata"]["annotations"]["supastack.io/paired-secret"] = held
    api.objects[f"{NS}/persistentvolumeclaims/data-postgres-0"] = kept
    given = told(kubeconfig, claim="data-postgres-0", mark=now, setting="supastack:databasePassword", follows=True)
    found = probe.paired(given, preview=True)
    assert bool(found) is refused
    for problem in found:
        assert "pulumi config set --secret supastack:databasePassword" in problem
        assert "kubectl -n supastack-dev annotate pvc data-postgres-0 supastack.io/paired-secret-" in problem


def test_a_claim_that_is_not_there_has_no_password(kubeconfig):
    assert not probe.paired(told(kubeconfig, claim="data-postgres-0", mark="mark", setting="s"), preview=False)


# ---- after -----------------------------------------------------------------------------------------------------------


def deployment(name="rest", ready=1):
    return {
        "metadata": {"name": name, "generation": 1, "labels": {**LABELS, "app.kubernetes.io/name": name}},
        "spec": {"replicas": 1},
        "status": {"observedGeneration": 1, "updatedReplicas": 1, "readyReplicas": ready},
    }


def pod(name="rest", **status):
    return {
        "metadata": {"name": f"{name}-1", "uid": name, "labels": {**LABELS, "app.kubernetes.io/name": name}},
        "status": status,
    }


def after(kubeconfig, workloads, timeout=60):
    given = told(kubeconfig, workloads=[{"service": s, "job": False, "optional": o} for s, o in workloads], timeout=timeout)
    return list(probe.after(given, preview=False))


DEPLOYMENTS = "/apis/apps/v1/namespaces/supastack-dev/deployments"


def test_a_preview_waits_for_nothing(kubeconfig):
    assert probe.after(told(kubeconfig, workloads=[{"service": "rest"}]), preview=True) == []


def test_what_is_ready_passes(api, kubeconfig):
    api.objects[DEPLOYMENTS] = [deployment()]
    assert after(kubeconfig, [("rest", False)]) == []


def test_a_pooler_that_an_operator_runs_is_waited_for(api, kubeconfig):
    labels = {"cnpg.io/poolerName": "postgres-pooler", "app.kubernetes.io/instance": "postgres"}
    made = deployment("postgres-pooler", ready=0)
    made["metadata"]["labels"] = labels
    api.objects[DEPLOYMENTS] = [made]
    pooler = {"service": "postgres-pooler", "job": False, "optional": False, "operated": "pooler"}
    (problem,) = probe.after(told(kubeconfig, workloads=[pooler], timeout=0), preview=False)
    assert "postgres-pooler is not well after 0 s (supastack:healthTimeout): 0 of 1 pods are ready" in problem
    assert "-l cnpg.io/poolerName=postgres-pooler" in problem
    made["status"]["readyReplicas"] = 1
    assert probe.after(told(kubeconfig, workloads=[pooler], timeout=0), preview=False) == []


def test_a_server_that_an_operator_runs_is_asked_whether_its_log_is_archived(api, kubeconfig):
    ready = pod("postgres", conditions=[{"type": "Ready", "status": "True"}])
    api.objects[f"{NS}/pods"] = [ready]
    failing = {"type": "ContinuousArchiving", "status": "False", "message": "Expected empty archive"}
    cluster = {"metadata": ready["metadata"], "spec": {"plugins": [{}]}, "status": {"conditions": [failing]}}
    api.objects["/apis/postgresql.cnpg.io/v1/namespaces/supastack-dev/clusters"] = [cluster]
    server = {"service": "postgres", "job": False, "optional": False, "operated": "server"}
    (problem,) = probe.after(told(kubeconfig, workloads=[server], timeout=0), preview=False)
    assert "its write-ahead log is not archived, so its volume fills: Expected empty archive" in problem


def test_what_is_not_there_fails_at_once(kubeconfig):
    (problem,) = after(kubeconfig, [("rest", False)], timeout=3600)
    assert "rest is not well: it does not exist" in problem


def test_what_does_not_get_ready_is_named_with_its_reason_and_its_log(api, kubeconfig):
    api.objects[DEPLOYMENTS] = [deployment(ready=0)]
    waiting = {
        "name": "rest",
        "ready": False,
        "state": {"waiting": {"reason": "CreateContainerConfigError", "message": "no secret"}},
    }
    api.objects[f"{NS}/pods"] = [pod(containerStatuses=[waiting])]
    (problem,) = after(kubeconfig, [("rest", False)], timeout=0)
    assert "rest is not well after 0 s (supastack:healthTimeout): rest: CreateContainerConfigError: no secret" in problem
    assert "kubectl -n supastack-dev logs --tail 20 -l app.kubernetes.io/name=rest" in problem


def test_what_is_optional_is_warned_of_and_no_more(api, kubeconfig, monkeypatch):
    warned = []
    monkeypatch.setattr(engine_log, "warn", warned.append)
    monkeypatch.setattr(probe, "_OPTIONAL_SECONDS", 0)
    api.objects[DEPLOYMENTS] = [deployment(), deployment("studio", ready=0)]
    assert after(kubeconfig, [("rest", False), ("studio", True)]) == []
    assert len(warned) == 1
    assert "studio is not well" in warned[0]


def test_a_health_check_that_refuses_ends_the_wait_with_its_own_words(api, kubeconfig):
    api.objects[DEPLOYMENTS] = [deployment(ready=0)]
    api.objects[f"{NS}/pods"] = [pod(containerStatuses=[{"name": "rest", "ready": False, "state": {"running": {}}}])]
    said = {
        "type": "Warning",
        "involvedObject": {"uid": "rest"},
        "message": "Readiness probe failed: refused: the database is another's. Do this.",
    }
    api.objects[f"{NS}/events"] = [{"metadata": {}, **said}]
    (problem,) = after(kubeconfig, [("rest", False)], timeout=3600)
    assert problem == "rest is not well: the database is another's. Do this."


def test_an_api_server_that_restarts_is_waited_for(api, kubeconfig, monkeypatch):
    answers = iter([({}, "the cluster does not answer"), ({"rest": None}, None)])
    monkeypatch.setattr(probe, "_states", lambda given: next(answers))
    assert after(kubeconfig, [("rest", False)]) == []


# ---- the client ------------------------------------------------------------------------------------------------------


def test_a_token_stands_in_no_error_and_goes_to_the_server(api, kubeconfig):
    cluster = Cluster(kubeconfig, "test")
    with pytest.raises(Refused) as refused:
        cluster.get("/api/v1/nothing")
    assert "t0ken" not in str(refused.value)
    assert api.seen[-1][1]["Authorization"] == "Bearer t0ken"


def test_basic_auth_a_token_file_beside_the_kubeconfig_and_an_exec_plugin_log_in(api, tmp_path):
    Cluster(api.kubeconfig(tmp_path, username="me", password="secret"), "test").get("/version")
    assert base64.b64decode(api.seen[-1][1]["Authorization"].removeprefix("Basic ")) == b"me:secret"
    (tmp_path / "token").write_text("from-file\n")
    Cluster(api.kubeconfig(tmp_path, tokenFile="token"), "test").get("/version")
    assert api.seen[-1][1]["Authorization"] == "Bearer from-file"
    plugin = tmp_path / "login"
    answer = json.dumps({"status": {"token": "from-plugin"}})
    plugin.write_text(f"#!/bin/sh\ntest -n \"$KUBERNETES_EXEC_INFO\" && echo '{answer}'\n")
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    Cluster(api.kubeconfig(tmp_path, exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "./login"}), "test").get(
        "/version"
    )
    assert api.seen[-1][1]["Authorization"] == "Bearer from-plugin"


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        ({"command": "no-such-login", "installHint": "Install it so."}, "no-such-login, which is not there. Install it so."),
        ({"command": "false"}, "false, which failed"),
        ({"command": "true"}, "gave no ExecCredential"),
    ],
)
def test_an_exec_plugin_that_can_not_log_in_is_named(api, tmp_path, plugin, said):
    with pytest.raises(Unreachable, match=said):
        Cluster(api.kubeconfig(tmp_path, exec=plugin), "test")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["users"][0]["user"].update({"auth-provider": {"name": "gcp"}}), "auth-provider"),
        (lambda c: c["clusters"].clear(), "has no cluster c"),
        (lambda c: c["clusters"][0]["cluster"].pop("server"), "without a server"),
        (
            lambda c: c["clusters"][0]["cluster"].update({"server": "https://x", "certificate-authority-data": "%%%"}),
            "not base64",
        ),
        (lambda c: c["clusters"][0]["cluster"].update({"server": "https://x", "certificate-authority": "none.pem"}), "none.pem"),
    ],
)
def test_a_kubeconfig_that_is_not_right_says_what_is_wrong(api, tmp_path, change, said):
    file = api.kubeconfig(tmp_path)
    config = yaml.safe_load(file.read_text())
    change(config)
    file.write_text(yaml.safe_dump(config))
    with pytest.raises(Unreachable, match=said):
        Cluster(file, "test")


@pytest.mark.parametrize("text", ["", "[]", "{", "just text"])
def test_a_file_that_is_no_kubeconfig_is_said_to_be_none(tmp_path, text):
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(Unreachable):
        Cluster(file, "test")
