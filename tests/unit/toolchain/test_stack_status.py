"""All instances on a machine, told from labels alone, as text and as data."""

import json
from types import SimpleNamespace

import pytest
from test_stack_docker import OURS, THEIRS, Fake, container, labels

from toolchain.announce import ToolchainError
from toolchain.preview import command as preview
from toolchain.smoke import command as smoke
from toolchain.stack import docker_access, operations, status, status_report
from toolchain.stack.docker_access import Published, Thing, _published
from toolchain.stack.engine import Engine
from toolchain.stack.state import Output
from toolchain.stack.status import States


def server(name, **more):
    more.setdefault("component", "supabase")
    more.setdefault("service", name)
    more.setdefault("kind", "server")
    return container(name, **{"image-kind": "local", "optional": "false", **more})


def volume(name, stack_id=OURS, stack="dev", precious="true"):
    return Thing(name, name, labels(stack_id, stack, precious=precious))


def look(daemon, states=None):
    return status.look(daemon, "the socket", states or States())


def test_each_project_stack_and_id_is_an_instance_of_its_own():
    daemon = Fake(
        [server("a"), server("b", stack="dev-2", stack_id=THEIRS), server("c")],
        all_volumes=[volume("v3", "3" * 16, "dev-3")],
    )
    found = look(daemon)
    assert [(i.stack, i.state, [s.container for s in i.services]) for i in found] == [
        ("dev", "up", ["a", "c"]),
        ("dev-2", "up", ["b"]),
        ("dev-3", "down", []),
    ]


def test_two_stacks_of_one_name_but_other_ids_are_not_one():
    found = look(Fake([server("a")], all_volumes=[volume("v", THEIRS)]))
    assert [(i.stack_id, i.state) for i in found] == [(OURS, "up"), (THEIRS, "down")]


def test_what_is_optional_does_not_make_an_instance_unwell():
    ill = server("studio", health="unhealthy", optional="true")
    assert look(Fake([server("rest"), ill]))[0].state == "up"
    assert look(Fake([server("rest", health="unhealthy")]))[0].state == "not well"


def test_a_volume_that_is_not_precious_is_no_instance():
    assert look(Fake(all_volumes=[volume("cache-of-functions", precious="false")])) == []


def test_a_container_that_its_stacks_state_does_not_know_is_an_orphan_and_without_the_state_nobody_can_tell():
    known = States({("supastack", "dev", OURS): frozenset({"id-a"})}, complete=True)
    daemon = Fake([server("a"), server("b"), server("c", stack="dev-2", stack_id=THEIRS)])
    mine, theirs = look(daemon, known)
    assert [(s.container, s.orphan) for s in mine.services] == [("a", False), ("b", True)]
    assert mine.known
    ill = Fake([server("a"), server("b", status="exited", exit_code=1)])
    assert look(ill, known)[0].state == "up", "it is no part of the instance"
    assert theirs.known is False
    assert theirs.services[0].orphan is None
    assert look(daemon, States(known.containers, complete=False))[1].known is None


def test_the_text_tells_state_image_port_and_groups_what_is_optional():
    gateway = server("gateway", **{"image-kind": "registry"})
    gateway = type(gateway)(**{**gateway.__dict__, "ports": (Published("127.0.0.1", 54321, 8000),)})
    studio = server("studio", health="unhealthy", optional="true", **{"image-kind": "stub"})
    job = server("buckets", status="exited", health=None, kind="job")
    text = status_report.text(look(Fake([studio, gateway, job])), None)
    assert text.splitlines() == [
        "Instances on this machine:",
        "",
        f"  supastack dev ({OURS}): up, 2 of 2 services well",
        "    gateway  running, healthy    img (real)              127.0.0.1:54321",
        "    buckets  done                img (real, built here)",
        "    optional:",
        "    studio   running, unhealthy  img (stub)",
    ]


def test_the_instance_that_is_told_of_elsewhere_is_left_out():
    instances = look(Fake([server("a"), server("b", stack="dev-2", stack_id=THEIRS)]))
    text = status_report.text(instances, instances[0])
    assert text.startswith("Other instances on this machine:")
    assert "dev-2" in text
    assert OURS not in text
    assert status_report.text(instances[:1], instances[0]) == ""


def test_an_orphan_and_an_instance_of_another_clone_are_marked():
    states = States({("supastack", "dev", OURS): frozenset()}, complete=True)
    text = status_report.text(look(Fake([server("a"), server("b", stack="dev-2", stack_id=THEIRS)]), states), None)
    assert "orphan: its stack's state does not know it" in text
    assert "of another clone, or its state is lost" in text
    assert text.count("orphan") == 1


def test_kept_data_is_named():
    text = status_report.text(look(Fake(all_volumes=[volume("db-data")])), None)
    assert "down; its data is kept in db-data" in text


def test_the_data_has_every_field_of_a_service_and_can_be_json():
    (instance,) = status_report.data(look(Fake([server("a")])))
    assert instance["ofThisClone"] is None
    assert set(instance) == {"project", "stack", "stackId", "daemon", "cluster", "state", "ofThisClone", "services", "volumes"}
    (service,) = json.loads(json.dumps(instance["services"]))
    assert service == {
        "component": "supabase",
        "service": "a",
        "container": "a",
        "kind": "server",
        "optional": False,
        "status": "running",
        "health": "healthy",
        "state": "running, healthy",
        "well": True,
        "image": "img",
        "imageKind": "local",
        "ports": [],
        "orphan": None,
    }


