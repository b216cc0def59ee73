"""Serves a provider to the engine: the SDK's servicer, with errors that a user can read.

The SDK's own server (pulumi.provider.experimental.server) sends every exception as plain text with a traceback, and has no way to
say that a resource exists but is not ready. Its imports cost 0.2 s of CPU, so it is worth keeping.
"""

import argparse
import asyncio
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import grpc
import grpc.aio
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import DiffRequest, Provider
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime import proto
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from .errors import InitFailed, UserError
from .values import property_map

_STATUS_DETAILS = "grpc-status-details-bin"
"""The trailing metadata in which gRPC carries a status with details (google.rpc.Status)."""


def serve(version: str, provider: Provider, arguments: Sequence[str] | None = None) -> None:
    """Serve `provider` as the plugin of this version until the engine ends it; prints the port for the engine."""
    parser = argparse.ArgumentParser(description="A Pulumi provider plugin; the engine starts it.")
    parser.add_argument("engine", help="address of the engine")
    known, _ = parser.parse_known_args(arguments)
    asyncio.run(_serve(version, provider, known.engine))


async def _serve(version: str, provider: Provider, engine: str) -> None:
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    servicer = Servicer([], version, provider, engine_address=engine)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


def _readable(name: str) -> Any:
    method = getattr(ProviderServicer, name)

    async def answer(self: "Servicer", request: Any, context: Any) -> Any:
        try:
            return await method(self, request, context)
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine must hear of it
            await _abort(context, _original(error))

    return answer


def _unimplemented(name: str) -> Any:
    async def answer(_self: "Servicer", _request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{name} is not implemented")

    return answer


class Servicer(ProviderServicer):
    """The SDK's servicer; UserError and InitFailed reach the engine as what they are."""

    CheckConfig = _readable("CheckConfig")
    Configure = _readable("Configure")
    Invoke = _readable("Invoke")
    GetSchema = _readable("GetSchema")
    Parameterize = _readable("Parameterize")
    Diff = _readable("Diff")
    Create = _readable("Create")
    Read = _readable("Read")
    Update = _readable("Update")
    Delete = _readable("Delete")

    # The base class answers these with a traceback on stderr, which the engine shows to the user.
    Handshake = _unimplemented("Handshake")
    Attach = _unimplemented("Attach")
    GetMapping = _unimplemented("GetMapping")
    GetMappings = _unimplemented("GetMappings")
    Construct = _unimplemented("Construct")
    Call = _unimplemented("Call")
    List = _unimplemented("List")

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Check; a UserError is a failure of the inputs."""
        try:
            return await super().Check(request, context)
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine must hear of it
            original = _original(error)
            if not isinstance(original, UserError):
                await _abort(context, original)
            # A failure names no property: the engine would print its value.
            return proto.CheckResponse(failures=[proto.CheckFailure(property="", reason=str(original))])

    async def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """DiffConfig; the SDK's sends True as DIFF_NONE (3.272)."""
        try:
            found = await self._provider.diff_config(
                DiffRequest(
                    request.urn,
                    request.id,
                    PropertyValue.unmarshal_map(request.olds),
                    PropertyValue.unmarshal_map(request.news),
                    list(request.ignoreChanges),
                )
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine must hear of it
            await _abort(context, error)
        return proto.DiffResponse(
            changes=_CHANGES[found.changes],
            replaces=found.replaces,
            diffs=found.diffs,
            deleteBeforeReplace=found.delete_before_replace,
        )


_CHANGES = {
    None: proto.DiffResponse.DIFF_UNKNOWN,
    True: proto.DiffResponse.DIFF_SOME,
    False: proto.DiffResponse.DIFF_NONE,
}


def _original(error: Exception) -> BaseException:
    """What the provider raised: the SDK raises a plain Exception with the traceback while it handles it."""
    if isinstance(error, UserError | InitFailed | NotImplementedError):
        return error
    return error.__context__ or error


async def _abort(context: Any, error: BaseException) -> NoReturn:
    """End the call with `error` in the form that the engine understands."""
    if isinstance(error, InitFailed):
        metadata = ((_STATUS_DETAILS, _init_failed(error).SerializeToString()),)
        await context.abort(grpc.StatusCode.UNKNOWN, str(error), metadata)
    if isinstance(error, UserError):
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
    if isinstance(error, NotImplementedError):
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
    where = traceback.extract_tb(error.__traceback__)[-1:]
    at = "".join(f" ({frame.filename}, line {frame.lineno})" for frame in where)
    await context.abort(grpc.StatusCode.INTERNAL, f"a defect of this plugin: {type(error).__name__}: {error}{at}")
    raise AssertionError("abort always raises")


def _init_failed(error: InitFailed) -> Any:
    details = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id,
        properties=PropertyValue.marshal_map(property_map(error.properties)),
        reasons=error.reasons,
        inputs=None if error.inputs is None else PropertyValue.marshal_map(property_map(error.inputs)),
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(details)
    return status
