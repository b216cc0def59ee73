"""What the cluster's programs are started with: files and arguments, from the layout alone.

Sources: the reference pages of each program (`--help` of v1.34), the KubeletConfiguration v1beta1 and KubeProxyConfiguration v1alpha1
types, containerd 1.6's CRI plugin, CNI's ptp and portmap. Values that say how much or how long are chosen by us, for one small node.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.cluster.layout import API_PORT, DNS_ADDRESS, NODE, POD_NETWORK, SERVICE_NETWORK, Layout
from toolchain.cluster.pins import PAUSE_IMAGE

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
"""As the node sees it: `/run` is the node's own."""


_UNUSED = [
    *(f"io.containerd.snapshotter.v1.{name}" for name in ("aufs", "btrfs", "devmapper", "zfs")),
    "io.containerd.internal.v1.opt",
    "io.containerd.internal.v1.tracing",
    "io.containerd.tracing.processor.v1.otlp",
]
"""Plugins of containerd that write to places of the machine's own or need what is not here."""


@dataclass(frozen=True)
class Program:
    """A program that runs on the node for as long as the node does."""

    name: str
    command: tuple[str, ...]
    needs: str | None = None
    """`host:port` that must accept before it is started."""


def programs(layout: Layout, binaries: Path) -> list[Program]:
    """All programs of the node, in the order they are started."""
    api = f"127.0.0.1:{API_PORT}"
    return [
        Program("etcd", _etcd(layout, binaries)),
        Program("containerd", ("containerd", "--config", str(layout.config / "containerd.toml"))),
        Program("kube-apiserver", _apiserver(layout, binaries), "127.0.0.1:2379"),
        Program("kube-controller-manager", _controller_manager(layout, binaries), api),
        Program("kube-scheduler", _scheduler(layout, binaries), api),
        Program("kubelet", _kubelet(layout, binaries), api),
        Program("kube-proxy", (str(binaries / "kube-proxy"), f"--config={layout.config / 'kube-proxy.json'}"), api),
        Program("controllers", (sys.executable, "-m", "toolchain.cluster.controllers", str(layout.folder)), api),
    ]


def files(layout: Layout, *, restrict_oom_score: bool, nameservers: tuple[str, ...] = ()) -> Mapping[Path, str]:
    """The configuration files, by path."""
    return {
        layout.config / "containerd.toml": _containerd(layout, restrict_oom_score=restrict_oom_score),
        layout.config / "kubelet.json": json.dumps(_kubelet_settings(layout), indent=2),
        layout.config / "kube-proxy.json": json.dumps(_proxy_settings(layout), indent=2),
        layout.config / "cni" / "10-supastack.conflist": json.dumps(_cni(), indent=2),
        layout.config / "resolv.conf": "".join(f"nameserver {one}\n" for one in nameservers),
    }


def _etcd(layout: Layout, binaries: Path) -> tuple[str, ...]:
    return (
        str(binaries / "etcd"),
        f"--data-dir={layout.folder / 'etcd'}",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--initial-advertise-peer-urls=http://127.0.0.1:2380",
        "--initial-cluster=default=http://127.0.0.1:2380",
        "--auto-compaction-retention=1h",
        # A test cluster that loses its last second in a crash of the machine is made anew.
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def _apiserver(layout: Layout, binaries: Path) -> tuple[str, ...]:
    pki = layout.pki
    return (
        str(binaries / "kube-apiserver"),
        f"--advertise-address={layout.node_address}",
        # Pods reach it through its Service, which points at the node's address: loopback is not enough.
        "--bind-address=0.0.0.0",
        f"--secure-port={API_PORT}",
        "--etcd-servers=http://127.0.0.1:2379",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
        # The node's name resolves nowhere: logs, exec and port-forward would fail by it.
        "--kubelet-preferred-address-types=InternalIP",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki / 'service-accounts.pub'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
    )


def _controller_manager(layout: Layout, binaries: Path) -> tuple[str, ...]:
    config = layout.config / "controller-manager.kubeconfig"
    return (
        str(binaries / "kube-controller-manager"),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        f"--flex-volume-plugin-dir={layout.folder / 'kubelet' / 'plugins-exec'}",
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={layout.pki / 'service-accounts.key'}",
        f"--root-ca-file={layout.pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={layout.pki / 'ca.crt'}",
        f"--cluster-signing-key-file={layout.pki / 'ca.key'}",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
    )


def _scheduler(layout: Layout, binaries: Path) -> tuple[str, ...]:
    config = layout.config / "scheduler.kubeconfig"
    return (
        str(binaries / "kube-scheduler"),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
    )


def _kubelet(layout: Layout, binaries: Path) -> tuple[str, ...]:
    return (
        str(binaries / "kubelet"),
        f"--config={layout.config / 'kubelet.json'}",
        f"--kubeconfig={layout.config / 'kubelet.kubeconfig'}",
        f"--root-dir={layout.folder / 'kubelet'}",
        f"--cert-dir={layout.folder / 'kubelet' / 'pki'}",
        f"--hostname-override={NODE}",
        f"--node-ip={layout.node_address}",
    )


def _kubelet_settings(layout: Layout) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": layout.cgroup,
        # There is nothing of the system's own in this group that pods would have to leave room for.
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": str(layout.config / "resolv.conf"),
        "podLogsDir": str(layout.logs / "pods"),
        "volumePluginDir": str(layout.folder / "kubelet" / "plugins-exec"),
        # kube-proxy works with nftables: nothing of iptables is needed.
        "makeIPTablesUtilChains": False,
        # A developer's disk is fuller than a server's.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageMaximumGCAge": "0s",
        "registerNode": True,
        "serverTLSBootstrap": False,
        "rotateCertificates": False,
    }


def _proxy_settings(layout: Layout) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(layout.config / "proxy.kubeconfig")},
        "clusterCIDR": POD_NETWORK,
        "hostnameOverride": NODE,
        "bindAddress": layout.node_address,
        "metricsBindAddress": "127.0.0.1:10249",
        "healthzBindAddress": "127.0.0.1:10256",
        # The machine's own limits, which a network namespace can't change: left as they are.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _cni() -> dict[str, object]:
    # ptp: a pair of devices a pod and no bridge, so that all that pods say passes the node's forward hook, where the policies are.
    address = {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": POD_NETWORK}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "0.4.0",
        "name": "supastack",
        "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": address},
            {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
        ],
    }


def _containerd(layout: Layout, *, restrict_oom_score: bool) -> str:
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    quoted = json.dumps
    return "\n".join(
        [
            "version = 2",
            f"root = {quoted(str(layout.folder / 'containerd'))}",
            'state = "/run/containerd"',
            f"disabled_plugins = {quoted(_UNUSED)}",
            "[grpc]",
            f"address = {quoted(CONTAINERD_SOCKET)}",
            f"[{cri}]",
            f"sandbox_image = {quoted(PAUSE_IMAGE)}",
            # Where a process may not lower it (containers of some CI), no pod would start.
            f"restrict_oom_score_adj = {quoted(restrict_oom_score)}",
            f"[{cri}.containerd]",
            'snapshotter = "overlayfs"',
            'default_runtime_name = "runc"',
            f"[{cri}.containerd.runtimes.runc]",
            'runtime_type = "io.containerd.runc.v2"',
            f"[{cri}.containerd.runtimes.runc.options]",
            "SystemdCgroup = false",
            f"[{cri}.cni]",
            'bin_dir = "/usr/lib/cni"',
            f"conf_dir = {quoted(str(layout.config / 'cni'))}",
            "",
        ]
    )
