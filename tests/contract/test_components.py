"""Rules that every component keeps, in an up and in a preview."""

import re

import pulumi
import pytest
from pulumi.provider.experimental.component import ComponentProvider

from components.application import Application
from components.cache import Cache
from components.object_storage import ObjectStorage
from components.plain_database import PlainDatabase
from components.supabase_stack import SupabaseStack
from components.targets import labels
from tests.conftest import holders_of, unwrapped
from tests.unit.components.placements import placement

# Every component has a row; a component without one fails below.
COMPONENTS = {
    Application: {
        "placement": placement(),
        "app": "web",
        "settings": {
            "image": "example/web:1",
            "port": 3000,
            "publish": "app",
            "env": {"URL": "${DB_URL}", "ORIGIN": "${APP_URL}", "HOST": "${DB_URL.host}"},
        },
        "known": {"APP_URL": "http://127.0.0.1:3025"},
        "values": {"DB_URL": "postgresql://postgres:generated-c-password@postgres:5432/postgres"},
        "secrets": {"TOKEN": "generated-c-token"},
    },
    Cache: {"placement": placement(), "settings": {"commander": True}},
    ObjectStorage: {"placement": placement(), "settings": {"engine": "minio"}},
    PlainDatabase: {
        "placement": placement(),
        "settings": {"enabled": True, "extensions": ["pgcrypto"], "pgbouncer": {"enabled": True}},
    },
    SupabaseStack: {"placement": placement()},
}
CONTAINER = "docker:index/container:Container"
VOLUME = "docker:index/volume:Volume"

each = pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c.__name__)
# An app is what the user gives: it keeps nothing, has no secret to tell of, and no program in its image that could ask how it is.
each_of_ours = pytest.mark.parametrize("component", [c for c in COMPONENTS if c is not Application], ids=lambda c: c.__name__)


def build(engine, component, opts=None, **over):
    return engine(lambda: component("c", {**COMPONENTS[component], **over}, opts))


def test_every_component_has_a_row_here():
    import components

    found = set()
    for path in __import__("pathlib").Path(components.__file__).parent.glob("*.py"):
        found |= set(re.findall(r"^class (\w+)\(pulumi\.ComponentResource\)", path.read_text(), re.MULTILINE))
    assert found == {c.__name__ for c in COMPONENTS}


@each
def test_the_component_can_be_packaged(component):
    provider = ComponentProvider([component], "supastack", None, "0.0.0")
    provider.validate_resource_type("supastack", f"supastack:index:{component.__name__}")


@each
def test_the_token_is_the_one_that_packaging_expects(engine, component):
    assert build(engine, component).requests["c"].type == f"supastack:index:{component.__name__}"


@each
def test_the_outputs_declared_are_the_outputs_registered(engine, component):
    recorder = build(engine, component)
    assert set(recorder.outputs["c"]) == {k for k in component.__annotations__ if not k.startswith("_")}


@each
def test_every_child_hangs_under_the_component_and_bears_its_name(engine, component):
    recorder = build(engine, component)
    children = {n: r for n, r in recorder.requests.items() if n != "c" and "Stack" not in r.type.rsplit(":", 1)[-1]}
    assert children
    for name, request in children.items():
        assert name.startswith("c-"), name
        assert request.parent.endswith("::c"), name


@each
def test_a_callers_parent_does_not_capture_the_children(engine, component):
    def program():
        outer = pulumi.ComponentResource("t:index:Outer", "outer")
        component("c", COMPONENTS[component], pulumi.ResourceOptions(parent=outer))

    recorder = engine(program)
    assert all(r.parent.endswith("::c") for n, r in recorder.requests.items() if n.startswith("c-"))


@each_of_ours
def test_two_of_a_kind_do_not_meet(engine, component):
    def program():
        component("c", COMPONENTS[component])
        component("d", COMPONENTS[component])

    recorder = engine(program)
    names = [unwrapped(recorder.inputs(n)).get("name") for n, r in recorder.requests.items() if r.type in {CONTAINER, VOLUME}]
    assert len(names) == len(set(names)) >= 4


@each
def test_names_carry_project_stack_and_component(engine, component):
    recorder = build(engine, component)
    for name in (*recorder.of_type(CONTAINER), *recorder.of_type(VOLUME)):
        assert recorder.inputs(name)["name"].startswith("supastack-dev-c-")


