"""The cluster's side of the kubernetes plugin's tests: a namespace a test, the objects in it as the API server has them, cleaning up."""

import os
import uuid
from pathlib import Path
from typing import Any

import pytest

from toolchain.plugins.kubernetes.client import ApiError, Client
from toolchain.plugins.kubernetes.cluster import Cluster
from toolchain.plugins.kubernetes.kubeconfig import access

CONTEXT_VARIABLE = "SUPASTACK_TEST_CONTEXT"
"""With KUBECONFIG: the context of a cluster of one's own for these tests. Without it, the test cluster is used."""

IMAGE = os.environ.get("SUPASTACK_TEST_IMAGE", "supastack.local/valkey:8.1")
"""An image with a shell that is on the node."""

IMPORT = "import pulumi, pulumi_kubernetes as k8s\n"


class World:
    """What one test makes is in a namespace of its own, which is removed at its end."""

    def __init__(self, kubeconfig: Path, context: str) -> None:
        self.kubeconfig, self.context = kubeconfig, context
        self.cluster = Cluster(Client(access(str(kubeconfig), context)))
        self.namespace = f"plugin-{uuid.uuid4().hex[:8]}"
        self._extra: list[dict[str, Any]] = []

    def make_namespace(self, **labels: str) -> None:
        """The test's namespace, made beside Pulumi."""
        self.cluster.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": labels}}, "test"
        )

    def provider(self, settings: str = "") -> str:
        """The beginning of a program: an explicit provider `p` for this cluster and namespace, and options `o` with it."""
        return (
            IMPORT
            + f'p = k8s.Provider("p", kubeconfig={str(self.kubeconfig)!r}, context={self.context!r}, namespace={self.namespace!r}'
            + (f", {settings})\n" if settings else ")\n")
            + "o = pulumi.ResourceOptions(provider=p)\n"
        )

    def item(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
        """What names an object of the test's namespace."""
        return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace or self.namespace}}

    def get(self, api_version: str, kind: str, name: str) -> dict[str, Any]:
        """An object as the API server has it; empty if there is none."""
        try:
            return self.cluster.get(self.item(api_version, kind, name))
        except ApiError as error:
            if error.is_not_found:
                return {}
            raise

    def names(self, api_version: str, kind: str) -> list[str]:
        """The names of a kind's objects in the test's namespace."""
        return sorted(entry["metadata"]["name"] for entry in self.cluster.list(api_version, kind, self.namespace))

    def make(self, item: dict[str, Any]) -> dict[str, Any]:
        """Make an object beside Pulumi. One outside of the test's namespace is removed at the end."""
        if item["metadata"].get("namespace") != self.namespace:
            self._extra.append(item)
        return self.cluster.create(item, "test")

    def apply(self, item: dict[str, Any], manager: str) -> dict[str, Any]:
        """Apply as another field manager, by force."""
        return self.cluster.apply(item, manager, force=True)

    def remove(self, api_version: str, kind: str, name: str) -> None:
        """Delete an object beside Pulumi."""
        self.cluster.delete(self.item(api_version, kind, name), "Background")

    def remove_all(self) -> None:
        """Remove what the test left."""
        for item in [*self._extra, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}]:
            try:
                self.cluster.delete(item, "Background")
            except ApiError as error:
                if not error.is_not_found:
                    raise


def own_cluster() -> tuple[Path, str] | None:
    """The cluster that the user names for these tests, if any."""
    context, file = os.environ.get(CONTEXT_VARIABLE), os.environ.get("KUBECONFIG")
    if not context:
        return None
    if not file or not Path(file).exists():
        pytest.fail(f"{CONTEXT_VARIABLE} is set, and KUBECONFIG names no file")
    return Path(file), context
