"""The resource types this plugin knows, and the provider's own settings.

Fields, defaults, "replaces" and "computed" are from terraform-provider-docker, internal/provider/resource_docker_container.go,
_network.go, _volume.go and _image.go; the names from pulumi-docker 5.2.0's schema. A test holds these tables against the
installed pulumi_docker package, so that each field is either here or refused.
"""

from . import rules
from .fields import Field, Kind, ResourceType

LABELS = {"label": Field(Kind.STRING, required=True), "value": Field(Kind.STRING, required=True)}

NETWORK = ResourceType(
    "docker:index/network:Network",
    schema_version=1,
    fields={
        "name": Field(Kind.STRING, required=True, replaces=True, rule=rules.not_empty),
        "labels": Field(Kind.SET, LABELS, replaces=True),
        "driver": Field(Kind.STRING, computed=True, replaces=True),
        "options": Field(Kind.MAP, computed=True, replaces=True),
        "internal": Field(Kind.BOOL, computed=True, replaces=True),
        "attachable": Field(Kind.BOOL, replaces=True),
        "ingress": Field(Kind.BOOL, replaces=True),
        "ipv6": Field(Kind.BOOL, replaces=True),
        "ipamDriver": Field(Kind.STRING, default="default", replaces=True),
        "ipamOptions": Field(Kind.MAP, computed=True, replaces=True),
        "ipamConfigs": Field(
            Kind.SET,
            {
                "subnet": Field(Kind.STRING),
                "ipRange": Field(Kind.STRING),
                "gateway": Field(Kind.STRING),
                "auxAddress": Field(Kind.MAP),
            },
            computed=True,
            replaces=True,
        ),
        "scope": Field(Kind.STRING, output_only=True),
    },
)

VOLUME = ResourceType(
    "docker:index/volume:Volume",
    schema_version=1,
    fields={
        "name": Field(Kind.STRING, computed=True, replaces=True, rule=rules.not_empty),
        "labels": Field(Kind.SET, LABELS, replaces=True),
        "driver": Field(Kind.STRING, computed=True, replaces=True),
        "driverOpts": Field(Kind.MAP, replaces=True),
        "mountpoint": Field(Kind.STRING, output_only=True),
    },
    official_only=frozenset({"cluster"}),
)

IMAGE = ResourceType(
    "docker:index/remoteImage:RemoteImage",
    fields={
        "name": Field(Kind.STRING, required=True, replaces=True, rule=rules.not_empty),
        "keepLocally": Field(Kind.BOOL),
        "forceRemove": Field(Kind.BOOL),
        "platform": Field(Kind.STRING, replaces=True),
        "pullTriggers": Field(Kind.SET, Kind.STRING, replaces=True),
        "triggers": Field(Kind.MAP, replaces=True),
        "imageId": Field(Kind.STRING, output_only=True),
        "repoDigest": Field(Kind.STRING, output_only=True),
    },
    official_only=frozenset({"build"}),
    autonamed=False,
)

_NON_NEGATIVE = rules.at_least(0)

