"""The postgres image, run as upstream's compose file runs supabase/postgres."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.images.conftest import UNTIL_TOLD, Box, Dock, wait_for

pytestmark = pytest.mark.docker

COMMAND = ("postgres", "-c", "config_file=/etc/postgresql/postgresql.conf", "-c", "log_min_messages=fatal")
HEALTH = ("pg_isready", "-U", "postgres", "-h", "localhost")
DATA = "/var/lib/postgresql/data"
PASSWORD = "pw-Test_0123456789"
INIT = "/docker-entrypoint-initdb.d"


def environment(password: str = PASSWORD) -> dict[str, str]:
    return {
        "POSTGRES_HOST": "/var/run/postgresql",
        "PGPORT": "5432",
        "POSTGRES_PORT": "5432",
        "PGPASSWORD": password,
        "POSTGRES_PASSWORD": password,
        "PGDATABASE": "postgres",
        "POSTGRES_DB": "postgres",
        "JWT_EXP": "3600",
    }


@pytest.fixture
def run(dock: Dock, image: Callable[[str], str]) -> Callable[..., Box]:
    def start(volume: str | None = None, env: dict[str, str] | None = None, **more: Any) -> Box:
        volumes = {DATA: volume} if volume else {}
        given = environment() if env is None else env
        return dock.box(image("postgres"), *COMMAND, env=given, volumes=volumes, health=HEALTH, **more)

    return start


def sql(box: Box, query: str, user: str = "postgres") -> str:
    return box.ok("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", "postgres", "-c", query)


def remote(dock: Dock, image: Callable[[str], str], host: str, password: str, query: str) -> Box:
    """A client in another container."""
    address = f"host={host} user=postgres dbname=postgres"
    env = {"PGPASSWORD": password}
    return dock.box(image("postgres"), "psql", "-At", address, "-c", query, env=env)


def in_volume(dock: Dock, image: Callable[[str], str], volume: str, script: str) -> str:
    return dock.once(image("postgres"), "sh", "-c", script, volumes={DATA: volume})


def test_it_gets_healthy_and_lets_in_only_who_has_the_password(
    dock: Dock, image: Callable[[str], str], run: Callable[..., Box]
) -> None:
    server = run().healthy()
    assert remote(dock, image, server.name, PASSWORD, "select 40 + 2").exit_code() == 0
    refused = remote(dock, image, server.name, "wrong", "select 1")
    assert refused.exit_code() != 0
    assert "password authentication failed" in refused.logs()


def test_data_and_password_survive_a_new_container(dock: Dock, image: Callable[[str], str], run: Callable[..., Box]) -> None:
    volume = dock.volume()
    first = run(volume).healthy()
    sql(first, "create table kept (n int); insert into kept values (7)")
    first.container.stop(timeout=30)
    first.container.remove()
    # A password given later changes nothing: the one in the data counts.
    second = run(volume, env=environment("another")).healthy()
    assert sql(second, "select n from kept") == "7"
    assert "it is used as it is" in second.logs()
    reader = remote(dock, image, second.name, PASSWORD, "select n from kept")
    assert reader.exit_code() == 0, reader.logs()


def test_it_is_not_ready_before_its_initialisation_is_done(run: Callable[..., Box]) -> None:
    slow = (
        "create table progress (step text); insert into progress values ('begun');"
        f"{UNTIL_TOLD} insert into progress values ('done');"
    )
    server = run(files={f"{INIT}/init-scripts/98-slow.sql": slow})
    wait_for(lambda: "98-slow.sql" in server.logs(), "the slow script to run")
    seen = 0
    while "the database is ready to start" not in server.logs():
        before = server.logs()
        code, _ = server.run(*HEALTH)
        if "the database is ready to start" not in server.logs():
            assert code != 0, before
            seen += 1
        if seen == 2:
            server.ok("touch", "/tmp/go")
    assert seen > 1
    server.healthy()
    assert sql(server, "select string_agg(step, ',') from progress") == "begun,done"


def test_scripts_run_once_in_upstreams_order_and_as_upstreams_users(dock: Dock, run: Callable[..., Box]) -> None:
    note = "insert into public.seen values ('{}', current_user, (select rolsuper from pg_roles where rolname = current_user));"
    files = {
        f"{INIT}/init-scripts/97-first.sql": "create table seen (name text, who text, super bool); grant all on seen to public;",
        f"{INIT}/init-scripts/98-b.sql": note.format("98-b"),
        f"{INIT}/init-scripts/98-a.sql": note.format("98-a"),
        # As upstream's own files do: a variable of the environment through the shell.
        f"{INIT}/init-scripts/99-jwt.sql": '\\set exp `echo "$JWT_EXP"`\nalter database postgres set "app.settings.jwt_exp" to :\'exp\';',
        f"{INIT}/migrations/97-db.sql": '\\set owner `echo "$POSTGRES_USER"`\ncreate database _supabase owner :owner;',
        f"{INIT}/migrations/99-m.sql": note.format("99-m"),
    }
    volume = dock.volume()
    server = run(volume, files=files).healthy()
    rows = sql(server, "select string_agg(name || ' ' || who || ' ' || super, ', ' order by ctid) from seen")
    assert rows == "98-a postgres true, 98-b postgres true, 99-m supabase_admin true"
    assert sql(server, "show app.settings.jwt_exp") == "3600"
    assert sql(server, "select pg_get_userbyid(datdba) from pg_database where datname = '_supabase'") == "supabase_admin"
    server.container.restart(timeout=30)
    server.healthy()
    assert sql(server, "select count(*) from seen") == "3"


def test_postgres_is_no_superuser_and_supabase_admin_is(run: Callable[..., Box]) -> None:
    server = run().healthy()
    query = "select rolname || ' ' || rolsuper from pg_roles where rolname in ('postgres', 'supabase_admin') order by 1"
    assert sql(server, query).splitlines() == ["postgres false", "supabase_admin true"]
    owner = "select pg_get_userbyid(datdba) from pg_database where datname = 'postgres'"
    assert sql(server, owner) == "postgres"


def test_postgres_can_create_the_extensions(run: Callable[..., Box]) -> None:
    server = run().healthy()
    for extension in ("vector", "pg_cron", "pgtap", "pg_trgm", "postgres_fdw"):
        sql(server, f"create extension {extension}")
    assert sql(server, "select '[1,2,3]'::vector <-> '[1,2,5]'") == "2"
    sql(server, "create table ran (n int); select cron.schedule('job', '1 seconds', 'insert into ran values (1)')")
    wait_for(lambda: sql(server, "select count(*) > 0 from ran") == "t", "the scheduled job to run")


def test_a_failing_script_ends_the_start_and_leaves_no_database(
    dock: Dock, image: Callable[[str], str], run: Callable[..., Box]
) -> None:
    volume = dock.volume()
    failing = run(volume, files={f"{INIT}/migrations/98-wrong.sql": "select * from nowhere;"})
    assert failing.exit_code() != 0
    assert 'relation "nowhere" does not exist' in failing.logs()
    assert "PG_VERSION" not in in_volume(dock, image, volume, f"ls -A {DATA}")
    mended = run(volume).healthy()
    assert "begun afresh" in mended.logs()
    assert sql(mended, "select 1") == "1"


def test_an_initialisation_killed_midway_is_begun_afresh(
    dock: Dock, image: Callable[[str], str], run: Callable[..., Box]
) -> None:
    volume = dock.volume()
    slow = "create table half (n int); select pg_sleep(60);"
    killed = run(volume, files={f"{INIT}/init-scripts/98-slow.sql": slow})
    wait_for(lambda: "98-slow.sql" in killed.logs(), "the slow script to run")
    killed.container.kill("SIGKILL")
    assert "PG_VERSION" not in in_volume(dock, image, volume, f"ls -A {DATA}")
    again = run(volume).healthy()
    assert sql(again, "select to_regclass('half') is null") == "t"


def test_a_move_into_place_that_was_interrupted_is_finished(
    dock: Dock, image: Callable[[str], str], run: Callable[..., Box]
) -> None:
    volume = dock.volume()
    first = run(volume).healthy()
    sql(first, "create table kept (n int)")
    first.container.stop(timeout=30)
    part = "for f in PG_VERSION base pg_wal; do mv $f .supastack-initialised/; done"
    script = f"cd {DATA} && mkdir -m 0700 .supastack-initialised && {part} && chown -R postgres ."
    in_volume(dock, image, volume, script)
    second = run(volume).healthy()
    assert sql(second, "select count(*) from kept") == "0"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("printf '17\\n' > PG_VERSION && mkdir global && echo mine > notes", "only half-initialised"),
        ("echo mine > notes", "not empty and holds no complete database (no PG_VERSION): notes"),
        ("printf '15\\n' > PG_VERSION && echo mine > notes", "made by PostgreSQL 15 and this is PostgreSQL 17"),
    ],
)
def test_a_volume_that_is_no_complete_database_is_refused_and_left_alone(
    dock: Dock, image: Callable[[str], str], run: Callable[..., Box], content: str, says: str
) -> None:
    volume = dock.volume()
    in_volume(dock, image, volume, f"cd {DATA} && {content}")
    before = in_volume(dock, image, volume, f"cd {DATA} && find . -type f | sort | xargs sha256sum")
    refused = run(volume)
    assert refused.exit_code() == 1
    assert says in refused.logs()
    assert in_volume(dock, image, volume, f"cd {DATA} && find . -type f | sort | xargs sha256sum") == before


def test_without_a_password_nothing_is_made(dock: Dock, image: Callable[[str], str], run: Callable[..., Box]) -> None:
    volume = dock.volume()
    refused = run(volume, env={})
    assert refused.exit_code() == 1
    assert "POSTGRES_PASSWORD is not set" in refused.logs()
    assert in_volume(dock, image, volume, f"ls -A {DATA}").strip() == ""


def test_the_password_may_come_from_a_file(dock: Dock, image: Callable[[str], str], run: Callable[..., Box]) -> None:
    env = {"POSTGRES_PASSWORD_FILE": "/tmp/password"}
    server = run(env=env, files={"/tmp/password": "from-a-file"}).healthy()
    assert remote(dock, image, server.name, "from-a-file", "select 1").exit_code() == 0
    both = run(env={**env, "POSTGRES_PASSWORD": "x"})
    assert both.exit_code() == 1
    assert "POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set" in both.logs()


def test_the_password_is_in_no_argument_and_no_log(run: Callable[..., Box]) -> None:
    # The script sees the processes of the initialisation, when the password is used.
    spy = "#!/bin/sh\nfor p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done\n"
    server = run(start=False)
    server.put(f"{INIT}/zz-spy.sh", spy, mode=0o755)
    server.container.start()
    server.healthy()
    assert "postgres -c config_file" in server.logs()
    assert PASSWORD not in server.logs()
    # What the server would hand to a program that it starts.
    query = "create temp table seen (line text); copy seen from program 'env'; select string_agg(line, ' ') from seen"
    handed = sql(server, query, user="supabase_admin")
    assert "PGDATA=" in handed
    assert PASSWORD not in handed


def test_it_runs_as_postgres_and_stops_fast_with_a_session_open(run: Callable[..., Box]) -> None:
    server = run().healthy()
    assert server.ok("stat", "-c", "%U", "/proc/1") == "postgres"
    server.container.exec_run(["psql", "-U", "postgres", "-c", "select pg_sleep(300)"], detach=True)
    wait_for(lambda: sql(server, "select count(*) from pg_stat_activity where query like '%300%'") > "1", "the session")
    server.container.stop(timeout=60)
    # Not killed: 137 would be SIGKILL after the grace.
    assert server.exit_code() == 0
    server.container.start()
    server.healthy()


def test_the_configuration_volume_is_filled_from_the_image_and_read(
    dock: Dock, image: Callable[[str], str], run: Callable[..., Box]
) -> None:
    custom = dock.volume()
    volumes = {"/etc/postgresql-custom": custom}
    server = dock.box(image("postgres"), *COMMAND, env=environment(), volumes=volumes, health=HEALTH).healthy()
    assert "custom.conf" in server.ok("ls", "/etc/postgresql-custom")
    server.ok("sh", "-c", "echo \"work_mem = '7MB'\" >> /etc/postgresql-custom/custom.conf", user="postgres")
    server.container.restart(timeout=30)
    server.healthy()
    assert sql(server, "show work_mem") == "7MB"
    assert sql(server, "show wal_level") == "logical"


def test_another_port_is_honoured(dock: Dock, image: Callable[[str], str]) -> None:
    env = {**environment(), "PGPORT": "5544", "POSTGRES_PORT": "5544"}
    server = dock.box(image("postgres"), *COMMAND, env=env, health=HEALTH).healthy()
    assert sql(server, "select inet_server_port() is null, current_setting('port')") == "t|5544"
