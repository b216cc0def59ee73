"""The job that gives the database its tasks by the clock."""

import pytest

from tests.unit.components.services.making import made, written

TASKS = {
    "cleanup": {"schedule": "0 3 * * *", "sql": "delete from t where name = 'it''s :old'"},
    "report": {"schedule": "0 6 * * 1", "function": "weekly"},
    "off": {"enabled": False, "schedule": "* * * * *", "sql": "select 1"},
}


def statements(settings):
    (file,) = made("schedule", settings).files
    return written(file.content).splitlines()


def test_without_tasks_or_a_database_of_ours_there_is_no_job():
    external = {"engine": "external", "external": {"host": "db.example.com"}, "schedule": TASKS}
    for settings in (
        {},
        {"database": {"schedule": {}}},
        {"enabled": False, "database": {"schedule": TASKS}},
        {"database": external},
    ):
        with pytest.raises(StopIteration):
            made("schedule", settings)


def test_what_the_database_runs_is_made_and_what_is_gone_is_taken_out():
    extension, taken_out, *scheduled = statements({"database": {"schedule": TASKS}})
    assert extension == "CREATE EXTENSION IF NOT EXISTS pg_cron;"
    assert "jobname LIKE 'supastack:%'" in taken_out
    assert "username = current_user" in taken_out, "the jobs of other roles are not ours"
    assert "ARRAY['supastack:cleanup']" in taken_out
    # A function is called by the app's scheduler.
    assert scheduled == ["SELECT cron.schedule('supastack:cleanup', '0 3 * * *', 'delete from t where name = ''it''''s :old''');"]


def test_the_last_task_is_taken_out_when_it_is_turned_off():
    _, taken_out, *scheduled = statements({"database": {"schedule": {"off": TASKS["off"]}}})
    assert "ARRAY[]::text[]" in taken_out
    assert scheduled == []
