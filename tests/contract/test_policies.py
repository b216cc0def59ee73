"""The shipped stacks against the policies, as the program makes them; and the documents that are made from the rules."""

import json
from dataclasses import replace

import pulumi
import pytest
import yaml

from policies import documents
from policies.evaluate import evaluate
from policies.model import Resource
from tests.clone_root import ROOT
from tests.conftest import unwrapped
from tests.unit.components.test_program import run
from toolchain.preview import policies
from toolchain.preview.changes import Preview
from toolchain.preview.values import plain

STACKS = sorted(path.stem.removeprefix("Pulumi.") for path in ROOT.glob("Pulumi.*.yaml"))
# What belongs to others, or to whoever copies the file: made-up values stand for it.
MADE_UP = ("databasePassword", "objectStorageSecretKey", "smtpPassword", "cachePassword", "databaseBackupSecretKey")


@pytest.fixture(autouse=True)
def _no_config_left():
    yield
    pulumi.runtime.set_all_config({}, [])


@pytest.fixture
def shipped(engine, monkeypatch, tmp_path):
    """A shipped stack as the program registers it, for the rules: with its secrets in plain, and masked as `make preview` sees it."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))

    def made(name, **over):
        given = {**yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"], **over}
        given.pop("supastack:tenants", None)  # nothing is made of them, and their secrets are theirs
        config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
        secrets = {f"supastack:{secret}": f"made-up-{secret}-0" for secret in wanted(given)}
        recorder = run(engine, {**config, **secrets}, secrets)
        settings = {key.removeprefix("supastack:"): value for key, value in given.items()}
        stack = policies.stack_of(settings, Preview(changes=()))
        return [replace(stack, resources=tuple(resources(recorder, seen))) for seen in (unwrapped, plain)]

    return made


def resources(recorder, seen):
    for name, request in recorder.requests.items():
        yield Resource(type=request.type, name=name, properties=seen(recorder.inputs(name)), protect=request.protect)


def wanted(given):
    """The made-up secrets that a stack has a use for."""

    def of(name):
        return given.get(f"supastack:{name}") or {}

    if of("supabase").get("managed"):
        yield "databasePassword"
    if of("objectStorage").get("engine") == "external":
        yield "objectStorageSecretKey"
    if of("cache").get("engine") == "external":
        yield "cachePassword"
    if of("supabase").get("auth", {}).get("smtp"):
        yield "smtpPassword"


REALTIME, FUNCTIONS = ("restricted-pods", "supabase-realtime"), ("restricted-pods", "supabase-functions")
KNOWN = {
    # Its image starts as root until supabase/realtime#2207; in a cluster the user of the functions' image is not known either.
    "dev": {REALTIME},
    "preview": {REALTIME},
    "staging": {REALTIME, FUNCTIONS},
    # The seed's own pin, and Redis Commander has no other there.
    "cleanmatex": {REALTIME, ("image-tags", "cache-redis-commander-image")},
    # Who reads the logs of all containers has the daemon's socket.
    "supa-manager": {REALTIME, ("restricted-pods", "supabase-vector")},
}
"""What is left in stacks that are not prod, as advice. Those of prod have it among their waivers."""


@pytest.mark.parametrize("name", STACKS)
def test_a_shipped_stack_keeps_to_the_policies_of_its_environment(name, shipped):
    report, masked = map(evaluate, shipped(name))
    assert [(f.rule.id, f.where, f.message) for f in report.mandatory] == []
    assert report.idle == ()
    assert {(f.rule.id, f.where) for f in report.findings if f.waived is None} == KNOWN.get(name, set())
    assert masked == report


def test_a_stack_of_this_machine_is_no_stack_of_prod(shipped):
    spoiled = {"supastack:environment": "prod", "supastack:bindAddress": "0.0.0.0"}
    rules = {finding.rule.id for finding in evaluate(shipped("dev", **spoiled)[1]).mandatory}
    assert {"bind-addresses", "image-digests"} <= rules


def test_the_document_of_the_rules_is_up_to_date():
    assert not documents.renew(ROOT, write=False), "run: python -m policies --write"
