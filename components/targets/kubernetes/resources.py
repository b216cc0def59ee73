"""What the pods of a service are given: by profile, or by the settings of that service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.kubernetes_settings import Profile
from components.service import Service

_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class _Shares:
    """What a profile gives one service."""

    memory: int
    """Times the memory that the service needs: its limit."""
    set_aside: float
    """Share of that limit which is requested."""
    cpu: int
    """CPU that is requested, in thousandths of a core."""
    cpu_limit: int


# All chosen by us. Memory: a service's own figure is what it was seen to need with little load, so it is the limit of the smallest profile.
# What keeps data has all its memory set aside, since a pod above its request is the first to go when a node runs out of it; others come
# back at once, and share. CPU that is requested is what is left to a service on a full node, and what an autoscaler reckons by; the
# limit is far above it: it is there against runaways, and would otherwise slow down starts and bursts.
_SERVERS: Final = {
    Profile.SMALL: _Shares(1, 0.5, 25, 1000),
    Profile.MEDIUM: _Shares(2, 0.5, 100, 2000),
    Profile.LARGE: _Shares(4, 0.5, 250, 4000),
}
_KEEPERS: Final = {
    Profile.SMALL: _Shares(1, 1, 100, 2000),
    Profile.MEDIUM: _Shares(2, 1, 250, 4000),
    Profile.LARGE: _Shares(4, 1, 1000, 8000),
}
LOGS_MIB: Final = 256
"""What a container's logs may take on its node: kubelet keeps five files of 10 MiB by default, and what its writable layer holds."""
OPEN_MIB: Final = 2048
"""What is written into a root file system that is not read-only."""


def resources(service: Service, settings: Mapping[str, Any], scratch_mib: int) -> dict[str, Any]:
    """Requests and limits of a service's container.

    Args:
        service: Whose.
        settings: Of the target, completed.
        scratch_mib: What it may write outside its volumes, in MiB.
    """
    # What an operator runs has its data on volumes of the operator's own.
    keeps = service.kept or service.operated is not None
    own = {**service.resources.exact, **settings["resources"].get(service.name, {})}
    shares = (_KEEPERS if keeps else _SERVERS)[Profile(settings["profile"])]
    return _given(shares, service.resources.memory_mib, own, scratch_mib)


def by_profile(memory_mib: int, settings: Mapping[str, Any], scratch_mib: int) -> dict[str, Any]:
    """The same for a container that is no service of its own and keeps no data.

    Args:
        memory_mib: What it needs with little load, in MiB.
        settings: Of the target, completed.
        scratch_mib: What it may write outside its volumes, in MiB.
    """
    return _given(_SERVERS[Profile(settings["profile"])], memory_mib, {}, scratch_mib)


def _given(shares: _Shares, memory_mib: int, own: Mapping[str, Any], scratch_mib: int) -> dict[str, Any]:
    limit = own.get("memoryLimit", memory_mib * shares.memory * _MIB)
    request = own.get("memoryRequest", int(limit * shares.set_aside))
    cpu_limit = _thousandths(own["cpuLimit"]) if "cpuLimit" in own else shares.cpu_limit
    # A limit that is given may be below what the profile sets aside.
    cpu = _thousandths(own["cpuRequest"]) if "cpuRequest" in own else shares.cpu
    return {
        "limits": {
            "cpu": _cores(max(cpu, cpu_limit) if "cpuLimit" not in own else cpu_limit),
            "ephemeral-storage": quantity(scratch_mib * _MIB),
            "memory": quantity(max(limit, request) if "memoryLimit" not in own else limit),
        },
        "requests": {
            "cpu": _cores(min(cpu, cpu_limit) if "cpuLimit" in own else cpu),
            "ephemeral-storage": "64Mi",
            "memory": quantity(min(limit, request) if "memoryLimit" in own else request),
        },
    }


def _thousandths(cpu: str) -> int:
    return int(cpu[:-1]) if cpu.endswith("m") else round(float(cpu) * 1000)


def _cores(thousandths: int) -> str:
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def quantity(size: int) -> str:
    """Bytes as Kubernetes writes them: the largest unit that leaves a whole number, so that nothing is read back differently."""
    for unit, factor in (("Gi", 2**30), ("Mi", _MIB), ("Ki", 2**10)):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)
