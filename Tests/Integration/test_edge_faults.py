"""What viewers get through an edge whose upstream is bad: the right bytes, or an honest error."""

import http.client
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.http import Client, Response
from support.node import Node
from support.processes import wait_until

SIZE = 400_000
GOOD = bytes(number * 7 % 251 for number in range(SIZE))
Fields = dict[str, str]


class Bad(socketserver.ThreadingTCPServer):
    """Speaks HTTP/1.1 as badly as each address says; the second time somebody asks, well."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.asked: list[tuple[str, Fields]] = []
        self.gone = threading.Event()
        #: Whether each address behaves badly.
        self.is_bad = True
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Talk(socketserver.StreamRequestHandler):
    server: Bad

    def handle(self) -> None:
        while line := self.rfile.readline():
            path = line.split()[1].decode()
            fields: Fields = {}
            while (field := self.rfile.readline().strip()) != b"":
                name, _, value = field.decode().partition(":")
                fields[name.lower()] = value.strip()
            if line.startswith(b"HEAD / "):
                # The edge asks whether there is anybody at all.
                self.say("200 OK", "Content-Length: 0\r\n", b"")
                continue
            self.server.asked.append((path, fields))
            answer = getattr(self, path.partition("?")[0].strip("/").replace("-", "_"))
            if not (answer(fields) if self.server.is_bad else self.good(fields)):
                return

    def say(self, status: str, fields: str, body: bytes) -> bool:
        head = f"HTTP/1.1 {status}\r\nCache-Control: max-age=600\r\n{fields}\r\n"
        self.wfile.write(head.encode() + body)
        self.wfile.flush()
        return True

    def good(self, fields: Fields) -> bool:
        head = 'ETag: "good"\r\nAccept-Ranges: bytes\r\n'
        if span := fields.get("range"):
            first, _, last = span.removeprefix("bytes=").partition("-")
            part = GOOD[int(first) : int(last or SIZE) + 1]
            end = int(first) + len(part) - 1
            head += f"Content-Range: bytes {first}-{end}/{SIZE}\r\nContent-Length: {len(part)}\r\n"
            return self.say("206 Partial Content", head, part)
        return self.say("200 OK", f"{head}Content-Length: {SIZE}\r\n", GOOD)

    def silent(self, _: Fields) -> bool:
        self.server.gone.wait(60)
        return False

    def slow_body(self, _: Fields) -> bool:
        self.say("200 OK", f"Content-Length: {SIZE}\r\n", GOOD[:1_000])
        self.server.gone.wait(60)
        return False

    def half(self, _: Fields) -> bool:
        self.say("200 OK", f"Content-Length: {SIZE}\r\n", GOOD[: SIZE // 2])
        return False

    def half_chunked(self, _: Fields) -> bool:
        piece = GOOD[: SIZE // 2]
        chunk = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        self.say("200 OK", "Transfer-Encoding: chunked\r\n", chunk)
        return False

    def too_long(self, _: Fields) -> bool:
        return self.say("200 OK", "Content-Length: 1000\r\n", GOOD[:2_000])

    def two_lengths(self, _: Fields) -> bool:
        return self.say("200 OK", "Content-Length: 10\r\nContent-Length: 20\r\n", GOOD[:20])

    def rubbish(self, _: Fields) -> bool:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        return False

    def redirect(self, _: Fields) -> bool:
        return self.say("302 Found", "Location: /elsewhere\r\nContent-Length: 0\r\n", b"")

    def unasked_part(self, _: Fields) -> bool:
        span = f"Content-Range: bytes 100-199/{SIZE}\r\nContent-Length: 100\r\n"
        return self.say("206 Partial Content", span, GOOD[100:200])

    def other_range(self, fields: Fields) -> bool:
        if "range" not in fields:
            return self.good(fields)
        span = f"Content-Range: bytes 5-14/{SIZE}\r\nContent-Length: 10\r\n"
        return self.say("206 Partial Content", f'ETag: "good"\r\n{span}', GOOD[5:15])

    def lying_304(self, fields: Fields) -> bool:
        if "if-none-match" in fields:
            return self.say("304 Not Modified", 'ETag: "another"\r\n', b"")
        tag = f'ETag: "{len(self.server.asked)}"\r\n'
        return self.say("200 OK", f"{tag}Content-Length: {SIZE}\r\n", GOOD)


@pytest.fixture
def upstream() -> Iterator[Bad]:
    server = Bad()
    yield server
    server.gone.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def edge(make_node: MakeNode, upstream: Bad) -> Node:
    return make_node(
        role="edge",
        WEDLIVE_EDGE_UPSTREAMS=upstream.address,
        WEDLIVE_EDGE_HEAD_TIMEOUT="1s",
        WEDLIVE_EDGE_STALL_TIMEOUT="2s",
        WEDLIVE_EDGE_SLICE="64k",
        # One that fails is asked again: the next test of it is to be well.
        WEDLIVE_EDGE_MAX_FAILS="0",
    )


def ask(edge: Node, path: str, field: str = "") -> Response:
    client = edge.client()
    try:
        return client.get(f"{edge.base}{path}", {"Range": field} if field else None)
    finally:
        client.close()


def broken(edge: Node, path: str) -> bytes:
    """What comes before an answer breaks off."""
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(edge, path)
    return caught.value.partial


def recovers(edge: Node, upstream: Bad, path: str) -> None:
    """Nothing bad is kept: once its upstream is well, the edge has the whole."""
    upstream.is_bad = False
    assert ask(edge, path).body == GOOD, path
    assert ask(edge, path, "bytes=1000-1999").body == GOOD[1_000:2_000]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "target", [b"/good\xe4", b"/good/\xc3\xa4", b"/good?\xc3\xa4", b"/good?a#b"]
)
def test_an_address_that_is_not_escaped_is_a_400(
    edge: Node, upstream: Bad, method: str, target: bytes
) -> None:
    with edge.tls().wrap_socket(
        socket.create_connection(("127.0.0.1", edge.ports["https"]), timeout=30),
        server_hostname="localhost",
    ) as connection:
        head = b"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(head % (method.encode(), target))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 400
        assert b"bad_target" in answer.read()
    assert upstream.asked == []
    assert "gave no answer" not in edge.log.read_text()


def test_an_upstream_that_never_answers_is_a_504(edge: Node, upstream: Bad) -> None:
    began = time.monotonic()
    answer = ask(edge, "/silent")
    assert answer.status == 504
    assert "origin_" in answer.text
    assert time.monotonic() - began < 15
    recovers(edge, upstream, "/silent")


@pytest.mark.parametrize("path", ["/half", "/half-chunked", "/slow-body"])
def test_half_an_object_is_no_object(edge: Node, upstream: Bad, path: str) -> None:
    part = broken(edge, path)
    assert part == GOOD[: len(part)]
    recovers(edge, upstream, path)


def test_what_is_more_than_was_said_is_nobodys(edge: Node, upstream: Bad) -> None:
    for _ in range(3):
        assert ask(edge, "/too-long").body == GOOD[:1_000]
    # Whatever followed on the connection is no answer to the next request.
    recovers(edge, upstream, "/half")


@pytest.mark.parametrize("path", ["/two-lengths", "/rubbish", "/unasked-part"])
def test_an_answer_that_makes_no_sense_is_a_502(edge: Node, upstream: Bad, path: str) -> None:
    for field in ("", "bytes=0-9"):
        answer = ask(edge, path, field)
        assert answer.status == 502, field
        assert "origin_failed" in answer.text
    recovers(edge, upstream, path)


def test_a_redirect_is_handed_on_and_followed_by_nobody(edge: Node, upstream: Bad) -> None:
    for field in ("", "bytes=0-9", "bytes=100000-100009"):
        answer = ask(edge, "/redirect", field)
        assert answer.status == 302
        assert answer.headers["location"] == "/elsewhere"
    assert {path for path, _ in upstream.asked} == {"/redirect"}


def test_another_range_than_was_asked_for_is_an_error(edge: Node, upstream: Bad) -> None:
    for _ in range(2):
        assert ask(edge, "/other-range", "bytes=100000-100009").status == 502
    # Its whole comes well, but for the slices after the first.
    upstream.is_bad = False
    assert ask(edge, "/other-range", "bytes=0-9").body == GOOD[:10]
    upstream.is_bad = True
    part = broken(edge, "/other-range")
    assert part == GOOD[: len(part)]
    assert part
    recovers(edge, upstream, "/other-range")


def kept(client: Client, url: str) -> Response | None:
    answer = client.get(url)
    return answer if "; hit" in answer.headers["cache-status"] else None


def test_a_304_about_something_else_is_not_believed(edge: Node, upstream: Bad) -> None:
    client = edge.client()
    first = wait_until(lambda: kept(client, f"{edge.base}/lying-304"), "it is kept")
    again = client.get(f"{edge.base}/lying-304", {"Cache-Control": "no-cache"})
    assert again.status == 200
    assert again.body == GOOD
    assert again.headers["etag"] not in (first.headers["etag"], '"another"')


def files(edge: Node) -> list[Path]:
    return [path for path in (edge.data / "cache").glob("??/*") if path.is_file()]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-10]),
        lambda path: path.write_bytes(path.read_bytes()[:-10] + b"otherbytes"),
        lambda path: path.write_bytes(b""),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["shorter", "other bytes", "empty", "a folder"],
)
def test_what_the_disk_has_lost_is_asked_for_again(
    edge: Node, upstream: Bad, damage: Callable[[Path], object]
) -> None:
    upstream.is_bad = False
    assert ask(edge, "/half", "bytes=100000-").body == GOOD[100_000:]
    assert ask(edge, "/half").body == GOOD
    assert ask(edge, "/silent").body == GOOD
    wait_until(lambda: len(files(edge)) >= 6, "it is on disk")
    wait_until(lambda: edge.metrics()["wedlive_edge_disk_objects"] >= 6, "it is known")
    edge.kill()
    for path in files(edge):
        damage(path)
    edge.start()
    for path in ("/half", "/silent"):
        assert ask(edge, path).body == GOOD
        assert ask(edge, path, "bytes=70000-140000").body == GOOD[70_000:140_001]


def test_a_full_disk_costs_nobody_anything(
    make_node: MakeNode, upstream: Bad, tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", folder], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("needs a small file system, which only root may mount")
    try:
        upstream.is_bad = False
        edge = make_node(
            role="edge",
            WEDLIVE_EDGE_UPSTREAMS=upstream.address,
            WEDLIVE_EDGE_DISK_PATH=str(folder),
            WEDLIVE_EDGE_SLICE="64k",
        )
        client = Client(edge.tls())
        for _ in range(2):
            for number in range(20):
                assert client.get(f"{edge.base}/half?{number}").body == GOOD
        wait_until(
            lambda: edge.metrics()['wedlive_edge_disk_events_total{event="failed"}'] > 0,
            "the disk was full",
        )
        edge.stop()
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
