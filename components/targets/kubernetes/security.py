"""What a pod may do: nothing but run as its own user, wherever its image allows that."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.service import Service
from components.targets.kubernetes.naming import Stack

# What an entrypoint needs that starts as root, hands its folders to another user and becomes that user. Level `baseline` allows these.
_STEP_DOWN: Final = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")


def starts_as_root(service: Service) -> str | None:
    """Why a service's pods can't be told their user; None where they can. A stub runs as any."""
    if service.image.kind == "stub":
        return None
    if Stack.reads_logs(service):
        return "it reads the logs of its node, which belong to root"
    if service.gains_privileges:
        return "it starts as root and becomes another user with sudo or the like"
    if service.image.user is None:
        return (
            f"the user id of its image {service.image.reference} is not known, so that it starts as the image's own, perhaps root"
        )
    return None


def unrestricted(services: Iterable[Service]) -> dict[str, str]:
    """Services of the stack's namespace that Pod Security's `restricted` would refuse, with the reason. Pure."""
    found = {s.name: starts_as_root(s) for s in services if not s.off and not Stack.reads_logs(s)}
    return {name: why for name, why in found.items() if why is not None}


def pod_context(service: Service, group: int | None) -> dict[str, Any]:
    """The pod's securityContext. `group` owns its volumes."""
    found: dict[str, Any] = {"seccompProfile": {"type": "RuntimeDefault"}}
    if starts_as_root(service) is None:
        found |= {"runAsNonRoot": True, "runAsUser": service.image.user}
    if group is not None:
        # Else each start of a pod goes through all files of its volumes.
        found |= {"fsGroup": group, "fsGroupChangePolicy": "OnRootMismatch"}
    return found


def container_context(service: Service) -> Mapping[str, Any]:
    """A container's securityContext."""
    as_root = starts_as_root(service) is not None
    found: dict[str, Any] = {
        "allowPrivilegeEscalation": service.gains_privileges and as_root,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": read_only(service),
    }
    if as_root and not Stack.reads_logs(service):
        found["capabilities"]["add"] = list(_STEP_DOWN)
    return found


def read_only(service: Service) -> bool:
    """Whether its root file system can't be written to: where it is known what it writes. A stub writes nothing."""
    return service.image.kind == "stub" or service.writable is not None
