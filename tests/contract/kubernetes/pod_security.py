"""What Pod Security's levels forbid in a pod, written from the Pod Security Standards of Kubernetes (levels `baseline` and `restricted`).

Whether it is written right is held against the cases that Kubernetes' own admission is tested with (test_pod_security.py).
"""

_BASELINE_CAPABILITIES = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
_SELINUX_TYPES = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
_RESTRICTED_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def violations(level, spec, annotations=None):
    """What of a pod's spec a level forbids: empty where nothing is."""
    if level == "privileged":
        return []
    found = [*_baseline(spec, annotations or {})]
    return [*found, *_restricted(spec)] if level == "restricted" else found


def containers(spec):
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(kind) or ()


def _contexts(spec):
    """(where, security context) of the pod and of each container."""
    yield "the pod", spec.get("securityContext") or {}
    for container in containers(spec):
        yield container["name"], container.get("securityContext") or {}


def _baseline(spec, annotations):
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield f"{field} is on"
    for volume in spec.get("volumes") or ():
        if "hostPath" in volume:
            yield f"volume {volume['name']} is a folder of the node"
    for sysctl in (spec.get("securityContext") or {}).get("sysctls") or ():
        if sysctl["name"] not in _SYSCTLS:
            yield f"sysctl {sysctl['name']}"
    for key, value in annotations.items():
        if key.startswith(_APPARMOR) and not (value in ("", "runtime/default") or value.startswith("localhost/")):
            yield f"{key}: {value}"
    for where, context in _contexts(spec):
        if (context.get("windowsOptions") or {}).get("hostProcess"):
            yield f"{where} is a process of the host"
        if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
            yield f"{where} has no AppArmor"
        if (context.get("seccompProfile") or {}).get("type") == "Unconfined":
            yield f"{where} has no seccomp"
        selinux = context.get("seLinuxOptions") or {}
        if selinux.get("type") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
            yield f"{where} chooses its SELinux type, user or role"
        if context.get("privileged"):
            yield f"{where} is privileged"
        if context.get("procMount", "Default") != "Default":
            yield f"{where} sees more of /proc"
        if extra := set((context.get("capabilities") or {}).get("add") or ()) - _BASELINE_CAPABILITIES:
            yield f"{where} adds {sorted(extra)}"
    for container in containers(spec):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield f"{container['name']} takes port {port['hostPort']} of the node"
        for hook in _hooks(container):
            if any((hook.get(how) or {}).get("host") for how in ("httpGet", "tcpSocket")):
                yield f"a probe or hook of {container['name']} asks another host"


def _hooks(container):
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield container.get(probe) or {}
    for hook in ("postStart", "preStop"):
        yield (container.get("lifecycle") or {}).get(hook) or {}


def _restricted(spec):
    for volume in spec.get("volumes") or ():
        if extra := set(volume) - {"name"} - _RESTRICTED_VOLUMES:
            yield f"volume {volume['name']} is of the kind {sorted(extra)}"
    pod = spec.get("securityContext") or {}
    if pod.get("runAsUser") == 0:
        yield "the pod runs as root"
    windows = (spec.get("os") or {}).get("name") == "windows"
    for container in containers(spec):
        name, context = container["name"], container.get("securityContext") or {}
        if context.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
            yield f"{name} may run as root"
        if context.get("runAsUser") == 0:
            yield f"{name} runs as root"
        if windows:
            continue
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{name} may gain privileges"
        if (context.get("seccompProfile") or pod.get("seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{name} has no seccomp profile"
        capabilities = context.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or ()):
            yield f"{name} keeps capabilities"
        if extra := set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}:
            yield f"{name} adds {sorted(extra)}"
