"""Origins and edges that meet at Redis: streams are found, and go on when a node dies."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cluster import Cluster
from support.media import Source
from support.node import Node
from support.processes import Process, wait_until
from support.publishers import ffmpeg5
from support.streams import wait_on_air


@pytest.fixture
def cluster(make_node: MakeNode, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path, make_node, origins=2, edges=2)
    yield made
    made.stop()


def publish(node: Node, wedding: str, folder: Path, name: str = "publisher") -> Process:
    (folder / name).mkdir(exist_ok=True)
    source = Source(seconds=600)
    return ffmpeg5(node.publish_url(wedding), source, node.certificates, folder / name)


def sequences(node: Node, wedding: str) -> list[int]:
    """The numbers of the segments that its playlist lists; none while there is no playlist."""
    answer = node.client().get(f"{node.base}/hls/{wedding}/main/source/index.m3u8")
    if answer.status != 200:
        return []
    lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    return [int(line.split("-")[0]) for line in lines]


def test_a_stream_of_any_origin_is_found_by_every_edge(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    for number, origin in enumerate(cluster.origins):
        wedding = f"wedding-{number}"
        publisher = publish(origin, wedding, tmp_path, wedding)
        cleanup.append(publisher)
        wait_on_air(origin, wedding, 2, publisher)
        for edge in cluster.edges:
            wait_until(
                lambda edge=edge, wedding=wedding: sequences(edge, wedding) != [],  # type: ignore[misc]
                "the edge has the stream",
            )


def test_one_stream_is_one_origins(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    first, second = cluster.origins
    publisher = publish(first, "claimed", tmp_path)
    cleanup.append(publisher)
    wait_on_air(first, "claimed", 2, publisher)
    other = publish(second, "claimed", tmp_path, "other")
    cleanup.append(other)
    wait_until(lambda: other.ended, "the second publisher is refused")
    assert "already being published" in (tmp_path / "other/ffmpeg5.log").read_text()
    assert not publisher.ended


def test_another_origin_goes_on_where_one_was_killed(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    first, second = cluster.origins
    edge = cluster.edges[0]
    publisher = publish(first, "moved", tmp_path)
    cleanup.append(publisher)
    wait_on_air(first, "moved", 4, publisher)
    wait_until(lambda: len(sequences(edge, "moved")) >= 4, "the edge follows")
    first.kill()
    before = sequences(edge, "moved")
    assert before, "the edge serves what it has"

    def begun() -> bool:
        again = publish(second, "moved", tmp_path, "again")
        cleanup.append(again)
        wait_until(
            lambda: again.ended or max(sequences(edge, "moved"), default=0) > before[-1],
            "the next publisher is refused or goes on",
        )
        return not again.ended

    wait_until(begun, "the other origin takes the stream")
    text = edge.client().get(f"{edge.base}/hls/moved/main/source/index.m3u8").text
    after = sequences(edge, "moved")
    assert after == list(range(after[0], after[-1] + 1)), "numbers go on without a hole"
    assert after[0] <= before[-1] + 1, text
    assert text.count("#EXT-X-DISCONTINUITY\n") <= 1


def test_redis_may_be_away(cluster: Cluster, cleanup: list[Process], tmp_path: Path) -> None:
    origin, edge = cluster.origins[0], cluster.edges[0]
    publisher = publish(origin, "without", tmp_path)
    cleanup.append(publisher)
    wait_on_air(origin, "without", 2, publisher)
    wait_until(lambda: sequences(edge, "without") != [], "the edge follows")
    cluster.redis.kill()
    newest = sequences(edge, "without")[-1]
    wait_until(
        lambda: sequences(edge, "without")[-1] > newest + 8, "the stream goes on for viewers"
    )
    assert not publisher.ended
    cluster.redis.start()
    newest = sequences(edge, "without")[-1]
    wait_until(lambda: sequences(edge, "without")[-1] > newest + 2, "and on")
    wait_until(
        lambda: cluster.redis.ask("hget", "wl:stream:{without}/main", "owner") == "origin-1",
        "Redis knows whose it is",
    )
