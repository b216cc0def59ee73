"""What the Kubernetes target's settings ask of services that can't give it: known only once the services are."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from components.kubernetes_settings import KubernetesSettings
from components.service import Kind, Service
from components.targets.kubernetes import folders, namespace, security
from components.targets.kubernetes.scaling import may_be_many


def problems(settings: KubernetesSettings, services: Iterable[Service], project: str) -> Iterator[str]:
    """What is asked for and can't be had, one line each: the setting, why, and what to do.

    Args:
        settings: Of the target, completed.
        services: Those that run.
        project: Whose settings they are, for their names.
    """
    placed = {service.name: service for service in services}
    yield from namespace.refusals(settings, security.unrestricted(placed.values()))
    yield from folders.problems(placed.values())
    given: Mapping[str, Any] = settings
    counts = {
        **{name: ("replicas", count) for name, count in given["replicas"].items()},
        **{name: ("autoscaling", wanted["maxReplicas"]) for name, wanted in given["autoscaling"].items()},
    }
    for name, (setting, count) in sorted(counts.items()):
        key = f"{project}:kubernetes.{setting}.{name}"
        if name not in placed:
            yield _absent(key, name)
        elif (why := _single(placed[name])) is not None and (count > 1 or setting == "autoscaling"):
            yield f"{key} = {count}: {why}. Remove it."
    for setting in ("resources", "volumeSizes"):
        for name in sorted(given[setting]):
            key = f"{project}:kubernetes.{setting}.{name}"
            if name not in placed:
                yield _absent(key, name)
            elif setting == "volumeSizes" and not placed[name].kept:
                yield f"{key}: {name} keeps no data on a volume. Remove it."


def _absent(key: str, name: str) -> str:
    return f"{key}: {name} does not run in this stack. Turn it on, or remove the setting."


def _single(service: Service) -> str | None:
    """Why there can be only one pod of a service; None where there can be more."""
    if may_be_many(service):
        return None
    if service.kind is Kind.JOB:
        return f"{service.name} runs once, to its end"
    if service.kept:
        volumes = ", ".join(volume.name for volume in service.kept)
        return f"{service.name} keeps data on a volume ({volumes}) that one pod alone can have (ReadWriteOnce)"
    if service.mounts:
        return f"{service.name} reads the volume of another service, which only pods of one machine can have (ReadWriteOnce)"
    return f"{service.name} can't run more than once side by side"


def notes(settings: KubernetesSettings, services: Iterable[Service]) -> list[str]:
    """What is not as hardened as it could be, for people. Pure."""
    return namespace.notes(settings, security.unrestricted(services))
