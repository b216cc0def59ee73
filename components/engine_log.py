"""Says something to the person who watches an up, from inside a dynamic provider.

The SDK gives a dynamic provider no way to log, so this asks the engine directly: its address is the plugin's first argument.
"""

import sys


def say(message: str) -> None:
    """Shows a passing message in the up's display; without an engine, nothing."""
    if len(sys.argv) < 2 or ":" not in sys.argv[1]:
        return
    import grpc
    from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

    try:
        with grpc.insecure_channel(sys.argv[1]) as channel:
            engine_pb2_grpc.EngineStub(channel).Log(
                engine_pb2.LogRequest(severity=engine_pb2.INFO, message=message, ephemeral=False), timeout=2
            )
    except grpc.RpcError:
        return
