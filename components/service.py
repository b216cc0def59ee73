"""What one service is, as plain data.

A `Service` can be printed, compared and tested without an engine. It knows no Pulumi resource, no Output and no target: the
target that places it resolves the symbolic references in its texts (`Secret`, `Address`) where they stand.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Any

from components.operated import Operated


class Kind(StrEnum):
    """How long a service runs."""

    SERVER = "server"
    """Runs until it is stopped."""
    JOB = "job"
    """Runs to its end; its exit code counts."""


class Gate(StrEnum):
    """What must be true of the other end of an edge before a service starts."""

    NONE = "none"
    """Nothing: the service retries by itself."""
    STARTED = "started"
    """The other one has been started (a job: has ended well)."""
    HEALTHY = "healthy"
    """The other one's health check passes."""


class Encoding(StrEnum):
    """How a value is written where it stands."""

    RAW = "raw"
    URL = "url"
    """Percent-encoded, nothing left unescaped but unreserved characters (RFC 3986, 2.3)."""
    JSON = "json"
    """A JSON string with its quotes, which is a YAML double-quoted scalar as well."""
    SQL = "sql"
    """An SQL string literal with its quotes (standard_conforming_strings on)."""


@dataclass(frozen=True, slots=True)
class Secret:
    """The value of a secret of the component, by its name."""

    name: str
    encoding: Encoding = Encoding.RAW


class AddressPart(StrEnum):
    """Which part of an endpoint is meant."""

    HOST = "host"
    PORT = "port"
    HOST_PORT = "host:port"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a capability is reached from inside the stack."""

    capability: str
    part: AddressPart = AddressPart.HOST_PORT


class LogsPart(StrEnum):
    """What a log collector must be told of its source."""

    SOURCE = "source"
    """The source itself: the logs of all services of this stack and of no other, as Vector's configuration writes it (JSON)."""
    SERVICE = "service"
    """Where an event of that source names the service it is from, as a path in Vector's remap language."""


@dataclass(frozen=True, slots=True)
class Logs:
    """What the target gives a service that collects logs. In terms of Vector, the one collector there is."""

    part: LogsPart


Part = str | Secret | Address | Logs


@dataclass(frozen=True, slots=True)
class Text:
    """A text with symbolic references in it."""

    parts: tuple[Part, ...]

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the secrets that stand in it."""
        return frozenset(p.name for p in self.parts if isinstance(p, Secret))

    @property
    def capabilities(self) -> frozenset[str]:
        """Names of the capabilities whose address stands in it."""
        return frozenset(p.capability for p in self.parts if isinstance(p, Address))


def text(*parts: Part) -> Text:
    """A `Text` of the given parts."""
    return Text(tuple(parts))


@dataclass(frozen=True, slots=True)
class Image:
    """What a service runs, resolved from the release and the settings."""

    role: str
    """Its name in the release files."""
    reference: str
    """Full reference, `registry/name:tag` or `name@sha256:…`."""
    kind: str = "registry"
    """`registry`, `local` (built on this machine) or `stub` (answers health checks only)."""
    note: str = ""
    """What a local image can't do, for people."""
    user: int | None = None
    """User id that it can run as, where a source names it; None: not known, it starts as its own."""


@dataclass(frozen=True, slots=True)
class Port:
    """A TCP port a service listens on."""

    name: str
    number: int
    publish: str | None = None
    """Name in the port plan under which it is published on the host; None: only inside the stack."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A folder that outlives its container."""

    name: str
    """Unique in its component, and without the engine in it: another engine must meet the same volume, and be refused."""
    path: str
    precious: bool
    """Precious volumes are protected, and kept when the stack goes."""
    paired_secret: str | None = None
    """The secret that the data was initialised with and that the server keeps in it: the two belong together."""
    paired_setting: str | None = None
    """The secret setting by which a user gives that secret back."""
    paired_hint: str = ""
    """What else may have changed that secret, as the end of a sentence: what to do about it. Plain text, for people."""
    login_secret: str | None = None
    """The generated secret of a login by which a job gives the server another paired secret: then that may change. None: it may not."""
    size_mib: int = 8192
    """Size in MiB, where a target must name one and the settings don't. Chosen by us."""
    owned: bool = False
    """Its server wants the folder to belong to its own user, and to itself alone: a database's."""
    filled: bool = False
    """The image has files in that folder, which must be on a new volume before the service starts."""
    idle: bool = False
    """The service does not use it as it is set up now; it is there for what was kept on it before."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume of another service of the component, that this one sees too."""

    volume: str
    """Its name there."""
    path: str
    read_only: bool = True


