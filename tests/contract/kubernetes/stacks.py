"""The stacks whose manifests are looked at: every release, profile, database engine and exposure, and every setting that adds a pod."""

import base64
from dataclasses import dataclass
from functools import cache
from itertools import product

from components import releases, supabase_stack
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
APPS = {
    "shop-backend": {
        "image": "registry.example.com/shop/backend:1.4.2",
        "port": 3000,
        "publish": "backend",
        "replicas": 3,
        "healthPath": "/health",
        "env": {"NODE_ENV": "production", "DATABASE_URL": "${DB_URL}", "CACHE": "${REDIS_URL}", "ENDPOINT": "${S3_ENDPOINT}"},
        "secrets": {"shop-secret": {"keys": {"database-url": "DATABASE_URL"}}},
        "writable": ["/app/cache"],
    },
    "shop-frontend": {
        "image": "registry.example.com/shop/frontend:1.4.2",
        "port": 3001,
        "autoscaling": {"maxReplicas": 4},
        "env": {"REACT_APP_API_URL": "${BACKEND_URL}", "API": "${INTERNAL_API_URL}"},
        "connects": ["shop-backend"],
        "internet": False,
    },
}
"""Services of the user's own."""
RELEASES = tuple(releases.names())
ENGINES = {
    "builtin": {},
    "cloudnativepg": {
        "engine": "cloudnativepg",
        "cnpg": {
            "instances": 2,
            "userId": 101,
            "walStorage": "2gb",
            "pooler": {"enabled": True},
            "backup": {"schedule": "0 0 3 * * *", "store": "stack"},
        },
    },
    "external": {"engine": "external", "external": {"host": "db.example.com", "port": 6432, "bootstrap": True}},
}
"""Settings of `supabase.database`."""
PROFILES = ("small", "medium", "large")
SOURCES = ("registry", "local")
ALL = [
    *product(RELEASES, PROFILES, EXPOSURES, ("registry",), ENGINES),
    *product(RELEASES, ("small",), ("none",), ("local",), ENGINES),
]
"""Arguments of `rendered`."""
EXPOSED = list(product(RELEASES, ("small",), EXPOSURES, ("registry",), ENGINES))
SMALL = list(product(RELEASES, ("small",), ("none",), SOURCES, ENGINES))
"""Those that differ in what pods there are."""


def supabase(release, engine="builtin", **over):
    """Everything that a release has turned on, and every job asked for."""
    had = releases.load(release, local=False)
    # Backups go where Storage has its files.
    store = {"backend": "s3", "bucket": "files"} if engine == "cloudnativepg" else {}
    settings = {
        "realtime": {"tables": ["public.todos"]},
        "database": {"schemas": ["app"], **ENGINES[engine]},
        "storage": {"buckets": {"avatars": {"public": True}}, **store},
    }
    for name in ("analytics", "vector"):
        if had.has(name):
            settings[name] = {"enabled": True}
    return {**settings, **over}


def config(release="2026-09", profile="small", exposure="none", source="registry", engine="builtin", kubernetes=None, **over):
    """A stack's settings: everything on, on Kubernetes. `over`: of the whole stack; `kubernetes`: of the target."""
    target = {
        "kubeconfig": "/nowhere/config",
        "context": "test",
        "profile": profile,
        "exposure": EXPOSURES[exposure],
        "imagePullSecret": {"name": "registry", "namespace": "platform"},
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
        "supabase": supabase(release, engine),
        "apps": APPS,
        **({"databasePassword": "a-password-of-others"} if engine == "external" else {}),
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

    def pods(self):
        """(namespace, service, labels) of all pods, those too that CloudNativePG makes of a Cluster and a Pooler (its pkg/specs, 1.30)."""
        for workload, template in self.templates():
            yield workload["metadata"]["namespace"], service_of(template), template["metadata"]["labels"]
        for cluster in self.of("Cluster"):
            name, inherited = cluster["metadata"]["name"], cluster["spec"]["inheritedMetadata"]["labels"]
            own = {"cnpg.io/cluster": name, **inherited}
            yield self.stack.namespace, name, {**own, "cnpg.io/podRole": "instance", "cnpg.io/instanceName": f"{name}-1"}
            yield self.stack.namespace, name, {**own, "cnpg.io/jobRole": "initdb"}
        for pooler in self.of("Pooler"):
            name, cluster = pooler["metadata"]["name"], pooler["spec"]["cluster"]["name"]
            labels = {"cnpg.io/cluster": cluster, "cnpg.io/poolerName": name, "cnpg.io/podRole": "pooler"}
            yield self.stack.namespace, name, labels


def service_of(template):
    return template["metadata"]["labels"]["app.kubernetes.io/name"]


def render(settings, stack="dev"):
    secret = [key for key in settings if key.endswith(("SecretKey", "Password"))]
    plan = Plan(load(settings, stack=stack, secret_keys=secret))
    services = tuple(s for made in plan.services.values() for s in made if not s.off)
    names = ground.stack(plan, "0123456789abcdef")
    manifests = ground.manifests(plan, names.stack_id, base64.b64encode(b'{"auths": {}}').decode())
    for component, made in plan.services.items():
        manifests += workloads(plan, names, component, made, inside(plan, services))
        manifests += scaling(names, component, made, plan.kubernetes)
    return Rendered(plan, names, services, tuple(manifests))


def secret(component, name):
    """A value that is found again wherever it goes: no encoding changes it."""
    return f"sEcReT0{component}0{name}".replace("-", "0")


def inside(plan, services):
    """Where each capability is reached by the stack's pods."""
    others = supabase_stack._elsewhere(supabase_stack._context(plan.supabase_args(plan.placement())))
    return {**others, **{c: Endpoint(s.name, s.port(s.provides[c]).number) for c, s in providers(services).items()}}


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
def rendered(release="2026-09", profile="small", exposure="none", source="registry", engine="builtin"):
    return render(config(release, profile, exposure, source, engine))
