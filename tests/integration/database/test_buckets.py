"""The buckets job on a real server. Storage's tables are a fixture here (storage_tables.sql says why, and from where)."""

from pathlib import Path
from typing import Any

import pytest

from components.services.storage_buckets import statements
from components.setting_groups import complete
from tests.integration.database.conftest import Placed, database, resolved, rows, sql, stack
from tests.integration.database.test_rls import ALICE, BOB, request
from tests.integration.images.conftest import Box

pytestmark = pytest.mark.docker

TABLES = Path(__file__).with_name("storage_tables.sql").read_text()
TICKETS = "service-ticket-attachments"
# As seed 000, 7.9, has it.
SERVICE_CENTRE: dict[str, Any] = {
    TICKETS: {
        "public": False,
        "fileSizeLimit": "50mb",
        "policies": {
            "Authenticated users can upload": {"command": "insert"},
            "Users can view their uploads": {"command": "select"},
        },
    }
}
AT = {"postgres": "localhost:5432"}


@pytest.fixture
def bare(place: Placed) -> Box:
    return place(database()).healthy()


@pytest.fixture
def server(bare: Box) -> Box:
    sql(bare, TABLES)
    return bare


def job(box: Box, buckets: dict[str, Any], *, stub: bool = False) -> tuple[int, str]:
    """Run the job's own statements beside the server."""
    given = complete("supabase", {"storage": {"buckets": buckets}})["storage"]["buckets"]
    box.put("/tmp/buckets.sql", statements(given, stub=stub))
    service = stack(storage={"buckets": buckets})["storage-buckets"]
    env = {name: resolved(value, AT) for name, value in service.env.items()}
    return box.run("psql", *service.command[:-1], "/tmp/buckets.sql", env=env)


def made(box: Box, buckets: dict[str, Any]) -> str:
    code, output = job(box, buckets)
    assert code == 0, output
    return output


def policies(box: Box) -> list[str]:
    query = """
        select concat_ws(' | ', policyname, lower(cmd), (select string_agg(r, ',' order by r) from unnest(roles) as r), qual, with_check)
        from pg_policies where schemaname = 'storage' order by 1
    """
    return rows(box, query)


def test_the_service_centres_bucket_is_made_with_its_limit_and_its_policies(server: Box) -> None:
    made(server, SERVICE_CENTRE)
    held = rows(server, "select id, name, public, file_size_limit, allowed_mime_types is null from storage.buckets")
    assert held == [f"{TICKETS}|{TICKETS}|f|52428800|t"]
    ours = f"(bucket_id = '{TICKETS}'::text)"
    assert policies(server) == [
        f"Authenticated users can upload | insert | authenticated | {ours}",
        f"Users can view their uploads | select | authenticated | {ours}",
    ]


def test_the_policies_hold_for_tokens_and_for_this_bucket_alone(server: Box) -> None:
    made(server, {**SERVICE_CENTRE, "other": {}})
    upload = "insert into storage.objects (bucket_id, name) values ('{}', '{}')"
    sql(server, "grant usage on schema storage to anon, authenticated; grant all on storage.objects to anon, authenticated")
    assert request(server, "authenticated", upload.format(TICKETS, "1/a.pdf"), sub=ALICE)[0] == 0
    assert request(server, "authenticated", "select name from storage.objects", sub=BOB) == (0, "1/a.pdf")
    for role, bucket in (("authenticated", "other"), ("anon", TICKETS)):
        code, output = request(server, role, upload.format(bucket, "2/b.pdf"), sub=ALICE)
        assert code != 0
        assert "violates row-level security policy" in output
    assert request(server, "anon", "select count(*) from storage.objects") == (0, "0")
    # Nothing lets them change or remove one.
    assert request(server, "authenticated", "delete from storage.objects returning id", sub=ALICE) == (0, "")


