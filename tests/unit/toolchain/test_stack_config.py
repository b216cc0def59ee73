"""The files of a private stack config: what the engine writes is kept, whatever is edited and wherever it is killed."""

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolchain.announce import ToolchainError
from toolchain.stack import config
from toolchain.stack.config import PrivateConfig, config_file, parse, scalar_text, tracked_path, uses_private_state, value_in

TRACKED = """\
# what the team shares
config:
  supastack:target: docker
  supastack:instance: 1
  supastack:cache:
    engine: valkey
    memory: 256mb
"""


@pytest.fixture
def clone(machine):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    (machine.root / "Pulumi.dev.yaml").write_text(TRACKED)
    return machine


def engine_writes(path: Path, change: Any) -> None:
    """Change the file as the engine does: in place, every scalar as text."""
    document = yaml.safe_load(path.read_text()) or {}
    change(document)
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def settings_of(path: Path) -> dict[str, Any]:
    return parse(path.read_text(), "supastack")["config"]


def test_the_private_file_says_what_the_tracked_one_says(clone):
    path = config_file(clone.context())
    assert path == clone.root / ".supastack" / "stacks" / "Pulumi.dev.yaml"
    assert settings_of(path) == settings_of(clone.root / "Pulumi.dev.yaml")


def test_only_its_owner_can_read_the_private_files(clone):
    path = config_file(clone.context())
    engine_writes(path, lambda d: d.update(encryptionsalt="v1:salt"))
    config_file(clone.context())
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir() if p.name != ".lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_tracked_file_is_never_written(clone):
    path = config_file(clone.context())
    engine_writes(path, lambda d: d["config"].update({"supastack:pw": {"secure": "v1:x"}, "supastack:target": "kubernetes"}))
    config_file(clone.context())
    assert (clone.root / "Pulumi.dev.yaml").read_text() == TRACKED


def test_salt_secret_and_value_set_by_command_survive_a_new_rendering(clone):
    path = config_file(clone.context())

    def change(document):
        document["encryptionsalt"] = "v1:salt"
        document["config"]["supastack:pw"] = {"secure": "v1:x"}
        document["config"]["supastack:cache"]["engine"] = "redis"

    engine_writes(path, change)
    tracked = clone.root / "Pulumi.dev.yaml"
    tracked.write_text(TRACKED.replace("256mb", "512mb"))
    config_file(clone.context())
    assert "v1:salt" in path.read_text()
    assert settings_of(path)["supastack:pw"] == {"secure": "v1:x"}
    assert settings_of(path)["supastack:cache"] == {"engine": "redis", "memory": "512mb"}


def test_a_later_edit_of_the_tracked_file_wins_and_says_so(clone, capsys):
    path = config_file(clone.context())
    engine_writes(path, lambda d: d["config"].update({"supastack:target": "kubernetes"}))
    config_file(clone.context())
    (clone.root / "Pulumi.dev.yaml").write_text(TRACKED.replace("docker", "managed"))
    config_file(clone.context())
    assert settings_of(path)["supastack:target"] == "managed"
    assert "supastack:target: Pulumi.dev.yaml was edited" in capsys.readouterr().err
    assert "kubernetes" in (path.parent / "dev.overlay.yaml").read_text()


def test_a_removed_value_is_gone_and_one_of_the_tracked_file_comes_back(clone, capsys):
    path = config_file(clone.context())
    engine_writes(path, lambda d: d["config"].update({"supastack:own": "1"}))
    config_file(clone.context())

    def remove(document):
        del document["config"]["supastack:own"]
        del document["config"]["supastack:target"]

    engine_writes(path, remove)
    config_file(clone.context())
    assert "supastack:own" not in settings_of(path)
    assert settings_of(path)["supastack:target"] == "docker"
    assert "supastack:target: stands in Pulumi.dev.yaml" in capsys.readouterr().err


