"""The whole stack, brought up by one command: what runs, what is real in it, and that a second up finds nothing to do."""

import re
from pathlib import Path

import pytest

from components.supabase_settings.override import SERVICES
from tests.integration.stack.whole import OPTIONAL, REAL, STUBS, Whole, steps

pytestmark = [pytest.mark.docker, pytest.mark.engine]

JOBS = {"objects-buckets", "supabase-storage-buckets"}
LOGS = {"supabase-analytics", "supabase-vector"}
"""Off in the dev stack."""


def test_every_service_of_supabase_is_there_but_the_logs(whole_up: Whole):
    assert set(whole_up.containers()) == {*REAL, *STUBS, *JOBS}
    assert {f"supabase-{name}" for name in SERVICES} - LOGS == {
        name for name in whole_up.containers() if name.startswith("supabase-") and name not in JOBS
    }


def test_all_containers_are_healthy_and_the_job_has_ended_well(whole_up: Whole):
    wanted = {**dict.fromkeys([*REAL, *STUBS], "healthy"), **dict.fromkeys(JOBS, "exited")}
    assert whole_up.until_states(wanted) == wanted
    for name in JOBS:
        assert whole_up.container(name).attrs["State"]["ExitCode"] == 0


def test_the_summary_counts_real_and_stub_apart_and_tells_which_are_which(whole_up: Whole):
    shown = whole_up.shown
    assert "Stack dev is up." in shown
    images = whole_up.outputs["IMAGES"].values()
    counts = {kind: len({i["reference"] for i in images if i["kind"] == kind}) for kind in ("registry", "local", "stub")}
    assert counts == {"registry": 0, "local": len(REAL), "stub": 1}
    assert f"images: 0 real, from a registry, {len(REAL)} real, built here, 1 stub" in shown
    (line,) = re.findall(r"^ *stubs answer health checks only: (.*)$", shown, re.MULTILINE)
    assert {f"supabase-{name}" for name in line.split(", ")} == set(STUBS)
    for name, container in whole_up.containers().items():
        assert (container.image.tags == ["supastack.local/stub:1"]) == (name in STUBS), name


def test_the_job_that_makes_storages_buckets_says_that_storage_is_a_stub(whole_up: Whole):
    said = whole_up.container("supabase-storage-buckets").logs().decode()
    assert "Storage is a stub here and has no tables: no bucket and no policy was made" in said


def test_a_stub_says_in_its_log_what_it_is(whole_up: Whole):
    for name in STUBS:
        said = whole_up.container(name).logs().decode()
        assert f"This is a stub that stands for {name.removeprefix('supabase-')}" in said, name


def test_the_optional_ones_stand_apart_in_the_summary(whole_up: Whole):
    apart = whole_up.shown.split("    optional:\n", 1)[1].split("\n\n", 1)[0]
    assert tuple(line.split()[0] for line in apart.splitlines()) == OPTIONAL


def test_what_can_not_be_had_is_said_once(whole_up: Whole):
    assert whole_up.shown.count("note: object storage: seaweedfs can't be built on this machine") == 1
    assert set(whole_up.outputs["NOTES"]) == {
        line.split("note: ", 1)[1] for line in whole_up.shown.splitlines() if line.strip().startswith("note: ")
    }


def test_no_port_is_off_loopback_and_those_of_the_plan_are_published(whole_up: Whole):
    published = {}
    for name, container in whole_up.containers().items():
        for inside, bindings in (container.attrs["NetworkSettings"]["Ports"] or {}).items():
            for binding in bindings or ():
                assert binding["HostIp"] == "127.0.0.1", f"{name} {inside}"
                published[int(binding["HostPort"])] = name
        assert set(container.attrs["NetworkSettings"]["Networks"]) == {"supastack-dev"}, name
        assert not container.attrs["HostConfig"]["PublishAllPorts"], name
    assert set(published) == set(whole_up.outputs["PORTS"].values())
    assert published == {
        54321: "supabase-gateway",
        54322: "supabase-postgres",
        54323: "supabase-gateway",
        54324: "supabase-mail",
        54325: "supabase-mail",
        54328: "supabase-pooler",
        54329: "supabase-pooler",
        6379: "cache-valkey",
        9000: "objects-minio",
        9001: "objects-minio",
    }


def test_nothing_in_the_namespace_listens_beyond_loopback(whole_up: Whole):
    """What the daemon says is one thing; what the kernel has is another."""
    with whole_up.clone.daemon.network():
        lines = [
            line.split()
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/thread-self/net/{table}").read_text().splitlines()[1:]
        ]
    listening = {tuple(words[1].split(":")) for words in lines if words[3] == "0A"}
    assert {int(port, 16) for _, port in listening} == set(whole_up.outputs["PORTS"].values())
    assert {address for address, _ in listening} == {"0100007F"}


def test_every_container_has_a_memory_limit_and_can_not_gain_privileges(whole_up: Whole):
    free = []
    for name, container in whole_up.containers().items():
        host = container.attrs["HostConfig"]
        assert host["Memory"] > 0, name
        assert not host["Privileged"], name
        assert "/var/run/docker.sock" not in str(container.attrs["Mounts"]), name
        if "no-new-privileges:true" not in (host["SecurityOpt"] or []):
            free.append(name)
    assert set(free) <= {"supabase-realtime", "supabase-pooler"}, "their images change to another user with sudo"


def test_the_apps_env_file_is_complete(whole_up: Whole):
    clone = whole_up.clone
    assert "all is well" in clone.make("check-env", FILE=".env", FOR="nextjs").stdout
    lines = dict(line.split("=", 1) for line in (clone.root / ".env").read_text().splitlines() if "=" in line and line[0] != "#")
    for variable, output in {
        "NEXT_PUBLIC_SUPABASE_URL": "API_URL",
        "NEXT_PUBLIC_SUPABASE_ANON_KEY": "ANON_KEY",
        "SUPABASE_SERVICE_ROLE_KEY": "SERVICE_ROLE_KEY",
        "DATABASE_URL": "DB_URL",
    }.items():
        assert lines[variable] == whole_up.outputs[output], variable


def test_git_status_is_clean(whole_up: Whole):
    assert whole_up.clone.status() == ""


def test_a_second_up_changes_nothing_and_starts_nothing_again(whole_up: Whole):
    before = whole_up.ids()
    assert set(steps(whole_up.up())) == {"unchanged"}
    assert whole_up.ids() == before


def test_a_preview_after_it_shows_no_step_either(whole_up: Whole):
    assert whole_up.clone.preview_steps() == {}
