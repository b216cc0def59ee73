"""Each endpoint that others run is asked, on real local servers at the other end: what is right passes, what is wrong is named."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from components.managed_schema import ManagedSchemaError, ManagedSchemaProvider
from components.verification import probe, tenant_cache
from tests.integration.daemon import Daemon
from tests.integration.verify import servers
from tests.integration.verify.servers import Others

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def _inside(daemon: Daemon) -> Iterator[None]:
    with daemon.network():
        yield


def endpoint(others: Others, kind: str, **more: Any) -> dict[str, Any]:
    """One endpoint as the program tells the probe of it."""
    ca = str(others.authority.file)
    found: dict[str, Any] = {"what": f"the {kind}", "at": "localhost", "setting": f"{kind}.host", "host": "localhost", "ca": ca}
    if kind in ("postgres", "pooler", "session"):
        user = "postgres" if kind == "postgres" else f"postgres.{servers.REF}"
        found |= {
            "kind": "postgres",
            "port": getattr(others, kind),
            "user": user,
            "database": "postgres",
            "sslmode": "verify-full",
        }
        found |= {"password": servers.PASSWORD, "password_setting": "databasePassword", "password_fix": "set it"}
        found |= {"database_setting": "managed.database", "user_setting": "managed.databaseUser"}
    elif kind == "cache":
        found |= {"kind": "cache", "port": others.cache, "user": "default", "password": servers.CACHE_PASSWORD, "tls": True}
        found |= {"password_setting": "cachePassword", "password_fix": "set it", "user_setting": "cache.external.anonymous"}
        found |= {"anonymous_fix": "give it", "tls_fix": "set cache.external.tls"}
    elif kind == "store":
        found |= {"kind": "store", "url": f"https://localhost:{others.store}", "region": "us-east-1", "bucket": servers.BUCKET}
        found |= {"access_key": servers.ACCESS_KEY, "secret_key": servers.SECRET_KEY, "key_setting": "objectStorageSecretKey"}
        found |= {"key_fix": "set it", "bucket_setting": "objectStorage.buckets", "region_setting": "objectStorage.region"}
    else:
        found |= {"kind": "api", "url": f"https://localhost:{others.api}", "key": servers.API_KEY}
        found |= {"key_setting": "secretKey", "key_fix": "set it"}
    # As the engine hands it over: without nulls, all numbers of one kind.
    given = {name: value for name, value in (found | more).items() if value is not None}
    return given | ({"port": float(given["port"])} if "port" in given else {})


def ask(*endpoints: dict[str, Any], preview: bool = False) -> list[str]:
    return list(probe.before({"endpoints": list(endpoints)}, preview=preview))


def refused(one: dict[str, Any]) -> str:
    """What is said of an endpoint; no secret of it is among that."""
    (line,) = ask(one)
    for name in ("password", "secret_key", "key"):
        if name in one:
            assert one[name] not in line
            assert quote(one[name], safe="") not in line
    return line


KINDS = ("postgres", "pooler", "session", "cache", "store", "api")


def test_all_that_answer_with_their_credentials_pass_together(others: Others) -> None:
    assert ask(*(endpoint(others, kind) for kind in KINDS)) == []
    assert others.asked[-1] == ("/auth/v1/health", servers.API_KEY)


def test_of_all_only_those_that_do_not_answer_are_named(others: Others) -> None:
    wrong = endpoint(others, "pooler", password="Another-password-1")
    found = ask(endpoint(others, "postgres"), wrong, endpoint(others, "cache", port=1), endpoint(others, "store"))
    assert [line.partition(" (")[0] for line in found] == ["verify: the pooler", "verify: the cache"]


def test_a_wrong_password_is_given_to_the_first_database_alone(others: Others) -> None:
    wrong = [endpoint(others, kind, password="Another-password-1", at=kind) for kind in ("postgres", "session", "pooler")]
    first, rest = ask(*wrong)
    assert first.startswith("verify: the postgres (postgres): the password of postgres is wrong")
    assert rest.endswith("the session (session), the pooler (pooler)")
    first, next_, rest = ask({**wrong[0], "port": 1}, *wrong[1:])
    assert "the connection is refused" in first
    assert next_.startswith("verify: the session (session): the password of")
    assert rest.endswith(": the pooler (pooler)")


def test_a_preview_asks_nobody(others: Others) -> None:
    before = len(others.asked)
    assert ask(endpoint(others, "api"), endpoint(others, "cache", port=1), preview=True) == []
    assert len(others.asked) == before


@pytest.mark.parametrize(
    ("kind", "change", "setting"),
    [
        ("postgres", {"password": "Wr0ng@/pass:word"}, "databasePassword"),
        ("pooler", {"password": "Wr0ng@/pass:word"}, "databasePassword"),
        ("cache", {"password": "Wr0ng@/pass:word"}, "cachePassword"),
        ("store", {"secret_key": "Wr0ng@/pass:word"}, "objectStorageSecretKey"),
        ("store", {"access_key": "nobodys-key"}, "objectStorageSecretKey"),
        ("api", {"key": "sb_secret_of-another-project"}, "secretKey"),
    ],
)
def test_a_wrong_credential_is_named_by_its_setting_and_is_not_shown(
    others: Others, kind: str, change: dict[str, str], setting: str
) -> None:
    line = refused(endpoint(others, kind, **change))
    assert f"[{setting}]" in line
    assert "wrong" in line or "not taken" in line or "does not belong" in line


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_of_another_authority_is_refused_before_a_credential_is_sent(others: Others, kind: str) -> None:
    before = len(others.asked)
    assert "signed by another authority than caCertificate" in refused(endpoint(others, kind, ca=str(others.foreign.file)))
    assert "authority that this machine does not trust" in refused(endpoint(others, kind, ca=None))
    assert len(others.asked) == before


@pytest.mark.parametrize("kind", ["store", "api"])
def test_where_the_machines_authorities_count_too_a_certificate_by_either_is_good(
    others: Others, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, foreign = str(others.authority.file), str(others.foreign.file)
    assert ask(endpoint(others, kind, ca=theirs, ca_also=True)) == []
    assert "neither this machine nor caCertificate knows" in refused(endpoint(others, kind, ca=foreign, ca_also=True))
    monkeypatch.setenv("SSL_CERT_FILE", theirs)
    assert ask(endpoint(others, kind, ca=foreign, ca_also=True)) == []
    assert "another authority than caCertificate" in refused(endpoint(others, kind, ca=foreign)), (
        "an own one alone is the only one"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_that_names_another_host_is_refused(others: Others, kind: str) -> None:
    # Loopback answers at all of 127.0.0.0/8, and the certificate names 127.0.0.1 alone.
    one = endpoint(others, kind, host="127.0.0.2")
    if "url" in one:
        one["url"] = one["url"].replace("localhost", "127.0.0.2")
    assert "names another host" in refused(one)


@pytest.mark.parametrize("kind", ["postgres", "cache"])
def test_a_port_that_nobody_listens_on_and_a_name_that_nobody_knows_are_told_apart(others: Others, kind: str) -> None:
    assert "the connection is refused" in refused(endpoint(others, kind, port=1))
    assert "no such name is known" in refused(endpoint(others, kind, host="nowhere.invalid"))


def test_a_server_without_tls_gets_no_password(others: Others) -> None:
    # PostgreSQL's port knows no TLS from the first byte on, as the cache's would.
    assert "there is no TLS at that port" in refused(endpoint(others, "cache", port=others.postgres))


def test_a_cache_that_speaks_tls_is_not_asked_in_the_clear(others: Others) -> None:
    line = refused(endpoint(others, "cache", tls=False))
    assert "cache.external.tls" in line


def test_a_cache_that_is_said_to_be_anonymous_and_asks_for_a_password_says_so(others: Others) -> None:
    line = refused(endpoint(others, "cache", user=None, password=None))
    assert "it asks for a password [cache.external.anonymous]" in line


def test_a_tenants_own_cache_is_asked_by_its_url_alone(others: Others, monkeypatch: pytest.MonkeyPatch) -> None:
    def of(password: str, more: str = "", scheme: str = "rediss") -> dict[str, Any]:
        url = f"{scheme}://default:{quote(password, safe='')}@localhost:{others.cache}{more}"
        found = tenant_cache.endpoint(url, "the cache of tenant acme", "tenantSecrets.acme.redisUrl", "set it")
        return {name: value for name, value in found.items() if value is not None}

    assert "an authority that this machine does not trust [tenantSecrets.acme.redisUrl]" in refused(of(servers.CACHE_PASSWORD))
    monkeypatch.setenv("SSL_CERT_FILE", str(others.authority.file))
    assert ask(of(servers.CACHE_PASSWORD), of(servers.CACHE_PASSWORD, "/3")) == []
    assert "the password of default is wrong [tenantSecrets.acme.redisUrl]. Fix: give it anew: set it" in refused(of("An0ther/1"))
    assert "DB index is out of range" in refused(of(servers.CACHE_PASSWORD, "/9999"))
    assert "write rediss:// where it speaks TLS" in refused(of(servers.CACHE_PASSWORD, scheme="redis"))


def test_a_database_and_a_role_that_are_not_there_are_named(others: Others) -> None:
    assert "there is no database shop [managed.database]" in refused(endpoint(others, "postgres", database="shop"))
    assert "there is no database shop [managed.database]" in refused(endpoint(others, "pooler", database="shop"))
    # To whom a role is unknown, PostgreSQL answers as to a wrong password, so that nobody learns of its roles.
    assert "the password of nobody is wrong" in refused(endpoint(others, "postgres", user="nobody"))


def test_a_bucket_that_is_not_there_is_named(others: Others) -> None:
    assert "there is no bucket nobodys-bucket [objectStorage.buckets]" in refused(
        endpoint(others, "store", bucket="nobodys-bucket")
    )


def test_the_buckets_are_listed_where_none_is_named(others: Others) -> None:
    assert ask(endpoint(others, "store", bucket=None)) == []


def test_a_schema_that_is_not_there_is_named_with_what_makes_it(others: Others) -> None:
    more = {"schema": "no_tests_yet", "schema_setting": "database.testSchema", "schema_fix": "make it"}
    assert "there is no schema no_tests_yet [database.testSchema]. Fix: make it" in refused(endpoint(others, "postgres", **more))


def test_what_the_environment_says_of_postgres_changes_nothing(others: Others, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGSSLMODE": "disable",
        "PGOPTIONS": "-c nonsense=1",
        "PGPASSWORD": "x",
        "PGTARGETSESSIONATTRS": "standby",
    }.items():
        monkeypatch.setenv(name, value)
    assert ask(endpoint(others, "postgres"), endpoint(others, "pooler")) == []


def test_the_tests_schema_is_made_once_with_its_rights_and_stays_when_the_resource_goes(others: Others) -> None:
    provider, props = ManagedSchemaProvider(), {**endpoint(others, "session"), "schema": "tests"}
    assert provider.create(props).id == "localhost/postgres/tests"
    others.sql("CREATE TABLE tests.kept (n int)")
    provider.create(props)
    rights = f"SELECT has_schema_privilege('postgres.{servers.REF}', 'tests', 'CREATE,USAGE')"
    assert others.sql(rights) == "t"
    provider.delete("", props)
    assert provider.read("id", props).id == "id"
    assert others.sql("SELECT count(*) FROM tests.kept") == "0"
    others.sql("DROP SCHEMA tests CASCADE")
    assert provider.read("id", props).id == "", "the next deployment makes it anew"


def test_after_another_password_a_schema_that_is_gone_is_found_with_the_new_one(others: Others) -> None:
    others.sql("CREATE ROLE rotated LOGIN PASSWORD 'The-0ld-one'; GRANT CREATE ON DATABASE postgres TO rotated")
    provider = ManagedSchemaProvider()
    before = {**endpoint(others, "postgres", user="rotated", password="The-0ld-one"), "schema": "rotating"}
    kept = provider.create(before).outs
    others.sql("ALTER ROLE rotated PASSWORD 'The-n3w-one'; DROP SCHEMA rotating")
    assert provider.read("id", kept).id == "id", "who can't look takes it for what it was"
    after = {**before, "password": "The-n3w-one"}
    assert provider.diff("id", kept, after).changes
    kept = provider.update("id", kept, after).outs
    assert others.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'rotating'") == "1"
    others.sql("DROP SCHEMA rotating")
    assert provider.read("id", kept).id == ""


def test_a_schema_that_can_not_be_made_says_why_and_shows_no_password(others: Others) -> None:
    props = {**endpoint(others, "session", password="Wr0ng@/pass:word"), "schema": "tests"}
    with pytest.raises(ManagedSchemaError) as refusal:
        ManagedSchemaProvider().create(props)
    assert "[databasePassword]" in str(refusal.value)
    assert "Wr0ng" not in str(refusal.value)
    assert ManagedSchemaProvider().read("id", props).id == "id", "who can't look takes it for what it was"


def test_statements_work_through_the_pooler_in_transaction_mode(others: Others) -> None:
    at = f"host=localhost port={others.pooler} dbname=postgres sslmode=verify-full sslrootcert={others.authority.file}"
    with psycopg.connect(at, user=f"postgres.{servers.REF}", password=servers.PASSWORD, prepare_threshold=None) as session:
        for number in range(8):
            assert session.execute("SELECT %s::int", (number,)).fetchone() == (number,)
