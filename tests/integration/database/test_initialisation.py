"""The database as the stack initialises it, on the local image, whose own scripts stand for upstream's.

Expected roles and owners are those that upstream's tests list (supabase/postgres, nix/tests/expected: roles.out, z_17_roles.out,
realtime.out, auth.out, pgbouncer.out); left out there is what belongs to extensions that are not here.
"""

from collections.abc import Callable

import pytest

from tests.integration.database.conftest import PASSWORD, Placed, database, rows, sql
from tests.integration.images.conftest import Box, Dock, wait_for

pytestmark = pytest.mark.docker

# rolname: what it may, as in `create role`
ROLES = {
    "anon": "inherit",
    "authenticated": "inherit",
    "authenticator": "login",
    "dashboard_user": "inherit createrole createdb replication",
    "pgbouncer": "inherit login",
    "postgres": "inherit login createrole createdb replication bypassrls",
    "service_role": "inherit bypassrls",
    "supabase_admin": "inherit login superuser createrole createdb replication bypassrls",
    "supabase_auth_admin": "login createrole",
    "supabase_etl_admin": "inherit login replication",
    "supabase_functions_admin": "login createrole",
    "supabase_read_only_user": "inherit login bypassrls",
    "supabase_realtime_admin": "login createrole replication",
    "supabase_replication_admin": "inherit login replication",
    "supabase_storage_admin": "login createrole",
    "supabase_superuser": "inherit",
}
MEMBERS = {
    "authenticator": "anon authenticated service_role",
    "postgres": "anon authenticated authenticator pg_create_subscription pg_monitor pg_read_all_data pg_signal_backend service_role "
    "supabase_functions_admin supabase_superuser",
    "supabase_etl_admin": "pg_read_all_data supabase_superuser",
    "supabase_read_only_user": "pg_read_all_data",
    "supabase_realtime_admin": "anon authenticated service_role",
    "supabase_storage_admin": "authenticator",
}
SETTINGS = {
    "anon": "statement_timeout=3s",
    "authenticated": "statement_timeout=8s",
    "authenticator": "lock_timeout=8s statement_timeout=8s",
    "supabase_auth_admin": "idle_in_transaction_session_timeout=60000 log_statement=none search_path=auth",
    "supabase_functions_admin": "search_path=supabase_functions",
    "supabase_storage_admin": "log_statement=none search_path=storage",
}
SCHEMAS = {
    "_realtime": "supabase_admin",
    "auth": "supabase_admin",
    "extensions": "postgres",
    "pgbouncer": "pgbouncer",
    "public": "pg_database_owner",
    "realtime": "supabase_admin",
    "storage": "supabase_admin",
    "supabase_functions": "supabase_admin",
}
WITH_PASSWORD = (
    "authenticator",
    "pgbouncer",
    "postgres",
    "supabase_admin",
    "supabase_auth_admin",
    "supabase_functions_admin",
    "supabase_storage_admin",
)
WITHOUT = ("supabase_read_only_user", "supabase_replication_admin", "supabase_etl_admin")


def pairs(box: Box, query: str, **more: str) -> dict[str, str]:
    return dict(line.split("|", 1) for line in rows(box, query, **more))


def log_in(dock: Dock, image: Callable[[str], str], box: Box, user: str, password: str, name: str = "postgres") -> Box:
    """A client in another container: there, only the password counts."""
    address = f"host={box.name} user={user} dbname={name}"
    return dock.box(image("postgres"), "psql", "-At", address, "-c", "select current_user", env={"PGPASSWORD": password})


@pytest.fixture
def server(place: Placed) -> Box:
    return place(database()).healthy()


def test_every_role_is_there_with_its_attributes_memberships_and_settings(server: Box) -> None:
    attributes = pairs(
        server,
        """
        select rolname, concat_ws(' ',
            case when rolinherit then 'inherit' end, case when rolcanlogin then 'login' end,
            case when rolsuper then 'superuser' end, case when rolcreaterole then 'createrole' end,
            case when rolcreatedb then 'createdb' end, case when rolreplication then 'replication' end,
            case when rolbypassrls then 'bypassrls' end)
        from pg_roles where rolname !~ '^pg_'
        """,
    )
    assert attributes == ROLES
    members = pairs(
        server,
        """
        select m.member::regrole, string_agg(m.roleid::regrole::text, ' ' order by m.roleid::regrole::text collate "C")
        from pg_auth_members m where m.member::regrole::text !~ '^pg_' group by 1
        """,
    )
    assert members == MEMBERS
    settings = pairs(
        server,
        """
        select rolname, (select string_agg(s, ' ' order by s) from unnest(rolconfig) as s) from pg_roles where rolconfig is not null
        """,
    )
    assert {name: settings[name] for name in SETTINGS} == SETTINGS


def test_schemas_belong_to_whom_upstream_gives_them(server: Box) -> None:
    query = "select nspname, nspowner::regrole from pg_namespace where nspname !~ '^(pg_|information_schema)'"
    assert pairs(server, query) == SCHEMAS
    assert pairs(server, query, database="_supabase") == {
        "_analytics": "supabase_admin",
        "_supavisor": "supabase_admin",
        "public": "pg_database_owner",
    }
    owners = pairs(server, "select datname, datdba::regrole from pg_database where not datistemplate")
    assert owners == {"postgres": "postgres", "_supabase": "supabase_admin"}
    assert rows(server, "select pubname, pubowner::regrole from pg_publication") == ["supabase_realtime|postgres"]


