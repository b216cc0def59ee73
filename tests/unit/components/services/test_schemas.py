"""The job that makes further schemas."""

import pytest

from components.service import Gate, Kind
from tests.unit.components.services.making import env, made, written


def test_without_schemas_there_is_no_job():
    for settings in ({}, {"database": {"schemas": []}}, {"enabled": False, "database": {"schemas": ["test"]}}):
        with pytest.raises(StopIteration):
            made("schemas", settings)


def test_each_schema_is_made_once_in_the_stacks_own_database_by_the_login_that_apps_have():
    job = made("schemas", {"database": {"name": "shop", "schemas": ["test", "user"]}})
    assert job.kind is Kind.JOB
    (sql,) = [written(file.content) for file in job.files]
    assert sql.splitlines() == [
        'CREATE SCHEMA IF NOT EXISTS "test";',
        'GRANT ALL ON SCHEMA "test" TO postgres;',
        'CREATE SCHEMA IF NOT EXISTS "user";',
        'GRANT ALL ON SCHEMA "user" TO postgres;',
    ]
    assert (env(job)["PGDATABASE"], env(job)["PGUSER"]) == ("shop", "postgres")
    assert [(edge.capability, edge.gate) for edge in job.connects] == [("postgres", Gate.HEALTHY)]
