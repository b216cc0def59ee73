"""The CloudNativePG operator on a test cluster: its real manager, built from its Go module, and an operand of our own."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolchain import images
from toolchain.announce import step
from toolchain.cluster import builds, docker_images, pins
from toolchain.cluster.api import documents, wait
from toolchain.context import Context
from toolchain.images.daemon import Daemon
from toolchain.setup.folders import key_of

if TYPE_CHECKING:
    from toolchain.cluster.cluster import Cluster

_OPERAND = Path(__file__).resolve().parent / "operand"
_BASE = "postgres"
_DEPLOYMENT = "/apis/apps/v1/namespaces/cnpg-system/deployments/cnpg-controller-manager"
_READY_SECONDS = 180.0
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def install(cluster: "Cluster", context: Context, docker: Mapping[str, str] | None) -> None:
    """Have the operator run and its operand image on the node. Raises ToolchainError."""
    from toolchain.cluster.cluster import bring_program

    manager = builds.cnpg_manager(context)
    if pins.CNPG_IMAGE not in cluster.store.identities():
        with step("cluster", f"import {pins.CNPG_IMAGE}") as current:
            # The instances take the manager out of this image by the second name (upstream's Dockerfile has both).
            architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
            files = {"/manager": manager, f"/operator/manager_{architecture}": manager}
            bring_program(cluster, pins.CNPG_IMAGE, files, {"Entrypoint": ["/manager"], "User": "65532:65532"})
            current.done(f"imported {pins.CNPG_IMAGE}")
    operand(docker)
    docker_images.bring(cluster.store, [pins.CNPG_OPERAND_IMAGE], docker)
    with step("cluster", f"CloudNativePG {pins.CNPG}") as current:
        cluster.api.apply(*with_local_image(documents(builds.cnpg_release())))

        def why_not() -> str | None:
            found = cluster.api.find(_DEPLOYMENT) or {}
            if found.get("status", {}).get("readyReplicas"):
                return None
            return "its deployment in the namespace cnpg-system is not ready"

        wait("CloudNativePG", why_not, _READY_SECONDS)
        current.done(f"CloudNativePG {pins.CNPG} is ready")


def operand(docker: Mapping[str, str] | None) -> None:
    """Have the operand image in a Docker daemon: derived from the local PostgreSQL image. Raises ToolchainError."""
    base = images.available()[_BASE]
    inputs = key_of(_OPERAND / "Dockerfile", base.inputs)
    daemon = Daemon(None, docker)
    if daemon.label(pins.CNPG_OPERAND_IMAGE, "supastack.inputs") == inputs:
        return
    images.ensure([base.reference], None, step, docker)
    with step("cluster", f"build {pins.CNPG_OPERAND_IMAGE}") as current:
        files = {"Dockerfile": _OPERAND / "Dockerfile"}
        labels = {"supastack.inputs": inputs, "supastack.kind": "local"}
        daemon.build(pins.CNPG_OPERAND_IMAGE, files, {"BASE": base.reference}, labels, lambda _line: None)
        current.done(f"built {pins.CNPG_OPERAND_IMAGE}")


def with_local_image(release: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The operator's manifests with our image of it, which is on the node and in no registry."""
    for one in release:
        if one["kind"] == "Deployment":
            (container,) = one["spec"]["template"]["spec"]["containers"]
            container["image"] = pins.CNPG_IMAGE
            container["imagePullPolicy"] = "Never"
            # 0.1 CPU is too little for a start within its own probe's time where two cores do everything.
            container["resources"]["limits"]["cpu"] = "1"
            for variable in container["env"]:
                if variable["name"] == "OPERATOR_IMAGE_NAME":
                    variable["value"] = pins.CNPG_IMAGE
    return release
