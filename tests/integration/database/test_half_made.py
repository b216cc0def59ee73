"""A database whose initialisation was interrupted is named, and not taken for a good one.

The local image begins such a one afresh. Upstream's images do not: their entrypoint (docker-library/postgres) takes any data folder with a
PG_VERSION for a database. `UPSTREAM_LIKE` does in that respect as they do, with the local image's server.
"""

import pytest

from tests.integration.database.conftest import PASSWORD, Placed, database, sql
from tests.integration.images.conftest import UNTIL_TOLD, Box, Dock, wait_for

pytestmark = pytest.mark.docker

DATA = "/var/lib/postgresql/data"
SLOW = {"/docker-entrypoint-initdb.d/init-scripts/98-zslow.sql": "create table public.half (n int); select pg_sleep(60);"}
UPSTREAM_LIKE = """#!/bin/bash
set -e
if [ "$(id -u)" = 0 ]; then
    [ -z "${RUNS_AS-}" ] || sed -i "s/^postgres:x:[0-9]*:/postgres:x:$RUNS_AS:/" /etc/passwd
    chown -R postgres "$PGDATA" && exec setpriv --reuid=postgres --regid=postgres --init-groups -- bash "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") > /dev/null
    pg_ctl -D "$PGDATA" -o "-c config_file=/etc/postgresql/postgresql.conf -c listen_addresses=" -w start
    for script in /docker-entrypoint-initdb.d/*.sh; do "$script"; done
    pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@"
"""


def upstream_like(place: Placed, volume: str, files: dict[str, str] | None = None, runs_as: int | None = None) -> Box:
    """The database in an image like upstream's. `runs_as`: its user postgres is another one, as in another tag of theirs."""
    way = UPSTREAM_LIKE if runs_as is None else UPSTREAM_LIKE.replace("set -e\n", f"set -e\nRUNS_AS={runs_as}\n")
    files = {"/upstream-like.sh": way, **(files or {})}
    return place(database(), volumes={DATA: volume}, files=files, entrypoint=["bash", "/upstream-like.sh"])


def said(box: Box) -> str:
    """What the last health check said."""
    box.container.reload()
    log = box.container.attrs["State"]["Health"]["Log"] or [{"Output": ""}]
    return str(log[-1]["Output"])


def test_upstreams_way_marks_a_database_that_was_made_to_its_end(dock: Dock, place: Placed) -> None:
    volume = dock.volume()
    first = upstream_like(place, volume).healthy()
    assert first.ok("cat", f"{DATA}/supastack.complete") == "postgres\nuser 999"
    end(first)
    assert said(upstream_like(place, volume).healthy()) == ""


def end(box: Box) -> None:
    box.container.stop(timeout=30)
    box.container.remove()


def test_an_image_of_another_user_is_refused_until_the_files_are_given_to_it(dock: Dock, place: Placed) -> None:
    volume = dock.volume()
    first = upstream_like(place, volume).healthy()
    # As one of before users were written down: nothing is refused for it, and it is written then.
    first.ok("sh", "-c", f"echo postgres > {DATA}/supastack.complete")
    wait_for(lambda: "user 999" in first.ok("cat", f"{DATA}/supastack.complete"), "the health check to write the user down")
    end(first)
    second = upstream_like(place, volume, runs_as=1234)
    wait_for(lambda: said(second).startswith("refused: user 999 wrote"), "the health check to refuse")
    assert second.health() != "healthy"
    given = f"chown -R 1234 {DATA} /etc/postgresql-custom"
    assert given in said(second)
    second.ok(*given.split())
    assert "is complete" in second.ok("sh", "/etc/supastack/complete.sh")
    second.healthy()
    assert second.ok("cat", f"{DATA}/supastack.complete") == "postgres\nuser 1234"
    end(second)
    # The way back is refused as well.
    back = upstream_like(place, volume)
    wait_for(lambda: said(back).startswith("refused: user 1234 wrote"), "the health check to refuse")


def test_health_waits_for_the_end_of_the_initialisation(dock: Dock, place: Placed) -> None:
    slow = {"/docker-entrypoint-initdb.d/init-scripts/98-zslow.sql": UNTIL_TOLD}
    server = upstream_like(place, dock.volume(), slow)
    wait_for(lambda: "98-zslow.sql" in server.logs(), "the slow script to run")
    seen = 0
    while "is complete" not in server.logs():
        code, output = server.run("sh", "/etc/supastack/health.sh")
        if "is complete" not in server.logs():
            assert code != 0, output
            seen += 1
        if seen == 2:
            server.ok("touch", "/tmp/go")
    assert seen > 1
    server.healthy()


def test_a_start_that_was_killed_half_way_is_refused_with_cause_and_cure(dock: Dock, place: Placed) -> None:
    volume = dock.volume()
    killed = upstream_like(place, volume, SLOW)
    wait_for(lambda: "98-zslow.sql" in killed.logs(), "the slow script to run")
    killed.container.kill("SIGKILL")
    killed.container.remove()
    again = upstream_like(place, volume)
    wait_for(lambda: said(again).startswith("refused:"), "the health check to refuse")
    for part in ("not initialised to its end", f"has at {DATA}", "`make down`", "sh /etc/supastack/complete.sh"):
        assert part in said(again)
    assert again.health() != "healthy"
    # And nobody is talked into taking it for complete.
    code, output = again.run("sh", "/etc/supastack/complete.sh")
    assert code != 0
    assert "has not come to its end here" in output
    assert again.run("test", "-e", f"{DATA}/supastack.complete")[0] != 0


def test_a_database_made_elsewhere_is_completed_by_hand(dock: Dock, place: Placed) -> None:
    volume = dock.volume()
    first = place(database(), volumes={DATA: volume}).healthy()
    sql(first, "create table public.kept (n int); drop schema _realtime")
    first.ok("rm", f"{DATA}/supastack.complete")
    first.container.stop(timeout=30)
    first.container.remove()
    second = place(database(), volumes={DATA: volume})
    wait_for(lambda: said(second).startswith("refused:"), "the health check to refuse")
    assert "is complete" in second.ok("sh", "/etc/supastack/complete.sh")
    second.healthy()
    assert sql(second, "select to_regnamespace('_realtime') is not null and to_regclass('public.kept') is not null") == "t"


def test_the_local_image_begins_a_killed_initialisation_afresh(dock: Dock, place: Placed) -> None:
    volume = dock.volume()
    killed = place(database(), volumes={DATA: volume}, files=SLOW)
    wait_for(lambda: "98-zslow.sql" in killed.logs(), "the slow script to run")
    killed.container.kill("SIGKILL")
    killed.container.remove()
    again = place(database(), volumes={DATA: volume}).healthy()
    assert sql(again, "select to_regclass('public.half') is null") == "t"
    # The mark came along when the finished database was moved to its place.
    assert again.ok("cat", f"{DATA}/supastack.complete") == "postgres\nuser 999"


def test_what_the_health_check_says_holds_no_password(dock: Dock, place: Placed) -> None:
    server = place(database(), volumes={DATA: dock.volume()}).healthy()
    assert PASSWORD not in said(server)
    assert PASSWORD not in server.logs()
