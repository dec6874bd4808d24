"""A thousand viewers who ask a cold edge for one object at the same moment."""

import contextlib
import select
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Iterator

import pytest
from conftest import MakeNode

from support.node import Node

CROWD = 1_000
#: What the origin has at once, and what it has only after all viewers have been given that.
HEAD, TAIL = bytes(range(256)) * 64, bytes(range(255, -1, -1)) * 64


class SlowOrigin:
    """Answers after a while, first with a part of its object, and notes when that left."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.asked: list[bytes] = []
        self.first_byte = 0.0
        #: Lets the answer begin, and end.
        self.begin, self.go_on = threading.Event(), threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while request := connection.recv(65536):
                self.asked.append(request.split(b" ")[1])
                self.begin.wait(60)
                length = len(HEAD) + len(TAIL)
                fields = f"Content-Length: {length}\r\nCache-Control: max-age=600\r\n\r\n"
                self.first_byte = time.monotonic()
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + fields.encode() + HEAD)
                self.go_on.wait(60)
                connection.sendall(TAIL)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def origin() -> Iterator[SlowOrigin]:
    made = SlowOrigin()
    yield made
    made.close()


def connect(edge: Node, count: int) -> list[ssl.SSLSocket]:
    """So many viewers' connections, their sessions' tickets already read."""
    context = edge.tls()
    made = []
    for _ in range(count):
        plain = socket.create_connection(("127.0.0.1", edge.ports["https"]), 30)
        secure = context.wrap_socket(plain, server_hostname="localhost")
        secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while not answer.endswith(b"ok\n") and not answer.endswith(b"ok"):
            answer += secure.recv(65536)
        made.append(secure)
    return made


@pytest.mark.timeout(300)
def test_a_thousand_viewers_of_a_cold_object_cost_one_request(
    make_node: MakeNode, origin: SlowOrigin
) -> None:
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=origin.address)
    viewers = connect(edge, CROWD)
    watch = select.epoll()
    for each in viewers:
        watch.register(each.fileno(), select.EPOLLIN | select.EPOLLET)
    watch.poll(0)
    for each in viewers:
        each.sendall(b"GET /segment.ts HTTP/1.1\r\nHost: localhost\r\n\r\n")
    origin.begin.set()
    # Nothing is read yet: when the kernel has the first bytes for a viewer is what counts.
    first: dict[int, float] = {}
    end = time.monotonic() + 60
    while len(first) < CROWD and time.monotonic() < end:
        events = watch.poll(1)
        now = time.monotonic()
        for number, _ in events:
            first.setdefault(number, now)
    assert len(first) == CROWD, (
        f"{CROWD - len(first)} viewers got nothing while the origin was slow"
    )
    late = sorted((each - origin.first_byte) * 1000 for each in first.values())
    print(
        f"first byte after the origin's: median {statistics.median(late):.1f} ms,"
        f" 99 % {late[CROWD * 99 // 100]:.1f} ms"
    )
    origin.go_on.set()
    for each in viewers:
        answer = b""
        while b"\r\n\r\n" not in answer or len(answer.split(b"\r\n\r\n", 1)[1]) < len(HEAD + TAIL):
            part = each.recv(1 << 20)
            assert part, "a viewer's answer ended early"
            answer += part
        head, body = answer.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200")
        assert body == HEAD + TAIL
        each.close()
    assert origin.asked == [b"/segment.ts"]
