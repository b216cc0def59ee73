"""The jobs that prepare, check and synchronise a database over the network, on a plain PostgreSQL server."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.service import Service, text
from components.services import secret_names as names
from components.setting_groups import complete
from components.supabase_stack import services
from components.targets.placement import TargetKind
from tests.integration.database import conftest as world
from tests.integration.database.conftest import PASSWORD, Placed, rows, sql
from tests.integration.database.test_initialisation import MEMBERS, ROLES, SCHEMAS, WITH_PASSWORD, log_in, pairs
from tests.integration.images.conftest import Box, Dock
from tests.unit.components.placements import placement

pytestmark = pytest.mark.docker

ADMIN_PASSWORD = "of the administrator's"
SERVER = """
printf '%s\\n' "$ADMIN_PASSWORD" > /tmp/password
initdb --pgdata=/tmp/data --username="$ADMIN" --pwfile=/tmp/password > /dev/null
echo 'host all all all scram-sha-256' >> /tmp/data/pg_hba.conf
exec postgres -D /tmp/data -c listen_addresses='*' -c wal_level="$LEVEL" -c shared_preload_libraries=pg_stat_statements,pg_cron
"""
Image = Callable[[str], str]
Run = Callable[..., Box]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The values of the stack's secrets; a test may change them."""
    held = {
        names.DATABASE_PASSWORD: PASSWORD,
        names.EXTERNAL_DATABASE_PASSWORD: ADMIN_PASSWORD,
        names.DATABASE_SYNC_PASSWORD: "of-the-sync-role",
        names.JWT_SECRET: "j" * 32,
    }
    monkeypatch.setattr(world, "SECRETS", held)
    return held


@pytest.fixture
def server(dock: Dock, image: Image) -> Callable[..., Box]:
    """A plain server of others'."""

    def start(admin: str = "root", password: str = ADMIN_PASSWORD, level: str = "logical") -> Box:
        env = {"ADMIN": admin, "ADMIN_PASSWORD": password, "LEVEL": level}
        box = dock.box(image("postgres"), "-euc", SERVER, entrypoint=["bash"], user="postgres", env=env)
        return box.ready("pg_isready", "-h", box.name)

    return start


def jobs(user: str = "root", *, bootstrap: bool = True, **settings: Any) -> dict[str, Service]:
    """The jobs for an external database."""
    database = {"engine": "external", "external": {"host": "db.example.com", "user": user, "bootstrap": bootstrap}}
    args = {
        "placement": placement(
            target=TargetKind.KUBERNETES, kubernetes={"namespace": "n", "settings": complete("kubernetes", {})}
        ),
        "settings": {"database": database, **settings},
        "secrets": {names.EXTERNAL_DATABASE_PASSWORD: "given"},
    }
    return {service.name: service for service in services(args) if service.name.startswith("database-")}  # type: ignore[arg-type]


@pytest.fixture
def run(place: Placed) -> Run:
    """Runs a job on a server, to its end."""

    def to_its_end(job: Service, box: Box, *, well: bool = True) -> Box:
        done = place(job, {"postgres": f"{box.name}:5432"}, recipe="postgres")
        assert (done.exit_code() == 0) == well, done.logs()
        for secret in world.SECRETS.values():
            assert secret not in done.logs()
            assert secret not in box.logs()
        return done

    return to_its_end


def _asked(box: Box, query: str, **more: str) -> str:
    return sql(box, query, **{"user": "root", **more})


