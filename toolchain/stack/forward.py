"""`make forward`: the ports of a stack in a cluster, opened on this machine until Ctrl-C.

Each connection goes by the API's port forwarding to a pod of the service that is ready just then, so a pod that is replaced costs the
connections it had and no more. The protocol is the kubelet's WebSocket one (Kubernetes, "portforward": channel 0 carries the port's
bytes, channel 1 its errors; the first message of each is the port's number).
"""

import base64
import contextlib
import re
import signal
import socket
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from toolchain.announce import fail, note
from toolchain.context import Context
from toolchain.plugins.common.errors import UserError
from toolchain.plugins.kubernetes import client, kubeconfig
from toolchain.setup.folders import write_private
from toolchain.stack import cluster_access, describe
from toolchain.stack.cluster_access import NAME, POOLER, Access, Place
from toolchain.stack.config import config_file
from toolchain.stack.describe import Cluster, Forward
from toolchain.stack.websocket import Closed, WebSocket

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERRORS = 0, 1
_CONNECT_SECONDS = 15.0
_PIECE = 32768
STANDBYS = "-ro"
"""How the name of a server's standbys ends (CloudNativePG, "Service management")."""

_URLS = {
    "api": ("API_URL", "http://{at}"),
    "studio": ("STUDIO_URL", "http://{at}"),
    "mailWeb": ("MAILPIT_URL", "http://{at}"),
    "postgres": ("DB_URL", "{at}"),
    "poolerTransaction": ("POOLER_URL", "{at}"),
    "poolerSession": ("POOLER_SESSION_URL", "{at}"),
    "cache": ("REDIS_URL", "{at}"),
    "objectStore": ("S3_ENDPOINT", "http://{at}"),
    "plainPostgres": ("PLAIN_DB_URL", "{at}"),
    "pgbouncer": ("PGBOUNCER_URL", "{at}"),
    "redisCommander": ("REDIS_COMMANDER_URL", "http://{at}"),
}
"""The output that each port's URL stands in."""


@dataclass(frozen=True)
class Opened:
    """A port that is open here."""

    forward: Forward
    listener: socket.socket


def forward(context: Context) -> int:
    """Open the ports, print where they are, and wait for Ctrl-C. Returns the exit code. Raises ToolchainError."""
    # However it is ended, the files with secrets that are there only as long as it runs must go.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    description = describe.finish(describe.start(context, config_file(context)))
    cluster = description.cluster
    if description.target == "managed":
        fail(f"stack {context.stack} runs nothing, so there is no port to open: what others run is reached as `make status` says")
    if cluster is None:
        fail(
            f"stack {context.stack} is on {description.target}, whose ports are open on this machine already: `make status` says where"
        )
    place = Place(cluster.kubeconfig, cluster.context, cluster.namespace)
    with cluster_access.connect(place) as access:
        tunnel = Tunnel(access, cluster_access.instance_of(context))
        wanted = [f for f in cluster.forwards if tunnel.pod(f.service) is not None]
        absent = sorted({f.service for f in cluster.forwards} - {f.service for f in wanted})
        if not wanted:
            fail(
                f"no pod of stack {context.stack} is ready in namespace {cluster.namespace}: `make up` or `make status` tells more"
            )
        opened = _open(cluster.bind, wanted)
        try:
            for one in opened:
                threading.Thread(target=_serve, args=(tunnel, one), daemon=True).start()
            print("\n".join(_lines(cluster.bind, wanted)), flush=True)
            if absent:
                note(f"not ready, so not open: {', '.join(absent)}")
            with forwarded_files(description.env_files, cluster) as files:
                for file in files:
                    note(f"for an app on this machine, as long as this runs: {file}")
                note("Ctrl-C ends it")
                threading.Event().wait()
        except KeyboardInterrupt:
            pass
        finally:
            for one in opened:
                one.listener.close()
    return 0


@contextlib.contextmanager
def opened_anywhere(access: Access, instance: str, cluster: Cluster) -> Iterator[Cluster]:
    """Every port of a stack that a pod is ready for, open on this machine at whatever port is free: the cluster with these.

    `instance`: the label of the stack's objects.
    """
    tunnel = Tunnel(access, instance)
    wanted = [replace(f, local=0) for f in cluster.forwards if tunnel.pod(f.service) is not None]
    opened = _open("127.0.0.1", wanted)
    try:
        for one in opened:
            threading.Thread(target=_serve, args=(tunnel, one), daemon=True).start()
        here = tuple(replace(one.forward, local=one.listener.getsockname()[1]) for one in opened)
        yield replace(cluster, bind="127.0.0.1", forwards=here)
    finally:
        for one in opened:
            one.listener.close()


@contextlib.contextmanager
def forwarded_files(env_files: Iterable[Path], cluster: Cluster) -> Iterator[list[Path]]:
    """Beside each env file one with the addresses of this machine, as long as they are open; the stack's own has the cluster's."""
    written = []
    try:
        for file in env_files:
            # Git is told to leave those alone, and knows nothing of others.
            if file.name.startswith(".env") and file.is_file():
                beside = file.with_name(f"{file.name}.forwarded")
                write_private(beside, forwarded(file.read_text(), cluster))
                written.append(beside)
        yield written
    finally:
        for beside in written:
            beside.unlink(missing_ok=True)


