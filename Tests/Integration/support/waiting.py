"""Viewers that ask, and then only wait: over HTTP/1.1 in the clear, or over HTTP/2 and TLS."""

import socket
import ssl
from collections.abc import Iterator

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8
ACK = END_STREAM = 1
END_HEADERS = 4
#: More than any object here, so that nobody has to ask for more.
WINDOW = 1 << 24


class PlainViewer:
    """One connection for one request."""

    listener = "http"

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 30)

    def ask(self, path: str) -> None:
        request = f"GET {path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n"
        self.socket.sendall(request.encode())

    def read(self) -> tuple[int, bytes]:
        """Status and body."""
        with self.socket, self.socket.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
        return int(head.split()[1]), body


class HTTP2Viewer:
    """The same over HTTP/2: what a server says at the start has been read before it asks, so the
    first byte that comes afterwards is of the response."""

    listener = "https"

    def __init__(self, port: int) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        raw = socket.create_connection(("127.0.0.1", port), 30)
        self.socket = context.wrap_socket(raw)
        assert self.socket.selected_alpn_protocol() == "h2"
        self._pending = b""
        initial_window = (4).to_bytes(2, "big") + WINDOW.to_bytes(4, "big")
        self.socket.sendall(
            PREFACE
            + _frame(SETTINGS, 0, 0, initial_window)
            + _frame(WINDOW_UPDATE, 0, 0, WINDOW.to_bytes(4, "big"))
        )
        seen: set[int] = set()
        for kind, flags, _, _ in self._frames():
            if kind == SETTINGS:
                seen.add(flags & ACK)
            if seen == {0, ACK}:
                break
        self.socket.sendall(_frame(SETTINGS, ACK, 0))

    def ask(self, path: str) -> None:
        fields = b"\x82\x87" + _literal(4, path) + _literal(1, "edge")
        self.socket.sendall(_frame(HEADERS, END_HEADERS | END_STREAM, 1, fields))

    def read(self) -> tuple[int, bytes]:
        """Status, where it is a 200, and body."""
        status, body = 0, b""
        with self.socket:
            for number, (kind, flags, stream, payload) in enumerate(self._frames()):
                assert number > 0 or (kind, stream) == (HEADERS, 1), "something came before it"
                if kind == HEADERS and _without_table_size(payload)[0] == 0x88:
                    status = 200
                if kind == DATA:
                    body += payload
                if stream == 1 and flags & END_STREAM:
                    break
        return status, body

    def _frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        while True:
            while len(self._pending) >= 9:
                end = 9 + int.from_bytes(self._pending[:3], "big")
                if len(self._pending) < end:
                    break
                frame, self._pending = self._pending[:end], self._pending[end:]
                yield frame[3], frame[4], int.from_bytes(frame[5:9], "big"), frame[9:]
            received = self.socket.recv(65536)
            assert received, "the server closed the connection"
            self._pending += received


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    )


def _literal(name: int, value: str) -> bytes:
    """A header named by its place in HPACK's static table."""
    return bytes([name, len(value)]) + value.encode()


def _without_table_size(fields: bytes) -> bytes:
    """A block of fields from its first field on (RFC 7541, 6.3)."""
    while fields[0] & 0xE0 == 0x20:
        length = 1
        if fields[0] & 0x1F == 0x1F:
            while fields[length] & 0x80:
                length += 1
            length += 1
        fields = fields[length:]
    return fields
