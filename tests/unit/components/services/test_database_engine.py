"""Who runs the database, and what the other services are told of it."""

import pulumi
import pytest

from components import supabase_stack
from components.service import Gate, Secret, start_order
from components.services import secret_names as names
from components.setting_groups import complete
from components.targets.placement import TargetKind
from tests.unit.components.placements import placement

JOBS = ("database-bootstrap", "database-sync")


def args(target=TargetKind.KUBERNETES, secrets=(), settings=None, local=True, **database):
    where = placement(target=target, kubernetes={"namespace": "ns", "settings": complete("kubernetes", {})}, local_images=local)
    return {
        "placement": where,
        "settings": {"database": database, **(settings or {})},
        "secrets": dict.fromkeys(secrets, "given"),
    }


def made(**given):
    return {service.name: service for service in supabase_stack.services(args(**given))}


EXTERNAL = {"engine": "external", "external": {"host": "db.example.com", "port": 6432, "user": "root", "bootstrap": True}}
ADMIN = (names.EXTERNAL_DATABASE_PASSWORD,)


def test_a_server_of_the_stacks_own_initialises_itself():
    found = made()
    assert "database-bootstrap" not in found
    assert found["postgres"].operated is None
    assert "database-sync" in found
    assert "database-sync" not in made(target=TargetKind.DOCKER), "Docker refuses changed secrets over kept data"
    assert set(JOBS) <= set(made(target=TargetKind.DOCKER, **EXTERNAL, secrets=ADMIN)), "of others' data it knows nothing"


@pytest.mark.parametrize("given", [{"engine": "cloudnativepg"}, {**EXTERNAL, "secrets": ADMIN}])
def test_whoever_needs_the_database_comes_after_the_jobs_that_prepare_it(given):
    found = made(**given)
    order = [service.name for service, _ in start_order(found.values())]
    users = [s.name for s in found.values() if any(e.capability == "postgres" for e in s.connects) and s.name not in JOBS]
    assert {"auth", "rest", "storage", "realtime", "meta"} <= set(users)
    assert order.index("database-bootstrap") < order.index("database-sync")
    gates = {service.name: {other.name: gate for other, gate in others} for service, others in start_order(found.values())}
    for user in users:
        assert gates[user]["database-bootstrap"] is Gate.STARTED, user
        assert gates[user]["database-sync"] is Gate.STARTED, user


def test_an_operator_is_told_what_the_settings_say_and_the_image_is_told_nothing():
    cnpg = {"instances": 3, "storage": "20gb", "walStorage": "2gb", "pooler": {"enabled": True, "mode": "session"}}
    server = made(engine="cloudnativepg", cnpg=cnpg, workMem="8mb", name="shop")["postgres"]
    told = server.operated
    assert (told.instances, told.storage, told.wal_storage, told.user) == (3, 20 * 2**30, 2 * 2**30, 999)
    assert told.parameters["work_mem"] == "8192kB"
    assert told.parameters["cron.database_name"] == "shop"
    assert told.database == "shop"
    assert told.pooler.mode == "session"
    assert (server.env, server.files, server.command) == ({}, (), ())
    assert not server.kept, "what another engine kept is not its"
    assert server.identity == "cloudnativepg-17.db-shop"


def test_the_vaults_key_is_a_secret_where_the_image_has_the_vault():
    assert made(engine="cloudnativepg")["postgres"].operated.vault_key is None, "a local image has none"
    server = made(engine="cloudnativepg", cnpg={"userId": 101}, local=False)["postgres"]
    assert server.operated.vault_key == names.VAULT_ROOT_KEY
    assert "supabase_vault" in server.operated.preload
    assert names.VAULT_ROOT_KEY in server.secrets


def test_an_image_whose_user_is_not_known_is_refused_with_the_way_to_find_out():
    with pytest.raises(pulumi.InputPropertyError, match=r"supabase\.database\.cnpg\.userId"):
        made(engine="cloudnativepg", local=False)


def test_a_sleeping_database_has_no_services_and_no_jobs():
    found = made(engine="cloudnativepg", cnpg={"hibernate": True}, settings={"storage": {"buckets": {"a": {}}}})
    assert [name for name, service in found.items() if not service.off] == ["postgres"]
    assert found["postgres"].operated.hibernate


def test_a_stack_that_is_turned_off_puts_an_operated_database_to_sleep_and_keeps_it():
    found = made(engine="cloudnativepg", settings={"enabled": False})
    assert not found["postgres"].off
    assert found["postgres"].operated.hibernate
    assert not found["postgres"].provides


def test_an_external_database_is_where_the_settings_say():
    found = made(**EXTERNAL, secrets=ADMIN)
    assert "postgres" not in found
    texts = supabase_stack.outputs(args(**EXTERNAL, secrets=ADMIN), found.values())
    assert "@db.example.com:6432/" in "".join(part for part in texts["DB_URL"].parts if isinstance(part, str))
    assert "READ_URL" not in texts
    job = found["database-bootstrap"]
    assert job.env["ADMIN_PASSWORD"].parts == (Secret(names.EXTERNAL_DATABASE_PASSWORD),)
    assert job.env["PGSSLMODE"].parts == ("prefer",)
    assert "SYNC_PASSWORD" not in found["database-sync"].env, "the administrator's password stays"