def test_an_empty_database_gets_what_the_image_gives_its_own(server: Callable[..., Box], run: Run) -> None:
    box = server()
    run(jobs()["database-bootstrap"], box)
    assert (
        pairs(box, "select nspname, nspowner::regrole from pg_namespace where nspname !~ '^(pg_|information_schema|supastack)'")
        == SCHEMAS
    )
    members = "select m.member::regrole, string_agg(m.roleid::regrole::text, ' ' order by m.roleid::regrole::text collate \"C\")"
    assert pairs(box, f"{members} from pg_auth_members m where m.member::regrole::text !~ '^pg_' group by 1") == MEMBERS
    assert set(rows(box, "select rolname from pg_roles where rolname !~ '^pg_'")) == {*ROLES, "root"}
    assert _asked(box, "select rolsuper from pg_roles where rolname = 'postgres'") == "f", (
        "demoted, since it is not the server's own"
    )
    owners = pairs(box, "select datname, datdba::regrole from pg_database where not datistemplate")
    assert owners == {"postgres": "postgres", "_supabase": "supabase_admin"}
    assert _asked(box, "select current_setting('app.settings.jwt_exp')", database="postgres") == "3600"


def test_it_is_the_same_as_what_the_image_makes(server: Callable[..., Box], run: Run, place: Placed) -> None:
    def dump(box: Box, user: str) -> list[str]:
        said = box.ok("pg_dump", "-U", user, "-d", "postgres", "--schema-only", "--exclude-schema=supastack")
        # What is in pg_catalog is the server's own superuser's.
        left_out = ("\\restrict", "\\unrestrict", "-- Name: FUNCTION pg_reload_conf()")
        return [line for line in said.splitlines() if not line.startswith(left_out)]

    own = place(world.database()).healthy()
    box = server()
    run(jobs()["database-bootstrap"], box)
    assert dump(box, "root") == dump(own, "supabase_admin")


def test_a_second_run_changes_nothing(server: Callable[..., Box], run: Run) -> None:
    box = server()
    run(jobs()["database-bootstrap"], box)
    made = _asked(box, "select made_at from supastack.bootstrap")
    sql(box, "create table public.ours (n int)", user="postgres")
    done = run(jobs()["database-bootstrap"], box)
    assert "has been prepared before: nothing is done" in done.logs()
    assert _asked(box, "select made_at from supastack.bootstrap") == made
    assert _asked(box, "select count(*) from public.ours") == "0"


def test_what_is_not_empty_is_left_as_it_is_and_named(server: Callable[..., Box], run: Run) -> None:
    box = server()
    _asked(box, "create table public.orders (n int); create role authenticator login; create schema shop")
    done = run(jobs()["database-bootstrap"], box, well=False)
    assert "is not empty" in done.logs()
    for found in ("relation orders", "role authenticator", "schema shop"):
        assert found in done.logs()
    assert "nothing was changed" in done.logs()
    assert _asked(box, "select count(*) from pg_roles where rolname in ('anon', 'supabase_admin', 'postgres')") == "0"
    assert _asked(box, "select count(*) from pg_database where datname = '_supabase'") == "0"


def test_an_error_in_the_middle_leaves_an_empty_database_in_which_it_begins_again(server: Callable[..., Box], run: Run) -> None:
    box = server()
    job = jobs()["database-bootstrap"]
    broken = [replace(f, content=text("select 1 / 0;\n")) if f.path.endswith("99-realtime.sql") else f for f in job.files]
    done = run(replace(job, files=tuple(broken)), box, well=False)
    assert "division by zero" in done.logs()
    assert "nothing was changed" in done.logs()
    assert rows(box, "select rolname from pg_roles where rolname !~ '^pg_'", user="root") == ["root"]
    run(job, box)


def test_two_at_once_prepare_it_once(server: Callable[..., Box], place: Placed) -> None:
    box = server()
    both = [place(jobs()["database-bootstrap"], {"postgres": f"{box.name}:5432"}, recipe="postgres") for _ in range(2)]
    assert [done.exit_code() for done in both] == [0, 0], [done.logs() for done in both]
    assert sum("nothing is done" in done.logs() for done in both) == 1


def test_only_a_superuser_can_prepare_one(server: Callable[..., Box], run: Run) -> None:
    box = server()
    _asked(box, f"create role boss login createrole createdb password '{ADMIN_PASSWORD.replace(chr(39), chr(39) * 2)}'")
    done = run(jobs("boss")["database-bootstrap"], box, well=False)
    assert "boss is no superuser" in done.logs()


