"""The KPI dashboard's stack, which others run: from a fresh clone to its env file and away again, with no Docker in reach.

Nobody is asked at the other end: the project of the shipped file is made up, and so is its password.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from components.env_format import Format, read
from tests.integration.clone import Clone
from tests.integration.plugins.harness import forms_of

pytestmark = pytest.mark.engine

PASSWORD = "p@ss:word/%9?#&+7Zq"
POOLER = "aws-1-eu-central-2.pooler.supabase.com"
SHELL = 'set -e; out=$(make -s activate STACK=kpi); eval "$out"; '


class NoDaemon:
    """Stands where the tests' daemon does, and is nowhere."""

    host = "unix:///nowhere/docker.sock"

    @contextlib.contextmanager
    def network(self) -> Iterator[None]:
        """The machine's own."""
        yield


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A fresh clone that nothing is set up in, on a machine without the docker command."""
    folder = Path(tmp_path_factory.mktemp("managed"))
    nowhere: Any = NoDaemon()
    clone = Clone(folder, nowhere)
    clone.copy()
    if Clone._environment is not None and Clone._environment.is_dir():
        shutil.copytree(Clone._environment, clone.root / ".venv", symlinks=True)
    # A docker that is called tells so, and fails.
    fake = folder / "bin" / "docker"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "$@" >> {folder}/docker-was-called\nexit 1\n')
    fake.chmod(0o755)
    clone.env["PATH"] = f"{fake.parent}{os.pathsep}{clone.env['PATH']}"
    return clone


@pytest.fixture(scope="module")
def refused(clone: Clone) -> str:
    """What `make up` says in the fresh clone."""
    return clone.make("up", code=2, STACK="kpi").stdout


@pytest.fixture(scope="module")
def up(clone: Clone, refused: str) -> str:
    """What it says with the password that it asked for."""
    (command,) = re.findall(r"run: (pulumi config set --secret \S+ --stack kpi)", refused)
    clone.run("bash", "-c", f'{SHELL}printf %s "$GIVEN" | {command}', GIVEN=PASSWORD)
    return clone.make("up", STACK="kpi").stdout


def test_what_is_missing_is_named_with_the_command_that_sets_it_before_anything_is_touched(clone: Clone, refused: str) -> None:
    assert "supastack:databasePassword" in refused
    assert "nothing has been touched" in refused
    assert not list(clone.root.glob(".supastack/state/.pulumi/stacks/*/*"))
    assert not (clone.root / ".env.kpi").exists()


def test_the_env_file_has_the_pooled_and_the_direct_url_of_the_project(clone: Clone, up: str) -> None:
    file = clone.root / ".env.kpi"
    assert file.stat().st_mode & 0o777 == 0o600
    values = read(file.read_text(), Format.DOTENV).values
    pooled, direct = urlsplit(values["DATABASE_URL"]), urlsplit(values["DIRECT_URL"])
    assert (pooled.hostname, pooled.port, pooled.username) == (POOLER, 6543, "postgres.kpidashboardexampleq")
    assert (direct.hostname, direct.port, direct.username) == ("db.kpidashboardexampleq.supabase.co", 5432, "postgres")
    assert {unquote(url.password or "") for url in (pooled, direct)} == {PASSWORD}
    assert parse_qs(pooled.query) == {"pgbouncer": ["true"], "sslmode": ["require"]}
    assert parse_qs(direct.query) == {"sslmode": ["require"]}
    assert parse_qs(urlsplit(values["TEST_DATABASE_URL"]).query)["schema"] == [values["TEST_SCHEMA"]]
    assert parse_qs(urlsplit(values["TEST_DIRECT_URL"]).query) == {"sslmode": ["require"], "schema": ["test"]}
    assert values["REDIS_URL"] == "redis://localhost:6379"
    assert "It runs nothing" in up
    assert PASSWORD not in up


def test_a_second_preview_changes_nothing_and_says_what_is_not_created(clone: Clone, up: str) -> None:
    shown = clone.make("preview", STACK="kpi").stdout
    assert re.search(r"^ +\d+ unchanged$", shown, re.MULTILINE)
    assert not re.search(r"to (create|update|delete|replace)", shown)
    assert "others run the Supabase project kpidashboardexampleq in eu-central-2" in shown
    assert "nothing is created there" in shown


def test_status_and_env_need_no_docker_either(clone: Clone, up: str) -> None:
    assert "postgres:******@db.kpidashboardexampleq.supabase.co" in clone.make("status", STACK="kpi").stdout
    assert str(clone.root / ".env.kpi") in clone.make("env", STACK="kpi").stdout
    assert PASSWORD in unquote(clone.make("status", STACK="kpi", SHOW_SECRETS="1").stdout)


def test_the_password_is_in_no_state_and_no_config_in_the_clear(clone: Clone, up: str) -> None:
    searched = [path for path in (clone.root / ".supastack").rglob("*") if path.is_file() and "pulumi-home" not in path.parts]
    assert [path for path in searched if any(form in path.read_bytes() for form in forms_of(PASSWORD))] == []
    assert any(form in (clone.root / ".env.kpi").read_bytes() for form in forms_of(PASSWORD)), "the search finds it where it is"
    assert clone.status() == "", "Git would take nothing of it"


def test_another_project_is_a_step_that_says_what_does_not_move_and_a_stack_from_before_gets_its_places(
    clone: Clone, up: str
) -> None:
    for command in ("state unprotect", "state delete"):
        clone.run(
            "bash",
            "-c",
            f"{SHELL}pulumi {command} --yes --stack kpi $(pulumi stack export --stack kpi | grep -o 'urn:[^\"]*::data' | head -1)",
        )
    assert clone.preview_steps("kpi") == {"data": "create"}
    clone.make("up", STACK="kpi")
    assert clone.preview_steps("kpi") == {}
    file = clone.root / "Pulumi.kpi.yaml"
    before = file.read_text()
    moved = before.replace("kpidashboardexampleq", "kpidashboardexamplez")
    try:
        file.write_text(moved.replace(".env.${STACK}", "nowhere/.env"))
        refused = clone.pulumi("up", "--yes", "--skip-preview", "--stack", "kpi", code=1).stdout
        file.write_text(moved)
        shown = clone.make("preview", STACK="kpi").stdout
        comment = clone.make("preview", STACK="kpi", FORMAT="markdown").stdout
    finally:
        file.write_text(before)
    said = "the database goes from the managed project kpidashboardexampleq (database postgres) to the managed project kpidashboardexamplez"
    assert "nowhere is not a folder" in refused
    assert said in shown, "what was refused has moved nothing"
    risk = comment.partition("Data at risk")[2].partition("###")[0]
    assert "`data` (`supastack:DataPlaces`)" in risk
    assert said in risk


def test_down_and_purge_leave_nothing_and_ask_no_daemon(clone: Clone, up: str) -> None:
    assert "what others run is as it was" in clone.make("down", STACK="kpi").stdout
    assert not (clone.root / ".env.kpi").exists()
    clone.make("status", code=2, STACK="kpi")
    clone.make("up", STACK="kpi")
    clone.make("purge", STACK="kpi", CONFIRM="kpi")
    assert not list(clone.root.glob(".supastack/state/.pulumi/stacks/*/kpi.json"))
    assert not (clone.root.parent / "docker-was-called").exists()
