"""The stack's database as CloudNativePG runs it, and as others do, on a real cluster with the real operator."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from components.services import secret_names as names
from tests.integration.cluster.databases import FAILED, PASSWORD, World, wait_for, world
from tests.integration.database.test_initialisation import MEMBERS, ROLES, SCHEMAS, WITH_PASSWORD

pytestmark = pytest.mark.cluster

ENGINE: dict[str, Any] = {"engine": "cloudnativepg", "cnpg": {"instances": 2, "storage": "1gb"}}


@pytest.fixture(scope="module")
def cluster_with_operator(cluster: Any) -> Any:
    """A cluster with the operator and the image of the server."""
    found = cluster.kubectl("get", "crd", "clusters.postgresql.cnpg.io", "--ignore-not-found", "--output=name")
    if not found:
        from toolchain.cluster import cnpg
        from toolchain.context import Context

        cnpg.install(cluster, Context.of(), None)
    cluster.import_images(["supastack.local/postgres:17"])
    return cluster


@pytest.fixture(scope="module")
def pair(cluster_with_operator: Any) -> Iterator[World]:
    """A server with a standby, prepared."""
    with world(cluster_with_operator, "h-cnpg-pair") as made:
        made.client()
        made.up(made.services(**ENGINE))
        made.healthy(2)
        yield made


def _pairs(answer: str) -> dict[str, str]:
    return dict(line.split("|", 1) for line in answer.splitlines())


def test_roles_and_schemas_are_those_of_the_image_but_that_postgres_stays_a_superuser(pair: World) -> None:
    query = "select m.member::regrole, string_agg(m.roleid::regrole::text, ' ' order by m.roleid::regrole::text collate \"C\")"
    members = _pairs(pair.sql(f"{query} from pg_auth_members m where m.member::regrole::text !~ '^(pg|cnpg)_' group by 1"))
    assert members == MEMBERS
    roles = set(pair.sql("select rolname from pg_roles where rolname !~ '^(pg|cnpg)_'").split())
    assert roles == {*ROLES, "streaming_replica", "supastack_sync"}
    superusers = pair.sql("select rolname from pg_roles where rolsuper order by 1").split()
    assert superusers == ["postgres", "supabase_admin", "supastack_sync"]
    owners = _pairs(pair.sql("select nspname, nspowner::regrole from pg_namespace where nspname !~ '^(pg_|information_schema)'"))
    assert owners.pop("supastack")
    assert owners == SCHEMAS
    assert _pairs(pair.sql("select datname, datdba::regrole from pg_database where not datistemplate")) == {
        "postgres": "postgres",
        "_supabase": "supabase_admin",
    }
    assert pair.sql("show wal_level") == "logical"


def test_every_role_of_a_service_logs_in_with_the_password_and_with_no_other(pair: World) -> None:
    for role in WITH_PASSWORD:
        assert pair.sql("select current_user", user=role) == role
    with pytest.raises(FAILED, match="password authentication failed"):
        pair.sql("select 1", user="authenticator", password="wrong")


def test_the_operator_knows_the_administrator_and_leaves_the_others_memberships_alone(pair: World) -> None:
    status = json.loads(pair.kubectl("get", "cluster.postgresql.cnpg.io", "postgres", "--output=json"))["status"]
    assert status["managedRolesStatus"]["byStatus"]["reconciled"] == ["supabase_admin"]
    assert "cannotReconcile" not in status["managedRolesStatus"]


def test_what_was_prepared_is_never_prepared_again_and_changed_secrets_arrive(pair: World) -> None:
    made_at = pair.sql("select made_at from supastack.bootstrap")
    pair.sql("create table public.ours (n int); drop policy if exists x on public.ours", user="postgres")
    again = pair.services(auth={"jwtExpiry": 7200}, **ENGINE)
    logs = pair.up(again, {names.DATABASE_PASSWORD: "another: one/'2'"})
    assert "has been prepared before: nothing is done" in logs["database-bootstrap"]
    assert pair.sql("select made_at from supastack.bootstrap", password="another: one/'2'") == made_at
    for role in WITH_PASSWORD:
        found = pair.sql("select current_setting('app.settings.jwt_exp')", user=role, password="another: one/'2'")
        assert found == "7200", role
    logs = pair.up(pair.services(**ENGINE))
    assert pair.sql("select current_setting('app.settings.jwt_exp')") == "3600"
    for said in logs.values():
        assert "another" not in said
        assert PASSWORD not in said


WRITER = """
i=0
while [ ! -e /tmp/stop ]; do
    i=$((i + 1))
    insert="insert into public.written values ($i) on conflict do nothing"
    until psql -X -q -v ON_ERROR_STOP=1 -h postgres -U postgres -d postgres -c "$insert" 2>> /tmp/said; do sleep 0.2; done
    echo $i >> /tmp/acknowledged
