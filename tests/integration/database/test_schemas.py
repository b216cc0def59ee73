"""Further schemas, made by the job on a real server."""

from tests.integration.database.conftest import database, resolved, rows, sql, stack

AT = {"postgres": "localhost:5432"}


def run(box, schemas):
    """Runs the job's own words beside the server. Its exit code."""
    job = stack(database={"schemas": schemas})["schemas"]
    for file in job.files:
        box.put(file.path, resolved(file.content, AT))
    return box.run(*job.entrypoint, *job.command, env={name: resolved(value, AT) for name, value in job.env.items()})[0]


def test_an_app_can_work_in_a_schema_that_was_made_and_the_job_can_run_again(place):
    box = place(database()).healthy()
    assert run(box, ["test"]) == 0
    sql(box, "create table test.metrics (id int); insert into test.metrics values (1)", user="postgres")
    assert run(box, ["test", "select"]) == 0
    assert rows(box, "select count(*) from test.metrics") == ["1"]
    assert rows(box, "select nspname from pg_namespace where nspname in ('test', 'select') order by 1") == ["select", "test"]
