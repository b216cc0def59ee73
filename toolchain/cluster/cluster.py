"""Starting, using and ending a cluster."""

import datetime as dt
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolchain.announce import fail, step, warn
from toolchain.cluster import addons, builds, certificates, configuration, machine, outward, pins
from toolchain.cluster import layout as layouts
from toolchain.cluster.api import Api, wait
from toolchain.cluster.images import Store, write_image
from toolchain.cluster.layout import CONTEXT, NODE, Layout
from toolchain.cluster.policies.controller import names
from toolchain.cluster.policies.model import pods_of
from toolchain.context import Context
from toolchain.setup.folders import locked

_READY_SECONDS = 120.0
_PROGRAMS_OF_IMAGES = {
    pins.PAUSE_IMAGE: ("pause", {"Entrypoint": ["/pause"], "User": "65535:65535"}),
    pins.COREDNS_IMAGE: ("coredns", {"Entrypoint": ["/coredns"], "User": "65532:65532"}),
}


class Cluster:
    """A cluster that runs. All methods raise ToolchainError."""

    def __init__(self, layout: Layout, binaries: Path) -> None:
        self.layout = layout
        self.binaries = binaries
        self.context = CONTEXT
        self._api: Api | None = None

    @property
    def folder(self) -> Path:
        """Where all of it is kept."""
        return self.layout.folder

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, with the context `supastack`."""
        return self.layout.kubeconfig

    @property
    def address(self) -> str:
        """The node's address, reachable from this machine on all ports: node ports and host ports are there."""
        return self.layout.node_address

    @property
    def host_address(self) -> str:
        """This machine's address as pods reach it."""
        return self.layout.host_address

    @property
    def api(self) -> Api:
        """The administrator's client."""
        if self._api is None:
            self._api = Api(self.kubeconfig)
        return self._api

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        """Run kubectl on this cluster and no other. Returns what it prints."""
        command = [str(self.binaries / "kubectl"), f"--kubeconfig={self.kubeconfig}", f"--context={CONTEXT}", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            fail(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def inside(self, command: Sequence[str]) -> list[str]:
        """A command line that runs in the node's namespaces: its network, mounts and processes."""
        pid = machine.process_of(self.layout)
        if pid is None:
            fail(f"The cluster of {self.folder} does not run.")
        return machine.inside(pid, command)

    def programs(self) -> dict[str, Any]:
        """Each program of the node: whether it runs, how often it was started, how it ended last. Empty where no node runs."""
        return dict((machine.ask(self.layout, "status") or {}).get("programs", {}))

    def restart(self, program: str = "kubelet") -> None:
        """Kill one program of the node, as a crash would, and wait until it runs again: a fault for tests."""
        before = self.programs()[program]["starts"]
        machine.ask(self.layout, f"kill {program}")

        def back() -> str | None:
            now = self.programs()[program]
            return None if now["running"] and now["starts"] > before else f"{program} is not back"

        wait(f"restarting {program}", back, 30)

    def stop(self, program: str) -> None:
        """Stop one program of the node until `start`: a longer fault."""
        machine.ask(self.layout, f"stop {program}")

    def start(self, program: str) -> None:
        """Start one that was stopped."""
        machine.ask(self.layout, f"start {program}")

    def wait_for_policies(self, seconds: float = 30.0) -> None:
        """Wait until all network policies there are now are enforced, for all pods there are now."""

        def behind() -> str | None:
            policies = names(self.api.items("/apis/networking.k8s.io/v1/networkpolicies"))
            pods = [f"{one.namespace}/{one.name}" for one in pods_of(self.api.items("/api/v1/pods"))]
            try:
                applied = json.loads(self.layout.applied_policies.read_text())
            except (OSError, ValueError):
                applied = {"policies": [], "pods": []}
            late = {*policies} ^ {*applied["policies"]} | {*pods} ^ {*applied["pods"]}
            return f"not taken up yet: {', '.join(sorted(late))}" if late else None

        wait("the enforcer of network policies", behind, seconds)

    @property
    def store(self) -> Store:
        """The node's images."""
        return Store(self.inside)

    def import_images(self, references: Sequence[str], docker: Mapping[str, str] | None = None) -> list[str]:
        """Bring images from a Docker daemon into the node, those that are not there yet. Returns which were brought.

        `docker` has the variables of Docker's clients (DOCKER_HOST ...); None: the process's.
        """
        from toolchain.cluster.docker_images import bring

        return bring(self.store, references, docker)

    def install_cnpg(self, context: Context, docker: Mapping[str, str] | None = None) -> None:
        """Install the CloudNativePG operator and bring its operand image, both built where they are not there yet."""
        from toolchain.cluster.cnpg import install

        install(self, context, docker)


def default_folder(context: Context) -> Path:
    """Where the cluster of a clone is."""
    return context.private / "cluster"


def find(folder: Path) -> Cluster | None:
    """The running cluster of a folder."""
    layout = layouts.load(folder)
    if layout is None or machine.process_of(layout) is None:
        return None
    return Cluster(layout, layouts.binaries_of(layout))


def up(context: Context, folder: Path | None = None, *, reaches_out: bool = True) -> Cluster:
    """Have a cluster run in a folder (None: the clone's own), with DNS, volumes, policies and CRDs. Raises ToolchainError.

    `reaches_out`: whether node and pods reach the world by way of this machine. It counts when the node starts.
    """
    folder = (folder or default_folder(context)).absolute()
    machine.ensure_packages()
    binaries = builds.node_programs(context)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = folder.resolve()
    # Addresses are chosen by looking at what is there: one cluster at a time.
    with locked(machine.LOCK):
        layout = _start(folder, binaries, reaches_out=reaches_out)
    _hand_over(layout, binaries)
    cluster = Cluster(layout, binaries)
    with step("cluster", "wait for the API server") as current:
        wait("the API server's start", lambda: _why_not(cluster), _READY_SECONDS)
        current.done("the API server answers")
    _bring_own_images(cluster)
    with step("cluster", "DNS, volumes and CRDs") as current:
        if not addons.apply(cluster.api, context, layout):
            current.skip()
        current.done("DNS, volumes and CRDs are there")
    with step("cluster", "wait for the node") as current:
        wait("the node", lambda: _not_ready(cluster), _READY_SECONDS)
        current.done(f"the node is ready: {cluster.address}")
    return cluster


def down(folder: Path, *, purge: bool = False) -> None:
    """End the cluster of a folder. Its data stays, and the next `up` returns with it, unless `purge` removes the folder too."""
    layout = layouts.load(folder)
    if layout is None:
        return
    with locked(machine.LOCK):
        machine.end(layout)
    if purge:
        shutil.rmtree(layout.folder)


def _start(folder: Path, binaries: Path, *, reaches_out: bool) -> Layout:
    layout = layouts.load(folder)
    if layout is not None and machine.process_of(layout) is not None:
        if layouts.binaries_of(layout) != binaries:
            warn("the cluster runs programs of other versions: after `make cluster-down` it starts with those of this clone")
        return layout
    with step("cluster", "start the node") as current:
        if layout is not None:
            machine.remove_leftovers(layout)
        number = layout.number if layout is not None and machine.is_free(layout) else machine.free_number()
        layout = Layout(folder, number)
        for one in (layout.logs, layout.logs / "pods", layout.volumes, layout.config, layout.folder / "containerd"):
            one.mkdir(mode=0o755, parents=True, exist_ok=True)
        layouts.save(layout, binaries)
        certificates.ensure(layout)
        nameservers = outward.nameservers() if reaches_out else ()
        texts = configuration.files(layout, restrict_oom_score=machine.restricts_oom_score(), nameservers=nameservers)
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        pid = machine.start(layout)
        if reaches_out:
            outward.allow(layout)
        current.done(f"started the node (process {pid}, logs in {layout.logs})")
    return layout


def _hand_over(layout: Layout, binaries: Path) -> None:
    """Put kubectl beside the kubeconfig, and let the user of sudo have both."""
    kubectl = layout.folder / "kubectl"
    kubectl.unlink(missing_ok=True)
    try:
        # The cache may be in a folder that only root may enter.
        kubectl.hardlink_to(binaries / "kubectl")
    except OSError:
        shutil.copy2(binaries / "kubectl", kubectl)
    user, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if user and group:
        for path in (layout.folder, layout.kubeconfig):
            os.chown(path, int(user), int(group))


def _why_not(cluster: Cluster) -> str | None:
    if cluster.api.ready():
        return None
    troubled = {name: one["last_exit"] for name, one in cluster.programs().items() if one["last_exit"] not in (None, 0)}
    return f"it is not ready; programs that ended: {troubled}; logs in {cluster.layout.logs}"


def _not_ready(cluster: Cluster) -> str | None:
    """Why the node or its DNS is not ready. What etcd remembers of an earlier run does not count."""
    since = layouts.started(cluster.layout)
    lease = cluster.api.find(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NODE}") or {}
    if not _later(lease.get("spec", {}).get("renewTime"), since):
        return f"the kubelet has not registered; its log: {cluster.layout.logs / 'kubelet.log'}"
    conditions = {one["type"]: one for one in cluster.api.get(f"/api/v1/nodes/{NODE}")["status"].get("conditions", [])}
    ready = conditions.get("Ready", {})
    if ready.get("status") != "True":
        return f"it says: {ready.get('message', 'nothing')}"
    for pod in cluster.api.items("/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns"):
        for container in pod["status"].get("containerStatuses", []):
            if container["ready"] and _later(container["state"].get("running", {}).get("startedAt"), since):
                return None
    return "its DNS is not ready"


def _later(told: str | None, since: dt.datetime) -> bool:
    return told is not None and dt.datetime.fromisoformat(told) >= since


def _bring_own_images(cluster: Cluster) -> None:
    wait("containerd", lambda: None if _containerd(cluster) else f"it does not answer; logs in {cluster.layout.logs}", 30)
    there = cluster.store.identities()
    for reference, (program, config) in _PROGRAMS_OF_IMAGES.items():
        if reference not in there:
            bring_program(cluster, reference, {f"/{program}": cluster.binaries / program}, config)


def _containerd(cluster: Cluster) -> bool:
    command = cluster.inside(["ctr", "version"])
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def bring_program(cluster: Cluster, reference: str, files: Mapping[str, Path], config: Mapping[str, Any]) -> None:
    """Make an image of static programs, by their paths in it, and bring it into the node."""
    with tempfile.TemporaryFile() as archive:
        write_image(archive, reference, files, config)
        archive.seek(0)
        cluster.store.load(iter(lambda: archive.read(1 << 20), b""), reference)