@dataclass(frozen=True, slots=True)
class HostFolder:
    """A folder of the machine that the stack is run from; where the target is another machine, the target says what it does."""

    source: str
    """Absolute path on the machine."""
    path: str
    read_only: bool = True
    setting: str = ""
    """The setting that names it, as `supabase.functions.folder`: for whoever finds it missing."""


@dataclass(frozen=True, slots=True)
class File:
    """A file placed into the service before it starts; its folder keeps what the image put there."""

    path: str
    content: Text
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Health:
    """The health check, run inside the service."""

    command: tuple[str, ...]
    """Arguments, no shell."""
    interval: int = 5
    """Seconds between two checks."""
    timeout: int = 5
    """Seconds after which a check counts as failed."""
    retries: int = 10
    """Failures in a row after which the service counts as unhealthy."""
    start_period: int = 0
    """Seconds at the beginning in which failures do not count."""


@dataclass(frozen=True, slots=True)
class HttpHealth:
    """A health check by HTTP that is asked from outside the container: nothing in the image is needed for it."""

    port: str
    """Name of the service's port."""
    path: str
    """200 to 399 is well."""
    interval: int = 3
    """Seconds between two checks."""
    timeout: int = 3
    """Seconds after which a check counts as failed."""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """Where a secret variable of a service is kept, on a target that has objects for secrets."""

    secret: str
    """Name of the object."""
    key: str
    existing: bool = False
    """Whether it is there already, and somebody else's: the service has no text for the variable then."""


@dataclass(frozen=True, slots=True)
class Autoscaled:
    """A service whose number follows its load."""

    maximum: int
    cpu_percent: int
    """Share of the requested CPU at which there is one more."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection that the service opens to a capability; all edges together are the allowed connections."""

    capability: str
    gate: Gate = Gate.NONE


@dataclass(frozen=True, slots=True)
class Resources:
    """What a service may use."""

    memory_mib: int
    """Memory limit in MiB; the service is ended by the kernel above it."""
    exact: Mapping[str, Any] = field(default_factory=dict)
    """What its own settings say (`components.kubernetes_settings.PodResources`, sizes in bytes), in place of a profile's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """One service of a component.

    Attributes:
        name: Unique in its component; its host name inside the stack.
        provides: Capabilities, by name, with the name of the port that each is reached at.
        identity: What data volumes were written by (`components.identity`): over a kept volume it must not change.
    """

    name: str
    image: Image
    resources: Resources
    kind: Kind = Kind.SERVER
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: Mapping[str, Text] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    ports: tuple[Port, ...] = ()
    volumes: tuple[Volume, ...] = ()
    health: Health | None = None
    mounts: tuple[Mount, ...] = ()
    folders: tuple[HostFolder, ...] = ()
    connects: tuple[Edge, ...] = ()
    outside: tuple[str, ...] = ()
    """What it talks to outside the stack, for the network policy and the picture: `smtp`, `oauth`, `webhooks`, `s3` ..."""
    provides: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""
    optional: bool = False
    """Nothing else needs it to work: a deployment says that it is not well, and goes on."""
    replicable: bool = False
    """More than one of it can run side by side."""
    writable: tuple[str, ...] | None = ()
    """Folders outside its volumes, and beside /tmp, that it writes to; what it leaves there is lost with it. None: not known."""
    gains_privileges: bool = False
    """It starts as root and changes to another user with sudo or the like, so that can't be forbidden."""
    collects_logs: bool = False
    """It reads the logs of all services of the stack: the target gives the source."""
    off: bool = False
    """Turned off: only its volumes are placed, so that the data and the passwords stay."""
    after: tuple[str, ...] = ()
    """Jobs of the component that must have ended well before it starts."""
    operated: Operated | None = None
    """What an operator of the target is told that runs it; None: the target runs it as it runs all others."""
    stop_grace: int = 10
    """Seconds from the stop signal to the kill."""
    drain: int = 0
    """Seconds that it goes on serving once it is to stop, before the signal: so long those who send it requests may take to hear of it."""
    start_within: int | None = None
    """Seconds that a deployment waits for all of it, where its own settings say so."""
    http_health: HttpHealth | None = None
    """In place of `health`."""
    secret_keys: Mapping[str, SecretKey] = field(default_factory=dict)
    """Where secret variables are kept that have a place of their own, by variable."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Further labels of its own."""
    replicas: int | None = None
    """How many of it run side by side, where its own settings say so; None: the target's do."""
    autoscaled: Autoscaled | None = None
    """Its number follows its load, from `replicas` on."""
    host: str | None = None
    """Public name under which clients outside reach its first port; None: they do not."""
    tls_secret: str | None = None
    """Object with the certificate of that name, on a target that has such."""
    shm_mib: int | None = None
    """Size of /dev/shm in MiB; None: the target's default (Docker: 64)."""

    @property
    def secrets(self) -> frozenset[str]:
        """Names of all secrets that it uses."""
        texts: Iterable[Text] = (*self.env.values(), *(f.content for f in self.files))
        used = frozenset(n for t in texts for n in t.secrets)
        told = self.operated.secrets if self.operated is not None else frozenset[str]()
        return used | told | {n for v in self.volumes for n in (v.paired_secret, v.login_secret) if n}

    @property
    def kept(self) -> tuple[Volume, ...]:
        """Its volumes with data that must stay, those that it uses as it is set up now: one process alone can write to them."""
        return tuple(volume for volume in self.volumes if volume.precious and not volume.idle)

    def port(self, name: str) -> Port:
        """The port of that name.

        Raises:
            KeyError: there is none.
        """
        for port in self.ports:
            if port.name == name:
                return port
        raise KeyError(f"service {self.name} has no port {name!r}")


