"""What is read from a stack's state, and that no secret of it gets into text for people."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.stack.redact import HIDDEN, Redactor, without_password
from toolchain.stack.state import CONTAINER, NETWORK, SECRET, SIGNATURE, VOLUME, StackState, name_of, type_of


def secret(value):
    return {SIGNATURE: SECRET, "plaintext": json.dumps(value)}


def resource(kind, name, parents="", **more):
    return {"urn": f"urn:pulumi:dev::supastack::{parents}{kind}::{name}", "type": kind, "custom": True, **more}


def state(*resources, **deployment):
    return StackState.parse(json.dumps({"version": 3, "deployment": {"resources": list(resources), **deployment}}))


def test_the_stack_id_of_a_stack_without_objects_is_the_random_id_of_that_name():
    other = resource("random:index/randomId:RandomId", "another", outputs={"hex": "ffffffffffffffff"})
    own = resource("random:index/randomId:RandomId", "stack-id", outputs={"hex": "0123456789abcdef"})
    assert state(other, own).stack_id == "0123456789abcdef"
    assert state(other).stack_id is None
    assert state().stack_id is None


def labelled(kind, name, stack_id, **more):
    labels = [{"label": "supastack.stack", "value": "dev"}, {"label": "supastack.stack-id", "value": stack_id}]
    return resource(kind, name, inputs={"labels": labels}, **more)


@pytest.mark.parametrize("kind", [CONTAINER, NETWORK, VOLUME])
def test_an_adopted_stack_id_is_read_from_the_labels_though_there_is_a_random_one(kind):
    random = resource("random:index/randomId:RandomId", "stack-id", outputs={"hex": "0123456789abcdef"})
    assert state(random, labelled(kind, "v", "00112233445566aa")).stack_id == "00112233445566aa"
    assert state(random, labelled(kind, "v", "no id")).stack_id == "0123456789abcdef"


def test_what_is_still_to_be_deleted_does_not_tell_the_stack_id():
    old, new = labelled(CONTAINER, "c", "0123456789abcdef", delete=True), labelled(CONTAINER, "c", "00112233445566aa")
    assert state(old, new).stack_id == "00112233445566aa"
    assert state(old).stack_id == "0123456789abcdef"


@pytest.mark.parametrize("value", ["", "xyz", "0123", None, 5])
def test_what_is_no_stack_id_is_not_taken_for_one(value):
    assert state(resource("random:index/randomId:RandomId", "stack-id", outputs={"hex": value})).stack_id is None


def test_ids_include_what_is_still_to_be_deleted():
    old = resource(CONTAINER, "c", id="old", delete=True)
    assert state(old, resource(CONTAINER, "c", id="new")).ids(CONTAINER) == {"old", "new"}


def test_unfinished_operations_are_named_and_dropped_and_nothing_else():
    pending = [{"type": "creating", "resource": resource(CONTAINER, "c", parents="supastack:index:Cache$")}]
    before = state(resource(CONTAINER, "kept", id="1"), pending_operations=pending, metadata={"x": 1})
    [(what, urn)] = before.pending
    assert (what, type_of(urn), name_of(urn)) == ("creating", CONTAINER, "c")
    after = json.loads(before.without_pending().text())
    whole = json.loads(before.text())
    del whole["deployment"]["pending_operations"]
    assert after == whole


def test_outputs_tell_which_are_secret():
    stack = {"urn": "u", "type": "pulumi:pulumi:Stack", "outputs": {"A": "x", "B": secret("y"), "C": {"d": secret(1)}}}
    outputs = state(stack).outputs
    assert {k: (o.value, o.secret) for k, o in outputs.items()} == {"A": ("x", False), "B": ("y", True), "C": ({"d": 1}, True)}


def test_secrets_are_found_wherever_the_engine_marks_them():
    envs = ["POSTGRES_PASSWORD=the-database-password", "POSTGRES_DB=postgres", "URL=redis://u:in%2Burl@h:1/0"]
    found = state(
        resource("random:index/randomPassword:RandomPassword", "p", outputs={"result": secret("gen"), "length": 3}),
        resource(CONTAINER, "c", inputs={"envs": secret(envs), "uploads": [{"content": secret("whole file\nof lines")}]}),
        {"urn": "u", "type": "pulumi:pulumi:Stack", "outputs": {"DB_URL": secret("postgresql://u:pw-in-url@h/db")}},
    ).secrets()
    assert {"gen", "the-database-password", "in%2Burl", "in+url", "pw-in-url", "whole file\nof lines"} <= found
    # Redacting these would make every log unreadable.
    assert "postgres" not in found
    assert "u" not in found


def test_what_stands_openly_in_the_state_is_no_secret_for_standing_beside_one_in_a_list():
    labels = [{"label": "supastack.project", "value": "supastack"}, {"label": "supastack.mark", "value": "mark-of-secret"}]
    found = state(
        resource("docker:index/network:Network", "n", inputs={"labels": [{"label": "supastack.project", "value": "supastack"}]}),
        resource(VOLUME, "v", inputs={"labels": secret(labels)}),
        resource(CONTAINER, "c", inputs={"command": secret(["postgres", "--requirepass", "word-of-mouth"]), "name": "postgres"}),
    ).secrets()
    assert {"mark-of-secret", "word-of-mouth", "--requirepass", "supastack.mark"} == found


@pytest.mark.parametrize(
    "held",
    [
        resource("random:index/randomPassword:RandomPassword", "p", outputs={"result": secret("supastack")}),
        resource(CONTAINER, "c", inputs={"envs": secret(["DB=x", "PGPASSWORD=supastack"])}),
        resource(CONTAINER, "c", inputs={"envs": secret(["URL=redis://:supastack@h"])}),
        resource(CONTAINER, "c", inputs={"uploads": [{"content": secret("supastack")}]}),
        {"urn": "u", "type": "pulumi:pulumi:Stack", "outputs": {"PASSWORD": secret("supastack"), "URLS": secret(["supastack"])}},
    ],
)
def test_a_word_that_stands_openly_too_stays_a_secret_where_it_is_marked_by_itself_or_by_its_name(held):
    assert "supastack" in state(held, resource(CONTAINER, "open", inputs={"name": "supastack"})).secrets()


@pytest.mark.parametrize(
    "spelling",
    [
        str,
        lambda s: quote(s, safe=""),
        lambda s: json.dumps(s)[1:-1],
        lambda s: base64.b64encode(s.encode()).decode(),
        lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    ],
)
@given(value=st.text(min_size=6, max_size=40).filter(lambda s: s.strip() == s and len(s.strip("*")) > 5 and s.isprintable()))
def test_a_secret_is_hidden_in_every_spelling(spelling, value):
    assert spelling(value) not in Redactor([value])(f"before {spelling(value)} after")


def test_a_secret_that_holds_another_is_hidden_whole():
    assert Redactor(["abc", "abcdef"])("x abcdef y") == f"x {HIDDEN} y"


def test_lines_of_a_key_file_are_hidden_one_by_one():
    assert Redactor(["-----BEGIN\nMIIEvQIBADANBgkq\nhkiG9w0BAQEF"])("| MIIEvQIBADANBgkq") == f"| {HIDDEN}"


def test_nothing_is_hidden_where_there_is_no_secret():
    assert Redactor([])("a log line, with : and @") == "a log line, with : and @"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://postgres:s3cret@127.0.0.1:54322/postgres", f"postgresql://postgres:{HIDDEN}@127.0.0.1:54322/postgres"),
        ("redis://:s3cret@127.0.0.1:6379/0", f"redis://:{HIDDEN}@127.0.0.1:6379/0"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("redis://:a@b@h:1", f"redis://:{HIDDEN}@h:1"),
    ],
)
def test_only_the_password_of_a_url_is_hidden(url, shown):
    assert without_password(url) == shown
