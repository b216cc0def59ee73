"""Where the pack has a stack's settings from, when the engine that started it hands it none."""

import json

import pytest

from policies import pack


@pytest.fixture(autouse=True)
def _nothing_handed(monkeypatch):
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    pack._settings.cache_clear()
    yield
    pack._settings.cache_clear()


def written(root, *, tracked=None, private=None, stack="it"):
    for folder, environment in ((root, tracked), (root / ".supastack/stacks", private)):
        if environment is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"Pulumi.{stack}.yaml").write_text(f"config:\n  supastack:environment: {environment}\n")


def environment(root, stack="it", project="supastack"):
    return pack._stack(f"urn:pulumi:{stack}::{project}::docker:index/network:Network::it", root).environment


def test_what_was_set_by_command_counts_over_the_tracked_file(tmp_path):
    written(tmp_path, tracked="staging", private="prod")
    assert environment(tmp_path) == "prod"


def test_a_further_instance_has_a_private_file_alone(tmp_path):
    written(tmp_path, tracked="staging")
    written(tmp_path, private="prod", stack="it-2")
    assert environment(tmp_path, "it-2") == "prod"
    assert environment(tmp_path) == "staging"


def test_with_a_backend_of_the_users_own_the_tracked_file_counts(tmp_path, monkeypatch):
    written(tmp_path, tracked="prod", private="dev")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    assert environment(tmp_path) == "prod"


def test_with_such_a_backend_the_preview_of_a_pull_request_has_its_private_file(tmp_path, monkeypatch):
    written(tmp_path, private="staging", stack="pr-12")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    assert environment(tmp_path, "pr-12") == "staging"


@pytest.mark.parametrize("key", ["backend:environment", "environment", "backend:config:environment"])
def test_a_project_of_another_name_has_its_settings_under_it(tmp_path, key):
    (tmp_path / "Pulumi.it.yaml").write_text(f"config:\n  {key}: prod\n  supastack:bindAddress: 0.0.0.0\n")
    assert environment(tmp_path, project="backend") == "prod"
    assert "bindAddress" not in pack._stack("urn:pulumi:it::backend::a::b", tmp_path).settings


def test_what_the_engine_hands_over_counts_before_any_file(tmp_path, monkeypatch):
    written(tmp_path, tracked="staging", private="staging")
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"supastack:environment": "prod"}))
    assert environment(tmp_path) == "prod"


def test_secrets_are_left_out(tmp_path):
    (tmp_path / "Pulumi.it.yaml").write_text("config:\n  supastack:cachePassword: {secure: v1:abc}\n")
    assert pack._stack("urn:pulumi:it::supastack::a::b", tmp_path).settings == {}
