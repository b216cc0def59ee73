"""The stacks whose manifests are looked at: every release, profile, database engine and exposure, and every setting that adds a pod."""

from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from components import object_storage, releases
from components.endpoints import Endpoint
from components.plan import Plan
from components.service import providers
from components.settings import load
from components.targets.kubernetes import ground, marks
from components.targets.kubernetes import render as rendering
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.scaling import scaling
from components.targets.kubernetes.texts import Texts

HOST = "api.example.com"
EXPOSURES = {
    "none": {"kind": "none"},
    "gateway": {"kind": "gateway", "host": HOST, "gateway": {"name": "shared", "namespace": "gateways", "section": "https"}},
    "ingress": {
        "kind": "ingress",
        "host": HOST,
        "className": "traefik",
        "tlsSecret": "api-tls",
        "issuer": "letsencrypt",
        "annotations": {"example.com/proxy-body-size": "0"},
    },
    "loadbalancer": {"kind": "loadbalancer", "host": HOST},
}
RELEASES = tuple(releases.names())
PROFILES = ("small", "medium", "large")
SOURCES = ("registry", "local")


def supabase(release, **over):
    """Everything that a release has turned on, and every job asked for."""
    had = releases.load(release, local=False)
    settings = {
        "realtime": {"tables": ["public.todos"]},
        "database": {"schemas": ["app"]},
        "storage": {"buckets": {"avatars": {"public": True}}},
    }
    for name in ("analytics", "vector"):
        if had.has(name):
            settings[name] = {"enabled": True}
    return {**settings, **over}


def config(release="2026-09", profile="small", exposure="none", source="registry", kubernetes=None, **over):
    """A stack's settings: everything on, on Kubernetes. `over`: of the whole stack; `kubernetes`: of the target."""
    target = {
        "kubeconfig": "/nowhere/config",
        "context": "test",
        "profile": profile,
        "exposure": EXPOSURES[exposure],
        **(kubernetes or {}),
    }
    given = {
        "target": "kubernetes",
        "imageSource": source,
        "release": release,
        "kubernetes": target,
        "objectStorage": {"fallback": "minio", "buckets": ["app", "files"]},
        "cache": {"commander": True},
        "plainDatabase": {"enabled": True, "extensions": ["hstore"], "pgbouncer": {"enabled": True}},
        "supabase": supabase(release),
        **over,
    }
    return {f"supastack:{name}": value for name, value in given.items()}


@dataclass(frozen=True)
class Rendered:
    """A stack and all that it is made of in a cluster."""

    plan: Plan
    stack: Stack
    services: tuple
    manifests: tuple

    @property
    def bodies(self):
        return [m.body for m in self.manifests]

    def of(self, *kinds):
        return [b for b in self.bodies if b["kind"] in kinds]

    def templates(self):
        """(workload, pod template) of all that makes pods."""
        for body in self.of("Deployment", "StatefulSet", "DaemonSet", "Job"):
            yield body, body["spec"]["template"]


def service_of(template):
    return template["metadata"]["labels"]["app.kubernetes.io/name"]


def render(settings, stack="dev"):
    secret = [key for key in settings if key.endswith("SecretKey")]
    plan = Plan(load(settings, stack=stack, secret_keys=secret))
    services = tuple(s for made in plan.services.values() for s in made if not s.off)
    names = ground.stack(plan, "0123456789abcdef")
    manifests = ground.manifests(plan, names.stack_id)
    store = object_storage.reached(plan.object_storage_args(plan.placement()))
    endpoint = store.endpoint if store is not None and store.external else None
    for component, made in plan.services.items():
        manifests += workloads(plan, names, component, made, inside(services, endpoint))
        manifests += scaling(names, component, made, plan.kubernetes)
    return Rendered(plan, names, services, tuple(manifests))


def secret(component, name):
    """A value that is found again wherever it goes: no encoding changes it."""
    return f"sEcReT0{component}0{name}".replace("-", "0")


def inside(services, endpoint):
    """Where each capability is reached by the stack's pods."""
    found = {c: Endpoint(s.name, s.port(s.provides[c]).number) for c, s in providers(services).items()}
    if endpoint is not None:
        at = urlsplit(endpoint)
        found.setdefault("s3", Endpoint(at.hostname, at.port or 443))
    return found


def workloads(plan, names, component, made, at):
    secrets = {name: secret(component, name) for service in made for name in service.secrets}
    how = rendering.Rendering(
        stack=names,
        component=component,
        settings=plan.kubernetes,
        texts=Texts(stack=names, secrets=secrets, inside=at),
        mark=marks.keyed("a key of the stack"),
        folder=lambda folder: {"hello/index.ts": b"Deno.serve(() => new Response());\n"},
        paired={v.name: "a mark" for service in made for v in service.volumes if v.paired_secret is not None},
    )
    return rendering.render(how, made)


@cache
def rendered(release="2026-09", profile="small", exposure="none", source="registry"):
    return render(config(release, profile, exposure, source))
