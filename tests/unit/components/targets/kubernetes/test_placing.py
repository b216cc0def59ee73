"""A component's services in a cluster, under a mocked engine."""

import pulumi
import pytest

from components import placing
from components.endpoints import Endpoint, Viewpoint
from components.service import Edge, Gate, Kind, Port, Secret, Volume, text
from tests.conftest import holders_of, unwrapped
from tests.unit.components.targets.kubernetes.making import data, kubernetes, service

PASSWORD = "correct horse battery staple"


def services(login=None):
    env = {"PASSWORD": text(Secret("database-password")), "URL": text("postgres://x:", Secret("database-password"), "@db")}
    return [
        service(
            "db",
            env=env,
            volumes=(data(paired_secret="database-password", paired_setting="supastack:databasePassword", login_secret=login),),
            ports=(Port("db", 5432, publish="postgres"),),
            provides={"db": "db"},
        ),
        service("app", connects=(Edge("db", Gate.HEALTHY),), provides={"app": "http"}),
        service("setup", kind=Kind.JOB, env=env, connects=(Edge("db", Gate.HEALTHY),), ports=()),
    ]


@pytest.fixture
def placed(engine):
    """The recorder, and what `place` gave."""

    def run(login=None, password=PASSWORD, **over):
        found = {}

        class Component(pulumi.ComponentResource):
            """Something that places services."""

            def __init__(self) -> None:
                super().__init__("supastack:index:One", "one", {})
                where = kubernetes()
                where |= {"stack_id": pulumi.Output.from_input("feedfacefeedface"), **over}
                where["kubernetes"] = {**where["kubernetes"], "namespace": pulumi.Output.from_input("shop-prod")}
                secrets = {"database-password": pulumi.Output.secret(password), "login": pulumi.Output.secret(str(login))}
                found["placed"] = placing.place(self, "one", where, services(None if login is None else "login"), secrets)
                self.register_outputs({"ready": found["placed"].ready})

        return engine(Component), found["placed"]

    return run


def test_everything_is_a_child_of_its_component(placed):
    recorder, _ = placed()
    own = {name: r for name, r in recorder.requests.items() if r.type.startswith("kubernetes:")}
    assert {"one-db", "one-app", "one-setup", "one-credentials-secret", "one-db-env", "one-db-service"} <= set(own)
    assert all(r.parent.endswith("supastack:index:One::one") for r in own.values())


def test_secrets_go_over_as_secrets_and_only_in_secrets(placed):
    recorder, _ = placed()
    for name, request in recorder.requests.items():
        wire = recorder.inputs(name)
        assert holders_of(PASSWORD, wire) == set()
        if request.type == "kubernetes:core/v1:Secret":
            assert holders_of("Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==", wire) <= {"secret"}


def test_the_secret_holds_the_value(placed):
    recorder, _ = placed()
    data = unwrapped(recorder.inputs("one-credentials-secret"))["data"]
    assert data == {"database-password": "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ=="}


def test_the_mark_of_secrets_is_no_secret_and_tells_nothing(placed):
    recorder, _ = placed()
    notes = recorder.inputs("one-db")["spec"]["template"]["metadata"]["annotations"]
    assert len(notes["supastack.io/secrets"]) == 16
    # It is made with a key of its own, which only the state has.
    assert "one-mark" in recorder.requests


def test_a_job_is_named_by_its_content_and_what_it_waits_for_comes_before(placed):
    recorder, _ = placed()
    assert recorder.inputs("one-setup")["metadata"]["name"].startswith("setup-")
    assert "one-db" in [urn.rsplit("::", 1)[-1] for urn in recorder.requests["one-setup"].dependencies]


def test_the_claim_is_held_against_the_password_before_its_server_starts(placed):
    recorder, _ = placed()
    assert "one-data-pair" in [urn.rsplit("::", 1)[-1] for urn in recorder.requests["one-db"].dependencies]
    claim = recorder.inputs("one-db")["spec"]["volumeClaimTemplates"][0]
    mark = unwrapped(claim)["metadata"]["annotations"]["supastack.io/paired-secret"]
    told = unwrapped(recorder.inputs("one-data-pair"))
    assert mark in str(told)
    assert "data-db-0" in str(told)


def marks_of(recorder):
    claim = unwrapped(recorder.inputs("one-db")["spec"]["volumeClaimTemplates"][0])
    return claim["metadata"]["annotations"]["supastack.io/paired-secret"].split()


def test_a_claim_whose_password_follows_is_marked_with_the_login_of_the_job_too_and_no_other(placed):
    first = marks_of(placed(login="generated")[0])
    changed = marks_of(placed(login="generated", password="another")[0])
    lost = marks_of(placed(login="made anew", password="another")[0])
    assert len(first) == 2
    assert set(first) & set(changed) == {first[1]}
    assert not set(first) & set(lost)
    recorder, _ = placed(login="generated")
    assert unwrapped(recorder.inputs("one-data-pair"))["parameters"]["follows"]
    # Neither is shown: they would tell a guesser whether he is right.
    assert holders_of(first[0], recorder.inputs("one-db")) == {"secret"}


def test_everything_is_in_the_namespace_that_the_foundation_made(placed):
    recorder, _ = placed()
    assert {
        recorder.inputs(name)["metadata"]["namespace"]
        for name, r in recorder.requests.items()
        if r.type.startswith("kubernetes:")
    } == {"shop-prod"}


def test_inside_a_service_is_its_name_and_for_the_cluster_its_full_one(placed):
    _, found = placed()
    assert found.endpoint("db", Viewpoint.INSIDE) == Endpoint("db", 5432)
    assert found.endpoint("db") == Endpoint("db.shop-prod.svc.cluster.local", 5432)
    # What is not published is the stack's own.
    assert found.endpoint("app", Viewpoint.INSIDE) == Endpoint("app", 8080)
    assert found.endpoint("app") is None


def test_ready_is_known_once_every_workload_is_there(placed):
    recorder, _ = placed()
    assert recorder.outputs["one"]["ready"] == ["one-db-id", "one-app-id", "one-setup-id"]


def test_a_volume_that_may_be_lost_has_no_pair(engine):
    """A service with a paired volume that is none of a claim's would be checked against nothing."""

    class Component(pulumi.ComponentResource):
        """Something that places one service."""

        def __init__(self) -> None:
            super().__init__("supastack:index:One", "one", {})
            volume = Volume("data", "/data", precious=False, paired_secret="database-password")
            secrets = {"database-password": pulumi.Output.secret(PASSWORD)}
            placing.place(self, "one", kubernetes(), [service(volumes=(volume,))], secrets)
            self.register_outputs({})

    assert "one-data-pair" not in engine(Component).requests
