"""What the Docker probe refuses, on a faked daemon; integration tests hold the same on a real one."""

import socket
from types import SimpleNamespace

import pytest
from docker.errors import DockerException, NotFound
from requests.exceptions import ConnectionError  # noqa: A004 - the transport's own

from components import engine_log
from components.targets import docker_probe, labels
from components.targets.docker_health import Asked

OURS = "0123456789abcdef"
THEIRS = "fedcba9876543210"


def marks(stack_id, **more):
    return {labels.STACK_ID: stack_id, labels.STACK: "dev", **more}


@pytest.fixture
def daemon(monkeypatch):
    held = SimpleNamespace(containers=[], volumes=[], networks=[], states={}, base_url="http+docker://localhost")
    client = SimpleNamespace(
        base_url=held.base_url,
        containers=lambda all: held.containers,
        volumes=lambda: {"Volumes": held.volumes},
        networks=lambda names: held.networks,
        inspect_container=lambda name: held.states[name].pop(0) if len(held.states[name]) > 1 else held.states[name][0],
        inspect_volume=lambda name: next(v for v in held.volumes if v["Name"] == name),
    )
    monkeypatch.setattr(docker_probe, "_client", lambda host: client)
    monkeypatch.setattr(docker_probe, "_POLL_SECONDS", 0)
    held.client = client
    return held


def parameters(**over):
    return {
        "host": None,
        "stack_id": OURS,
        "network": "supastack-dev",
        "containers": ["supastack-dev-cache-valkey"],
        "ports": [],
        "volumes": [],
        **over,
    }


def before(**over):
    return docker_probe.before(parameters(**over), preview=False)


def volume(**over):
    return {
        "name": "data",
        "identity": "postgres-17",
        "setting": "supastack:release",
        "secret_setting": "supastack:databasePassword",
        **over,
    }


def port(number):
    return {"name": "cache", "port": number, "bind": "127.0.0.1", "service": "valkey"}


def test_an_empty_daemon_has_no_problems(daemon):
    assert before(volumes=[volume()]) == []


def test_a_daemon_that_does_not_answer_is_named_with_its_setting(monkeypatch):
    def fail(host):
        raise DockerException("connection refused")

    monkeypatch.setattr(docker_probe, "_client", fail)
    (problem,) = before(host="unix:///nowhere.sock")
    assert "unix:///nowhere.sock" in problem
    assert "supastack:docker.host" in problem


def test_a_port_of_our_own_stack_is_no_conflict(daemon):
    held = {"Labels": marks(OURS), "Ports": [{"PublicPort": 6379, "Type": "tcp"}]}
    daemon.containers = [{"Names": ["/supastack-dev-cache-valkey"], **held}]
    assert before(ports=[port(6379)]) == []


def test_a_port_that_is_handed_over_inside_the_stack_names_the_container_that_would_go_too_late(daemon):
    daemon.containers = [{"Names": ["/old"], "Labels": marks(OURS), "Ports": [{"PublicPort": 6379, "Type": "tcp"}]}]
    (problem,) = before(ports=[port(6379)])
    assert "wanted by valkey, is held by container old, for which the settings have no use any more" in problem
    assert "`docker rm --force old`" in problem


def test_a_port_of_another_stack_names_the_container_and_its_stack(daemon):
    daemon.containers = [{"Names": ["/theirs"], "Labels": marks(THEIRS), "Ports": [{"PublicPort": 6379, "Type": "tcp"}]}]
    (problem,) = before(ports=[port(6379)])
    for part in ("6379", "theirs", THEIRS, "valkey", "supastack:ports.cache"):
        assert part in problem


