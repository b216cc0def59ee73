"""The servicer over real gRPC, with providers that fail."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from toolchain.plugins.common.errors import InitFailed, UserError
from toolchain.plugins.common.server import Servicer

URN = "urn:pulumi:dev::p::pkg:index:Thing::name"


class Failing(api.Provider):
    """Raises the same error from everything."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        raise self.error

    diff = create = update = read = delete = invoke = configure = check_config = diff_config = check


class Configured(api.Provider):
    def __init__(self, *, changes: bool | None) -> None:
        self.changes = changes

    async def diff_config(self, request: api.DiffRequest) -> api.DiffResponse:
        return api.DiffResponse(changes=self.changes, replaces=["host"] if self.changes else None)


@contextlib.asynccontextmanager
async def served(provider: api.Provider) -> AsyncIterator[Any]:
    server = grpc.aio.server()
    servicer = Servicer([], "1.2.3", provider, engine_address="")
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    await server.stop(None)


def call(provider: api.Provider, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with served(provider) as stub:
            return await ask(stub)

    return asyncio.run(run())


def failure(provider: api.Provider, ask: Callable[[Any], Awaitable[Any]]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        call(provider, ask)
    return caught.value


REQUESTS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "Create": lambda stub: stub.Create(provider_pb2.CreateRequest(urn=URN, properties=struct_pb2.Struct())),
    "Update": lambda stub: stub.Update(provider_pb2.UpdateRequest(urn=URN, id="i")),
    "Read": lambda stub: stub.Read(provider_pb2.ReadRequest(urn=URN, id="i")),
    "Delete": lambda stub: stub.Delete(provider_pb2.DeleteRequest(urn=URN, id="i")),
    "Diff": lambda stub: stub.Diff(provider_pb2.DiffRequest(urn=URN, id="i")),
    "CheckConfig": lambda stub: stub.CheckConfig(provider_pb2.CheckRequest(urn=URN)),
    "DiffConfig": lambda stub: stub.DiffConfig(provider_pb2.DiffRequest(urn=URN)),
    "Configure": lambda stub: stub.Configure(provider_pb2.ConfigureRequest()),
    "Invoke": lambda stub: stub.Invoke(provider_pb2.InvokeRequest(tok="pkg:index:f")),
}


@pytest.mark.parametrize("method", REQUESTS)
def test_an_error_for_the_user_is_sent_as_its_message_alone(method: str) -> None:
    error = failure(Failing(UserError("the daemon said no")), REQUESTS[method])
    assert (error.code(), error.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "the daemon said no")


def test_an_error_for_the_user_keeps_its_own_message_when_another_led_to_it() -> None:
    class Wrapping(api.Provider):
        async def create(self, request: api.CreateRequest) -> api.CreateResponse:
            try:
                raise OSError("an inner one")
            except OSError as error:
                raise UserError("what the user should do") from error

    assert failure(Wrapping(), REQUESTS["Create"]).details() == "what the user should do"


def test_a_refused_check_is_a_failure_that_names_no_property() -> None:
    found = call(Failing(UserError("length is missing")), lambda stub: stub.Check(provider_pb2.CheckRequest(urn=URN)))
    assert [(f.property, f.reason) for f in found.failures] == [("", "length is missing")]


@pytest.mark.parametrize("method", ["Create", "Update", "Read"])
def test_what_is_not_ready_is_sent_with_the_protocols_detail(method: str) -> None:
    properties = {"name": "n", "count": 2, "key": PropertyValue("k", is_secret=True)}
    error = failure(Failing(InitFailed("an-id", properties, ["it is sick", "see its log"], {"name": "i"})), REQUESTS[method])
    # The code for which the engine looks at details as a partial failure (pulumi, provider_plugin.go, parseError).
    assert error.code() == grpc.StatusCode.UNKNOWN
    metadata = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    assert (detail.id, list(detail.reasons)) == ("an-id", ["it is sick", "see its log"])
    sent = PropertyValue.unmarshal_map(detail.properties)
    assert sent == {"name": PropertyValue("n"), "count": PropertyValue(2.0), "key": PropertyValue("k", is_secret=True)}
    assert PropertyValue.unmarshal_map(detail.inputs) == {"name": PropertyValue("i")}


def test_a_defect_says_that_it_is_one_and_where() -> None:
    error = failure(Failing(ZeroDivisionError("of its own")), REQUESTS["Create"])
    assert error.code() == grpc.StatusCode.INTERNAL
    assert "a defect of this plugin: ZeroDivisionError: of its own" in (error.details() or "")
    assert "test_common_server.py, line" in (error.details() or "")


@pytest.mark.parametrize(
    "ask",
    [
        lambda stub: stub.Handshake(provider_pb2.ProviderHandshakeRequest()),
        lambda stub: stub.GetMapping(provider_pb2.GetMappingRequest()),
        lambda stub: stub.GetMappings(provider_pb2.GetMappingsRequest()),
        lambda stub: stub.Construct(provider_pb2.ConstructRequest()),
        lambda stub: stub.GetSchema(provider_pb2.GetSchemaRequest()),
    ],
)
def test_what_it_has_not_is_unimplemented_and_says_nothing_on_stderr(ask: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert failure(api.Provider(), ask).code() == grpc.StatusCode.UNIMPLEMENTED  # type: ignore[abstract]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("changes", "sent"), [(None, "DIFF_UNKNOWN"), (True, "DIFF_SOME"), (False, "DIFF_NONE")])
def test_a_change_of_the_providers_settings_is_sent_as_what_it_is(changes: bool | None, sent: str) -> None:
    found = call(Configured(changes=changes), REQUESTS["DiffConfig"])
    assert provider_pb2.DiffResponse.DiffChanges.Name(found.changes) == sent
    assert list(found.replaces) == (["host"] if changes else [])


def test_it_tells_its_version() -> None:
    assert call(api.Provider(), lambda stub: stub.GetPluginInfo(empty_pb2.Empty())).version == "1.2.3"  # type: ignore[abstract]