def test_ports_are_those_that_a_container_is_to_have_whether_it_runs_or_not():
    bindings = {
        "8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "54321"}],
        "3000/tcp": [{"HostIp": "", "HostPort": "54323"}],
        "9999/tcp": None,
        "1/tcp": [{"HostIp": "", "HostPort": ""}],
    }
    assert _published(bindings) == (Published("127.0.0.1", 54321, 8000), Published("0.0.0.0", 54323, 3000))


@pytest.fixture
def two_daemons(monkeypatch):
    """The stack's daemon and another one, the first reached by two ways."""
    first, second = Fake([server("a")]), Fake([server("b", stack="dev-2", stack_id=THEIRS)])
    first.id, second.id = "one", "two"
    by_host = {"unix:///first": first, "unix:///alias": first, "unix:///second": second}

    class Connection:
        def __init__(self, context):
            self.daemon = by_host.get(context.env.get("DOCKER_HOST"))

        def __enter__(self):
            if self.daemon is None:
                raise ToolchainError("that daemon does not answer")
            return self.daemon

        def __exit__(self, *_):
            return False

    monkeypatch.setattr(status_report, "connect", Connection)
    hosts = ["unix:///alias", "unix:///second", "unix:///gone"]
    monkeypatch.setattr(status_report, "others", lambda context: [context.with_env(DOCKER_HOST=h) for h in hosts])


def test_every_daemon_is_asked_once_and_one_that_does_not_answer_is_noted(machine, two_daemons, capsys):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    context = machine.context().with_env(DOCKER_HOST="unix:///first")
    found = status_report.gather(context, None)
    assert [(i.stack, i.daemon) for i in found] == [("dev", "unix:///first"), ("dev-2", "unix:///second")]
    assert "that daemon does not answer" in capsys.readouterr().err
    assert "; on unix:///second" in status_report.text(found, None)


def test_on_a_machine_where_nothing_is_set_up_the_others_are_told_all_the_same(machine, two_daemons, capsys, monkeypatch):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    monkeypatch.setattr(operations, "locate", lambda context, _: context.with_env(DOCKER_HOST="unix:///first"))
    assert operations.status(machine.context()) == 1
    said = capsys.readouterr().out
    assert said.startswith("Nothing is set up here yet: make up.\n\nInstances on this machine:")
    assert "supastack dev-2" in said


def test_as_json_a_secret_is_left_out_unless_it_is_asked_for(machine, two_daemons, capsys, monkeypatch):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    monkeypatch.setattr(operations, "locate", lambda context, _: context.with_env(DOCKER_HOST="unix:///first"))

    told = {"DB_URL": Output("postgresql://u:hush@h/d", True), "API_URL": Output("http://h", False)}
    seen = operations._Seen("text", well=True, state=SimpleNamespace(outputs=told, stack_id=OURS, ids=lambda _: set()))
    monkeypatch.setattr(operations, "_has_engine", lambda _: True)
    monkeypatch.setattr(operations, "has_private_config", lambda _: False)
    monkeypatch.setattr(operations.prepare, "target", lambda _: "docker")
    monkeypatch.setattr(operations.prepare, "docker_host", lambda _: None)
    monkeypatch.setattr(operations, "_look", lambda *_, **__: seen)
    assert operations.status(machine.context(), as_json=True) == 0
    hidden = json.loads(capsys.readouterr().out)
    assert hidden["outputs"] == {"API_URL": "http://h"}
    assert [i["stack"] for i in hidden["instances"]] == ["dev", "dev-2"]
    operations.status(machine.context(), as_json=True, show_secrets=True)
    assert json.loads(capsys.readouterr().out)["outputs"]["DB_URL"].endswith("hush@h/d")


def test_who_asks_a_stack_that_is_nowhere_is_told_how_it_comes_up_and_where_else_its_state_may_be(machine, monkeypatch):
    machine.pulumi("9.9.9")
    context = machine.context("kpi", 2).with_engine(machine.bin / "pulumi")
    monkeypatch.setattr(smoke, "has_private_config", lambda _: False)
    monkeypatch.setattr(Engine, "read_state", lambda *_, **__: None)
    monkeypatch.setattr(Engine, "exists", lambda _: False)
    for ask, said in ((smoke.smoke, "nothing to ask"), (preview.show_drift, "nothing of it can have been changed")):
        with pytest.raises(ToolchainError, match=said) as told:
            ask(context)
        assert "`make up STACK=kpi INSTANCE=2` brings it up" in str(told.value)
        assert "PULUMI_BACKEND_URL" in str(told.value)
        assert "delivery.yaml" in str(told.value)
    with pytest.raises(ToolchainError, match=r"nothing is set up here yet.*make up STACK=kpi INSTANCE=2"):
        smoke.smoke(machine.context("kpi", 2))


def test_the_daemon_of_the_last_up_is_asked_and_no_other_while_it_is_silent(machine, monkeypatch):
    from toolchain.setup import docker as setup_docker

    context = machine.context()
    setup_docker.remember(context.with_env(DOCKER_HOST="unix:///srv/mine.sock"))
    monkeypatch.setattr(setup_docker, "candidates", lambda: [setup_docker.Daemon("unix:///other.sock", "another")])
    monkeypatch.setattr(setup_docker, "problem_of", lambda _: None)
    assert docker_access.locate(context, None).env["DOCKER_HOST"] == "unix:///srv/mine.sock"
    assert docker_access.locate(context, "unix:///set.sock").env["DOCKER_HOST"] == "unix:///set.sock"
    monkeypatch.setattr(setup_docker, "problem_of", lambda d: None if d.source == "another" else "nothing listens there")
    with pytest.raises(ToolchainError, match=r"mine\.sock does not answer: nothing listens there.*last `up`"):
        docker_access.locate(context, None)
    assert [c.env["DOCKER_HOST"] for c in docker_access.others(context)] == ["unix:///other.sock"]