@pytest.mark.parametrize(
    ("stack_id", "name", "problems"), [(OURS, "supastack-dev-cache-valkey", 0), (THEIRS, "theirs", 1)], ids=["ours", "theirs"]
)
def test_a_port_is_its_containers_also_between_two_tries_of_a_restart(daemon, stack_id, name, problems):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        daemon.containers = [
            {"Id": "a", "Names": ["/gone-by-now"], "Labels": marks(OURS), "State": "running", "Ports": []},
            {"Id": "b", "Names": [f"/{name}"], "Labels": marks(stack_id), "State": "restarting", "Ports": []},
        ]
        bindings = {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(number)}], "53/udp": None}

        def inspect(container_id):
            if container_id == "a":
                raise NotFound("gone")
            return {"HostConfig": {"PortBindings": bindings}}

        daemon.client.inspect_container = inspect
        found = before(ports=[port(number)])
    assert len(found) == problems
    assert all("container theirs of" in p for p in found)


def test_a_port_of_a_process_names_the_process(daemon):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        (problem,) = before(ports=[port(number)])
    assert str(number) in problem
    assert "pid" in problem


def test_the_same_port_on_another_address_is_no_conflict(daemon):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    theirs = {"IP": "127.0.0.2", "PublicPort": number, "Type": "tcp"}
    daemon.containers = [{"Names": ["/x"], "Labels": {}, "Ports": [theirs]}]
    assert before(ports=[port(number)]) == []


def test_a_foreign_holder_is_not_hidden_by_our_own(daemon):
    daemon.containers = [
        {"Names": [f"/{name}"], "Labels": found, "Ports": [{"IP": address, "PublicPort": 6379, "Type": "tcp"}]}
        for name, found, address in (("theirs", {}, "0.0.0.0"), ("ours", marks(OURS), "127.0.0.1"))
    ]
    (problem,) = before(ports=[port(6379)])
    assert "theirs" in problem


def test_the_port_of_an_app_may_be_the_apps_but_not_another_stacks(daemon):
    app = {"name": "backend", "port": 9000, "bind": "127.0.0.1", "app": "kpi"}

    def having(marked):
        ports = [{"IP": "127.0.0.1", "PublicPort": 9000, "PrivatePort": 9000, "Type": "tcp"}]
        return [{"Id": "x", "Names": ["/holder"], "Labels": marked, "Ports": ports}]

    daemon.containers = having(marks(THEIRS))
    (problem,) = before(apps=[app])
    assert (
        "port 9000 on 127.0.0.1, which the env file of kpi gives to its app, is taken by container holder of Supastack" in problem
    )
    assert "supastack:ports.backend" in problem
    for fine in ({}, marks(OURS)):
        daemon.containers = having(fine)
        assert before(apps=[app]) == []
    assert before(apps=[{**app, "port": 9001}]) == []


def test_all_taken_ports_are_reported_together_and_sorted(daemon):
    daemon.containers = [
        {"Names": ["/x"], "Labels": {}, "Ports": [{"PublicPort": n, "Type": "tcp"} for n in (9000, 6379)]},
    ]
    problems = before(ports=[port(9000), port(6379)])
    assert [p.split()[1] for p in problems] == ["6379", "9000"]


def test_our_own_volume_is_no_problem(daemon):
    daemon.volumes = [{"Name": "data", "Labels": marks(OURS, **{labels.IDENTITY: "postgres-17"})}]
    assert before(volumes=[volume()]) == []


@pytest.mark.parametrize("stack_id", [OURS, None], ids=["another id", "no id yet"])
def test_a_kept_volume_without_its_password_is_refused_with_the_way_out(daemon, stack_id):
    daemon.volumes = [{"Name": "data", "Labels": marks(THEIRS)}]
    (problem,) = before(stack_id=stack_id, volumes=[volume()])
    assert f"pulumi config set supastack:stackId {THEIRS}" in problem
    assert "pulumi config set --secret supastack:databasePassword" in problem
    assert "Nothing was touched" in problem


def test_a_volume_that_is_not_supastacks_is_refused(daemon):
    daemon.volumes = [{"Name": "data", "Labels": None}]
    (problem,) = before(volumes=[volume()])
    assert "was not made by Supastack" in problem


def test_another_engine_over_a_kept_volume_is_refused(daemon):
    daemon.volumes = [{"Name": "data", "Labels": marks(OURS, **{labels.IDENTITY: "postgres-15"})}]
    (problem,) = before(volumes=[volume()])
    assert "postgres-15" in problem
    assert "supastack:release" in problem