_PORTS = {
    "internal": Field(Kind.INT, required=True, rule=rules.port),
    "external": Field(Kind.INT, computed=True, rule=rules.port),
    "ip": Field(Kind.STRING, default="0.0.0.0"),
    "protocol": Field(Kind.STRING, default="tcp", rule=rules.one_of("tcp", "udp", "sctp")),
}
_VOLUMES = {
    "containerPath": Field(Kind.STRING),
    "hostPath": Field(Kind.STRING, rule=rules.absolute_path),
    "volumeName": Field(Kind.STRING),
    "readOnly": Field(Kind.BOOL),
}
_NETWORKS = {
    "name": Field(Kind.STRING, required=True),
    "aliases": Field(Kind.SET, Kind.STRING),
    "ipv4Address": Field(Kind.STRING),
    "ipv6Address": Field(Kind.STRING),
}
_UPLOADS = {
    "file": Field(Kind.STRING, required=True, rule=rules.not_empty),
    "content": Field(Kind.STRING),
    "contentBase64": Field(Kind.STRING, rule=rules.base64_text),
    "source": Field(Kind.STRING),
    "sourceHash": Field(Kind.STRING),
    "executable": Field(Kind.BOOL, default=False),
    "permissions": Field(Kind.STRING, rule=rules.octal_mode),
}
_HEALTHCHECK = {
    "tests": Field(Kind.LIST, Kind.STRING),
    "interval": Field(Kind.STRING, default="0s", rule=rules.duration),
    "timeout": Field(Kind.STRING, default="0s", rule=rules.duration),
    "startPeriod": Field(Kind.STRING, default="0s", rule=rules.duration),
    "retries": Field(Kind.INT, default=0, rule=_NON_NEGATIVE),
}
_ULIMITS = {
    "name": Field(Kind.STRING, required=True),
    "soft": Field(Kind.INT, required=True),
    "hard": Field(Kind.INT, required=True),
}
_NETWORK_DATA = {
    "networkName": Field(Kind.STRING),
    "ipAddress": Field(Kind.STRING),
    "ipPrefixLength": Field(Kind.INT),
    "gateway": Field(Kind.STRING),
    "globalIpv6Address": Field(Kind.STRING),
    "globalIpv6PrefixLength": Field(Kind.INT),
    "ipv6Gateway": Field(Kind.STRING),
    "macAddress": Field(Kind.STRING),
}

