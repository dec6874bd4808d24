"""A crowd at a cold edge: one request to the origin, and the first byte as soon as that has it."""

import statistics
from collections.abc import Iterator

import pytest
from conftest import MakeNode

from support.crowd import CROWD, LOOK, SlowOrigin, gather
from support.waiting import HTTP2Viewer, PlainViewer


@pytest.fixture
def upstream() -> Iterator[SlowOrigin]:
    server = SlowOrigin()
    yield server
    server.stop()


@pytest.mark.parametrize("kind", [PlainViewer, HTTP2Viewer])
def test_a_thousand_at_once_are_one_request(
    make_node: MakeNode, upstream: SlowOrigin, kind: type[PlainViewer] | type[HTTP2Viewer]
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
        seen = gather(kind, edge.ports[kind.listener], edge.pid, upstream, path)
        print(
            f"{CROWD} viewers, 1 request to the origin; their first bytes came"
            f" {seen.waits[0]:.1f} (first), {statistics.median(seen.waits):.1f} (median),"
            f" {seen.waits[-1]:.1f} ms (last) after the origin's,"
            f" or up to {LOOK * 1000} ms before that;"
            f" the edge had worked for {seen.work:.1f} ms when half of them had theirs"
        )
    assert upstream.asked == paths