def test_another_user_over_a_kept_volume_is_refused_where_both_are_known(daemon):
    daemon.volumes = [{"Name": "data", "Labels": marks(OURS, **{labels.IDENTITY: "postgres-17.uid-101"})}]
    (problem,) = before(volumes=[volume(identity="postgres-17.uid-100")])
    assert "chown" in problem
    assert before(volumes=[volume(identity="postgres-17")]) == []


def test_a_volume_without_an_identity_is_taken_as_it_is(daemon):
    daemon.volumes = [{"Name": "data", "Labels": marks(OURS)}]
    assert before(volumes=[volume()]) == []


def test_a_volume_of_ours_for_which_the_settings_have_no_use_is_refused_with_the_way_out(daemon):
    daemon.volumes = [{"Name": "data", "Labels": marks(OURS, **{labels.COMPONENT: "objects"})}]
    (problem,) = before(volumes=[])
    assert "objects" in problem
    assert "docker volume rm data" in problem


def test_volumes_of_other_stacks_are_none_of_our_business(daemon):
    daemon.volumes = [{"Name": "data", "Labels": marks(THEIRS)}]
    assert before(volumes=[]) == []


def test_a_container_of_our_name_that_is_not_ours_is_refused(daemon):
    daemon.containers = [{"Names": ["/supastack-dev-cache-valkey"], "Labels": marks(THEIRS), "Ports": []}]
    (problem,) = before()
    assert "supastack-dev-cache-valkey" in problem
    assert THEIRS in problem


def test_a_network_of_our_name_that_is_not_ours_is_refused(daemon):
    daemon.networks = [{"Name": "supastack-dev", "Labels": {}}, {"Name": "supastack-dev-2", "Labels": {}}]
    (problem,) = before()
    assert "network supastack-dev exists" in problem


@pytest.mark.parametrize(
    ("mark", "at_hand", "refused"), [("a", "a", False), ("a", "b", True), ("a", None, False), (None, "b", False)]
)
def test_a_volume_and_another_password_are_refused(daemon, mark, at_hand, refused):
    daemon.volumes = [{"Name": "data", "Labels": {labels.PAIRED_SECRET: mark} if mark else {}}]
    told = {"host": None, "volume": "data", "mark": at_hand, "setting": "supastack:databasePassword"}
    assert bool(docker_probe.paired(told, preview=False)) is refused


@pytest.mark.parametrize("hint", ["", "or take back the other setting, if that was changed"])
def test_what_else_may_have_changed_the_password_is_said_where_the_service_knows_it(daemon, hint):
    daemon.volumes = [{"Name": "data", "Labels": {labels.PAIRED_SECRET: "a"}}]
    told = {"host": None, "volume": "data", "mark": "b", "setting": "supastack:databasePassword", "hint": hint}
    (problem,) = docker_probe.paired(told, preview=False)
    assert f"if it was a generated one{'; ' + hint if hint else ''}), or save" in problem


def test_a_volume_that_does_not_exist_yet_has_no_pair(daemon):
    def missing(name):
        raise NotFound("no such volume")

    daemon.client.inspect_volume = missing
    assert docker_probe.paired({"host": None, "volume": "x", "mark": "a", "setting": "s"}, preview=False) == []


# -- the health gate --------------------------------------------------------------------------------------------------


def server(health=None, **state):
    found = {"Status": "running", "Running": True, "ExitCode": 0, **state}
    if health:
        found["Health"] = {"Status": health}
    return {"Id": "1", "State": found, "Config": {"Labels": {labels.KIND: "server"}}}


def job(status, code):
    return {
        "State": {"Status": status, "Running": status == "running", "ExitCode": code},
        "Config": {"Labels": {labels.KIND: "job"}},
    }