CONTAINER = ResourceType(
    "docker:index/container:Container",
    schema_version=2,
    fields={
        "name": Field(Kind.STRING, required=True, replaces=True, rule=rules.not_empty),
        "image": Field(Kind.STRING, required=True, replaces=True, rule=rules.not_empty),
        "command": Field(Kind.LIST, Kind.STRING, computed=True, replaces=True),
        "entrypoints": Field(Kind.LIST, Kind.STRING, computed=True, replaces=True),
        "envs": Field(Kind.SET, Kind.STRING, computed=True, replaces=True),
        "user": Field(Kind.STRING, replaces=True, empty_is_unset=True),
        "workingDir": Field(Kind.STRING, replaces=True, empty_is_unset=True),
        "hostname": Field(Kind.STRING, computed=True, replaces=True),
        "domainname": Field(Kind.STRING, replaces=True),
        "labels": Field(Kind.SET, LABELS, computed=True, replaces=True),
        "groupAdds": Field(Kind.SET, Kind.STRING, replaces=True),
        "tty": Field(Kind.BOOL, default=False, replaces=True),
        "stdinOpen": Field(Kind.BOOL, default=False, replaces=True),
        "stopSignal": Field(Kind.STRING, computed=True, replaces=True),
        "stopTimeout": Field(Kind.INT, computed=True, replaces=True, rule=_NON_NEGATIVE),
        # What becomes of it over time. None of these replaces: the container is left as it is and the new value is remembered.
        "rm": Field(Kind.BOOL, default=False),
        "start": Field(Kind.BOOL, default=True),
        "attach": Field(Kind.BOOL, default=False),
        "logs": Field(Kind.BOOL, default=False),
        "mustRun": Field(Kind.BOOL, default=True),
        "wait": Field(Kind.BOOL, default=False),
        "waitTimeout": Field(Kind.INT, default=60, rule=_NON_NEGATIVE),
        "containerReadRefreshTimeoutMilliseconds": Field(Kind.INT, default=15000, rule=_NON_NEGATIVE),
        "destroyGraceSeconds": Field(Kind.INT, rule=_NON_NEGATIVE),
        "removeVolumes": Field(Kind.BOOL, default=True),
        "healthcheck": Field(Kind.OBJECT, _HEALTHCHECK, computed=True),
        "tmpfs": Field(Kind.MAP),
        "init": Field(Kind.BOOL, computed=True),
        "cpuPeriod": Field(Kind.INT, rule=_NON_NEGATIVE),
        "cpuQuota": Field(Kind.INT, rule=_NON_NEGATIVE),
        # Updated in place (resource_docker_container_funcs.go, resourceDockerContainerUpdate).
        "restart": Field(Kind.STRING, default="no", rule=rules.one_of("no", "on-failure", "always", "unless-stopped")),
        "maxRetryCount": Field(Kind.INT),
        "memory": Field(Kind.INT, rule=_NON_NEGATIVE),
        "memorySwap": Field(Kind.INT, rule=rules.at_least(-1)),
        "memoryReservation": Field(Kind.INT, rule=_NON_NEGATIVE),
        "cpuShares": Field(Kind.INT, rule=_NON_NEGATIVE),
        "cpuSet": Field(Kind.STRING, rule=rules.cpu_set),
        # Resources, file systems and rights.
        "cpus": Field(Kind.STRING, replaces=True, rule=rules.cpus),
        "shmSize": Field(Kind.INT, computed=True, replaces=True, rule=_NON_NEGATIVE),
        "ulimits": Field(Kind.SET, _ULIMITS, replaces=True),
        "readOnly": Field(Kind.BOOL, default=False, replaces=True),
        "volumes": Field(Kind.SET, _VOLUMES, replaces=True),
        "uploads": Field(Kind.SET, _UPLOADS, replaces=True),
        "privileged": Field(Kind.BOOL, replaces=True),
        "securityOpts": Field(Kind.SET, Kind.STRING, computed=True, replaces=True),
        "capabilities": Field(
            Kind.OBJECT,
            {"adds": Field(Kind.SET, Kind.STRING), "drops": Field(Kind.SET, Kind.STRING)},
            replaces=True,
        ),
        "sysctls": Field(Kind.MAP, replaces=True),
        "ipcMode": Field(Kind.STRING, computed=True, replaces=True),
        "pidMode": Field(Kind.STRING, replaces=True),
        "logDriver": Field(Kind.STRING, computed=True, replaces=True),
        "logOpts": Field(Kind.MAP, replaces=True),
        # Network.
        "networkMode": Field(Kind.STRING, default="bridge", replaces=True),
        "networksAdvanced": Field(Kind.SET, _NETWORKS, replaces=True),
        "ports": Field(Kind.LIST, _PORTS, replaces=True),
        "publishAllPorts": Field(Kind.BOOL, replaces=True),
        "hosts": Field(
            Kind.SET,
            {"host": Field(Kind.STRING, required=True), "ip": Field(Kind.STRING, required=True)},
            replaces=True,
        ),
        "dns": Field(Kind.SET, Kind.STRING, replaces=True),
        "dnsOpts": Field(Kind.SET, Kind.STRING, replaces=True),
        "dnsSearches": Field(Kind.SET, Kind.STRING, replaces=True),
        # Read from the daemon.
        "bridge": Field(Kind.STRING, output_only=True),
        "containerLogs": Field(Kind.STRING, output_only=True, derives_from=("envs", "uploads", "command", "entrypoints")),
        "exitCode": Field(Kind.INT, output_only=True),
        "networkDatas": Field(Kind.LIST, _NETWORK_DATA, output_only=True),
    },
    official_only=frozenset(
        {
            "cgroupParent",
            "cgroupnsMode",
            "deviceCgroupRules",
            "deviceReadBps",
            "deviceReadIops",
            "deviceRequests",
            "deviceWriteBps",
            "deviceWriteIops",
            "devices",
            "gpus",
            "healthcheck.startInterval",
            "mounts",
            "networksAdvanced.driverOpts",
            "networksAdvanced.gwPriority",
            "networksAdvanced.linkLocalIps",
            "networksAdvanced.macAddress",
            "platform",
            "runtime",
            "storageOpts",
            "uploads.group",
            "uploads.owner",
            "usernsMode",
            "volumes.fromContainer",
            "volumes.selinuxRelabel",
        }
    ),
    # pulumi-docker, provider/resources.go: DeleteBeforeReplace of docker_container.
    delete_before_replace=True,
    rule=rules.container,
)

RESOURCE_TYPES = {kind.token: kind for kind in (NETWORK, VOLUME, IMAGE, CONTAINER)}


PROVIDER = ResourceType(
    "pulumi:providers:docker",
    fields={
        "host": Field(Kind.STRING),
        "context": Field(Kind.STRING),
        "disableDockerDaemonCheck": Field(Kind.BOOL),
    },
    official_only=frozenset({"caMaterial", "certMaterial", "certPath", "keyMaterial", "registryAuth", "sshOpts"}),
    autonamed=False,
)