class ServiceGraphError(ValueError):
    """Services that do not fit together: a defect of the program, found before anything is placed."""


def providers(services: Iterable[Service]) -> dict[str, Service]:
    """Which service provides which capability.

    Raises:
        ServiceGraphError: two provide the same one, or two have the same name.
    """
    found: dict[str, Service] = {}
    names: set[str] = set()
    for service in services:
        if service.name in names:
            raise ServiceGraphError(f"two services are named {service.name}")
        names.add(service.name)
        for capability in service.provides:
            if capability in found:
                raise ServiceGraphError(f"{found[capability].name} and {service.name} both provide {capability}")
            found[capability] = service
    return found


def unprovided(services: Iterable[Service], elsewhere: Iterable[str] = ()) -> Iterator[tuple[Service, str]]:
    """Services that are told the address of a capability that neither they nor others (`elsewhere`) provide, with it."""
    services = tuple(services)
    there = {*providers(services), *elsewhere}
    for service in services:
        texts: Iterable[Text] = (*service.env.values(), *(f.content for f in service.files))
        for capability in sorted({c for t in texts for c in t.capabilities} - there):
            yield service, capability


def start_order(services: Iterable[Service]) -> Iterator[tuple[Service, tuple[tuple[Service, Gate], ...]]]:
    """Services in an order in which each comes after all that gate it, with those and their gates.

    A gate on a capability that none of them provides is an endpoint given from outside, which nothing here can wait for.

    Raises:
        ServiceGraphError: the gates form a circle, or a health gate points at a server that has no health check.
    """
    services = tuple(services)
    by_capability = providers(services)
    by_name = {s.name: s for s in services}
    gates: dict[str, list[tuple[Service, Gate]]] = {s.name: [] for s in services}
    for service in services:
        for edge in service.connects:
            other = by_capability.get(edge.capability)
            if other is None or edge.gate is Gate.NONE:
                continue
            if edge.gate is Gate.HEALTHY and other.kind is Kind.SERVER and other.health is None:
                raise ServiceGraphError(f"{service.name} waits for {other.name} to be healthy, which has no health check")
            gates[service.name].append((other, edge.gate))
        gates[service.name] += [(by_name[job], Gate.STARTED) for job in service.after if job in by_name]
    sorter = TopologicalSorter({name: [o.name for o, _ in others] for name, others in gates.items()})
    try:
        order = list(sorter.static_order())
    except CycleError as e:
        raise ServiceGraphError(f"these services gate each other in a circle: {' -> '.join(e.args[1])}") from e
    for name in order:
        yield by_name[name], tuple(gates[name])
