"""What the plain database and its pooler are told; on real servers, tests/integration/database/test_plain.py holds."""

import pulumi
import pytest
import yaml

from components.cache import services as cache_services
from components.plain_database import PlainDatabase, services
from components.plan import Plan
from components.service import Edge, Gate, Kind, Secret
from components.services import plain_postgres
from components.settings import SettingsError, load, load_file
from tests.clone_root import ROOT
from tests.unit.components.placements import placement

FULL = {
    "enabled": True,
    "name": "cmx_db",
    "user": "cmx_user",
    "readOnlyRole": "cmx_readonly",
    "extensions": ["uuid-ossp"],
    "parameters": {"shared_buffers": "256MB"},
    "pgbouncer": {"enabled": True},
}


def made(local=True, **settings):
    return {s.name: s for s in services({"placement": placement(local_images=local), "settings": settings})}


def raw(text):
    return "".join(part if isinstance(part, str) else f"<{getattr(part, 'name', part)}>" for part in text.parts)


def test_there_is_none_unless_the_settings_ask_for_it():
    assert made() == {}
    assert made(name="other") == {}


@pytest.mark.parametrize("local", [True, False])
def test_turned_off_it_keeps_the_same_volume_and_nothing_else(local):
    (server,) = made(local, **{**FULL, "enabled": False}).values()
    running = made(local, **FULL)["plain-postgres"]
    assert server.off
    assert (server.name, server.volumes, server.identity) == (running.name, running.volumes, running.identity)
    assert not any((server.ports, server.env, server.files, server.provides))


def test_turned_off_it_keeps_its_password_and_has_no_urls(engine):
    urls = []

    def program():
        made = PlainDatabase("plain", {"placement": placement(), "settings": {**FULL, "enabled": False}})
        pulumi.Output.all(made.url, made.pooled_url).apply(urls.extend)

    found = engine(program)
    assert list(found.of_type("docker:index/volume:Volume")) == ["plain-data"]
    assert list(found.of_type("random:index/randomPassword:RandomPassword")) == ["plain-password"]
    assert not found.of_type("docker:index/container:Container")
    assert urls == ["", ""]


def test_outputs_of_a_stack_with_one_turned_off_have_no_url_of_it():
    plan = Plan(load({"supastack:plainDatabase": {"enabled": False}}, stack="dev"))
    assert not {"PLAIN_DB_URL", "PGBOUNCER_URL"} & set(plan.values)
    assert [v.name for v in plan.volumes if "plain" in v.name] == ["supastack-dev-plain-data"]


def test_each_part_is_there_when_the_settings_ask_for_it():
    assert list(made(enabled=True)) == ["plain-postgres"]
    assert list(made(enabled=True, extensions=["pgcrypto"])) == ["plain-postgres", "plain-setup"]
    assert list(made(enabled=True, readOnlyRole="reader")) == ["plain-postgres", "plain-setup"]
    assert list(made(**FULL)) == ["plain-postgres", "plain-setup", "pgbouncer"]


def test_parameters_are_arguments_in_a_stable_order():
    server = made(enabled=True, parameters={"work_mem": "8MB", "shared_buffers": "256MB"})["plain-postgres"]
    assert server.command == ("postgres", "-c", "shared_buffers=256MB", "-c", "work_mem=8MB")


def test_its_volume_is_precious_and_paired_with_its_own_password():
    (volume,) = made(enabled=True)["plain-postgres"].volumes
    assert volume.precious
    assert volume.paired_secret == plain_postgres.PASSWORD
    assert volume.paired_setting == "supastack:plainDatabasePassword"


@pytest.mark.parametrize(
    ("local", "settings", "identity"),
    [
        (True, {}, "plain-postgres-16.db-app-of-app.uid-70.from-local"),
        (False, {}, "plain-postgres-16.db-app-of-app.uid-70.from-registry"),
        (True, {"name": "cmx_db", "user": "cmx_user"}, "plain-postgres-16.db-cmx_db-of-cmx_user.uid-70.from-local"),
    ],
)
def test_what_the_data_was_made_with_is_part_of_what_the_volume_is(local, settings, identity):
    found = made(local, enabled=True, **settings)["plain-postgres"].identity
    assert found == identity


def test_no_service_has_the_name_of_one_of_the_supabase_stack():
    """They share a network, where names are addresses."""
    settings = load({"supastack:plainDatabase": FULL, "supastack:cache": {"commander": True}}, stack="dev")
    names = [service.name for services in Plan(settings).services.values() for service in services if service.kind is Kind.SERVER]
    assert len(names) == len(set(names))


def test_the_setup_waits_for_the_server_and_the_pooler_for_nobody():
    found = made(**FULL)
    assert Edge("plain-postgres", Gate.HEALTHY) in found["plain-setup"].connects
    assert found["pgbouncer"].connects == (Edge("plain-postgres"),)


