"""Docker: services become containers of one daemon.

The explicit provider and the foundation (stack id, network) are made for `__main__`; `place` is called by components.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.checks import Checks, Look
from components.encode import encode
from components.endpoints import Endpoint, Viewpoint
from components.fingerprint import fingerprint
from components.service import (
    Address,
    AddressPart,
    Gate,
    Kind,
    Logs,
    LogsPart,
    Secret,
    Service,
    Text,
    Volume,
    providers,
    start_order,
    text,
)
from components.targets import labels
from components.targets.placement import Placement, object_name, published_host
from components.unknowns import whatever_happened

# Changes that the official plugin would pass over silently: neither updated nor a reason to replace (kreuzwerker
# resource_docker_container_funcs.go, the update list).
_REPLACE_ON = ["healthcheck", "init", "tmpfs"]
_SOCKET = "/var/run/docker.sock"
"""Where the daemon's socket usually is, and where a service that collects logs finds it."""


def provider(host: str | None) -> docker.Provider:
    """The explicit provider; `host` None leaves DOCKER_HOST and the default socket to the plugin."""
    return docker.Provider("docker", host=host)


def network(project: str, stack: str, stack_id: pulumi.Input[str], provider: pulumi.ProviderResource) -> docker.Network:
    """The one network of a stack."""
    return docker.Network(
        "network",
        name=f"{project}-{stack}",
        labels=[
            docker.NetworkLabelArgs(label=label, value=value)
            for label, value in sorted(_labels(project, stack, stack_id).items())
        ],
        opts=pulumi.ResourceOptions(provider=provider, delete_before_replace=True),
    )


@dataclass(frozen=True)
class Placed:
    """What became of a component's services.

    Attributes:
        ready: Ids of the containers: whoever needs all of them to exist takes it as an input.
    """

    ready: pulumi.Output[list[str]]
    _endpoints: dict[tuple[str, Viewpoint], Endpoint]

    def endpoint(self, capability: str, viewpoint: Viewpoint = Viewpoint.HOST) -> Endpoint | None:
        """Where a capability is reached; None where no service that runs provides it for that viewpoint."""
        return self._endpoints.get((capability, viewpoint))


