"""What comes before an engine: settings first, image source once, what a killed engine left cleared, in this order."""

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_stack_state import resource, state

from toolchain.announce import ToolchainError
from toolchain.cluster.cluster import default_folder
from toolchain.setup import registry
from toolchain.stack import cluster_access, cluster_orphans, cluster_place, describe, locks, prepare
from toolchain.stack.config import PrivateConfig, value_in
from toolchain.stack.describe import Description, SettingsProblem
from toolchain.stack.engine import Engine
from toolchain.stack.state import CONTAINER

ANSWER = {
    "target": "docker",
    "needs_docker": True,
    "docker_host": None,
    "image_source": None,
    "images": [
        {"role": "postgres", "reference": "docker.io/supabase/postgres:17", "kind": "registry", "note": ""},
        {"role": "store", "reference": "supastack.local/minio:1", "kind": "local"},
        {"role": "auth", "reference": "supastack.local/stub:1", "kind": "stub"},
    ],
    "registries": ["registry-1.docker.io"],
    "notes": [],
    "ports": [],
    "env_files": [],
}
CHOICE = "supastack:imageSource"


@pytest.fixture
def clone(machine):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    (machine.root / "Pulumi.dev.yaml").write_text("config: {}\n")
    return machine


def answers(clone, script):
    """A program whose describe is this shell script."""
    python = clone.program("python", script, clone.root / ".venv" / "bin")
    return replace(clone.context(), venv_bin=python.parent)


def ask(context):
    return describe.finish(describe.start(context, context.root / "Pulumi.dev.yaml"))


def test_the_program_is_asked_with_stack_and_file(clone):
    context = answers(clone, f"echo \"$@\" > {clone.home}/asked; echo '{json.dumps(ANSWER)}'")
    description = ask(context)
    assert (clone.home / "asked").read_text().split() == [
        *("-m", "components.describe", "--stack", "dev", "--config", str(clone.root / "Pulumi.dev.yaml"))
    ]
    assert description.built_here == ["supastack.local/minio:1", "supastack.local/stub:1"]
    assert description.plugins == ("docker", "random")


def test_problems_of_the_settings_are_passed_on_whole_with_exit_code_2(clone, monkeypatch):
    context = answers(clone, 'echo "supastack:port: why" >&2; echo "fix: that" >&2; exit 2')
    monkeypatch.setattr(prepare.setup, "ensure", lambda *_: pytest.fail("something was set up"))
    with pytest.raises(SettingsProblem) as raised, prepare.for_up(context):
        pass
    assert str(raised.value) == "supastack:port: why\nfix: that"
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("script", ["exit 1", "echo no json", "echo '{}'", "echo '[]'"])
def test_a_program_that_gives_no_answer_is_an_error(clone, script):
    with pytest.raises(ToolchainError, match=r"components\.describe"):
        ask(answers(clone, script))


@pytest.mark.parametrize(("missing", "choice"), [([], "registry"), (["registry-1.docker.io"], "local")])
def test_the_image_source_is_chosen_by_what_can_be_reached_and_kept(clone, monkeypatch, missing, choice):
    monkeypatch.setattr(
        registry, "unreachable", lambda hosts: missing if list(hosts) == ANSWER["registries"] else pytest.fail(str(hosts))
    )
    context = clone.context()
    assert prepare._choose_image_source(context, describe.parse(ANSWER), None)
    assert value_in(context, CHOICE) == choice
    assert (clone.root / "Pulumi.dev.yaml").read_text() == "config: {}\n"


def test_one_failed_probe_alone_does_not_choose_local_images(clone, monkeypatch):
    answers = iter([["registry-1.docker.io"], []])
    monkeypatch.setattr(registry, "unreachable", lambda _: next(answers))
    assert prepare._choose_image_source(clone.context(), describe.parse(ANSWER), None)
    assert value_in(clone.context(), CHOICE) == "registry"


