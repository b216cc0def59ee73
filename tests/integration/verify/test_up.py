"""A whole deployment on a made-up managed project, with `verify`, whose endpoints are real local servers at the other end."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import boto3
import botocore.config
import psycopg
import pytest
import redis
import yaml

from components.env_format import Format, read
from tests.integration.clone import Clone
from tests.integration.daemon import Daemon
from tests.integration.plugins.harness import forms_of
from tests.integration.verify import servers
from tests.integration.verify.servers import Others

pytestmark = [pytest.mark.engine, pytest.mark.docker]

STACK = "others"
SECRETS = {
    "databasePassword": servers.PASSWORD,
    "cachePassword": servers.CACHE_PASSWORD,
    "objectStorageSecretKey": servers.SECRET_KEY,
}
WRONG = "An0ther/P@ssword:1"
NAMES = ("POOLER_URL", "DB_URL", "REDIS_URL", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET", "S3_REGION")
TESTS = ("TEST_SCHEMA", "TEST_DATABASE_URL", "TEST_DIRECT_URL")


def settings(others: Others) -> dict[str, Any]:
    """A stack file: a project, a cache and a store that others run, all of them on this machine."""
    ca = "theirs.pem"
    ours = {
        "target": "managed",
        "verify": True,
        "supabase": {
            "managed": {
                "ref": servers.REF,
                "region": "eu-central-2",
                "caCertificate": ca,
                "apiUrl": f"https://localhost:{others.api}",
                "poolerHost": "localhost",
                "poolerPort": others.pooler,
                "poolerSessionPort": others.session,
                "databaseHost": "localhost",
                "databasePort": others.postgres,
                "readReplicas": [f"localhost:{others.postgres}"],
            },
            "database": {"testSchema": "checks", "createTestSchema": True},
        },
        "cache": {
            "engine": "external",
            "external": {"host": "localhost", "port": others.cache, "user": "default", "caCertificate": ca},
        },
        "objectStorage": {
            "engine": "external",
            "endpoint": f"https://localhost:{others.store}",
            "caCertificate": ca,
            "accessKey": servers.ACCESS_KEY,
            "buckets": [servers.BUCKET],
        },
        "envFiles": {"shop": {"path": ".env.shop", "variables": {name: f"${{{name}}}" for name in (*NAMES, *TESTS)}}},
    }
    return {"config": {f"supastack:{name}": value for name, value in ours.items()}}


@pytest.fixture(scope="module")
def clone(daemon: Daemon, others: Others, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with such a stack; its secrets are given."""
    clone = Clone(Path(tmp_path_factory.mktemp("verify")), daemon)
    clone.create()
    (clone.root / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(settings(others), sort_keys=False))
    shutil.copy(others.authority.file, clone.root / "theirs.pem")
    clone.run("bash", "-c", f'out=$(make -s activate STACK={STACK}) && eval "$out" && pulumi stack ls')
    for name, value in SECRETS.items():
        give(clone, name, value)
    return clone


def give(clone: Clone, name: str, value: str) -> None:
    command = f'out=$(make -s activate STACK={STACK}) && eval "$out" && printf %s "$GIVEN" | pulumi config set --secret supastack:{name}'
    clone.run("bash", "-c", f"{command} --stack {STACK}", GIVEN=value)


@pytest.fixture(scope="module")
def up(clone: Clone) -> str:
    """What a plain `pulumi up` says."""
    return clone.pulumi("up", "--yes", "--skip-preview", "--stack", STACK).stdout


@pytest.fixture(scope="module")
def values(clone: Clone, up: str) -> dict[str, str]:
    """What the app is told."""
    return dict(read((clone.root / ".env.shop").read_text(), Format.DOTENV).values)


@pytest.fixture(autouse=True)
def _inside(daemon: Daemon) -> Iterator[None]:
    with daemon.network():
        yield


def plain(url: str) -> str:
    """A URL without what is Prisma's own."""
    parts = urlsplit(url)
    kept = [part for part in parts.query.split("&") if not part.startswith(("pgbouncer=", "schema="))]
    return urlunsplit(parts._replace(query="&".join(kept)))


def test_a_preview_asks_nobody_and_makes_nothing_at_the_other_end(clone: Clone, others: Others) -> None:
    before = len(others.asked)
    clone.pulumi("preview", "--stack", STACK)
    assert len(others.asked) == before
    assert others.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'checks'") == "0"