@pytest.mark.parametrize(("mode", "end"), [("prefer", "/postgres"), ("require", "/postgres?sslmode=require")])
def test_who_reads_libpqs_urls_is_told_to_encrypt(mode, end):
    given = {"engine": "external", "external": {**EXTERNAL["external"], "sslmode": mode}, "secrets": ADMIN}
    found = made(**given)
    assert found["auth"].env["GOTRUE_DB_DATABASE_URL"].parts[-1] == end
    assert found["rest"].env["PGRST_DB_URI"].parts[-1] == end
    assert found["database-bootstrap"].env["PGSSLMODE"].parts == (mode,)
    texts = supabase_stack.outputs(args(**given), found.values())
    assert texts["DB_URL"].parts[-1].endswith(end)
    assert not texts["POOLER_URL"].parts[-1].endswith("require")


@pytest.mark.parametrize(
    ("given", "inside", "outside"),
    [
        ({}, "", "?sslmode=require"),
        ({"engine": "cloudnativepg"}, "", "?sslmode=require"),
        ({"readReplicaSslmode": "prefer"}, "", ""),
        ({"readReplicaSslmode": "require"}, "?sslmode=require", "?sslmode=require"),
        ({"engine": "external", "external": {"host": "db"}}, "", "?sslmode=require"),
        ({"engine": "external", "external": {"host": "db", "sslmode": "disable"}}, "?sslmode=disable", "?sslmode=disable"),
    ],
)
def test_a_replica_at_a_public_host_is_reached_encrypted_unless_the_settings_say_otherwise(given, inside, outside):
    def ends(*hosts):
        texts = supabase_stack.outputs(args(**given, readReplicas=list(hosts)), made(**given).values())
        urls = "".join(part if isinstance(part, str) else "*" for part in texts["READ_URLS"].parts).split(",")
        return {url.rpartition("/postgres")[2] for url in urls}

    assert ends("10.0.0.7:5433", "localhost", "[::1]", "db-read", "read.db.svc", "read.db.svc.cluster.local") == {inside}
    assert ends("db-read.example.com", "8.8.8.8", "[2600::7]:5433") == {outside}


def test_without_being_told_to_an_external_database_is_only_looked_at():
    found = made(engine="external", external={"host": "db.example.com"})
    assert found["database-bootstrap"].entrypoint == ("sh", "/etc/supastack/check.sh")
    assert "database-sync" not in found
    assert found["database-bootstrap"].env["LOGINS"].parts[0].split() == [
        "authenticator",
        "postgres",
        "supabase_admin",
        "supabase_auth_admin",
        "supabase_storage_admin",
    ]


def test_standbys_have_an_url_of_their_own():
    def texts(instances):
        given = args(engine="cloudnativepg", cnpg={"instances": instances})
        return supabase_stack.outputs(given, supabase_stack.services(given))

    assert "READ_URL" not in texts(1)
    (read,) = [part for part in texts(2)["READ_URL"].parts if isinstance(part, str) and "postgres-ro" in part]
    assert read == "@postgres-ro.supastack-dev.svc.cluster.local:5432/postgres"


@pytest.mark.parametrize(("mode", "url"), [("transaction", "POOLER_URL"), ("session", "POOLER_SESSION_URL")])
def test_the_operators_pooler_is_where_pooled_urls_lead_when_supavisor_is_off(mode, url):
    given = args(
        engine="cloudnativepg", cnpg={"pooler": {"enabled": True, "mode": mode}}, settings={"pooler": {"enabled": False}}
    )
    texts = supabase_stack.outputs(given, supabase_stack.services(given))
    assert {name for name in texts if "POOLER" in name} == {url}
    text = "".join(part if isinstance(part, str) else "PASSWORD" for part in texts[url].parts)
    assert text == "postgresql://postgres:PASSWORD@postgres-pooler.supastack-dev.svc.cluster.local:5432/postgres"


def test_beside_supavisor_pooled_urls_stay_supavisors():
    given = args(engine="cloudnativepg", cnpg={"pooler": {"enabled": True}})
    texts = supabase_stack.outputs(given, supabase_stack.services(given))
    for url in ("POOLER_URL", "POOLER_SESSION_URL"):
        text = "".join(part for part in texts[url].parts if isinstance(part, str))
        assert "@pooler.supastack-dev" in text
        assert text.startswith("postgresql://postgres.")


def test_a_sleeping_database_has_no_pooler():
    for over in ({"cnpg": {"hibernate": True}}, {"settings": {"enabled": False}}):
        cnpg = {"instances": 2, "pooler": {"enabled": True}, **over.get("cnpg", {})}
        given = args(engine="cloudnativepg", cnpg=cnpg, settings={"pooler": {"enabled": False}, **over.get("settings", {})})
        services = supabase_stack.services(given)
        assert services[0].operated.pooler is None
        assert "POOLER_URL" not in supabase_stack.outputs(given, services)


def test_no_script_of_the_jobs_holds_a_secret_and_none_is_an_argument():
    for given in ({}, {"engine": "cloudnativepg"}, {**EXTERNAL, "secrets": ADMIN}):
        for name, job in made(**given).items():
            if name in JOBS:
                assert not [file.path for file in job.files if file.content.secrets]
                assert not [word for word in job.command if "$" in word]
