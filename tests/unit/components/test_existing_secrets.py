"""A secret setting that names a Secret of the cluster is used as one from the configuration, and its value is only read in a deployment."""

import base64
import json
import runpy
from typing import Any

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict

from components import keys, secret_settings
from components.existing_secrets import SINGLE, Reference
from components.plan import Plan
from components.settings import SettingsError, load
from components.targets.kubernetes import existing
from tests.clone_root import ROOT
from tests.conftest import Mocks, holders_of, unwrapped

JWT = "From-the-cluster-0123456789-0123456789"
CACHE = "From/the:cluster@cache"
HELD = {"password": CACHE, "jwt": JWT, "setup": "From-the-cluster setup"}
WHERE = {
    "cachePassword": {"name": "login", "key": "password", "namespace": "platform"},
    "jwtSecret": {"name": "login", "key": "jwt", "namespace": "platform"},
    "setupPassword": {"name": "login", "key": "setup", "namespace": "platform"},
}


def config(secrets: Any, **more: str) -> dict[str, Any]:
    kubernetes = {"kubeconfig": "cluster/kubeconfig", "context": "supastack", "existingSecrets": secrets}
    return {
        "supastack:target": "kubernetes",
        "supastack:imageSource": "local",
        "supastack:objectStorage": json.dumps({"fallback": "minio"}),
        "supastack:kubernetes": json.dumps(kubernetes),
        **more,
    }


def problems(given, **more):
    with pytest.raises(SettingsError) as caught:
        load(given, stack="dev", **more)
    return {".".join(map(str, p.path)): f"{p.reason}; {p.fix}" for p in caught.value.problems}


@pytest.fixture(autouse=True)
def _no_config_left():
    yield
    pulumi.runtime.set_all_config({}, [])


@pytest.fixture
def _held(monkeypatch):
    """What a read answers."""
    usual = Mocks.new_resource

    def new_resource(self, args):
        if args.name == "existing-platform.login":
            assert args.resource_id == "platform/login"
            return args.resource_id, {"data": {k: base64.b64encode(v.encode()).decode() for k, v in HELD.items()}}
        return usual(self, args)

    monkeypatch.setattr(Mocks, "new_resource", new_resource)


def run(engine, secrets):
    pulumi.runtime.set_all_config(config(secrets), [])
    return engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))


@pytest.mark.usefixtures("_held")
def test_a_secret_is_read_once_after_the_checks_and_all_of_it_is_secret(engine):
    recorder = run(engine, WHERE)
    assert list(recorder.reads) == ["existing-platform.login"]
    read = recorder.reads["existing-platform.login"]
    assert (read.type, read.id) == ("kubernetes:core/v1:Secret", "platform/login")
    assert any(d.endswith("Checks::checks") for d in read.dependencies)
    assert set(read.additionalSecretOutputs) == {"data", "stringData", "metadata", "__inputs"}


@pytest.mark.usefixtures("_held")
def test_its_values_are_used_as_secrets_everywhere_and_stand_nowhere_in_plain(engine):
    recorder = run(engine, WHERE)
    using: dict[str, set[str]] = {}
    for name, request in recorder.requests.items():
        for text in (*HELD.values(), "From%2Fthe%3Acluster%40cache"):
            for written in (text, base64.b64encode(text.encode()).decode()):
                for how in holders_of(written, MessageToDict(request.object)):
                    assert how == "secret", name
                    using.setdefault(text, set()).add(request.type)
    secret = "kubernetes:core/v1:Secret"
    assert using[CACHE] >= {secret}
    assert using[JWT] >= {secret}
    assert using[HELD["setup"]], "in the env file"
    assert holders_of("From%2Fthe%3Acluster%40cache", recorder.outputs["cache"]) == {"secret"}


@pytest.mark.usefixtures("_held")
def test_keys_are_signed_with_a_jwt_secret_of_the_cluster(engine):
    recorder = run(engine, WHERE)
    outputs = unwrapped(recorder.outputs["supabase"])
    assert keys.is_signed_with(outputs["anon_key"], JWT)


def test_without_such_a_setting_nothing_is_read(engine):
    recorder = run(engine, {})
    assert unwrapped(recorder.inputs("checks"))["parameters"]["existing"] == []
    assert recorder.reads == {}


@pytest.mark.usefixtures("_held")
def test_the_probe_is_told_the_settings_the_secrets_and_the_keys(engine):
    recorder = run(engine, WHERE)
    told = unwrapped(recorder.inputs("checks"))["parameters"]["existing"]
    assert [(at["setting"], at["namespace"], at["name"], at["key"]) for at in told] == [
        ("cachePassword", "platform", "login", "password"),
        ("jwtSecret", "platform", "login", "jwt"),
        ("setupPassword", "platform", "login", "setup"),
    ]


def test_what_is_in_the_cluster_counts_as_given_and_its_value_as_unknown():
    settings = load(config(WHERE), stack="dev")
    assert not set(WHERE) & set(settings.secrets)
    assert settings.supabase_secrets == {secret_settings.SINGLE["jwtSecret"]: None}
    Plan(settings)


def test_a_store_of_others_has_its_key_in_the_cluster():
    store = {"engine": "external", "endpoint": "https://s3.example.com", "accessKey": "AKIAEXAMPLE"}
    given = config({"objectStorageSecretKey": {"name": "s3", "key": "secret"}}) | {"supastack:objectStorage": json.dumps(store)}
    Plan(load(given, stack="dev"))
    without = config({}) | {"supastack:objectStorage": json.dumps(store)}
    assert "objectStorageSecretKey" in problems(without)


def test_a_secret_that_is_given_twice_is_refused():
    found = problems(config(WHERE, **{"supastack:cachePassword": "a-password-1"}), secret_keys=["supastack:cachePassword"])
    assert set(found) == {"kubernetes.existingSecrets.cachePassword"}
    assert "pulumi config rm supastack:cachePassword --stack dev" in found["kubernetes.existingSecrets.cachePassword"]


def test_a_reference_needs_the_secrets_name_and_its_key():
    found = problems(config({"smtpPassword": {"namespace": "platform"}}))
    assert set(found) == {f"kubernetes.existingSecrets.smtpPassword.{name}" for name in ("name", "key")}


def test_only_secret_settings_of_one_text_can_be_in_the_cluster():
    (reason,) = problems(config({"functionSecrets": {"name": "a", "key": "b"}})).values()
    assert all(name in reason for name in SINGLE)
    assert {"databasePassword", "jwtSecret", "smtpPassword", "adminPassword", "tlsKey"} <= set(SINGLE)


def test_on_another_target_it_has_no_effect_and_is_said():
    given = {**config(WHERE), "supastack:target": "docker"}
    settings = load(given, stack="dev")
    assert any("kubernetes.existingSecrets has no effect" in line for line in settings.warnings)
    assert settings.supabase_secrets == {}


class Known:
    """An output whose value is there."""

    def __init__(self, held):
        self.held = held

    def apply(self, made):
        return made(self.held)


def test_a_value_that_changed_since_the_checks_is_refused_without_being_shown():
    at = Reference(setting="cachePassword", namespace="platform", name="login", key="password")
    data = {"password": base64.b64encode(b"Shrt5").decode()}
    with pytest.raises(pulumi.RunError) as caught:
        existing._value(Known(data), at)
    assert "cachePassword: Secret platform/login in the cluster: its key password: it is shorter than 8" in str(caught.value)
    assert "Shrt5" not in str(caught.value)
    assert caught.value.__suppress_context__
