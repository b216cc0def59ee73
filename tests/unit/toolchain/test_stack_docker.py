"""What is done to the daemon: leftovers, diagnosis, purge and summary, against a daemon of plain data."""

import io
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from test_stack_state import resource, secret, state

from components import cli_keys
from toolchain.announce import ToolchainError
from toolchain.stack import diagnose, locks, orphans, purging, status, summary
from toolchain.stack.describe import Image
from toolchain.stack.docker_access import PROJECT, STACK, STACK_ID, Container, Thing, _time
from toolchain.stack.redact import Redactor
from toolchain.stack.state import CONTAINER, NETWORK, VOLUME, Output

OURS, THEIRS = "0123456789abcdef", "fedcba9876543210"
ID = resource("random:index/randomId:RandomId", "stack-id", outputs={"hex": OURS})
KEYS = {"stack_id": STACK_ID, "project": PROJECT, "stack": STACK}


def labels(stack_id=OURS, stack="dev", **more):
    return {STACK_ID: stack_id, PROJECT: "supastack", STACK: stack, **{f"supastack.{k}": v for k, v in more.items()}}


def container(name, status="running", health="healthy", exit_code=0, stack_id=OURS, stack="dev", made=0.0, **more):
    given = {k: more.pop(k) for k in ("out_of_memory", "error", "last_check") if k in more}
    return Container(
        f"id-{name}", name, "img", status, health, exit_code, labels=labels(stack_id, stack, **more), made=made, **given
    )


@dataclass
class Fake:
    """A daemon that does as the real one does with labels, and remembers what was removed."""

    all_containers: list = field(default_factory=list)
    all_networks: list = field(default_factory=list)
    all_volumes: list = field(default_factory=list)
    logs: dict = field(default_factory=dict)
    images: tuple = ()
    removed: list = field(default_factory=list)

    def _having(self, things, wanted):
        return [t for t in things if all(t.labels.get(KEYS[k]) == v for k, v in wanted.items())]

    def containers(self, **wanted):
        return self._having(self.all_containers, wanted)

    def networks(self, **wanted):
        return self._having(self.all_networks, wanted)

    def volumes(self, **wanted):
        return self._having(self.all_volumes, wanted)

    def has_image(self, reference):
        return reference in self.images

    def image_name(self, reference):
        return reference

    def remove_container(self, identifier):
        self.removed.append(identifier)

    remove_network = remove_volume = remove_container

    def last_lines(self, identifier, lines):
        return "\n".join(self.logs.get(identifier, "").splitlines()[-lines:])


def remove(daemon, stack_state, older_than=float("inf")):
    return orphans.remove(daemon, stack_state, "supastack", "dev", older_than)


def test_containers_and_networks_of_our_id_that_the_state_does_not_know_are_removed_and_named(capsys):
    daemon = Fake(
        [container("known"), container("lost")], [Thing("n1", "known-net", labels()), Thing("n2", "lost-net", labels())]
    )
    known = state(ID, resource(CONTAINER, "c", id="id-known"), resource(NETWORK, "n", id="n1"))
    assert remove(daemon, known) == []
    assert daemon.removed == ["id-lost", "n2"]
    said = capsys.readouterr().err
    assert "container lost" in said
    assert "network lost-net" in said


def test_volumes_are_never_leftovers():
    daemon = Fake(all_volumes=[Thing("v", "v", labels())])
    remove(daemon, state(ID))
    assert daemon.removed == []


def test_what_another_stack_made_under_our_name_is_told_and_left():
    daemon = Fake(
        [container("theirs", stack_id=THEIRS)], [Thing("n", "net", labels(THEIRS))], [Thing("v", "vol", labels(THEIRS))]
    )
    assert remove(daemon, state(ID)) == ["container theirs", "network net", "volume vol"]
    assert daemon.removed == []


def test_without_a_stack_id_nothing_is_ours():
    daemon = Fake([container("some")])
    assert remove(daemon, state()) == ["container some"]
    assert daemon.removed == []


def test_another_instance_is_not_even_told():
    daemon = Fake([container("supastack-dev-2-db", stack_id=THEIRS, stack="dev-2")])
    assert remove(daemon, state(ID)) == []


def test_what_another_machine_may_be_making_right_now_is_left():
    daemon = Fake([container("old", made=100.0), container("young", made=200.0)])
    remove(daemon, state(ID), older_than=150.0)
    assert daemon.removed == ["id-old"]