def forwarded(text: str, cluster: Cluster) -> str:
    """A text with the addresses of forwarded ports in place of the cluster's own."""
    here = {(f.service, f.port): f"{_shown(cluster.bind)}:{f.local}" for f in cluster.forwards}
    address = re.compile(rf"([a-z0-9-]+)\.{re.escape(cluster.namespace)}\.svc\.cluster\.local:([0-9]+)")
    return address.sub(lambda found: here.get((found[1], int(found[2])), found[0]), text)


def _shown(bind: str) -> str:
    """A host as it stands in a URL."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
    return f"[{host}]" if ":" in host else host


def _open(bind: str, wanted: list[Forward]) -> list[Opened]:
    opened: list[Opened] = []
    taken = []
    for one in wanted:
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((bind, one.local))
            listener.listen()
        except OSError:
            listener.close()
            taken.append(f"{one.local} ({one.name})")
            continue
        opened.append(Opened(one, listener))
    if taken:
        for held in opened:
            held.listener.close()
        fail(
            f"these ports of {bind} are taken: {', '.join(taken)}.\n"
            "  Stop what has them, or choose others: supastack:ports, or supastack:instance (each adds 1000)."
        )
    return opened


def _lines(bind: str, wanted: list[Forward]) -> list[str]:
    at = _shown(bind)
    width = max(len(_URLS.get(f.name, (f.name, ""))[0]) for f in wanted)
    lines = []
    for one in wanted:
        name, form = _URLS.get(one.name, (one.name, "{at}"))
        lines.append(f"  {name:<{width}}  {form.format(at=f'{at}:{one.local}')}")
    return lines


class Tunnel:
    """The way to the pods of a stack."""

    def __init__(self, access: Access, instance: str) -> None:
        self.access = access
        self.instance = instance

    def pod(self, service: str) -> str | None:
        """Name of a pod of a service that is ready; None where there is none."""
        path = f"/api/v1/namespaces/{self.access.place.namespace}/pods"
        own = f"{cluster_access.INSTANCE}={self.instance},{NAME}="
        # A pooler that an operator runs is known by its name alone; its standbys are pods of the server.
        selectors = dict.fromkeys((f"{own}{service}", f"{POOLER}={service}", f"{own}{service.removesuffix(STANDBYS)}"))
        wanted = "replica" if service.endswith(STANDBYS) else "primary"
        for pod in next(filter(None, (self.access.items(path, labelSelector=selector) for selector in selectors)), ()):
            conditions = (pod.get("status") or {}).get("conditions") or ()
            ready = any(c["type"] == "Ready" and c.get("status") == "True" for c in conditions)
            # A standby takes no writes (CloudNativePG, "Labels and annotations").
            other = (pod["metadata"].get("labels") or {}).get("cnpg.io/instanceRole", wanted) != wanted
            if ready and not other and not pod["metadata"].get("deletionTimestamp"):
                return str(pod["metadata"]["name"])
        return None

    def connect(self, pod: str, port: int) -> WebSocket:
        """A connection to a pod's port. Raises Closed, OSError or UserError where it can't be had."""
        access = self.access.client.access
        server = urlsplit(access.server)
        host = server.hostname or ""
        number = server.port or {"http": 80, "https": 443}[server.scheme]
        raw = socket.create_connection((host, number), timeout=_CONNECT_SECONDS)
        try:
            if server.scheme == "https":
                raw = client.tls(access).wrap_socket(raw, server_hostname=access.server_name or host)
            path = f"{server.path}/api/v1/namespaces/{self.access.place.namespace}/pods/{pod}/portforward?ports={port}"
            made = WebSocket(raw, f"{host}:{number}", path, _PROTOCOL, _login(access))
            raw.settimeout(None)
        except BaseException:
            raw.close()
            raise
        return made


def _login(access: kubeconfig.Access) -> dict[str, str]:
    if access.token:
        return {"Authorization": f"Bearer {access.token}"}
    return {"Authorization": "Basic " + base64.b64encode(access.basic.encode()).decode()} if access.basic else {}


def _serve(tunnel: Tunnel, opened: Opened) -> None:
    while True:
        try:
            connection, _ = opened.listener.accept()
        except OSError:
            return  # closed: it is over
        threading.Thread(target=_carry, args=(tunnel, opened.forward, connection), daemon=True).start()


def _carry(tunnel: Tunnel, wanted: Forward, connection: socket.socket) -> None:
    """One connection, both ways, until either end is through."""
    with connection:
        try:
            pod = tunnel.pod(wanted.service)
            if pod is None:
                note(f"{wanted.name}: no pod of {wanted.service} is ready")
                return
            far = tunnel.connect(pod, wanted.port)
        except (Closed, OSError, UserError, client.ApiError) as error:
            note(f"{wanted.name}: {error}")
            return
        threading.Thread(target=_outward, args=(connection, far), daemon=True).start()
        seen: set[int] = set()
        for message in far.messages():
            channel, payload = message[0] if message else _DATA, message[1:]
            if channel not in seen:
                seen.add(channel)  # the port's number
                continue
            if channel == _ERRORS:
                note(f"{wanted.name}: {payload.decode(errors='replace').strip()}")
                break
            try:
                connection.sendall(payload)
            except OSError:
                break
        far.close()
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _outward(connection: socket.socket, far: WebSocket) -> None:
    with contextlib.suppress(OSError):
        while piece := connection.recv(_PIECE):
            far.send(bytes([_DATA]) + piece)
    # The protocol knows no end of one direction alone.
    far.close()