@each
def test_every_label_of_ours_is_on_every_object(engine, component):
    recorder = build(engine, component)
    for name in (*recorder.of_type(CONTAINER), *recorder.of_type(VOLUME)):
        given = {e["label"]: e["value"] for e in unwrapped(recorder.inputs(name)["labels"])}
        assert {labels.PROJECT, labels.STACK, labels.STACK_ID, labels.COMPONENT, labels.SERVICE} <= set(given)
        assert list(given) == sorted(given), "sorted, so that they never differ from themselves"


def precious(recorder):
    """Names of the volumes whose data must not be lost."""
    marked = {
        name: {e["label"]: e["value"] for e in unwrapped(recorder.inputs(name)["labels"])} for name in recorder.of_type(VOLUME)
    }
    return {recorder.inputs(name)["name"] for name, given in marked.items() if given[labels.PRECIOUS] == "true"}


@each_of_ours
def test_data_is_protected_and_outlives_the_stack(engine, component):
    recorder = build(engine, component)
    volumes = recorder.of_type(VOLUME)
    assert volumes
    assert precious(recorder)
    for name, request in volumes.items():
        kept = recorder.inputs(name)["name"] in precious(recorder)
        assert (request.protect, request.retainOnDelete) == (kept, kept), name
        assert list(request.ignoreChanges) == ["labels"]


@each
def test_fixed_names_and_ports_are_given_up_before_they_are_taken_again(engine, component):
    recorder = build(engine, component)
    for name, request in recorder.of_type(CONTAINER).items():
        assert request.deleteBeforeReplace, name
        assert "healthcheck" in request.replaceOnChanges, name


@each
def test_no_port_is_open_beyond_loopback(engine, component):
    recorder = build(engine, component)
    bound = [p["ip"] for n in recorder.of_type(CONTAINER) for p in recorder.inputs(n).get("ports", [])]
    assert bound
    assert set(bound) == {"127.0.0.1"}


@each_of_ours
def test_every_server_is_watched_and_given_time_to_stop(engine, component):
    recorder = build(engine, component)
    for name in recorder.of_type(CONTAINER):
        inputs = recorder.inputs(name)
        if not inputs["mustRun"]:
            continue  # a job
        assert inputs["healthcheck"]["tests"][0] == "CMD", name
        written = {v["volumeName"] for v in inputs.get("volumes", []) if "volumeName" in v and not v.get("readOnly")}
        assert inputs["destroyGraceSeconds"] >= (30 if written & precious(recorder) else 10), name
        assert inputs["restart"] == "unless-stopped", name


@each
def test_every_container_has_a_memory_limit(engine, component):
    recorder = build(engine, component)
    for name in recorder.of_type(CONTAINER):
        inputs = recorder.inputs(name)
        assert inputs["memory"] > 0
        assert inputs["memorySwap"] == inputs["memory"], "a limit that swap extends is none"


@each
def test_no_secret_goes_over_the_wire_in_plain(engine, component):
    recorder = build(engine, component)
    held = [
        holders_of("generated-c-", recorder.inputs(n)) for n, r in recorder.requests.items() if not r.type.startswith("random:")
    ]
    assert set().union(*held) == {"secret"}
    assert holders_of("generated-c-", recorder.outputs["c"]) == (set() if component is Application else {"secret"})


@each
def test_no_secret_stands_in_a_command(engine, component):
    recorder = build(engine, component)
    for name in recorder.of_type(CONTAINER):
        inputs = recorder.inputs(name)
        words = [inputs.get("command", []), inputs.get("entrypoints", []), inputs.get("healthcheck", {})]
        assert holders_of("generated-c-", words) == set()


@each
def test_the_explicit_provider_reaches_every_child(engine, component):
    import pulumi_docker as docker

    def program():
        provider = docker.Provider("explicit")
        component("c", COMPONENTS[component], pulumi.ResourceOptions(providers=[provider]))

    recorder = engine(program)
    for name in (*recorder.of_type(CONTAINER), *recorder.of_type(VOLUME)):
        assert "::explicit::" in recorder.requests[name].provider