def test_a_second_start_writes_nothing(clone):
    path = config_file(clone.context())
    before = {p: p.stat().st_mtime_ns for p in path.parent.iterdir() if p.name != ".lock"}
    config_file(clone.context())
    assert {p: p.stat().st_mtime_ns for p in path.parent.iterdir() if p.name != ".lock"} == before


def test_an_instance_takes_the_file_of_its_base_stack_and_its_own_number(clone):
    path = config_file(clone.context("dev", 2))
    assert path.name == "Pulumi.dev-2.yaml"
    assert settings_of(path)["supastack:instance"] == "2"
    assert settings_of(path)["supastack:target"] == "docker"


def test_an_instance_with_a_file_of_its_own_takes_that(clone):
    (clone.root / "Pulumi.dev-2.yaml").write_text("config:\n  supastack:instance: 5\n")
    assert settings_of(config_file(clone.context("dev", 2))) == {"supastack:instance": "5"}


def test_a_stack_without_a_file_is_refused_and_the_others_named(clone):
    with pytest.raises(ToolchainError, match=r"no Pulumi\.prod\.yaml.*There are: dev"):
        config_file(clone.context("prod"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("config:\n  a: 1\n  a: 2\n", r"line 3: the key 'a' is there twice"),
        ("config:\n  a: [1\n", r"Pulumi\.dev\.yaml can't be read: line 3"),
        ("config:\n  supastack:a: 1\n  a: 2\n", "'supastack:a' is there twice"),
        ("- a\n", "must be a mapping"),
        ("config: text\n", "'config' must be a mapping"),
    ],
)
def test_a_tracked_file_that_can_not_be_read_is_one_clear_error(clone, text, problem):
    (clone.root / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(ToolchainError, match=problem):
        config_file(clone.context())


def test_a_torn_private_file_is_kept_aside_and_made_again(clone, capsys):
    path = config_file(clone.context())
    engine_writes(path, lambda d: d.update(encryptionsalt="v1:salt"))
    config_file(clone.context())
    path.write_text('encryptionsalt: "v1:sa')
    config_file(clone.context())
    assert "v1:salt" in path.read_text()
    assert [p.read_text() for p in path.parent.glob("*.broken-*")] == ['encryptionsalt: "v1:sa']
    assert "can't be read" in capsys.readouterr().err


def test_an_emptied_private_file_removes_nothing(clone):
    path = config_file(clone.context())
    engine_writes(path, lambda d: d.update(encryptionsalt="v1:salt"))
    config_file(clone.context())
    path.write_text("")
    assert "v1:salt" in config_file(clone.context()).read_text()


def test_a_deleted_private_file_is_made_again_with_all_that_was_in_it(clone):
    path = config_file(clone.context())
    engine_writes(path, lambda d: d["config"].update({"supastack:pw": {"secure": "v1:x"}}))
    config_file(clone.context())
    path.unlink()
    assert settings_of(config_file(clone.context()))["supastack:pw"] == {"secure": "v1:x"}


def test_without_its_snapshot_the_private_file_still_counts(clone):
    path = config_file(clone.context())
    engine_writes(path, lambda d: d["config"].update({"supastack:pw": {"secure": "v1:x"}}))
    (path.parent / "dev.rendered").unlink()
    assert settings_of(config_file(clone.context()))["supastack:pw"] == {"secure": "v1:x"}


def test_an_overlay_that_can_not_be_read_stops_everything(clone):
    path = config_file(clone.context())
    (path.parent / "dev.overlay.yaml").write_text("entries: [")
    with pytest.raises(ToolchainError, match="holds this stack's encryption salt"):
        config_file(clone.context())


def test_a_value_set_by_command_outlives_the_loss_of_the_tracked_file(clone):
    path = config_file(clone.context())
    engine_writes(path, lambda d: d["config"].update({"supastack:target": "managed", "supastack:pw": {"secure": "v1:x"}}))
    config_file(clone.context())
    private = PrivateConfig(clone.context())
    before = private.overlay_path.read_text()
    (clone.root / "Pulumi.dev.yaml").unlink()
    private.path.unlink()
    assert settings_of(private.sync())["supastack:target"] == "managed"
    assert private.overlay_path.read_text() == before
    private.snapshot_path.unlink()
    with pytest.raises(ToolchainError, match=r"Pulumi\.dev\.yaml is gone.*put the file back"):
        private.sync()
    assert private.overlay_path.read_text() == before
    (clone.root / "Pulumi.dev.yaml").write_text(TRACKED)
    assert settings_of(config_file(clone.context()))["supastack:pw"] == {"secure": "v1:x"}


def test_a_stack_by_its_full_name_is_the_same_stack_as_its_instance(clone):
    path = config_file(clone.context("dev", 2))
    engine_writes(path, lambda d: d["config"].update({"supastack:target": "managed"}))
    assert config_file(clone.context("dev-2")) == path
    assert settings_of(path)["supastack:instance"] == "2"
    assert settings_of(path)["supastack:target"] == "managed"


def test_the_toolchain_can_write_a_value_once(clone):
    private = PrivateConfig(clone.context())
    private.sync({"supastack:imageSource": "local"})
    config_file(clone.context())
    assert value_in(clone.context(), "supastack:imageSource") == "local"
    private.sync({"supastack:imageSource": None})
    assert value_in(clone.context(), "supastack:imageSource") is None


def test_a_removed_stack_leaves_no_file(clone):
    private = PrivateConfig(clone.context())
    engine_writes(private.sync(), lambda d: d.update(encryptionsalt="v1:salt"))
    private.sync()
    private.remove()
    assert [p.name for p in private.folder.iterdir()] == [".lock"]


@pytest.mark.parametrize("variable", ["PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"])
def test_with_a_backend_of_the_users_the_tracked_file_is_used_as_it_is(clone, monkeypatch, variable):
    monkeypatch.setenv(variable, "s3://state")
    context = clone.context()
    assert not uses_private_state(context)
    assert config_file(context) == clone.root / "Pulumi.dev.yaml"
    assert not (context.private / "stacks").exists()


def test_with_a_backend_of_the_users_an_instance_needs_a_file_of_its_own(clone, monkeypatch):
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    with pytest.raises(ToolchainError, match=r"copy Pulumi\.dev\.yaml to Pulumi\.dev-2\.yaml and set supastack:instance: 2"):
        config_file(clone.context("dev", 2))
    assert tracked_path(clone.context("dev", 2)) == clone.root / "Pulumi.dev.yaml"


# What engine 3.258 wrote for each when `pulumi config set` had it read and write the file.
@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("2", "2"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("yes", "yes"),
        ("true", "true"),
        ("True", "true"),
        ("0123", "83"),
        ("0x1F", "31"),
        ("null", ""),
        ("~", ""),
        ('""', ""),
        ("1_000", "1000"),
        ("12:30:45", "12:30:45"),
        ("12345678901234567890123.0", "1.2345678901234568e+22"),
        ("123456789.5", "123456789.5"),
        ("-1", "-1"),
        ('"1.50"', "1.50"),
    ],
)
def test_a_scalar_is_read_as_the_engine_reads_it(written, text):
    assert parse(f"config:\n  p:a: {written}\n", "p")["config"]["p:a"] == text


