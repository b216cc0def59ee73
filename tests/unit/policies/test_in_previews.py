"""The rules over a preview: what they are given, what is printed, and what ends a deployment."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from components import cli_keys
from components.settings import SettingsError, load
from policies.evaluate import evaluate
from tests.unit.policies.making import of, workload
from toolchain.announce import ToolchainError
from toolchain.preview import policies, text
from toolchain.preview.changes import Change, Op, Preview
from toolchain.preview.findings import Finding

CONTAINER = "docker:index/container:Container"
OPEN = {"ports": [{"internal": 1, "external": 1, "ip": "0.0.0.0"}], "memory": 64, "securityOpts": "[secret]"}


@pytest.fixture
def stack(tmp_path, monkeypatch):
    """A stack with this config file."""
    (tmp_path / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    path = tmp_path / "Pulumi.it.yaml"
    monkeypatch.setattr(policies, "config_file", lambda _: path)

    def write(config):
        path.write_text(config)
        return SimpleNamespace(root=tmp_path, stack="it")

    return write


def change(name, op=Op.CREATE, **new):
    return Change(urn=f"urn:pulumi:it::supastack::{CONTAINER}::{name}", type=CONTAINER, name=name, op=op, new=new)


def test_settings_are_what_is_written_but_no_secret(stack):
    context = stack(
        "config:\n"
        "  supastack:environment: prod\n"
        "  supastack:cachePassword: {secure: v1:abc}\n"
        "  supastack:serviceSecrets: {auth: {KEY: {secure: v1:abc}}}\n"
        '  supastack:policies: \'{"waivers": {"backups": "a good reason"}}\'\n'
        "  other:environment: dev\n"
    )
    found = policies.settings(context)
    assert found == {"environment": "prod", "serviceSecrets": {"auth": {}}, "policies": {"waivers": {"backups": "a good reason"}}}
    assert policies.judge(context).environment == "prod"
    assert policies.Judge({}).environment == "dev"
    assert policies.stack_of(found, Preview(changes=())).waivers == {"backups": "a good reason"}


def test_rules_look_at_what_will_be_there():
    changes = (
        change("new", **OPEN),
        change("same", Op.SAME, **OPEN),
        change("gone", Op.DELETE),
        change("drifted", Op.REFRESH, **OPEN),
    )
    stack = policies.stack_of({}, Preview(changes=changes))
    assert [resource.name for resource in stack.resources] == ["new", "same"]
    assert stack.environment == "dev"


def test_what_a_run_writes_into_the_config_changes_nothing_for_its_own_policies(stack):
    context = stack("config:\n  supastack:environment: prod\n")
    judge = policies.judge(context)
    stack("config:\n  supastack:environment: staging\n")
    assert judge.environment == "prod"
    (finding, *_) = judge(Preview(changes=(change("it", **OPEN),)))
    assert finding.mandatory


@pytest.mark.parametrize(("environment", "mandatory"), [("prod", True), ("dev", False)])
def test_what_was_not_seen_whole_is_not_allowed_in_prod(stack, environment, mandatory):
    context = stack(f"config:\n  supastack:environment: {environment}\n")
    (finding,) = policies.judge(context)(Preview(changes=(), complete=False))
    assert finding.mandatory is mandatory
    assert "did not come to its end" in finding.message


def test_a_violation_stops_a_deployment_after_it_was_said(stack, capsys):
    context = stack("config:\n  supastack:environment: prod\n")
    found = policies.judge(context)(Preview(changes=(change("it", **OPEN),)))
    with pytest.raises(ToolchainError, match=r"do not \(1 violation\): nothing has been touched"):
        policies.stop(context, found)
    said = capsys.readouterr().err
    assert "[must hold] bind-addresses: 1 violation\n      it: port 1 is published on all addresses" in said
    assert "15 rules for environment prod, asked by make itself" in said
    waived = [replace(finding, waived="a reason") for finding in found]
    policies.stop(context, waived)
    assert "waived: a reason" in capsys.readouterr().err


def test_a_waiver_without_an_effect_is_a_finding_of_its_own():
    (finding,) = policies.findings(evaluate(of(waivers={"replicas/supabase-meta": "not any more"})))
    assert (finding.rule, finding.resource, finding.mandatory) == ("replicas", "supabase-meta", False)
    assert finding.fix == "remove policies.waivers.replicas/supabase-meta"


def test_what_must_hold_is_shown_whole_and_advice_is_cut():
    def lines(mandatory):
        return list(
            text.findings([Finding(rule="a", resource=str(n), message="m", fix="f", mandatory=mandatory) for n in range(5)])
        )

    assert len(lines(True)) == 1 + 1 + 5 + 1
    assert lines(False) == [
        "Policies:",
        "  [advice] a: 5 violations",
        *(f"      {n}: m" for n in range(3)),
        "      and 2 more",
        "      fix: f",
    ]
    assert list(text.findings([])) == []


def settings(environment, **more):
    given = {
        "supastack:environment": environment,
        "supastack:cachePassword": "your-super-secret-and-long-postgres-password",
        **more,
    }
    return load(given, stack="it", secret_keys=["supastack:cachePassword", "supastack:signingKey"])


def test_a_published_value_in_a_secret_setting_of_prod_is_refused():
    with pytest.raises(SettingsError) as refused:
        settings("prod", **{"supastack:signingKey": cli_keys.SIGNING_KEY})
    assert [problem.path for problem in refused.value.problems] == [("cachePassword",), ("signingKey",)]
    assert "your-super-secret" not in str(refused.value)


@pytest.mark.parametrize("waiver", ["well-known-keys", "well-known-keys/cachePassword"])
def test_such_a_value_is_let_be_where_that_is_said(waiver):
    given = settings("prod", **{"supastack:policies": {"waivers": {waiver: "a stand-in until Monday"}}})
    assert any("supastack:cachePassword: anybody can read this value" in said for said in given.warnings)
    assert any("anybody can read" in said for said in settings("staging").warnings)
    assert not any("anybody can read" in said for said in settings("dev").warnings)


@pytest.mark.parametrize("waived", ["", "public-tls", "public-tls/tenantSecrets.acme.redisUrl"])
def test_a_tenants_own_cache_is_reached_encrypted_in_prod_unless_that_is_waived(waived):
    def loaded(environment, url):
        given = {
            "supastack:environment": environment,
            "supastack:tenants": [{"id": "acme"}],
            "supastack:tenantSecrets": {"acme": {"redisUrl": url}},
            "supastack:policies": {"waivers": {waived: "a stand-in until Monday"} if waived else {}},
        }
        return load(given, stack="it", secret_keys=["supastack:tenantSecrets"])

    outside = "redis://:Acme-Word1@cache.example.com"
    for environment, url in (("dev", outside), ("prod", "redis://:p@10.0.0.7"), *([("prod", outside)] if waived else [])):
        (said,) = [line for line in loaded(environment, url).warnings if "unencrypted" in line]
        assert "redisUrl is redis:// for acme" in said
    assert not [line for line in loaded("prod", "rediss://:p@cache.example.com").warnings if "unencrypted" in line]
    if not waived:
        with pytest.raises(SettingsError, match="policy public-tls") as refused:
            loaded("prod", outside)
        assert [problem.path for problem in refused.value.problems] == [("tenantSecrets", "acme", "redisUrl")]
        assert "Acme-Word1" not in str(refused.value)
    assert evaluate(of(waivers={waived: "of a secret"} if waived else {})).idle == (), "only the program sees what it waives"


def test_a_waiver_of_a_rule_that_is_not_there_is_refused_with_the_one_that_may_be_meant():
    with pytest.raises(SettingsError, match="did you mean 'image-digests'"):
        settings("dev", **{"supastack:policies": {"waivers": {"image-digest": "no registry here"}}})
    with pytest.raises(SettingsError, match="a waiver needs a reason"):
        settings("dev", **{"supastack:policies": {"waivers": {"image-digests": "later"}}})


def test_a_rule_of_prod_alone_says_nothing_elsewhere():
    assert [f.rule.id for f in evaluate(of(workload(), env="dev")).findings if f.rule.prod_only] == []