def test_a_preview_neither_asks_registries_nor_writes_where_images_come_from(clone, monkeypatch):
    context = answers(clone, f"echo '{json.dumps(ANSWER)}'")
    monkeypatch.setattr(registry, "unreachable", lambda _: pytest.fail("asked by a preview"))
    monkeypatch.setattr(prepare.setup, "ensure", lambda context, needs: context)
    monkeypatch.setattr(Engine, "create_stack", lambda self: None)
    with prepare.for_preview(context) as ready:
        assert ready.description.image_source is None
    assert value_in(context, CHOICE) is None


@pytest.mark.parametrize("ready", [prepare.for_up, prepare.for_preview])
def test_a_deployed_stack_is_not_made_another_by_its_settings(clone, monkeypatch, ready):
    namespace = resource("kubernetes:core/v1:Namespace", "namespace", id="backend")
    context = answers(clone, f"echo '{json.dumps({**ANSWER, 'image_source': 'local'})}'")
    monkeypatch.setattr(prepare.setup, "ensure", lambda context, needs: context)
    monkeypatch.setattr(Engine, "read_state", lambda self: state(namespace))
    monkeypatch.setattr(prepare, "remove_orphans", lambda *_: pytest.fail("something was touched"))
    with pytest.raises(SettingsProblem, match=r"supastack:target = docker\n  why: .*namespace backend"), ready(context):
        pass


def test_a_stack_that_already_runs_keeps_to_the_images_it_has(clone, monkeypatch):
    monkeypatch.setattr(registry, "unreachable", lambda _: pytest.fail("nothing needs to be asked"))
    running = state(resource(CONTAINER, "c", id="1"))
    assert prepare._choose_image_source(clone.context(), describe.parse(ANSWER), running)
    assert value_in(clone.context(), CHOICE) == "registry"


def test_a_team_writes_the_choice_down_itself(clone, monkeypatch):
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    monkeypatch.setattr(registry, "unreachable", list)
    with pytest.raises(ToolchainError, match=r"set supastack:imageSource: local in Pulumi\.dev\.yaml"):
        prepare._choose_image_source(clone.context(), describe.parse(ANSWER), None)
    monkeypatch.setattr(registry, "unreachable", lambda _: [])
    assert not prepare._choose_image_source(clone.context(), describe.parse(ANSWER), None)
    assert (clone.root / "Pulumi.dev.yaml").read_text() == "config: {}\n"


class Recorded:
    """Stands in for the engine; what is asked of it is in `calls`."""

    def __init__(self, context, given):
        self.context, self.given, self.calls = context, given, []

    def read_state(self, show_secrets=False):
        assert not show_secrets
        self.calls.append("read")
        return self.given

    def parse_state(self, export):
        return export

    def write_state(self, written):
        self.calls.append("write")
        self.given = written


def pending(clone):
    operation = {"type": "creating", "resource": resource(CONTAINER, "db")}
    return Recorded(clone.context(), state(resource(CONTAINER, "kept", id="1"), pending_operations=[operation]))


def test_unfinished_operations_are_named_and_dropped(clone, capsys):
    engine = pending(clone)
    cleared = prepare._cleared(engine, None)
    assert engine.calls == ["read", "write"]
    assert cleared.pending == []
    assert cleared.ids(CONTAINER) == {"1"}
    assert "creating docker:index/container:Container db" in capsys.readouterr().err


def test_a_state_in_good_order_is_not_written(clone):
    engine = Recorded(clone.context(), state())
    assert prepare._cleared(engine, None) is engine.given
    assert engine.calls == ["read"]


def test_locks_go_before_the_state_is_written(clone, monkeypatch):
    engine = pending(clone)
    monkeypatch.setattr(locks, "remove_stale", lambda _: engine.calls.append("locks"))
    prepare._cleared(engine, None)
    assert engine.calls == ["locks", "read", "write"]


