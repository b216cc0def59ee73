"""The kubernetes stand-in's answers to the engine, on an API server that this test makes up."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pulumi.provider.experimental import provider as api

from toolchain.plugins.common.errors import InitFailed, UserError
from toolchain.plugins.common.official import Official
from toolchain.plugins.common.values import UNKNOWN, plain_map, property_map
from toolchain.plugins.kubernetes import life
from toolchain.plugins.kubernetes.host import Host
from toolchain.plugins.kubernetes.provider import KubernetesProvider

NAMESPACE = "n"
URN = "urn:pulumi:test::project::{}::name"


class Server:
    """An API server of this test: objects by path, requests as they came, refusals that are to be given."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, dict[str, list[str]]]] = []
        self.refusals: list[tuple[str, int, dict[str, Any]]] = []
        self.answers: dict[str, tuple[int, dict[str, Any]]] = {}
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def kubeconfig(self) -> str:
        server = f"http://127.0.0.1:{self.http.server_address[1]}"
        context = {"cluster": "c", "namespace": NAMESPACE}
        return json.dumps(
            {
                "current-context": "x",
                "contexts": [{"name": "x", "context": context}],
                "clusters": [{"name": "c", "cluster": {"server": server}}],
            }
        )

    def answer(self, method: str, url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        path, query = urlsplit(url).path, parse_qs(urlsplit(url).query)
        self.requests.append((method, path, query))
        for refusal in self.refusals:
            if refusal[0] == method:
                self.refusals.remove(refusal)
                return refusal[1:]
        if path in self.answers:
            return self.answers[path]
        if path == "/version":
            return 200, {"gitVersion": "v1.34.4"}
        if path.startswith("/apis/example.org/"):
            return 404, {"reason": "NotFound", "message": "no such group"}
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in self.objects:
                return 409, {"reason": "AlreadyExists", "message": "already exists"}
        elif path not in self.objects and method != "PATCH":
            return 404, {"reason": "NotFound", "message": "not found"}
        if method == "DELETE":
            return 200, self.objects.pop(path)
        if method == "GET":
            return 200, self.objects[path]
        made = {**body, "metadata": {**body.get("metadata", {}), "uid": "u"}} if isinstance(body, dict) else self.objects[path]
        if "dryRun" not in query:
            self.objects[path] = made
        return 200, made

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline()
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size) or b"{}")
                code, found = server.answer(self.command, self.path, body)
                data = json.dumps(found).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()


class Said(Host):
    """Remembers what was said."""

    def __init__(self) -> None:
        super().__init__("")
        self.warnings: list[str] = []

    def warn(self, urn: str, message: str) -> None:
        del urn
        self.warnings.append(message)


@pytest.fixture
def host() -> Said:
    return Said()


@pytest.fixture
def provider(server: Server, host: Said) -> KubernetesProvider:
    return configured(host, kubeconfig=server.kubeconfig)


def configured(host: Host, **settings: Any) -> KubernetesProvider:
    made = KubernetesProvider(Official("kubernetes", "4.34.2"), host)
    asyncio.run(made.configure(api.ConfigureRequest({}, property_map(settings), accept_secrets=True, accept_resources=True)))
    return made


CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
BODY = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm", "namespace": NAMESPACE}, "data": {"a": "1"}}
PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


def check(provider: KubernetesProvider, inputs: dict[str, Any], token: str = CONFIG_MAP) -> api.CheckResponse:
    return asyncio.run(provider.check(api.CheckRequest(URN.format(token), {}, property_map(inputs), b"seed")))


def create(
    provider: KubernetesProvider, inputs: dict[str, Any], *, preview: bool = False, token: str = CONFIG_MAP
) -> api.CreateResponse:
    return asyncio.run(provider.create(api.CreateRequest(URN.format(token), property_map(inputs), 0, preview)))


def update(
    provider: KubernetesProvider, olds: dict[str, Any], news: dict[str, Any], *, preview: bool = False
) -> api.UpdateResponse:
    request = api.UpdateRequest(URN.format(CONFIG_MAP), "n/cm", property_map(olds), property_map(news), 0, [], preview)
    return asyncio.run(provider.update(request))


def test_check_fills_in_name_namespace_and_kind(provider: KubernetesProvider) -> None:
    found = plain_map(check(provider, {"data": {"a": "1"}}).inputs or {})
    assert (found["apiVersion"], found["kind"], found["metadata"]["namespace"]) == ("v1", "ConfigMap", NAMESPACE)
    assert found["metadata"]["name"].startswith("name-")
    wide = plain_map(check(provider, {"metadata": {"name": "x"}}, "kubernetes:core/v1:Namespace").inputs or {})
    assert "namespace" not in wide["metadata"]
    # Of a custom resource without its definition it is assumed that it lives in a namespace.
    custom = plain_map(check(provider, {"metadata": {"name": "x"}}, "kubernetes:example.org/v1:Thing").inputs or {})
    assert custom["metadata"]["namespace"] == NAMESPACE


