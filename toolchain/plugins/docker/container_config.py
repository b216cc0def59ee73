"""A container's inputs as the Docker Engine API takes them (/containers/create, /networks/connect, /containers/update)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from .durations import parse_duration

MEGABYTE = 1024 * 1024
_NANO = 1_000_000_000

UPDATED_IN_PLACE = (
    "restart",
    "maxRetryCount",
    "cpuShares",
    "memory",
    "memoryReservation",
    "memorySwap",
    "cpuSet",
)
"""A change of these is carried out on the live container; every other field that does not replace is only remembered
(terraform-provider-docker, resource_docker_container_funcs.go: resourceDockerContainerUpdate)."""


def create_body(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a create request."""
    body = {
        "Image": inputs["image"],
        "Hostname": inputs.get("hostname"),
        "Domainname": inputs.get("domainname"),
        "User": inputs.get("user"),
        "WorkingDir": inputs.get("workingDir"),
        "Cmd": inputs.get("command"),
        "Entrypoint": inputs.get("entrypoints"),
        "Env": inputs.get("envs"),
        "Labels": labels(inputs),
        "Tty": inputs.get("tty"),
        "OpenStdin": inputs.get("stdinOpen"),
        "StopSignal": inputs.get("stopSignal"),
        "StopTimeout": inputs.get("stopTimeout"),
        "Healthcheck": _healthcheck(inputs.get("healthcheck")),
        "ExposedPorts": {_port_key(port): {} for port in inputs.get("ports") or []},
        "Volumes": {volume["containerPath"]: {} for volume in inputs.get("volumes") or []},
    }
    return {**_given(body), "HostConfig": _host_config(inputs)}


def labels(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Labels as a map."""
    return {item["label"]: item["value"] for item in inputs.get("labels") or []}


def endpoint(network: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoint settings of one entry of networksAdvanced."""
    addresses = _given({"IPv4Address": network.get("ipv4Address"), "IPv6Address": network.get("ipv6Address")})
    return {"Aliases": sorted(network.get("aliases") or []), "IPAMConfig": addresses}


def update_arguments(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the SDK's update_container for the fields that are updated in place."""
    return _given(
        {
            "restart_policy": _restart_policy(inputs),
            "cpu_shares": inputs.get("cpuShares"),
            "cpuset_cpus": inputs.get("cpuSet"),
            "mem_limit": _bytes(inputs.get("memory")),
            "mem_reservation": _bytes(inputs.get("memoryReservation")),
            "memswap_limit": _bytes(inputs.get("memorySwap")),
        }
    )


def _host_config(inputs: Mapping[str, Any]) -> dict[str, Any]:
    capabilities = inputs.get("capabilities") or {}
    config = {
        "NetworkMode": inputs.get("networkMode"),
        "PortBindings": _port_bindings(inputs),
        "PublishAllPorts": inputs.get("publishAllPorts"),
        "ExtraHosts": [f"{item['host']}:{item['ip']}" for item in inputs.get("hosts") or []],
        "Dns": inputs.get("dns"),
        "DnsOptions": inputs.get("dnsOpts"),
        "DnsSearch": inputs.get("dnsSearches"),
        "Binds": _binds(inputs),
        "Tmpfs": inputs.get("tmpfs"),
        "ReadonlyRootfs": inputs.get("readOnly"),
        "RestartPolicy": _restart_policy(inputs),
        "AutoRemove": inputs.get("rm"),
        "Privileged": inputs.get("privileged"),
        "CapAdd": capabilities.get("adds"),
        "CapDrop": capabilities.get("drops"),
        "SecurityOpt": inputs.get("securityOpts"),
        "GroupAdd": inputs.get("groupAdds"),
        "Sysctls": inputs.get("sysctls"),
        "IpcMode": inputs.get("ipcMode"),
        "PidMode": inputs.get("pidMode"),
        "Memory": _bytes(inputs.get("memory")),
        "MemoryReservation": _bytes(inputs.get("memoryReservation")),
        "MemorySwap": _bytes(inputs.get("memorySwap")),
        "ShmSize": _bytes(inputs.get("shmSize")),
        "CpuShares": inputs.get("cpuShares"),
        "CpusetCpus": inputs.get("cpuSet"),
        # `cpus` has precedence (pulumi_docker, container.py: cpus).
        "CpuPeriod": None if inputs.get("cpus") else inputs.get("cpuPeriod"),
        "CpuQuota": None if inputs.get("cpus") else inputs.get("cpuQuota"),
        "NanoCpus": int(Fraction(inputs["cpus"]) * _NANO) if inputs.get("cpus") else None,
        "Ulimits": [{"Name": item["name"], "Soft": item["soft"], "Hard": item["hard"]} for item in inputs.get("ulimits") or []],
        "LogConfig": {"Type": inputs.get("logDriver") or "", "Config": inputs.get("logOpts") or {}},
    }
    # The official plugin always says whether there is an init process, so the daemon's default never counts
    # (resource_docker_container_funcs.go).
    return {**_given(config), "Init": bool(inputs.get("init"))}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}


def _bytes(megabytes: int | None) -> int | None:
    """-1 (no limit) stays what it is."""
    return megabytes * MEGABYTE if megabytes is not None and megabytes > 0 else megabytes


def _restart_policy(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"Name": inputs.get("restart") or "no", "MaximumRetryCount": inputs.get("maxRetryCount") or 0}


def _healthcheck(healthcheck: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not healthcheck:
        return None
    return {
        "Test": healthcheck.get("tests") or [],
        "Interval": parse_duration(healthcheck.get("interval") or "0s"),
        "Timeout": parse_duration(healthcheck.get("timeout") or "0s"),
        "StartPeriod": parse_duration(healthcheck.get("startPeriod") or "0s"),
        "Retries": healthcheck.get("retries") or 0,
    }


def _port_key(port: Mapping[str, Any]) -> str:
    return f"{port['internal']}/{port.get('protocol') or 'tcp'}"


def _port_bindings(inputs: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in inputs.get("ports") or []:
        external = port.get("external")
        binding = {"HostIp": port.get("ip") or "", "HostPort": str(external) if external else ""}
        bindings.setdefault(_port_key(port), []).append(binding)
    return bindings


def _binds(inputs: Mapping[str, Any]) -> list[str]:
    """Volumes without a source are anonymous: Docker makes them from the `Volumes` of the body."""
    binds = []
    for volume in inputs.get("volumes") or []:
        source = volume.get("hostPath") or volume.get("volumeName")
        if source:
            binds.append(f"{source}:{volume['containerPath']}:{'ro' if volume.get('readOnly') else 'rw'}")
    return binds
