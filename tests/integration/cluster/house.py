"""A clone whose stack `kube` is on the tests' cluster."""

import base64
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from tests.integration.clone import Clone

STACK = "kube"
NAMESPACE = "supastack-kube"


class House:
    """A clone whose stack `kube` is on the tests' cluster."""

    def __init__(self, clone: Clone, cluster: Any, namespace: str = NAMESPACE, database: str = "postgres-0") -> None:
        self.clone = clone
        self.cluster = cluster
        self.namespace = namespace
        self.database = database
        self.file = clone.root / "Pulumi.kube.yaml"
        # Whatever else listens on the machine: no port of the plan is asked of it.
        self.configure(**{"supastack:ports": {"auto": True}})
        self.configure_kubernetes(kubeconfig=str(cluster.kubeconfig), context=cluster.context, namespace=namespace)

    def configure(self, **values: Any) -> None:
        """Changes settings in the stack's file."""
        document = yaml.safe_load(self.file.read_text())
        document["config"] |= values
        self.file.write_text(yaml.safe_dump(document, sort_keys=False))

    def configure_kubernetes(self, **values: Any) -> None:
        """Changes settings of the target."""
        document = yaml.safe_load(self.file.read_text())
        self.configure(**{"supastack:kubernetes": {**document["config"]["supastack:kubernetes"], **values}})

    def make(self, target: str, code: int | None = 0, **variables: str) -> str:
        """`make TARGET STACK=kube`; returns what it says."""
        # The cluster is reached from this machine's own network, not from the daemon's.
        return self.clone.make(target, code, inside=False, STACK=STACK, **variables).stdout

    def lose_state(self) -> tuple[str, str]:
        """Removes the stack's state. Returns what it takes to come back: the id on its objects, and the database's password."""
        (secret,) = (found for found in self.objects("secrets") if found["metadata"]["name"] == "supabase-database")
        for file in (self.clone.root / ".supastack/state").rglob(f"{STACK}.json*"):
            file.unlink()
        password = base64.b64decode(secret["data"]["database-password"]).decode()
        return str(secret["metadata"]["annotations"]["supastack.io/stack-id"]), password

    def give_back(self, stack_id: str, password: str) -> None:
        """Sets what a lost stack is taken over by."""
        self.set_to(f"supastack:stackId {stack_id}")
        self.set_to("--secret supastack:databasePassword", password)

    def set_to(self, setting: str, given: str = "") -> None:
        """`pulumi config set` of the stack; `given`: what it reads, so that a secret is no argument."""
        lines = f'. .supastack/activate && printf %s "$GIVEN" | pulumi config set --stack {STACK} {setting}'
        self.clone.run("bash", "-c", lines, inside=False, GIVEN=given)

    def bare_up(self) -> str:
        """`pulumi up` by the engine alone, without what `make` does before; it fails. Returns what it said."""
        up = f"sys.exit(Engine(Context.of({STACK!r})).run(['up', '--yes', '--skip-preview']))"
        lines = f"import sys; from toolchain.context import Context; from toolchain.stack.engine import Engine; {up}"
        done = self.clone.run(".venv/bin/python", "-c", lines, inside=False, code=None)
        assert done.returncode != 0
        return str(done.stdout)

    def kubectl(self, *arguments: str) -> str:
        """In the stack's namespace."""
        return str(self.cluster.kubectl("--namespace", self.namespace, *arguments))

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind."""
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, "--output=json"))["items"]
        return found

    def unready(self) -> set[str]:
        """Pods that neither are ready nor have ended well; those that a job tried in vain before it was done do not count."""
        done = {job["metadata"]["uid"] for job in self.objects("jobs") if _is("Complete", job)}
        return {
            pod["metadata"]["name"]
            for pod in self.objects("pods")
            if pod["status"].get("phase") != "Succeeded" and not _is("Ready", pod)
            if pod["status"].get("phase") != "Failed"
            or done.isdisjoint(o["uid"] for o in pod["metadata"].get("ownerReferences", []))
        }

    def is_well(self) -> bool:
        """Whether the database's pod is there, and all pods are ready: one that was deleted may not have been made again yet."""
        return self.database in {pod["metadata"]["name"] for pod in self.objects("pods")} and not self.unready()

    def sql(self, statement: str) -> str:
        """Runs SQL in the database's pod, as its owner."""
        return self.kubectl("exec", self.database, "--", "psql", "-U", "postgres", "-Atc", statement).strip()

    def volumes(self) -> list[str]:
        """Volumes of the cluster that belong to claims of the namespace, or did."""
        found = json.loads(self.cluster.kubectl("get", "pv", "--output=json"))["items"]
        return [v["metadata"]["name"] for v in found if (v["spec"].get("claimRef") or {}).get("namespace") == self.namespace]

    def settles(self) -> bool:
        """Waits for a preview without a change: what a workload says of itself lags behind its pods."""
        return bool(until(lambda: self.steps() == {}, "a preview without a change", 300))

    def steps(self) -> dict[str, str]:
        """Step of each resource that a preview would change, by name."""
        shown = self.clone.run(
            "bash", "-c", '. .supastack/activate && pulumi "$@"', "pulumi", "preview", "--json", "--stack", STACK, inside=False
        ).stdout
        steps = json.loads(shown[shown.index("{") :])["steps"]
        return {s["urn"].rsplit("::", 1)[-1]: s["op"] for s in steps if s["op"] not in {"same", "read", "refresh"}}

    @contextmanager
    def forward(self) -> Iterator[dict[str, str]]:
        """`make forward` as long as the block lasts; gives the addresses by output."""
        command = ["make", "--no-print-directory", "forward", f"STACK={STACK}"]
        process = subprocess.Popen(
            command,
            cwd=self.clone.root,
            env=self.clone.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        found: dict[str, str] = {}
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if match := re.match(r"\s+(\w+)\s+((?:http://)?127\.0\.0\.1:\d+)$", line):
                    found[match[1]] = match[2]
                if "Ctrl-C" in line:
                    break
            assert found, "".join(said)
            yield found
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
            assert not list(self.clone.root.glob(".env*.forwarded")), "secrets that are there only as long as it runs"


def _is(condition: str, item: dict[str, Any]) -> bool:
    return any(c["type"] == condition and c["status"] == "True" for c in item.get("status", {}).get("conditions", []))


def until(done: Any, what: str, seconds: float = 180) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(1)
    return found
