"""The docker plugin's Container over its life in the engine, held against `docker inspect`.

Sources, named beside each expectation:
  F  kreuzwerker/terraform-provider-docker, internal/provider/resource_docker_container_funcs.go
  S  the same, resource_docker_container.go (defaults, ForceNew, Computed) and resource_docker_container_structures.go
  B  pulumi/pulumi-docker, provider/resources.go
  P  the docstrings of the installed pulumi_docker package, container.py
"""

import signal
import time
from collections.abc import Callable, Iterator

import pytest

from .docker_world import World, make_image, remove_image
from .harness import PLUGINS, Project, forms_of

pytestmark = [pytest.mark.engine, pytest.mark.docker]
stand_in_only = pytest.mark.skipif(PLUGINS != "stand-in", reason="the official plugin is different here, or was not read on it")

IMPORT = "import pulumi, pulumi_docker as docker\n"
REPLACED_DELETE_FIRST = ["delete-replaced", "replace", "create-replacement"]
MEGABYTE = 2**20


@pytest.fixture
def plugins() -> tuple[str, ...]:
    return ("docker",)


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    made = make_image()
    yield made
    remove_image(made)


@pytest.fixture
def world(image: str) -> Iterator[World]:
    made = World(image)
    yield made
    made.remove_all()


def container(world: World, what: str, arguments: str = "", command: str = "sleep 1000") -> str:
    """A line of a program: a container that does `command`."""
    return (
        f'{what} = docker.Container("{what}", name="{world.name(what)}", image="{world.image}", '
        f'command=["sh", "-c", {command!r}], {arguments})\n'
    )


# Ports stand in the order in which Read gives them (S: flattenContainerPorts); in another they would be a difference.
EVERYTHING = """
    envs=["A=1", "B=two words"],
    labels=[{"label": "who", "value": "me"}],
    ports=[{"internal": 53, "external": 38053, "protocol": "udp"}, {"internal": 80, "external": 38080, "ip": "127.0.0.1"}],
    volumes=[
        {"volume_name": volume.name, "container_path": "/data"},
        {"host_path": "/tmp", "container_path": "/h", "read_only": True},
    ],
    networks_advanced=[{"name": network.name, "aliases": ["b", "a"]}],
    uploads=[
        {"file": "/etc/conf/plain", "content": "plain"},
        {"file": "/etc/conf/run", "content_base64": "cnVu", "executable": True},
        {"file": "/etc/conf/private", "content": "private", "permissions": "0600"},
    ],
    healthcheck={"tests": ["CMD", "true"], "interval": "1s", "timeout": "2s", "start_period": "1m0s", "retries": 4},
    restart="on-failure", max_retry_count=3, memory=64, memory_swap=64, memory_reservation=32, cpus="0.5", cpu_shares=512,
    user="0:0", working_dir="/tmp", hostname="here", domainname="example.org", group_adds=["100"],
    stop_signal="SIGINT", stop_timeout=3, log_driver="json-file", log_opts={"max-size": "1m"},
    tmpfs={"/scratch": "size=1m"}, security_opts=["no-new-privileges:true"],
    capabilities={"adds": ["NET_ADMIN"], "drops": ["ALL"]}, hosts=[{"host": "far", "ip": "10.1.2.3"}],
    ulimits=[{"name": "nofile", "soft": 100, "hard": 200}], shm_size=16, init=True, sysctls={"net.ipv4.ip_forward": "1"},
    destroy_grace_seconds=1,
"""


def everything(world: World) -> str:
    return (
        IMPORT
        + f'network = docker.Network("network", name="{world.name("network")}")\n'
        + f'volume = docker.Volume("volume", name="{world.name("volume")}")\n'
        + container(world, "web", EVERYTHING)
    )