def test_times_of_the_daemon_are_read_with_nanoseconds():
    assert _time("1970-01-01T00:01:00.123456789Z") == 60.0
    assert _time("1970-01-01T01:01:00+01:00") == 60.0
    assert _time(None) == _time("no time") == 0.0


@pytest.mark.parametrize(
    ("given", "ill"),
    [
        (container("c"), False),
        (container("c", health=None), False),
        (container("c", health="unhealthy"), True),
        (container("c", health="starting"), True),
        (container("c", status="restarting", exit_code=1), True),
        (container("c", status="exited", exit_code=0), True),
        (container("c", status="exited", exit_code=3), True),
        (container("c", status="created", health=None), True),
        (container("c", status="exited", health=None, exit_code=0, kind="job"), False),
        (container("c", status="exited", health=None, exit_code=3, kind="job"), True),
        (container("c", status="created", health=None, kind="job"), True),
    ],
)
def test_a_container_that_is_not_as_it_should_be_is_ill(given, ill):
    assert diagnose.is_ill(given) is ill


def test_a_diagnosis_shows_the_last_lines_without_secrets():
    log = "\n".join([f"line {n}" for n in range(30)] + ["password is the-pass-word"])
    broken = container(
        "db", status="exited", exit_code=1, health=None, error="no the-pass-word", last_check="probe the-pass-word"
    )
    text = diagnose.describe(broken, Fake(logs={"id-db": log}), Redactor(["the-pass-word"]))
    assert "db: exited with code 1" in text
    assert "| line 29" in text
    assert "| line 10\n" not in text
    assert len([line for line in text.splitlines() if line.startswith("    | ")]) == diagnose.LINES
    assert text.count("******") == 3
    assert "the-pass-word" not in text


def test_a_silent_container_is_said_to_be_silent():
    assert "it has logged nothing" in diagnose.describe(container("db", health="unhealthy"), Fake(), Redactor([]))


def test_the_advice_names_the_command_of_this_very_stack(machine):
    advice = diagnose.advice(machine.context("kpi", 3), [container("db", out_of_memory=True)])
    assert "make up STACK=kpi INSTANCE=3" in advice
    assert "docker logs db" in advice
    assert "memory setting" in advice


IMAGES = (
    Image("rest", "docker.io/postgrest/postgrest:v99", "registry", setting="supastack:images.overrides.rest"),
    Image("auth", "docker.io/supabase/gotrue:v2", "registry", setting="supastack:release"),
)


def test_an_image_that_is_not_there_is_named_with_the_setting_that_names_it():
    text = diagnose.missing_images(IMAGES, Fake(images=(IMAGES[1].reference,)))
    assert "docker.io/postgrest/postgrest:v99: the image of rest, by supastack:images.overrides.rest" in text
    assert "gotrue" not in text


def test_nothing_is_said_of_images_that_are_all_there():
    assert diagnose.missing_images(IMAGES, Fake(images=tuple(i.reference for i in IMAGES))) == ""


def outputs(**values):
    return {name: Output(value, ("SECRET" in name) or "URL" in name) for name, value in values.items()}


def services(containers):
    return status.of_stack(Fake(containers), OURS, [c.id for c in containers])


def render(machine, values, containers, show=False, stand_ins=None):
    return summary.render(machine.context(), values, services(containers), stand_ins or {}, show)


def test_secrets_are_hidden_and_urls_keep_what_is_not_secret(machine):
    values = outputs(DB_URL="postgresql://u:pw-value@h/db", S3_SECRET_KEY="key-value", S3_BUCKET="app")
    text = render(machine, values, [container("c")])
    assert "postgresql://u:******@h/db" in text
    assert "pw-value" not in text
    assert "key-value" not in text
    assert "S3_BUCKET      app" in text
    assert text.index("Database") < text.index("DB_URL") < text.index("Object store") < text.index("S3_BUCKET")
    assert "SHOW_SECRETS=1" in text


def test_secrets_are_shown_when_asked_for(machine):
    text = render(machine, outputs(DB_URL="postgresql://u:pw-value@h/db", S3_SECRET_KEY="key-value"), [container("c")], show=True)
    assert "pw-value" in text
    assert "key-value" in text
    assert "SHOW_SECRETS" not in text


def test_a_secret_url_without_a_password_is_hidden_whole(machine):
    assert "token" not in render(machine, {"HOOK": Output("https://h/token", True)}, [container("c")])


