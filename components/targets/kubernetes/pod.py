"""The pod of a service: what its Deployment, StatefulSet, DaemonSet or Job makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components import image_reference
from components.service import Kind, Service
from components.targets.kubernetes import environment, files, probes, pull_secret, resources, scaling, security, storage
from components.targets.kubernetes.naming import STACK_ID, Stack

_FAST_STOP: Final = 120
"""Seconds that a database gets to write everything out, at least. Its image names the signal of a fast stop, and kubelet sends that one."""
_STUB: Final = ("stub",)


@dataclass
class Parts:
    """What one service's pods are made of.

    Attributes:
        service: The service.
        environment: Of its container.
        files: In it.
        volumes: Of the pod, without those of files.
        annotations: That make pods roll.
    """

    service: Service
    environment: environment.Environment
    files: files.Files
    volumes: storage.Volumes
    annotations: Mapping[str, pulumi.Input[str]]


def version(service: Service) -> str:
    """The tag of its image; empty where there is none."""
    return image_reference.parse(service.image.reference).tag or ""


def pull_policy(service: Service) -> str:
    """A local image is in the cluster already, and in no registry."""
    if service.image.kind != "registry":
        return "Never"
    image = image_reference.parse(service.image.reference)
    return "Always" if image.tag in (None, "latest") and image.digest is None else "IfNotPresent"


def template(
    stack: Stack, component: str, parts: Parts, services: Sequence[Service], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """The pod template of a service.

    Args:
        stack: Whose it is.
        component: Name of the component.
        parts: What the pod is made of.
        services: All of the component: who has the volumes that this one mounts.
        settings: Of the target, completed.
    """
    service = parts.service
    away = Stack.reads_logs(service)
    spec: dict[str, Any] = {
        "automountServiceAccountToken": away,
        "containers": [_container(parts, settings)],
        "enableServiceLinks": False,
        "securityContext": security.pod_context(service, storage.group(service, services)),
        "serviceAccountName": service.name,
        "terminationGracePeriodSeconds": _grace(service) + service.drain,
        "volumes": [*parts.volumes.volumes, *files.volumes(service, parts.files), *(_LOGS if away else ())],
    }
    if parts.volumes.prepared[1]:
        spec["initContainers"] = [_preparing(parts, settings)]
    if service.kind is Kind.JOB:
        spec["restartPolicy"] = "Never"
    else:
        # With Docker its own name means itself, also before it is ready; a Service leads nowhere then.
        spec["hostAliases"] = [{"ip": "127.0.0.1", "hostnames": [service.name]}]
    spec |= {
        **pull_secret.references(settings),
        **scaling.scheduling(stack, service, settings),
        **_beside(stack, service, services),
    }
    return {
        "metadata": {
            "labels": {**service.labels, **stack.labels(component, service.name, version(service))},
            "annotations": {STACK_ID: stack.stack_id, **parts.annotations},
        },
        "spec": spec,
    }


# Where kubelet keeps the logs of all pods of its node, and where Vector looks (its reference, `kubernetes_logs`).
_LOGS_PATH: Final = "/var/log/pods"
_LOGS: Final = ({"name": "logs", "hostPath": {"path": _LOGS_PATH, "type": "Directory"}},)
_LOG_MOUNTS: Final = ({"name": "logs", "mountPath": _LOGS_PATH, "readOnly": True},)


def _grace(service: Service) -> int:
    return max(service.stop_grace, _FAST_STOP) if any(volume.owned for volume in service.volumes) else service.stop_grace


def _container(parts: Parts, settings: Mapping[str, Any]) -> dict[str, Any]:
    service = parts.service
    stub = service.image.kind == "stub"
    found: dict[str, Any] = {
        "name": service.name,
        "image": service.image.reference,
        "imagePullPolicy": pull_policy(service),
        "env": parts.environment.entries,
        "ports": [{"name": port.name, "containerPort": port.number, "protocol": "TCP"} for port in service.ports],
        "resources": _resources(parts, settings),
        "securityContext": security.container_context(service),
        "volumeMounts": [*parts.volumes.mounts, *parts.files.mounts, *(_LOG_MOUNTS if Stack.reads_logs(service) else ())],
        **probes.probes(service),
        **_stopping(service),
    }
    # A stub does not know the service's command.
    command, arguments = (_STUB, ()) if stub else (service.entrypoint, service.command)
    if command:
        found["command"] = [environment.literal(word) for word in command]
    if arguments:
        found["args"] = [environment.literal(word) for word in arguments]
    return {key: value for key, value in found.items() if value not in ([], ())}


def _stopping(service: Service) -> dict[str, Any]:
    """What a container does before it is told to stop: it goes on, so that who sends it requests can hear that it goes.

    By kubelet itself, so that the image needs no `sleep` (PodLifecycleSleepAction: on by default since Kubernetes 1.30).
    """
    return {"lifecycle": {"preStop": {"sleep": {"seconds": service.drain}}}} if service.drain else {}


def _resources(parts: Parts, settings: Mapping[str, Any]) -> dict[str, Any]:
    mib = parts.volumes.scratch_mib + resources.LOGS_MIB
    return resources.resources(parts.service, settings, mib if security.read_only(parts.service) else mib + resources.OPEN_MIB)


def _preparing(parts: Parts, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The container that prepares new claims, with the tools of the service's own image and as its user."""
    service = parts.service
    mounts, lines = parts.volumes.prepared
    return {
        "name": "volumes",
        "image": service.image.reference,
        "imagePullPolicy": pull_policy(service),
        "command": ["/bin/sh", "-eu", "-c", "\n".join(lines)],
        # The pod is given the larger of the two: no more for this one.
        "resources": _resources(parts, settings),
        "securityContext": security.container_context(service),
        "volumeMounts": mounts,
    }


def _beside(stack: Stack, service: Service, services: Sequence[Service]) -> dict[str, Any]:
    """A claim of one writer is for the pods of one node: who mounts another's goes where its owner is."""
    owners = [has for mount in service.mounts if (has := storage.owner(mount, services)) is not None]
    terms = [
        {"labelSelector": {"matchLabels": stack.selector(has.name)}, "topologyKey": "kubernetes.io/hostname"} for has in owners
    ]
    return {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}} if terms else {}
