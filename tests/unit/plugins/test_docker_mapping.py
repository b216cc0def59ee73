"""From a container's inputs to the Engine API, and back from `docker inspect`."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.plugins.docker.container_config import create_body, endpoint, update_arguments
from toolchain.plugins.docker.container_state import read_back
from toolchain.plugins.docker.durations import format_duration, parse_duration
from toolchain.plugins.docker.uploads import archive


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("10s", 10_000_000_000),
        ("1m30s", 90_000_000_000),
        ("500ms", 500_000_000),
        ("1.5h", 5_400_000_000_000),
    ],
)
def test_durations_are_go_s(text, nanoseconds):
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "10", "s", "1d", "1 s", "-1s", "1s x"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (90_000_000_000, "1m30s"),
        (60_000_000_000, "1m0s"),
        (500_000_000, "500ms"),
        (3_600_000_000_000, "1h0m0s"),
        (1_500, "1.5µs"),
    ],
)
def test_durations_are_printed_as_go_does(nanoseconds, text):
    assert format_duration(nanoseconds) == text


@given(st.integers(min_value=0, max_value=10**17))
def test_a_printed_duration_reads_back_the_same(nanoseconds):
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


def test_megabytes_become_bytes_and_no_limit_stays_so():
    host = create_body({"image": "i", "memory": 64, "memorySwap": -1, "memoryReservation": 32, "shmSize": 1})["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["MemoryReservation"]) == (64 * 2**20, -1, 32 * 2**20)
    assert host["ShmSize"] == 2**20
    assert update_arguments({"memory": 64, "memorySwap": -1})["memswap_limit"] == -1


def test_cpus_are_counted_exactly():
    assert create_body({"image": "i", "cpus": "0.1"})["HostConfig"]["NanoCpus"] == 100_000_000


def test_cpus_win_over_period_and_quota():
    host = create_body({"image": "i", "cpus": "1", "cpuPeriod": 1000, "cpuQuota": 1000})["HostConfig"]
    assert "CpuPeriod" not in host
    assert "CpuQuota" not in host


def test_ports_are_exposed_and_bound():
    body = create_body(
        {
            "image": "i",
            "ports": [
                {"internal": 80, "external": 8080, "ip": "127.0.0.1", "protocol": "tcp"},
                {"internal": 53, "protocol": "udp"},
            ],
        }
    )
    assert body["ExposedPorts"] == {"80/tcp": {}, "53/udp": {}}
    assert body["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
        "53/udp": [{"HostIp": "", "HostPort": ""}],
    }


def test_volumes_are_bound_and_a_host_path_wins_over_a_name():
    volumes = [
        {"volumeName": "v", "containerPath": "/a"},
        {"hostPath": "/h", "volumeName": "v", "containerPath": "/b", "readOnly": True},
        {"containerPath": "/anonymous"},
    ]
    body = create_body({"image": "i", "volumes": volumes})
    assert body["HostConfig"]["Binds"] == ["v:/a:rw", "/h:/b:ro"]
    assert set(body["Volumes"]) == {"/a", "/b", "/anonymous"}


def test_nothing_is_sent_for_what_the_program_does_not_say():
    body = create_body({"image": "i"})
    assert set(body) == {"Image", "HostConfig"}
    assert body["HostConfig"] == {
        "Init": False,
        "LogConfig": {"Type": "", "Config": {}},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    }


def test_aliases_are_sorted():
    assert endpoint({"name": "n", "aliases": ["b", "a"]})["Aliases"] == ["a", "b"]


def test_uploads_are_one_archive_with_the_modes_asked_for(tmp_path):
    source = tmp_path / "file"
    source.write_bytes(b"\0\1")
    data = archive(
        [
            {"file": "/a", "content": "ä"},
            {"file": "/b", "contentBase64": "AAE=", "executable": True},
            {"file": "/c", "source": str(source), "permissions": "0600", "executable": True},
        ]
    )
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = {entry.name.lstrip("/"): (entry.mode, entry.uid, tar.extractfile(entry).read()) for entry in tar}
    assert found == {"a": (0o644, 0, "ä".encode()), "b": (0o744, 0, b"\0\1"), "c": (0o600, 0, b"\0\1")}


def inspected(**state):
    return {
        "Id": "1",
        "Name": "/c",
        "Image": "sha256:abc",
        "Config": {"Image": "repo:tag"},
        "HostConfig": {"RestartPolicy": {}, "LogConfig": {}},
        "NetworkSettings": {"Ports": {}, "Networks": {}},
        "State": {"Running": True, "ExitCode": 0, **state},
    }


def test_the_image_is_read_in_the_program_s_own_spelling():
    assert read_back(inspected(), {"image": "sha256:old"})["image"] == "sha256:abc"
    assert read_back(inspected(), {"image": "repo:tag"})["image"] == "repo:tag"


def test_a_stopped_container_that_must_run_is_read_as_not_running_and_keeps_its_ports():
    state = read_back(inspected(Running=False, ExitCode=137), {"image": "i", "mustRun": True, "ports": [{"internal": 1}]})
    assert state["mustRun"] is False
    assert state["exitCode"] == 137
    assert state["ports"] == [{"internal": 1}]


def test_a_stopped_job_is_as_it_should_be():
    state = read_back(inspected(Running=False, ExitCode=3), {"image": "i", "mustRun": False})
    assert state["mustRun"] is False
    assert state["exitCode"] == 3


def test_a_container_that_is_not_to_be_started_may_stand_still():
    assert read_back(inspected(Running=False), {"image": "i", "mustRun": True, "start": False})["mustRun"] is True


def test_ports_are_read_sorted_by_the_port_inside():
    found = inspected()
    found["NetworkSettings"]["Ports"] = {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
        "9/udp": [{"HostIp": "0.0.0.0", "HostPort": "9"}],
        "443/tcp": None,
    }
    ports = read_back(found, {"image": "i"})["ports"]
    assert [(port["internal"], port["external"], port["protocol"]) for port in ports] == [(9, 9, "udp"), (80, 8080, "tcp")]


def test_environment_labels_volumes_and_uploads_are_not_read_back():
    known = {"image": "i", "envs": ["A=1"], "labels": [], "volumes": [{"containerPath": "/x"}], "uploads": [{"file": "/x"}]}
    state = read_back(inspected(), known)
    assert {key: state[key] for key in known if key != "image"} == {key: value for key, value in known.items() if key != "image"}
