"""Rules that every manifest keeps, of every release, profile, exposure and source of images."""

import base64
import json
import re
from functools import cache
from graphlib import TopologicalSorter

import kubernetes_validate
import pytest

from components.service import Kind
from tests.contract.kubernetes import crds, stacks
from tests.contract.kubernetes.policy_semantics import selects

each_stack = pytest.mark.parametrize("which", stacks.ALL, ids="-".join)
each_exposure = pytest.mark.parametrize("which", stacks.EXPOSED, ids="-".join)
each_release = pytest.mark.parametrize("which", stacks.SMALL, ids="-".join)
VERSIONS = ("1.34", "1.37")
"""The test cluster's, and the newest that kubernetes-validate knows."""
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
CLUSTER_WIDE = {"Namespace", "ClusterRole", "ClusterRoleBinding"}
REPLICATED = {"replicas": {"meta": 2, "gateway": 3}, "autoscaling": {"auth": {"minReplicas": 2}, "rest": {"minReplicas": 1}}}


@cache
def replicated():
    return stacks.render(stacks.config(kubernetes=REPLICATED, apps={}))


@cache
def wrong(text):
    """What is wrong with a manifest by its schemas. Most stacks share most manifests, so each is looked at once."""
    body = json.loads(text)
    if "." in body["apiVersion"].split("/")[0] and not body["apiVersion"].split("/")[0].endswith(".k8s.io"):
        return crds.problems(body)
    if body["apiVersion"].startswith("gateway."):
        return crds.problems(body)
    found = []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(body, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{version}: {error.message[:300]}")
    return found


@each_stack
def test_every_manifest_is_valid_by_its_schema(which):
    made = stacks.rendered(*which)
    found = {m.name: bad for m in made.manifests if (bad := wrong(json.dumps(m.body, sort_keys=True)))}
    assert found == {}


def test_manifests_of_replicas_and_autoscalers_are_valid_by_their_schemas():
    assert {m.name: bad for m in replicated().manifests if (bad := wrong(json.dumps(m.body)))} == {}


def test_a_manifest_with_a_field_that_nobody_knows_is_told():
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "x"},
        "spec": {"podSelector": {}},
    }
    assert wrong(json.dumps(policy)) == []
    assert len(wrong(json.dumps({**policy, "spec": {"podSelector": {}, "ingres": []}}))) == len(VERSIONS)
    (route,) = stacks.rendered(exposure="gateway").of("HTTPRoute")
    assert wrong(json.dumps({**route, "spec": {**route["spec"], "hostname": "x"}}))
    assert wrong(json.dumps({**route, "spec": {**route["spec"], "rules": [{"timeouts": {"request": "no limit"}}]}}))


@each_exposure
def test_names_are_unique_and_short_enough(which):
    made = stacks.rendered(*which)
    names = [m.name for m in made.manifests]
    assert len(names) == len(set(names))
    places = [(b["apiVersion"], b["kind"], b["metadata"].get("namespace"), b["metadata"]["name"]) for b in made.bodies]
    assert len(places) == len(set(places))
    for body in made.bodies:
        name = body["metadata"]["name"]
        # A label's length for what ends up in one, or in a host name: pods of a StatefulSet get its name with a number.
        most = 52 if body["kind"] == "StatefulSet" else 63
        assert LABEL.fullmatch(name), name
        assert len(name) <= most, name
        assert ("namespace" in body["metadata"]) is (body["kind"] not in CLUSTER_WIDE), name
    for service in made.of("Service"):
        assert not service["metadata"]["name"][0].isdigit()
        for port in service["spec"]["ports"]:
            assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?", port["name"]), port
            assert re.search("[a-z]", port["name"])


@each_release
def test_every_object_says_whose_it_is(which):
    made = stacks.rendered(*which)
    bodies = [*made.bodies, *(template for _, template in made.templates())]
    for body in bodies:
        labels, annotations = body["metadata"]["labels"], body["metadata"]["annotations"]
        assert labels["app.kubernetes.io/instance"] == made.stack.instance
        assert labels["app.kubernetes.io/part-of"] == "supastack"
        assert labels["app.kubernetes.io/managed-by"] == "pulumi"
        assert annotations["supastack.io/stack-id"] == made.stack.stack_id
        for key, value in labels.items():
            assert re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", value), (key, value)


