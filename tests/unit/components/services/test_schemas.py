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


def test_a_database_that_others_prepare_gets_the_tests_schema_by_its_opt_in_alone():
    def names(external=None, **database):
        given = {"engine": "external", "external": {"host": "db.example.com", **(external or {})}, "testSchema": "ci", **database}
        try:
            job = made("schemas", {"database": given})
        except StopIteration:
            return []
        return [line.split('"')[1] for file in job.files for line in written(file.content).splitlines() if "CREATE" in line]

    assert names() == []
    assert names(schemas=["shop"]) == ["shop"], "that one is named to be made"
    assert names(createTestSchema=True) == ["ci"]
    assert names({"bootstrap": True}) == ["ci"]


def test_the_job_encrypts_as_an_external_database_wants_it():
    external = {"engine": "external", "external": {"host": "db.example.com", "sslmode": "require"}, "schemas": ["shop"]}
    assert env(made("schemas", {"database": external}))["PGSSLMODE"] == "require"
    assert "PGSSLMODE" not in env(made("schemas", {"database": {"schemas": ["shop"]}}))
