"""The user's own services as manifests: the seed's example to the letter, rolled without a gap, reached by a name of their own."""

import json

import pytest

from components.targets.kubernetes.naming import NAMESPACE_NAME
from tests.contract.kubernetes import stacks
from tests.contract.kubernetes.policy_semantics import Address, Pod, Policies
from tests.contract.kubernetes.test_manifests import backends, held, references, wrong

BACKEND = "kpi-dashboard-backend"
# Seed 001's, in the words of the settings.
KPI = {
    BACKEND: {
        "image": "kpi-dashboard/backend:1.0.0",
        "port": 3000,
        "publish": "backend",
        "replicas": 3,
        "healthPath": "/health",
        "env": {"NODE_ENV": "production", "DATABASE_URL": "${POOLER_URL}?pgbouncer=true", "DIRECT_URL": "${DB_URL}"},
        "secrets": {"supabase-secret": {"keys": {"database-url": "DATABASE_URL", "direct-url": "DIRECT_URL"}}},
        "resources": {"memoryRequest": "256mb", "memoryLimit": "512mb", "cpuRequest": "250m", "cpuLimit": "500m"},
    },
    "kpi-dashboard-frontend": {
        "image": "kpi-dashboard/frontend:1.0.0",
        "port": 3001,
        "env": {"REACT_APP_API_URL": "${BACKEND_URL}"},
    },
}
HOST = "dashboard.example.com"


def kpi(exposure="none", **over):
    apps = {name: {**app, **(over if name == BACKEND else {})} for name, app in KPI.items()}
    return stacks.render(stacks.config(exposure=exposure, apps=apps))


def deployment(made, name=BACKEND):
    return next(body for body in made.of("Deployment") if body["metadata"]["name"] == name)


def test_it_is_the_seeds_deployment():
    body = deployment(kpi())
    pod = body["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert body["spec"]["replicas"] == 3
    assert body["metadata"]["labels"]["app"] == pod["metadata"]["labels"]["app"] == BACKEND
    assert container["image"] == "docker.io/kpi-dashboard/backend:1.0.0"
    assert [port["containerPort"] for port in container["ports"]] == [3000]
    assert container["env"] == [
        {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "supabase-secret", "key": "database-url"}}},
        {"name": "DIRECT_URL", "valueFrom": {"secretKeyRef": {"name": "supabase-secret", "key": "direct-url"}}},
        {"name": "NODE_ENV", "value": "production"},
    ]
    for which, wanted in (
        ("requests", {"memory": "256Mi", "cpu": "250m"}),
        ("limits", {"memory": "512Mi", "cpu": "500m"}),
    ):
        assert {name: container["resources"][which][name] for name in wanted} == wanted


def test_its_frontend_knows_where_browsers_find_the_backend():
    found = {}
    for exposure in ("none", "gateway"):
        host = {"host": HOST} if exposure != "none" else {}
        (container,) = deployment(kpi(exposure, **host), "kpi-dashboard-frontend")["spec"]["template"]["spec"]["containers"]
        found[exposure] = {entry["name"]: entry["value"] for entry in container["env"]}["REACT_APP_API_URL"]
    assert found == {"none": "http://127.0.0.1:3026", "gateway": f"https://{HOST}"}


def test_a_pod_goes_only_when_another_is_ready_and_nobody_asks_it_any_more():
    body = deployment(kpi())
    assert body["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": 0}
    assert body["spec"]["progressDeadlineSeconds"] == 300
    pod = body["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/health", "port": 3000}
    # A database that is away makes it unready, and kills nobody.
    assert "tcpSocket" in container["livenessProbe"]
    drain = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert (drain, pod["terminationGracePeriodSeconds"]) == (10, 10 + 30)


@pytest.mark.parametrize(
    ("over", "count", "budget"), [({}, 3, True), ({"replicas": 1}, 1, False), ({"autoscaling": {"maxReplicas": 6}}, None, True)]
)
def test_its_number_and_what_follows_from_it(over, count, budget):
    made = kpi(**over)
    assert deployment(made)["spec"].get("replicas") == count
    assert (BACKEND in {b["metadata"]["name"] for b in made.of("PodDisruptionBudget")}) is budget
    scalers = [s["spec"] for s in made.of("HorizontalPodAutoscaler")]
    assert [(s["minReplicas"], s["maxReplicas"]) for s in scalers] == ([] if count else [(3, 6)])
    assert ("topologySpreadConstraints" in deployment(made)["spec"]["template"]["spec"]) is budget


@pytest.mark.parametrize("exposure", ["gateway", "ingress"])
def test_a_public_name_leads_to_it_and_lets_clients_in_to_its_port_alone(exposure):
    made = kpi(exposure, host=HOST, **({"tlsSecret": "dashboard-tls"} if exposure == "ingress" else {}))
    (way,) = [body for body in made.of("HTTPRoute", "Ingress") if body["metadata"]["name"] == f"{BACKEND}-public"]
    assert {"name": BACKEND, "port": 3000}.items() <= next(b for b in backends(made) if b["name"] == BACKEND).items()
    assert HOST in json.dumps(way)
    if exposure == "ingress":
        assert way["spec"]["tls"] == [{"hosts": [HOST], "secretName": "dashboard-tls"}], "not the API's"
    assert {m.name: bad for m in made.manifests if (bad := wrong(json.dumps(m.body)))} == {}
    policies = Policies(made.of("NetworkPolicy"), {made.stack.namespace: {NAMESPACE_NAME: made.stack.namespace}, "x": {}})
    pods = {name: Pod(namespace, labels) for namespace, name, labels in made.pods()}
    for stranger in (Address("203.0.113.7"), Pod("x", {})):
        assert [p for p in (3000, 3001, 22) if policies.allow(stranger, pods[BACKEND], p)] == [3000]
        assert not policies.allow(stranger, pods["kpi-dashboard-frontend"], 3001)


def test_a_secret_that_is_there_is_referred_to_and_not_made():
    given = {"platform": {"existing": True, "keys": {"token": "TOKEN"}}, **KPI[BACKEND]["secrets"]}
    made = kpi(secrets=given)
    assert ("Secret", "platform", ["token"]) in list(references(deployment(made)["spec"]["template"]))
    assert (made.stack.namespace, "Secret", "platform") not in held(made)
