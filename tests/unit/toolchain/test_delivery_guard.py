"""A preview of a pull request comes near no other stack."""

import json

import pytest
import yaml

from tests.unit.toolchain.previewed import DOCKER, based, refused, stack
from toolchain.delivery import guard
from toolchain.stack.config import config_file, parse

SALT = "v1:anh88XZ8woA=:v1:GvdP6A24t7TmJ9Yi:m24rHEaHLDk9lggyjE+Zc+p3Vw7nLQ=="
"""Made by Pulumi 3.258 (`pulumi stack init` with a passphrase): see `PHRASE`."""
PHRASE = "prod's own"


@pytest.fixture
def clone(machine):
    return based(machine)


def test_a_file_of_its_own_is_refused(clone):
    stack(clone, "pr-12", DOCKER)
    with refused(r"Pulumi\.pr-12\.yaml is there"):
        config_file(clone.context("pr-12"))


def test_prods_file_under_another_name_is_refused(clone):
    stack(clone, "prod", DOCKER)
    (clone.root / "Pulumi.preview.yaml").unlink()
    (clone.root / "Pulumi.preview.yaml").symlink_to("Pulumi.prod.yaml")
    with refused(r"the file of another stack, Pulumi\.prod\.yaml"):
        config_file(clone.context("pr-12"))


@pytest.mark.parametrize(
    ("own", "theirs", "said"),
    [
        ({"encryptionsalt": SALT}, {"encryptionsalt": SALT}, "the encryptionsalt in Pulumi.preview.yaml is that of prod"),
        ({"encryptedkey": "abc"}, {"encryptedkey": "abc"}, "the encryptedkey in Pulumi.preview.yaml is that of prod"),
        (
            {"secretsprovider": "awskms://alias/p"},
            {"secretsprovider": "awskms://alias/p"},
            "its secrets provider is that of prod",
        ),
    ],
)
def test_prods_keys_are_refused(clone, own, theirs, said):
    stack(clone, "prod", {}, **theirs)
    stack(clone, "preview", DOCKER, **own)
    with refused(said):
        config_file(clone.context("pr-12"))
    stack(clone, "preview", DOCKER, **{key: f"{value}2" for key, value in own.items()})
    config_file(clone.context("pr-12"))