@each_exposure
def test_whatever_comes_after_something_comes_after_what_is_there_and_never_in_a_circle(which):
    made = stacks.rendered(*which)
    after = {m.name: set(m.after) for m in made.manifests}
    assert set().union(*after.values()) <= set(after)
    assert len(list(TopologicalSorter(after).static_order())) == len(after)


def held(made):
    """What can be referred to: (namespace, kind, name) -> keys."""
    found = {}
    for body in made.bodies:
        metadata = body["metadata"]
        keys = {*(body.get("data") or {}), *(body.get("binaryData") or {}), *(body.get("stringData") or {})}
        found[metadata.get("namespace"), body["kind"], metadata["name"]] = keys
    for workload in made.of("StatefulSet"):
        for claim in workload["spec"].get("volumeClaimTemplates", ()):
            name = f"{claim['metadata']['name']}-{workload['metadata']['name']}-0"
            found[workload["metadata"]["namespace"], "PersistentVolumeClaim", name] = set()
    return found


def references(template):
    """(kind, name, keys) of all that a pod template refers to."""
    spec = template["spec"]
    yield "ServiceAccount", spec["serviceAccountName"], ()
    for secret in spec.get("imagePullSecrets") or ():
        yield "Secret", secret["name"], ()
    for volume in spec.get("volumes") or ():
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"], [i["key"] for i in volume["configMap"].get("items", ())]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"], [i["key"] for i in volume["secret"].get("items", ())]
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"], ()
    for container in containers(template):
        for entry in container.get("env") or ():
            source = entry.get("valueFrom") or {}
            if "secretKeyRef" in source:
                yield "Secret", source["secretKeyRef"]["name"], [source["secretKeyRef"]["key"]]
            if "configMapKeyRef" in source:
                yield "ConfigMap", source["configMapKeyRef"]["name"], [source["configMapKeyRef"]["key"]]
        for source in container.get("envFrom") or ():
            for kind in ("secret", "configMap"):
                if f"{kind}Ref" in source:
                    yield kind[0].upper() + kind[1:], source[f"{kind}Ref"]["name"], ()


def references_of_operators(made):
    """(namespace, kind, name, keys) of all that CloudNativePG's resources refer to."""
    for body in made.of("Cluster", "Pooler", "Database", "ScheduledBackup", "ObjectStore"):
        namespace, spec = body["metadata"]["namespace"], body["spec"]
        if "cluster" in spec:
            yield namespace, "Cluster", spec["cluster"]["name"], ()
        for plugin in spec.get("plugins", ()):
            yield namespace, "ObjectStore", plugin["parameters"]["barmanObjectName"], ()
        for key, held in walk(spec):
            if key in ("secret", "passwordSecret", "superuserSecret"):
                keys = [item["key"] for item in held["items"]] if "items" in held else ["username", "password"]
                yield namespace, "Secret", held["name"], keys
            if key in ("accessKeyId", "secretAccessKey", "region"):
                yield namespace, "Secret", held["name"], [held["key"]]


def walk(body):
    """(key, value) of every mapping that stands in a mapping, however deep."""
    if isinstance(body, dict):
        for key, value in body.items():
            if isinstance(value, dict):
                yield key, value
            yield from walk(value)
    if isinstance(body, list):
        for value in body:
            yield from walk(value)


def containers(template):
    return [*(template["spec"].get("initContainers") or ()), *template["spec"]["containers"]]


