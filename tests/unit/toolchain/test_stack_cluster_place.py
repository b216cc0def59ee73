"""A stack whose settings name its cluster otherwise than its state does, and one whose settings would make another stack of it."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from test_stack_cluster import PROVIDER, access, namespace
from test_stack_state import resource, state

from toolchain.announce import ToolchainError
from toolchain.stack import another_stack, cluster_place
from toolchain.stack.cluster_access import Place
from toolchain.stack.config import PrivateConfig
from toolchain.stack.describe import Cluster, Description, SettingsProblem
from toolchain.stack.state import VOLUME

OURS = {"/api/v1/namespaces/n": {"metadata": {"uid": "u1"}}}
THEIRS = {"/api/v1/namespaces/n": {"metadata": {"uid": "u2"}}}
MOVED = Place(Path("/home/me/.kube/config"), "renamed", "n")
DEPLOYED = state(PROVIDER, namespace())


class Engine:
    """Stands in for the engine: what it is given to write is its state."""

    def __init__(self, context, found=DEPLOYED):
        self.context, self.found, self.written = context, found, []

    def read_state(self):
        return self.found

    def write_state(self, found):
        self.written.append(found.cluster)
        self.found = found


@pytest.fixture
def context(machine):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    return machine.context()


@pytest.fixture
def clusters(monkeypatch):
    """Says what each context's cluster has; one that is not named does not answer."""

    def answer(**by_context):
        @contextmanager
        def connect(place):
            if place.context not in by_context:
                raise ToolchainError(f"context {place.context} does not answer")
            yield access(**by_context[place.context])

        monkeypatch.setattr(cluster_place, "connect", connect)

    monkeypatch.setattr(cluster_place, "ensure_running", lambda *_: None)
    return answer


def set_to(context, text):
    (context.root / "Pulumi.dev.yaml").write_text(f"config:\n  supastack:target: kubernetes\n  supastack:kubernetes: {text}\n")
    PrivateConfig(context).sync()


def test_the_place_of_the_settings_is_written_into_the_provider_and_nowhere_else():
    provider = {**PROVIDER, "outputs": {**PROVIDER["inputs"], "version": "4"}}
    other = resource("pulumi:providers:docker", "docker", inputs={"context": "x"})
    found = state(provider, namespace(), other, magic="kept").in_cluster("new", "renamed")
    wanted = {"kubeconfig": "new", "context": "renamed", "namespace": "n"}
    assert found.resources == [
        {**provider, "inputs": wanted, "outputs": {**wanted, "version": "4"}},
        namespace(),
        other,
    ]
    assert found._deployment["magic"] == "kept"


def test_a_moved_kubeconfig_is_followed_where_the_namespace_is_the_stacks(context, clusters):
    engine = Engine(context)
    clusters(renamed=OURS)
    found = cluster_place.follow(engine, DEPLOYED, MOVED)
    wanted = {"kubeconfig": "/home/me/.kube/config", "context": "renamed", "namespace": "n"}
    assert engine.written == [found.cluster] == [wanted]


def test_a_kubeconfig_inside_the_project_is_written_as_the_program_has_it(context, clusters):
    engine = Engine(context)
    clusters(renamed=OURS)
    cluster_place.follow(engine, DEPLOYED, replace(MOVED, kubeconfig=context.root / ".supastack/kubeconfig"))
    assert engine.written[0]["kubeconfig"] == ".supastack/kubeconfig"


@pytest.mark.parametrize("has", [THEIRS, {}])
def test_another_cluster_is_refused_and_nothing_written(context, clusters, has):
    engine = Engine(context)
    clusters(renamed=has)
    with pytest.raises(ToolchainError, match="another one is another stack") as raised:
        cluster_place.follow(engine, DEPLOYED, MOVED)
    assert "kubernetes.context" in str(raised.value)
    assert "context c of cluster/kubeconfig" in str(raised.value), "what the state names"
    with pytest.raises(ToolchainError):
        cluster_place.follow_unwritten(context, DEPLOYED, MOVED)
    assert engine.written == []


def test_the_same_place_asks_nothing_and_writes_nothing(context, clusters):
    clusters()
    same = Place(context.root / "cluster/kubeconfig", "c", "n")
    engine = Engine(context)
    assert cluster_place.follow(engine, DEPLOYED, same) is DEPLOYED
    assert cluster_place.follow_unwritten(context, DEPLOYED, same) is context
    assert engine.written == []


def test_a_preview_writes_nothing_and_has_the_program_say_where_the_cluster_is(context, clusters):
    clusters(renamed=OURS)
    found = cluster_place.follow_unwritten(context, DEPLOYED, MOVED)
    assert found.env == {**context.env, "PULUMI_RUN_PROGRAM": "true"}


