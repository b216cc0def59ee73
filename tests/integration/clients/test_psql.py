"""psql with the DB_URL of each stack, as it stands in the outputs, from where the ports are published."""

import pytest
from docker.errors import ContainerError

from tests.integration.stack.whole import Whole

pytestmark = [pytest.mark.docker, pytest.mark.engine]


def psql(stack: Whole, url: str, sql: str) -> str:
    """What psql of the database's image prints. The URL is no argument: who lists processes sees none of it."""
    image = stack.container("supabase-postgres").image
    run = stack.clone.daemon.client().containers.run
    said: bytes = run(
        image, ["-c", 'psql -XAt "$URL" -c "$SQL"'], entrypoint="sh", environment={"URL": url, "SQL": sql},
        # The daemon's own network, which is the one that the ports are published in.
        network_mode="host", remove=True,
    )  # fmt: skip
    return said.decode().strip()


@pytest.fixture(params=["cli", "own"])
def stack(request: pytest.FixtureRequest) -> Whole:
    found: Whole = request.getfixturevalue(request.param)
    return found


def test_psql_gets_in_by_the_url_and_can_make_what_an_app_needs(stack: Whole) -> None:
    asked = "create temporary table t as select 1 as n; select current_user, current_database(), n from t"
    assert psql(stack, stack.outputs["DB_URL"], asked).splitlines()[-1] == "postgres|postgres|1"


def test_psql_meets_the_stack_that_the_url_is_of(stack: Whole) -> None:
    mark = psql(stack, stack.outputs["DB_URL"], "select system_identifier from pg_control_system()")
    with stack.clone.daemon.network(), stack.sql() as connection:
        assert connection.execute("select system_identifier::text from pg_control_system()").fetchone() == (mark,)


def test_the_clis_password_opens_its_own_stack_alone(cli: Whole, own: Whole) -> None:
    known = "postgresql://postgres:postgres@127.0.0.1:{}/postgres"
    assert cli.outputs["DB_URL"] == known.format(cli.outputs["PORTS"]["postgres"])
    with pytest.raises(ContainerError, match="password authentication failed"):
        psql(own, known.format(own.outputs["PORTS"]["postgres"]), "select 1")