done
"""


def test_no_acknowledged_row_is_lost_when_the_primary_is_killed(pair: World) -> None:
    pair.sql("drop table if exists public.written; create table public.written (n int primary key)", user="postgres")
    before = pair.primary()
    pair.kubectl("exec", "client", "--", "sh", "-c", "rm -f /tmp/stop /tmp/acknowledged /tmp/said")
    quoted = PASSWORD.replace("'", "'\\''")
    command = f"export PGPASSWORD='{quoted}'; nohup sh -c '{WRITER}' > /dev/null 2>&1 &"
    pair.kubectl("exec", "client", "--", "sh", "-c", command)

    def acknowledged() -> list[int]:
        return [
            int(n) for n in pair.kubectl("exec", "client", "--", "sh", "-c", "cat /tmp/acknowledged 2> /dev/null; true").split()
        ]

    wait_for(lambda: len(acknowledged()) > 50, "rows to be written")
    pair.kubectl("delete", "pod", before, "--grace-period=0", "--force")
    wait_for(lambda: pair.primary() != before, "another primary")
    at_the_change = len(acknowledged())
    wait_for(lambda: len(acknowledged()) > at_the_change + 50, "rows to be written to the new primary")
    pair.kubectl("exec", "client", "--", "touch", "/tmp/stop")
    written = {int(n) for n in pair.sql("select n from public.written", user="postgres").split()}
    assert set(acknowledged()) - written == set()
    assert len(written) > 100
    pair.healthy(2)


def test_standbys_answer_reads_and_refuse_writes(pair: World) -> None:
    assert pair.sql("select pg_is_in_recovery()", host="postgres-ro") == "t"
    assert pair.sql("select pg_is_in_recovery()") == "f"
    with pytest.raises(FAILED, match="read-only transaction"):
        pair.sql("create table public.no (n int)", host="postgres-ro")


def test_a_sleeping_database_has_no_pods_and_wakes_with_its_data(pair: World) -> None:
    pair.sql("create table if not exists public.kept as select 42 as n", user="postgres")
    asleep = pair.services(engine="cloudnativepg", cnpg={**ENGINE["cnpg"], "hibernate": True})
    assert [service.name for service in asleep] == ["postgres"], "no job can run meanwhile"
    pair.apply(*pair.manifests(asleep))
    pair.kubectl("delete", "jobs", "--all")  # they are not in the program any more
    wait_for(lambda: not pair.pods(), "the pods to go")
    assert pair.kubectl("get", "pvc", "--output=name").split() == [
        "persistentvolumeclaim/postgres-1",
        "persistentvolumeclaim/postgres-2",
    ]
    logs = pair.up(pair.services(**ENGINE))
    assert "nothing is done" in logs["database-bootstrap"]
    assert pair.sql("select n from public.kept", user="postgres") == "42"
    pair.healthy(2)


def test_deleting_and_applying_leaves_claims_labels_and_identity_to_be_found(pair: World) -> None:
    claim = json.loads(pair.kubectl("get", "pvc", "postgres-1", "--output=json"))["metadata"]
    assert claim["annotations"]["supastack.io/identity"] == "cloudnativepg-17"
    assert claim["labels"]["app.kubernetes.io/name"] == "postgres"
    assert claim["labels"]["app.kubernetes.io/instance"] == "supastack-dev"


def test_the_vaults_key_is_what_a_program_in_the_pod_prints(cluster_with_operator: Any) -> None:
    with world(cluster_with_operator, "h-cnpg-vault") as made:
        (server, *_) = made.services(engine="cloudnativepg", cnpg={"storage": "1gb"})
        assert server.operated is not None
        # The local image has no vault; the way of the key is the same.
        server = replace(server, operated=replace(server.operated, vault_key=names.VAULT_ROOT_KEY))
        made.apply(*made.manifests([server], {names.VAULT_ROOT_KEY: "0123456789abcdef" * 4}))
        made.healthy(1)
        inside = ("exec", "postgres-1", "--container=postgres", "--")
        path = made.kubectl(*inside, "psql", "-U", "postgres", "-At", "-c", "show vault.getkey_script").strip()
        assert made.kubectl(*inside, path) == "0123456789abcdef" * 4
        with pytest.raises(FAILED, match=r"Read-only file system|Permission denied"):
            made.kubectl(*inside, "sh", "-c", f"echo >> {path}")


# -- external --------------------------------------------------------------------------------------------------------

SERVER = """
printf '%s\\n' "$ADMIN_PASSWORD" > /tmp/password
initdb --pgdata=/tmp/data --username=root --pwfile=/tmp/password > /dev/null
echo 'host all all all scram-sha-256' >> /tmp/data/pg_hba.conf
exec postgres -D /tmp/data -c listen_addresses='*' -c wal_level=logical -c unix_socket_directories=/tmp \
    -c shared_preload_libraries=pg_stat_statements,pg_cron
