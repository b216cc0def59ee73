"""Manifests become resources: types, options, order."""

import subprocess
import sys

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict

from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.register import register, token
from tests.conftest import unwrapped


def manifest(name, kind="ConfigMap", api="v1", **about):
    return Manifest(name=name, body={"apiVersion": api, "kind": kind, "metadata": {"name": name}}, **about)


@pytest.mark.parametrize(
    ("api", "kind", "named"),
    [
        ("v1", "Secret", "kubernetes:core/v1:Secret"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("networking.k8s.io/v1", "NetworkPolicy", "kubernetes:networking.k8s.io/v1:NetworkPolicy"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute", "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"),
    ],
)
def test_types_are_named_as_the_sdk_names_them(api, kind, named):
    assert token({"apiVersion": api, "kind": kind}) == named


def test_the_sdks_own_classes_have_these_names():
    from pulumi_kubernetes.apps.v1 import Deployment
    from pulumi_kubernetes.core.v1 import Secret

    assert {cls.pulumi_type for cls in (Deployment, Secret)} <= {"kubernetes:apps/v1:Deployment", "kubernetes:core/v1:Secret"}


def test_the_sdks_classes_are_not_imported():
    """They take a quarter of a second of every run."""
    code = (
        "import sys, components.targets.kubernetes.placing; print([m for m in sys.modules if m.startswith('pulumi_kubernetes.')])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "pulumi_kubernetes._utilities" in found
    assert "core.v1" not in found
    assert "apps.v1" not in found


def test_order_and_options_are_the_manifests(engine):
    made = [
        manifest("last", after=("first",), ignore=("spec.replicas",), wait=False),
        manifest("first", "Secret", protect=True, retain=True),
    ]
    found = engine(lambda: register(made, pulumi.ResourceOptions()))
    first, last = found.requests["first"], found.requests["last"]
    assert list(found.requests)[-2:] == ["first", "last"]
    assert [urn.rsplit("::", 1)[-1] for urn in last.dependencies] == ["first"]
    assert (first.protect, first.retainOnDelete, last.protect, last.retainOnDelete) == (True, True, False, False)
    assert (list(last.ignoreChanges), list(first.ignoreChanges)) == (["spec.replicas"], [])
    assert list(first.additionalSecretOutputs) == ["data", "stringData"]
    assert first.version == last.version != ""


def test_what_can_not_be_changed_is_deleted_first_and_earlier_names_are_told(engine):
    made = [manifest("one", anew=("spec.loadBalancerClass",)), manifest("other", before=("earlier",))]
    found = engine(lambda: register(made, pulumi.ResourceOptions()))
    one, other = found.requests["one"], found.requests["other"]
    assert (list(one.replaceOnChanges), one.deleteBeforeReplace) == (["spec.loadBalancerClass"], True)
    assert (list(other.replaceOnChanges), other.deleteBeforeReplaceDefined) == ([], False)
    assert [alias.spec.name for alias in other.aliases] == ["earlier"]
    assert not one.aliases


def test_what_is_not_waited_for_says_so_to_the_provider(engine):
    made = [manifest("one", wait=False), manifest("other")]
    found = engine(lambda: register(made, pulumi.ResourceOptions()))
    assert found.inputs("one")["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    assert "annotations" not in found.inputs("other")["metadata"]
    # What is rendered stays as it was.
    assert "annotations" not in made[0].body["metadata"]


def test_a_body_goes_over_as_it_is(engine):
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "it", "labels": {"a/b": "c"}},
        "data": {"snake_case": pulumi.Output.secret("x")},
    }
    found = engine(lambda: register([Manifest(name="it", body=body)], pulumi.ResourceOptions()))
    wire = MessageToDict(found.requests["it"].object)
    assert wire["data"]["snake_case"] != "x"
    assert unwrapped(wire) == {**body, "data": {"snake_case": "x"}}


def test_what_comes_after_something_unknown_is_a_defect(engine):
    with pytest.raises(KeyError):
        register([manifest("one", after=("nobody",))], pulumi.ResourceOptions())
