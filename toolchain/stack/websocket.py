"""A client's end of a WebSocket (RFC 6455), as far as Kubernetes' port forwarding needs it: binary messages, one connection."""

import base64
import os
import socket
import struct
import threading
from collections.abc import Iterator, Mapping

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_LONGEST_HEAD = 65536


class Closed(Exception):
    """The other end has closed the connection, or refused it."""


class WebSocket:
    """A connection over a socket that is connected, TLS included."""

    def __init__(self, connection: socket.socket, host: str, path: str, protocol: str, headers: Mapping[str, str]) -> None:
        """Shakes hands.

        Raises:
            Closed: the server refused; the text says with which status.
        """
        self._socket = connection
        self._lock = threading.Lock()
        self._rest = b""
        lines = {
            "Host": host,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": protocol,
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        while b"\r\n\r\n" not in self._rest:
            piece = connection.recv(4096)
            if not piece or len(self._rest) > _LONGEST_HEAD:
                raise Closed("it gave no answer")
            self._rest += piece
        answer, _, self._rest = self._rest.partition(b"\r\n\r\n")
        status = answer.split(b"\r\n", 1)[0].decode(errors="replace")
        if " 101" not in status:
            raise Closed(status)

    def send(self, message: bytes) -> None:
        """Sends one binary message."""
        self._frame(_BINARY, message)

    def messages(self) -> Iterator[bytes]:
        """What comes, message by message, until the other end closes."""
        whole = b""
        while True:
            try:
                final, kind, payload = self._read_frame()
            except (Closed, OSError):
                return
            if kind == _CLOSE:
                return
            if kind == _PING:
                self._frame(_PONG, payload)
            elif kind != _PONG:
                whole += payload
                if final:
                    yield whole
                    whole = b""

    def close(self) -> None:
        """Says goodbye, and ends whoever reads or writes."""
        try:
            self._frame(_CLOSE, b"")
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def _frame(self, kind: int, payload: bytes) -> None:
        # A client masks what it sends (RFC 6455, 5.3).
        mask, length = os.urandom(4), len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x80 | kind, 0x80 | length)
        elif length < 65536:
            head = struct.pack("!BBH", 0x80 | kind, 0x80 | 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 0x80 | 127, length)
        with self._lock:
            self._socket.sendall(head + mask + _masked(payload, mask))

    def _read_frame(self) -> tuple[bool, int, bytes]:
        first, second = self._exactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._exactly(8))
        mask = self._exactly(4) if second & 0x80 else b""
        payload = self._exactly(length)
        return bool(first & 0x80), first & 0x0F, _masked(payload, mask) if mask else payload

    def _exactly(self, count: int) -> bytes:
        while len(self._rest) < count:
            piece = self._socket.recv(65536)
            if not piece:
                raise Closed("the connection ended")
            self._rest += piece
        found, self._rest = self._rest[:count], self._rest[count:]
        return found


def _masked(payload: bytes, mask: bytes) -> bytes:
    # As one number: byte by byte it would be the slowest part of a transfer.
    length = len(payload)
    if not length:
        return b""
    repeated = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
