"""Publishers are spread over origins evenly, newcomers are given theirs slowly, counts are exact."""

import itertools
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support import rtmp_load
from support.cluster import Cluster
from support.media import Source
from support.node import Node
from support.processes import Process, wait_until
from support.rtmp import Connection, Refused

SMALL = Source(seconds=10, width=64, height=36, rate=5, gop=5, kbits=20)
#: Edges count an origin as a newcomer for so many seconds.
SLOW_START = 15


@pytest.fixture
def cluster(make_node: MakeNode, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path, make_node, origins=0, edges=0)
    made.origins += [add_origin(made, number) for number in range(1, 5)]
    made.edges += [
        made.add("edge", f"edge-{number}", WEDLIVE_CLUSTER_SLOW_START=f"{SLOW_START}s")
        for number in (1, 2)
    ]
    settled = time.monotonic() + SLOW_START + 2
    wait_until(lambda: time.monotonic() > settled, "none of them is a newcomer")
    yield made
    made.stop()


def add_origin(cluster: Cluster, number: int) -> Node:
    return cluster.add("origin", f"origin-{number}", WEDLIVE_TRANSCODE_ENABLED="false")


def publishers(nodes: list[Node]) -> list[int]:
    return [int(each.metrics()["wedlive_rtmp_publishers"]) for each in nodes]


def believed(edge: Node) -> set[int]:
    """How many publishers the origins have, as an edge knows it."""
    nodes = json.loads(edge.admin("/api/nodes").body)["nodes"]
    return {each["publishers"] for each in nodes if each["role"] == "origin"}


def publish_many(edges: list[Node], names: list[str], folder: Path, name: str) -> Process:
    """Publishers of these weddings, at one edge and the other in turn, as one process."""
    urls = [edge.publish_url(wedding) for edge, wedding in zip(itertools.cycle(edges), names)]
    words = [sys.executable, rtmp_load.__file__, "publish", SMALL.file, "600", *urls]
    return Process(name, words, folder / f"{name}.log")


@pytest.mark.interop
@pytest.mark.timeout(600)
@pytest.mark.parametrize("edges", [1, 2])
def test_two_hundred_publishers_are_spread_evenly(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path, edges: int
) -> None:
    here = cluster.edges[:edges]
    names = [f"even-{number}" for number in range(200)]
    cleanup.append(publish_many(here, names, tmp_path, "load"))
    wait_until(lambda: sum(publishers(cluster.origins)) == 200, "all publish", 180, alive=cleanup)
    counts = publishers(cluster.origins)
    print(f"{edges} edges: {counts}")
    assert max(counts) - min(counts) <= 2, counts
    assert all(abs(each - 50) <= 1 for each in counts), counts
    if edges > 1:
        return

    began = time.monotonic()
    joined = add_origin(cluster, 5)
    cluster.origins.append(joined)
    seen: list[int] = []
    for turn in range(5):
        more = [f"more-{turn}-{number}" for number in range(10)]
        cleanup.append(publish_many(here, more, tmp_path, f"more-{turn}"))
        wait_until(
            lambda turn=turn: sum(publishers(cluster.origins)) == 210 + 10 * turn,  # type: ignore[misc]
            "they publish",
            alive=cleanup,
        )
        seen.append(publishers([joined])[0])
    print(f"the newcomer had {seen} of its 50 within {time.monotonic() - began:.0f} s")
    wait_until(lambda: time.monotonic() > began + SLOW_START + 2, "it is no newcomer any more")
    last = [f"last-{number}" for number in range(60)]
    cleanup.append(publish_many(here, last, tmp_path, "last"))
    wait_until(lambda: sum(publishers(cluster.origins)) == 310, "they publish", 120, alive=cleanup)
    counts = publishers(cluster.origins)
    print(f"and at last {counts}")
    assert seen[0] < 10, "it is not given all at once"
    assert seen == sorted(seen)
    assert max(counts) - min(counts) <= 2, counts


@pytest.mark.interop
@pytest.mark.timeout(900)
def test_counts_are_exact_after_ten_thousand_connections(cluster: Cluster) -> None:
    """Half of them are reset as soon as they publish, in the midst of everything else."""
    edges = cluster.edges
    urls = [
        edge.publish_url(f"abort-{number}")
        for number, edge in zip(range(20), itertools.cycle(edges))
    ]
    refused: list[str] = []

    def connect(url: str) -> None:
        for turn in range(500):
            try:
                connection = Connection(url, publish=True)
            except (Refused, OSError) as failure:
                refused.append(repr(failure))
                continue
            if turn % 2:
                connection.socket.setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # SO_LINGER: a reset
            connection.close()

    threads = [threading.Thread(target=connect, args=(url,)) for url in urls]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    print(f"{len(refused)} of 10,000 were refused: {set(refused)}")
    for name, nodes in (
        ("wedlive_rtmp_publishers", [*cluster.origins, *edges]),
        ("wedlive_relay_streams", edges),
        ("wedlive_relay_origin_connections", edges),
        ("wedlive_relay_kept_bytes", edges),
    ):
        wait_until(
            lambda name=name, nodes=nodes: all(each.metrics()[name] == 0 for each in nodes),  # type: ignore[misc]
            f"{name} is 0",
        )
    # What an edge believes decides where the next ones go: evenly, where nothing has leaked. Of the
    # other edge's publishers it knows by what origins said last, every two seconds.
    for number, edge in enumerate(edges):
        wait_until(lambda edge=edge: believed(edge) == {0}, "all records say so")  # type: ignore[misc]
        opened = [
            Connection(edge.publish_url(f"after-{number}-{each}"), publish=True)
            for each in range(40)
        ]
        counts = publishers(cluster.origins)
        for connection in opened:
            connection.close()
        print(f"then 40 of edge {number + 1} went to {counts}")
        assert max(counts) - min(counts) <= 2, counts
