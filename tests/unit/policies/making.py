"""Resources and stacks for the rules to look at."""

import base64
from datetime import date

from policies.model import Resource, Stack

DAY = date(2026, 11, 21)
DIGEST = "@sha256:" + "0123456789abcdef" * 4
CLUSTER = "postgresql.cnpg.io/v1"


def of(*resources, env="prod", waivers=None, **settings):
    return Stack(environment=env, resources=resources, settings=settings, waivers=waivers or {}, today=DAY)


def docker(kind, name="it", *, protect=False, **properties):
    """`named` is the property `name`."""
    if "named" in properties:
        properties["name"] = properties.pop("named")
    return Resource(type=f"docker:index/{kind[0].lower()}{kind[1:]}:{kind}", name=name, properties=properties, protect=protect)


def container(name="it", **properties):
    return docker("Container", name, **properties)


def labels(**given):
    return [{"label": f"supastack.{name.replace('_', '-')}", "value": value} for name, value in given.items()]


def kubernetes(kind, name="it", *, api="core/v1", protect=False, **properties):
    return Resource(
        type=f"kubernetes:{api}:{kind}",
        name=name,
        properties={"kind": kind, "metadata": {"name": name}, **properties},
        protect=protect,
    )


def workload(kind="Deployment", name="it", *, pod=None, spec=None, **container):
    """A workload whose pods have one container."""
    template = {"spec": {**(pod or {}), "containers": [{"name": "it", **container}]}}
    return kubernetes(kind, name, api="apps/v1", spec={"template": template, **(spec or {})})


def variable(name, value):
    return workload(env=[{"name": name, "value": value}])


def configmap(**data):
    return kubernetes("ConfigMap", data=data)


def secret(**data):
    return kubernetes("Secret", data={name: base64.b64encode(value.encode()).decode() for name, value in data.items()})


def generated(name, *, protect):
    return Resource(type="random:index/randomPassword:RandomPassword", name=name, properties={"length": 32}, protect=protect)


def cluster(*, protect=True, **spec):
    return kubernetes("Cluster", "postgres", api=CLUSTER, spec=spec, protect=protect)


def statefulset(name="postgres", **spec):
    metadata = {"name": name, "labels": {"app.kubernetes.io/name": name}}
    spec = {"volumeClaimTemplates": [{"metadata": {"name": "data"}}], **spec}
    return kubernetes("StatefulSet", name, api="apps/v1", metadata=metadata, spec=spec)


def hpa(least, target="it"):
    spec = {"minReplicas": least, "scaleTargetRef": {"name": target}}
    return kubernetes("HorizontalPodAutoscaler", "hpa", api="autoscaling/v2", spec=spec)


def service(kind, **spec):
    return kubernetes("Service", spec={"type": kind, **spec})


def route(backend="gateway", **parent):
    spec = {"parentRefs": [{"name": "shared", **parent}], "rules": [{"backendRefs": [{"name": backend}]}]}
    return kubernetes("HTTPRoute", api="gateway.networking.k8s.io/v1", spec=spec)


def ingress(backend="gateway", **spec):
    paths = [{"backend": {"service": {"name": backend}}}]
    return kubernetes("Ingress", api="networking.k8s.io/v1", spec={"rules": [{"http": {"paths": paths}}], **spec})
