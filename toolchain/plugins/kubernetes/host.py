"""Messages to the engine's user beside the result of an operation: warnings, and what is being waited for."""

import threading
from typing import Any

_INFO, _WARNING = 1, 2
"""LogSeverity (pulumi, proto/pulumi/engine.proto)."""


class Host:
    """The engine that started this plugin. A message that can't be delivered is dropped: it never fails an operation."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._engine: Any = None

    def warn(self, urn: str, message: str) -> None:
        """A warning that stays in the run's output."""
        self._log(urn, message, _WARNING, ephemeral=False)

    def status(self, urn: str, message: str) -> None:
        """What happens now; the next status, or an empty one, takes its place."""
        self._log(urn, message, _INFO, ephemeral=True)

    def _log(self, urn: str, message: str, severity: int, *, ephemeral: bool) -> None:
        if not self._address:
            return
        import grpc
        from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

        with self._lock:
            if self._engine is None:
                self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self._address))
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)  # type: ignore[arg-type]
        try:
            self._engine.Log(request, timeout=5)
        except grpc.RpcError:
            return
