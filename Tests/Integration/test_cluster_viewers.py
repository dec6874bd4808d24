"""Who watches at edges is counted where the stream is, for as long as it watches."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import MakeNode

from support.cluster import Cluster
from support.media import Source
from support.node import Node
from support.processes import wait_until
from support.publishers import ffmpeg5

WEDDING = "watched"


@contextmanager
def viewers(node: Node, count: int, path: str) -> Iterator[None]:
    """So many players who ask every two seconds, each by an agent and a connection of its own."""
    clients = [node.client() for _ in range(count)]
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for number, client in enumerate(clients):
                try:
                    client.get(f"{node.base}{path}", {"User-Agent": f"player {number}"})
                except OSError:
                    return
            over.wait(2)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_viewers_of_edges_are_their_origins(make_node: MakeNode, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, make_node, origins=1, edges=2)
    [origin], [first, second] = cluster.origins, cluster.edges
    source = Source(seconds=300, gop=30, rate=30)
    publisher = ffmpeg5(first.publish_url(WEDDING), source, first.certificates, tmp_path)

    def counted() -> int:
        streams = json.loads(origin.admin("/api/status").text)["streams"]
        return streams[0]["viewers"] if streams else -1

    wait_until(lambda: counted() == 0, "it is live", alive=[publisher])
    master, media = f"/hls/{WEDDING}/index.m3u8", f"/hls/{WEDDING}/main/source/index.m3u8"
    # As the program, as a camera, and at the origin itself.
    with viewers(first, 3, media), viewers(origin, 1, media):
        with viewers(second, 2, master):
            wait_until(lambda: counted() == 6, "all are counted", alive=[publisher])
            playback = f"{second.base}/api/streams/playback/{WEDDING}"
            assert json.loads(second.client().get(playback).text)["viewers"] == 6
            second.kill()
        # Nobody tells that it has died; what it has told is over after a while.
        wait_until(lambda: counted() == 4, "its viewers are gone", limit=90, alive=[publisher])
    wait_until(lambda: counted() == 0, "all have left", limit=90, alive=[publisher])
    publisher.stop()
    cluster.stop()


def test_the_first_answers_of_an_edge_that_starts_are_right(
    make_node: MakeNode, tmp_path: Path
) -> None:
    cluster = Cluster(tmp_path, make_node, origins=2, edges=2)
    first, second = cluster.edges
    source = Source(seconds=300, gop=30, rate=30)
    publisher = ffmpeg5(first.publish_url(WEDDING), source, first.certificates, tmp_path)
    master = f"/hls/{WEDDING}/index.m3u8"
    client = first.client()
    wait_until(
        lambda: client.get(first.base + master).status == 200, "it is live", alive=[publisher]
    )
    for _ in range(3):
        second.kill()
        started = threading.Thread(target=second.start)
        started.start()
        # Before it is ready nobody is let in; whoever is let in is served.
        statuses: list[int] = []
        while len(statuses) < 20:
            try:
                statuses.append(second.client().get(second.base + master).status)
            except OSError:
                assert not statuses, "it has answered before"
        started.join()
        assert set(statuses) == {200}, statuses
    publisher.stop()
    cluster.stop()