"""


@pytest.fixture
def external(cluster_with_operator: Any) -> Iterator[World]:
    """A plain PostgreSQL, as another has it."""
    with world(cluster_with_operator, "h-cnpg-external") as made:
        made.client()
        pod = json.loads(made.kubectl("get", "pod", "client", "--output=json"))["spec"]
        (container,) = pod["containers"]
        server = {
            "name": "server",
            "image": container["image"],
            "imagePullPolicy": "Never",
            "command": ["bash", "-euc", SERVER],
            "env": [{"name": "ADMIN_PASSWORD", "value": "of the administrator's"}],
            "securityContext": container["securityContext"],
        }
        made.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "server", "labels": {"app": "server"}},
                "spec": {"containers": [server], "terminationGracePeriodSeconds": 0},
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "server"},
                "spec": {"selector": {"app": "server"}, "ports": [{"port": 5432}]},
            },
        )
        yield made


def test_an_external_database_is_prepared_once_and_only_by_being_told_to(external: World) -> None:
    def told(**more: Any) -> list[Any]:
        return external.services(engine="external", external={"host": "server", "user": "root", **more})

    bodies = external.manifests(told())
    for body in bodies:
        if body["kind"] == "Job":
            body["spec"] = {**body["spec"], "backoffLimit": 0}  # what it says at first it says again after each pause
    external.apply(*bodies)
    (job,) = (body["metadata"]["name"] for body in bodies if body["kind"] == "Job")
    said = external.ended(job, well=False)
    for missing in (
        "role authenticator",
        "schema auth",
        "extension pgcrypto",
        "publication supabase_realtime",
        "Nothing was changed",
    ):
        assert missing in said, said
    root = {"user": "root", "password": "of the administrator's", "host": "server"}
    assert external.sql("select count(*) from pg_roles where rolname !~ '^pg_'", **root) == "1"

    logs = external.up(told(bootstrap=True))
    assert "is ready" in logs["database-bootstrap"]
    superusers = external.sql("select rolname from pg_roles where rolsuper order by 1", **root).split()
    assert superusers == ["root", "supabase_admin"], "postgres was demoted as with the image, and no role is for synchronisation"
    for role in WITH_PASSWORD:
        assert external.sql("select current_user", user=role, host="server") == role
    logs = external.up(told(bootstrap=True), {names.JWT_SECRET: "k" * 32, names.DATABASE_PASSWORD: "changed"})
    assert "nothing is done" in logs["database-bootstrap"]
    assert external.sql("select 1", user="authenticator", password="changed", host="server") == "1"
    assert external.sql("select 1", **root) == "1", "the administrator's own password is its own"
    external.up(told(), {names.DATABASE_PASSWORD: "changed"})  # the check passes now
