"""The kube stack on a one-node cluster of the bench's own: images are in it, nothing else is."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bench.run import FailedRunError
from bench.scenes import Bench
from bench.table import Row
from toolchain import cluster as clusters
from toolchain.context import Context

STACK = "kube"
NAMESPACE = "supastack-kube"
PROGRAM_SECONDS = 1.0


def measure(bench: Bench, folder: Path, repetitions: int, previews: int, say: Callable[[str], None]) -> list[Row]:
    """All rows of the cluster. `bench` has its empty program already; its daemon has the images."""
    with _cluster(folder / "cluster") as (cluster, ready):
        _configure(bench, cluster)
        say("make up in a cluster, images go in")
        bench.kube("up")
        ups, waits = [], []
        for n in range(repetitions):
            say(f"up in a cluster from nothing, {n + 1} of {repetitions}")
            bench.kube("purge", "CONFIRM=kube")
            ups.append(bench.kube("up").seconds)
            waits.append(_until_ready(cluster))
        resources = bench.kube_resources()
        empty, kube, program, bare = [], [], [], []
        for n in range(previews):
            say(f"previews in a cluster, {n + 1} of {previews}")
            empty.append(bench.preview_empty())
            kube.append(bench.preview_kube())
            program.append(bench.program())
            bare.append(bench.import_pulumi())
        bench.kube("purge", "CONFIRM=kube")
    return [
        Row("the cluster itself, from nothing to a ready node", [ready]),
        Row("resources of the kube stack", [float(resources)], ""),
        Row("make up of kube from nothing, images in the cluster", ups),
        Row("first pod made to last pod ready", waits),
        Row("preview of kube, no change", [r.seconds for r in kube]),
        Row("ratio, preview of kube to empty", [k.seconds / e.seconds for k, e in zip(kube, empty, strict=True)], ""),
        Row("program's CPU", [p.cpu for p in program]),
        Row("program over `import pulumi`", [p.cpu - b.cpu for p, b in zip(program, bare, strict=True)], "s", PROGRAM_SECONDS),
        Row("program's peak memory", [p.memory for p in program], "MB"),
    ]


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[Any, float]]:
    """A cluster, and the seconds that it took to start; what it is made of was built before."""
    context = Context.of()
    try:
        clusters.up(context, folder, reaches_out=False)
        clusters.down(folder, purge=True)
        began = time.monotonic()
        made = clusters.up(context, folder, reaches_out=False)
        yield made, time.monotonic() - began
    finally:
        clusters.down(folder, purge=True)


def _configure(bench: Bench, cluster: Any) -> None:
    file = bench.clone.root / f"Pulumi.{STACK}.yaml"
    settings = yaml.safe_load(file.read_text())
    config = settings["config"]
    config["supastack:kubernetes"] |= {"kubeconfig": str(cluster.kubeconfig), "context": cluster.context}
    file.write_text(yaml.safe_dump(settings, sort_keys=False))


def _until_ready(cluster: Any) -> float:
    """Seconds from when the first pod was made until the last was ready, or had ended well; the API tells whole seconds."""
    pods = json.loads(cluster.kubectl("--namespace", NAMESPACE, "get", "pods", "--output=json"))["items"]
    made = [_seconds(pod["metadata"]["creationTimestamp"]) for pod in pods]
    ready = [
        _seconds(c["lastTransitionTime"])
        for pod in pods
        for c in pod["status"].get("conditions", [])
        if c["type"] == "Ready" and (c["status"] == "True" or c.get("reason") == "PodCompleted")
    ]
    if len(ready) != len(pods):
        raise FailedRunError(f"{len(pods) - len(ready)} of {len(pods)} pods are not ready after an up")
    return max(ready) - min(made)


def _seconds(stamp: str) -> float:
    return time.mktime(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))