def test_where_postgres_is_the_servers_own_superuser_it_stays_one(server: Callable[..., Box], run: Run) -> None:
    box = server("postgres", PASSWORD)
    done = run(jobs("postgres")["database-bootstrap"], box)
    assert "stays one" in done.logs()
    assert sql(box, "select string_agg(rolname, ' ' order by rolname) from pg_roles where rolsuper") == "postgres supabase_admin"


def test_a_check_names_all_that_is_missing_and_changes_nothing(server: Callable[..., Box], run: Run) -> None:
    box = server(level="replica")
    _asked(box, "create role anon; create role authenticator login; create schema auth")
    done = run(jobs(bootstrap=False)["database-bootstrap"], box, well=False)
    for missing in (
        "role service_role",
        "schema storage",
        "extension pgcrypto",
        "membership of authenticator in anon",
        "publication supabase_realtime",
        "wal_level = logical, for Realtime (it is replica)",
        "login of authenticator with databasePassword",
        "database _supabase",
    ):
        assert missing in done.logs()
    assert "schema auth\n" not in done.logs()
    assert _asked(box, "select count(*) from pg_roles where rolname !~ '^pg_'") == "3"


def test_a_database_that_has_all_passes_the_check(server: Callable[..., Box], run: Run, secrets: dict[str, str]) -> None:
    box = server()
    run(jobs()["database-bootstrap"], box)
    assert "has what the services need" in run(jobs(bootstrap=False)["database-bootstrap"], box).logs()
    secrets[names.DATABASE_PASSWORD] = "another-one"
    assert (
        "login of authenticator with databasePassword" in run(jobs(bootstrap=False)["database-bootstrap"], box, well=False).logs()
    )
    assert "database-sync" not in jobs(bootstrap=False), "what others prepared is theirs to change"


def test_changed_secrets_and_settings_reach_the_database(
    server: Callable[..., Box], run: Run, dock: Dock, image: Image, secrets: dict[str, str]
) -> None:
    box = server("postgres", PASSWORD)
    run(jobs("postgres")["database-bootstrap"], box)
    run(jobs("postgres")["database-sync"], box)
    # Nobody can log in with the new one yet.
    secrets[names.DATABASE_PASSWORD] = "changed: it's/new"
    run(jobs("postgres", auth={"jwtExpiry": 7200})["database-sync"], box)
    clients = [log_in(dock, image, box, role, "changed: it's/new") for role in WITH_PASSWORD]
    old = log_in(dock, image, box, "authenticator", PASSWORD)
    assert [done.exit_code() for done in clients] == [0] * len(WITH_PASSWORD)
    assert old.exit_code() != 0
    assert sql(box, "select current_setting('app.settings.jwt_exp')") == "7200"
    assert sql(box, "select count(*) from pg_db_role_setting, unnest(setconfig) as s where s ~ 'jwt_secret'") == "0", (
        "it is not brought in"
    )
    sql(box, "alter database postgres set \"app.settings.jwt_secret\" to 'old'")
    run(jobs("postgres", auth={"jwtExpiry": 7200})["database-sync"], box)
    assert sql(box, "select current_setting('app.settings.jwt_secret')") == "j" * 32


def test_the_synchronisation_touches_no_schema(server: Callable[..., Box], run: Run, secrets: dict[str, str]) -> None:
    box = server("postgres", PASSWORD)
    run(jobs("postgres")["database-bootstrap"], box)
    run(jobs("postgres")["database-sync"], box)

    def dump() -> list[str]:
        lines = box.ok("pg_dump", "-U", "postgres", "-d", "postgres").splitlines()
        return [line for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))]

    before = dump()
    secrets[names.DATABASE_PASSWORD] = "changed-again"
    run(jobs("postgres")["database-sync"], box)
    assert dump() == before
