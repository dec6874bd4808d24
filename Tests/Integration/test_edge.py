"""An edge in front of other servers: what viewers get through it, and what those are asked."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.http import Client
from support.media import Source
from support.players import ffmpeg9_decodes
from support.processes import wait_until
from support.publishers import ffmpeg5
from support.streams import wait_on_air


class Counted(http.server.ThreadingHTTPServer):
    """Serves one object of ten megabytes at every address, and counts who asks."""

    daemon_threads = True
    body = bytes(range(256)) * (10 << 12)

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Counted

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Content-Length", str(len(Counted.body)))
        self.end_headers()
        self.wfile.write(Counted.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Counted]:
    server = Counted()
    yield server
    server.shutdown()
    server.server_close()


def test_an_edge_plays_what_its_origin_has(make_node: MakeNode, tmp_path: Path) -> None:
    origin = make_node(WEDLIVE_ACCESS_WATCH="public")
    edge = make_node(
        role="edge",
        WEDLIVE_EDGE_UPSTREAMS=origin.base,
        WEDLIVE_EDGE_CA=str(origin.certificates.authority),
    )
    url = origin.publish_url("through-edge")
    with ffmpeg5(url, Source(seconds=300), origin.certificates, tmp_path) as publisher:
        wait_on_air(origin, "through-edge", 3, publisher)
        assert ffmpeg9_decodes(edge.master_url("through-edge"), 5, edge.certificates) >= 140
    counts = edge.metrics()
    assert counts['wedlive_edge_requests_total{cache="MISS"}'] > 0


def test_every_range_is_the_truth_cold_and_kept_and_after_a_kill(
    make_node: MakeNode, upstream: Counted
) -> None:
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=upstream.address)
    whole = Counted.body
    ranges = [(0, 0), (0, 99), (1 << 20, (2 << 20) - 1), (len(whole) - 1, len(whole) - 1)]
    ranges += [(number * 997_001, number * 997_001 + 70_000) for number in range(10)]

    def check(client: Client, path: str) -> None:
        for first, last in ranges:
            answer = client.get(f"{edge.base}{path}", {"Range": f"bytes={first}-{last}"})
            assert answer.status == 206, f"{path}: bytes {first}-{last}"
            assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
            assert answer.body == whole[first : last + 1], f"{path}: bytes {first}-{last}"
        assert client.get(f"{edge.base}{path}", {"Range": "bytes=-5"}).body == whole[-5:]
        beyond = client.get(f"{edge.base}{path}", {"Range": f"bytes={len(whole)}-"})
        assert beyond.status == 416

    client = edge.client()
    check(client, "/film")
    assert client.get(f"{edge.base}/film").body == whole
    check(client, "/film")
    assert upstream.asked.count("/film") == 1
    wait_until(lambda: edge.metrics().get("wedlive_edge_disk_objects", 0) >= 1, "it is on disk")
    edge.kill()
    edge.start()
    wait_until(
        lambda: edge.metrics().get("wedlive_edge_disk_objects", 0) >= 1, "it is found on disk"
    )
    check(edge.client(), "/film")
    assert upstream.asked.count("/film") == 1


def test_an_upstream_that_is_gone_is_left_alone(make_node: MakeNode, upstream: Counted) -> None:
    gone = Counted()
    gone.shutdown()
    gone.server_close()
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=f"{gone.address},{upstream.address}")
    client = edge.client()
    for number in range(20):
        assert client.get(f"{edge.base}/{number}").status == 200
    counts = edge.metrics()
    name = gone.address.removeprefix("http://")
    assert counts[f'wedlive_edge_upstream_failures_total{{upstream="{name}"}}'] == 3


def test_without_any_upstream_that_answers_the_error_says_so(make_node: MakeNode) -> None:
    gone = Counted()
    gone.shutdown()
    gone.server_close()
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=gone.address)
    answer = edge.client().get(f"{edge.base}/film")
    assert answer.status == 502
    assert "The origin gave no answer" in answer.text


def test_an_edge_is_ready_once_an_upstream_has_answered(make_node: MakeNode) -> None:
    first = Counted()
    port = first.server_address[1]
    first.shutdown()
    first.server_close()
    edge = make_node(
        role="edge",
        WEDLIVE_EDGE_UPSTREAMS=f"http://127.0.0.1:{port}",
        WEDLIVE_EDGE_PROBE_EVERY="200ms",
        WEDLIVE_EDGE_FAIL_TIMEOUT="1s",
    )
    assert edge.admin("/readyz").status == 503
    assert "no upstream has answered yet" in edge.admin("/readyz").text
    assert edge.client().get(f"{edge.base}/readyz").status == 503
    assert edge.admin("/healthz").status == 200
    upstream = Counted(port)
    wait_until(lambda: edge.admin("/readyz").status == 200, "it is ready with an upstream")
    assert edge.admin("/readyz").text == "ready\n"
    assert edge.client().get(f"{edge.base}/film").body == Counted.body
    # All edges have lost the same one: a balancer is to have some left, and they have what they keep.
    upstream.shutdown()
    upstream.server_close()
    for number in range(3):
        assert edge.client().get(f"{edge.base}/{number}").status == 502
    wait_until(lambda: "no upstream answers" in edge.admin("/readyz").text, "it says so")
    assert edge.admin("/readyz").status == 200
    assert edge.metrics()["wedlive_edge_upstreams_answer"] == 0
    assert edge.said("no upstream answers")
    # That they may be tried again doesn't say that they answer.
    rested = time.monotonic() + 2
    wait_until(lambda: time.monotonic() > rested, "they are tried again")
    assert "no upstream answers" in edge.admin("/readyz").text
    assert edge.client().get(f"{edge.base}/film").body == Counted.body
    again = Counted(port)
    wait_until(lambda: edge.admin("/readyz").text == "ready\n", "it is as before")
    assert edge.metrics()["wedlive_edge_upstreams_answer"] == 1
    again.shutdown()
    again.server_close()


def test_an_edge_says_why_its_upstream_is_not_believed(
    make_node: MakeNode, tmp_path: Path, upstream: Counted
) -> None:
    """Before anybody asks: its certificate is of an authority that nobody has named."""
    origin = make_node(WEDLIVE_ACCESS_WATCH="public")
    edge = make_node(
        role="edge",
        WEDLIVE_EDGE_UPSTREAMS=f"{origin.base}",
        WEDLIVE_EDGE_PROBE_EVERY="200ms",
    )
    address = f"https://localhost:{origin.ports['https']}"
    wait_until(lambda: edge.said("an upstream doesn't answer"), "it says so in the log")
    (said,) = edge.said("an upstream doesn't answer")
    assert said["upstream"] == address
    assert "certificate" in said["error"]
    assert "edge.ca" in said["cause"]
    # Everybody is told why, and the operator whose.
    for answer in (edge.admin("/readyz"), edge.client().get(f"{edge.base}/readyz")):
        assert answer.status == 503
        assert "its certificate isn't trusted" in answer.text
        assert "localhost" not in answer.text
    status = json.loads(edge.admin("/api/status").text)
    assert address in status["remark"]
    assert "certificate" in status["remark"]
    # Beside one that answers it is told of in the log.
    both = make_node(
        role="edge",
        WEDLIVE_EDGE_UPSTREAMS=f"{origin.base},{upstream.address}",
        WEDLIVE_EDGE_PROBE_EVERY="200ms",
    )
    wait_until(lambda: both.admin("/readyz").text == "ready\n", "one answers")
    wait_until(lambda: both.said("an upstream doesn't answer"), "it says so in the log")
    assert "remark" not in json.loads(both.admin("/api/status").text)