def test_every_field_reaches_the_daemon_and_a_second_up_changes_nothing(project: Project, world: World) -> None:
    program = everything(world)
    assert project.preview(program).ops() == {"network": ["create"], "volume": ["create"], "web": ["create"]}
    assert world.containers() == []
    project.up(program)
    found = world.container("web")
    config, host = found["Config"], found["HostConfig"]
    assert {"A=1", "B=two words"} <= set(config["Env"])
    assert config["Labels"] == {"who": "me"}
    assert host["PortBindings"] == {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "38080"}],
        "53/udp": [{"HostIp": "0.0.0.0", "HostPort": "38053"}],  # S: ports.ip defaults to 0.0.0.0
    }
    assert set(host["Binds"]) == {f"{world.name('volume')}:/data:rw", "/tmp:/h:ro"}  # S: volumeSetToDockerVolumes
    assert host["NetworkMode"] == "bridge"  # P: networkMode defaults to bridge
    assert set(found["NetworkSettings"]["Networks"]) == {world.name("network")}  # F: the default network is left
    assert {"a", "b"} <= set(found["NetworkSettings"]["Networks"][world.name("network")]["Aliases"])
    assert world.run("web", "stat", "-c", "%a %u %n", "/etc/conf/plain", "/etc/conf/run", "/etc/conf/private").split("\n")[
        :3
    ] == [
        "644 0 /etc/conf/plain",  # F: 0644, 0744 with executable
        "744 0 /etc/conf/run",
        "600 0 /etc/conf/private",  # P: permissions has precedence over executable
    ]
    assert world.run("web", "cat", "/etc/conf/run") == "run"
    assert config["Healthcheck"] == {
        "Test": ["CMD", "true"],
        "Interval": 10**9,
        "Timeout": 2 * 10**9,
        "StartPeriod": 60 * 10**9,
        "Retries": 4,
    }
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert (host["Memory"], host["MemorySwap"]) == (64 * MEGABYTE, 64 * MEGABYTE)  # F: megabytes of 1024 * 1024
    assert host["MemoryReservation"] == 32 * MEGABYTE
    assert (host["NanoCpus"], host["CpuShares"], host["ShmSize"]) == (500_000_000, 512, 16 * MEGABYTE)
    assert (config["User"], config["WorkingDir"], config["Hostname"], config["Domainname"]) == (
        "0:0",
        "/tmp",
        "here",
        "example.org",
    )
    assert (config["StopSignal"], config["StopTimeout"], host["GroupAdd"]) == ("SIGINT", 3, ["100"])
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "1m"}}
    assert (host["Tmpfs"], host["SecurityOpt"]) == ({"/scratch": "size=1m"}, ["no-new-privileges:true"])
    assert ([cap.removeprefix("CAP_") for cap in host["CapAdd"]], host["CapDrop"]) == (["NET_ADMIN"], ["ALL"])
    assert host["ExtraHosts"] == ["far:10.1.2.3"]
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 100, "Hard": 200}]
    assert (host["Init"], host["Sysctls"]) == (True, {"net.ipv4.ip_forward": "1"})

    assert project.preview(program).ops() == {}
    assert project.up(program, "--refresh").ops() == {}
    assert world.container("web")["Id"] == found["Id"]


