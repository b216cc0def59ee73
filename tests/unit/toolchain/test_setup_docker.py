"""Which Docker daemon is used, and what is said where none answers."""

import hashlib
import json
import os
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from toolchain.announce import ToolchainError
from toolchain.setup import docker, docker_start, system


class _Daemon(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/_ping" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

        def address_string(self):
            return "local"


@pytest.fixture
def listen():
    """Start something that answers as a Docker daemon does on a socket."""
    servers = []

    def start(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        server = _Daemon(str(path), _Daemon.Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return path

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def default_socket(machine, monkeypatch, tmp_path_factory):
    # Not below tmp_path: the path of a socket has 108 bytes at most.
    path = tmp_path_factory.mktemp("d") / "docker.sock"
    monkeypatch.setattr(docker, "DEFAULT_SOCKET", path)
    return path


def docker_context(home: Path, name: str, host: str, current: bool = True) -> Path:
    folder = home / ".docker"
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    if current:
        (folder / "config.json").write_text(json.dumps({"currentContext": name}))
    return folder


def test_the_default_socket_is_used_without_setting_docker_host(machine, listen, default_socket):
    listen(default_socket)
    assert "DOCKER_HOST" not in docker.ensure(machine.context()).env


def test_docker_host_wins_over_a_default_socket_that_answers(machine, listen, default_socket, monkeypatch):
    listen(default_socket)
    host = f"unix://{listen(default_socket.with_name('other.sock'))}"
    monkeypatch.setenv("DOCKER_HOST", host)
    assert docker.ensure(machine.context()).env["DOCKER_HOST"] == host


def test_the_stacks_own_setting_wins_over_docker_host(machine, listen, default_socket, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    host = f"unix://{listen(default_socket)}"
    assert docker.ensure(machine.context(), host).env["DOCKER_HOST"] == host


@pytest.mark.parametrize("scheme", ["unix:///nowhere.sock", "tcp://127.0.0.1:1"])
def test_a_named_daemon_that_does_not_answer_is_an_error_and_no_other_is_taken(
    machine, listen, default_socket, monkeypatch, scheme
):
    listen(default_socket)
    monkeypatch.setenv("DOCKER_HOST", scheme)
    with pytest.raises(ToolchainError, match="named by DOCKER_HOST"):
        docker.ensure(machine.context())


def test_the_error_about_the_stacks_setting_names_the_setting(machine):
    with pytest.raises(ToolchainError, match=r"named by the setting supastack:docker\.host"):
        docker.ensure(machine.context(), "unix:///nowhere.sock")


def test_a_host_of_an_unknown_scheme_is_refused_by_name(machine):
    with pytest.raises(ToolchainError, match="npipe is no scheme of a Docker host"):
        docker.ensure(machine.context(), "npipe:////./pipe/docker")


def test_the_current_context_is_used_without_the_docker_command(machine, listen, default_socket):
    host = f"unix://{listen(default_socket.with_name('colima.sock'))}"
    docker_context(machine.home, "colima", host)
    assert docker.ensure(machine.context()).env["DOCKER_HOST"] == host


def test_docker_context_wins_over_the_current_context(machine, listen, default_socket, monkeypatch):
    host = f"unix://{listen(default_socket.with_name('wanted.sock'))}"
    docker_context(machine.home, "current", "unix:///nowhere")
    docker_context(machine.home, "wanted", host, current=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "wanted")
    assert docker.ensure(machine.context()).env["DOCKER_HOST"] == host


def test_a_context_with_certificates_sets_where_they_are(machine):
    folder = docker_context(machine.home, "far", "tcp://10.0.0.1:2376")
    tls = folder / "contexts" / "tls" / hashlib.sha256(b"far").hexdigest() / "docker"
    tls.mkdir(parents=True)
    named = docker.named()
    assert named.env == {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tls)}


def test_a_context_that_does_not_answer_is_an_error_that_names_it(machine, listen, default_socket):
    listen(default_socket)
    docker_context(machine.home, "colima", "unix:///nowhere.sock")
    with pytest.raises(ToolchainError, match='the Docker context "colima"'):
        docker.ensure(machine.context())


def test_a_context_that_does_not_exist_is_an_error(machine, monkeypatch):
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    with pytest.raises(ToolchainError, match=r'"gone" .from DOCKER_CONTEXT. does not exist'):
        docker.ensure(machine.context())


@pytest.mark.parametrize("place", ["rootless", "colima", "desktop"])
def test_sockets_of_other_daemons_are_found(machine, listen, monkeypatch, tmp_path_factory, place):
    home = tmp_path_factory.mktemp("h")
    monkeypatch.setenv("HOME", str(home))
    if place == "rootless":
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    path = {
        "rootless": home / "run/docker.sock",
        "colima": home / ".colima/default/docker.sock",
        "desktop": home / ".docker/run/docker.sock",
    }[place]
    listen(path)
    assert docker.ensure(machine.context()).env["DOCKER_HOST"] == f"unix://{path}"


def test_without_root_one_error_says_what_was_tried_and_what_to_install(machine, listen, default_socket, monkeypatch):
    listen(default_socket)
    monkeypatch.setattr(docker, "problem_of", lambda daemon: "permission denied")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ToolchainError) as raised:
        docker.ensure(machine.context())
    assert f"{default_socket}: permission denied" in str(raised.value)
    assert "sudo apt-get install docker.io" in str(raised.value)


def test_without_any_daemon_or_package_manager_the_error_says_so(machine, monkeypatch):
    monkeypatch.setattr(system, "can_apt_install", lambda: False)
    monkeypatch.setattr(docker_start.shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ToolchainError, match="no Docker daemon answers: no socket was found"):
        docker.ensure(machine.context())


def test_as_root_a_missing_docker_is_installed_and_started(machine, monkeypatch, listen, default_socket):
    installed = []

    def install(packages, why):
        installed.extend(packages)
        machine.program("dockerd", "exec sleep 60")
        machine.program("iptables", "")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(system, "can_apt_install", lambda: True)
    monkeypatch.setattr(system, "apt_install", install)
    monkeypatch.setattr(docker_start, "_which", lambda program: str(p) if (p := machine.bin / program).exists() else None)
    monkeypatch.setattr(docker_start, "_has_systemd", lambda: False)
    context = machine.context()
    answered = iter([lambda: None, lambda: None, lambda: listen(default_socket)])
    real = docker.problem_of

    def problem_of(daemon):
        next(answered, lambda: None)()
        return real(daemon)

    monkeypatch.setattr(docker, "problem_of", problem_of)
    docker.ensure(context)
    assert installed == ["docker.io", "iptables"]
    pid = int((context.private / "docker" / "dockerd.pid").read_text())
    # In a session of its own: Ctrl-C at the terminal does not end the daemon.
    assert os.getsid(pid) == pid
    os.kill(pid, 9)
    os.waitpid(pid, 0)


def test_a_daemon_that_ends_at_once_shows_the_end_of_its_log(machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(docker_start, "_has_systemd", lambda: False)
    monkeypatch.setattr(docker_start, "_which", lambda program: str(machine.bin / program))
    machine.program("dockerd", "echo 'failed to mount overlay: operation not permitted' >&2; exit 1")
    with pytest.raises(ToolchainError, match=r"(?s)ended with exit code 1.*failed to mount overlay"):
        docker.ensure(machine.context())


def test_a_daemon_that_is_there_and_silent_is_waited_for_and_not_passed_over(machine, monkeypatch, listen, default_socket):
    listen(default_socket)
    said = iter([docker_start.SILENT, docker_start.SILENT, None])
    monkeypatch.setattr(
        docker, "problem_of", lambda daemon: next(said) if daemon.host is None else pytest.fail("another was asked")
    )
    assert "DOCKER_HOST" not in docker.ensure(machine.context()).env


def test_one_that_stays_silent_is_an_error_and_no_second_one_is_started(machine, monkeypatch, listen, default_socket):
    listen(default_socket)
    monkeypatch.setattr(docker_start, "_START_SECONDS", 0.3)
    monkeypatch.setattr(docker, "problem_of", lambda daemon: docker_start.SILENT)
    monkeypatch.setattr(docker_start, "start", lambda *_: pytest.fail("another was started"))
    with pytest.raises(ToolchainError, match="does not answer in time"):
        docker.ensure(machine.context())


def test_a_socket_at_which_nobody_answers_is_silent(machine, monkeypatch, default_socket):
    monkeypatch.setattr(docker, "_SECONDS", 0.1)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(default_socket))
        server.listen(0)
        assert docker.problem_of(docker.Daemon(None, "")) == docker_start.SILENT
        # Nobody accepts, so the queue is full now.
        assert docker.problem_of(docker.Daemon(None, "")) == docker_start.SILENT


@pytest.mark.parametrize("then", [[None], [docker_start.SILENT, None]])
def test_ours_may_end_where_another_one_comes_up(then):
    said = iter(["nothing listens there", *then])
    docker_start._wait(lambda: next(said), lambda: 1, "its log")


@pytest.mark.parametrize(("release", "installed"), [("old", [["docker.io"]]), ("new", [["docker.io"], ["docker-cli"]])])
def test_for_the_tests_the_docker_command_is_installed_too(machine, monkeypatch, release, installed):
    calls = []

    def install(packages, why):
        calls.append(packages)
        machine.program("dockerd", "")
        if release == "old" or "docker-cli" in packages:
            machine.program("docker", "")

    for name in ("iptables", "ip", "busybox"):
        machine.program(name, "")
    monkeypatch.setattr(docker_start, "_which", lambda program: str(p) if (p := machine.bin / program).exists() else None)
    monkeypatch.setattr(system, "can_apt_install", lambda: True)
    monkeypatch.setattr(system, "apt_install", install)
    docker_start.ensure_binaries("tests", for_tests=True)
    assert calls == installed


def test_on_a_slim_machine_the_tests_get_ip_and_busybox(machine, monkeypatch):
    calls = []
    for name in ("dockerd", "docker", "iptables"):
        machine.program(name, "")
    monkeypatch.setattr(docker_start, "_which", lambda program: str(p) if (p := machine.bin / program).exists() else None)
    monkeypatch.setattr(system, "can_apt_install", lambda: True)
    monkeypatch.setattr(system, "apt_install", lambda packages, why: calls.append(packages))
    docker_start.ensure_binaries("no daemon answers")
    assert calls == []
    docker_start.ensure_binaries("tests", for_tests=True)
    assert calls == [["iproute2", "busybox-static"]]


@pytest.fixture
def remembered(machine, default_socket):
    """The socket of a daemon that the stack was brought up on, and that is gone."""
    gone = default_socket.with_name("gone.sock")
    docker.remember(machine.context().with_env(DOCKER_HOST=f"unix://{gone}"))
    return gone


def test_the_daemon_of_a_stack_with_data_is_never_silently_another(machine, listen, default_socket, remembered):
    listen(default_socket)
    with pytest.raises(ToolchainError, match=r"(?s)gone\.sock does not answer.*the last `up` of stack dev"):
        docker.ensure(machine.context(), in_use=lambda _: True)
    # Another stack, and one that has nothing there any more, are free to take it.
    assert "DOCKER_HOST" not in docker.ensure(machine.context("other"), in_use=lambda _: True).env
    assert "DOCKER_HOST" not in docker.ensure(machine.context(), in_use=lambda _: False).env


def test_the_remembered_daemon_is_taken_before_others_and_after_a_named_one(
    machine, listen, default_socket, remembered, monkeypatch
):
    listen(default_socket)
    listen(remembered)
    unasked = {"in_use": lambda _: pytest.fail("asked although it answers")}
    assert docker.ensure(machine.context(), **unasked).env["DOCKER_HOST"] == f"unix://{remembered}"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{default_socket}")
    assert docker.ensure(machine.context(), **unasked).env["DOCKER_HOST"] == f"unix://{default_socket}"


def test_after_a_reboot_the_remembered_default_daemon_is_started_and_no_other_taken(
    machine, listen, monkeypatch, tmp_path_factory
):
    home = tmp_path_factory.mktemp("h")
    context = machine.context()
    docker.remember(context)
    monkeypatch.setenv("HOME", str(home))
    listen(home / ".colima/default/docker.sock")
    started = []
    monkeypatch.setattr(docker_start, "start", lambda *_: started.append(True))
    assert "DOCKER_HOST" not in docker.ensure(context, in_use=lambda _: True).env
    assert started == [True]
