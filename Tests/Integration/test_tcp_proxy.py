"""An edge with `rtmp.proxy: tcp` hands connections on: streams arrive, evenly, and nothing leaks."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cluster import Cluster
from support.cluster_watch import owner, owner_name, publish, sequences
from support.media import Source
from support.node import Node
from support.peers import Authority
from support.processes import Failed, Process, wait_until
from support.publishers import ffmpeg5
from support.rtmp import Connection, Refused

TCP = {
    "WEDLIVE_RTMP_PROXY": "tcp",
    "WEDLIVE_CLUSTER_SLOW_START": "0s",
    "WEDLIVE_STREAMS_RECONNECT_WINDOW": "60s",
}


@pytest.fixture
def cluster(make_node: MakeNode, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path, make_node, origins=0, edges=0)
    made.origins += [
        made.add("origin", f"origin-{number}", WEDLIVE_TRANSCODE_ENABLED="false")
        for number in (1, 2, 3, 4)
    ]
    made.edges += [made.add("edge", "edge-1", **TCP), made.add("edge", "edge-2")]
    wait_until(
        lambda: all(
            each.metrics().get('wedlive_cluster_nodes{status="usable"}', 0) == 6
            for each in made.edges
        ),
        "edges know all nodes",
    )
    yield made
    made.stop()


def publishers(nodes: list[Node]) -> list[int]:
    return [int(each.metrics()["wedlive_rtmp_publishers"]) for each in nodes]


def test_a_stream_arrives_and_comes_back(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge, other = cluster.edges
    first = publish(edge, "plain", tmp_path, "first")
    cleanup.append(first)
    for each in (edge, other):
        wait_until(lambda each=each: len(sequences(each, "plain")) >= 3, "seen", alive=[first])  # type: ignore[misc]
    holder = owner_name(cluster, "plain")
    metrics = edge.metrics()
    assert metrics["wedlive_tcp_proxy_connections"] == 1
    assert metrics['wedlive_tcp_proxy_bytes_total{direction="to_origin"}'] > 10_000
    assert metrics['wedlive_tcp_proxy_bytes_total{direction="to_client"}'] > 3_000

    # Another node says so, too.
    def told() -> tuple[int, bool]:
        nodes = json.loads(other.admin("/api/nodes").text)["nodes"]
        own = next(each for each in nodes if each["id"] == "edge-1")
        return own["publishers"], own["bitsInPerSecond"] > 100_000

    wait_until(lambda: told() == (1, True), "its heartbeats say whom it has", alive=[first])
    # An edge that understands nothing has no streams of its own.
    assert "wedlive_relay_streams" not in metrics

    # Every other origin would refuse it for a minute.
    first.kill()
    wait_until(lambda: edge.metrics()["wedlive_tcp_proxy_connections"] == 0, "it has gone")
    newest = sequences(edge, "plain")[-1]
    second = publish(edge, "plain", tmp_path, "second")
    cleanup.append(second)
    wait_until(lambda: sequences(edge, "plain")[-1] > newest + 2, "it goes on", alive=[second])
    assert owner_name(cluster, "plain") == holder

    # Where its origin dies it is closed at once, and finds another one.
    newest = sequences(edge, "plain")[-1]
    owner(cluster, "plain").kill()
    wait_until(lambda: second.ended, "its connection is closed")

    def again() -> bool:
        try:
            Connection(edge.publish_url("plain"), publish=True).close()
        except (Refused, OSError):
            return False
        return True

    wait_until(again, "another origin takes it")
    third = publish(edge, "plain", tmp_path, "third")
    cleanup.append(third)
    wait_until(lambda: sequences(edge, "plain")[-1] > newest + 2, "it goes on", alive=[third])
    assert owner_name(cluster, "plain") != holder


def test_connections_are_spread_evenly_and_counted_exactly(cluster: Cluster) -> None:
    edge = cluster.edges[0]
    urls = [edge.publish_url(f"even-{number}") for number in range(40)]
    opened = [Connection(url, publish=True) for url in urls]
    counts = publishers(cluster.origins)
    print(f"40 publishers: {counts}")
    assert counts == [10, 10, 10, 10]
    for number, each in enumerate(opened):
        if number % 2:
            each.socket.setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # SO_LINGER: a reset
        each.close()
    for number in range(200):
        with contextlib.suppress(Refused, OSError):
            Connection(urls[number % 40], publish=number % 3 == 0).close()
    wait_until(lambda: edge.metrics()["wedlive_tcp_proxy_connections"] == 0, "all have gone")
    wait_until(lambda: sum(publishers(cluster.origins)) == 0, "none publishes")
    assert edge.metrics()["wedlive_tcp_proxy_pipes"] == 0
    again = [Connection(edge.publish_url(f"after-{number}"), publish=True) for number in range(40)]
    counts = publishers(cluster.origins)
    print(f"and then {counts}")
    for each in again:
        each.close()
    assert max(counts) - min(counts) <= 2, counts


def test_under_certificates_bytes_go_through_tls(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    """RTMP and RTMPS publishers, an origin that lets nobody in without a certificate."""
    authority = Authority(tmp_path / "authority")

    def make(**given: str) -> Node:
        return make_node(**{**given, **authority.settings(given["WEDLIVE_NODE_ID"])})

    cluster = Cluster(tmp_path, make, origins=2, edges=0)
    try:
        edge = cluster.add("edge", "edge-1", **TCP)
        for scheme in ("rtmp", "rtmps"):
            wedding = f"over-{scheme}"
            (tmp_path / scheme).mkdir()
            url = edge.publish_url(wedding, scheme)
            publisher = ffmpeg5(url, Source(seconds=300), edge.certificates, tmp_path / scheme)
            cleanup.append(publisher)
            wait_until(
                lambda wedding=wedding: len(sequences(edge, wedding)) >= 3,  # type: ignore[misc]
                f"{wedding} is seen",
                alive=[publisher],
            )
        assert edge.metrics()["wedlive_tcp_proxy_connections"] == 2
    finally:
        cluster.stop()


def test_an_edge_without_a_cluster_says_what_it_needs(make_node: MakeNode) -> None:
    with pytest.raises(Failed, match=r"rtmp\.proxy: tcp needs redis\.url"):
        make_node(
            role="edge",
            WEDLIVE_RTMP_PROXY="tcp",
            WEDLIVE_EDGE_UPSTREAMS="http://127.0.0.1:9",
        )
