"""The postgres-plain image, run as seed 003's compose file runs docker-library's postgres:16-alpine.

What it shares with the postgres image (the entrypoint) is tested there; here is what differs.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.images.conftest import UNTIL_TOLD, Box, Dock, wait_for

pytestmark = pytest.mark.docker

USER, DATABASE, PASSWORD = "cmx_user", "cmx_db", "plain-Test_0123456789"
ENVIRONMENT = {"POSTGRES_USER": USER, "POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": DATABASE}
# Over the socket, as the seed has it.
HEALTH = ("pg_isready", "-U", USER)
DATA = "/var/lib/postgresql/data"
INIT = "/docker-entrypoint-initdb.d"
SEED = """\
create extension if not exists "uuid-ossp";
create extension if not exists "pgcrypto";
create role cmx_readonly;
grant connect on database cmx_db to cmx_readonly;
grant usage on schema public to cmx_readonly;
grant select on all tables in schema public to cmx_readonly;
alter system set shared_buffers = '256MB';
alter system set random_page_cost = 1.1;
"""


@pytest.fixture
def run(dock: Dock, image: Callable[[str], str]) -> Callable[..., Box]:
    def start(*command: str, volume: str | None = None, env: dict[str, str] = ENVIRONMENT, **more: Any) -> Box:
        volumes = {DATA: volume} if volume else {}
        return dock.box(image("postgres-plain"), *command, env=env, volumes=volumes, health=HEALTH, **more)

    return start


def sql(box: Box, query: str, user: str = USER, database: str = DATABASE) -> str:
    return box.ok("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database, "-c", query)


def remote(dock: Dock, image: Callable[[str], str], host: str, password: str, query: str) -> Box:
    """A client in another container."""
    address = f"host={host} user={USER} dbname={DATABASE}"
    return dock.box(image("postgres-plain"), "psql", "-At", address, "-c", query, env={"PGPASSWORD": password})


def test_it_is_a_postgresql_16_set_up_as_the_seed_sets_it_up(
    dock: Dock, image: Callable[[str], str], run: Callable[..., Box]
) -> None:
    server = run("postgres", "-c", "max_connections=50", files={f"{INIT}/001-init.sql": SEED}).healthy()
    assert sql(server, "show server_version").startswith("16.")
    assert sql(server, "select length(uuid_generate_v4()::text)") == "36"
    assert sql(server, "select encode(digest('abc', 'sha256'), 'hex')").startswith("ba7816bf")
    assert sql(server, "select crypt('word', crypt('word', gen_salt('bf'))) is not null") == "t"
    assert sql(server, "show shared_buffers") == "256MB"
    assert sql(server, "show max_connections") == "50"
    assert sql(server, "show random_page_cost") == "1.1"
    assert sql(server, "select rolsuper from pg_roles where rolname = current_user") == "t"
    assert sql(server, "select has_database_privilege('cmx_readonly', 'cmx_db', 'connect')") == "t"
    assert sql(server, "select datcollate from pg_database where datname = current_database()") == "en_US.utf8"
    assert remote(dock, image, server.name, PASSWORD, "select 40 + 2").exit_code() == 0
    refused = remote(dock, image, server.name, "wrong", "select 1")
    assert refused.exit_code() != 0
    assert "password authentication failed" in refused.logs()


def test_it_is_not_ready_before_its_initialisation_is_done(run: Callable[..., Box]) -> None:
    slow = f"create table progress (step text); {UNTIL_TOLD} insert into progress values ('done');"
    server = run(files={f"{INIT}/1-slow.sql": slow})
    wait_for(lambda: "1-slow.sql" in server.logs(), "the slow script to run")
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
    assert sql(server, "select step from progress") == "done"


def test_scripts_run_once_in_order_and_find_the_server_as_in_upstreams_image(dock: Dock, run: Callable[..., Box]) -> None:
    # As upstream's documentation writes such a script: user and database by the environment, no host.
    script = 'psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -c "{}"\n'
    volume = dock.volume()
    server = run(volume=volume, start=False)
    server.put(f"{INIT}/1-first.sh", script.format("create table seen (name text)"))
    server.put(f"{INIT}/2-second.sh", "#!/bin/sh\nset -e\n" + script.format("insert into seen values ('executed')"), mode=0o755)
    server.put(f"{INIT}/3-third.sql", "insert into seen values (current_user || ' ' || current_database());")
    server.container.start()
    server.healthy()
    assert sql(server, "select string_agg(name, ', ' order by ctid) from seen") == "executed, cmx_user cmx_db"
    server.container.restart(timeout=30)
    server.healthy()
    assert sql(server, "select count(*) from seen") == "2"


def test_user_and_database_have_upstreams_defaults_and_may_come_from_files(run: Callable[..., Box]) -> None:
    server = run(env={"POSTGRES_PASSWORD": PASSWORD}).healthy()
    assert sql(server, "select current_database()", user="postgres", database="postgres") == "postgres"
    env = {"POSTGRES_USER_FILE": "/tmp/user", "POSTGRES_PASSWORD_FILE": "/tmp/password"}
    named = run(env=env, files={"/tmp/user": "somebody", "/tmp/password": PASSWORD}).healthy()
    # The database is called as the user where nothing else is said.
    assert sql(named, "select current_user || ' ' || current_database()", "somebody", "somebody") == "somebody somebody"


def test_data_survives_a_new_container_and_a_killed_initialisation_is_begun_afresh(dock: Dock, run: Callable[..., Box]) -> None:
    volume = dock.volume()
    killed = run(volume=volume, files={f"{INIT}/1-slow.sql": "create table half (n int); select pg_sleep(60);"})
    wait_for(lambda: "1-slow.sql" in killed.logs(), "the slow script to run")
    killed.container.kill("SIGKILL")
    first = run(volume=volume).healthy()
    assert "begun afresh" in first.logs()
    assert sql(first, "select to_regclass('half') is null") == "t"
    sql(first, "create table kept (n int); insert into kept values (7)")
    first.container.stop(timeout=30)
    second = run(volume=volume).healthy()
    assert sql(second, "select n from kept") == "7"


def test_a_volume_of_another_major_is_refused_and_left_alone(
    dock: Dock, image: Callable[[str], str], run: Callable[..., Box]
) -> None:
    volume = dock.volume()
    dock.once(image("postgres-plain"), "sh", "-c", f"echo 17 > {DATA}/PG_VERSION", volumes={DATA: volume})
    refused = run(volume=volume)
    assert refused.exit_code() == 1
    assert "made by PostgreSQL 17 and this is PostgreSQL 16" in refused.logs()
    assert dock.once(image("postgres-plain"), "cat", f"{DATA}/PG_VERSION", volumes={DATA: volume}).strip() == "17"


def test_a_dump_of_it_restores_and_its_one_complaint_is_the_one_that_the_recipe_names(run: Callable[..., Box]) -> None:
    server = run(files={f"{INIT}/001-init.sql": SEED}).healthy()
    sql(server, "create table invoices (id uuid primary key default uuid_generate_v4()); insert into invoices default values")
    server.ok("sh", "-c", f"pg_dump -U {USER} {DATABASE} > /tmp/dump.sql && createdb -U {USER} copy")
    output = server.ok("sh", "-c", f"psql -X -q -U {USER} -d copy -f /tmp/dump.sql 2>&1")
    errors = [line for line in output.splitlines() if "ERROR" in line]
    assert len(errors) == 1, output
    assert "transaction_timeout" in errors[0]
    assert sql(server, "select count(*) from invoices", database="copy") == "1"


def test_it_runs_as_postgres_and_stops_cleanly(run: Callable[..., Box]) -> None:
    server = run().healthy()
    assert server.ok("stat", "-c", "%u", "/proc/1") == "70"
    server.container.stop(timeout=60)
    # Not killed: 137 would be SIGKILL after the grace.
    assert server.exit_code() == 0
