"""A crowd that asks for the same object before there is any of it."""

import contextlib
import http.server
import os
import select
import threading
import time
from dataclasses import dataclass

from support.processes import wait_until
from support.waiting import HTTP2Viewer, PlainViewer

CROWD = 1_000
SIZE = 300_000
#: How often it is looked who has got something, in seconds: oftener takes the cores from the edge.
LOOK = 0.000_5
BODY = bytes(number % 251 for number in range(SIZE))


class SlowOrigin(http.server.ThreadingHTTPServer):
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
    def port(self) -> int:
        return self.server_address[1]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.all_have_asked.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    server: SlowOrigin

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


@dataclass
class Seen:
    """What became of a crowd."""

    #: When each had its first byte at the latest, in milliseconds after the origin's, sorted.
    waits: list[float]
    #: How long the server had worked for half of them, in milliseconds.
    work: float


def look_in_time() -> None:
    """Has this thread run before all others, where it may: it is there to see when things happen."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def worked(pid: int) -> float:
    """Seconds of CPU time that a process has had so far (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


def gather(
    kind: type[PlainViewer] | type[HTTP2Viewer],
    port: int,
    pid: int,
    origin: SlowOrigin,
    path: str,
    count: int = CROWD,
) -> Seen:
    """Has a crowd ask the server `pid` at `port`, then its origin answer, and reads all answers."""
    origin.all_have_asked.clear()
    viewers = [kind(port) for _ in range(count)]
    poll = select.epoll(count)
    for viewer in viewers:
        viewer.ask(path)
        poll.register(viewer.socket, select.EPOLLIN | select.EPOLLONESHOT)
    # The edge reads what is sent while its origin takes its time.
    wait_until(lambda: path in origin.asked, "the origin is asked")
    time.sleep(0.5)
    assert not poll.poll(0)
    before, work = worked(pid), 0.0
    origin.all_have_asked.set()
    # It looks now and then, and reads nothing before all have something: real viewers
    # don't take the cores on which the edge works.
    firsts: list[float] = []
    limit = time.monotonic() + 30
    usual = os.sched_getscheduler(0), os.sched_getparam(0)
    look_in_time()
    while len(firsts) < count:
        time.sleep(LOOK)
        firsts += [time.monotonic()] * len(poll.poll(0, count))
        if not work and len(firsts) >= count / 2:
            work = worked(pid) - before
        assert time.monotonic() < limit, f"{count - len(firsts)} have got nothing"
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, *usual)
    for viewer in viewers:
        status, body = viewer.read()
        assert status == 200
        assert body == BODY
    first = origin.first_bytes[path]
    return Seen(sorted((at - first) * 1000 for at in firsts), work * 1000)
