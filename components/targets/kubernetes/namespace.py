"""The stack's namespaces, with the Pod Security level that each enforces."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.kubernetes_settings import PodSecurity
from components.service import Service
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.naming import INSTANCE, MANAGED_BY, PART_OF, STACK_ID, Stack

MANIFEST: Final = "namespace"
"""Name of the manifest that everything else of a stack comes after."""
LOGS_MANIFEST: Final = "namespace-logs"
_LEVEL: Final = "pod-security.kubernetes.io"


def level(settings: Mapping[str, Any], unrestricted: Mapping[str, str]) -> str:
    """The level that the stack's own namespace enforces.

    Args:
        settings: The completed settings of the target.
        unrestricted: Why a service's pods can't be `restricted`, by service.
    """
    wanted = settings["podSecurity"]
    if wanted is PodSecurity.AUTO:
        return "baseline" if unrestricted else "restricted"
    return str(wanted.value)


def namespaces(
    stack: Stack, services: Iterable[Service], settings: Mapping[str, Any], unrestricted: Mapping[str, str]
) -> list[Manifest]:
    """The stack's namespace; and, where something reads the logs of all pods, that one's own.

    A namespace goes with all that is in it, the claims too, so the stack's is protected and left in the cluster: `make purge` ends it.
    The other one holds no claim, and goes with what reads the logs.
    """
    made = [_namespace(stack, MANIFEST, stack.namespace, level(settings, unrestricted), stays=True)]
    if any(stack.reads_logs(service) for service in services if not service.off):
        # It mounts a folder of the node, which `baseline` forbids too (Pod Security Standards, "HostPath Volumes").
        made.append(_namespace(stack, LOGS_MANIFEST, stack.logs_namespace, "privileged", stays=False))
    return made


def _namespace(stack: Stack, name: str, namespace: str, enforced: str, *, stays: bool) -> Manifest:
    looked = "baseline" if enforced == "privileged" else "restricted"
    return Manifest(
        name=name,
        body={
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": namespace,
                "labels": {
                    INSTANCE: stack.instance,
                    PART_OF: "supastack",
                    MANAGED_BY: "pulumi",
                    f"{_LEVEL}/enforce": enforced,
                    f"{_LEVEL}/warn": looked,
                    f"{_LEVEL}/audit": looked,
                },
                "annotations": {STACK_ID: stack.stack_id},
            },
        },
        protect=stays,
        retain=stays,
    )


def notes(settings: Mapping[str, Any], unrestricted: Mapping[str, str]) -> list[str]:
    """What is said in a preview: each service that keeps the namespace from being `restricted`, and why."""
    if level(settings, unrestricted) == "restricted":
        return []
    return [
        f"kubernetes: {service} can't run under Pod Security restricted, so the namespace enforces baseline: {reason}"
        for service, reason in sorted(unrestricted.items())
    ]


def refusals(settings: Mapping[str, Any], unrestricted: Mapping[str, str]) -> list[str]:
    """Why the level that the settings ask for can't be had: such pods would be refused by the cluster, one by one."""
    if settings["podSecurity"] is not PodSecurity.RESTRICTED:
        return []
    return [
        f"supastack:kubernetes.podSecurity is restricted, under which {service} can't run: {reason}. "
        f"Turn the service off, or say auto or baseline."
        for service, reason in sorted(unrestricted.items())
    ]
