"""One Kubernetes cluster for all integration tests that want one: of our own, or the one that the environment names."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.daemon import Daemon

CHOSEN = ("KUBECONFIG", "SUPASTACK_TEST_CONTEXT")
"""Both set: the tests use that cluster. The local images must be on its nodes."""


@dataclass
class GivenCluster:
    """A cluster that was there before the tests."""

    kubeconfig: Path
    context: str

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        """Runs kubectl on it; returns what it prints."""
        command = ["kubectl", f"--kubeconfig={self.kubeconfig}", f"--context={self.context}", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    @property
    def address(self) -> str:
        """A node's address."""
        nodes = json.loads(self.kubectl("get", "nodes", "--output=json"))["items"]
        return next(one["address"] for one in nodes[0]["status"]["addresses"] if one["type"] == "InternalIP")

    def import_images(self, references: Sequence[str], docker: object = None) -> list[str]:
        """Nothing: who brings a cluster brings its images."""
        return []


@pytest.fixture(scope="session")
def cluster(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A `toolchain.cluster.Cluster`, or a GivenCluster, which has less: kubeconfig, context, kubectl, address, import_images."""
    if all(os.environ.get(name) for name in CHOSEN):
        yield GivenCluster(Path(os.environ[CHOSEN[0]]), os.environ[CHOSEN[1]])
        return
    from toolchain import cluster as clusters
    from toolchain.context import Context

    folder = tmp_path_factory.mktemp("cluster")
    try:
        yield clusters.up(Context.of(), folder, reaches_out=False)
    finally:
        clusters.down(folder)
        shutil.rmtree(folder, ignore_errors=True)
