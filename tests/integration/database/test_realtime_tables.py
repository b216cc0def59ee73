"""The tables that Realtime tells of, put into the publication by the job on a real server."""

import pytest

from tests.integration.database.conftest import database, resolved, rows, sql, stack

AT = {"postgres": "localhost:5432"}
TABLES = ["public.messages", "public.missing", "later.*", "shop.*", "shop.Items"]


@pytest.fixture
def box(place):
    made = place(database()).healthy()
    sql(made, 'create table public.messages (id int); create schema shop; create table shop."Items" (id int)', user="postgres")
    return made


def run(box, tables=TABLES):
    """Runs the job's own words beside the server. Exit code, and what it says by table."""
    job = stack(realtime={"tables": tables})["realtime-tables"]
    for file in job.files:
        box.put(file.path, resolved(file.content, AT))
    environment = {name: resolved(value, AT) for name, value in job.env.items()}
    code, said = box.run(*job.entrypoint, *job.command, env=environment)
    lines = [line.split(":", 4)[-1].strip().split(" ", 1) for line in said.splitlines()]
    return code, {table: what for table, what in lines if table in tables}


def told(box):
    query = "select schemaname || '.' || tablename from pg_publication_tables where pubname = 'supabase_realtime' order by 1"
    return rows(box, query)


def test_what_is_there_is_put_in_and_what_is_not_is_named(box):
    code, said = run(box)
    assert code == 0
    assert said["public.messages"] == said["shop.*"] == "is in the publication now"
    for table in ("public.missing", "later.*"):
        assert said[table].startswith("is not there yet")
    assert told(box) == ["public.messages", "shop.Items"]


def test_it_can_run_again_and_then_finds_what_came_since(box):
    run(box)
    sql(box, "create table public.missing (id int); create table shop.more (id int)", user="postgres")
    assert told(box) == ["public.messages", "shop.Items", "shop.more"]
    code, said = run(box)
    assert (code, said["public.missing"]) == (0, "is in the publication now")
    assert said["public.messages"] == said["shop.*"] == said["shop.Items"] == "is in the publication already"
    assert told(box) == ["public.messages", "public.missing", "shop.Items", "shop.more"]


def test_a_dollar_in_a_name_ends_nothing(box):
    sql(box, 'create table public."a$job$b" (id int)', user="postgres")
    code, said = run(box, ["public.a$job$b"])
    assert (code, said["public.a$job$b"]) == (0, "is in the publication now")
    assert told(box) == ["public.a$job$b"]


def test_a_table_that_is_taken_off_the_list_stays(box):
    run(box)
    run(box, ["shop.Items"])
    assert "public.messages" in told(box)


def test_what_can_not_be_told_of_fails_the_job(box):
    sql(box, "create view public.seen as select 1 as id", user="postgres")
    code, _ = run(box, ["public.seen"])
    assert code != 0
    assert told(box) == []


def test_a_publication_that_is_gone_is_made_again(box):
    sql(box, "drop publication if exists supabase_realtime")
    run(box, ["public.messages"])
    assert told(box) == ["public.messages"]
