"""What a pod may do, what it gets, and when it is killed."""

import pytest

from components.service import Edge, Health, Image, Kind
from components.targets.kubernetes.resources import quantity
from components.targets.kubernetes.security import unrestricted
from tests.unit.components.targets.kubernetes.making import container, data, pod, render, service

STUB = Image("it", "supastack.local/stub:1", "stub")


def test_a_pod_is_nothing_but_its_own_user():
    found = render(service())["supabase-it"]
    assert pod(found)["securityContext"] == {
        "seccompProfile": {"type": "RuntimeDefault"},
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "fsGroup": 1000,
        "fsGroupChangePolicy": "OnRootMismatch",
    }
    assert container(found)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_the_preparing_container_is_no_freer():
    spec = pod(render(service(volumes=(data(owned=True),)))["supabase-it"])
    assert spec["initContainers"][0]["securityContext"] == spec["containers"][0]["securityContext"]


def test_what_must_start_as_root_is_named_with_the_reason():
    known = service("known")
    unknown = service("unknown", image=Image("unknown", "unknown:1"))
    sudo = service("sudo", gains_privileges=True)
    logs = service("logs", collects_logs=True)
    off = service("off", off=True, image=Image("off", "off:1"))
    found = unrestricted([known, unknown, sudo, logs, off, service("stub", image=STUB, gains_privileges=True)])
    assert set(found) == {"unknown", "sudo"}
    assert "not known" in found["unknown"]
    assert "sudo" in found["sudo"]


def test_it_gets_back_what_stepping_down_takes_and_no_more():
    found = container(render(service(image=Image("it", "it:1")))["supabase-it"])["securityContext"]
    assert found["capabilities"] == {"drop": ["ALL"], "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]}
    assert found["allowPrivilegeEscalation"] is False
    sudo = container(render(service(gains_privileges=True))["supabase-it"])["securityContext"]
    assert sudo["allowPrivilegeEscalation"] is True


def test_a_root_file_system_is_open_only_where_it_is_not_known_what_is_written():
    assert not container(render(service(writable=None))["supabase-it"])["securityContext"]["readOnlyRootFilesystem"]
    assert container(render(service(writable=None, image=STUB))["supabase-it"])["securityContext"]["readOnlyRootFilesystem"]


@pytest.mark.parametrize("stateful", [True, False])
def test_nobody_is_killed_for_what_the_health_check_says(stateful):
    """It may ask the database: one that is away would take all others with it."""
    found = container(render(service(volumes=(data(),) if stateful else ()))["supabase-it"])
    assert "exec" not in found["livenessProbe"]
    assert found["livenessProbe"]["tcpSocket"] == {"port": 8080}
    assert found["readinessProbe"]["exec"] == found["startupProbe"]["exec"] == {"command": ["check", "me"]}


def patience(probe):
    return probe["failureThreshold"] * probe["periodSeconds"]


def test_a_start_is_given_ten_minutes_and_one_with_data_an_hour():
    assert patience(container(render(service())["supabase-it"])["startupProbe"]) == 600
    assert patience(container(render(service(volumes=(data(),)))["supabase-it"])["startupProbe"]) == 3600
    # Its check may ask a database that recovers from a crash just then.
    database = service("postgres", provides={"postgres": "http"})
    for start_within, seconds in ((None, 3600), (60, 60)):
        asking = service(connects=(Edge("postgres"),), start_within=start_within)
        assert patience(container(render(asking, database)["supabase-it"])["startupProbe"]) == seconds
    odd = service(health=Health(("check",), interval=7))
    assert 600 <= patience(container(render(odd)["supabase-it"])["startupProbe"]) < 607


def test_a_check_that_costs_much_is_run_at_its_own_pace_once_the_service_is_up():
    found = container(render(service(health=Health(("check",), interval=30)))["supabase-it"])
    assert (found["startupProbe"]["periodSeconds"], found["readinessProbe"]["periodSeconds"]) == (5, 30)


def test_without_a_health_check_the_port_tells():
    found = container(render(service(health=None))["supabase-it"])
    assert found["readinessProbe"]["tcpSocket"] == {"port": 8080}


def test_a_job_is_asked_nothing():
    found = container(render(service(kind=Kind.JOB))["supabase-it"])
    assert not {"startupProbe", "readinessProbe", "livenessProbe"} & set(found)


def given(*, kept=False, **settings):
    found = render(service("rest", volumes=(data(),) if kept else ()), **settings)["supabase-rest"]
    return container(found)["resources"]


@pytest.mark.parametrize(
    ("profile", "memory", "cpu"), [("small", "64Mi", "25m"), ("medium", "128Mi", "100m"), ("large", "256Mi", "250m")]
)
def test_a_profile_multiplies_what_the_service_needs(profile, memory, cpu):
    found = given(profile=profile)
    assert found["limits"]["memory"] == memory
    assert found["requests"]["cpu"] == cpu


def test_what_keeps_data_has_all_its_memory_set_aside():
    assert given(kept=True)["requests"]["memory"] == given(kept=True)["limits"]["memory"] == "64Mi"
    assert given()["requests"]["memory"] == "32Mi"


def test_the_settings_of_a_service_win():
    own = {"cpuRequest": "0.5", "cpuLimit": "2", "memoryRequest": "100mb", "memoryLimit": "1gb"}
    found = given(resources={"rest": own})
    assert {k: found[k]["cpu"] for k in found} == {"limits": "2", "requests": "500m"}
    assert {k: found[k]["memory"] for k in found} == {"limits": "1Gi", "requests": "100Mi"}


def test_a_request_is_never_above_its_limit():
    found = given(kept=True, resources={"rest": {"cpuLimit": "50m", "memoryLimit": "32mb"}})
    assert (found["requests"]["cpu"], found["requests"]["memory"]) == ("50m", "32Mi")
    found = given(resources={"rest": {"cpuRequest": "3", "memoryRequest": "1gb"}})
    assert (found["limits"]["cpu"], found["limits"]["memory"]) == ("3", "1Gi")


@pytest.mark.parametrize(("size", "written"), [(2**30, "1Gi"), (3 * 2**19, "1536Ki"), (2**20, "1Mi"), (1000, "1000")])
def test_sizes_are_written_as_they_are_read_back(size, written):
    assert quantity(size) == written