def test_a_condition_of_the_users_own_is_added_to_the_buckets(server: Box) -> None:
    own = "(storage.foldername(name))[1] = (select auth.uid()::text) or name = 'it''s; for all'"
    made(
        server,
        {"avatars": {"policies": {"own folder": {"command": "update", "using": own, "withCheck": own, "roles": ["public"]}}}},
    )
    (policy,) = policies(server)
    assert policy.startswith("own folder | update | public | ((bucket_id = 'avatars'::text) AND ")
    assert policy.count("bucket_id = 'avatars'::text") == 2
    assert policy.count("it''s; for all") == 2


def test_running_again_changes_nothing_and_a_changed_setting_is_taken_up(server: Box) -> None:
    made(server, SERVICE_CENTRE)
    before = rows(server, "select oid, polname from pg_policy order by 1")
    output = made(server, SERVICE_CENTRE)
    assert output.count("as it was") == 3
    assert rows(server, "select oid, polname from pg_policy order by 1") == before
    changed = {
        TICKETS: {
            "public": True,
            "allowedMimeTypes": ["image/*", "application/pdf"],
            "policies": {"Users can view their uploads": {"command": "select", "roles": ["authenticated", "anon"]}},
        }
    }
    output = made(server, changed)
    held = rows(server, "select public, file_size_limit is null, allowed_mime_types from storage.buckets")
    assert held == ["t|t|{image/*,application/pdf}"]
    assert policies(server) == [f"Users can view their uploads | select | anon,authenticated | (bucket_id = '{TICKETS}'::text)"]
    assert "dropped, since the settings do not have it any more" in output


def test_buckets_and_policies_of_others_are_left_alone(server: Box) -> None:
    sql(
        server,
        "insert into storage.buckets (id, name) values ('theirs', 'theirs'); "
        "create policy \"of mine\" on storage.objects for select to anon using (bucket_id = 'theirs'); "
        "comment on policy \"of mine\" on storage.objects is 'supastack is nice'",
    )
    made(server, SERVICE_CENTRE)
    made(server, {"later": {}})
    assert rows(server, "select id from storage.buckets order by 1") == ["later", TICKETS, "theirs"]
    assert policies(server) == ["of mine | select | anon | (bucket_id = 'theirs'::text)"]


def test_a_policy_of_the_same_name_that_is_not_ours_stops_everything(server: Box) -> None:
    sql(server, 'create policy "Users can view their uploads" on storage.objects for select to anon using (false)')
    code, output = job(server, SERVICE_CENTRE)
    assert code != 0
    assert "was not made by Supastack" in output
    assert policies(server) == ["Users can view their uploads | select | anon | false"]
    assert rows(server, "select id from storage.buckets") == [], "one transaction: no bucket without its policies"


@pytest.mark.parametrize(
    ("policy", "says"),
    [({"roles": ["nobody_here"]}, "there is no role nobody_here"), ({"using": "no_such_column = 1"}, "no_such_column")],
)
def test_what_the_database_does_not_know_is_named_and_nothing_is_made(server: Box, policy: dict[str, Any], says: str) -> None:
    code, output = job(server, {"avatars": {"policies": {"p": policy}}})
    assert code != 0
    assert says in output
    assert rows(server, "select id from storage.buckets") == []


def test_without_row_level_security_it_says_so(server: Box) -> None:
    sql(server, "alter table storage.objects disable row level security")
    code, output = job(server, SERVICE_CENTRE)
    assert code != 0
    assert "row level security is off" in output


def test_a_stub_of_storage_has_no_tables_which_is_said_and_is_no_failure(bare: Box) -> None:
    code, output = job(bare, SERVICE_CENTRE, stub=True)
    assert code == 0
    assert "Storage is a stub here and has no tables: no bucket and no policy was made" in output
    code, output = job(bare, SERVICE_CENTRE)
    assert code != 0
    assert "has not made its tables" in output


def test_names_and_texts_with_quotes_and_other_letters_arrive_whole(server: Box) -> None:
    name = 'it\'s "so": ü $do$ :x'
    made(server, {"a.b": {"policies": {name: {"using": "name = ':y @STUB@ ü'"}}}})
    (policy,) = policies(server)
    assert policy.startswith(f"{name} | all | ")
    assert "':y @STUB@ ü'::text" in policy
