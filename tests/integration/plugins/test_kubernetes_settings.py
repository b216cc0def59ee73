"""The kubernetes plugin's own settings, what it refuses, custom resources, and a cluster that is not there.

Sources, all of pulumi/pulumi-kubernetes, provider/pkg:
  P  provider/provider.go        A  await/await.go        M  metadata/annotations.go and overrides.go
"""

from pathlib import Path

import pytest
import yaml

from .harness import PLUGINS, Project
from .kubernetes_world import IMPORT, World
from .test_kubernetes_conformance import CREATED_FIRST, config_map

pytestmark = [pytest.mark.engine, pytest.mark.cluster]
stand_in_only = pytest.mark.skipif(PLUGINS != "stand-in", reason="it is about what only the stand-in does not have")


@pytest.fixture
def plugins() -> tuple[str, ...]:
    return ("kubernetes",)


def definition(group: str, *, namespaced: bool = True) -> dict[str, object]:
    """A CustomResourceDefinition of a kind `Thing`."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced" if namespaced else "Cluster",
            "names": {"kind": "Thing", "plural": "things", "singular": "thing"},
            "versions": [version],
        },
    }


def thing(group: str, spec: str = '{"a": 1}', notes: str = "", status: str = "") -> str:
    """A line of a program: a Thing."""
    annotations = f', "annotations": {{{notes}}}' if notes else ""
    return (
        f'k8s.apiextensions.CustomResource("t", api_version="{group}/v1", kind="Thing",'
        f' metadata={{"name": "t"{annotations}}}, spec={spec}{status}, opts=o)\n'
    )


def test_a_custom_resource_lives_as_the_others_do(project: Project, space: World) -> None:
    group = f"{space.namespace}.example"
    program = space.provider() + thing(group, '{"a": 1, "memory": "1024Mi", "list": [{"b": 2}]}')
    # P: without its definition it is previewed as it is given.
    assert project.preview(program).ops() == {"t": ["create"]}
    space.make(definition(group))
    for _ in range(50):
        if space.cluster.has_kind({"apiVersion": f"{group}/v1", "kind": "Thing"}):
            break
    project.up(program)
    assert project.state()["t"].id == f"{space.namespace}/t"
    # What the API server reads as no type of its own stays as it is written.
    assert space.get(f"{group}/v1", "Thing", "t")["spec"] == {"a": 1, "memory": "1024Mi", "list": [{"b": 2}]}
    assert project.up(program, "--refresh").ops() == {}
    run = project.up(program.replace('"b": 2', '"b": 3'))
    assert run.ops() == {"t": ["update"]}
    assert space.get(f"{group}/v1", "Thing", "t")["spec"]["list"] == [{"b": 3}]
    renamed = program.replace('"name": "t"', '"name": "u"')
    run = project.up(renamed)
    assert run.step("t", "replace").replacing == {"metadata.name"}
    assert space.names(f"{group}/v1", "Thing") == ["u"]
    project.destroy()
    assert space.names(f"{group}/v1", "Thing") == []


@pytest.mark.parametrize("wait_for", ["condition=Ready", "jsonpath={.status.phase}=Fine"])
def test_a_custom_resource_is_waited_for_where_the_annotation_says_so(project: Project, space: World, wait_for: str) -> None:
    group = f"{space.namespace}.example"
    space.make(definition(group))
    waited = f'"pulumi.com/waitFor": "{wait_for}", "pulumi.com/timeoutSeconds": "3"'
    run = project.up(space.provider() + thing(group, notes=waited), fails=True)  # M: ReadyCondition
    assert project.state()["t"].init_errors
    if PLUGINS == "stand-in":
        assert any(f"{wait_for} does not hold yet" in error for error in run.errors), run.errors
    path = f"/apis/{group}/v1/namespaces/{space.namespace}/things/t/status"
    status = {"status": {"phase": "Fine", "conditions": [{"type": "Ready", "status": "True"}]}}
    space.cluster.client.request("PATCH", path, body=status, content_type="application/merge-patch+json")
    assert project.up(space.provider() + thing(group, notes=waited)).ops() == {"t": ["update"]}
    assert project.state()["t"].init_errors == ()


def test_a_cluster_wide_custom_resource_has_no_namespace(project: Project, space: World) -> None:
    group = f"{space.namespace}.example"
    space.make(definition(group, namespaced=False))
    for _ in range(50):
        if space.cluster.has_kind({"apiVersion": f"{group}/v1", "kind": "Thing"}):
            break
    program = space.provider() + thing(group)
    project.up(program)
    assert project.state()["t"].id == "t"
    assert project.up(program, "--refresh").ops() == {}


def test_a_missing_definition_is_named(project: Project, space: World) -> None:
    group = f"{space.namespace}.example"
    run = project.up(space.provider() + thing(group), fails=True)  # A: five more tries
    assert any(f"{group}/v1" in error and ("CustomResourceDefinition" in error or "CRDs" in error) for error in run.errors), (
        run.errors
    )
    assert project.state() == {}


def test_the_default_namespace_is_the_providers_else_the_contexts(project: Project, space: World, tmp_path: Path) -> None:
    config = yaml.safe_load(space.kubeconfig.read_text())
    for entry in config["contexts"]:
        entry["context"]["namespace"] = space.namespace
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    program = IMPORT + f'p = k8s.Provider("p", kubeconfig={str(file)!r}, context={space.context!r})\n'
    program += "o = pulumi.ResourceOptions(provider=p)\n" + config_map("cm", '{"a": "1"}', '"name": "cm"')
    project.up(program)
    assert project.state()["cm"].id == f"{space.namespace}/cm"
    # As content instead of a path; the same place is no change of the object.
    content = program.replace(repr(str(file)), repr(file.read_text()))
    assert project.up(content).ops() == {}
    # P, Diff: another namespace is another object.
    moved = content.replace("context=", "namespace='default', context=")
    assert project.preview(moved).step("cm", "replace").replacing == {"metadata.namespace"}


def test_another_cluster_replaces_everything_unless_the_identifier_says_that_it_is_the_same(
    project: Project, space: World, tmp_path: Path
) -> None:
    config = yaml.safe_load(space.kubeconfig.read_text())
    for entry in config["clusters"]:
        entry["cluster"]["server"] += "/"
    other = tmp_path / "kubeconfig"
    other.write_text(yaml.safe_dump(config))

    def program(settings: str, file: Path) -> str:
        return space.provider(settings).replace(repr(str(space.kubeconfig)), repr(str(file))) + config_map(
            "cm", '{"a": "1"}', '"name": "cm"'
        )

    project.up(program("", space.kubeconfig))
    assert project.preview(program("", other)).ops()["cm"] == CREATED_FIRST  # P: DiffConfig
    # Adding an identifier replaces nothing by itself.
    assert project.up(program('cluster_identifier="one"', space.kubeconfig)).ops() == {}
    assert project.preview(program('cluster_identifier="one"', other)).ops() == {}
    assert project.preview(program('cluster_identifier="two"', space.kubeconfig)).ops()["cm"] == CREATED_FIRST


def test_a_cluster_that_does_not_answer_lets_previews_through_and_is_named_by_up(
    project: Project, space: World, tmp_path: Path
) -> None:
    program = space.provider('cluster_identifier="one"') + config_map("cm", '{"a": "1"}', '"name": "cm"')
    project.up(program)
    config = yaml.safe_load(space.kubeconfig.read_text())
    for entry in config["clusters"]:
        entry["cluster"]["server"] = "https://127.0.0.1:1"
    away = tmp_path / "kubeconfig"
    away.write_text(yaml.safe_dump(config))
    lost = program.replace(repr(str(space.kubeconfig)), repr(str(away)))
    more = lost + config_map("more", '{"a": "1"}', '"name": "more"')
    run = project.preview(more)
    assert run.ops() == {"more": ["create"]}
    if PLUGINS == "stand-in":
        [warning] = [text for text in run.warnings if "can't be reached" in text]
        assert "https://127.0.0.1:1" in warning
    run = project.up(more, fails=True)
    assert any("unreachable" in error or "can't be reached" in error for error in run.errors), run.errors
    run = project.refresh(fails=True)
    assert any("unreachable" in error or "can't be reached" in error for error in run.errors), run.errors  # P: Read
    if PLUGINS == "stand-in":
        # The official one names the switch that empties the state, and the data is nobody's then.
        assert not any("PULUMI_K8S_DELETE_UNREACHABLE" in error for error in run.errors), run.errors
    assert set(project.state()) == {"cm"}
    forgotten = lost.replace("cluster_identifier=", "delete_unreachable=True, cluster_identifier=").partition("k8s.core")[0]
    project.up(forgotten)
    assert project.state() == {}
    assert space.get("v1", "ConfigMap", "cm")["data"] == {"a": "1"}


@stand_in_only
def test_what_the_stand_in_does_not_have_is_refused_by_name(project: Project, space: World) -> None:
    def refused(program: str) -> str:
        return "\n".join(project.up(space.provider() + program, fails=True).errors)

    assert "kubernetes:core/v1:ConfigMapPatch is a type that this plugin does not have" in refused(
        'k8s.core.v1.ConfigMapPatch("x", metadata={"name": "x"}, opts=o)\n'
    )
    said = refused('k8s.coordination.v1.Lease("x", metadata={"name": "x"}, opts=o)\n')
    assert "kubernetes:coordination.k8s.io/v1:Lease is a type that this plugin does not have" in said
    assert "pulumi plugin install resource kubernetes" in said
    assert "kubernetes:helm.sh/v3:Release is a type that this plugin does not have" in refused(
        'k8s.helm.v3.Release("x", chart="x", opts=o)\n'
    )
    assert "pulumi.com/skipAwaiting is not an annotation that this plugin knows" in refused(
        config_map("x", "{}", '"annotations": {"pulumi.com/skipAwaiting": "true"}')
    )
    assert "metadata.generateName is not supported" in refused(config_map("x", "{}", '"generate_name": "x-"'))
    assert 'an expression begins with "condition="' in refused(
        config_map("x", "{}", '"annotations": {"pulumi.com/waitFor": "soon"}')
    )


@stand_in_only
def test_a_field_that_the_api_does_not_know_is_refused_by_name_in_the_preview(project: Project, space: World) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "dta": {"a": "1"}}
    raw = f'pulumi.CustomResource("kubernetes:core/v1:ConfigMap", "cm", {body!r}, opts=o)\n'
    run = project.preview(space.provider() + raw, fails=True)
    assert any('unknown field "dta"' in error for error in run.errors), run.errors
    # As a program may give it that does without the SDK's own classes.
    right = project.up(space.provider() + raw.replace("'dta'", "'data'"))
    assert right.ops() == {"cm": ["create"]}
    assert space.get("v1", "ConfigMap", "cm")["data"] == {"a": "1"}


@stand_in_only
@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ('render_yaml_to_directory="/tmp/x"', "renderYamlToDirectory"),
        ("enable_server_side_apply=False", "enableServerSideApply"),
        ('helm_release_settings={"driver": "secret"}', "helmReleaseSettings"),
        ("skip_update_unreachable=True", "skipUpdateUnreachable"),
    ],
)
def test_settings_that_the_stand_in_does_not_have_are_refused_by_name(
    project: Project, world: World, settings: str, name: str
) -> None:
    run = project.preview(world.provider(settings), fails=True)
    assert any(name in error and "stand-in" in error for error in run.errors), run.errors


def test_a_context_that_is_not_there_is_named(project: Project, world: World) -> None:
    program = world.provider().replace(f"context={world.context!r}", "context='no-such-context'")
    run = project.up(program + config_map("cm", '{"a": "1"}'), fails=True)
    assert any("no-such-context" in error for error in run.errors), run.errors
