"""A crowd at a cold edge: one request to the origin, and the first byte as soon as that has it."""

import http.server
import select
import socket
import statistics
import threading
import time
from collections.abc import Iterator

import pytest
from conftest import MakeNode

from support.processes import wait_until

CROWD = 1_000
SIZE = 300_000
BODY = bytes(number % 251 for number in range(SIZE))


class Slow(http.server.ThreadingHTTPServer):
    """Takes a while until its first byte, and notes when that was."""

    daemon_threads = True
    request_queue_size = 1_024

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.first_bytes: dict[str, float] = {}
        self.all_have_asked = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Slow

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.all_have_asked.wait(60)
        self.send_response(200)
        self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        self.send_header("Content-Length", str(SIZE))
        self.server.first_bytes[self.path] = time.monotonic()
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Slow]:
    server = Slow()
    yield server
    server.shutdown()
    server.server_close()


def crowd(port: int, upstream: Slow, path: str) -> list[float]:
    """When each of a crowd had its first byte; all of them ask before there is any."""
    request = f"GET {path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n".encode()
    viewers = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(CROWD)]
    poll = select.epoll()
    for viewer in viewers:
        viewer.sendall(request)
        poll.register(viewer, select.EPOLLIN)
    # The edge reads what is sent while its origin takes its time.
    wait_until(lambda: upstream.asked, "the origin is asked")
    assert not poll.poll(0.5)
    upstream.all_have_asked.set()
    # Nothing is read before all have something: a client that reads is late to look at the next one.
    firsts: list[float] = []
    while len(firsts) < CROWD:
        events = poll.poll(30)
        assert events, f"{CROWD - len(firsts)} have got nothing"
        firsts += [time.monotonic()] * len(events)
        for number, _ in events:
            poll.unregister(number)
    for viewer in viewers:
        with viewer, viewer.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        assert body == BODY
    return firsts


def test_a_thousand_at_once_are_one_request(make_node: MakeNode, upstream: Slow) -> None:
    edge = make_node(
        role="edge",
        WEDLIVE_EDGE_UPSTREAMS=upstream.address,
        WEDLIVE_HTTP_REDIRECT="false",
    )
    firsts = crowd(edge.ports["http"], upstream, "/17-segment.ts")
    assert upstream.asked == ["/17-segment.ts"]
    origin = upstream.first_bytes["/17-segment.ts"]
    waits = sorted((at - origin) * 1000 for at in firsts)
    median = statistics.median(waits)
    print(
        f"{CROWD} viewers, 1 request to the origin; their first bytes came {waits[0]:.1f} (first),"
        f" {median:.1f} (median), {waits[-1]:.1f} ms (last) after the origin's"
    )