def test_what_is_wrong_fails_the_deployment_before_anything_is_written_and_each_endpoint_is_named_once(clone: Clone) -> None:
    file = clone.root / f"Pulumi.{STACK}.yaml"
    give(clone, "databasePassword", WRONG)
    before = file.read_text()
    given = yaml.safe_load(before)
    given["config"]["supastack:objectStorage"]["buckets"] = ["nobodys-bucket"]
    given["config"]["supastack:cache"]["external"]["host"] = "nowhere.invalid"
    file.write_text(yaml.safe_dump(given, sort_keys=False))
    try:
        said = clone.pulumi("up", "--yes", "--skip-preview", "--stack", STACK, code=1).stdout
    finally:
        file.write_text(before)
        give(clone, "databasePassword", servers.PASSWORD)
    assert "verify: the database itself (localhost:" in said
    for what in ("the pooler, transaction mode", "the pooler, session mode", "a read replica"):
        assert f"verify: {what} (localhost:" not in said, "a wrong password is given to one server alone"
        assert f"{what} (localhost:" in said
    assert "verify: not asked with that password too" in said
    assert "is wrong [supastack:databasePassword]" in said
    assert f"pulumi config set --secret supastack:databasePassword --stack {STACK}" in said
    assert "verify: the cache (nowhere.invalid:" in said
    assert "no such name is known [supastack:cache.external.host]" in said
    assert "there is no bucket nobodys-bucket [supastack:objectStorage.buckets]" in said
    assert "verify: the API" not in said, "that one is as it must be"
    assert not (clone.root / ".env.shop").exists()
    assert not [form for form in forms_of(WRONG) if form in said.encode()]


def test_it_passes_and_the_app_reaches_the_database_through_the_pooler(values: dict[str, str], others: Others) -> None:
    assert others.asked[-1][0] == "/auth/v1/health"
    pooled = urlsplit(values["POOLER_URL"])
    assert parse_qs(pooled.query)["sslmode"] == ["verify-full"]
    with psycopg.connect(plain(values["POOLER_URL"]), prepare_threshold=None) as session:
        assert session.execute("SELECT current_user").fetchone() == (f"postgres.{servers.REF}",)
    with psycopg.connect(plain(values["DB_URL"])) as session:
        assert session.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)


def test_the_cache_takes_what_the_app_is_told(values: dict[str, str], others: Others) -> None:
    with redis.Redis.from_url(values["REDIS_URL"], ssl_ca_certs=str(others.authority.file)) as cache:
        assert cache.set("seven", "7")
        assert cache.get("seven") == b"7"


def test_the_store_takes_what_the_app_is_told(values: dict[str, str], others: Others) -> None:
    store = boto3.client(
        "s3",
        endpoint_url=values["S3_ENDPOINT"],
        aws_access_key_id=values["S3_ACCESS_KEY"],
        aws_secret_access_key=values["S3_SECRET_KEY"],
        region_name=values["S3_REGION"],
        verify=str(others.authority.file),
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )
    store.put_object(Bucket=values["S3_BUCKET"], Key="note", Body=b"seven")
    assert store.get_object(Bucket=values["S3_BUCKET"], Key="note")["Body"].read() == b"seven"


def test_tests_find_their_schema_and_may_make_tables_there(values: dict[str, str], others: Others) -> None:
    assert values["TEST_SCHEMA"] == "checks"
    assert {parse_qs(urlsplit(values[name]).query)["schema"][0] for name in TESTS[1:]} == {"checks"}
    with psycopg.connect(plain(values["TEST_DIRECT_URL"]), autocommit=True) as session:
        session.execute("CREATE TABLE checks.one (n int)")
    assert others.sql("SELECT count(*) FROM checks.one") == "0"


def test_no_secret_is_in_the_state_the_configuration_or_what_is_shown(clone: Clone, up: str, values: dict[str, str]) -> None:
    searched = [path for path in (clone.root / ".supastack").rglob("*") if path.is_file() and "pulumi-home" not in path.parts]
    searched.append(clone.root / f"Pulumi.{STACK}.yaml")
    for secret in SECRETS.values():
        forms = forms_of(secret)
        assert [path for path in searched if any(form in path.read_bytes() for form in forms)] == []
        assert not any(form in up.encode() for form in forms)
        assert any(form in (clone.root / ".env.shop").read_bytes() for form in forms), "the search finds it where it is"


def test_a_second_deployment_changes_nothing_and_a_schema_that_was_dropped_is_made_anew(
    clone: Clone, up: str, others: Others
) -> None:
    assert clone.preview_steps(STACK) == {}
    others.sql("DROP SCHEMA checks CASCADE")
    clone.pulumi("up", "--yes", "--skip-preview", "--stack", STACK)
    assert others.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'checks'") == "1"


def test_what_others_run_is_as_it_was_when_the_stack_goes(clone: Clone, up: str, others: Others) -> None:
    said = clone.make("purge", CONFIRM=STACK, STACK=STACK).stdout
    assert "stays, with what is in it" in said
    assert others.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'checks'") == "1"
    assert not (clone.root / ".env.shop").exists()
    assert json.dumps(servers.PASSWORD)[1:-1] not in said
