"""Ports of a stack in a cluster on this machine, and the way of their bytes to a pod."""

import json
import socket
import struct
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_stack_cluster import LABEL, access

from toolchain.announce import ToolchainError
from toolchain.stack import cluster_access, describe, forward
from toolchain.stack.describe import Cluster, Description, Forward
from toolchain.stack.websocket import Closed, WebSocket

OURS, THEIRS = "0123456789abcdef", "fedcba9876543210"

# ---- forward ---------------------------------------------------------------------------------------------------------

CLUSTER = Cluster(
    kubeconfig=Path("kubeconfig"),
    context="c",
    namespace="supastack-dev",
    bind="127.0.0.1",
    forwards=(Forward("postgres", "postgres", 5432, 54322), Forward("api", "gateway", 8000, 54321)),
)


def test_addresses_of_the_cluster_become_this_machines_and_others_stay():
    inside = "supastack-dev.svc.cluster.local"
    text = f"A=postgresql://u:p@postgres.{inside}:5432/db\nB=http://gateway.{inside}:8000/x\nC=http://gateway.{inside}:9999\nD=https://x.example"
    assert forward.forwarded(text, CLUSTER).splitlines() == [
        "A=postgresql://u:p@127.0.0.1:54322/db",
        "B=http://127.0.0.1:54321/x",
        f"C=http://gateway.{inside}:9999",
        "D=https://x.example",
    ]


def test_forwarded_env_files_are_private_and_go_with_the_ports(tmp_path):
    file, other = tmp_path / ".env.dev", tmp_path / "config.toml"
    file.write_text("A=http://gateway.supastack-dev.svc.cluster.local:8000\n")
    other.write_text("x")
    with forward.forwarded_files([file, other, tmp_path / ".env.missing"], CLUSTER) as written:
        assert written == [tmp_path / ".env.dev.forwarded"]
        assert written[0].read_text() == "A=http://127.0.0.1:54321\n"
        assert written[0].stat().st_mode & 0o077 == 0
    assert not written[0].exists()
    assert file.read_text().startswith("A=http://gateway")


def test_ports_that_are_taken_are_told_all_at_once_and_none_is_kept():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        free = socket.create_server(("127.0.0.1", 0))
        number = free.getsockname()[1]
        free.close()
        wanted = [Forward(n, "s", 1, p) for n, p in (("a", one.getsockname()[1]), ("b", number), ("c", two.getsockname()[1]))]
        with pytest.raises(ToolchainError, match=r"\(a\), .*\(c\)"):
            forward._open("127.0.0.1", wanted)
        socket.create_server(("127.0.0.1", number)).close()


def test_a_stack_on_docker_has_nothing_to_forward(machine, monkeypatch):
    monkeypatch.setattr(forward, "config_file", lambda context: Path("x"))
    monkeypatch.setattr(describe, "start", lambda *_: None)
    monkeypatch.setattr(
        describe, "finish", lambda _: Description("docker", needs_docker=True, docker_host=None, image_source=None)
    )
    with pytest.raises(ToolchainError, match="open on this machine already"):
        forward.forward(machine.context())


def test_a_ready_pod_is_chosen_and_neither_one_that_goes_nor_a_standby():
    def pod(name, ready, role=None, **metadata):
        labels = {LABEL: "rest", cluster_access.INSTANCE: "i", **({"cnpg.io/instanceRole": role} if role else {})}
        return {
            "metadata": {"name": name, "labels": labels, **metadata},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }

    pods = [
        pod("starting", "False"),
        pod("going", "True", deletionTimestamp="now"),
        pod("standby", "True", "replica"),
        pod("ready", "True", "primary"),
    ]
    pooler = {**pod("pooler", "True"), "metadata": {"name": "p", "labels": {"cnpg.io/poolerName": "postgres-pooler"}}}
    tunnel = forward.Tunnel(access(**{"/api/v1/namespaces/n/pods": [*pods, pooler]}), "i")
    assert tunnel.pod("rest") == "ready"
    assert tunnel.pod("postgres-pooler") == "p"
    assert tunnel.pod("rest-ro") == "standby"
    assert tunnel.pod("auth") is None


# ---- the way to a pod ------------------------------------------------------------------------------------------------