def test_every_login_role_of_a_service_has_the_password_and_no_other_role_has_one(
    dock: Dock, image: Callable[[str], str], server: Box
) -> None:
    held = rows(server, "select rolname from pg_authid where rolpassword like 'SCRAM-SHA-256$%' order by 1")
    assert held == sorted(WITH_PASSWORD)
    clients = [log_in(dock, image, server, user, PASSWORD) for user in WITH_PASSWORD]
    clients += [log_in(dock, image, server, user, "") for user in WITHOUT]
    wrong = log_in(dock, image, server, "authenticator", "wrong")
    for user, done in zip(WITH_PASSWORD, clients, strict=False):
        assert done.exit_code() == 0, done.logs()
        assert done.logs().strip() == user
    for done in (*clients[len(WITH_PASSWORD) :], wrong):
        assert done.exit_code() != 0


def test_the_pooler_can_ask_for_any_roles_password_and_nobody_else_can(server: Box) -> None:
    ask = "select username || ' ' || left(password, 13) from pgbouncer.get_auth('{}')"
    assert sql(server, ask.format("authenticator"), user="pgbouncer") == "authenticator SCRAM-SHA-256"
    assert sql(server, ask.format("anon"), user="pgbouncer") == "", "it can't log in"
    code, output = server.run("psql", "-U", "authenticator", "-d", "postgres", "-c", ask.format("postgres"))
    assert code != 0
    assert "permission denied" in output


def test_the_tokens_lifetime_can_be_read_in_sql(server: Box) -> None:
    assert sql(server, "select current_setting('app.settings.jwt_exp')", user="authenticator") == "3600"


def test_a_webhook_can_be_declared_and_says_that_it_is_not_sent(server: Box) -> None:
    sql(
        server,
        """
        create table public.orders (id int);
        create trigger tell after insert on public.orders for each row execute function
            supabase_functions.http_request('http://example.invalid', 'POST', '{}', '{}', '1000')
        """,
        user="postgres",
    )
    code, output = server.run("psql", "-U", "postgres", "-d", "postgres", "-c", "insert into public.orders values (1)")
    assert code == 0
    assert "webhook tell: not sent, since this server has no pg_net" in output
    assert "INSERT 0 1" in output
    assert "this server has no pg_net" in server.logs()


def test_a_new_table_is_open_to_the_api_roles_and_tells_the_api_to_look_again(server: Box) -> None:
    sql(server, "create table public.notes (id int)", user="postgres")
    query = "select has_table_privilege(role, 'public.notes', 'insert') from unnest('{anon,authenticated,service_role}'::text[]) as role"
    assert rows(server, query) == ["t", "t", "t"]
    heard = server.ok("psql", "-U", "postgres", "-c", "listen pgrst", "-c", "create table public.more (id int)", "-c", "select 1")
    assert 'notification "pgrst" with payload "reload schema"' in heard


def test_a_database_of_another_name_works_wherever_the_images_scripts_say_postgres(
    dock: Dock, image: Callable[[str], str], place: Placed
) -> None:
    server = place(database(name="shop")).healthy()
    owners = pairs(server, "select datname, datdba::regrole from pg_database where not datistemplate")
    assert owners["shop"] == "postgres"
    assert owners["_supabase"] == "supabase_admin"
    query = "select nspname, nspowner::regrole from pg_namespace where nspname !~ '^(pg_|information_schema)'"
    assert pairs(server, query, database="shop") == SCHEMAS
    for user in ("supabase_auth_admin", "supabase_storage_admin", "supabase_realtime_admin", "dashboard_user", "postgres"):
        assert sql(server, f"select has_database_privilege('{user}', 'shop', 'create')") == "t", user
    assert sql(server, "select current_setting('app.settings.jwt_exp')", user="authenticator", database="shop") == "3600"
    # Its worker serves this database: it can be created here, and runs its jobs.
    sql(server, "create extension pg_cron; create table ran (n int)", user="postgres", database="shop")
    sql(server, "select cron.schedule('job', '1 seconds', 'insert into ran values (1)')", user="postgres", database="shop")
    wait_for(lambda: sql(server, "select count(*) > 0 from ran", database="shop") == "t", "the scheduled job to run")
    assert sql(server, "show pg_net.database_name") == "shop"
    assert log_in(dock, image, server, "authenticator", PASSWORD, "shop").exit_code() == 0


def test_the_files_can_run_again_and_change_nothing(server: Box) -> None:
    def dump() -> str:
        roles = server.ok("pg_dumpall", "-U", "supabase_admin", "-h", "localhost", "--globals-only", "--no-role-passwords")
        one = server.ok("pg_dump", "-U", "supabase_admin", "-h", "localhost", "-d", "postgres")
        other = server.ok("pg_dump", "-U", "supabase_admin", "-h", "localhost", "-d", "_supabase")
        lines = f"{roles}\n{one}\n{other}".splitlines()
        return "\n".join(
            line for line in lines if not line.startswith(("\\restrict", "\\unrestrict", "-- Started", "-- Completed"))
        )

    before = dump()
    assert "_supavisor" in before
    for _ in range(2):
        assert "is complete" in server.ok("sh", "/etc/supastack/complete.sh")
    assert dump() == before
    assert server.healthy()
