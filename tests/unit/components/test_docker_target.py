"""What the Docker target writes in Docker's own terms."""

import pulumi
import pytest

from components.service import Health, Image, Kind, Resources, Service
from components.targets import docker
from tests.conftest import unwrapped
from tests.unit.components.placements import placement


@pytest.mark.parametrize(
    ("seconds", "written"), [(0, "0s"), (5, "5s"), (60, "1m0s"), (90, "1m30s"), (3600, "1h0m0s"), (3725, "1h2m5s")]
)
def test_durations_are_written_as_go_reads_them_back(seconds, written):
    assert docker._duration(seconds) == written


@pytest.fixture
def health_check(engine):
    """The health check that a service's container gets; None: its image's."""

    def of(**about):
        class Component(pulumi.ComponentResource):
            """Something that places one service."""

            def __init__(self) -> None:
                super().__init__("supastack:index:One", "one", {})
                service = Service(name="it", image=Image("it", "it:1"), resources=Resources(memory_mib=64), **about)
                docker.place(self, "one", placement(stack_id=pulumi.Output.from_input("feedfacefeedface")), [service], {})
                self.register_outputs({})

        return unwrapped(engine(Component).inputs("one-it")).get("healthcheck")

    return of


def test_a_job_has_no_health_check_not_even_its_images(health_check):
    found = health_check(kind=Kind.JOB)
    assert found["tests"] == ["NONE"]
    # The daemon would fill in the image's figures for those that are 0, and the next refresh would see a change.
    assert not {key: value for key, value in found.items() if value in (0, "0s")}


def test_a_server_without_a_health_check_of_its_own_has_its_images(health_check):
    assert health_check() is None


def test_a_servers_own_health_check_is_run_without_a_shell(health_check):
    found = health_check(health=Health(("pg_isready",), interval=7))
    assert (found["tests"], found["interval"]) == (["CMD", "pg_isready"], "7s")