def test_real_and_stub_images_are_counted_apart_and_each_image_once(machine):
    images = {
        "a": {"reference": "docker.io/x:1", "kind": "registry"},
        "b": {"reference": "supastack.local/y:1", "kind": "local"},
        "c": {"reference": "supastack.local/y:1", "kind": "local"},
        "d": {"reference": "supastack.local/stub:1", "kind": "stub"},
    }
    text = render(machine, {"IMAGES": Output(images, False)}, [container("c")])
    assert "images: 1 real, from a registry, 1 real, built here, 1 stub" in text
    assert "stubs answer health checks only: d" in text


def test_a_remote_for_the_supabase_cli_is_given_unless_its_config_is_written(machine):
    ports = {"PORTS": Output({"postgres": 54322}, False)}
    url = {**outputs(DB_URL="postgresql://u:pw-value@127.0.0.1:54322/db"), **ports}
    flag = "--remote='postgresql://u:{}@127.0.0.1:54322/db?sslmode=disable'"
    assert flag.format("******") in render(machine, url, [container("c")])
    assert flag.format("pw-value") in render(machine, url, [container("c")], show=True)
    (machine.root / "Pulumi.yaml").write_text("name: supastack\n")
    written = {**url, "ENV_FILES": Output({"supabase-cli": "supabase/config.toml"}, False)}
    text = render(machine, written, [container("c")])
    assert "--remote" not in text
    assert str(machine.root / "supabase/config.toml") in text


@pytest.mark.parametrize(
    ("at", "port"),
    [
        ("db.abcdefghijklmnopqrst.supabase.co:5432/postgres?sslmode=require", None),  # a managed project
        ("db.example.com:5432/db", None),  # an external database
        ("127.0.0.1:54322/db", None),  # one that others run, by a tunnel
        ("127.0.0.1:54322/db", 54328),
        ("192.168.1.7:54322/db", 54322),  # bindAddress
        ("127.0.0.1:54322/db?sslmode=require", 54322),
    ],
)
def test_encryption_is_switched_off_nowhere_but_to_the_stacks_own_database_on_this_machine(machine, at, port):
    values = {
        **outputs(DB_URL=f"postgresql://u:pw-value@{at}"),
        **({} if port is None else {"PORTS": Output({"postgres": port}, False)}),
    }
    text = render(machine, values, [container("c")])
    assert f"Supabase CLI: --remote='postgresql://u:******@{at}'\n" in text
    assert "disable" not in text
    assert f"--remote='postgresql://u:pw-value@{at}'\n" in render(machine, values, [container("c")], show=True)


@pytest.mark.parametrize(
    ("containers", "words"),
    [
        ([container("a"), container("j", status="exited", health=None, kind="job")], "is up"),
        ([container("a"), container("b", health="unhealthy")], "is not well: 1 of 2 containers (b)"),
        ([container("a"), container("o", status="exited", exit_code=1, optional="true")], "is up"),
        ([], "has lost its containers"),
        (None, "can't be asked about"),
    ],
)
def test_the_heading_says_whether_the_stack_is_well(machine, containers, words):
    assert words in summary.heading(machine.context(), None if containers is None else services(containers))


def test_each_app_is_told_with_where_it_is_reached(machine):
    apps = {"shop": {"url": "http://127.0.0.1:3026", "healthPath": "/health"}, "worker": {}}
    text = render(machine, {"APPS": Output(apps, False)}, [])
    assert "    shop    http://127.0.0.1:3026\n    worker  not reached from outside" in text
    assert "APPS" not in text


def test_stand_ins_say_so_and_a_missing_env_file_too(machine):
    (machine.root / "Pulumi.yaml").write_text("name: supastack\n")
    text = render(machine, {"ENV_FILES": Output({"nextjs": ".env"}, False)}, [], stand_ins={"docker": True, "random": False})
    assert "docker (stand-in of this project), random (official)" in text
    assert f"{machine.root / '.env'} (not written on this machine" in text


@pytest.mark.parametrize("confirm", ["", "prod", "dev ", "DEV", "dev-2"])
def test_purge_with_another_name_is_refused_before_anything(machine, monkeypatch, confirm):
    monkeypatch.setattr(purging.prepare, "for_destroy", lambda _: pytest.fail("something was touched"))
    with pytest.raises(ToolchainError, match="nothing was removed"):
        purging.purge(machine.context(), confirm)


@pytest.mark.parametrize("stdin", [None, io.StringIO("dev\n")])
def test_purge_without_a_terminal_asks_for_confirm(machine, monkeypatch, stdin):
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(purging.prepare, "for_destroy", lambda _: pytest.fail("something was touched"))
    with pytest.raises(ToolchainError, match="CONFIRM=dev"):
        purging.purge(machine.context(), None)