def test_prods_passphrase_is_refused_and_another_is_not(clone, monkeypatch):
    stack(clone, "prod", {}, encryptionsalt=SALT)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PHRASE)
    with refused("the passphrase in the environment opens the secrets of prod"):
        config_file(clone.context("pr-12"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", f"{PHRASE} ")
    config_file(clone.context("pr-12"))
    # A file counts as the engine reads it, without the space around.
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    (clone.home / "phrase").write_text(f"{PHRASE}\n")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(clone.home / "phrase"))
    with refused("opens the secrets of prod"):
        config_file(clone.context("pr-12"))


def test_a_salt_that_can_not_be_read_is_opened_by_nothing():
    assert not any(guard.opens(PHRASE, salt) for salt in ("", "v2:a:b:c:d", "v1:%:v1:%:%", SALT[:-4]))


def test_prods_backend_and_provider_of_delivery_yaml_are_refused(clone, monkeypatch):
    both = {"backend": "s3://state", "secretsProvider": "awskms://alias/p"}
    (clone.root / "delivery.yaml").write_text(yaml.safe_dump({"state": {"prod": both, "preview": both}}))
    with refused(r"secrets provider is that of prod[\s\S]*backend of its state is that of prod"):
        config_file(clone.context("pr-12"))
    (clone.root / "delivery.yaml").write_text(yaml.safe_dump({"state": {"prod": both}}))
    config_file(clone.context("pr-12"))
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    with refused("backend of its state is that of prod"):
        config_file(clone.context("pr-12"))


CLUSTER = {"supastack:target": "kubernetes"}


@pytest.mark.parametrize(
    ("own", "theirs", "said"),
    [
        ({"namespace": "shared"}, {}, "kubernetes.namespace: shared, which all previews would share"),
        ({"namespace": "x-${STACK}"}, {"namespace": "x-pr-12"}, "its namespace would be that of prod, x-pr-12"),
        ({}, {"namespace": "supastack-pr-12"}, "its namespace would be that of prod, supastack-pr-12"),
        ({"context": "production"}, {"context": "production"}, "its kubeconfig context is that of prod, production"),
    ],
)
def test_prods_place_in_a_cluster_is_refused(clone, own, theirs, said):
    stack(clone, "prod", {**CLUSTER, "supastack:kubernetes": theirs})
    stack(clone, "preview", {**CLUSTER, "supastack:kubernetes": own})
    with refused(said):
        config_file(clone.context("pr-12"))


@pytest.mark.parametrize(
    ("settings_", "said"),
    [
        (
            {"supastack:supabase": {"managed": {"ref": "abcdefghijklmnopqrst"}}},
            "the managed project abcdefghijklmnopqrst is that of prod",
        ),
        ({"supastack:supabase": {"database": {"external": {"host": "db.example.com"}}}}, "supabase.database.external.host is"),
        ({"supastack:cache": {"external": {"host": "c.upstash.io"}}}, "cache.external.host is that of prod"),
        (
            {"supastack:objectStorage": {"engine": "external", "endpoint": "https://s3.example.com", "buckets": ["files"]}},
            "it would use the bucket of prod: files",
        ),
        (
            {"supastack:supabase": {"database": {"cnpg": {"backup": {"destination": "s3://backups/shop"}}}}},
            "backup.destination is that of prod, s3://backups/shop",
        ),
        (
            {"supastack:tenants": [{"id": "acme", "tier": "enterprise", "project": {"ref": "tenantabcdefghijklmn"}}]},
            "the managed project tenantabcdefghijklmn is that of prod",
        ),
    ],
)
def test_prods_servers_and_buckets_are_refused(clone, settings_, said):
    stack(clone, "prod", settings_)
    stack(clone, "preview", {**DOCKER, **settings_})
    with refused(said):
        config_file(clone.context("pr-12"))
    stack(clone, "preview", DOCKER)
    config_file(clone.context("pr-12"))


REF, OTHER = "abcdefghijklmnopqrst", "tsrqponmlkjihgfedcba"


def managed(**given):
    return {"supastack:supabase": {"managed": {"ref": REF, **given}}}


def store(endpoint):
    return {"supastack:objectStorage": {"engine": "external", "endpoint": endpoint, "buckets": ["files"]}}


def own_database(**external):
    return {"supastack:supabase": {"database": {"engine": "external", "external": external}}}


@pytest.mark.parametrize(
    ("own", "theirs", "said"),
    [
        ({"supastack:supabase": json.dumps({"managed": {"ref": REF}})}, managed(), f"the managed project {REF} is that of prod"),
        (managed(), {"supastack:tenants": json.dumps([{"id": "a", "project": {"ref": REF}}])}, f"project {REF} is that of prod"),
        (store("https://S3.example.com:443/"), store("https://s3.example.com"), "the bucket of prod: files"),
        (store("https://s3.amazonaws.com"), store("https://s3.eu-central-1.amazonaws.com"), "the bucket of prod: files"),
        (managed(ref=OTHER, databaseHost=f"db.{REF}.supabase.co"), managed(), f"project {REF} is that of prod"),
        (managed(ref=OTHER, poolerUser=f"postgres.{REF}"), managed(), f"project {REF} is that of prod"),
        (managed(ref=OTHER, databaseUser=f"reader.{REF}"), managed(), f"project {REF} is that of prod"),
        (managed(ref=OTHER, apiUrl=f"https://{REF}.supabase.co/"), managed(), f"project {REF} is that of prod"),
        (own_database(host=f"{REF}-rr-eu-west-1-abcde.supabase.co"), managed(), f"project {REF} is that of prod"),
        (store(f"https://{REF}.storage.supabase.co/storage/v1/s3"), managed(), f"project {REF} is that of prod"),
        (
            own_database(host="aws-0-eu-central-1.pooler.supabase.com", user=f"postgres.{REF}"),
            managed(),
            f"project {REF} is that of prod",
        ),
        (
            managed(ref=OTHER, databaseHost="DB.example.com"),
            own_database(host="db.example.com"),
            "supabase.managed.databaseHost is that of prod: database at db.example.com",
        ),
        (
            {"supastack:supabase": {"database": {"readReplicas": ["read.example.com:6432"]}}},
            managed(readReplicas=["read.example.com"]),
            "supabase.database.readReplicas is that of prod: database at read.example.com",
        ),
        (
            managed(ref=OTHER, apiUrl="https://api.example.com"),
            managed(apiUrl="https://api.example.com/"),
            "supabase.managed.apiUrl is that of prod: API at api.example.com",
        ),
        (
            managed(ref=OTHER, poolerHost="pooler.example.com", poolerUser="app"),
            managed(poolerHost="pooler.example.com", poolerUser="app"),
            "supabase.managed.poolerHost is that of prod: login app at pooler.example.com",
        ),
    ],
)
def test_what_others_run_for_prod_is_refused_however_it_is_written(clone, own, theirs, said):
    stack(clone, "prod", theirs)
    stack(clone, "preview", {**DOCKER, **own})
    with refused(said):
        config_file(clone.context("pr-12"))


def test_what_is_not_prods_is_taken_beside_it(clone):
    pooler = "aws-0-eu-central-1.pooler.supabase.com"
    stack(clone, "prod", {**managed(poolerHost=pooler), **store("https://s3.example.com")})
    own = managed(ref=OTHER, poolerHost=pooler, databaseHost="2001:db8::1", apiUrl="https://[")
    stack(clone, "preview", {**DOCKER, **own, **store("https://s3.example.com:9000")})
    config_file(clone.context("pr-12"))


def test_a_secret_in_the_namespace_of_prod_is_refused(clone):
    def existing(namespace):
        at = {"smtpPassword": {"name": "mail", "key": "password", "namespace": namespace}}
        stack(clone, "preview", {**CLUSTER, "supastack:kubernetes": json.dumps({"existingSecrets": at})})

    stack(clone, "prod", {**CLUSTER, "supastack:kubernetes": {"namespace": "backend"}})
    existing("backend")
    with refused(r"kubernetes\.existingSecrets\.smtpPassword is in the namespace of prod, backend"):
        config_file(clone.context("pr-12"))
    existing("previews")
    config_file(clone.context("pr-12"))


def test_a_group_that_is_json_text_is_laid_over_as_any_other(clone):
    cluster = json.dumps({"namespace": "shop-${STACK}", "exposure": {"host": "preview.example.com"}})
    stack(clone, "preview", {**CLUSTER, "supastack:kubernetes": cluster})
    laid = parse(config_file(clone.context("pr-12")).read_text(), "supastack")["config"]["supastack:kubernetes"]
    assert (laid["namespace"], laid["exposure"]["host"]) == ("shop-pr-12", "pr-12.preview.example.com")
    stack(clone, "preview", {**CLUSTER, "supastack:kubernetes": json.dumps({"namespace": "shared"})})
    with refused("kubernetes.namespace: shared, which all previews would share"):
        config_file(clone.context("pr-12"))


def test_a_tenants_project_of_prod_is_refused_as_its_own_one(clone):
    ref = "tenantabcdefghijklmn"
    stack(clone, "prod", {"supastack:tenants": [{"id": "acme"}, {"id": "b", "project": {"ref": ref}}]})
    stack(clone, "preview", {**DOCKER, "supastack:supabase": {"managed": {"ref": ref}}})
    with refused(f"the managed project {ref} is that of prod"):
        config_file(clone.context("pr-12"))


def test_two_projects_may_be_behind_the_pooler_of_one_region(clone):
    host = "aws-0-eu-central-1.pooler.supabase.com"
    stack(clone, "prod", {"supastack:supabase": {"managed": {"ref": "abcdefghijklmnopqrst", "poolerHost": host}}})
    stack(clone, "preview", {**DOCKER, "supastack:supabase": {"managed": {"ref": "tsrqponmlkjihgfedcba", "poolerHost": host}}})
    config_file(clone.context("pr-12"))


def test_a_public_host_of_an_app_that_all_previews_would_share_is_refused(clone):
    def app(host):
        stack(clone, "preview", {**CLUSTER, "supastack:apps": {"web": {"host": host}, "worker": {"image": "worker:1"}}})

    app("app.example.com")
    with refused(r"apps\.web\.host: app\.example\.com, which all previews would share"):
        config_file(clone.context("pr-12"))
    app("${STACK}.app.example.com")
    config = parse(config_file(clone.context("pr-12")).read_text(), "supastack")["config"]
    assert config["supastack:apps"]["web"]["host"] == "pr-12.app.example.com"
