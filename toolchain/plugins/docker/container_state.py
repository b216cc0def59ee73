"""What Read makes of `docker inspect` for a container."""

from collections.abc import Mapping
from typing import Any

from .container_config import MEGABYTE
from .durations import format_duration


def read_back(inspected: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The container's properties: `known` (its inputs, or its last state), overlaid with what the official plugin reads.

    Environment, labels, volumes, uploads and networksAdvanced are not read back, so a drift in them is not seen
    (terraform-provider-docker, resource_docker_container_funcs.go: resourceDockerContainerRead).
    """
    config, host = inspected["Config"], inspected["HostConfig"]
    state = dict(known)
    state.update(
        {
            "name": inspected["Name"].lstrip("/"),
            "image": _image(inspected, known),
            "hostname": config.get("Hostname") or "",
            "domainname": config.get("Domainname") or "",
            "command": config.get("Cmd") or [],
            "entrypoints": config.get("Entrypoint") or [],
            "user": config.get("User") or "",
            "workingDir": config.get("WorkingDir") or "",
            "tty": bool(config.get("Tty")),
            "stdinOpen": bool(config.get("OpenStdin")),
            "stopSignal": config.get("StopSignal") or "",
            "stopTimeout": config.get("StopTimeout") or 0,
            "rm": bool(host.get("AutoRemove")),
            "readOnly": bool(host.get("ReadonlyRootfs")),
            "dns": host.get("Dns") or [],
            "dnsOpts": host.get("DnsOptions") or [],
            "dnsSearches": host.get("DnsSearch") or [],
            "securityOpts": host.get("SecurityOpt") or [],
            "publishAllPorts": bool(host.get("PublishAllPorts")),
            "restart": host["RestartPolicy"].get("Name") or "no",
            "maxRetryCount": host["RestartPolicy"].get("MaximumRetryCount") or 0,
            "init": bool(host.get("Init")),
            "tmpfs": host.get("Tmpfs") or {},
            "hosts": [_host(item) for item in host.get("ExtraHosts") or []],
            "ulimits": [{"name": item["Name"], "soft": item["Soft"], "hard": item["Hard"]} for item in host.get("Ulimits") or []],
            "privileged": bool(host.get("Privileged")),
            "memory": (host.get("Memory") or 0) // MEGABYTE,
            "memorySwap": _megabytes(host.get("MemorySwap") or 0),
            "shmSize": (host.get("ShmSize") or 0) // MEGABYTE,
            "cpuShares": host.get("CpuShares") or 0,
            "cpuSet": host.get("CpusetCpus") or "",
            "logDriver": host["LogConfig"].get("Type") or "",
            "logOpts": host["LogConfig"].get("Config") or {},
            "networkMode": host.get("NetworkMode") or "",
            "pidMode": host.get("PidMode") or "",
            "ipcMode": host.get("IpcMode") or "",
            "sysctls": host.get("Sysctls") or {},
            "groupAdds": host.get("GroupAdd") or [],
        }
    )
    if host.get("CapAdd") or host.get("CapDrop"):
        state["capabilities"] = {"adds": host.get("CapAdd") or [], "drops": host.get("CapDrop") or []}
    if config.get("Healthcheck"):
        state["healthcheck"] = _healthcheck(config["Healthcheck"])
    state.update(run_state(inspected, known))
    return state


def run_state(inspected: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """What changes when a container starts or stops: addresses, published ports, exit code, and `mustRun`.

    A stopped container that must run is told by mustRun=false: the difference makes the next update start it
    (terraform-provider-docker 4.x, pull request 841). Its ports stay as they were (pull request 842).
    """
    network = inspected["NetworkSettings"]
    state: dict[str, Any] = {"bridge": network.get("Bridge") or "", "networkDatas": _networks(network)}
    if inspected["State"]["Running"]:
        state["ports"] = _ports(network.get("Ports") or {})
    else:
        state["exitCode"] = inspected["State"]["ExitCode"]
        if known.get("mustRun", True) and known.get("start", True):
            state["mustRun"] = False
    return state


def _image(inspected: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """The spelling the program uses: the id where it gave one, the name where it gave that."""
    by_id = str(known.get("image", "")).startswith("sha256:")
    return str(inspected["Image"] if by_id else inspected["Config"]["Image"])


def _host(text: str) -> dict[str, str]:
    host, _, address = text.partition(":")
    return {"host": host, "ip": address}


def _megabytes(number: int) -> int:
    return number // MEGABYTE if number > 0 else number


def _healthcheck(healthcheck: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tests": healthcheck.get("Test") or [],
        "interval": format_duration(healthcheck.get("Interval") or 0),
        "timeout": format_duration(healthcheck.get("Timeout") or 0),
        "startPeriod": format_duration(healthcheck.get("StartPeriod") or 0),
        "retries": healthcheck.get("Retries") or 0,
    }


def _ports(ports: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Sorted by the port inside (resource_docker_container_structures.go: flattenContainerPorts)."""
    found = [
        {
            "internal": int(key.partition("/")[0]),
            "external": int(binding["HostPort"]),
            "ip": binding["HostIp"],
            "protocol": key.partition("/")[2],
        }
        for key, bindings in ports.items()
        for binding in bindings or []
    ]
    return sorted(found, key=lambda port: (port["internal"], port["protocol"]))


def _networks(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "networkName": name,
            "ipAddress": network.get("IPAddress") or "",
            "ipPrefixLength": network.get("IPPrefixLen") or 0,
            "gateway": network.get("Gateway") or "",
            "globalIpv6Address": network.get("GlobalIPv6Address") or "",
            "globalIpv6PrefixLength": network.get("GlobalIPv6PrefixLen") or 0,
            "ipv6Gateway": network.get("IPv6Gateway") or "",
            "macAddress": network.get("MacAddress") or "",
        }
        for name, network in sorted((settings.get("Networks") or {}).items())
    ]
