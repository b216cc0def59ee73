"""Where a test cluster keeps its things and under which addresses it is reached: computed, never created, here."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.setup.folders import write_private

CONTEXT = "supastack"
"""The context in the kubeconfig, and the cluster's and user's name there."""
NODE = "supastack-node"
DEVICE = "node0"
"""The node's network device towards the machine."""
LINKS = "supakube"
"""What the name of the machine's end of each link begins with."""
POD_NETWORK = "10.244.0.0/16"
SERVICE_NETWORK = "10.96.0.0/16"
"""Chosen by us, as DNS_ADDRESS. They exist in the node's network namespace only, so that all clusters of a machine have the same."""
DNS_ADDRESS = "10.96.0.10"
API_ADDRESS = "10.96.0.1"
"""The first address of the service network: the API server gives itself this one."""
API_PORT = 6443
NUMBERS = range(200)
HIDDEN = ("/run", "/var/log")
"""Folders of the machine that the node has its own of."""
MADE_TO_HIDE = ("/var/lib/cni", "/var/lib/kubelet")
"""The same, but the machine may not have them: they are made, and removed when the last node has ended."""


@dataclass(frozen=True)
class Layout:
    """One cluster: its folder and its number on this machine."""

    folder: Path
    """Everything it keeps: certificates, etcd's data, containers, volumes, logs."""
    number: int
    """Which link it has to the machine: chosen free at the first start, kept in the folder."""

    @property
    def host_address(self) -> str:
        """The machine's end of the link to the node. Chosen by us: 10.213.<number>.1, with the node as .2."""
        return f"10.213.{self.number}.1"

    @property
    def node_address(self) -> str:
        """The node's address: reachable from this machine only, on all ports."""
        return f"10.213.{self.number}.2"

    @property
    def link(self) -> str:
        """The machine's network device towards the node. A device's name has 15 characters at most."""
        return f"{LINKS}{self.number}"

    @property
    def cgroup(self) -> str:
        """The control group below which all pods are."""
        return f"/supastack-kube-{self.number}"

    @property
    def server(self) -> str:
        """The API server's address."""
        return f"https://{self.node_address}:{API_PORT}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.folder / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.folder / "pki"

    @property
    def config(self) -> Path:
        """Configuration files of the programs."""
        return self.folder / "config"

    @property
    def logs(self) -> Path:
        """One file a program, and the pods' own in `pods`."""
        return self.folder / "logs"

    @property
    def volumes(self) -> Path:
        """The folders behind the persistent volumes."""
        return self.folder / "volumes"

    @property
    def applied_policies(self) -> Path:
        """Of which network policies the node's rules are, as the enforcer writes it."""
        return self.folder / "policies.json"

    @property
    def control(self) -> Path:
        """The socket of the node's first process."""
        return self.folder / "node.sock"


def load(folder: Path) -> Layout | None:
    """The cluster of a folder, None where none was made."""
    try:
        return Layout(folder.resolve(), int(_saved(folder)["number"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def binaries_of(layout: Layout) -> Path:
    """The folder of the programs that it was started with last."""
    return Path(_saved(layout.folder)["binaries"])


def save(layout: Layout, binaries: Path) -> None:
    """Keep what is chosen at a start."""
    write_private(_file(layout.folder), json.dumps({"number": layout.number, "binaries": str(binaries)}) + "\n")


def started(layout: Layout) -> dt.datetime:
    """When it was started last: to the second, as the API tells times."""
    return dt.datetime.fromtimestamp(int(_file(layout.folder).stat().st_mtime), dt.UTC)


def _saved(folder: Path) -> dict[str, Any]:
    return dict(json.loads(_file(folder).read_text()))


def _file(folder: Path) -> Path:
    return folder / "cluster.json"
