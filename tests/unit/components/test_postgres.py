"""What the database of a Supabase stack is told; what it makes of that, tests/integration/database holds."""

import re

import pytest

from components import sql
from components.service import Secret
from components.services import secret_names
from components.supabase_stack import services
from components.targets.placement import TargetKind
from tests.unit.components.placements import placement
from tests.unit.components.targets.kubernetes.making import kubernetes

INIT = "/docker-entrypoint-initdb.d"


def database(**settings):
    made = services({"placement": placement(target=TargetKind.DOCKER), "settings": {"database": settings}})
    return next(s for s in made if s.name == "postgres")


def parameters(service):
    words = list(service.command)
    return dict(words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "-c")


def raw(text):
    return "".join(part for part in text.parts if isinstance(part, str))


def test_the_files_come_in_the_order_that_the_image_runs_them_in():
    paths = [f.path for f in database().files if f.path.startswith(INIT)]
    assert paths == sorted(paths, key=lambda path: path.removeprefix(INIT))
    assert paths.index(f"{INIT}/init-scripts/98-webhooks.sql") < paths.index(f"{INIT}/init-scripts/99-roles.sql")
    assert paths[-1] == f"{INIT}/zz-supastack.sh", "the mark comes last"


def test_no_folder_of_the_image_is_laid_over():
    service = database()
    assert not [v.path for v in service.volumes if v.path.startswith(INIT)]
    assert not service.folders
    assert not service.mounts


def test_every_file_of_the_folder_is_placed():
    placed = {raw(f.content) for f in database().files}
    for name in (*(f"init-scripts/{n}" for n in ("98-webhooks", "99-jwt", "99-roles")), *(f"migrations/{n}" for n in MIGRATIONS)):
        assert sql.read(f"{name}.sql") in placed, name


MIGRATIONS = ("97-_supabase", "98-database", "99-logs", "99-pooler", "99-realtime")


def test_no_file_holds_a_secret_and_every_password_comes_by_the_environment():
    service = database()
    assert not [f.path for f in service.files if f.content.secrets]
    holders = {name for name, value in service.env.items() if value.secrets}
    assert holders == {"PGPASSWORD", "POSTGRES_PASSWORD"}
    assert service.env["POSTGRES_PASSWORD"].parts == (Secret(secret_names.DATABASE_PASSWORD),)


def test_what_a_service_migrates_is_left_to_it():
    for file in database().files:
        if file.path.endswith(".sql"):
            for schema in ("auth", "storage", "_realtime", "realtime", "_analytics", "_supavisor"):
                assert not re.search(
                    rf"\b(create|alter|drop)\s+(table|function|view|type|index)\s+[^;]*\b{schema}\.", raw(file.content)
                ), file.path


def test_the_environment_never_says_who_the_images_user_is():
    assert "POSTGRES_USER" not in database().env


def test_the_database_is_named_postgres_and_its_parameters_are_upstreams():
    service = database()
    assert {raw(service.env[n]) for n in ("PGDATABASE", "POSTGRES_DB")} == {"postgres"}
    assert not [name for name in parameters(service) if "database_name" in name]
    assert service.identity == "postgres-17.uid-999.from-local"


def test_its_password_is_given_back_by_either_setting_that_can_change_it():
    volume = next(v for v in database().volumes if v.paired_secret)
    assert volume.paired_setting == "supastack:databasePassword"
    assert "supastack:compat" in volume.paired_hint


def test_only_where_a_job_brings_another_password_may_it_change():
    assert not [v for v in database().volumes if v.login_secret]
    made = {s.name: s for s in services({"placement": kubernetes()})}
    paired = next(v for v in made["postgres"].volumes if v.paired_secret)
    assert paired.login_secret in made["database-sync"].secrets


def test_another_name_goes_wherever_one_is_hard_coded():
    service = database(name="shop")
    assert {raw(service.env[n]) for n in ("PGDATABASE", "POSTGRES_DB")} == {"shop"}
    assert {n: v for n, v in parameters(service).items() if "database_name" in n} == {
        "cron.database_name": "shop",
        "pg_net.database_name": "shop",
    }
    assert service.identity == "postgres-17.db-shop.uid-999.from-local"


def test_every_service_that_connects_takes_the_databases_name():
    """Only the database _supabase, which two services have for themselves, is named otherwise."""
    made = services({"placement": placement(), "settings": {"database": {"name": "shop"}, "analytics": {"enabled": True}}})
    for service in made:
        for name, value in service.env.items():
            where = f"{service.name} {name}: {raw(value)}"
            if re.search(r"(^|_)(DB|DATABASE|DB_NAME|PGDATABASE|DB_DATABASE)$", name):
                assert raw(value) in ("shop", "_supabase"), where
            if raw(value).startswith(("postgres://", "postgresql://", "ecto://")):
                assert re.search(r"/(shop|_supabase)(\?.*)?$", raw(value)), where


@pytest.mark.parametrize("name", ["zz-supastack.sh"])
def test_scripts_can_be_run(name):
    (file,) = [f for f in database().files if f.path.endswith(name)]
    assert file.mode & 0o111


def test_the_vaults_root_key_is_as_precious_as_the_data():
    assert {v.name: v.precious for v in database().volumes} == {"postgres-data": True, "postgres-config": True}
