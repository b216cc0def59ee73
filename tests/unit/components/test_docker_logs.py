"""What the Docker target gives a service that collects logs."""

import pulumi
import pytest

from components.service import File, Image, Logs, LogsPart, Resources, Service, text
from components.targets import docker, labels
from tests.conftest import unwrapped
from tests.unit.components.placements import placement


class Component(pulumi.ComponentResource):
    """Something that places services."""

    def __init__(self, services, **over) -> None:
        super().__init__("supastack:index:Logs", "logs", {})
        docker.place(self, "logs", placement(stack_id=pulumi.Output.from_input("feedfacefeedface"), **over), services, {})
        self.register_outputs({})


def collector(kind="registry", **over):
    return Service(
        name="collector",
        image=Image("vector", "timberio/vector:1", kind),
        resources=Resources(memory_mib=64),
        files=(File("/config", text("sources: ", Logs(LogsPart.SOURCE), "\nservice: ", Logs(LogsPart.SERVICE), "\n")),),
        collects_logs=True,
        **over,
    )


@pytest.fixture
def placed(engine):
    """The inputs of the container of a collector."""

    def place(service, **over):
        return unwrapped(engine(lambda: Component([service], **over)).inputs("logs-collector"))

    return place


def test_the_source_is_the_containers_of_this_stack_and_of_no_other(placed):
    (file,) = placed(collector())["uploads"]
    assert file["content"] == (
        f'sources: {{"include_labels": ["{labels.STACK_ID}=feedfacefeedface"], "type": "docker_logs"}}\n'
        f'service: .label."{labels.SERVICE}"\n'
    )


def test_a_collector_sees_the_daemons_socket_wherever_it_lies_and_can_not_write_to_it(placed):
    for over, path in (({}, "/var/run/docker.sock"), ({"socket": "/run/user/1000/docker.sock"}, "/run/user/1000/docker.sock")):
        (volume,) = placed(collector(), **over)["volumes"]
        assert (volume["hostPath"], volume["containerPath"], volume["readOnly"]) == (path, "/var/run/docker.sock", True)


def test_selinux_lets_a_collector_read_the_socket(placed):
    assert placed(collector())["securityOpts"] == ["no-new-privileges:true", "label=disable"]
    assert placed(collector(gains_privileges=True))["securityOpts"] == ["label=disable"]


def test_a_stub_gets_neither_the_socket_nor_a_way_past_selinux(placed):
    found = placed(collector("stub"))
    assert not found.get("volumes")
    assert found["securityOpts"] == ["no-new-privileges:true"]