def test_check_names_no_property_in_a_failure(provider: KubernetesProvider) -> None:
    [failure] = check(provider, {"metadata": {"annotations": {"pulumi.com/waiting": "x"}}}).failures or []
    assert failure.property == ""
    assert "pulumi.com/waiting" in failure.reason


def test_a_type_that_is_not_had_is_refused_in_every_call(provider: KubernetesProvider) -> None:
    with pytest.raises(UserError, match=r"Lease is a type that this plugin does not have.*stand-in"):
        check(provider, {}, "kubernetes:coordination.k8s.io/v1:Lease")
    with pytest.raises(UserError, match="Lease"):
        create(provider, {}, token="kubernetes:coordination.k8s.io/v1:Lease")
    with pytest.raises(UserError, match="is a function"):
        asyncio.run(provider.invoke(api.InvokeRequest("kubernetes:yaml:decode", {})))


def test_a_preview_asks_for_a_dry_run_and_leaves_nothing(provider: KubernetesProvider, server: Server) -> None:
    found = create(provider, BODY, preview=True)
    assert plain_map(found.properties or {})["metadata"]["uid"] == "u"
    assert server.objects == {}
    assert server.requests[-1][2]["dryRun"] == ["All"]
    before = len(server.requests)
    unknown = create(provider, {**BODY, "data": {"a": UNKNOWN}}, preview=True)
    assert plain_map(unknown.properties or {})["data"] == {"a": UNKNOWN}
    assert len(server.requests) == before


@pytest.mark.parametrize(
    "status",
    [
        (403, {"reason": "Forbidden", "message": "may not"}),
        (404, {"reason": "NotFound", "message": "no namespace", "details": {"kind": "namespaces"}}),
        (409, {"reason": "AlreadyExists", "message": "there is one"}),
        (422, {"reason": "Invalid", "message": "spec.x: Invalid value: field is immutable"}),
        (400, {"reason": "BadRequest", "message": "admission webhook does not support dry run"}),
    ],
)
def test_a_preview_that_can_not_tell_shows_the_inputs(
    provider: KubernetesProvider, server: Server, status: tuple[int, dict[str, Any]]
) -> None:
    server.refusals = [("POST", *status)]
    assert plain_map(create(provider, BODY, preview=True).properties or {}) == BODY


def test_a_refusal_in_a_preview_is_an_error_without_secrets(provider: KubernetesProvider, server: Server) -> None:
    server.refusals = [("POST", 422, {"reason": "Invalid", "message": 'data: Invalid value: "hush hush"'})]
    secret = {**BODY, "kind": "Secret", "data": {"a": "aHVzaCBodXNo"}}
    with pytest.raises(UserError) as error:
        create(provider, secret, preview=True, token="kubernetes:core/v1:Secret")
    assert "Secret n/cm can't be created" in str(error.value)
    assert "hush" not in str(error.value)


def test_a_secret_of_another_resource_stands_in_no_message(provider: KubernetesProvider, server: Server) -> None:
    secret = {"metadata": {"name": "s"}, "stringData": {"a": "Generated-123456"}}
    check(provider, secret, "kubernetes:core/v1:Secret")
    server.refusals = [("POST", 422, {"reason": "Invalid", "message": "it says Generated-123456"})]
    with pytest.raises(UserError, match=r"it says \[secret\]"):
        create(provider, BODY)


def test_creation_tries_again_while_the_namespace_is_missing(
    provider: KubernetesProvider, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "_FIRST_PAUSE", 0.01)
    missing = {"reason": "NotFound", "message": "no namespace", "details": {"kind": "namespaces"}}
    server.refusals = [("POST", 404, missing)] * 2
    assert create(provider, BODY).resource_id == "n/cm"
    assert [method for method, path, _ in server.requests if path == PATH] == ["POST"] * 3
    server.refusals = [("POST", 404, missing)] * 6
    with pytest.raises(UserError, match="no namespace"):
        create(provider, {**BODY, "metadata": {"name": "other", "namespace": NAMESPACE}})


def test_an_object_that_is_there_is_an_error_or_taken_over(provider: KubernetesProvider, server: Server, host: Said) -> None:
    server.objects[f"{PATH}/cm"] = {**BODY, "data": {}}
    with pytest.raises(UserError, match="upsertExistingObjects") as refused:
        create(provider, BODY)
    assert "supastack:stackId" in str(refused.value)
    assert "remove" not in str(refused.value), "all claims go with a namespace, and all data with an operator's Cluster"
    taking = configured(host, kubeconfig=server.kubeconfig, upsertExistingObjects="true")
    assert create(taking, BODY).resource_id == "n/cm"
    assert server.objects[f"{PATH}/cm"]["data"] == {"a": "1"}


