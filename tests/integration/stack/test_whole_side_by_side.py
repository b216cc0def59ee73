"""Two whole stacks on one machine: nothing of one is in the other, and no key of one opens the other."""

import json
import smtplib
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from tests.integration.stack.whole import REAL, STUBS, Whole

pytestmark = [pytest.mark.docker, pytest.mark.engine]

KEYS = ("ANON_KEY", "SERVICE_ROLE_KEY", "PUBLISHABLE_KEY", "SECRET_KEY")
SAME = {"S3_BUCKET", "S3_REGION", "S3_PROTOCOL_REGION", "DASHBOARD_USERNAME", "IMAGES", "NOTES"}
"""Outputs that tell nothing of an instance."""


@pytest.fixture(scope="module")
def second(whole_up: Whole) -> Iterator[Whole]:
    """The second instance, up beside the first."""
    clone = whole_up.clone
    yield Whole(clone, "dev-2", clone.make("up", INSTANCE="2").stdout)
    clone.make("purge", INSTANCE="2", CONFIRM="dev-2")


def objects(stack: Whole) -> tuple[set[str], set[str], set[str]]:
    """Containers, volumes and networks of a stack."""
    client = stack.clone.daemon.client()
    wanted = {"filters": {"label": f"supastack.stack={stack.stack}"}}
    return (
        {str(c.id) for c in client.containers.list(all=True, **wanted)},
        {str(v.name) for v in client.volumes.list(**wanted)},
        {str(n.id) for n in client.networks.list(**wanted)},
    )


def test_the_second_is_as_whole_as_the_first(whole_up: Whole, second: Whole):
    assert "Stack dev-2 is up." in second.shown
    states = second.until_states(dict.fromkeys([*REAL, *STUBS], "healthy"))
    assert {name for name, state in states.items() if state == "healthy"} == {*REAL, *STUBS}
    assert whole_up.is_well()


def test_they_have_no_object_no_port_and_no_value_in_common(whole_up: Whole, second: Whole):
    for ours, theirs in zip(objects(whole_up), objects(second), strict=True):
        assert ours
        assert theirs
        assert not ours & theirs
    assert second.outputs["PORTS"] == {name: port + 1000 for name, port in whole_up.outputs["PORTS"].items()}
    assert set(second.outputs) == set(whole_up.outputs)
    assert {name for name, value in second.outputs.items() if value == whole_up.outputs[name]} == SAME


def test_no_variable_of_a_container_names_the_other_instance(whole_up: Whole, second: Whole):
    values = {str(v) for name, v in whole_up.outputs.items() if name not in SAME and isinstance(v, str) and len(v) > 8}
    for name, container in second.containers().items():
        given = json.dumps(container.attrs["Config"]["Env"]) + json.dumps(container.attrs["HostConfig"]["Binds"])
        assert [value for value in values if value in given] == [], name
        assert "supastack-dev-supabase" not in given, name


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_one_is_refused_by_the_other(whole_up: Whole, second: Whole, key: str):
    for path in ("/rest/v1/todos", "/pg/schemas", "/auth/v1/user", "/realtime/v1/websocket"):
        assert second.call(path, {"apikey": whole_up.outputs[key]}).status == 401, path
        assert whole_up.call(path, {"apikey": second.outputs[key]}).status == 401, path
    assert second.keyed("/auth/v1/user", key).stub == "auth", "so that the ones above say something"


def test_studios_login_of_one_is_refused_by_the_other(whole_up: Whole, second: Whole):
    assert second.call("/project/default", auth=whole_up.login).status == 401
    assert second.call("/project/default", auth=second.login).stub == "studio"


def test_a_token_of_one_is_no_token_to_the_services_of_the_other(whole_up: Whole, second: Whole):
    def shared(stack: Whole) -> Any:
        held = jwt.PyJWKSet.from_json(stack.env("supabase-rest")["PGRST_JWT_SECRET"]).keys
        return next(key.key for key in held if key.key_type == "oct")

    token = whole_up.outputs["SERVICE_ROLE_KEY"]
    assert jwt.decode(token, shared(whole_up), algorithms=["HS256"])["role"] == "service_role"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, shared(second), algorithms=["HS256"])
    assert signing_key(whole_up) != signing_key(second)


def signing_key(stack: Whole) -> str:
    """The public ES256 key's name."""
    (key,) = (key for key in json.loads(stack.outputs["JWKS"])["keys"] if key["kty"] == "EC")
    return str(key["kid"])


def test_rows_and_mails_of_one_are_not_in_the_other(whole_up: Whole, second: Whole):
    with whole_up.clone.daemon.network():
        with whole_up.sql() as connection:
            connection.execute("create table public.of_the_first ()")
        with smtplib.SMTP("127.0.0.1", whole_up.outputs["PORTS"]["smtp"], timeout=20) as server:
            server.sendmail("a@example.com", ["first@example.com"], "Subject: of the first\r\n\r\n.")
    try:
        for stack, found in ((whole_up, True), (second, False)):
            tables = stack.keyed("/pg/tables?included_schemas=public", "SERVICE_ROLE_KEY").json
            assert ("of_the_first" in {table["name"] for table in tables}) is found
            mails = stack.call(f"{stack.outputs['MAILPIT_URL']}/api/v1/messages").json["messages"]
            assert ("of the first" in {mail["Subject"] for mail in mails}) is found
    finally:
        with whole_up.clone.daemon.network(), whole_up.sql() as connection:
            connection.execute("drop table public.of_the_first")


def test_no_container_reaches_the_other_network(whole_up: Whole, second: Whole):
    probe = "exec 3<>/dev/tcp/{}/{}"
    for name, port in {"supabase-postgres": 5432, "supabase-gateway": 8000, "objects-minio": 9000}.items():
        (there,) = (n["IPAddress"] for n in second.container(name).attrs["NetworkSettings"]["Networks"].values())
        ours = whole_up.container("cache-valkey")
        assert ours.exec_run(["timeout", "2", "bash", "-c", probe.format(there, port)]).exit_code != 0, name
        own = name.split("-", 1)[1]
        assert ours.exec_run(["timeout", "30", "bash", "-c", probe.format(own, port)]).exit_code == 0, name


def test_status_tells_them_apart_with_the_health_of_each(whole_up: Whole, second: Whole):
    shown = whole_up.clone.make("status", FORMAT="json").stdout
    told = json.loads(shown[shown.index("{") :])
    found = {instance["stack"]: instance for instance in told["instances"]}
    assert set(found) == {"dev", "dev-2"}
    for stack in (whole_up, second):
        told_of = {
            f"{s['component']}-{s['service']}": s["health"] for s in found[stack.stack]["services"] if s["kind"] == "server"
        }
        assert set(told_of) == {*REAL, *STUBS}, stack.stack
        assert set(told_of.values()) <= {"healthy", "starting", "unhealthy"}


def test_each_has_an_env_file_of_its_own(whole_up: Whole, second: Whole):
    files = [(whole_up.clone.root / name).read_text() for name in (".env", ".env.dev-2")]
    for stack, file in zip((whole_up, second), files, strict=True):
        assert f"NEXT_PUBLIC_SUPABASE_URL={stack.outputs['API_URL']}\n" in file
        assert f"NEXT_PUBLIC_SUPABASE_ANON_KEY={stack.outputs['ANON_KEY']}\n" in file
    assert whole_up.clone.status() == ""
