"""The docker stand-in's answers to the engine, without a daemon."""

import asyncio
import threading

import docker.errors
import pytest
import requests
from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue

from toolchain.plugins.common.errors import InitFailed, UserError
from toolchain.plugins.common.official import Official
from toolchain.plugins.common.values import UNKNOWN, plain_map, property_map, secret_keys, to_property
from toolchain.plugins.docker import client, container, errors
from toolchain.plugins.docker.client import Daemon
from toolchain.plugins.docker.operation import Operation
from toolchain.plugins.docker.provider import DockerProvider

CONTAINER = "urn:pulumi:dev::p::my:index:Stack$docker:index/container:Container::web"
VOLUME = "urn:pulumi:dev::p::docker:index/volume:Volume::data"
SECRET = "hunter2hunter2"


@pytest.fixture
def provider(monkeypatch):
    def no_daemon(settings):
        raise AssertionError("the daemon was asked")

    monkeypatch.setattr(client, "daemon_of", no_daemon)
    return DockerProvider(Official("docker", "5.2.0"))


def check(provider, urn, inputs, old=None):
    return asyncio.run(provider.check(api.CheckRequest(urn, property_map(old or {}), inputs, b"seed")))


def test_check_and_diff_never_ask_the_daemon(provider):
    inputs = check(provider, CONTAINER, property_map({"image": "i"})).inputs
    found = asyncio.run(provider.diff(api.DiffRequest(CONTAINER, "1", inputs, inputs, [])))
    assert found.changes is False


def test_a_child_of_a_component_is_known_by_its_own_type(provider):
    assert not check(provider, CONTAINER, property_map({"image": "i"})).failures


def test_a_type_that_is_not_known_is_refused_by_name(provider):
    with pytest.raises(UserError, match=r"docker:index/service:Service is a type that this plugin does not have.*stand-in"):
        check(provider, "urn:pulumi:dev::p::docker:index/service:Service::s", {})


def test_a_function_is_refused_by_name(provider):
    with pytest.raises(UserError, match="docker:index/getNetwork:getNetwork is a function"):
        asyncio.run(provider.invoke(api.InvokeRequest("docker:index/getNetwork:getNetwork", {})))


def test_failures_name_no_property_since_the_engine_would_print_its_value(provider):
    failures = check(provider, CONTAINER, property_map({"image": "i", "envs": SECRET}, ["envs"])).failures
    assert [(failure.property, failure.reason) for failure in failures] == [("", "envs must be a list without order")]


def test_check_keeps_each_secret_marked_where_it_stands(provider):
    uploads = PropertyValue([to_property({"file": "/x"}), to_property({"file": "/y"})])
    marked = PropertyValue(
        [
            PropertyValue({"file": PropertyValue("/x"), "content": PropertyValue(SECRET, is_secret=True)}),
            to_property({"file": "/y", "content": "open"}),
        ]
    )
    assert uploads != marked
    inputs = check(provider, CONTAINER, {**property_map({"image": "i"}), "uploads": marked}).inputs
    first, second = inputs["uploads"].value
    assert first.value["content"].is_secret
    assert not second.contains_secret()
    assert plain_map(inputs)["uploads"][1] == {"file": "/y", "content": "open", "executable": False}


def test_a_preview_knows_the_inputs_and_leaves_the_rest_unknown(provider):
    inputs = property_map({"name": "web", "image": UNKNOWN, "envs": ["A=1"]})
    answer = asyncio.run(provider.create(api.CreateRequest(CONTAINER, inputs, 0, preview=True)))
    outputs = plain_map(answer.properties)
    assert outputs["name"] == "web"
    assert outputs["envs"] == ["A=1"]
    for key in ("image", "exitCode", "networkDatas", "hostname", "command"):
        assert outputs[key] == UNKNOWN