def test_a_refused_update_keeps_the_resource_with_the_reason(provider: KubernetesProvider, server: Server) -> None:
    olds = plain_map(create(provider, BODY).properties or {})
    conflict = {"reason": "Conflict", "message": 'Apply failed with 1 conflict: conflict with "kubectl": .data.a'}
    server.refusals = [("PATCH", 409, conflict)]
    with pytest.raises(InitFailed) as error:
        update(provider, olds, {**BODY, "data": {"a": "2"}})
    assert error.value.resource_id == "n/cm"
    assert 'conflict with "kubectl": .data.a' in error.value.reasons[0]
    assert plain_map(error.value.properties)["data"] == {"a": "1"}


def test_an_update_of_what_is_gone_is_an_error(provider: KubernetesProvider, server: Server) -> None:
    olds = plain_map(create(provider, BODY).properties or {})
    server.objects.clear()
    with pytest.raises(UserError, match="ConfigMap n/cm can't be updated: not found"):
        update(provider, olds, BODY)


def test_a_workload_that_does_not_get_ready_stays_with_the_reasons(provider: KubernetesProvider) -> None:
    note = {"pulumi.com/timeoutSeconds": "0"}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "namespace": NAMESPACE, "annotations": note},
        "spec": {},
    }
    with pytest.raises(InitFailed) as error:
        create(provider, body, token="kubernetes:batch/v1:Job")
    assert error.value.resource_id == "n/j"
    assert error.value.reasons[0] == "Job n/j: not ready after 0 seconds: the Job has not started"
    assert plain_map(error.value.properties)["__inputs"] == body


def test_cancelling_ends_a_wait_and_keeps_what_was_made(provider: KubernetesProvider) -> None:
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": NAMESPACE}, "spec": {}}

    async def both() -> None:
        request = api.CreateRequest(URN.format("kubernetes:batch/v1:Job"), property_map(body), 0, preview=False)
        making = asyncio.ensure_future(provider.create(request))
        await asyncio.sleep(0.5)
        await provider.cancel()
        with pytest.raises(InitFailed, match="waiting was cancelled"):
            await making
        with pytest.raises(UserError, match="cancelled before it began"):
            await provider.create(request)

    asyncio.run(both())


def test_a_cluster_that_does_not_answer(host: Said, server: Server) -> None:
    away = configured(host, kubeconfig=server.kubeconfig.replace("http://127.0.0.1:", "http://127.0.0.1:1/"))
    assert plain_map(create(away, BODY, preview=True).properties or {}) == BODY
    create(away, BODY, preview=True)
    [warning] = host.warnings
    assert "can't be reached" in warning
    with pytest.raises(UserError, match="can't be reached"):
        create(away, BODY)
    assert plain_map(check(away, {"metadata": {"name": "x"}}).inputs or {})["metadata"]["namespace"] == NAMESPACE
    read = api.ReadRequest(URN.format(CONFIG_MAP), "n/cm", property_map(BODY), property_map(BODY))
    with pytest.raises(UserError, match="make up, preview and down follow the settings") as raised:
        asyncio.run(away.read(read))
    assert "DELETE_UNREACHABLE" not in str(raised.value), "it empties the state"


def test_a_kubeconfig_that_is_not_known_yet_is_no_reason_to_warn(host: Said) -> None:
    later = configured(host, kubeconfig=UNKNOWN)
    assert plain_map(create(later, BODY, preview=True).properties or {}) == BODY
    assert host.warnings == []


def test_a_user_who_may_not_look_at_endpoints_can_still_read_a_service(provider: KubernetesProvider, server: Server) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": NAMESPACE, "annotations": {"pulumi.com/skipAwait": "true"}},
        "spec": {"selector": {"a": "b"}},
    }
    olds = create(provider, body, token="kubernetes:core/v1:Service").properties or {}
    looked = {**body, "metadata": {"name": "s", "namespace": NAMESPACE}}
    server.answers[f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"] = (403, {"reason": "Forbidden"})
    request = api.ReadRequest(URN.format("kubernetes:core/v1:Service"), "n/s", olds, property_map(looked))
    assert asyncio.run(provider.read(request)).resource_id == "n/s"


def test_deletion_waits_until_the_object_is_gone_and_another_of_its_name_is_none_of_ours(
    provider: KubernetesProvider, server: Server
) -> None:
    olds = create(provider, BODY).properties or {}
    asyncio.run(provider.delete(api.DeleteRequest(URN.format(CONFIG_MAP), "n/cm", olds, 0)))
    assert server.objects == {}
    # It is fine when it is gone already.
    asyncio.run(provider.delete(api.DeleteRequest(URN.format(CONFIG_MAP), "n/cm", olds, 0)))