def after(daemon, preview=False, timeout=0, optional=(), **states):
    daemon.states = {name: list(found) for name, found in states.items()}
    told = {"host": None, "containers": list(states), "optional": list(optional), "timeout": timeout}
    return docker_probe.after(told, preview=preview)


def test_healthy_servers_and_ended_jobs_pass(daemon):
    assert after(daemon, a=[server("healthy")], b=[server()], c=[job("exited", 0)]) == []


def test_the_gate_waits_for_what_is_still_starting(daemon):
    states = [server("starting"), server("starting"), server("healthy")]
    assert after(daemon, timeout=60, a=states) == []


def starting(command=("CMD", "ready"), started="now"):
    found = server("starting", StartedAt=started)
    return {**found, "Config": {**found["Config"], "Healthcheck": {"Test": list(command)}}}


def asked(daemon, codes):
    ran = []
    daemon.client.exec_create = lambda container, command: ran.append(command) or {"Id": len(ran)}
    daemon.client.exec_start = lambda made: None
    daemon.client.exec_inspect = lambda made: {"ExitCode": codes[made - 1]}
    return ran


@pytest.mark.parametrize(
    ("command", "run"), [(["CMD", "ready", "-q"], ["ready", "-q"]), (["CMD-SHELL", "test 1"], ["/bin/sh", "-c", "test 1"])]
)
def test_the_gate_runs_the_health_check_of_a_starting_server_itself(daemon, command, run):
    ran = asked(daemon, [1, 1, 0])
    assert after(daemon, timeout=60, a=[starting(command)]) == []
    assert ran == [run] * 3


def test_what_a_server_answered_before_it_was_restarted_does_not_count(daemon):
    asker = Asked()
    ran = asked(daemon, [0, 0])
    while not asker.well(daemon.client, starting(started="at first")):
        pass
    assert not asker.well(daemon.client, starting(started="again"))
    while not asker.well(daemon.client, starting(started="again")):
        pass
    assert len(ran) == 2


def test_a_starting_server_that_goes_away_while_it_is_asked_is_not_well(daemon):
    def gone(container, command):
        raise NotFound("no such container")

    daemon.client.exec_create = gone
    (problem,) = after(daemon, timeout=0.1, a=[starting()])
    assert problem.startswith("a is not well")


def test_a_starting_server_without_a_health_check_of_its_own_is_waited_for(daemon):
    assert after(daemon, timeout=60, a=[starting(["NONE"]), starting(["NONE"]), server("healthy")]) == []


def test_an_unhealthy_server_fails_once_the_time_is_over(daemon):
    (problem,) = after(daemon, a=[server("unhealthy")])
    assert problem.startswith("a is not well")
    assert "supastack:healthTimeout" in problem


def test_an_optional_server_that_is_not_well_is_named_and_fails_nothing(daemon, monkeypatch):
    warned = []
    monkeypatch.setattr(engine_log, "warn", warned.append)
    assert after(daemon, optional=["b"], a=[server("healthy")], b=[server("unhealthy")]) == []
    assert warned[0].startswith("b is not well")


def test_an_optional_server_does_not_hide_one_that_is_needed(daemon):
    (problem,) = after(daemon, optional=["b"], a=[server("unhealthy")], b=[server("unhealthy")])
    assert problem.startswith("a is not well")


def test_what_is_optional_and_gone_is_not_waited_for(daemon, monkeypatch):
    monkeypatch.setattr(engine_log, "warn", lambda _text: None)
    monkeypatch.setattr(docker_probe, "_OPTIONAL_SECONDS", 3600)
    assert after(daemon, timeout=3600, optional=["b"], a=[server("healthy")], b=[job("exited", 1)]) == []


def test_a_job_that_ended_badly_fails_at_once(daemon):
    (problem,) = after(daemon, timeout=3600, a=[job("exited", 3)])
    assert "exit code 3" in problem


def test_a_stopped_server_fails(daemon):
    (problem,) = after(daemon, a=[server(Status="exited", Running=False, ExitCode=137)])
    assert "137" in problem


