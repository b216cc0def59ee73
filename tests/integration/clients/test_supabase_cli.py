"""The Supabase CLI itself, without any Docker: on instance 1 as its local stack, on instance 2 by the `--remote=` of our summary."""

import json
import tomllib
import uuid
from collections.abc import Callable
from dataclasses import replace

import jwt
import pytest

from components import cli_keys, keys
from components.services import secret_names as names
from tests.integration.clients.supabase_cli import Project
from tests.integration.gateway.world import Gateway
from tests.integration.stack.whole import Whole

pytestmark = [pytest.mark.docker, pytest.mark.engine]

VERSION = "20260101000000"
TICKETS = "create table public.tickets (id bigint generated always as identity primary key, title text not null);\n"


@pytest.fixture(scope="module", params=["local", "remote"])
def project(request: pytest.FixtureRequest) -> Project:
    """A project whose one migration was pushed: once to the local stack, once to the one of the flag."""
    found: Project = request.getfixturevalue(request.param)
    found.migration(VERSION, "tickets", TICKETS)
    pushed = found.json("db", "push", "--output-format", "json", *_YES[found.flag is not None])
    assert pushed["migrations"] in ([f"{VERSION}_tickets.sql"], [f"supabase/migrations/{VERSION}_tickets.sql"])
    assert pushed["target"]["port"] == found.stack.outputs["PORTS"]["postgres"]
    return found


_YES = {True: ["--yes"], False: []}
"""Only what is not local asks before it writes."""


def by_url(project: Project) -> Project:
    """The same by the stack's URL: not everything knows a local stack without the CLI's own containers."""
    return project if project.flag else replace(project, flag=f"--remote={project.stack.outputs['DB_URL']}?sslmode=disable")


def rows(stack: Whole, statement: str) -> list[tuple[object, ...]]:
    """What the database says to someone else."""
    with stack.clone.daemon.network(), stack.sql() as connection:
        return connection.execute(statement.encode()).fetchall()


def test_db_push_made_the_table_and_wrote_the_history(project: Project) -> None:
    columns = "select column_name, data_type from information_schema.columns where table_name = 'tickets' order by 1"
    assert rows(project.stack, columns) == [("id", "bigint"), ("title", "text")]
    ((version, name, statements),) = rows(
        project.stack, "select version, name, statements from supabase_migrations.schema_migrations"
    )
    assert (version, name) == (VERSION, "tickets")
    assert isinstance(statements, list)
    assert "create table public.tickets" in statements[0]


def test_a_second_db_push_has_nothing_to_do(project: Project) -> None:
    again = project.json("db", "push", "--output-format", "json", *_YES[project.flag is not None])
    assert (again["upToDate"], again["migrations"]) == (True, [])


def test_migration_list_tells_what_is_here_and_there(project: Project) -> None:
    later = project.folder / "supabase/migrations/20260102000000_later.sql"
    later.write_text("select 1;\n")
    try:
        listed = project.json("migration", "list", "--output-format", "json")["migrations"]
    finally:
        later.unlink()
    assert [(m["local"], m["remote"]) for m in listed] == [(VERSION, VERSION), ("20260102000000", "")]


def test_db_query_writes_and_reads_rows(project: Project) -> None:
    title = f"written by db query {uuid.uuid4().hex}"
    insert = f"insert into public.tickets (title) values ('{title}') returning title"
    assert project.json("db", "query", insert, "-o", "json", *_YES[project.flag is not None]) == [{"title": title}]
    assert (title,) in rows(project.stack, "select title from public.tickets")
    asked = f"select title, current_user as who from public.tickets where title = '{title}'"
    assert project.json("db", "query", asked, "-o", "json", "--read-only") == [{"title": title, "who": "postgres"}]


@pytest.mark.parametrize(("language", "said"), [("typescript", '"tickets": {'), ("python", "class PublicTickets(BaseModel)")])
def test_gen_types_knows_the_table(project: Project, language: str, said: str) -> None:
    assert said in by_url(project).run("gen", "types", "--lang", language).stdout


