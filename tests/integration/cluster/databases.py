"""Databases on a cluster as the target renders them, without an engine: manifests applied by kubectl, one namespace a test."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from components.endpoints import Endpoint
from components.service import Service, providers
from components.services import secret_names as names
from components.setting_groups import complete
from components.supabase_stack import services
from components.targets.kubernetes import marks
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.render import Rendering, render
from components.targets.kubernetes.texts import Texts
from components.targets.placement import TargetKind
from tests.unit.components.placements import placement
from toolchain.announce import ToolchainError

PASSWORD = 'it\'s:a/p@ss #1 & 100% \\ "so"'
"""With what has to be quoted somewhere."""
SECRETS = {
    names.DATABASE_PASSWORD: PASSWORD,
    names.DATABASE_SYNC_PASSWORD: "of-the-sync-role",
    names.EXTERNAL_DATABASE_PASSWORD: "of the administrator's",
    names.JWT_SECRET: "j" * 32,
}
FAILED = (AssertionError, ToolchainError)
"""What a command that fails raises: on a cluster that was there before, and on one of our own."""
WANTED = ("postgres", "database-bootstrap", "database-sync")
SECONDS = 300


def wait_for(condition: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(1)
    return found


def wait_for_account(cluster: Any, namespace: str) -> None:
    """Waits until pods may be made in a new namespace: they are refused while its account is not there yet."""
    found = ("get", "serviceaccount", "default", "--ignore-not-found", "--output=name")
    wait_for(lambda: cluster.kubectl("--namespace", namespace, *found), f"the account of {namespace}")


class World:
    """One namespace with one stack's database in it."""

    def __init__(self, cluster: Any, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        return str(self.cluster.kubectl("--namespace", self.namespace, *arguments, given=given))

    def services(self, release: str = "2026-09", auth: Mapping[str, Any] | None = None, **database: Any) -> list[Service]:
        where = placement(
            target=TargetKind.KUBERNETES,
            kubernetes={"namespace": self.namespace, "settings": complete("kubernetes", {"namespace": self.namespace})},
            release=release,
        )
        settings = {"database": database, **({"auth": dict(auth)} if auth else {})}
        args = {"placement": where, "settings": settings, "secrets": dict.fromkeys((names.EXTERNAL_DATABASE_PASSWORD,), "given")}
        return [service for service in services(args) if service.name in WANTED]

    def manifests(self, made: list[Service], secrets: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        stack = Stack(project="supastack", stack="dev", namespace=self.namespace, stack_id="0123456789abcdef")
        inside = {c: Endpoint(s.name, s.port(s.provides[c]).number) for c, s in providers(made).items()}
        values = {**SECRETS, **(secrets or {})}
        how = Rendering(
            stack=stack,
            component="supabase",
            settings=complete("kubernetes", {"namespace": self.namespace}),
            texts=Texts(stack=stack, secrets=values, inside={"postgres": Endpoint("server", 5432), **inside}),
            mark=marks.keyed("key"),
            folder=lambda _: {},
            paired={},
        )
        return [dict(manifest.body) for manifest in render(how, made)]

    def apply(self, *bodies: Mapping[str, Any]) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(bodies)}
        self.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", given=json.dumps(listed, default=dict))

    def up(self, made: list[Service], secrets: Mapping[str, str] | None = None) -> dict[str, str]:
        """Applies all of it and waits for the jobs. Their logs, by service."""
        bodies, logs = self.manifests(made, secrets), {}
        self.apply(*(body for body in bodies if body["kind"] != "Job"))
        # In the order of their gates, as they are rendered.
        for job in (body for body in bodies if body["kind"] == "Job"):
            name, service = job["metadata"]["name"], job["metadata"]["labels"]["app.kubernetes.io/name"]
            # As Pulumi does: a job of another name takes the place of the one before.
            self.kubectl(
                "delete", "jobs", f"--selector=app.kubernetes.io/name={service}", f"--field-selector=metadata.name!={name}"
            )
            self.apply(job)
            logs[service] = self.ended(name)
        return logs

    def ended(self, job: str, *, well: bool = True) -> str:
        """Waits for a job to end, and returns its logs."""

        def status() -> dict[str, Any]:
            found = json.loads(self.kubectl("get", "job", job, "--output=json"))
            return {c["type"]: c for c in found.get("status", {}).get("conditions", ()) if c["status"] == "True"}

        wanted = "Complete" if well else "Failed"
        ended = wait_for(lambda: set(status()) & {"Complete", "Failed"}, f"{job} to end", 420)
        logs = self.kubectl("logs", f"--selector=job-name={job}", "--tail=-1", "--prefix=false")
        assert wanted in ended, logs
        return logs

    def pods(self) -> list[dict[str, Any]]:
        """The instances."""
        found = self.kubectl("get", "pods", "--selector=cnpg.io/podRole=instance", "--output=json")
        return list(json.loads(found)["items"])

    def primary(self) -> str:
        return self.kubectl("get", "cluster.postgresql.cnpg.io", "postgres", "--output=jsonpath={.status.currentPrimary}")

    def healthy(self, instances: int) -> None:
        def status() -> bool:
            found = json.loads(self.kubectl("get", "cluster.postgresql.cnpg.io", "postgres", "--output=json")).get("status", {})
            return found.get("readyInstances") == instances and found.get("phase") == "Cluster in healthy state"

        wait_for(status, f"{instances} healthy instances")

    def client(self) -> None:
        """A pod with psql, which stays."""
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "client"},
                "spec": {
                    "containers": [
                        {
                            "name": "client",
                            "image": "supastack.local/postgres:17",
                            "imagePullPolicy": "Never",
                            "command": ["sleep", "3600"],
                            "env": [{"name": "PGCONNECT_TIMEOUT", "value": "3"}],
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "capabilities": {"drop": ["ALL"]},
                                "runAsNonRoot": True,
                                "runAsUser": 999,
                                "seccompProfile": {"type": "RuntimeDefault"},
                            },
                        }
                    ],
                    "terminationGracePeriodSeconds": 0,
                },
            }
        )
        self.kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=120s")

    def sql(
        self,
        query: str,
        user: str = "supabase_admin",
        database: str = "postgres",
        password: str = PASSWORD,
        host: str = "postgres",
    ) -> str:
        """The answer to a query, asked over the network with a password."""
        command = ["env", f"PGPASSWORD={password}", "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"]
        return self.kubectl("exec", "client", "--", *command, "-h", host, "-U", user, "-d", database, "-c", query).strip()


@contextmanager
def world(cluster: Any, namespace: str) -> Iterator[World]:
    """A namespace that goes with the test, under Pod Security `restricted`."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
    cluster.kubectl("apply", "--filename=-", given=json.dumps(body))
    wait_for_account(cluster, namespace)
    try:
        yield World(cluster, namespace)
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")