def test_purge_removes_what_carries_the_id_and_nothing_else():
    daemon = Fake(
        [container("ours"), container("theirs", stack_id=THEIRS)],
        [Thing("n-ours", "n", labels()), Thing("n-theirs", "n", labels(THEIRS))],
        [Thing("v-ours", "v-ours", labels()), Thing("v-theirs", "v-theirs", labels(THEIRS)), Thing("plain", "plain", {})],
    )
    purging._remove_labelled(daemon, labels(), [])
    assert daemon.removed == ["id-ours", "n-ours", "v-ours"]


def test_of_two_stacks_with_one_id_each_removes_only_its_own():
    other = labels(stack="prod")
    daemon = Fake(
        [container("theirs", stack="prod")],
        [Thing("n", "n", other)],
        [Thing("adopted", "adopted", other), Thing("theirs", "theirs", other)],
    )
    assert remove(daemon, state(ID)) == []
    assert daemon.removed == []
    purging._remove_labelled(daemon, labels(), ["adopted"])
    assert daemon.removed == ["adopted"]


def test_a_volume_of_a_remembered_name_that_another_stack_made_since_is_left():
    daemon = Fake(all_volumes=[Thing("v", "v", labels(THEIRS))])
    purging._remove_labelled(daemon, labels(), ["v"])
    assert daemon.removed == []


def test_a_purge_that_was_cut_short_still_knows_what_is_ours(tmp_path):
    journal = tmp_path / "dev.purge"
    before = state(ID, resource(VOLUME, "v", id="adopted"))
    assert purging._remembered(journal, before) == purging.Ours([OURS], ["adopted"])
    assert purging._remembered(journal, None) == purging.Ours([OURS], ["adopted"])
    other = state(resource("random:index/randomId:RandomId", "stack-id", outputs={"hex": THEIRS}))
    assert purging._remembered(journal, other) == purging.Ours(sorted([OURS, THEIRS]), ["adopted"])
    assert journal.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("left", [None, "", "[]", "{}", "null"])
def test_a_stack_that_never_was_has_nothing_to_remove(tmp_path, left):
    journal = tmp_path / "dev.purge"
    if left is not None:
        journal.write_text(left)
    assert purging._remembered(journal, None) == purging.Ours([], [])


def test_a_purged_stack_is_held_until_its_config_is_gone(machine, monkeypatch):
    context = machine.context()
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")

    @contextmanager
    def nothing_there(context):
        with locks.exclusive(context):
            yield context, None

    held = []
    monkeypatch.setattr(purging.prepare, "for_destroy", nothing_there)
    monkeypatch.setattr(purging.PrivateConfig, "remove", lambda _: held.extend(locks._held))
    assert purging.remove(context, "dev") == purging.Purged(0, found=False)
    assert held == [context.private / "stacks" / "dev.busy"]


@pytest.mark.parametrize(("own", "shown"), [([], "FATAL: role postgres"), (["postgres"], "FATAL: role ******")])
def test_the_published_password_is_a_word_unless_somebody_chose_it(own, shown, monkeypatch):
    held = state(ID, resource(CONTAINER, "c", id="id-db", inputs={"envs": secret(["POSTGRES_PASSWORD=postgres"])}))

    class Engine:
        def __init__(self, context):
            del context

        def read_state(self, *, show_secrets):
            assert show_secrets
            return held

        def secret_config(self):
            return own

    @contextmanager
    def daemon(context):
        del context
        yield Fake([container("db", health="unhealthy")], logs={"id-db": "FATAL: role postgres"})

    monkeypatch.setattr(diagnose, "Engine", Engine)
    monkeypatch.setattr(diagnose, "connect", daemon)
    monkeypatch.setattr(diagnose, "advice", lambda context, ill: "")
    assert list(diagnose.PUBLISHED) == [cli_keys.DATABASE_PASSWORD]
    assert shown in diagnose._explained(None, ())


def test_what_the_state_hides_is_hidden_in_a_diagnosis():
    stack_state = state(
        ID,
        resource(
            CONTAINER,
            "c",
            id="x",
            inputs={"envs": secret(["PASSWORD=hunter-two"]), "command": secret(["--requirepass", "short1"])},
        ),
    )
    redact = Redactor(stack_state.secrets())
    assert redact("login with hunter-two") == "login with ******"
