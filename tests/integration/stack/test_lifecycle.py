"""A stack's whole life on a real engine, a real daemon and real servers. The tests stand in the order of that life."""

import re
import stat
import uuid

import pytest

from tests.integration.stack.clients import Clients
from tests.integration.stack.whole import steps

pytestmark = [pytest.mark.docker, pytest.mark.engine]

SERVERS = {"cache-valkey", "objects-minio", "supabase-postgres"}
WRITTEN: set[str] = set()
FOREIGN = "not-supastacks"


def objects(clone):
    """All containers, volumes and networks of the daemon, by name."""
    client = clone.daemon.client()
    return (
        {c.name for c in client.containers.list(all=True)},
        {v.name for v in client.volumes.list()},
        {n.name for n in client.networks.list()},
    )


@pytest.fixture(scope="module", autouse=True)
def there(clone):
    """What was there before the stack: an engine that was killed in another test may have left something."""
    return objects(clone)


def write(clone):
    mark = uuid.uuid4().hex
    clients = Clients(clone.outputs())
    with clone.daemon.network():
        clients.write(mark)
    WRITTEN.add(mark)


def everything_is_there(clone):
    clients = Clients(clone.outputs())
    with clone.daemon.network():
        assert clients.marks() == (WRITTEN, WRITTEN, WRITTEN)


def containers(clone):
    return {c.name.removeprefix("supastack-dev-"): c for c in clone.daemon.client().containers.list(all=True)}


def test_one_command_brings_up_real_servers_that_real_clients_can_use(clone):
    client = clone.daemon.client()
    client.volumes.create(FOREIGN)
    client.networks.create(FOREIGN)
    shown = clone.make("up").stdout
    assert "Stack dev is up." in shown
    write(clone)
    everything_is_there(clone)
    assert {n for n, c in containers(clone).items() if c.status == "running"} == SERVERS


def test_the_apps_env_file_is_written_for_its_owner_alone(clone):
    file = clone.root / ".env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"DATABASE_URL={clone.outputs()['DB_URL']}\n" in file.read_text()
    judged = clone.make("check-env", FILE=".env", FOR="nextjs", code=None).stdout
    missing = set(re.findall(r"^\s+(\w+): missing$", judged, re.MULTILINE))
    assert missing == {"NEXT_PUBLIC_SUPABASE_URL"}, "there is no gateway here, and its address is not faked"


def test_the_bucket_user_may_use_its_buckets_alone(clone):
    clients = Clients(clone.outputs())
    with clone.daemon.network(), pytest.raises(Exception, match="AccessDenied"):
        clients.store.create_bucket(Bucket="another-one")


def test_git_status_is_clean_after_an_up(clone):
    assert clone.status() == ""


def test_a_second_up_changes_nothing(clone):
    before = {n: c.id for n, c in containers(clone).items()}
    shown = clone.make("up").stdout
    assert set(steps(shown)) == {"unchanged"}
    assert {n: c.id for n, c in containers(clone).items()} == before
    assert clone.preview_steps() == {}


@pytest.mark.parametrize("how", ["kill", "remove"])
def test_a_container_that_is_gone_is_seen_by_refresh_and_repaired_by_up(clone, how):
    container = containers(clone)["cache-valkey"]
    container.remove(force=True) if how == "remove" else container.kill()
    assert "cache-valkey" in clone.preview_steps()
    clone.make("up")
    assert containers(clone)["cache-valkey"].status == "running"
    assert clone.preview_steps() == {}
    everything_is_there(clone)


def test_an_env_file_that_was_edited_is_put_right(clone):
    file = clone.root / ".env"
    right = file.read_text()
    file.write_text(right.replace("ADMIN_NAME=Administrator", "ADMIN_NAME=Somebody"))
    assert set(clone.preview_steps()) == {"env-nextjs"}
    clone.make("up")
    assert file.read_text() == right


def test_everything_comes_back_after_the_daemon_was_restarted(clone):
    clone.daemon.restart()
    clone.make("up")
    assert clone.preview_steps() == {}
    everything_is_there(clone)


def test_one_changed_setting_gives_exactly_the_steps_it_must(clone):
    file = clone.root / "Pulumi.dev.yaml"
    before = file.read_text()
    file.write_text(before + "  supastack:cache: {maxMemory: 96mb}\n")
    # A container is replaced as three steps of one: the old one goes before the new one comes.
    assert set(clone.preview_steps()) == {"cache-valkey"}
    shown = clone.make("up").stdout
    assert steps(shown) == {"replaced": 1, "unchanged": steps(shown)["unchanged"]}
    clients = Clients(clone.outputs())
    with clone.daemon.network():
        assert clients.cache.config_get("maxmemory") == {"maxmemory": str(96 * 2**20)}
    everything_is_there(clone)
    file.write_text(before)
    clone.make("up")


