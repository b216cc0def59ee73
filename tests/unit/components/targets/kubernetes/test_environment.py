"""Secrets reach a container by reference, and the rest as it is."""

import base64

import pytest

from components.service import Address, AddressPart, Encoding, File, Kind, Logs, LogsPart, Secret, text
from components.targets.kubernetes.concerns import concern, secret_object
from components.targets.kubernetes.environment import literal
from tests.unit.components.targets.kubernetes.making import container, render, service


def entry(manifests, variable):
    (found,) = (e for e in container(manifests["supabase-it"])["env"] if e["name"] == variable)
    return found


def decoded(manifest):
    return {key: base64.b64decode(value).decode() for key, value in manifest.body["data"].items()}


def test_a_variable_that_is_a_secret_refers_to_the_components_own():
    found = render(service(env={"JWT": text(Secret("jwt-secret"))}))
    assert entry(found, "JWT")["valueFrom"] == {"secretKeyRef": {"name": "supabase-jwt", "key": "jwt-secret"}}
    assert decoded(found["supabase-jwt-secret"]) == {"jwt-secret": "<jwt-secret>"}
    assert "supabase-jwt-secret" in found["supabase-it"].after


def test_a_variable_with_a_secret_in_it_is_in_the_services_own():
    env = {"URL": text("postgres://me:", Secret("database-password", Encoding.URL), "@", Address("db"), "/app")}
    found = render(service("db", provides={"db": "http"}), service(env=env), secrets={"database-password": "a/b@c%"})
    assert entry(found, "URL")["valueFrom"] == {"secretKeyRef": {"name": "it-env", "key": "URL"}}
    assert decoded(found["supabase-it-env"]) == {"URL": "postgres://me:a%2Fb%40c%25@db:8080/app"}


def test_a_variable_without_a_secret_stands_there():
    found = render(service("db", provides={"db": "http"}), service(env={"HOST": text(Address("db", AddressPart.HOST))}))
    assert entry(found, "HOST") == {"name": "HOST", "value": "db"}


def test_each_concern_has_a_secret_of_its_own():
    env = {"A": text(Secret("jwt-secret")), "B": text(Secret("smtp-password")), "C": text(Secret("function-TOKEN"))}
    found = render(service(env=env))
    assert {name for name, m in found.items() if m.kind == "Secret"} == {
        "supabase-jwt-secret",
        "supabase-smtp-secret",
        "supabase-functions-secret",
    }


def test_every_secret_of_the_supabase_stack_has_a_concern():
    from components.services import secret_names as names

    plain = [value for name, value in vars(names).items() if name.isupper()]
    made = [names.auth_provider("github"), names.auth_hook("send_sms"), names.auth_sms("X"), names.function("X")]
    found = {name: concern("supabase", name) for name in (*plain, *made, names.of_service("rest", "X"))}
    assert not [name for name, of in found.items() if of == "credentials"]
    assert (found["database-password"], found["jwt-secret"], found["auth-hook-send_sms"]) == ("database", "jwt", "auth")


def test_other_components_secrets_are_their_credentials():
    """`secret-key` is one thing in the stack and another in an object store."""
    assert secret_object("objects", "secret-key") == "objects-credentials"
    assert secret_object("supabase", "secret-key") == "supabase-keys"


@pytest.mark.parametrize(
    ("value", "written"),
    [("plain $HOME", "plain $HOME"), ("$(date)", "$$(date)"), ("a$$b", "a$$$$b"), ("$2a$10$x", "$2a$10$x")],
)
def test_kubernetes_own_variables_are_none_of_ours(value, written):
    assert literal(value) == written


def expanded(value):
    """What kubelet makes of it, where no variable is known (Kubernetes' documentation, "Define Dependent Environment Variables")."""
    return value.replace("$$", "$")


@pytest.mark.parametrize("value", ["$(date)", "a$$b", "$$(x)", "$$$", "$(", "$a$(b)$c"])
def test_what_is_written_is_read_back_as_it_was(value):
    assert expanded(literal(value)) == value


def test_a_collector_of_logs_has_its_secrets_and_addresses_from_another_namespace():
    source = text(Logs(LogsPart.SOURCE), "|", Logs(LogsPart.SERVICE), "|", Address("store"))
    shipper = service(
        collects_logs=True, env={"TOKEN": text(Secret("logflare-public-access-token"))}, files=(File("/c", source),)
    )
    found = render(service("store", provides={"store": "http"}), shipper)
    assert found["supabase-it-env"].body["metadata"]["namespace"] == "shop-prod-logs"
    (said,) = found["supabase-it-files"].body["data"].values()
    logs, path, address = said.split("|")
    assert logs == '{"extra_label_selector": "app.kubernetes.io/instance=shop-prod", "type": "kubernetes_logs"}'
    assert path == '.kubernetes.pod_labels."app.kubernetes.io/name"'
    assert address == "store.shop-prod.svc:8080"
    env = {e["name"]: e for e in container(found["supabase-it"])["env"]}
    assert env["VECTOR_SELF_NODE_NAME"]["valueFrom"] == {"fieldRef": {"fieldPath": "spec.nodeName"}}


def name_of(*, secret="one", **about):
    job = service(kind=Kind.JOB, ports=(), health=None, **about)
    return render(job, secrets={"jwt-secret": secret})["supabase-it"].body["metadata"]["name"]


def test_a_job_is_named_by_all_that_it_does():
    first = name_of(env={"A": text("1")})
    assert first.startswith("it-")
    assert len(first) == len("it-") + 8
    assert first == name_of(env={"A": text("1")})
    others = [
        name_of(env={"A": text("2")}),
        name_of(env={"A": text("1")}, command=("other",)),
        name_of(env={"A": text("1")}, files=(File("/x", text("x")),)),
        name_of(env={"A": text("1"), "B": text(Secret("jwt-secret"))}),
        name_of(env={"A": text("1"), "B": text(Secret("jwt-secret"))}, secret="two"),
    ]
    assert len({first, *others}) == 6


def test_a_job_is_tried_again_a_few_times_and_never_removed_by_the_cluster():
    spec = render(service(kind=Kind.JOB, ports=(), health=None))["supabase-it"].body["spec"]
    assert spec["backoffLimit"] == 4
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert "ttlSecondsAfterFinished" not in spec