def test_what_the_program_leaves_out_has_the_official_defaults(project: Project, world: World) -> None:
    project.up(IMPORT + container(world, "bare"))
    outputs = project.state()["bare"].outputs
    # S: Default of each.
    assert {key: outputs[key] for key in ("attach", "logs", "mustRun", "start", "rm", "readOnly", "restart", "tty")} == {
        "attach": False,
        "logs": False,
        "mustRun": True,
        "start": True,
        "rm": False,
        "readOnly": False,
        "restart": "no",
        "tty": False,
    }
    assert (outputs["wait"], outputs["waitTimeout"], outputs["removeVolumes"]) == (False, 60, True)  # P
    found = world.container("bare")
    assert found["HostConfig"]["NetworkMode"] == "bridge"
    # F: Read gives what the daemon chose.
    assert outputs["hostname"] == found["Config"]["Hostname"]
    assert outputs["networkDatas"][0]["ipAddress"] == found["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    assert outputs["networkDatas"][0]["networkName"] == "bridge"
    assert project.state()["bare"].id == found["Id"]  # F: SetId(container.ID)


def test_a_name_that_the_program_leaves_out_is_made_up_once(project: Project, world: World) -> None:
    program = IMPORT + container(world, "web").replace(f'name="{world.name("web")}", ', "").replace(
        '"web"', f'"{world.name("web")}"'
    )
    project.up(program)
    [name] = world.containers()
    # B: SetAutonaming(255, "-"), which appends seven hex digits.
    assert name.startswith(f"{world.name('web')}-")
    assert len(name) == len(world.name("web")) + 8
    assert project.up(program, "--refresh").ops() == {}


def test_limits_and_the_restart_policy_are_updated_in_place(project: Project, world: World) -> None:
    project.up(IMPORT + container(world, "web", 'restart="no", memory=64, memory_swap=64, cpu_shares=256'))
    before = world.container("web")
    changed = IMPORT + container(world, "web", 'restart="always", memory=96, memory_swap=128, cpu_shares=512')
    run = project.up(changed)
    assert run.ops() == {"web": ["update"]}  # F: resourceDockerContainerUpdate
    assert run.step("web", "update").changed == {"restart", "memory", "memorySwap", "cpuShares"}
    after = world.container("web")
    assert after["Id"] == before["Id"]
    assert after["State"]["StartedAt"] == before["State"]["StartedAt"]
    host = after["HostConfig"]
    assert (host["RestartPolicy"]["Name"], host["CpuShares"]) == ("always", 512)
    assert (host["Memory"], host["MemorySwap"]) == (96 * MEGABYTE, 128 * MEGABYTE)
    assert project.up(changed, "--refresh").ops() == {}


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ('envs=["A=1"]', 'envs=["A=2"]', "envs"),
        ('labels=[{"label": "a", "value": "1"}]', 'labels=[{"label": "a", "value": "2"}]', "labels"),
        ('uploads=[{"file": "/x", "content": "1"}]', 'uploads=[{"file": "/x", "content": "2"}]', "uploads"),
        ('ports=[{"internal": 80, "external": 38081}]', 'ports=[{"internal": 81, "external": 38081}]', "ports"),
    ],
)
def test_all_else_replaces_and_deletes_first(project: Project, world: World, before: str, after: str, key: str) -> None:
    project.up(IMPORT + container(world, "web", before))
    old = world.container("web")["Id"]
    assert project.preview(IMPORT + container(world, "web", after)).ops() == {"web": REPLACED_DELETE_FIRST}
    run = project.up(IMPORT + container(world, "web", after))
    assert run.ops() == {"web": REPLACED_DELETE_FIRST}  # B: DeleteBeforeReplace; the fixed name would clash otherwise
    assert run.step("web", "replace").replacing == {key}  # S: ForceNew
    assert world.container("web")["Id"] != old


def test_a_changed_health_check_is_an_update_that_does_nothing_unless_the_program_asks_for_a_replacement(
    project: Project, world: World
) -> None:
    check = 'healthcheck={"tests": ["CMD", "true"], "interval": "%s"}'
    project.up(IMPORT + container(world, "web", check % "1s"))
    old = world.container("web")["Id"]
    # S: healthcheck is neither ForceNew nor in F's list of updates.
    assert project.up(IMPORT + container(world, "web", check % "2s")).ops() == {"web": ["update"]}
    assert world.container("web")["Id"] == old
    assert world.container("web")["Config"]["Healthcheck"]["Interval"] == 10**9
    # F: Read gives the container's own, so a refresh shows the difference again. The plugin knows nothing of replace_on_changes, so the
    # program must also ask for the order (pulumi-terraform-bridge, provider.go, Diff: only its own replacements delete first).
    options = 'opts=pulumi.ResourceOptions(replace_on_changes=["healthcheck"], delete_before_replace=True)'
    asked = IMPORT + container(world, "web", (check % "2s") + f", {options}")
    assert project.up(asked, "--refresh").ops() == {"web": REPLACED_DELETE_FIRST}
    assert world.container("web")["Config"]["Healthcheck"]["Interval"] == 2 * 10**9


def test_a_stopped_container_is_seen_by_refresh_and_started_by_the_next_up(project: Project, world: World) -> None:
    program = IMPORT + container(world, "web", 'ports=[{"internal": 80, "external": 38082}]')
    project.up(program)
    old = world.container("web")["Id"]
    world.api.stop(world.name("web"), timeout=0)
    assert project.refresh().ops() == {"web": ["update"]}
    assert project.state()["web"].outputs["mustRun"] is False  # P: must_run, "Terraform will set must_run to false"
    run = project.up(program)
    assert run.ops() == {"web": ["update"]}
    assert run.step("web", "update").changed == {"mustRun"}
    found = world.container("web")
    assert (found["Id"], found["State"]["Running"]) == (old, True)
    assert project.up(program, "--refresh").ops() == {}