def test_a_lock_of_a_living_engine_stops_everything(clone, monkeypatch):
    engine = pending(clone)

    def stop(_):
        raise ToolchainError("locked")

    monkeypatch.setattr(locks, "remove_stale", stop)
    with pytest.raises(ToolchainError, match="locked"):
        prepare._cleared(engine, None)
    assert engine.calls == []


def test_leftovers_may_be_of_any_age_only_where_no_other_machine_shares_the_state(clone, monkeypatch):
    assert prepare._grace(clone.context()) == float("inf")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    assert prepare._grace(clone.context()) < float("inf")


def test_a_stack_can_go_although_its_settings_are_wrong(clone, monkeypatch):
    (clone.root / "Pulumi.dev.yaml").write_text("config:\n  supastack:docker: {host: 'tcp://h:1'}\n  supastack:nonsense: 1\n")
    context = clone.context()
    PrivateConfig(context).sync()
    assert prepare.target(context) == "docker"
    assert prepare.docker_host(context) == "tcp://h:1"


@pytest.mark.parametrize(
    ("at_hand", "resources", "plugins", "docker", "cluster"),
    [
        ("docker", ["random", "kubernetes"], ("kubernetes", "random"), False, True),
        ("kubernetes", ["docker", "random", CONTAINER], ("docker", "random"), True, False),
        ("managed", ["docker", "kubernetes", "random", CONTAINER], ("docker", "kubernetes", "random"), True, True),
        ("docker", [], ("docker", "random"), True, False),
    ],
)
def test_a_stack_goes_by_what_made_it_whatever_target_the_settings_name_now(
    clone, monkeypatch, at_hand, resources, plugins, docker, cluster
):
    (clone.root / "Pulumi.dev.yaml").write_text(f"config: {{supastack:target: {at_hand}}}\n")
    made = [
        resource(kind, "c", id="1")
        if kind == CONTAINER
        else resource(f"pulumi:providers:{kind}", "p", inputs={"kubeconfig": "kubeconfig", "context": "previews"})
        for kind in resources
    ]
    needed, cleared = [], []
    monkeypatch.setattr(prepare.setup, "ensure", lambda context, needs: needed.append(needs) or context)
    monkeypatch.setattr(Engine, "read_state", lambda self: state(*made))
    monkeypatch.setattr(prepare, "remove_orphans", lambda *_: cleared.append("docker"))
    monkeypatch.setattr(cluster_access, "ensure_running", lambda *_: cleared.append("cluster"))
    monkeypatch.setattr(prepare, "_clear_cluster", lambda *_: None)
    with prepare.for_destroy(clone.context()):
        pass
    assert (needed[-1].plugins, needed[-1].docker) == (plugins, docker)
    assert cleared == ["docker"] * docker + ["cluster"] * cluster


@pytest.mark.parametrize("given", ["", "0123456789abcdef"])
def test_what_a_lost_state_left_in_a_cluster_is_cleared_where_its_id_is_given(clone, monkeypatch, given):
    (clone.root / "Pulumi.dev.yaml").write_text(f'config: {{supastack:stackId: "{given}"}}\n')
    context, cleared = clone.context(), []
    PrivateConfig(context).sync()
    monkeypatch.setattr(cluster_access, "ensure_running", lambda *_: None)
    monkeypatch.setattr(cluster_access, "bring_images", lambda *_: None)
    monkeypatch.setattr(
        prepare, "_clear_cluster", lambda _, __, state, adopts, confirmed: cleared.append((state.resources, adopts, confirmed))
    )
    description = describe.parse({**EMPTY, "target": "kubernetes", "cluster": CLUSTER})
    assert prepare._ready_cluster(Engine(context), description, None, confirmed=True) is None, "the stack is still to be made"
    assert cleared == ([([], given, True)] if given else [])


