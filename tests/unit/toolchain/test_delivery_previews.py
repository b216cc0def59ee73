"""A preview of a pull request is laid over its base, kept, announced and removed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.recording_github import serving
from tests.unit.toolchain.previewed import DOCKER, based, refused, stack
from toolchain import setup
from toolchain.announce import ToolchainError
from toolchain.context import Context
from toolchain.delivery import command, github, previews, settings
from toolchain.stack import operations, purging
from toolchain.stack.config import PrivateConfig, config_file, has_private_config, parse
from toolchain.stack.engine import Engine

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def clone(machine):
    return based(machine)


def test_it_gets_a_private_file_wherever_its_state_is(clone, monkeypatch):
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://previews")
    context = clone.context("pr-12")
    assert has_private_config(context)
    assert not has_private_config(clone.context("dev"))
    path = config_file(context)
    assert path == clone.root / ".supastack" / "stacks" / "Pulumi.pr-12.yaml"
    assert parse(path.read_text(), "supastack")["config"] == {**DOCKER, "supastack:envFiles": {}}


def test_it_is_never_the_stack_whose_id_its_base_file_gives(clone):
    stack(clone, "preview", {**DOCKER, "supastack:stackId": "0123456789abcdef"})
    assert "supastack:stackId" not in parse(config_file(clone.context("pr-12")).read_text(), "supastack")["config"]


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


KMS = "awskms://alias/previews?region=eu-central-1"


def kept(clone, **preview):
    (clone.root / "delivery.yaml").write_text(yaml.safe_dump({"state": {"preview": preview}}))


def test_its_config_names_the_secrets_provider_of_delivery_yaml_in_every_checkout(clone, monkeypatch):
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://previews")
    kept(clone, secretsProvider=KMS)
    assert parse(config_file(clone.context("pr-12")).read_text(), "supastack")["secretsprovider"] == KMS
    stack(clone, "preview", DOCKER, secretsprovider="gcpkms://projects/p")
    assert parse(config_file(clone.context("pr-13")).read_text(), "supastack")["secretsprovider"] == KMS
    kept(clone, secretsProvider="passphrase")
    assert "secretsprovider" not in parse(config_file(clone.context("pr-14")).read_text(), "supastack")


@pytest.mark.parametrize(
    ("backend", "provider", "said"),
    [
        (None, None, "--secrets-provider passphrase"),
        ("s3://previews", None, ""),
        ("s3://previews", KMS, f"--secrets-provider {KMS}"),
        ("https://api.pulumi.com", None, ""),
        ("https://api.pulumi.com", "passphrase", "--secrets-provider passphrase"),
    ],
)
def test_it_is_made_with_what_delivery_yaml_says_else_with_the_default_of_its_backend(clone, backend, provider, said):
    kept(clone, **{key: value for key, value in (("backend", backend), ("secretsProvider", provider)) if value})
    clone.program("pulumi", f'echo "$@" PROVIDER="$PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER" >> {clone.home}/called')
    Engine(clone.context("pr-12").with_engine(clone.bin / "pulumi")).create_stack()
    (init,) = [line for line in (clone.home / "called").read_text().splitlines() if line.startswith("stack init")]
    assert init.split() == f"stack init pr-12 --no-select {said} --non-interactive PROVIDER=true".split()
    # A team's own stack has its salt in its file: nothing else may stand in for a file that lost it.
    assert "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER" not in Engine(clone.context("dev")).env


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
    # Its request is open: the first update may be on its way. One that is being updated is not touched, whatever else is known.
    assert not previews.Preview("pr-1", None, 0, closed=False).idle(NOW, week)
    assert previews.Preview("pr-1", None, 0, closed=True).idle(NOW, week)
    assert not previews.Preview("pr-1", None, 0, closed=True, updating=True).idle(NOW, week)
    assert [preview(h).age(NOW) for h in (1, 47, 48)] == ["1h", "47h", "2d"]


def test_one_that_is_being_updated_is_known_as_such(clone, monkeypatch, capsys):
    listed = [{"name": "pr-3", "current": False, "updateInProgress": True}, {"name": "team/supastack/pr-2", "current": False}]
    clone.program("pulumi", f"cat <<'END'\n{json.dumps([*listed, {'name': 'prod', 'current': True}])}\nEND")
    monkeypatch.setattr(setup, "ensure", lambda context, _: context.with_engine(clone.bin / "pulumi"))
    assert previews.known(clone.context("pr-1")) == [
        previews.Preview("pr-2", None, None),
        previews.Preview("pr-3", None, None, updating=True),
    ]
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    assert previews.report(clone.context("pr-1"), "7d") == 0
    told = capsys.readouterr().out
    assert "pr-2" in told
    assert "pr-3" not in told


URL = {"API_URL": "https://pr-12.example.com"}


@pytest.fixture
def brought(clone, monkeypatch):
    """What is brought up, each by an engine that the set-up only chooses then: a script that tells a state."""
    done = []

    def up(context, _, *, confirm):
        assert confirm == context.stack, "one whose namespace somebody removed is made anew"
        assert context.pulumi == Path("pulumi")
        state = json.dumps({"version": 3, "deployment": {"resources": [ROOT_RESOURCE]}})
        engine = clone.program("pulumi", f"echo '{state}'", clone.home / "engine")  # not on PATH, as on a fresh runner
        context.private.mkdir(exist_ok=True)
        (context.private / "engine.json").write_text(json.dumps({"pulumi": str(engine)}))
        done.append(context.stack)
        return 0

    monkeypatch.setattr(operations, "up", up)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://previews")
    monkeypatch.setenv("COMMENT_FILE", str(clone.home / "comment.md"))
    for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    return done


ROOT_RESOURCE = {
    "urn": "urn:pulumi:pr-12::supastack::pulumi:pulumi:Stack::supastack-pr-12",
    "type": "pulumi:pulumi:Stack",
    "custom": False,
    "outputs": URL,
}


def test_its_comment_is_made_by_the_engine_that_its_set_up_chose(clone, brought):
    assert previews.up(Context.of("pr-12")) == 0
    assert brought == ["pr-12"]
    assert "| API_URL | https://pr-12.example.com |" in (clone.home / "comment.md").read_text()


def test_one_that_does_not_come_up_says_so_on_its_request(clone, brought, monkeypatch):
    monkeypatch.setattr(operations, "up", lambda *_, **__: 1)
    assert previews.up(Context.of("pr-12")) == 1
    assert "could not be brought up" in (clone.home / "comment.md").read_text()
    (clone.home / "comment.md").unlink()

    def refusing(*_, **__):
        raise ToolchainError("no cluster")

    monkeypatch.setattr(operations, "up", refusing)
    with refused("no cluster"):
        previews.up(Context.of("pr-12"))
    assert "could not be brought up" in (clone.home / "comment.md").read_text()


def test_for_a_closed_request_nothing_comes_up_and_nothing_is_said(clone, brought, monkeypatch, capsys):
    with serving() as hub:
        for name, value in hub.environment().items():
            monkeypatch.setenv(name, value)
        hub.pulls = {12: "closed", 13: "open"}
        assert previews.up(Context.of("pr-12")) == 0
        assert brought == []
        assert "pull request 12 is closed" in capsys.readouterr().err
        assert not (clone.home / "comment.md").exists()
        assert previews.up(Context.of("pr-13")) == 0
    assert brought == ["pr-13"]


def test_one_that_is_gone_says_so_where_it_said_that_it_is_up(clone, brought, monkeypatch):
    found = [True]
    monkeypatch.setattr(purging, "remove", lambda context, confirm: purging.Purged(int(context.stack != confirm), found[0]))
    file = clone.home / "comment.md"
    assert previews.down(Context.of("pr-12")) == 0
    with serving() as hub:
        for name, value in {**hub.environment(), "PR": "12", "FILE": str(file), "COMMENT": "edit"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        assert command.run("comment", "pr-12", []) == 0
        assert not hub.comments.get(12)
        hub.add_comment(12, f"{github.marker_of('preview', 'pr-12')}\nis up")
        assert command.run("comment", "pr-12", []) == 0
        (comment,) = hub.comments[12]
        assert "`pr-12`** of this pull request is gone" in comment["body"]
    # Where its state is not, nothing is known to be gone.
    found[0] = False
    assert previews.down(Context.of("pr-12")) == 0
    assert "nothing was removed, since no such stack is where" in file.read_text()
    assert "is gone" not in file.read_text()


def test_a_purge_that_fails_says_nothing_on_its_request(clone, brought, monkeypatch):
    monkeypatch.setattr(purging, "remove", lambda *_, **__: purging.Purged(1, found=True))
    assert previews.down(Context.of("pr-12")) == 1
    assert not (clone.home / "comment.md").exists()


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