def _labels(project: str, stack: str, stack_id: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    return {labels.PROJECT: project, labels.STACK: stack, labels.STACK_ID: stack_id}


def endpoints(placement: Placement, services: Sequence[Service]) -> dict[tuple[str, Viewpoint], Endpoint]:
    """Where the services' capabilities are reached. Pure."""
    found: dict[tuple[str, Viewpoint], Endpoint] = {}
    host = published_host(placement)
    for capability, service in providers(services).items():
        port = service.port(service.provides[capability])
        found[capability, Viewpoint.INSIDE] = Endpoint(service.name, port.number)
        if port.publish is not None:
            found[capability, Viewpoint.HOST] = Endpoint(host, placement["ports"][port.publish])
    return found


class _Placing:
    """One component's services on their way to the daemon."""

    def __init__(
        self,
        component: pulumi.ComponentResource,
        name: str,
        placement: Placement,
        secrets: Mapping[str, pulumi.Output[str]],
        inside: Mapping[str, Endpoint],
    ) -> None:
        self.component = component
        self.name = name
        self.placement = placement
        self.secrets = secrets
        self.inside = inside
        self.volumes: dict[str, docker.Volume] = {}

    def labels(self, service: Service, **more: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
        p = self.placement
        return {
            **_labels(p["project"], p["stack"], p["stack_id"]),
            labels.COMPONENT: self.name,
            labels.SERVICE: service.name,
            **more,
        }

    def resolve(self, text: Text) -> pulumi.Input[str]:
        """The text with its references replaced: a plain string, or a secret output if a secret stands in it."""
        parts: list[pulumi.Input[str]] = []
        for part in text.parts:
            if isinstance(part, str):
                parts.append(part)
            elif isinstance(part, Address):
                parts.append(self.address(part))
            elif isinstance(part, Logs):
                parts.append(self.logs(part))
            else:
                parts.append(self.secret(part))
        if all(isinstance(p, str) for p in parts):
            return "".join(p for p in parts if isinstance(p, str))
        return pulumi.Output.concat(*parts)

    def logs(self, part: Logs) -> pulumi.Input[str]:
        """Containers by the stack's label: names are anybody's. The socket lies where Vector looks by itself."""
        if part.part is LogsPart.SERVICE:
            return f'.label."{labels.SERVICE}"'
        before, after = f'{{"include_labels": ["{labels.STACK_ID}=', '"], "type": "docker_logs"}'
        return pulumi.Output.concat(before, self.placement["stack_id"], after)

    def secret(self, part: Secret) -> pulumi.Output[str]:
        return self.secrets[part.name].apply(lambda value: encode(value, part.encoding))

    def address(self, part: Address) -> str:
        endpoint = self.inside[part.capability]
        match part.part:
            case AddressPart.HOST:
                return endpoint.host
            case AddressPart.PORT:
                return str(endpoint.port)
            case AddressPart.HOST_PORT:
                return str(endpoint)

    def volume(self, service: Service, volume: Volume) -> docker.Volume:
        wanted = self.labels(service)
        wanted[labels.PRECIOUS] = str(volume.precious).lower()
        wanted[labels.IDENTITY] = service.identity
        resource = f"{self.name}-{volume.name}"
        name = object_name(self.placement, self.name, volume.name)
        after = []
        if volume.paired_secret is not None:
            mark = paired_mark(self.secrets[volume.paired_secret], self.placement["stack_id"])
            wanted[labels.PAIRED_SECRET] = mark
            after.append(
                Checks(
                    f"{resource}-pair",
                    look=Look.PAIRED,
                    probe="components.targets.docker_probe",
                    parameters={
                        "host": self.placement.get("host"),
                        "volume": name,
                        "mark": mark,
                        "setting": volume.paired_setting,
                        "hint": volume.paired_hint,
                    },
                    opts=pulumi.ResourceOptions(parent=self.component),
                )
            )
        return docker.Volume(
            resource,
            name=name,
            labels=[docker.VolumeLabelArgs(label=k, value=v) for k, v in sorted(wanted.items())],
            opts=pulumi.ResourceOptions(
                parent=self.component,
                depends_on=after,
                protect=volume.precious,
                retain_on_delete=volume.precious,
                # A changed label would replace the volume: the data is worth more than the label.
                ignore_changes=["labels"],
            ),
        )

    @staticmethod
    def reads_logs(service: Service) -> bool:
        """Whether it gets the daemon's socket. A stub reads no logs, and whoever holds the socket holds the machine."""
        return service.collects_logs and service.image.kind != "stub"

    def security(self, service: Service) -> list[str] | None:
        """Security options; None: the daemon's own."""
        found = [] if service.gains_privileges else ["no-new-privileges:true"]
        # Where SELinux guards the socket, a container may read it only without a label of its own (supabase/cli#3150).
        return [*found, *(["label=disable"] if self.reads_logs(service) else [])] or None

    def mounted(self, service: Service) -> list[docker.ContainerVolumeArgs]:
        """Its own volumes, those that it shares, folders of the machine, and the daemon's socket where it collects logs."""
        own = [docker.ContainerVolumeArgs(container_path=v.path, volume_name=self.volumes[v.name].name) for v in service.volumes]
        shared = [
            docker.ContainerVolumeArgs(container_path=m.path, volume_name=self.volumes[m.volume].name, read_only=m.read_only)
            for m in service.mounts
        ]
        folders = [
            docker.ContainerVolumeArgs(container_path=f.path, host_path=f.source, read_only=f.read_only) for f in service.folders
        ]
        if self.reads_logs(service):
            socket = self.placement.get("socket", _SOCKET)
            folders.append(docker.ContainerVolumeArgs(container_path=_SOCKET, host_path=socket, read_only=True))
        return [*own, *shared, *folders]

    def container(self, service: Service, gates: Sequence[docker.Container], *, gates_others: bool) -> docker.Container:
        # The prefix of an image's name says where it comes from; a local one is never pulled.
        image = docker.RemoteImage(
            f"{self.name}-{service.name}-image",
            name=service.image.reference,
            keep_locally=True,
            opts=pulumi.ResourceOptions(parent=self.component),
        )
        job = service.kind is Kind.JOB
        p = self.placement
        # A stub knows neither the service's ports nor its command.
        stub = service.image.kind == "stub"
        env = {**service.env, **(_stub_env(service) if stub else {})}
        wanted = self.labels(service)
        wanted[labels.KIND] = service.kind.value
        wanted[labels.IMAGE_KIND] = service.image.kind
        wanted[labels.OPTIONAL] = str(service.optional).lower()
        return docker.Container(
            f"{self.name}-{service.name}",
            name=object_name(p, self.name, service.name),
            image=whatever_happened(image.image_id, service.image.reference),
            entrypoints=["stub"] if stub else list(service.entrypoint) or None,
            command=None if stub else list(service.command) or None,
            envs=[pulumi.Output.concat(k, "=", self.resolve(v)) for k, v in sorted(env.items())],
            uploads=[
                docker.ContainerUploadArgs(file=f.path, content=self.resolve(f.content), permissions=f"{f.mode:04o}")
                for f in service.files
            ],
            ports=[
                docker.ContainerPortArgs(
                    internal=port.number,
                    external=p["ports"][port.publish],
                    ip=p.get("bind_address", "127.0.0.1"),
                )
                for port in sorted(service.ports, key=lambda port: port.number)
                if port.publish is not None
            ],
            volumes=self.mounted(service),
            security_opts=self.security(service),
            networks_advanced=[
                docker.ContainerNetworksAdvancedArgs(name=p["network"], aliases=[service.name]),
            ],
            healthcheck=_health_check(service),
            labels=[docker.ContainerLabelArgs(label=k, value=v) for k, v in sorted(wanted.items())],
            restart="no" if job else "unless-stopped",
            must_run=not job,
            attach=job,
            # Most are watched by the health gate, all at once; this wait is only for those that another one needs ready.
            wait=gates_others and not job,
            wait_timeout=int(p.get("ready_within", 180)),  # Construct hands numbers over as floats
            memory=service.resources.memory_mib,
            memory_swap=service.resources.memory_mib,
            cpus=_cpus(service),
            shm_size=service.shm_mib,
            destroy_grace_seconds=service.stop_grace,
            stop_timeout=service.stop_grace,
            log_driver="json-file",
            log_opts={"max-file": "3", "max-size": "10m"},
            opts=pulumi.ResourceOptions(
                parent=self.component,
                depends_on=list(gates),
                # Name and ports are fixed: the old one must go first.
                delete_before_replace=True,
                replace_on_changes=_REPLACE_ON,
            ),
        )


def _cpus(service: Service) -> str | None:
    """How many CPUs it may use at once, as decimal; None: all."""
    given: str | None = service.resources.exact.get("cpuLimit")
    if given is None:
        return None
    return f"{int(given[:-1]) / 1000:g}" if given.endswith("m") else f"{float(given):g}"


def _stub_env(service: Service) -> dict[str, Text]:
    """What a stub must be told: its health check's port is among these."""
    return {
        "STUB_PORTS": text(",".join(str(port.number) for port in service.ports)),
        "STUB_SERVICE": text(service.name),
    }


def _health_check(service: Service) -> docker.ContainerHealthcheckArgs | None:
    """The health check; None: the image's own, if it has one."""
    health = service.health
    if health is None and service.kind is Kind.JOB:
        # A job that has ended would go on to tell how its image's check fared. The daemon takes figures that are 0 from the image
        # (moby, daemon/commit.go, merge), which a refresh would take for a change.
        return docker.ContainerHealthcheckArgs(tests=["NONE"], interval="1s", timeout="1s", retries=1, start_period="1s")
    if health is None:
        return None
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", *health.command],
        interval=_duration(health.interval),
        timeout=_duration(health.timeout),
        retries=health.retries,
        start_period=_duration(health.start_period),
    )


def _duration(seconds: int) -> str:
    """Seconds as Go writes them (`1m30s`): any other spelling is read back differently, and updated after every refresh."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return "".join((f"{hours}h" if hours else "", f"{minutes}m" if hours or minutes else "", f"{rest}s"))


def paired_mark(secret: pulumi.Input[str], stack_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """The label that pairs a volume with its password; a secret of state and preview: see `components.fingerprint`."""
    return pulumi.Output.all(secret, stack_id).apply(lambda a: fingerprint(a[0], a[1]))


def place(
    component: pulumi.ComponentResource,
    name: str,
    placement: Placement,
    services: Sequence[Service],
    secrets: Mapping[str, pulumi.Output[str]],
    elsewhere: Mapping[str, Endpoint] | None = None,
) -> Placed:
    """Places a component's services; the arguments are those of `components.placing.place`."""
    running = [service for service in services if not service.off]
    found = endpoints(placement, running)
    inside = {capability: endpoint for (capability, view), endpoint in found.items() if view is Viewpoint.INSIDE}
    placing = _Placing(component, name, placement, secrets, {**(elsewhere or {}), **inside})
    for service in services:
        for volume in service.volumes:
            placing.volumes[volume.name] = placing.volume(service, volume)
    order = list(start_order(running))
    awaited = {other.name for _, gates in order for other, gate in gates if gate is Gate.HEALTHY}
    containers: dict[str, docker.Container] = {}
    for service, gates in order:
        containers[service.name] = placing.container(
            service,
            [containers[other.name] for other, _ in gates],
            gates_others=service.name in awaited,
        )
    ready = pulumi.Output.all(*(c.id for c in containers.values())).apply(lambda ids: [str(i) for i in ids])
    return Placed(ready, found)