def test_a_container_that_is_not_healthy_fails_every_up_and_is_shown_with_its_log(clone):
    file = clone.root / "Pulumi.dev.yaml"
    before = file.read_text()
    file.write_text(before + "  supastack:healthTimeout: 15\n")
    containers(clone)["supabase-postgres"].pause()
    try:
        for _ in range(2):
            shown = clone.make("up", code=None).stdout
            assert "supastack-dev-supabase-postgres" in shown
            assert "not well" in shown
            assert "Stack dev is up." not in shown
    finally:
        containers(clone)["supabase-postgres"].unpause()
        file.write_text(before)
    clone.make("up")
    everything_is_there(clone)


def test_another_database_password_over_kept_data_is_refused_before_anything_changes(clone):
    clone.run(
        "bash",
        "-c",
        ". .supastack/activate && printf 'AnotherPassword1' | pulumi config set --secret supastack:databasePassword --stack dev",
    )
    before = {n: c.id for n, c in containers(clone).items()}
    shown = clone.make("up", code=None)
    assert shown.returncode != 0
    assert "was initialised with another password" in shown.stdout
    assert "AnotherPassword1" not in shown.stdout
    assert {n: c.id for n, c in containers(clone).items()} == before
    clone.pulumi("config", "rm", "supastack:databasePassword", "--stack", "dev")
    clone.make("up")
    everything_is_there(clone)


def test_down_keeps_the_data_and_up_comes_back_with_it(clone):
    url = clone.outputs()["DB_URL"]
    clone.make("down")
    assert containers(clone) == {}
    assert not (clone.root / ".env").exists()
    clone.make("up")
    assert clone.outputs()["DB_URL"] == url
    everything_is_there(clone)


def test_a_kept_volume_whose_state_was_lost_is_refused_and_can_be_taken_over(clone):
    old = clone.outputs()
    stack_id = containers(clone)["cache-valkey"].labels["supastack.stack-id"]
    clone.make("down")
    (clone.root / ".supastack" / "state").rename(clone.root / ".supastack" / "lost-state")
    refused = clone.make("up", code=None)
    assert refused.returncode != 0
    assert f"pulumi config set supastack:stackId {stack_id}" in refused.stdout
    assert containers(clone) == {}
    # What the refusal says: the old id, and the old password.
    password = re.search(r"postgres:([^@]+)@", old["DB_URL"])[1]
    clone.run(
        "bash",
        "-c",
        f'. .supastack/activate && pulumi config set supastack:stackId {stack_id} --stack dev && printf %s "$OLD_PASSWORD" | '
        "pulumi config set --secret supastack:databasePassword --stack dev",
        OLD_PASSWORD=password,
    )
    clone.make("up")
    everything_is_there(clone)


def test_a_component_that_is_turned_off_keeps_its_data_and_comes_back_with_it(clone):
    file = clone.root / "Pulumi.dev.yaml"
    before = file.read_text()
    file.write_text(before + "  supastack:cache: {enabled: false}\n")
    clone.make("up")
    assert "cache-valkey" not in containers(clone)
    assert "REDIS_URL" not in clone.outputs()
    file.write_text(before)
    clone.make("up")
    everything_is_there(clone)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("supastack:cache: {appendOnly: false}", "supastack:cache.appendOnly"),
        ("supastack:cache: {engine: redis}", "supastack:cache.engine"),
    ],
)
def test_a_change_that_would_start_without_the_data_is_refused(clone, setting, named):
    file = clone.root / "Pulumi.dev.yaml"
    before = file.read_text()
    file.write_text(f"{before}  {setting}\n")
    refused = clone.make("up", code=None)
    file.write_text(before)
    assert refused.returncode != 0
    assert "holds data of valkey" in refused.stdout
    assert named in refused.stdout
    everything_is_there(clone)


def test_a_secret_that_is_given_later_reaches_the_env_file(clone):
    clone.run(
        "bash",
        "-c",
        ". .supastack/activate && printf OwnAdminPassword1 | pulumi config set --secret supastack:adminPassword --stack dev",
    )
    clone.make("up")
    assert "ADMIN_PASSWORD=OwnAdminPassword1\n" in (clone.root / ".env").read_text()


def test_purge_asks_for_the_name_and_touches_nothing_without_it(clone):
    before = {n: c.id for n, c in containers(clone).items()}
    assert clone.make("purge", code=None, CONFIRM="prod").returncode != 0
    assert clone.make("purge", code=None).returncode != 0, "without a terminal nobody can be asked"
    assert {n: c.id for n, c in containers(clone).items()} == before


def test_purge_leaves_nothing_of_ours_and_touches_nothing_else(clone, there):
    clone.make("purge", CONFIRM="dev")
    new = [now - then for now, then in zip(objects(clone), there, strict=True)]
    assert new == [set(), {FOREIGN}, {FOREIGN}]
    assert not [name for names in objects(clone) for name in names if name.startswith("supastack-dev")]
    assert not (clone.root / ".env").exists()
    assert clone.status() == ""
    WRITTEN.clear()
