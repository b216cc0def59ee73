"""The databases' health check, run by a shell with a stand-in for pg_isready."""

import os
import subprocess

import pytest

from components import sql
from components.targets import docker_probe
from components.targets.kubernetes import readiness


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


OTHER = os.getuid() + 1
"""Not the owner of the data folder."""


@pytest.fixture
def mark(tmp_path):
    """Writes the mark."""

    def write(*lines):
        file = tmp_path / "supastack.complete"
        file.write_text("".join(f"{line}\n" for line in lines))
        return file

    return write


@pytest.mark.parametrize("lines", [(), ("it",), ("it", f"user {os.getuid()}"), ("it", f"user {OTHER}", f"user {os.getuid()}")])
def test_a_database_that_is_complete_is_healthy_and_its_user_is_known_then(asked, mark, lines):
    file = mark(*lines)
    assert asked() == (0, "")
    assert asked() == (0, "")
    known = f"user {os.getuid()}"
    assert file.read_text().splitlines() == list(lines if known in lines else (*lines, known))


def test_files_of_another_user_are_refused_with_the_way_by_chown(asked, mark, tmp_path):
    file = mark("it", f"user {OTHER}")
    for env in ({}, {"SUPASTACK_DATA_OWNER": str(OTHER)}):
        code, said = asked(**env)
        assert code == 1
        assert said.startswith(f"refused: user {OTHER} wrote")
        for part in (f"chown -R {os.getuid()} {tmp_path}`", "docker exec <this container>", "sh /etc/supastack/complete.sh"):
            assert part in said
    assert "kubectl exec" in asked(KUBERNETES_SERVICE_HOST="10.96.0.1")[1]
    assert file.read_text() == f"it\nuser {OTHER}\n"


def test_who_gave_the_files_away_by_hand_says_so_in_the_settings_and_once(asked, mark):
    mark("it", f"user {OTHER}")
    assert asked(SUPASTACK_DATA_OWNER=str(os.getuid())) == (0, "")
    assert asked() == (0, "")


def test_what_is_said_of_another_users_files_is_told_to_its_end(asked, mark):
    mark("it", "user 65533")
    room = len("/var/lib/postgresql/data /etc/postgresql-custom supastack-dev-supabase-postgres-0")
    assert len(asked()[1]) + room < min(docker_probe._SAID_CHARACTERS, readiness._SAID_CHARACTERS)


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