def test_inspect_db_sees_the_table(project: Project) -> None:
    found = project.json("inspect", "db", "table-stats", "--output-format", "json")["rows"]
    assert "public.tickets" in [row["name"] for row in found]


def test_nothing_is_written_elsewhere_without_yes(remote: Project) -> None:
    refused = remote.run("db", "query", "create table public.unasked ()", "-o", "json", code=1)
    assert "Nothing was changed" in refused.stderr
    assert rows(remote.stack, "select to_regclass('public.unasked')") == [(None,)]


def test_the_summary_gives_the_flag_without_the_password_unless_it_is_asked_for(own: Whole) -> None:
    shown = own.clone.make("status", STACK=own.stack).stdout
    password = own.outputs["DB_URL"].split("@")[0].rsplit(":", 1)[1]
    assert password not in shown
    hidden = own.outputs["DB_URL"].replace(password, "******")
    assert Project.flag_in(shown) == f"--remote={hidden}?sslmode=disable"


def test_the_config_toml_says_the_ports_that_are_published(local: Project) -> None:
    written = tomllib.loads((local.folder / "supabase/config.toml").read_text())
    ports = local.stack.outputs["PORTS"]
    assert (written["api"]["port"], written["db"]["port"]) == (ports["api"], ports["postgres"])
    assert written["project_id"] == local.stack.outputs["PROJECT_REF"]
    (version,) = rows(local.stack, "show server_version_num")
    assert written["db"]["major_version"] == int(str(version[0])) // 10000


def test_a_stack_with_a_password_of_its_own_is_no_local_one(local: Project, own: Whole) -> None:
    """So that what the local commands do above says something: they know one password."""
    refused = local.run("migration", "list", code=1, SUPABASE_DB_PORT=str(own.outputs["PORTS"]["postgres"]))
    assert 'password authentication failed for user "postgres"' in refused.stderr


def test_the_local_http_commands_find_the_gateway_and_the_service_behind(local: Project) -> None:
    answered = local.run("storage", "ls", "--experimental", code=1)
    said = answered.stderr.split("Error status 501: ", 1)[1].splitlines()[0]
    assert json.loads(said)["service"] == "storage"


def test_the_keys_of_compat_cli_are_those_that_the_cli_sends(local: Project, start: Callable[..., Gateway]) -> None:
    """What it sends as soon as nobody tells it other keys, seen behind a gateway that knows ours."""
    ours = {
        names.ANON_KEY: cli_keys.role_key(keys.ANON),
        names.SERVICE_ROLE_KEY: cli_keys.role_key(keys.SERVICE_ROLE),
        names.PUBLISHABLE_KEY: cli_keys.PUBLISHABLE_KEY,
        names.SECRET_KEY: cli_keys.SECRET_KEY,
    }
    gateway = start(secrets=ours)
    gateway.recorder.answers["storage"] = [{"id": "b", "name": "b"}]
    before = sum(len(found) for found in gateway.recorder.seen.values())
    listed = local.run("storage", "ls", "--experimental", SUPABASE_API_EXTERNAL_URL=f"http://{gateway.host}:8000")
    assert "b/" in listed.stdout
    seen = [found for group in gateway.recorder.seen.values() for found in group][before:]
    assert {s.upstream for s in seen} == {"storage"}
    assert {s.header("authorization") for s in seen} == {f"Bearer {ours[names.SERVICE_ROLE_KEY]}"}
    assert local.stack.outputs["SERVICE_ROLE_KEY"] == ours[names.SERVICE_ROLE_KEY]


def test_a_token_that_the_cli_signs_is_verified_by_the_key_set(local: Project) -> None:
    token = local.run("gen", "bearer-jwt", "--role", "service_role").stdout.strip()
    kid = jwt.get_unverified_header(token)["kid"]
    (key,) = (key for key in jwt.PyJWKSet.from_json(local.stack.outputs["JWKS"]).keys if key.key_id == kid)
    assert jwt.decode(token, key.key, algorithms=["ES256"])["role"] == "service_role"