def test_a_removed_container_is_seen_by_refresh_and_made_anew(project: Project, world: World) -> None:
    program = IMPORT + container(world, "web")
    project.up(program)
    world.api.remove_container(world.name("web"), force=True)
    assert project.refresh().ops() == {"web": ["delete"]}  # F: SetId("")
    assert project.up(program).ops() == {"web": ["create"]}
    assert world.container("web")["State"]["Running"]


def test_a_removed_container_can_be_destroyed(project: Project, world: World) -> None:
    project.up(IMPORT + container(world, "web"))
    world.api.remove_container(world.name("web"), force=True)
    assert project.destroy("--refresh").code == 0
    assert project.state() == {}


HEALTH = 'healthcheck={"tests": ["CMD", "test", "-e", "/data/ready"], "interval": "1s", "timeout": "20s", "retries": 30}, '


def test_wait_ends_when_the_container_is_healthy(project: Project, world: World) -> None:
    project.up(IMPORT + container(world, "web", HEALTH + "wait=True, wait_timeout=240", "sleep 1; touch /data/ready; sleep 1000"))
    assert world.container("web")["State"]["Health"]["Status"] == "healthy"


def test_a_failed_wait_keeps_the_container_in_the_state_and_the_next_up_forgets_it(project: Project, world: World) -> None:
    program = IMPORT + container(world, "web", HEALTH + "wait=True, wait_timeout=3")
    run = project.up(program, fails=True)
    assert any(world.name("web") in error or "healthy state" in error for error in run.errors)
    assert world.container("web")["State"]["Running"]
    made = project.state()["web"]
    assert made.id == world.container("web")["Id"]  # F: SetId stands before the wait
    assert made.init_errors
    # F: an update does not wait; reference/pulumi-issues.md, 9. So the program needs a health gate of its own.
    project.up(program)
    assert project.state()["web"].init_errors == ()
    assert world.container("web")["Id"] == made.id
    assert world.container("web")["State"]["Health"]["Status"] != "healthy"


REFUSING = (
    'healthcheck={"tests": ["CMD-SHELL", "echo refused: its data is not whole; exit 1"], "interval": "1s", "retries": 30}, '
)


@stand_in_only
@pytest.mark.parametrize(("label", "ends"), [("supastack.stack-id", True), ("who", False)])
def test_a_wait_ends_where_a_health_check_of_ours_says_that_it_can_not_help(
    project: Project, world: World, label: str, ends: bool
) -> None:
    arguments = f'labels=[{{"label": "{label}", "value": "x"}}], wait=True, wait_timeout={600 if ends else 4}'
    run = project.up(IMPORT + container(world, "web", REFUSING + arguments), fails=True)
    said = "will not become healthy: its data is not whole" if ends else "did not become healthy in 4 s"
    assert any(said in error for error in run.errors)
    # It stays, so that its data and its log can be looked at.
    assert world.container("web")["State"]["Running"]
    assert project.state()["web"].id == world.container("web")["Id"]


def test_a_wait_without_a_health_check_fails(project: Project, world: World) -> None:
    project.up(IMPORT + container(world, "web", "wait=True"), fails=True)  # P: wait


@stand_in_only
def test_a_container_that_exits_at_once_fails_with_its_exit_code_and_can_be_looked_at(project: Project, world: World) -> None:
    run = project.up(IMPORT + container(world, "web", command="exit 7"), fails=True)
    assert any("exited immediately, with code 7" in error for error in run.errors)
    assert world.containers() == [world.name("web")]
    run = project.up(IMPORT + container(world, "web", command="sleep 1000"))
    assert run.ops() == {"web": REPLACED_DELETE_FIRST}


def test_a_job_is_waited_for_and_its_exit_code_and_output_are_kept(project: Project, world: World) -> None:
    job = 'attach=True, logs=True, must_run=False, envs=["A=1"]'
    program = IMPORT + container(world, "job", job, "echo begun; sleep 1; echo done; exit 3")
    program += 'pulumi.export("code", job.exit_code)\npulumi.export("logs", job.container_logs)\n'
    project.up(program)  # F: the exit code is an output, not an error
    assert project.outputs() == {"code": 3, "logs": "begun\ndone\n"}
    assert world.container("job")["State"]["Status"] == "exited"
    assert project.up(program, "--refresh").ops() == {}


