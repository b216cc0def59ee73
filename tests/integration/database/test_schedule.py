"""The job of the tasks by the clock, on the local image of the database, which has pg_cron."""

import pytest

from tests.integration.database.conftest import Placed, database, rows, sql
from tests.integration.images.conftest import Box, wait_for
from tests.unit.components.services.making import made, written

pytestmark = pytest.mark.docker

CLEANUP = {"schedule": "1 seconds", "sql": "insert into ran values ('it''s :here')"}
NIGHTLY = {"schedule": "0 3 * * *", "sql": "select 1"}
JOBS = "select jobname || ' ' || schedule || ' ' || username from cron.job order by 1"


def scheduled(server: Box, tasks: dict[str, dict[str, object]]) -> None:
    """What the job does, by the psql of the server's own image."""
    (file,) = made("schedule", {"database": {"name": "shop", "schedule": tasks}}).files
    server.ok("psql", "-U", "postgres", "-d", "shop", "-v", "ON_ERROR_STOP=1", "-c", written(file.content))


def test_tasks_run_change_and_go_and_those_of_others_stay(place: Placed) -> None:
    server = place(database(name="shop")).healthy()
    sql(server, "create table ran (what text)", user="postgres", database="shop")
    scheduled(server, {"cleanup": CLEANUP, "nightly": NIGHTLY})
    sql(server, "select cron.schedule('their-own', '0 4 * * *', 'select 2')", user="postgres", database="shop")
    everything = ["supastack:cleanup 1 seconds postgres", "supastack:nightly 0 3 * * * postgres", "their-own 0 4 * * * postgres"]
    assert rows(server, JOBS, database="shop") == everything
    wait_for(
        lambda: sql(server, "select count(*) > 0 from ran where what = 'it''s :here'", database="shop") == "t", "the task to run"
    )
    scheduled(server, {"cleanup": CLEANUP, "nightly": NIGHTLY})
    assert rows(server, JOBS, database="shop") == everything, "once more is the same"
    scheduled(server, {"cleanup": {**CLEANUP, "enabled": False}, "nightly": {**NIGHTLY, "schedule": "0 5 * * *"}})
    assert rows(server, JOBS, database="shop") == ["supastack:nightly 0 5 * * * postgres", "their-own 0 4 * * * postgres"]
    scheduled(server, {"nightly": {"enabled": False}})
    assert rows(server, JOBS, database="shop") == ["their-own 0 4 * * * postgres"]
