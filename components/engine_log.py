"""Says something to the person who watches an up, from inside a dynamic provider.

The SDK gives a dynamic provider no way to log, so this asks the engine directly: its address is the plugin's first argument.
"""

import sys


def say(message: str) -> None:
    """Shows a message in the up's display; without an engine, nothing."""
    _log(message, warning=False)


def warn(message: str) -> None:
    """Shows a warning in the up's display; without an engine, nothing."""
    _log(message, warning=True)


def _log(message: str, *, warning: bool) -> None:
    if len(sys.argv) < 2 or ":" not in sys.argv[1]:
        return
    import grpc
    from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

    severity = engine_pb2.WARNING if warning else engine_pb2.INFO
    try:
        with grpc.insecure_channel(sys.argv[1]) as channel:
            engine_pb2_grpc.EngineStub(channel).Log(
                engine_pb2.LogRequest(severity=severity, message=message, ephemeral=False), timeout=2
            )
    except grpc.RpcError:
        return
