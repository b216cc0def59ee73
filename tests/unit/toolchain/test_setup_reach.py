"""Probes of hosts: right about what they see, and over in seconds."""

import socket
import threading

import pytest

from toolchain.setup import reach, registry


@pytest.mark.parametrize(("status", "reached"), [(200, True), (401, True), (403, False), (404, False), (500, False)])
def test_a_host_is_reached_when_it_answers_with_a_status_that_counts(server, status, reached):
    server.answers["/v2/"] = (status, b"")
    assert reach.answers(f"{server.url}/v2/", (200, 401), method="GET") is reached


def test_a_host_that_never_answers_is_given_up(server):
    release = threading.Event()
    server.wait = release.wait
    try:
        assert reach.answers(f"{server.url}/", seconds=0.2) is False
    finally:
        release.set()


def test_a_name_lookup_that_hangs_is_given_up(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait() and [])
    given_up = threading.Event()

    def ask():
        assert reach.answers("http://some.example/", seconds=0.2) is False
        given_up.set()

    threading.Thread(target=ask, daemon=True).start()
    try:
        assert given_up.wait(20)
    finally:
        release.set()


def test_a_closed_port_and_an_unknown_name_are_not_reached():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert reach.answers(f"http://127.0.0.1:{taken.getsockname()[1]}/") is False
    assert reach.answers("http://no-such-host.invalid/") is False


def test_one_of_several_that_answers_is_enough(server):
    server.answers["/there"] = (200, b"")
    assert reach.any_answers([f"{server.url}/not", f"{server.url}/there"])
    assert not reach.any_answers([f"{server.url}/not", f"{server.url}/neither"])


def test_a_failure_is_remembered_for_its_own_purpose_and_for_a_day(tmp_path, monkeypatch):
    assert not reach.failed_lately(tmp_path, "plugin docker")
    reach.remember_failure(tmp_path, "plugin docker")
    assert reach.failed_lately(tmp_path, "plugin docker")
    assert not reach.failed_lately(tmp_path, "plugin random")
    now = reach.time.time()
    monkeypatch.setattr(reach.time, "time", lambda: now + reach.REMEMBERED_SECONDS + 1)
    assert not reach.failed_lately(tmp_path, "plugin docker")


@pytest.mark.parametrize("text", ["", "[]", '{"plugin docker": "x"}', "{"])
def test_a_damaged_memory_counts_as_none(tmp_path, text):
    (tmp_path / "reach.json").write_text(text)
    assert not reach.failed_lately(tmp_path, "plugin docker")
    reach.remember_failure(tmp_path, "plugin docker")
    assert reach.failed_lately(tmp_path, "plugin docker")


def test_the_registries_that_do_not_answer_are_named(monkeypatch):
    asked = []

    def answers(url, statuses, method):
        asked.append((url, set(statuses), method))
        return "there" in url

    monkeypatch.setattr(reach, "answers", answers)
    assert registry.unreachable(["there.example", "gone.example", "there.example"]) == ["gone.example"]
    assert sorted(asked) == [
        ("https://gone.example/v2/", {200, 401}, "GET"),
        ("https://there.example/v2/", {200, 401}, "GET"),
    ]
    assert registry.unreachable([]) == []
