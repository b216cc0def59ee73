"""For each rule: stacks that keep to it, and stacks that do not, with where and what is said of them."""

from dataclasses import dataclass
from datetime import date

from components import cli_keys
from policies.model import Stack
from policies.values import MASKED, UNKNOWN
from tests.unit.policies.making import (
    DIGEST,
    cluster,
    configmap,
    container,
    docker,
    generated,
    hpa,
    ingress,
    kubernetes,
    labels,
    of,
    route,
    secret,
    service,
    statefulset,
    variable,
    workload,
)


@dataclass(frozen=True)
class Samples:
    """Of one rule. `bad`: a stack, where its one violation is, and a piece of what is said."""

    good: tuple[Stack, ...]
    bad: tuple[tuple[Stack, str, str], ...]


URL = "postgresql://u:Zq8x0Zq8x0@{}/postgres"
_INSIDE = URL.format("postgres:5432")
_OUTSIDE = URL.format("db.example.com")
_SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_LIMITS = {"limits": {"memory": "1Gi"}, "requests": {"cpu": "100m"}}
_DATABASE = labels(service="postgres", kind="server")


def _keys(**given):
    return of(supabase={"keys": given})


def _port(**given):
    return {"internal": 5432, "external": 54322, **given}


BY_RULE = {
    "well-known-keys": Samples(
        good=(
            of(secret(DATABASE_URL=_INSIDE), container(envs=["POSTGRES_PASSWORD=Zq8x0Zq8x0", "ROLE=postgres"])),
            of(container(envs=MASKED), secret(KEY=UNKNOWN)),
            of(compat="none", supabase={"database": {"name": "postgres"}}),
        ),
        bad=(
            (of(container(envs=["A=b", "POSTGRES_PASSWORD=postgres"])), "it", "POSTGRES_PASSWORD holds"),
            (of(container(uploads=[{"content": f"key: {cli_keys.SECRET_KEY}\n"}])), "it", "uploads[0].content holds"),
            (of(secret(JWT=cli_keys.JWT_SECRET)), "it", "data.JWT holds"),
            (of(secret(KEYS=f'{{"keys": [{cli_keys.SIGNING_KEY}]}}')), "it", "data.KEYS holds"),
            (of(secret(ANON_KEY=cli_keys.role_key("anon"))), "it", "data.ANON_KEY holds"),
            (of(variable("DB_URL", "postgres://u:postgres@db/x")), "it", "DB_URL holds"),
            (of(compat="cli"), "compat", "the Supabase CLI's keys"),
        ),
    ),
    "configmap-secrets": Samples(
        good=(
            of(configmap(conf="listen: 8000\npassword: ${PASSWORD}\nanon: sb_publishable_abcdefghijklmnopqrst\n")),
            of(secret(PASSWORD="Zq8x0Zq8x0")),
            of(configmap(url="postgresql://u@postgres:5432/postgres", sql="alter role a password :'given';")),
        ),
        bad=(
            (of(kubernetes("ConfigMap", data=MASKED)), "it", "data has a secret"),
            (of(configmap(conf=f"key: {MASKED}")), "it", "data.conf has a secret"),
            (of(configmap(url=_INSIDE)), "it", "a URL with a password"),
            (of(configmap(key="-----BEGIN EC PRIVATE KEY-----\nabc")), "it", "a private key"),
            (of(configmap(key=f"token: {cli_keys.role_key('service_role')}")), "it", "a token"),
            (of(configmap(env="SMTP_PASSWORD=Zq8x0Zq8x0\n")), "it", "a password"),
            (of(configmap(key="sb_secret_abcdefghijklmnopqrstuv")), "it", "an sb_secret_ key"),
        ),
    ),
    "database-tls": Samples(
        good=(
            of(secret(A=f"{_OUTSIDE}?sslmode=require", B=_INSIDE, C=URL.format("10.0.0.7"))),
            of(secret(A=URL.format("postgres.shop.svc.cluster.local"))),
            of(supabase={"database": {"engine": "external", "external": {"sslmode": "require"}}}),
            of(supabase={"database": {"engine": "builtin"}}),
            of(supabase={"database": {"readReplicas": ["db-read.example.com"]}}),
            of(supabase={"database": {"readReplicas": ["10.0.0.7:5433", "replica"], "readReplicaSslmode": "prefer"}}),
        ),
        bad=(
            (
                of(supabase={"database": {"readReplicas": ["r.example.com:5433", "replica"], "readReplicaSslmode": "disable"}}),
                "supabase.database.readReplicaSslmode",
                "it is disable, so connections to the read replicas at r.example.com need not",
            ),
            (of(secret(DB_URL=_OUTSIDE)), "it", "data.DB_URL reaches the database at db.example.com without sslmode"),
            (of(container(envs=[f"U={_OUTSIDE}?sslmode=prefer"])), "it", "with sslmode=prefer"),
            (of(supabase={"database": {"engine": "external"}}), "supabase.database.external.sslmode", "it is prefer"),
        ),
    ),
    "jwt-expiry": Samples(
        good=(
            of(container(envs=["GOTRUE_JWT_EXP=3600", "JWT_EXPIRY=never"])),
            of(variable("GOTRUE_JWT_EXP", "86400")),
            of(supabase={"auth": {"jwtExpiry": 300}}),
            of(supabase={}),
        ),
        bad=(
            (of(container(envs=["GOTRUE_JWT_EXP=604800"])), "it", "more than a day"),
            (of(variable("GOTRUE_JWT_EXP", "30")), "it", "less than five minutes"),
            (of(supabase={"auth": {"jwtExpiry": "86401"}}), "supabase.auth.jwtExpiry", "more than a day"),
        ),
    ),
    "key-lifetimes": Samples(
        good=(
            of(),
            _keys(issuedAt="2026-01-01", expiresAt="2027-02-01"),
            _keys(issuedAt=date(2026, 9, 1)),
            of(supabase={"enabled": False}),
        ),
        bad=(
            (_keys(expiresAt="2046-01-01"), "supabase.keys.expiresAt", "20 years"),
            (_keys(expiresAt="2026-12-24"), "supabase.keys.expiresAt", "end on 2026-12-24"),
            (_keys(expiresAt="2026-11-21"), "supabase.keys.expiresAt", "have ended on 2026-11-21"),
        ),
    ),
    "image-tags": Samples(
        good=(
            of(docker("RemoteImage", named="docker.io/supabase/gotrue:v2.196.0"), workload(image=f"registry:5000/a{DIGEST}")),
            of(container(image="sha256:abc"), container(image=UNKNOWN)),
        ),
        bad=(
            (of(docker("RemoteImage", named="supabase/gotrue:latest")), "it", "is `latest`"),
            (of(workload(image="registry:5000/supabase/gotrue")), "it", "has no tag and no digest"),
            (of(cluster(imageName="docker.io/supabase/postgres:latest")), "postgres", "is `latest`"),
        ),
    ),
    "image-digests": Samples(
        good=(
            of(docker("RemoteImage", named=f"docker.io/supabase/gotrue:v2{DIGEST}"), workload(image=f"a/b:1{DIGEST}")),
            of(docker("RemoteImage", named="docker.io/supabase/gotrue:v2"), env="staging"),
        ),
        bad=(
            (of(docker("RemoteImage", named="docker.io/supabase/gotrue:v2")), "it", "gotrue:v2 has no digest"),
            (of(workload("Job", image="supastack.local/stub:1")), "it", "was built on one machine"),
        ),
    ),
    "bind-addresses": Samples(
        good=(
            of(container(ports=[_port(ip="127.0.0.1")]), service("ClusterIP"), workload(ports=[{"containerPort": 80}])),
            of(container(ports=[_port(ip="192.168.7.4")]), container(ports=MASKED), bindAddress="192.168.7.4"),
        ),
        bad=(
            (of(container(ports=[_port(ip="0.0.0.0")])), "it", "port 54322 is published on all addresses"),
            (of(container(ports=[_port()])), "it", "port 54322"),
            (of(container(networkMode="host")), "it", "shares the machine's network"),
            (of(service("NodePort")), "it", "NodePort"),
            (of(workload(pod={"hostNetwork": True})), "it", "share the node's network"),
            (of(workload(ports=[{"hostPort": 80}])), "it", "port 80 of it"),
            (of(bindAddress="::"), "bindAddress", ":: is every address"),
        ),
    ),
    "public-tls": Samples(
        good=(
            of(ingress(tls=[{"secretName": "a"}]), route(sectionName="https"), service("LoadBalancer", ports=[{"port": 443.0}])),
            of(
                variable("SITE_URL", "https://app.example.com"),
                container(envs=["API=http://gateway:8000", "L=http://127.0.0.1:1"]),
            ),
            of(
                supabase={"auth": {"siteUrl": "http://localhost:3000"}},
                cache={"engine": "external", "external": {"host": "c.example.com"}},
            ),
        ),
        bad=(
            (of(ingress()), "it", "has no tls"),
            (of(route()), "it", "every listener of Gateway shared"),
            (of(service("LoadBalancer", ports=[{"port": 80}])), "it", "plain http on port 80"),
            (of(variable("SITE_URL", "http://app.example.com/a?b")), "it", "SITE_URL is http://app.example.com,"),
            (of(container(envs=["R=redis://u:p@c.example.com"])), "it", "R is redis://c.example.com,"),
            (of(supabase={"auth": {"siteUrl": "http://app.example.com"}}), "supabase.auth.siteUrl", "is not encrypted"),
            (
                of(cache={"engine": "external", "external": {"host": "c.example.com", "tls": False}}),
                "cache.external.tls",
                "not encrypted",
            ),
        ),
    ),
    "studio-guard": Samples(
        good=(
            of(
                container(labels=labels(service="studio")),
                container(labels=labels(service="gateway"), ports=[_port(ip="10.1.1.1")]),
            ),
            of(ingress(), route(), service("ClusterIP", selector={"app.kubernetes.io/name": "studio"})),
            of(supabase={"gateway": {"enabled": False}}),
        ),
        bad=(
            (of(container(labels=labels(service="studio"), ports=[_port(ip="10.1.1.1")])), "it", "published on 10.1.1.1"),
            (of(service("LoadBalancer", selector={"app.kubernetes.io/name": "studio"})), "it", "a LoadBalancer leads to Studio"),
            (of(ingress("studio")), "it", "the Ingress leads to Studio"),
            (of(route("studio")), "it", "the HTTPRoute leads to Studio"),
            (of(supabase={"gateway": {"enabled": False}, "studio": {"enabled": True}}), "supabase.gateway.enabled", "is off"),
        ),
    ),
    "protected-data": Samples(
        good=(
            of(docker("Volume", labels=labels(precious="true"), protect=True), docker("Volume", labels=labels(precious="false"))),
            of(kubernetes("Namespace", "namespace", protect=True), kubernetes("Namespace", "namespace-logs")),
            of(
                statefulset(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain"}),
                cluster(),
                kubernetes("Cluster", api="a.io/v1"),
            ),
            # Its password is the cache's own: the data is not closed with it.
            of(
                docker("Volume", "cache-data", labels=labels(precious="true"), protect=True),
                generated("cache-password", protect=False),
            ),
            of(
                docker("Volume", "db-data", labels=MASKED, protect=True),
                generated("db-password", protect=True),
                generated("db-x", protect=False),
            ),
        ),
        bad=(
            (of(docker("Volume", labels=labels(precious="true"))), "it", "the volume holds data"),
            (of(docker("Volume", labels=MASKED)), "it", "the volume holds data"),
            (of(cluster(protect=False)), "postgres", "the database is not protected"),
            (of(kubernetes("Namespace")), "it", "the namespace is not protected"),
            (of(kubernetes("PersistentVolumeClaim")), "it", "the claim is not protected"),
            (
                of(statefulset(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})),
                "postgres",
                "whenDeleted is Delete",
            ),
            (
                of(docker("Volume", "db-data", labels=MASKED, protect=True), generated("db-x", protect=False)),
                "db-x",
                "opens with one of them",
            ),
        ),
    ),
    "backups": Samples(
        good=(
            of(cluster(), kubernetes("ScheduledBackup", api="postgresql.cnpg.io/v1", spec={"cluster": {"name": "postgres"}})),
            of(container(labels=labels(service="postgres", kind="job")), container(labels=labels(service="auth"))),
            of(statefulset(), env="dev"),
        ),
        bad=(
            (of(container("db", labels=_DATABASE)), "db", "nothing makes backups of it"),
            (of(statefulset("plain-postgres")), "plain-postgres", "nothing makes backups of it"),
            (of(cluster()), "postgres", "without a ScheduledBackup"),
        ),
    ),
    "resource-limits": Samples(
        good=(of(container(memory=512.0), workload(resources=_LIMITS), cluster(resources=_LIMITS), service("ClusterIP")),),
        bad=(
            (of(container()), "it", "no memory limit"),
            (of(workload(resources={"requests": {"cpu": "1"}})), "it", "container it has no memory limit"),
            (of(workload(resources={"limits": {"memory": "1Gi"}})), "it", "container it has no request for cpu"),
            (of(cluster(resources={"limits": {"memory": "1Gi"}})), "postgres", "the database's pods have no request for cpu"),
        ),
    ),
    "restricted-pods": Samples(
        good=(
            of(workload(securityContext=_SAFE), container(securityOpts=["no-new-privileges:true"])),
            of(container(securityOpts=MASKED), configmap(a="b")),
        ),
        bad=(
            (of(workload(securityContext={**_SAFE, "privileged": True})), "it", "it is privileged"),
            (
                of(workload(securityContext={**_SAFE, "capabilities": {"add": ["CHOWN"]}})),
                "it",
                "keeps capabilities; it adds CHOWN",
            ),
            (of(workload(securityContext={**_SAFE, "runAsNonRoot": None})), "it", "may run as root"),
            (
                of(workload(securityContext=_SAFE, pod={"volumes": [{"name": "logs", "hostPath": {}}]})),
                "it",
                "of the kind hostPath",
            ),
            (of(container(privileged=True, securityOpts=["no-new-privileges:true"])), "it", "the container is privileged"),
            (of(container()), "it", "may gain privileges"),
            (
                of(container(securityOpts=["no-new-privileges:true"], volumes=[{"hostPath": "/var/run/docker.sock"}])),
                "it",
                "the Docker daemon's socket",
            ),
        ),
    ),
    "replicas": Samples(
        good=(
            of(workload(spec={"replicas": 2.0}), workload(name="up"), hpa(2, "up"), cluster(instances=2)),
            of(workload(spec={"strategy": {"type": "Recreate"}}), workload("StatefulSet"), workload("Job")),
            of(workload(spec={"replicas": 1}), env="staging"),
        ),
        bad=(
            (of(workload()), "it", "it has 1 pod"),
            (of(workload(spec={"replicas": 1}), workload(name="up"), hpa(2, "up")), "it", "it has 1 pod"),
            (of(workload(), hpa(1)), "it", "it has 1 pod"),
            (of(cluster(instances=1)), "postgres", "no standby"),
        ),
    ),
}
