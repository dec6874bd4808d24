"""TLS connections as a client that does nothing else: a program of its own.

connections.py handshakes URL COUNT     one after the other, each with a full handshake
connections.py idle URL COUNT MORE      COUNT held open, MORE after SIGUSR1, until SIGTERM
"""

import resource
import signal
import socket
import ssl
import sys
from urllib.parse import urlsplit

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, HEADERS, GOAWAY = 4, 1, 7


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    )


def literal(name: int, value: str) -> bytes:
    """A header named by its place in HPACK's static table, value as is, added to the table."""
    return bytes([0x40 | name, len(value)]) + value.encode()


class Connection:
    """One TLS connection that speaks as much HTTP/2 as it takes to ask for one object."""

    def __init__(self, context: ssl.SSLContext, url: str) -> None:
        parts = urlsplit(url)
        raw = socket.create_connection((parts.hostname, parts.port), 30)
        self.tls = context.wrap_socket(raw, server_hostname=parts.hostname)
        if self.tls.session_reused or self.tls.selected_alpn_protocol() != "h2":
            sys.exit("the handshake was not a full one, or not for HTTP/2")
        self.parts = parts
        self.tls.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def _frames(self):
        pending = b""
        while True:
            while len(pending) >= 9:
                length = int.from_bytes(pending[:3], "big")
                if len(pending) < 9 + length:
                    break
                yield pending[3], pending[4], int.from_bytes(pending[5:9], "big")
                pending = pending[9 + length :]
            received = self.tls.recv(65536)
            if not received:
                sys.exit("the server closed a connection")
            pending += received

    def wait_for_settings(self) -> None:
        for kind, flags, _ in self._frames():
            if kind == SETTINGS and not flags & 1:
                return

    def get(self) -> None:
        """Asks as a browser asks (some headers are kept in the server's table), reads the answer."""
        fields = b"\x82\x87" + literal(4, self.parts.path) + literal(1, self.parts.netloc)
        fields += (
            b"\x90"
            + literal(58, "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0")
            + literal(19, "*/*")
        )
        self.tls.sendall(frame(SETTINGS, 1, 0) + frame(HEADERS, 5, 1, fields))
        for kind, flags, stream in self._frames():
            if kind == GOAWAY:
                sys.exit("the server said goodbye")
            if stream == 1 and flags & 1:
                return


def context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.set_alpn_protocols(["h2"])
    return made


def handshakes(url: str, count: int) -> None:
    made = context()
    for _ in range(count):
        connection = Connection(made, url)
        connection.wait_for_settings()
        connection.tls.close()


def idle(url: str, first: int, more: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, max(8192, resource.getrlimit(7)[1])))
    made = context()
    held: list[Connection] = []
    for number in (first, more):
        for _ in range(number):
            connection = Connection(made, url)
            connection.get()
            held.append(connection)
        print(f"open {len(held)}", flush=True)
        signal.sigwait({signal.SIGUSR1})


if __name__ == "__main__":
    if sys.argv[1] == "handshakes":
        handshakes(sys.argv[2], int(sys.argv[3]))
    else:
        idle(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