def test_a_container_that_is_gone_fails_at_once(daemon):
    def missing(name):
        raise NotFound("no such container")

    daemon.client.inspect_container = missing
    (problem,) = docker_probe.after({"host": None, "containers": ["a"], "optional": [], "timeout": 3600}, preview=False)
    assert "does not exist" in problem


def test_a_daemon_that_hangs_up_meanwhile_is_asked_again(daemon):
    answers = [ConnectionError("gone"), server("healthy")]

    def inspect(name):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    daemon.client.inspect_container = inspect
    assert docker_probe.after({"host": None, "containers": ["a"], "optional": [], "timeout": 60}, preview=False) == []


def test_a_preview_waits_for_nothing(daemon):
    assert after(daemon, preview=True, a=[server("unhealthy")]) == []


def test_a_folder_that_is_not_there_is_named_with_its_setting(daemon, tmp_path, monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    missing = {str(tmp_path / "functions"): "supastack:supabase.functions.folder", str(tmp_path): "supastack:other"}
    (problem,) = before(folders=missing)
    assert f"the folder {tmp_path}/functions is not there" in problem
    assert "supastack:supabase.functions.folder" in problem
    (tmp_path / "functions").mkdir()
    assert before(folders=missing) == []


def test_a_folder_on_another_machine_is_not_looked_for_here(daemon):
    assert before(host="tcp://10.0.0.5:2376", folders={"/nowhere": "supastack:supabase.functions.folder"}) == []


# -- what health checks say --------------------------------------------------------------------------------------------

REFUSAL = "refused: this database was not initialised to its end.\nRemove the volume."


def unhealthy(output, status="unhealthy"):
    health = {"Status": status, "Log": [{"Output": "an older one"}, {"Output": output}]}
    return {"Id": "1", "State": {"Running": True, "Status": "running", "Health": health}, "Config": {"Labels": {}}}


def gate(**over):
    given = {"host": None, "containers": ["supastack-dev-supabase-postgres"], "optional": [], "timeout": 0, **over}
    return docker_probe.after(given, preview=False)


def test_the_gate_says_what_the_last_health_check_said(daemon):
    daemon.states["supastack-dev-supabase-postgres"] = [unhealthy("localhost:5432 -\n no response")]
    (problem,) = gate()
    assert "it is unhealthy (localhost:5432 - no response)" in problem
    assert "an older one" not in problem


def test_a_long_text_of_a_health_check_is_cut(daemon):
    daemon.states["supastack-dev-supabase-postgres"] = [unhealthy("x" * 5000)]
    (problem,) = gate()
    assert len(problem) < 1000


def test_the_gate_does_not_wait_for_a_server_that_refuses_its_data(daemon):
    daemon.states["supastack-dev-supabase-postgres"] = [unhealthy(REFUSAL, status="starting")]
    (problem,) = gate(timeout=3600)
    assert (
        problem == "supastack-dev-supabase-postgres is not well: this database was not initialised to its end. Remove the volume."
    )


@pytest.mark.parametrize(
    ("status", "stack_id", "output", "problems"),
    [
        ("Up 2 minutes (unhealthy)", OURS, REFUSAL, 1),
        ("Up 2 seconds (health: starting)", OURS, REFUSAL, 1),
        ("Up 2 minutes (unhealthy)", OURS, "no response", 0),
        ("Up 2 minutes (unhealthy)", THEIRS, REFUSAL, 0),
        ("Up 2 minutes (healthy)", OURS, REFUSAL, 0),
    ],
)
def test_a_server_of_ours_that_refuses_its_data_is_named_before_anything_is_done(daemon, status, stack_id, output, problems):
    name = "supastack-dev-supabase-postgres"
    daemon.containers = [{"Names": [f"/{name}"], "Labels": marks(stack_id, **{labels.STACK: "dev"}), "Status": status}]
    daemon.states[name] = [unhealthy(output)]
    found = docker_probe._refusals(parameters(containers=[name]), daemon.client, daemon.containers)
    assert len(found) == problems
    assert [p for p in before(containers=[name]) if "not initialised to its end" in p] == found
