"""The plain database of seed 003 and PgBouncer before it, on the real servers."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from components.plain_database import services
from components.service import Service
from tests.clone_root import ROOT
from tests.integration.database.conftest import PLAIN_PASSWORD, Placed
from tests.integration.images.conftest import Box, Dock, wait_for
from tests.unit.components.placements import placement

pytestmark = pytest.mark.docker

CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.cleanmatex.yaml").read_text())["config"]["supastack:plainDatabase"]
DATA = "/var/lib/postgresql/data"


def plain(**settings: Any) -> dict[str, Service]:
    made = services({"placement": placement(), "settings": {**CONFIG, **settings}})  # type: ignore[typeddict-item]
    return {s.name: s for s in made}


@pytest.fixture
def server(place: Placed) -> Box:
    return place(plain()["plain-postgres"], recipe="postgres-plain").healthy()


@pytest.fixture
def ready(place: Placed, server: Box) -> Box:
    set_up(place, server)
    return server


def set_up(place: Placed, server: Box, **settings: Any) -> None:
    job = place(plain(**settings)["plain-setup"], {"plain-postgres": f"{server.name}:5432"}, recipe="postgres-plain")
    assert job.exit_code() == 0, job.logs()


def sql(box: Box, query: str, *options: str) -> str:
    return box.ok("psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-U", "cmx_user", "-d", "cmx_db", *options, "-c", query)


def test_it_is_postgresql_16_with_the_seeds_names_extensions_and_parameters(ready: Box) -> None:
    assert sql(ready, "show server_version").startswith("16.")
    assert sql(ready, "select current_database(), current_user") == "cmx_db|cmx_user"
    assert sql(ready, "select string_agg(extname, ' ' order by extname) from pg_extension") == "pgcrypto plpgsql uuid-ossp"
    assert sql(ready, "select length(uuid_generate_v4()::text), length(crypt('x', gen_salt('bf')))") == "36|60"
    for name, value in CONFIG["parameters"].items():
        assert sql(ready, f"show {name}") == value, name


def test_the_read_only_role_reads_what_is_there_and_what_comes_and_writes_nothing(place: Placed, server: Box) -> None:
    sql(server, "create table before (n int); insert into before values (1)")
    set_up(place, server)
    sql(server, "create table after (n serial); insert into after default values")
    sql(server, "create role reporter login password 'x' in role cmx_readonly")
    as_reader = "set role reporter; "
    assert sql(server, as_reader + "select (select n from before) + (select n from after)") == "2"
    for forbidden in ("insert into after default values", "create table mine (n int)", "delete from before"):
        code, output = server.run("psql", "-U", "cmx_user", "-d", "cmx_db", "-c", f"set role reporter; {forbidden}")
        assert code != 0
        assert "permission denied" in output, output
    assert sql(server, "select rolcanlogin from pg_roles where rolname = 'cmx_readonly'") == "f"


def test_the_setup_can_run_again_and_takes_up_what_is_new(place: Placed, ready: Box) -> None:
    set_up(place, ready)
    set_up(place, ready, extensions=["pg_trgm"])
    assert (
        sql(ready, "select string_agg(extname, ' ' order by extname) from pg_extension") == "pg_trgm pgcrypto plpgsql uuid-ossp"
    )


def test_an_extension_that_is_not_there_is_named(place: Placed, server: Box) -> None:
    job = plain(extensions=["no_such_one"])["plain-setup"]
    done = place(job, {"plain-postgres": f"{server.name}:5432"}, recipe="postgres-plain")
    assert done.exit_code() != 0
    assert 'extension "no_such_one" is not available' in done.logs()


def test_data_outlives_the_container_and_bears_the_mark(dock: Dock, place: Placed) -> None:
    volume = dock.volume()
    first = place(plain()["plain-postgres"], volumes={DATA: volume}, recipe="postgres-plain").healthy()
    sql(first, "create table kept (n int)")
    assert first.ok("cat", f"{DATA}/supastack.complete") == "cmx_db\nuser 70"
    first.container.stop(timeout=30)
    first.container.remove()
    second = place(plain()["plain-postgres"], volumes={DATA: volume}, recipe="postgres-plain").healthy()
    assert sql(second, "select count(*) from kept") == "0"


# -- PgBouncer ---------------------------------------------------------------------------------------------------------


def client(
    dock: Dock, image: Callable[[str], str], pool: Box, query: str, user: str = "cmx_user", password: str = PLAIN_PASSWORD
) -> Box:
    """A client in another container."""
    address = f"host={pool.name} port=6432 user={user} dbname=cmx_db"
    return dock.box(image("pgbouncer"), "psql", "-X", "-qAt", address, "-c", query, env={"PGPASSWORD": password})


@pytest.fixture
def pool(place: Placed, server: Box) -> Box:
    return place(plain()["pgbouncer"], {"plain-postgres": f"{server.name}:5432"}, recipe="pgbouncer").healthy()


def test_clients_reach_the_database_through_the_pool_with_the_password_alone(
    dock: Dock, image: Callable[[str], str], pool: Box
) -> None:
    right = client(dock, image, pool, "select current_user || ' ' || current_database()")
    assert right.exit_code() == 0, right.logs()
    assert right.logs().strip() == "cmx_user cmx_db"
    wrong = client(dock, image, pool, "select 1", password="wrong")
    assert wrong.exit_code() != 0
    assert "authentication failed" in wrong.logs()


def test_another_user_of_the_server_logs_in_through_the_pool_too(
    dock: Dock, image: Callable[[str], str], server: Box, pool: Box
) -> None:
    sql(server, "create role reporter login password 'a report'")
    done = client(dock, image, pool, "select current_user", user="reporter", password="a report")
    assert done.exit_code() == 0, done.logs()
    assert done.logs().strip() == "reporter"
    refused = client(dock, image, pool, "select 1", user="reporter", password="another")
    assert refused.exit_code() != 0


def test_the_pool_is_as_the_settings_say(pool: Box) -> None:
    shown = dict(
        line.split("|")[:2] for line in pool.ok("psql", "-X", "-qAt", "-d", "pgbouncer", "-c", "show config").splitlines()
    )
    assert (shown["pool_mode"], shown["max_client_conn"], shown["default_pool_size"]) == ("transaction", "100", "25")


def test_a_connection_goes_back_after_each_transaction(pool: Box, server: Box) -> None:
    several = [word for _ in range(5) for word in ("-c", "select pg_backend_pid()")]
    assert len(set(pool.ok("psql", "-X", "-qAt", *several).splitlines())) == 1
    assert (
        sql(server, "select count(*) from pg_stat_activity where usename = 'cmx_user' and backend_type = 'client backend'") <= "3"
    )


def test_the_pool_is_unwell_without_its_server_and_well_again_with_it(server: Box, pool: Box) -> None:
    health = plain()["pgbouncer"].health
    assert health is not None
    server.container.stop(timeout=30)
    wait_for(lambda: pool.run(*health.command)[0] != 0, "the check to fail")
    server.container.start()
    server.healthy()
    wait_for(lambda: pool.run(*health.command)[0] == 0, "the check to pass again")


def test_no_password_is_an_argument(pool: Box, server: Box) -> None:
    for box in (pool, server):
        running = " ".join(" ".join(row) for row in box.container.top()["Processes"])
        assert PLAIN_PASSWORD not in running
