"""A crowd at a cold edge: one request to the origin, and the first byte as soon as that has it."""

import contextlib
import http.server
import os
import select
import statistics
import threading
import time
from collections.abc import Iterator

import pytest
from conftest import MakeNode

from support.node import Node
from support.processes import wait_until
from support.waiting import HTTP2Viewer, PlainViewer

CROWD = 1_000
SIZE = 300_000
#: How often it is looked who has got something, in seconds: oftener takes the cores from the edge.
LOOK = 0.000_5
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
        look_in_time()
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


def look_in_time() -> None:
    """Has this thread run before all others, where it may: it is there to see when things happen."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def worked(pid: int) -> float:
    """Seconds of CPU time that a process has had so far (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


def crowd(
    kind: type[PlainViewer] | type[HTTP2Viewer], edge: Node, upstream: Slow, path: str
) -> tuple[list[float], float]:
    """When each of a crowd had its first byte at the latest, and how long the edge had worked for half
    of them; all ask before there is any."""
    port = edge.ports[kind.listener]
    viewers = [kind(port) for _ in range(CROWD)]
    poll = select.epoll(CROWD)
    for viewer in viewers:
        viewer.ask(path)
        poll.register(viewer.socket, select.EPOLLIN | select.EPOLLONESHOT)
    # The edge reads what is sent while its origin takes its time.
    wait_until(lambda: path in upstream.asked, "the origin is asked")
    time.sleep(0.5)
    assert not poll.poll(0)
    before, work = worked(edge.pid), 0.0
    upstream.all_have_asked.set()
    # It looks now and then, and reads nothing before all have something: real viewers
    # don't take the cores on which the edge works.
    firsts: list[float] = []
    limit = time.monotonic() + 30
    usual = os.sched_getscheduler(0), os.sched_getparam(0)
    look_in_time()
    while len(firsts) < CROWD:
        time.sleep(LOOK)
        firsts += [time.monotonic()] * len(poll.poll(0, CROWD))
        if not work and len(firsts) >= CROWD / 2:
            work = worked(edge.pid) - before
        assert time.monotonic() < limit, f"{CROWD - len(firsts)} have got nothing"
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, *usual)
    for viewer in viewers:
        status, body = viewer.read()
        assert status == 200
        assert body == BODY
    return firsts, work


@pytest.mark.parametrize("kind", [PlainViewer, HTTP2Viewer])
def test_a_thousand_at_once_are_one_request(
    make_node: MakeNode, upstream: Slow, kind: type[PlainViewer] | type[HTTP2Viewer]
) -> None:
    edge = make_node(
        role="edge",
        WEDLIVE_EDGE_UPSTREAMS=upstream.address,
        WEDLIVE_HTTP_REDIRECT="false",
        # The first of them waits for the last one's handshake before it asks.
        WEDLIVE_HTTP_HEADER_TIMEOUT="2m",
    )
    # An edge that has just started has to touch much of its memory for the first time.
    paths = [f"/{number}-segment.ts" for number in range(3)]
    for path in paths:
        upstream.all_have_asked.clear()
        firsts, work = crowd(kind, edge, upstream, path)
        origin = upstream.first_bytes[path]
        waits = sorted((at - origin) * 1000 for at in firsts)
        print(
            f"{CROWD} viewers, 1 request to the origin; their first bytes came {waits[0]:.1f} (first),"
            f" {statistics.median(waits):.1f} (median), {waits[-1]:.1f} ms (last) after the origin's,"
            f" or up to {LOOK * 1000} ms before that;"
            f" the edge had worked for {work * 1000:.1f} ms when half of them had theirs"
        )
    assert upstream.asked == paths
