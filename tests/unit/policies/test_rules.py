"""Each rule lets through what is right, and says what is wrong with the rest."""

import ast
import inspect
import pkgutil
import sys
from datetime import date

import pytest

import policies
from components import cli_keys
from components.setting_schema import default_of
from components.supabase_settings.keys import KeySettings
from policies import evaluate, ids, keys, secrecy, values
from policies.catalogue import RULES
from policies.model import Level
from tests.clone_root import ROOT
from tests.unit.policies.making import docker, kubernetes, of, workload
from tests.unit.policies.samples import BY_RULE
from toolchain.preview import values as seen_values

GOOD = [(rule, stack) for rule in RULES for stack in BY_RULE[rule.id].good]
BAD = [(rule, *sample) for rule in RULES for sample in BY_RULE[rule.id].bad]


def found(rule, stack):
    """What a rule says in the stack's environment."""
    return [(where, message) for where, message, _ in evaluate.violations(rule, stack)] if evaluate.counts(rule, stack) else []


@pytest.mark.parametrize(("rule", "stack"), GOOD, ids=[rule.id for rule, _ in GOOD])
def test_what_keeps_to_a_rule_is_let_through(rule, stack):
    assert found(rule, stack) == []


@pytest.mark.parametrize(("rule", "stack", "where", "said"), BAD, ids=[rule.id for rule, *_ in BAD])
def test_what_breaks_a_rule_is_said_once_and_where(rule, stack, where, said):
    ((place, message),) = found(rule, stack)
    assert place == where
    assert said in message
    assert not any(value in message for value in ("Zq8x0", "postgres@", cli_keys.SECRET_KEY, cli_keys.JWT_SECRET)), (
        "a secret is said"
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_says_why_and_what_to_do_and_has_samples_of_all_it_looks_at(rule):
    assert rule.demand.endswith(".")
    assert rule.reason.endswith(".")
    assert rule.fix
    assert not rule.fix.endswith(".")
    assert rule.resource or rule.stack
    samples = BY_RULE[rule.id]
    assert samples.good
    by_part = [
        [stack for stack, *_ in samples.bad if any(rule.resource(r) for r in stack.resources if list(rule.resource(r)))]
        if rule.resource
        else [1],
        [stack for stack, *_ in samples.bad if list(rule.stack(stack))] if rule.stack else [1],
    ]
    assert all(by_part), "no sample fails one of its functions"


def test_every_id_is_a_rule_and_every_rule_has_samples():
    assert [rule.id for rule in RULES] == list(ids.IDS)
    assert set(BY_RULE) == set(ids.IDS)
    assert {rule.level for rule in RULES} == set(Level)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_properties_of_any_shape_break_no_rule(rule):
    for odd in (None, "[secret]", 5, [], [None], {"a": None}, ["x"], True):
        assert all(message for _, message, _ in evaluate.violations(rule, odd_stack(odd)))


def odd_stack(odd):
    names = ("envs", "ports", "labels", "volumes", "uploads", "securityOpts", "memory", "capabilities", "image")
    resources = [docker("Container", **dict.fromkeys(names, odd)), docker("Volume", labels=odd), docker("RemoteImage", named=odd)]
    for kind in (
        "ConfigMap",
        "Secret",
        "Deployment",
        "Ingress",
        "HTTPRoute",
        "Service",
        "StatefulSet",
        "Namespace",
        "HorizontalPodAutoscaler",
    ):
        resources += [
            kubernetes(kind, spec=odd, data=odd),
            kubernetes(kind, spec={"template": odd, "rules": odd, "tls": odd, "parentRefs": odd}),
        ]
    resources += [workload(env=odd, ports=odd, securityContext=odd, resources=odd, image=odd, pod={"volumes": odd})]
    resources += [kubernetes("Cluster", api="postgresql.cnpg.io/v1", spec=odd, metadata=odd)]
    settings = {"supabase": odd, "cache": odd, "bindAddress": odd, "compat": odd}
    return of(*resources, **settings)


def test_the_published_values_are_those_of_the_supabase_cli():
    mine = [
        cli_keys.JWT_SECRET,
        cli_keys.PUBLISHABLE_KEY,
        cli_keys.SECRET_KEY,
        cli_keys.S3_ACCESS_KEY_ID,
        cli_keys.S3_ACCESS_KEY_SECRET,
    ]
    assert all(secrecy.is_published(value) for value in [*mine, *map(cli_keys.role_key, ("anon", "service_role"))])
    assert secrecy.is_weak_password(cli_keys.SIGNING_KEY)
    assert secrecy.is_weak_password(cli_keys.DATABASE_PASSWORD)
    assert not secrecy.is_weak_password("Zq8x0Zq8x0")


def test_the_settings_defaults_are_those_that_the_rules_reckon_with():
    default = default_of(KeySettings)
    assert (date.fromisoformat(default["issuedAt"]), date.fromisoformat(default["expiresAt"])) == (keys._ISSUED, keys._EXPIRES)


def test_what_stands_for_a_secret_is_the_same_in_previews_and_rules():
    assert (seen_values.HIDDEN, seen_values.UNKNOWN) == (values.MASKED, values.UNKNOWN)


@pytest.mark.parametrize("module", [m.name for m in pkgutil.iter_modules(policies.__path__)])
def test_rules_need_nothing_but_python_itself(module):
    """A pack runs in an environment of its own, in which there is nothing of the program's."""
    tree = ast.parse((ROOT / f"policies/{module}.py").read_text())
    named = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    allowed = {"policies", *sys.stdlib_module_names, *({"pulumi_policy", "yaml"} if module == "pack" else ())}
    assert named <= allowed
    assert module not in sys.stdlib_module_names, "run as a folder, it would take that one's place"


def test_no_rule_asks_for_the_time_or_reads_a_file():
    for module in ("images", "keys", "network", "secrecy", "upkeep", "workloads"):
        source = inspect.getsource(getattr(__import__(f"policies.{module}"), module))
        assert not any(word in source for word in ("open(", "now(", "today()", "environ", "urlopen"))