@each_exposure
def test_every_reference_leads_to_something(which):
    made = stacks.rendered(*which)
    there = held(made)
    for workload, template in made.templates():
        namespace = workload["metadata"]["namespace"]
        for kind, name, keys in references(template):
            assert (namespace, kind, name) in there, (workload["metadata"]["name"], kind, name)
            assert set(keys) <= there[namespace, kind, name], (workload["metadata"]["name"], kind, name)
        volumes = {v["name"] for v in template["spec"].get("volumes") or ()}
        volumes |= {c["metadata"]["name"] for c in workload["spec"].get("volumeClaimTemplates", ())}
        used = set()
        for container in containers(template):
            mounts = [m["name"] for m in container.get("volumeMounts") or ()]
            paths = [m["mountPath"] for m in container.get("volumeMounts") or ()]
            assert set(mounts) <= volumes, workload["metadata"]["name"]
            assert len(paths) == len(set(paths)), (workload["metadata"]["name"], paths)
            used |= set(mounts)
        assert volumes == used, (workload["metadata"]["name"], "volumes that nobody mounts")
        if workload["kind"] == "StatefulSet":
            assert (namespace, "Service", workload["spec"]["serviceName"]) in there
    for namespace, kind, name, keys in references_of_operators(made):
        assert (namespace, kind, name) in there, name
        assert set(keys) <= there[namespace, kind, name], name
    for binding in made.of("ClusterRoleBinding"):
        assert (None, "ClusterRole", binding["roleRef"]["name"]) in there
        for subject in binding["subjects"]:
            assert (subject["namespace"], subject["kind"], subject["name"]) in there
    for scaler in made.of("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert (scaler["metadata"]["namespace"], target["kind"], target["name"]) in there
    ports = {s["metadata"]["name"]: {p["port"] for p in s["spec"]["ports"]} for s in made.of("Service")}
    for backend in backends(made):
        assert backend["port"] in ports[backend["name"]]


def backends(made):
    for route in made.of("HTTPRoute"):
        for rule in route["spec"]["rules"]:
            yield from rule["backendRefs"]
    for ingress in made.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                yield {"name": service["name"], "port": service["port"]["number"]}


@each_release
def test_every_secret_and_configmap_and_account_is_used(which):
    made = stacks.rendered(*which)
    used = {
        (workload["metadata"]["namespace"], kind, name)
        for workload, template in made.templates()
        for kind, name, _ in references(template)
    }
    used |= {(namespace, kind, name) for namespace, kind, name, _ in references_of_operators(made)}
    there = {place for place in held(made) if place[1] in ("Secret", "ConfigMap", "ServiceAccount")}
    assert there - used == set()


@pytest.mark.parametrize("replicas", [False, True], ids=["one of each", "replicas"])
@each_release
def test_every_selector_chooses_exactly_the_pods_it_is_meant_for(which, replicas):
    made = replicated() if replicas else stacks.rendered(*which)
    pods = list(made.pods())

    def chosen(namespace, selector):
        return {name for place, name, labels in pods if place == namespace and selects(selector, labels)}

    for body in made.of("Deployment", "StatefulSet", "DaemonSet", "PodDisruptionBudget"):
        assert chosen(body["metadata"]["namespace"], body["spec"]["selector"]) == {body["metadata"]["name"]}
    for service in made.of("Service"):
        owner = service["metadata"]["labels"]["app.kubernetes.io/name"]
        assert chosen(service["metadata"]["namespace"], {"matchLabels": service["spec"]["selector"]}) == {owner}
    for policy in made.of("NetworkPolicy"):
        name, selector = policy["metadata"]["name"], policy["spec"]["podSelector"]
        assert name == "default-deny" or chosen(policy["metadata"]["namespace"], selector) == {name}
    for workload, template in made.templates():
        spec, own = template["spec"], stacks.service_of(template)
        namespace = workload["metadata"]["namespace"]
        for constraint in spec.get("topologySpreadConstraints", ()):
            assert chosen(namespace, constraint["labelSelector"]) == {own}
        for one in spec.get("affinity", {}).get("podAntiAffinity", {}).get("preferredDuringSchedulingIgnoredDuringExecution", ()):
            assert chosen(namespace, one["podAffinityTerm"]["labelSelector"]) == {own}
        for term in spec.get("affinity", {}).get("podAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution", ()):
            assert len(chosen(namespace, term["labelSelector"])) == 1


@each_release
def test_a_services_ports_are_those_its_containers_have(which):
    made = stacks.rendered(*which)
    ports = {
        stacks.service_of(t): {p["containerPort"] for c in t["spec"]["containers"] for p in c.get("ports", ())}
        for _, t in made.templates()
    }
    for service in made.of("Service"):
        owner = service["metadata"]["labels"]["app.kubernetes.io/name"]
        assert {p["targetPort"] for p in service["spec"]["ports"]} <= ports[owner]


def alignments(value):
    """The value in base64, wherever in a text it stands."""
    for shift in range(3):
        held = base64.b64encode(b"\0" * shift + value.encode()).decode()
        yield held[(shift * 8 + 5) // 6 : len(held) - 4]


@each_stack
def test_no_secret_is_anywhere_but_in_secrets(which):
    made = stacks.rendered(*which)
    values = {stacks.secret(c, n) for c, held in made.plan.services.items() for s in held for n in s.secrets}
    assert len(values) > 10
    inside = json.dumps([base64.b64decode(v).decode() for b in made.of("Secret") for v in b["data"].values()])
    assert {v for v in values if v not in inside} <= {stacks.secret("supabase", "dashboard-htpasswd")} | unused(made)
    shown = [
        {k: v for k, v in m.body.items() if not (m.kind == "Secret" and k == "data")} | {"pulumi": [m.name, *m.after]}
        for m in made.manifests
    ]
    text = json.dumps(shown)
    for value in values:
        assert value not in text
        assert not any(coded in text for coded in alignments(value))


def unused(made):
    """Secrets that a service has for its data's sake alone, or that is turned off."""
    off = {
        stacks.secret(c, n)
        for c, held in made.plan.services.items()
        for s in held
        for n in s.secrets
        if s.off or n in {name for v in s.volumes for name in (v.paired_secret, v.login_secret)}
    }
    on = {stacks.secret(c, n) for c, held in made.plan.services.items() for s in held if not s.off for n in s.secrets}
    return off - on


@each_release
def test_secrets_reach_pods_by_reference_and_files_alone(which):
    made = stacks.rendered(*which)
    for workload, template in made.templates():
        assert "envFrom" not in json.dumps(template), workload["metadata"]["name"]
        assert template["spec"]["enableServiceLinks"] is False
        token = template["spec"]["automountServiceAccountToken"]
        assert token is (workload["metadata"]["namespace"] != made.stack.namespace), "only what reads the logs asks the API"
    assert all(account["automountServiceAccountToken"] is False for account in made.of("ServiceAccount"))


@each_release
def test_what_one_pod_alone_may_write_has_one_pod_at_a_time(which):
    made = stacks.rendered(*which)
    for workload, template in made.templates():
        kind, name, spec = workload["kind"], workload["metadata"]["name"], workload["spec"]
        claims = [v for v in template["spec"].get("volumes") or () if "persistentVolumeClaim" in v]
        if kind == "StatefulSet":
            assert spec["replicas"] == 1, name
            assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
            assert all(c["spec"]["accessModes"] == ["ReadWriteOnce"] for c in spec["volumeClaimTemplates"])
        elif claims:
            assert spec["replicas"] == 1, name
            assert spec["strategy"] == {"type": "Recreate"}, name


@each_release
def test_data_that_is_precious_is_on_a_claim_and_no_other(which):
    made = stacks.rendered(*which)
    claims = {
        w["metadata"]["name"]: {c["metadata"]["name"] for c in w["spec"]["volumeClaimTemplates"]} for w in made.of("StatefulSet")
    }
    wanted = {s.name: {v.name for v in s.volumes if v.precious and not v.idle} for s in made.services if s.image.kind != "stub"}
    assert {n: v for n, v in wanted.items() if v} == {n: v for n, v in claims.items() if n in wanted}


def test_only_what_can_be_more_than_one_is_and_an_autoscaler_has_the_count_to_itself():
    made = replicated()
    counts = {w["metadata"]["name"]: w["spec"].get("replicas") for w, _ in made.templates() if w["kind"] == "Deployment"}
    assert {n: c for n, c in counts.items() if c != 1} == {"meta": 2, "gateway": 3, "auth": None, "rest": None}
    assert {b["metadata"]["name"] for b in made.of("HorizontalPodAutoscaler")} == {"auth", "rest"}
    # One that may be down to a single pod has no budget: it would stop the drain of a node.
    assert {b["metadata"]["name"] for b in made.of("PodDisruptionBudget")} == {"meta", "gateway", "auth"}
    ignored = {m.name: m.ignore for m in made.manifests if m.kind == "Deployment" and m.ignore}
    assert ignored == {"supabase-auth": ("spec.replicas",), "supabase-rest": ("spec.replicas",)}


@each_release
def test_jobs_are_named_by_what_they_do_and_stay(which):
    made = stacks.rendered(*which)
    jobs = made.of("Job")
    assert {stacks.service_of(j["spec"]["template"]) for j in jobs} == {s.name for s in made.services if s.kind is Kind.JOB}
    for job in jobs:
        name = stacks.service_of(job["spec"]["template"])
        assert re.fullmatch(rf"{name}-[0-9a-f]{{8}}", job["metadata"]["name"])
        # One that vanished would be run again by a refresh.
        assert "ttlSecondsAfterFinished" not in job["spec"]
        assert job["spec"]["template"]["spec"]["restartPolicy"] in ("Never", "OnFailure")


def test_another_secret_is_another_job(monkeypatch):
    def jobs():
        return {stacks.service_of(j["spec"]["template"]): j["metadata"]["name"] for j in stacks.render(stacks.config()).of("Job")}

    before = jobs()
    monkeypatch.setattr(stacks, "secret", lambda component, name: f"another-{component}-{name}")
    after = jobs()
    assert set(before) == set(after)
    using = {s.name for s in stacks.rendered().services if s.kind is Kind.JOB and s.secrets}
    assert {n for n in before if before[n] != after[n]} == using
    assert len(using) > 3


@each_stack
def test_every_container_has_requests_and_limits(which):
    made = stacks.rendered(*which)
    for workload, template in made.templates():
        for container in containers(template):
            bounded(container["resources"], workload)
        for volume in template["spec"].get("volumes") or ():
            assert "emptyDir" not in volume or "sizeLimit" in volume["emptyDir"], volume
    for cluster in made.of("Cluster"):
        bounded(cluster["spec"]["resources"], cluster)
        assert set(cluster["spec"]["ephemeralVolumesSizeLimit"]) == {"shm", "temporaryData"}
    for pooler in made.of("Pooler"):
        spec = pooler["spec"]["template"]["spec"]
        found = {c["name"]: c["resources"] for c in (*spec["containers"], *spec["initContainers"])}
        assert set(found) == {"pgbouncer", "bootstrap-controller"}
        for given in found.values():
            bounded(given, pooler)


def bounded(given, whose):
    requests, limits = given["requests"], given["limits"]
    assert set(requests) == set(limits) == {"cpu", "memory", "ephemeral-storage"}, whose["metadata"]["name"]
    for what in requests:
        assert 0 < amount(requests[what]) <= amount(limits[what]), (whose["metadata"]["name"], what)


def amount(quantity):
    units = {"m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    found = re.fullmatch(r"([0-9.]+)(m|Ki|Mi|Gi)?", str(quantity))
    return float(found[1]) * units.get(found[2], 1)


@each_release
def test_a_server_is_asked_whether_it_lives_by_its_own_port_and_never_by_what_asks_the_database(which):
    made = stacks.rendered(*which)
    services = {s.name: s for s in made.services}
    for _, template in made.templates():
        name = stacks.service_of(template)
        (main,) = (c for c in template["spec"]["containers"] if c["name"] == name)
        if services[name].kind is Kind.JOB:
            assert not any(probe in main for probe in ("startupProbe", "readinessProbe", "livenessProbe"))
            continue
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(main), name
        live = main["livenessProbe"]
        # Some services' own health check asks the database: who is asked whether it lives must not be.
        assert set(live) & {"tcpSocket", "httpGet", "exec", "grpc"} == {"tcpSocket"}, name
        assert live["tcpSocket"]["port"] in {p.number for p in services[name].ports}
        assert main["startupProbe"]["failureThreshold"] * main["startupProbe"]["periodSeconds"] >= 300


@each_release
def test_local_images_are_never_pulled_and_others_by_a_tag_of_their_own(which):
    made = stacks.rendered(*which)
    kinds = {s.name: s.image.kind for s in made.services}
    for _, template in made.templates():
        for container in containers(template):
            local = kinds[stacks.service_of(template)] != "registry"
            # Its makers give no other tag.
            unpinned = container["image"].endswith("/redis-commander:latest")
            policy = "Never" if local else "Always" if unpinned else "IfNotPresent"
            assert container["imagePullPolicy"] == policy, container["image"]
            assert unpinned or re.search(r":(?!latest$)[^/]+$", container["image"]), container["image"]


@each_release
def test_only_the_gateway_is_ever_exposed(which):
    release, _, _, source, engine = which
    for exposure in stacks.EXPOSURES:
        made = stacks.rendered(release, "small", exposure, source, engine)
        open_services = [s for s in made.of("Service") if s["spec"].get("type", "ClusterIP") != "ClusterIP"]
        ways = [*open_services, *made.of("HTTPRoute", "Ingress")]
        assert {w["metadata"]["name"] for w in ways} == (set() if exposure == "none" else {"gateway-public"})
        assert len(ways) == (0 if exposure == "none" else 1)
        for service in open_services:
            assert service["spec"]["selector"]["app.kubernetes.io/name"] == "gateway"
            assert [p["targetPort"] for p in service["spec"]["ports"]] == [8000]
        assert all(b == {**b, "name": "gateway", "port": 8000} for b in backends(made))