def test_a_namespace_without_an_uid_is_known_by_the_stacks_id(context, clusters):
    unknown = state(PROVIDER, namespace(uid=""))
    mine = {"/api/v1/namespaces/n": {"metadata": {"uid": "u9", "annotations": {"supastack.io/stack-id": "0123456789abcdef"}}}}
    clusters(renamed=mine)
    cluster_place.prove(context, unknown, MOVED)
    clusters(renamed=THEIRS)
    with pytest.raises(ToolchainError):
        cluster_place.prove(context, unknown, MOVED)


# ---- down and purge: the settings may be wrong, or of another stack by now -------------------------------------------


@pytest.mark.parametrize(
    ("text", "answers", "written"),
    [
        ("{kubeconfig: /home/me/.kube/config, context: renamed}", {"renamed": OURS}, True),
        ("""'{"kubeconfig": "/home/me/.kube/config", "context": "renamed"}'""", {"renamed": OURS}, True),
        ("{context: renamed}", {"renamed": OURS}, False),
        ("{kubeconfig: /home/me/.kube/config, context: renamed}", {"renamed": THEIRS, "c": OURS}, False),
        ("{kubeconfig: /home/me/.kube/config, context: renamed}", {"c": {}}, False),
        ("{kubeconfig: cluster/kubeconfig, context: c}", {}, False),
        ("[1]", {}, False),
    ],
)
def test_a_stack_goes_by_the_settings_where_they_name_its_cluster_and_else_by_its_state(
    context, clusters, monkeypatch, text, answers, written
):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    set_to(context, text)
    clusters(**answers)
    engine = Engine(context)
    assert cluster_place.for_removal(engine, DEPLOYED).cluster["context"] == ("renamed" if written else "c")
    assert bool(engine.written) is written


def test_kubeconfig_of_the_environment_counts_where_the_settings_name_none(context, clusters, monkeypatch):
    set_to(context, "{context: renamed}")
    clusters(renamed=OURS)
    engine = Engine(replace(context, env={**context.env, "KUBECONFIG": "/ci/kubeconfig"}))
    assert cluster_place.for_removal(engine, DEPLOYED).cluster["kubeconfig"] == "/ci/kubeconfig"


def test_a_stack_that_neither_settings_nor_state_lead_to_stays_as_it_is(context, clusters):
    set_to(context, "{kubeconfig: /home/me/.kube/config, context: renamed}")
    clusters(renamed={})
    engine = Engine(context)
    with pytest.raises(ToolchainError, match="namespace n of stack dev is not in context renamed"):
        cluster_place.for_removal(engine, DEPLOYED)
    assert engine.written == []


def test_a_look_goes_where_the_settings_lead_if_it_is_the_stacks_cluster(context, clusters):
    set_to(context, "{kubeconfig: /home/me/.kube/config, context: renamed}")
    clusters(renamed=OURS)
    assert cluster_place.of(context, DEPLOYED) == MOVED
    clusters(renamed=THEIRS)
    assert cluster_place.of(context, DEPLOYED) == Place(context.root / "cluster/kubeconfig", "c", "n")


# ---- another target or namespace -------------------------------------------------------------------------------------


def described(target, namespace=None):
    cluster = Cluster(Path("k"), "c", namespace, "127.0.0.1", ()) if namespace else None
    return Description(target, needs_docker=target == "docker", docker_host=None, image_source=None, cluster=cluster)


def volume(**more):
    return resource(VOLUME, "data", id="supastack-dev-data", **more)


@pytest.mark.parametrize(
    ("now", "deployed", "setting"),
    [
        (described("kubernetes", "other"), [PROVIDER, namespace()], "supastack:kubernetes.namespace = other"),
        (described("docker"), [PROVIDER, namespace()], "supastack:target = docker"),
        (described("managed"), [PROVIDER, namespace()], "supastack:target = managed"),
        (described("kubernetes", "n"), [volume(protect=True)], "supastack:target = kubernetes"),
        (described("managed"), [volume(retainOnDelete=True)], "supastack:target = managed"),
    ],
)
def test_another_target_or_namespace_is_refused_with_the_setting_the_reason_and_the_way(context, now, deployed, setting):
    with pytest.raises(SettingsProblem) as raised:
        another_stack.refuse(context, now, state(*deployed))
    said = str(raised.value)
    assert said.startswith(f"{setting}\n  why: ")
    assert ("volume supastack-dev-data" if deployed[0]["type"] == VOLUME else "namespace n") in said
    assert "set it back to" in said
    assert "docs/services.md" in said
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("now", "deployed"),
    [
        (described("kubernetes", "n"), [PROVIDER, namespace(), namespace("n-logs", "u2")]),
        (described("kubernetes", "n"), [PROVIDER, namespace("n-logs", "u2")]),
        (described("kubernetes", "n"), [PROVIDER]),
        (described("managed"), [volume()]),
        (described("kubernetes", "n"), []),
        (described("docker"), [volume(protect=True)]),
    ],
)
def test_the_same_target_and_namespace_and_a_stack_without_data_are_no_problem(context, now, deployed):
    another_stack.refuse(context, now, state(*deployed))
    another_stack.refuse(context, now, None)