def test_a_port_in_use_is_one_clear_error_that_leaves_nothing_behind(project: Project, world: World) -> None:
    host = world.api.create_host_config(port_bindings={80: ("127.0.0.1", 38083)})
    world.api.start(
        world.api.create_container(world.image, ["sleep", "1000"], name=world.name("other"), ports=[80], host_config=host)
    )
    program = IMPORT + container(world, "web", 'ports=[{"internal": 80, "external": 38083, "ip": "127.0.0.1"}]')
    run = project.up(program, fails=True)
    assert any("port is already allocated" in error for error in run.errors)
    if PLUGINS == "stand-in":
        assert any("127.0.0.1:38083" in error and "\n" not in error for error in run.errors)
        assert world.containers() == [world.name("other")]
        assert project.state() == {}
    world.api.remove_container(world.name("other"), force=True)
    project.up(program, "--refresh")
    assert world.container("web")["State"]["Running"]


def test_a_name_in_use_is_the_daemons_own_error_and_the_other_container_is_left_alone(project: Project, world: World) -> None:
    other = world.api.create_container(world.image, ["sleep", "1000"], name=world.name("web"))["Id"]
    run = project.up(IMPORT + container(world, "web"), fails=True)
    assert any("is already in use by container" in error for error in run.errors)
    assert world.container("web")["Id"] == other
    assert project.state() == {}


def test_an_image_that_is_not_there_is_named(project: Project, world: World) -> None:
    program = IMPORT + container(world, "web").replace(world.image, "supatest.local/nothing:1")
    run = project.up(program, fails=True)
    assert any("supatest.local/nothing:1" in error for error in run.errors)
    assert project.state() == {}


def test_secrets_stay_secret_in_state_preview_and_output(project: Project, world: World) -> None:
    secrets = ["s3cret-in-the-environment", "s3cret-in-a-file"]
    arguments = (
        f'envs=["OPEN=1", pulumi.Output.secret("KEY={secrets[0]}")],'
        f'uploads=[{{"file": "/x", "content": pulumi.Output.secret("{secrets[1]}")}}],'
    )
    program = IMPORT + container(world, "web", arguments)
    texts = [project.preview(program, "--diff").text, project.up(program).text]
    changed = program.replace("OPEN=1", "OPEN=2")
    texts += [project.preview(changed, "--diff").text, project.up(changed).text, project.refresh().text]
    stored = project.stored()
    for secret in secrets:
        assert not any(secret in text for text in texts)
        assert not any(form in stored for form in forms_of(secret))
    assert {"envs", "uploads"} <= project.secret_outputs("web")
    assert f"KEY={secrets[0]}" in world.container("web")["Config"]["Env"]
    assert world.run("web", "cat", "/x") == secrets[1]


def test_a_secret_does_not_stand_in_an_error(project: Project, world: World) -> None:
    secret = "s3cret-program"
    program = IMPORT + container(world, "web", f'entrypoints=[pulumi.Output.secret("{secret}")]')
    run = project.up(program, fails=True)
    if PLUGINS == "stand-in":
        assert secret not in run.text
        assert world.containers() == []


def test_unknown_values_stay_unknown_in_a_preview(project: Project, world: World) -> None:
    volume = f'volume = docker.Volume("volume", name="{world.name("volume")}")\n'
    program = IMPORT + volume + container(world, "web", 'envs=[volume.mountpoint.apply(lambda path: f"AT={path}")]')
    assert project.preview(program).ops() == {"volume": ["create"], "web": ["create"]}
    project.up(program)
    assert "AT=/" in " ".join(world.container("web")["Config"]["Env"])
    assert project.up(program, "--refresh").ops() == {}
    other = program.replace(world.name("volume"), world.name("other"))
    # An unknown value in a field that replaces is a replacement in the preview.
    assert project.preview(other).ops()["web"] == REPLACED_DELETE_FIRST


GRACEFUL = "trap 'sleep 3; echo saved > /data/state; exit 0' TERM; touch /data/trapped; while true; do sleep 0.1; done"
"""What it saves comes late enough for a kill that follows the signal at once, also where the daemon is slow with that."""


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)