def test_a_list_with_one_secret_is_secret_as_a_whole_in_the_state(provider):
    envs = PropertyValue([PropertyValue("A=1"), PropertyValue(f"B={SECRET}", is_secret=True)])
    inputs = {**property_map({"name": "web", "image": "i"}), "envs": envs}
    answer = asyncio.run(provider.create(api.CreateRequest(CONTAINER, inputs, 0, preview=True)))
    assert secret_keys(answer.properties) == {"envs", "containerLogs"}
    assert answer.properties["envs"].is_secret


def test_replacing_a_container_deletes_it_first_and_an_update_does_not(provider):
    old = property_map({"name": "web", "image": "i", "envs": ["A=1"], "memory": 1})
    replaced = asyncio.run(provider.diff(api.DiffRequest(CONTAINER, "1", old, {**old, **property_map({"envs": ["A=2"]})}, [])))
    assert replaced.replaces == ["envs"]
    assert replaced.delete_before_replace
    updated = asyncio.run(provider.diff(api.DiffRequest(CONTAINER, "1", old, {**old, **property_map({"memory": 2})}, [])))
    assert updated.changes
    assert not updated.replaces
    assert not updated.delete_before_replace


def test_a_volume_with_a_name_of_the_programs_own_is_deleted_first_and_one_with_a_made_up_name_last(provider):
    # pulumi-terraform-bridge, pkg/tfbridge/schema.go: nameRequiresDeleteBeforeReplace
    for given, first in (({"name": "v"}, True), ({}, False)):
        inputs = check(provider, VOLUME, property_map({**given, "driver": "other"})).inputs
        old = {**inputs, **property_map({"driver": "local"})}
        found = asyncio.run(provider.diff(api.DiffRequest(VOLUME, "v", old, inputs, [])))
        assert found.replaces == ["driver"]
        assert found.delete_before_replace is first


def test_an_import_is_refused_in_one_sentence(provider):
    with pytest.raises(UserError, match="can't be imported"):
        asyncio.run(provider.read(api.ReadRequest(VOLUME, "v", {}, {})))


def test_settings_that_are_not_known_are_refused(provider):
    request = api.CheckRequest("urn", {}, property_map({"host": "unix:///x", "registryAuth": "[]"}), b"")
    [failure] = asyncio.run(provider.check_config(request)).failures
    assert failure.reason.startswith("registryAuth is a field of the official docker plugin")


def test_after_a_cancel_nothing_new_is_begun(provider):
    asyncio.run(provider.cancel())
    with pytest.raises(UserError, match="cancelled before it began"):
        asyncio.run(provider.delete(api.DeleteRequest(VOLUME, "v", property_map({"name": "v"}), 0)))


# The way to the daemon.


def test_ssh_is_refused_with_a_way_out():
    with pytest.raises(UserError, match=r"ssh://host.*forward the remote socket"):
        _ = Daemon("ssh://host").client


def test_a_daemon_that_does_not_answer_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"no Docker daemon answers at unix:///.*start Docker, or point docker:host") as raised:
        _ = Daemon(f"unix://{tmp_path}/none.sock").client
    assert "\n" not in str(raised.value)


def test_a_context_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(UserError, match="context 'nowhere'"):
        _ = Daemon(context="nowhere").client


def test_docker_host_is_used_where_the_settings_name_no_daemon(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/elsewhere.sock")
    with pytest.raises(UserError, match=r"elsewhere\.sock"):
        _ = Daemon().client


# What the daemon says, said clearly.


def api_error(text):
    return docker.errors.APIError("500 Server Error", response=None, explanation=text)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (
            "driver failed programming external connectivity: Bind for 127.0.0.1:80 failed: port is already allocated",
            "port is already allocated: another container publishes 127.0.0.1:80",
        ),
        (
            "driver failed ...: Error starting userland proxy: listen tcp4 127.0.0.1:80: bind: address already in use",
            "address already in use: another program listens on 127.0.0.1:80",
        ),
        ("listen tcp4 10.9.8.7:80: bind: cannot assign requested address", "this machine has no address 10.9.8.7"),
        ("mkdir /var/lib/docker/x: no space left on device", "no space left on device: the disk"),
        ("No such image: x:latest", "No such image: x:latest"),
    ],
)
def test_what_the_daemon_says_becomes_one_clear_sentence(text, start):
    assert errors.sentence(api_error(text)).startswith(start)


