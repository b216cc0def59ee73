"""A preview of a pull request is laid over its base, and comes near no other stack."""

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from toolchain.announce import ToolchainError
from toolchain.context import Context
from toolchain.delivery import command, guard, previews, settings
from toolchain.stack.config import PrivateConfig, config_file, has_private_config, parse

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DOCKER = {"supastack:target": "docker", "supastack:ports": "auto"}
SALT = "v1:anh88XZ8woA=:v1:GvdP6A24t7TmJ9Yi:m24rHEaHLDk9lggyjE+Zc+p3Vw7nLQ=="
"""Made by Pulumi 3.258 (`pulumi stack init` with a passphrase): see `PHRASE`."""
PHRASE = "prod's own"


@pytest.fixture
def clone(machine):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    stack(machine, "preview", DOCKER)
    return machine


def stack(machine, name, config, **top):
    (machine.root / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({**top, "config": config}))


def refused(match):
    return pytest.raises(ToolchainError, match=match)


def test_it_gets_a_private_file_wherever_its_state_is(clone, monkeypatch):
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://previews")
    context = clone.context("pr-12")
    assert has_private_config(context)
    assert not has_private_config(clone.context("dev"))
    path = config_file(context)
    assert path == clone.root / ".supastack" / "stacks" / "Pulumi.pr-12.yaml"
    assert parse(path.read_text(), "supastack")["config"] == {**DOCKER, "supastack:envFiles": {}}


def test_its_name_is_filled_in_wherever_the_base_asks_for_it(clone):
    files = {"nextjs": {"path": ".env.${STACK}"}}
    stack(clone, "preview", {**DOCKER, "supastack:envFiles": files, "supastack:app": {"hosts": ["${STACK}.example.com"]}})
    config = parse(config_file(clone.context("pr-7")).read_text(), "supastack")["config"]
    assert config["supastack:envFiles"] == {"nextjs": {"path": ".env.pr-7"}}
    assert config["supastack:app"] == {"hosts": ["pr-7.example.com"]}


@pytest.mark.parametrize("host", ["preview.example.com", "${STACK}.preview.example.com"])
def test_in_a_cluster_it_has_a_host_of_its_own(clone, host):
    stack(clone, "preview", {"supastack:target": "kubernetes", "supastack:kubernetes": {"exposure": {"host": host}}})
    config = parse(config_file(clone.context("pr-12")).read_text(), "supastack")["config"]
    assert config["supastack:kubernetes"]["exposure"]["host"] == "pr-12.preview.example.com"


def test_what_is_set_for_one_by_command_stays_with_it(clone):
    context = clone.context("pr-12")
    PrivateConfig(context).sync({"supastack:healthTimeout": "300"})
    stack(clone, "preview", {**DOCKER, "supastack:bindAddress": "10.0.0.1"})
    config = parse(PrivateConfig(context).sync().read_text(), "supastack")["config"]
    assert (config["supastack:healthTimeout"], config["supastack:bindAddress"]) == ("300", "10.0.0.1")
    assert "supastack:healthTimeout" not in parse(config_file(clone.context("pr-13")).read_text(), "supastack")["config"]


def test_without_ports_of_its_own_it_is_refused(clone):
    stack(clone, "preview", {"supastack:target": "docker"})
    with refused("ports: auto"):
        config_file(clone.context("pr-12"))


def test_without_a_base_file_it_is_refused(clone):
    (clone.root / "Pulumi.preview.yaml").unlink()
    with refused(r"there is no Pulumi\.preview\.yaml"):
        config_file(clone.context("pr-12"))


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
        ({"supastack:supabase": {"managed": {"ref": "abcdefghijklmnopqrst"}}}, "supabase.managed.ref is that of prod"),
        ({"supastack:supabase": {"database": {"external": {"host": "db.example.com"}}}}, "supabase.database.external.host is"),
        ({"supastack:cache": {"external": {"host": "c.upstash.io"}}}, "cache.external.host is that of prod"),
        (
            {"supastack:objectStorage": {"engine": "external", "endpoint": "https://s3.example.com", "buckets": ["files"]}},
            "it would use the bucket of prod: files",
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


def test_it_can_not_call_itself_production(clone):
    stack(clone, "preview", {**DOCKER, "supastack:environment": "prod"})
    with refused("environment: prod"):
        config_file(clone.context("pr-12"))


def test_only_previews_can_be_removed_without_being_asked(clone):
    with refused("not the preview of a pull request"):
        previews.down(Context.of("prod"))


def test_idle_is_what_is_closed_or_was_not_updated_for_so_long():
    def preview(hours, closed=None):
        return previews.Preview("pr-1", NOW - timedelta(hours=hours), 3, closed)

    week = settings.hours("7d")
    assert [preview(h).idle(NOW, week) for h in (1, 167, 168)] == [False, False, True]
    assert [preview(1, closed).idle(NOW, week) for closed in (True, False)] == [True, False]
    assert previews.Preview("pr-1", None, 0).idle(NOW, week)
    assert [preview(h).age(NOW) for h in (1, 47, 48)] == ["1h", "47h", "2d"]


@pytest.mark.parametrize("age", ["", "7", "d", "0d", "7w", "-1d", "1d2h"])
def test_an_idle_time_that_can_not_be_read_is_refused(clone, age):
    with refused("IDLE="):
        settings.hours(age)


def test_cleaning_removes_what_may_go_and_goes_on_after_one_that_fails(clone, monkeypatch, capsys):
    now = datetime.now(UTC)
    listed = [
        previews.Preview("pr-1", now, 5, closed=True),
        previews.Preview("pr-2", now, 5, closed=False),
        previews.Preview("pr-3", now - timedelta(days=9), 5),
    ]
    removed = []

    def down(context):
        removed.append(context.stack)
        if context.stack == "pr-1":
            raise ToolchainError("its daemon is away")
        return 0

    monkeypatch.setattr(previews, "known", lambda _: listed)
    monkeypatch.setattr(previews, "with_requests", list)
    monkeypatch.setattr(previews, "down", down)
    monkeypatch.delenv("IDLE", raising=False)
    assert command.run("pr-clean", "dev", []) == 1
    assert removed == ["pr-1", "pr-3"]
    assert "not removed: pr-1" in capsys.readouterr().err
    monkeypatch.setenv("IDLE", "20d")
    assert command.run("pr-list", "dev", []) == 0
    told = capsys.readouterr().out
    assert "pr-1" in told
    assert "pr-2" not in told
    assert "pr-3" not in told