def frame(payload, kind=2, final=True):
    length = len(payload)
    head = (
        struct.pack("!BB", (0x80 if final else 0) | kind, length)
        if length < 126
        else struct.pack("!BBH", 0x80 | kind, 126, length)
    )
    return head + payload


class Kubelet(threading.Thread):
    """The far end of one forwarded connection: it answers what it gets in capital letters."""

    def __init__(self, status="101 Switching Protocols"):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.status = status
        self.head = b""
        self.start()

    def run(self):
        connection, _ = self.server.accept()
        with connection:
            while b"\r\n\r\n" not in self.head:
                self.head += connection.recv(4096)
            connection.sendall(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
            if not self.status.startswith("101"):
                return
            port = struct.pack("<H", 8000)
            connection.sendall(frame(b"\0" + port) + frame(b"\1" + port))
            while (message := self.read(connection)) is not None:
                # A ping in between, and an answer in two frames.
                connection.sendall(frame(b"hello", kind=9) + frame(b"\0" + message[1:3].upper(), final=False))
                connection.sendall(frame(message[3:].upper(), kind=0))

    @staticmethod
    def read(connection):
        while True:
            head = connection.recv(2, socket.MSG_WAITALL)
            if len(head) < 2 or head[0] & 0x0F == 8:
                return None
            length = head[1] & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))
            assert head[1] & 0x80, "a client masks what it sends"
            mask, masked = connection.recv(4, socket.MSG_WAITALL), connection.recv(length, socket.MSG_WAITALL)
            if head[0] & 0x0F == 2:
                return bytes(b ^ mask[i % 4] for i, b in enumerate(masked))


def test_bytes_go_to_a_pod_and_back(monkeypatch):
    kubelet = Kubelet()
    tunnel = forward.Tunnel(access(), "i")
    tunnel.access.client.access = SimpleNamespace(
        server=f"http://127.0.0.1:{kubelet.server.getsockname()[1]}/base", token="t0ken", basic="", server_name=""
    )
    monkeypatch.setattr(tunnel, "pod", lambda service: "rest-1")
    near, here = socket.socketpair()
    threading.Thread(target=forward._carry, args=(tunnel, Forward("api", "gateway", 8000, 1), near), daemon=True).start()
    with here:
        here.settimeout(10)
        for sent in (b"hello", b"x" * 1000):
            here.sendall(sent)
            got = b""
            while len(got) < len(sent):
                got += here.recv(4096)
            assert got == sent.upper()
    head = kubelet.head.decode()
    assert head.startswith("GET /base/api/v1/namespaces/n/pods/rest-1/portforward?ports=8000 HTTP/1.1\r\n")
    assert "Authorization: Bearer t0ken" in head
    assert "Sec-WebSocket-Protocol: v4.channel.k8s.io" in head


def test_a_server_that_refuses_says_with_what():
    kubelet = Kubelet("403 Forbidden")
    with socket.create_connection(kubelet.server.getsockname()) as raw, pytest.raises(Closed, match="403 Forbidden"):
        WebSocket(raw, "x", "/", "p", {})


def test_a_connection_to_a_service_without_a_ready_pod_ends_and_is_said(capsys, monkeypatch):
    tunnel = forward.Tunnel(access(), "i")
    monkeypatch.setattr(tunnel, "pod", lambda service: None)
    near, here = socket.socketpair()
    with here:
        forward._carry(tunnel, Forward("api", "gateway", 8000, 1), near)
        assert here.recv(1) == b""
    assert "no pod of gateway is ready" in capsys.readouterr().err


def test_a_description_has_the_cluster_and_its_ports():
    told = {
        "target": "kubernetes",
        "needs_docker": False,
        "docker_host": None,
        "image_source": "local",
        "images": [],
        "registries": [],
        "notes": [],
        "env_files": [{"app": "nextjs", "path": "/x/.env"}],
        "cluster": {
            "kubeconfig": "/k",
            "context": "c",
            "namespace": "n",
            "bind": "127.0.0.1",
            "forwards": [{"name": "api", "service": "gateway", "port": 8000, "local": 54321}],
        },
    }
    found = describe.parse(json.loads(json.dumps(told)))
    assert found.cluster == Cluster(Path("/k"), "c", "n", "127.0.0.1", (Forward("api", "gateway", 8000, 54321),))
    assert found.env_files == (Path("/x/.env"),)