def test_secrets_are_blanked_out_of_what_the_daemon_says():
    said = errors.sentence(api_error(f'exec: "{SECRET}": not found in {SECRET}x'), {SECRET, f"{SECRET}x"})
    assert SECRET not in said
    assert said.count("[secret]") == 2


def test_a_broken_connection_is_told_without_its_inside():
    assert (
        errors.sentence(requests.exceptions.ConnectionError("HTTPConnectionPool(...)"))
        == "the connection to the Docker daemon broke"
    )


# A container that was begun and not finished.


class FakeClient:
    """A stand-in for the SDK's client, in this test only: it records what is done and fails where it is told to."""

    def __init__(self, fail: str, removable: bool = True) -> None:
        self.fail, self.removable, self.done = fail, removable, []

    def inspect_image(self, name):
        return {"Id": "sha256:i"}

    def create_container_from_config(self, body, name):
        return {"Id": "1"}

    def _step(self, name):
        self.done.append(name)
        if name == self.fail:
            raise api_error(f"{name} failed with {SECRET}")

    def disconnect_container_from_network(self, *a):
        self._step("disconnect")

    def connect_container_to_network(self, *a, **k):
        self._step("connect")

    def put_archive(self, *a):
        self._step("upload")

    def start(self, *a):
        self._step("start")

    def remove_container(self, *a, **k):
        self.done.append("remove")
        if not self.removable:
            raise api_error("device busy")


class FakeDaemon:
    def __init__(self, fake) -> None:
        self.client = fake


INPUTS = {"name": "c", "image": "i", "networksAdvanced": [{"name": "n"}], "uploads": [{"file": "/x", "content": "x"}]}


@pytest.mark.parametrize("step", ["disconnect", "connect", "upload", "start"])
def test_a_container_that_could_not_be_started_is_removed_again(step):
    fake = FakeClient(step)
    operation = Operation(FakeDaemon(fake), threading.Event(), frozenset({SECRET}))
    with pytest.raises(UserError, match=step) as raised:
        container.create(operation, INPUTS)
    assert fake.done[-1] == "remove"
    assert SECRET not in str(raised.value)


def test_a_container_that_can_neither_be_started_nor_removed_stays_in_the_state():
    fake = FakeClient("start", removable=False)
    operation = Operation(FakeDaemon(fake), threading.Event(), frozenset({SECRET}))
    with pytest.raises(InitFailed, match="could not be removed again") as raised:
        container.create(operation, INPUTS)
    assert raised.value.resource_id == "1"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (docker.errors.NotFound("gone"), "is gone"),
        (requests.exceptions.ReadTimeout("read timed out"), "could not be read"),
        (KeyError(SECRET), "KeyError"),
    ],
)
@pytest.mark.parametrize("must_run", [True, False])
def test_a_container_that_was_started_is_never_forgotten(error, reason, must_run):
    fake = FakeClient("nothing")

    def fail(container_id):
        raise error

    fake.inspect_container = fail
    operation = Operation(FakeDaemon(fake), threading.Event(), frozenset({SECRET}))
    with pytest.raises(InitFailed, match=reason) as raised:
        container.create(operation, {**INPUTS, "mustRun": must_run})
    assert raised.value.resource_id == "1"
    assert SECRET not in str(raised.value)
    assert "remove" not in fake.done


def test_a_container_whose_creation_is_cancelled_is_removed_again():
    fake, cancelled = FakeClient("nothing"), threading.Event()
    cancelled.set()
    with pytest.raises(UserError, match="cancelled"):
        container.create(Operation(FakeDaemon(fake), cancelled), INPUTS)
    assert fake.done[-1] == "remove"
    assert "start" not in fake.done
