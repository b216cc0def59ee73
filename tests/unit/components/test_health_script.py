"""The databases' health check, run by a shell with a stand-in for pg_isready."""

import subprocess

import pytest

from components import sql


@pytest.fixture
def asked(tmp_path):
    """Exit code and what is said, on a server that takes connections."""
    ready = tmp_path / "bin" / "pg_isready"
    ready.parent.mkdir()
    ready.write_text("#!/bin/sh\nexit 0\n")
    ready.chmod(0o755)

    def run(**env):
        of_all = {"PATH": f"{ready.parent}:/usr/bin:/bin", "PGDATA": str(tmp_path), "POSTGRES_USER": "me", "POSTGRES_DB": "it"}
        found = subprocess.run(
            ["sh", "-c", sql.read("health.sh")], env={**of_all, **env}, capture_output=True, text=True, check=False
        )
        return found.returncode, found.stdout

    return run


def test_a_database_that_is_complete_is_healthy(asked, tmp_path):
    (tmp_path / "supastack.complete").touch()
    assert asked() == (0, "")


@pytest.mark.parametrize(
    ("env", "way"),
    [({}, "`docker exec <this container> sh "), ({"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, "`kubectl exec ")],
)
def test_one_that_is_not_says_what_to_do_in_the_words_of_where_it_runs(asked, env, way):
    code, said = asked(**env)
    assert code == 1
    assert said.startswith("refused: ")
    assert way in said
    assert ("claim" in said) is bool(env)
