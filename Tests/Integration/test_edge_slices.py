"""An edge keeps large objects in slices: every range is the truth, cold, filling, kept, and changed."""

import http.client
import http.server
import random
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import MakeNode

from support.http import Client
from support.node import Node
from support.processes import wait_until

SLICE = 1 << 20
SIZE = 10 * SLICE + 4_321


def body(version: int) -> bytes:
    return random.Random(version).randbytes(SIZE)


BODIES = {version: body(version) for version in (1, 2)}


class Ranged(http.server.ThreadingHTTPServer):
    """Serves one object at every address, whole or a range of it, in one version or another."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.version = 1
        self.asked: list[tuple[str, str]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def ranges(self, path: str) -> list[str]:
        """What was asked for at an address; empty for the whole."""
        return [field for asked, field in self.asked if asked == path]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Ranged

    def do_GET(self) -> None:
        version = self.server.version
        field = self.headers.get("Range", "")
        self.server.asked.append((self.path, field))
        whole = BODIES[version]
        part = range(0, SIZE)
        if field:
            match = re.fullmatch(r"bytes=(\d*)-(\d*)", field)
            assert match, field
            first, last = match.groups()
            part = part[int(first) : int(last or SIZE) + 1] if first else part[-int(last) :]
        if self.headers.get("If-None-Match") == f'"{version}"':
            self.send_response_only(304)
            self.send_header("ETag", f'"{version}"')
            self.end_headers()
            return
        if not part:
            self.send_response_only(416)
            self.send_header("Content-Range", f"bytes */{SIZE}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response_only(206 if field else 200)
        if field:
            self.send_header("Content-Range", f"bytes {part[0]}-{part[-1]}/{SIZE}")
        self.send_header("ETag", f'"{version}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(whole[part[0] : part[-1] + 1])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Ranged]:
    server = Ranged()
    yield server
    server.shutdown()
    server.server_close()


def classes() -> list[str]:
    """Ranges around the ends of each slice, open ones, suffixes, and what is beyond the end."""
    fields = []
    for number in range(11):
        for start in (number * SLICE - 1, number * SLICE, number * SLICE + 1):
            if not 0 <= start < SIZE:
                continue
            fields += [f"bytes={start}-{start + more}" for more in (0, 1, SLICE - 1, SLICE)]
            fields += [f"bytes={start}-", f"bytes=-{start}" if start else "bytes=-1"]
    return [*fields, f"bytes=0-{SIZE * 2}", f"bytes=-{SIZE * 2}", f"bytes={SIZE}-"]


def check(client: Client, url: str, field: str, whole: bytes) -> None:
    answer = client.get(url, {"Range": field})
    first, _, last = field.removeprefix("bytes=").partition("-")
    if first and int(first) >= SIZE:
        assert answer.status == 416, field
        return
    start = int(first) if first else max(0, SIZE - int(last))
    end = min(int(last), SIZE - 1) if first and last else SIZE - 1
    assert answer.status == 206, f"{field}: {answer}"
    assert answer.headers["content-range"] == f"bytes {start}-{end}/{SIZE}", field
    assert answer.body == whole[start : end + 1], f"{field}: other bytes"


def check_all(edge: Node, path: str, whole: bytes) -> None:
    client = edge.client()
    for field in classes():
        check(client, f"{edge.base}{path}", field, whole)
    several = client.get(f"{edge.base}{path}", {"Range": f"bytes=0-9,{SLICE - 5}-{SLICE + 4},-7"})
    assert several.status == 206
    boundary = several.headers["content-type"].partition("boundary=")[2].encode()
    parts = [part.partition(b"\r\n\r\n")[2][:-2] for part in several.body.split(b"--" + boundary)]
    assert parts[1:4] == [whole[:10], whole[SLICE - 5 : SLICE + 5], whole[-7:]]
    assert client.get(f"{edge.base}{path}").body == whole


def test_every_range_is_the_truth(make_node: MakeNode, upstream: Ranged) -> None:
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=upstream.address)
    whole = BODIES[1]
    client = edge.client()
    # Cold: each of its own object.
    for number, field in enumerate(classes()[::7]):
        check(client, f"{edge.base}/cold?{number}", field, whole)
    # While it fills.
    with ThreadPoolExecutor(16) as pool:

        def one(field: str) -> None:
            own = edge.client()
            check(own, f"{edge.base}/filling", field, whole)
            own.close()

        list(pool.map(one, classes()))
    asked = upstream.ranges("/filling")
    slices = [field for field in asked if field]
    assert len(slices) == len(set(slices)) <= 11, f"asked for more than once: {asked}"
    # From memory, without a request.
    before = len(upstream.asked)
    check_all(edge, "/filling", whole)
    assert len(upstream.asked) == before
    # From disk, after a kill.
    wait_until(
        lambda: edge.metrics()["wedlive_edge_disk_objects"] >= 12, "what was kept is on disk"
    )
    kept = edge.metrics()["wedlive_edge_disk_objects"]
    edge.kill()
    edge.start()
    wait_until(
        lambda: edge.metrics().get("wedlive_edge_disk_objects", 0) >= kept * 0.9, "it is found"
    )
    before = len(upstream.ranges("/filling"))
    check_all(edge, "/filling", whole)
    lost = len(upstream.ranges("/filling")) - before
    assert lost <= 1, f"{lost} were asked for again"
    assert edge.metrics()['wedlive_edge_slices_total{from="disk"}'] >= 10


def test_a_changed_object_is_never_mixed(make_node: MakeNode, upstream: Ranged) -> None:
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=upstream.address)
    url = f"{edge.base}/film"
    client = edge.client()
    check(client, url, f"bytes=0-{3 * SLICE}", BODIES[1])
    upstream.version = 2
    # The first slices are of the first version, and fresh: the answer that began with them ends in
    # an error.
    with pytest.raises(http.client.IncompleteRead) as caught:
        client.get(url)
    assert caught.value.partial == BODIES[1][: len(caught.value.partial)]
    check_all(edge, "/film", BODIES[2])
    assert edge.metrics()["wedlive_edge_slices_changed_total"] == 1


@pytest.mark.parametrize("field", [f"bytes={2**63 - 1}-", f"bytes={2**63 - 2}-{2**63 - 2},0-1"])
def test_what_no_offset_can_say_is_beyond_the_end(
    make_node: MakeNode, upstream: Ranged, field: str
) -> None:
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=upstream.address)
    answer = edge.client().get(f"{edge.base}/cold", {"Range": field})
    assert answer.status == (206 if "," in field else 416)
    assert edge.client().get(f"{edge.base}/cold").body == BODIES[1]


def test_a_slow_reader_holds_one_slice_ahead(make_node: MakeNode, upstream: Ranged) -> None:
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=upstream.address)
    connection = http.client.HTTPSConnection(
        "localhost", edge.ports["https"], context=edge.tls(), timeout=30
    )
    connection.request("GET", "/slow")
    answer = connection.getresponse()
    assert answer.read(100) == BODIES[1][:100]
    wait_until(lambda: len(upstream.asked) >= 2, "the next slice is asked for")
    # What the sockets hold is a few slices at most.
    assert len(upstream.asked) <= 8
    assert answer.read() == BODIES[1][100:]
    assert len(upstream.asked) == 11
    connection.close()


def test_switched_off_a_whole_is_kept_whole(make_node: MakeNode, upstream: Ranged) -> None:
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=upstream.address, WEDLIVE_EDGE_SLICE="0")
    check(edge.client(), f"{edge.base}/film", f"bytes={5 * SLICE}-", BODIES[1])
    assert upstream.asked == [("/film", "")]