def test_a_lost_states_namespace_is_taken_over_by_those_alone_who_confirm_it(clone, monkeypatch):
    context, cleared = clone.context(), []
    monkeypatch.setattr(cluster_access, "connect", lambda place: nullcontext(None))
    monkeypatch.setattr(cluster_orphans, "lost", lambda *_: ["n"])
    monkeypatch.setattr(cluster_orphans, "remove", lambda *_, adopts, **__: cleared.append(adopts))
    monkeypatch.setattr(cluster_orphans, "holds_password", lambda *_: None)
    place = cluster_access.Place(Path("k"), "c", "n")
    with pytest.raises(ToolchainError, match=r"(?s)knows nothing\. Nothing was touched\..*`make up CONFIRM=dev`"):
        prepare._clear_cluster(context, place, state(), "0123456789abcdef")
    assert cleared == []
    prepare._clear_cluster(context, place, state(), "0123456789abcdef", confirmed=True)
    assert cleared == ["0123456789abcdef"]


@pytest.mark.parametrize(
    "given",
    [
        "supastack:databasePassword: {secure: x}",
        "supastack:kubernetes: {existingSecrets: {databasePassword: {name: a}}}",
        """supastack:kubernetes: '{"existingSecrets": {"databasePassword": {"name": "a"}}}'""",
    ],
)
def test_no_service_is_stopped_for_a_takeover_that_lacks_the_databases_password(clone, monkeypatch, given):
    cleared = []
    monkeypatch.setattr(cluster_access, "connect", lambda place: nullcontext(None))
    monkeypatch.setattr(cluster_orphans, "lost", lambda *_: ["n"])
    monkeypatch.setattr(cluster_orphans, "remove", lambda *_, adopts, **__: cleared.append(adopts))
    monkeypatch.setattr(cluster_orphans, "holds_password", lambda *_: "kubectl get it")
    place = cluster_access.Place(Path("k"), "c", "n")
    with pytest.raises(
        ToolchainError, match=r"Nothing was touched\.\n  Give it back: kubectl get it \| pulumi config set --secret"
    ):
        prepare._clear_cluster(clone.context(), place, state(), "0123456789abcdef", confirmed=True)
    assert cleared == []
    (clone.root / "Pulumi.dev.yaml").write_text(f"config:\n  {given}\n")
    PrivateConfig(clone.context()).sync()
    prepare._clear_cluster(clone.context(), place, state(), "0123456789abcdef", confirmed=True)
    assert cleared == ["0123456789abcdef"]


@pytest.mark.parametrize("has", [{}, {"/api/v1/namespaces/n": {"metadata": {"uid": "u2"}}}])
def test_nothing_is_removed_from_a_cluster_whose_namespace_is_another(clone, monkeypatch, has):
    cleared = []
    provider = {"kubeconfig": "k", "context": "c", "namespace": "n"}
    made = state(
        resource("pulumi:providers:kubernetes", "kubernetes", inputs=provider),
        resource("kubernetes:core/v1:Namespace", "n", id="n", outputs={"metadata": {"name": "n", "uid": "u1"}}),
    )
    held = SimpleNamespace(find=has.get, place=cluster_access.Place(Path("k"), "c", "n"))
    monkeypatch.setattr(cluster_access, "connect", lambda place: nullcontext(held))
    monkeypatch.setattr(cluster_access, "ensure_running", lambda *_: None)
    monkeypatch.setattr(prepare, "_clear_cluster", lambda *_: cleared.append(1))
    if has:
        with pytest.raises(ToolchainError, match="is not the one that this stack made"):
            prepare._start_cluster(Engine(clone.context()), made)
    else:
        prepare._start_cluster(Engine(clone.context()), made)
    assert cleared == ([] if has else [1])