def test_values_inside_a_mapping_keep_their_types():
    text = "config:\n  p:a: {n: 0123, on: on, f: 1.5, s: '1.5', l: [yes, 2]}\n"
    assert parse(text, "p")["config"]["p:a"] == {"n": 83, "on": "on", "f": 1.5, "s": "1.5", "l": ["yes", 2]}


@given(
    st.recursive(
        st.text() | st.integers() | st.booleans() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_what_is_written_is_read_back_the_same(value):
    document = {"config": {"p:a": value if isinstance(value, dict | list) else scalar_text(value)}}
    assert parse(config._dump(document), "p")["config"]["p:a"] == document["config"]["p:a"]


KEYS = st.sampled_from(["supastack:a", "supastack:b", "supastack:c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), KEYS, st.sampled_from(["1", "2", "3", None])),
        st.tuples(st.just("set"), KEYS, st.sampled_from(["1", "2", "4", {"secure": "v1:x"}])),
        st.tuples(st.just("rm"), KEYS, st.none()),
        st.tuples(st.just("start"), st.none(), st.none()),
        st.tuples(st.just("crash"), st.integers(0, 3), st.none()),
    ),
    max_size=12,
)


class Killed(BaseException):
    """The toolchain was killed."""


def run(
    root: Path, steps: list[tuple[str, Any, Any]], context: Any, monkeypatch: pytest.MonkeyPatch, crashes: bool
) -> dict[str, Any]:
    """Play the steps; with `crashes`, a start may be killed before its n-th file is written, else it is just a start."""
    tracked = {"supastack:a": "1"}
    file = root / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump({"config": tracked}))
    private = PrivateConfig(context)
    private.sync()
    write = config.write_private
    for step, what, value in steps:
        if step == "edit":
            tracked = {k: v for k, v in {**tracked, what: value}.items() if v is not None}
            file.write_text(yaml.safe_dump({"config": tracked}))
        elif step in ("set", "rm"):
            # The shim starts, the engine writes.
            private.sync()

            def change(document: dict[str, Any], step: str = step, what: str = what, value: Any = value) -> None:
                document.setdefault("config", {})
                document["config"].pop(what, None)
                if step == "set":
                    document["config"][what] = value

            engine_writes(private.path, change)
        elif step == "crash" and crashes:
            left = what

            def dies(path: Path, text: str) -> None:
                nonlocal left
                if left == 0:
                    raise Killed
                left -= 1
                write(path, text)

            monkeypatch.setattr(config, "write_private", dies)
            try:
                private.sync()
            except Killed:
                pass
            finally:
                monkeypatch.setattr(config, "write_private", write)
        else:
            private.sync()
    private.sync()
    return settings_of(private.path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(steps=STEPS)
def test_a_kill_at_any_write_ends_in_the_same_config(clone, monkeypatch, steps):
    context = clone.context()
    with_crashes = run(clone.root, steps, context, monkeypatch, crashes=True)
    PrivateConfig(context).remove()
    without = run(clone.root, steps, context, monkeypatch, crashes=False)
    PrivateConfig(context).remove()
    assert with_crashes == without


def killed_at(write_number: int, private: PrivateConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that is killed before its n-th write (from 0)."""
    written = []
    write = config.write_private

    def dies(path: Path, text: str) -> None:
        if len(written) == write_number:
            raise Killed
        written.append(path)
        write(path, text)

    with monkeypatch.context() as patched:
        patched.setattr(config, "write_private", dies)
        with pytest.raises(Killed):
            private.sync()


@pytest.mark.parametrize("write_number", [0, 1, 2])
def test_an_edit_taken_back_after_a_kill_is_taken_back(clone, monkeypatch, write_number):
    private = PrivateConfig(clone.context())
    private.sync()
    tracked = clone.root / "Pulumi.dev.yaml"
    tracked.write_text(TRACKED.replace("docker", "managed"))
    killed_at(write_number, private, monkeypatch)
    tracked.write_text(TRACKED)
    assert settings_of(private.sync())["supastack:target"] == "docker"
    assert "target" not in private.overlay_path.read_text() if private.overlay_path.exists() else True


def test_a_command_that_restores_the_very_bytes_of_before_an_edit_counts(clone):
    private = PrivateConfig(clone.context())
    before = private.sync().read_bytes()
    (clone.root / "Pulumi.dev.yaml").write_text(TRACKED.replace("docker", "managed"))
    private.sync()
    private.path.write_bytes(before)
    assert settings_of(private.sync())["supastack:target"] == "docker"