def test_the_poolers_password_is_in_its_list_of_users_and_in_no_argument():
    pool = made(**FULL)["pgbouncer"]
    users = {f.path: f for f in pool.files}["/etc/pgbouncer/userlist.txt"]
    assert raw(users.content) == '"cmx_user" "<password>"\n'
    assert {name for name, value in pool.env.items() if value.secrets} == {"PGPASSWORD"}


def test_the_pooler_is_set_as_the_settings_say():
    pool = made(
        **{**FULL, "pgbouncer": {"enabled": True, "poolMode": "session", "maxClientConnections": 7, "defaultPoolSize": 3}}
    )
    ini = raw(pool["pgbouncer"].files[0].content)
    for line in (
        "pool_mode = session",
        "max_client_conn = 7",
        "default_pool_size = 3",
        "auth_type = scram-sha-256",
        "auth_user = cmx_user",
    ):
        assert f"\n{line}\n" in ini
    assert "\n[databases]\ncmx_db = host=" in f"\n{ini}"


def test_redis_commander_gets_the_caches_password_by_its_configuration_file():
    found = {s.name: s for s in cache_services({"placement": placement(), "settings": {"commander": True}})}
    page = found["redis-commander"]
    assert page.optional
    assert "REDIS_PASSWORD" not in page.env, "the image hands it on as an argument"
    assert [type(p) for p in page.files[0].content.parts].count(Secret) == 1
    assert list({s.name for s in cache_services({"placement": placement(), "settings": {}})}) == ["valkey"]


def test_a_cache_that_is_off_has_no_page():
    (cache,) = cache_services({"placement": placement(), "settings": {"commander": True, "enabled": False}})
    assert cache.off


def test_the_urls_are_secrets_with_the_published_ports(engine):
    urls = {}

    def program():
        made = PlainDatabase("c", {"placement": placement(), "settings": FULL, "password": "p/w"})
        pulumi.Output.all(made.url, made.pooled_url).apply(lambda u: urls.update(direct=u[0], pooled=u[1]))

    engine(program)
    assert urls == {
        "direct": "postgresql://cmx_user:p%2Fw@127.0.0.1:5432/cmx_db",
        "pooled": "postgresql://cmx_user:p%2Fw@127.0.0.1:6543/cmx_db",
    }


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"memory": "128mb", "parameters": {"shared_buffers": "256MB"}}, "larger than the server's memory limit"),
        ({"user": "cmx", "readOnlyRole": "cmx"}, "that is the owner"),
        ({"parameters": {"data_directory": "/x"}}, "Supastack sets it itself"),
    ],
)
def test_what_can_not_work_is_refused(settings, says):
    with pytest.raises(SettingsError) as refused:
        load({"supastack:plainDatabase": {"enabled": True, **settings}}, stack="dev")
    assert says in str(refused.value)


# -- seed 003 ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cleanmatex():
    return Plan(load_file(ROOT / "Pulumi.cleanmatex.yaml", stack="cleanmatex"))


def test_the_stack_of_seed_003_has_every_part_of_it_on_the_seeds_ports(cleanmatex):
    ports = {port.name: port.port for port in cleanmatex.ports}
    seed = {"plainPostgres": 5432, "cache": 6379, "objectStore": 9000, "objectStoreConsole": 9001, "redisCommander": 8081}
    seed |= {"api": 54321, "postgres": 54322, "studio": 54323, "mailWeb": 54324, "smtp": 54325}
    assert {name: ports.get(name) for name in seed} == seed
    assert ports["pgbouncer"] == 6543
    names = {service.name for services in cleanmatex.services.values() for service in services if not service.off}
    assert {"plain-postgres", "pgbouncer", "redis", "redis-commander", "minio", "auth", "storage", "realtime", "studio"} <= names


def test_everything_in_it_is_health_checked(cleanmatex):
    for component in cleanmatex.services.values():
        for service in component:
            if not service.off and service.kind is Kind.SERVER:
                assert service.health is not None, service.name


def test_the_seeds_server_settings_are_the_servers(cleanmatex):
    (server,) = [s for s in cleanmatex.services["plain"] if s.name == "plain-postgres"]
    given = dict(word.split("=", 1) for word in server.command if "=" in word)
    assert given == {
        "shared_buffers": "256MB",
        "effective_cache_size": "1GB",
        "maintenance_work_mem": "64MB",
        "checkpoint_completion_target": "0.9",
        "wal_buffers": "16MB",
        "default_statistics_target": "100",
        "random_page_cost": "1.1",
    }


def test_every_variable_of_its_env_file_has_a_value(cleanmatex):
    assert cleanmatex.notes == []
    assert {"PLAIN_DB_URL", "PGBOUNCER_URL", "REDIS_COMMANDER_URL"} <= set(cleanmatex.values)


def test_the_file_asks_for_nothing_that_is_the_default_by_mistake():
    config = yaml.safe_load((ROOT / "Pulumi.cleanmatex.yaml").read_text())["config"]
    assert config["supastack:cache"]["engine"] == "redis"
    assert config["supastack:cache"]["appendOnly"] is True
    assert config["supastack:objectStorage"]["engine"] == "minio"