@pytest.mark.parametrize(("confirmed", "own"), [(False, False), (True, False), (False, True)])
def test_a_namespace_that_is_gone_is_made_anew_by_those_alone_who_confirm_it(clone, monkeypatch, confirmed, own):
    context = clone.context()
    folder = default_folder(context) if own else context.root
    made = state(
        resource(
            "pulumi:providers:kubernetes",
            "kubernetes",
            inputs={"kubeconfig": str(folder / "kubeconfig"), "context": "c", "namespace": "n"},
        ),
        resource("kubernetes:core/v1:Namespace", "n", id="n", outputs={"metadata": {"name": "n", "uid": "u1"}}),
    )
    held = SimpleNamespace(find=lambda path: None, place=cluster_access.Place(folder / "kubeconfig", "c", "n"))
    for module in (cluster_access, cluster_place):
        monkeypatch.setattr(module, "connect", lambda place: nullcontext(held))
    monkeypatch.setattr(cluster_access, "ensure_running", lambda *_: None)
    monkeypatch.setattr(cluster_access, "bring_images", lambda *_: None)
    monkeypatch.setattr(prepare, "_clear_cluster", lambda *_, **__: None)
    cluster = {**CLUSTER, "kubeconfig": str(folder / "kubeconfig")}
    description = describe.parse({**EMPTY, "target": "kubernetes", "cluster": cluster})
    if confirmed or own:
        assert prepare._ready_cluster(Engine(context), description, made, confirmed=confirmed) is made
    else:
        with pytest.raises(ToolchainError, match=r"(?s)is not in context c .*`make up CONFIRM=dev` makes the stack anew, empty"):
            prepare._ready_cluster(Engine(context), description, made, confirmed=confirmed)


EMPTY = {"needs_docker": False, "docker_host": None, "image_source": None, "images": [], "registries": [], "notes": []}
CLUSTER = {"kubeconfig": "k", "context": "c", "namespace": "n", "bind": "127.0.0.1", "forwards": []}


def test_no_secret_and_no_passphrase_is_ever_an_argument(clone, tmp_path):
    (clone.context().private / "passphrase").write_text("the-passphrase")
    clone.program("pulumi", f'echo "$@" >> {tmp_path}/called; cat >> {tmp_path}/stdin; echo "{{}}"')
    context = clone.context().with_engine(clone.bin / "pulumi")
    engine = Engine(context)
    engine.create_stack()
    engine.write_state(state(resource(CONTAINER, "c", inputs={"x": "in-the-state"})))
    engine.secret_config()
    called = (tmp_path / "called").read_text()
    assert "stack init dev" in called
    assert "in-the-state" in (tmp_path / "stdin").read_text()
    assert "the-passphrase" not in called
    assert "in-the-state" not in called


def test_each_secret_in_a_group_of_the_config_is_known_by_itself(clone):
    """The text of a whole group never stands in a log; what is in it may."""
    told = {
        "supastack:jwtSecret": {"value": "one", "secret": True},
        "supastack:functionSecrets": {"value": "{...}", "objectValue": {"A": "two", "B": ["three"]}, "secret": True},
        "supastack:serviceSecrets": {"value": "{...}", "objectValue": {"auth": {"X": "four"}}, "secret": True},
        "supastack:cache": {"value": "{...}", "objectValue": {"memory": "1gb"}, "secret": False},
    }
    clone.program("pulumi", f"cat <<'END'\n{json.dumps(told)}\nEND")
    found = Engine(clone.context().with_engine(clone.bin / "pulumi")).secret_config()
    assert found == ["one", "two", "three", "four"]


def test_stack_init_runs_beside_the_private_file_so_that_the_salt_goes_there(clone):
    clone.program("pulumi", '[ "$2" = init ] && echo "encryptionsalt: v1:salt" >> Pulumi.$3.yaml; exit 0')
    context = clone.context().with_engine(clone.bin / "pulumi")
    PrivateConfig(context).sync()
    Engine(context).create_stack()
    assert "v1:salt" in (context.private / "stacks" / "dev.overlay.yaml").read_text()
    assert (clone.root / "Pulumi.dev.yaml").read_text() == "config: {}\n"


def test_descriptions_name_the_plugins_of_their_target():
    kubernetes = Description("kubernetes", needs_docker=False, docker_host=None, image_source=None)
    assert kubernetes.plugins == ("kubernetes", "random")
