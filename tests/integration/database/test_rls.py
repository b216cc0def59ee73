"""Row level security on the real server, with a token's claims as PostgREST sets them (`set local role`, `request.jwt.claims`)."""

import json

import pytest

from tests.integration.database.conftest import Placed, database, sql
from tests.integration.images.conftest import Box

pytestmark = pytest.mark.docker

ALICE = "00000000-0000-4000-8000-00000000000a"
BOB = "00000000-0000-4000-8000-00000000000b"


@pytest.fixture
def server(place: Placed) -> Box:
    made = place(database()).healthy()
    sql(
        made,
        f"""
        create table public.todos (id int, owner uuid references auth.users, note text);
        alter table public.todos enable row level security;
        create policy "own rows" on public.todos for all to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
        insert into auth.users (id, email) values ('{ALICE}', 'alice@example.com'), ('{BOB}', 'bob@example.com');
        insert into public.todos values (1, '{ALICE}', 'a'), (2, '{BOB}', 'b');
        """,
        user="postgres",
    )
    return made


def request(box: Box, role: str, query: str, **claims: str) -> tuple[int, str]:
    """A request to the REST API: one transaction of authenticator, with the token's role and claims."""
    token = json.dumps({"role": role, **claims}).replace("'", "''")
    steps = (
        f"begin; set local role {role}; select set_config('request.jwt.claims', '{token}', true) \\g /dev/null\n{query}; commit;"
    )
    return box.run(
        "sh", "-c", 'printf "%s" "$SQL" | psql -X -q -At -v ON_ERROR_STOP=1 -U authenticator -d postgres', env={"SQL": steps}
    )


def test_each_sees_and_changes_only_what_is_theirs(server: Box) -> None:
    assert request(server, "authenticated", "select note from public.todos", sub=ALICE) == (0, "a")
    assert request(server, "authenticated", "select note from public.todos", sub=BOB) == (0, "b")
    assert request(server, "authenticated", "update public.todos set note = 'x' returning id", sub=ALICE) == (0, "1")
    code, output = request(server, "authenticated", f"insert into public.todos values (3, '{BOB}', 'c')", sub=ALICE)
    assert code != 0
    assert "violates row-level security policy" in output


def test_without_a_token_nothing_is_seen_and_the_service_role_sees_all(server: Box) -> None:
    assert request(server, "anon", "select count(*) from public.todos") == (0, "0")
    assert request(server, "service_role", "select count(*) from public.todos") == (0, "2")
    code, output = request(server, "authenticated", "select count(*) from auth.users", sub=ALICE)
    assert code != 0
    assert "permission denied" in output


def test_the_claims_can_be_read(server: Box) -> None:
    query = "select auth.uid(), auth.role(), auth.email(), auth.jwt() ->> 'aal'"
    wanted = (0, f"{ALICE}|authenticated|alice@example.com|aal1")
    assert request(server, "authenticated", query, sub=ALICE, email="alice@example.com", aal="aal1") == wanted


def test_a_token_gives_no_other_role_than_the_three(server: Box) -> None:
    for role in ("postgres", "supabase_admin", "supabase_auth_admin"):
        code, output = request(server, role, "select 1")
        assert code != 0
        assert "permission denied to set role" in output