@pytest.mark.parametrize(("grace", "saved"), [(60, "saved\n"), (0, "")])
def test_destroy_gives_the_grace_that_was_asked_for_and_none_otherwise(
    project: Project, world: World, grace: int, saved: str
) -> None:
    world.api.create_volume(world.name("volume"))
    volumes = f'volumes=[{{"volume_name": "{world.name("volume")}", "container_path": "/data"}}]'
    project.up(IMPORT + container(world, "web", f"{volumes}, destroy_grace_seconds={grace}", GRACEFUL))
    wait_for(lambda: "trapped" in world.run("web", "ls", "/data"), "the trap to be set")
    project.destroy()
    assert world.containers() == []
    # F: ContainerStop with destroy_grace_seconds, 0 unless given: the process is killed at once.
    assert world.file_in_volume(world.name("volume"), "state") == saved


def test_anonymous_volumes_go_with_the_container_and_named_ones_stay(project: Project, world: World) -> None:
    world.api.create_volume(world.name("volume"))
    volumes = f'volumes=[{{"volume_name": "{world.name("volume")}", "container_path": "/n"}}, {{"container_path": "/anonymous"}}]'
    project.up(IMPORT + container(world, "web", volumes))
    mounts = {mount["Destination"]: mount["Name"] for mount in world.container("web")["Mounts"]}
    project.destroy()
    left = {volume["Name"] for volume in world.api.volumes()["Volumes"] or []}
    assert world.name("volume") in left
    assert mounts["/anonymous"] not in left  # S: remove_volumes defaults to true


@stand_in_only
def test_an_up_that_is_cancelled_while_it_waits_goes_on_in_the_next_one(project: Project, world: World) -> None:
    program = IMPORT + container(world, "web", HEALTH + "wait=True, wait_timeout=240")
    process = project.start_up(program)
    wait_for(lambda: bool(world.containers()) and world.container("web")["State"]["Running"], "the container's start")
    process.send_signal(signal.SIGINT)
    process.wait(180)
    made = project.state()["web"]
    assert made.id == world.container("web")["Id"]
    assert any("cancelled" in error for error in made.init_errors)
    world.run("web", "touch", "/data/ready")
    project.up(program, "--refresh")
    assert world.containers() == [world.name("web")]
    assert project.state()["web"].init_errors == ()
    assert world.container("web")["Id"] == made.id


@stand_in_only
@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ('docker.ServiceConfig("x", data="")', "docker:index/serviceConfig:ServiceConfig"),
        ('docker.Container("x", image="i", gpus="all")', "gpus"),
        ('docker.RemoteImage("x", name="i", build={"context": "."})', "build"),
        ('docker.Network("x", opts=pulumi.ResourceOptions(provider=docker.Provider("p", ssh_opts=["-v"])))', "sshOpts"),
    ],
)
def test_what_the_stand_in_does_not_know_is_refused_by_name(project: Project, line: str, refused: str) -> None:
    run = project.up(IMPORT + line, fails=True)
    assert any(refused in error and "stand-in" in error for error in run.errors)
    assert project.state() == {}


@stand_in_only
def test_a_daemon_that_does_not_answer_is_named_in_one_error(project: Project, world: World) -> None:
    provider = 'opts=pulumi.ResourceOptions(provider=docker.Provider("p", host="unix:///nowhere/docker.sock"))'
    program = IMPORT + container(world, "web", provider)
    assert project.preview(program).ops() == {"web": ["create"]}  # Check and Diff never ask the daemon
    run = project.up(program, fails=True)
    assert any("no Docker daemon answers at unix:///nowhere/docker.sock" in error for error in run.errors)


def test_many_containers_are_waited_for_at_the_same_time(project: Project, world: World) -> None:
    waiting = [
        container(world, f"web{number}", HEALTH + "wait=True, wait_timeout=240", "sleep 2; touch /data/ready; sleep 1000")
        for number in range(12)
    ]
    project.up(IMPORT + "".join(waiting), "--parallel", "64")
    healthy = [world.container(f"web{number}")["State"]["Health"]["Status"] for number in range(12)]
    assert healthy == ["healthy"] * 12
