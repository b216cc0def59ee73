"""Environments, waivers and the order of what is found."""

from policies.evaluate import evaluate
from tests.unit.policies.making import container, of, workload

SAFE = {"memory": 64, "securityOpts": ["no-new-privileges:true"]}
OPEN = {**SAFE, "ports": [{"internal": 1, "external": 1, "ip": "0.0.0.0"}]}


def told(report):
    return [(f.rule.id, f.where, f.mandatory, f.waived) for f in report.findings]


def test_a_violation_is_mandatory_in_prod_and_advice_elsewhere():
    for env, mandatory in (("prod", True), ("staging", False), ("dev", False)):
        assert told(evaluate(of(container(**OPEN), env=env))) == [("bind-addresses", "it", mandatory, None)]


def test_what_is_advice_by_its_rule_is_so_in_prod_too():
    database = container("db", labels=[{"label": "supastack.service", "value": "postgres"}], **SAFE)
    assert told(evaluate(of(database))) == [("backups", "db", False, None)]


def test_a_waiver_counts_for_a_rule_or_for_one_resource_and_keeps_its_reason():
    stack = [container("a", **OPEN), container("b", **OPEN)]
    assert told(evaluate(of(*stack, waivers={"bind-addresses": "a reason"}))) == [
        ("bind-addresses", "a", False, "a reason"),
        ("bind-addresses", "b", False, "a reason"),
    ]
    assert told(evaluate(of(*stack, waivers={"bind-addresses/b": "a reason"}))) == [
        ("bind-addresses", "a", True, None),
        ("bind-addresses", "b", False, "a reason"),
    ]
    assert told(evaluate(of(bindAddress="::", waivers={"bind-addresses/bindAddress": "why"})))[0][3] == "why"


def test_a_waiver_without_an_effect_is_named():
    report = evaluate(
        of(container(**OPEN), waivers={"bind-addresses/it": "used", "replicas": "idle", "bind-addresses/other": "idle"})
    )
    assert report.idle == ("bind-addresses/other", "replicas")
    # Where the rule says nothing anyway, its waiver is idle too.
    assert evaluate(of(workload(), env="dev", waivers={"replicas": "for prod"})).idle == ("replicas",)


def test_findings_stand_in_the_same_order_whatever_that_of_resources_is():
    stack = [container("b", **OPEN), container("a"), container("c", image="x:latest", **SAFE)]
    one, other = evaluate(of(*stack)), evaluate(of(*reversed(stack)))
    assert one == other
    assert [f.mandatory for f in one.findings] == sorted((f.mandatory for f in one.findings), reverse=True)
    assert one.mandatory == tuple(f for f in one.findings if f.mandatory)
