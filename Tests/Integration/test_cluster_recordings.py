"""Recordings of a cluster: one list of them on every node, each played and deleted where it is kept."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cluster import Cluster
from support.cluster_watch import owner, publish, sequences
from support.media import probe
from support.node import Node
from support.peers import PASS, Authority
from support.processes import Process, wait_until

WEDDING = "both-halves"
RECORDED = {
    "WEDLIVE_RECORDING_ENABLED": "true",
    "WEDLIVE_STREAMS_RECONNECT_WINDOW": "2s",
    "WEDLIVE_STREAMS_FRAGMENT": "1s",
}


def a_cluster(
    make_node: MakeNode, folder: Path, authority: Authority | None = None, **settings: str
) -> Cluster:
    def make(**given: str) -> Node:
        own = authority.settings(given["WEDLIVE_NODE_ID"]) if authority else {}
        return make_node(**{**given, **own, **settings})

    return Cluster(folder, make, origins=2, edges=2)


@pytest.fixture
def cluster(make_node: MakeNode, tmp_path: Path) -> Iterator[Cluster]:
    made = a_cluster(make_node, tmp_path, **RECORDED)
    yield made
    made.stop()


class Service:
    """WedLive's backend, which may ask any node."""

    def __init__(self, cluster: Cluster) -> None:
        self.token = cluster.edges[0].token("service", WEDDING)

    def call(self, node: Node, path: str, method: str = "GET", **body: str) -> tuple[int, dict]:
        headers = {"Authorization": f"Bearer {self.token}"}
        raw = None
        if body:
            headers["Content-Type"] = "application/json"
            raw = json.dumps(body).encode()
        answer = node.client().get(f"{node.base}/api/streams/{path}", headers, method, raw)
        return answer.status, json.loads(answer.text)

    def listing(self, node: Node) -> dict:
        status, answer = self.call(node, f"recordings/{WEDDING}")
        assert status == 200, answer
        return answer

    def recordings(self, node: Node) -> list[dict]:
        return self.listing(node)["recordings"]


def playlist(node: Node, recording: str) -> tuple[int, str]:
    answer = node.client().get(f"{node.base}/hls/{WEDDING}/recordings/{recording}/index.m3u8")
    return answer.status, answer.text


def length(node: Node, recording: str) -> float:
    """How long a recording plays through a node, by what ffprobe finds in it."""
    url = f"http://127.0.0.1:{node.ports['http']}/hls/{WEDDING}/recordings/{recording}/index.m3u8"
    options = ["-select_streams", "v:0", "-show_entries", "packet=pts_time"]
    times = [float(packet["pts_time"]) for packet in probe(url, *options)["packets"]]
    return max(times) - min(times)


def test_both_halves_of_a_wedding_whose_origin_died(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    service = Service(cluster)
    edge = cluster.edges[0]
    publisher = publish(edge, WEDDING, tmp_path)
    cleanup.append(publisher)

    def recorded(keeper: Node, seconds: float, asked: Node | None = None) -> bool:
        told = service.recordings(asked or keeper)
        found = [each for each in told if each["node"] == names[keeper]]
        return bool(found) and found[0]["duration"] > seconds

    names = {node: f"origin-{number}" for number, node in enumerate(cluster.origins, 1)}
    wait_until(lambda: len(sequences(edge, WEDDING)) > 2, "it is on the air", alive=[publisher])
    first = owner(cluster, WEDDING)
    (second,) = (node for node in cluster.origins if node is not first)
    everyone = [*cluster.edges, first, second]
    wait_until(lambda: recorded(first, 5), "the first half is recorded", alive=[publisher])
    # What the other ones say of it comes from Redis, and is a few seconds old at most.
    wait_until(lambda: recorded(first, 4, second), "the others know of it", alive=[publisher])
    first.kill()
    wait_until(lambda: recorded(second, 5), "it goes on at the other one", alive=[publisher])
    publisher.interrupt()
    living = [*cluster.edges, second]

    def states(node: Node) -> list[tuple[str, str, bool]]:
        return [
            (each["node"], each["state"], each["reachable"]) for each in service.recordings(node)
        ]

    # The first half is what its node has said last.
    halves = [(names[first], "recording", False), (names[second], "completed", True)]
    wait_until(lambda: states(second) == halves, "the second half is complete", limit=60)
    for node in living:
        assert states(node) == halves
        assert service.listing(node)["complete"] is True
    lost, kept = (each["recording_id"] for each in service.recordings(second))
    for node in cluster.edges:
        status, text = playlist(node, lost)
        assert status == 503, text
        assert names[first] in text
        assert "node_away" in text
        assert playlist(node, kept)[0] == 200
        status, text = playlist(node, "rec_nobodyhasthis000")
        assert (status, "There is no such recording" in text) == (404, True), text
        assert length(node, kept) > 4
    for node in (edge, second):
        asked = f"{node.base}/cluster/recordings/{kept}"
        for headers in ({}, {"Authorization": f"Bearer {service.token}"}):
            assert node.client().get(asked, headers, "DELETE").status == 403
    for node in living:
        for method, path in (
            ("DELETE", f"recordings/{lost}"),
            ("POST", "recording/complete"),
        ):
            body = {"recording_id": lost} if method == "POST" else {}
            status, answer = service.call(node, path, method, **body)
            assert status == 503, answer
            assert answer["error"]["code"] == "node_away"
            assert names[first] in answer["error"]["message"]
        assert service.call(node, "recordings/rec_nobodyhasthis000", "DELETE")[0] == 404

    # It is back, and makes of its half what was received.
    first.start()
    halves = [(names[first], "completed", True), (names[second], "completed", True)]
    for node in everyone:
        wait_until(lambda node=node: states(node) == halves, "both are there", limit=60)  # type: ignore[misc]
    for node in cluster.edges:
        assert length(node, lost) > 4
        assert length(node, kept) > 4
    address = service.recordings(second)[0]["thumbnails"][0]
    picture = "/hls/" + address.partition("/hls/")[2]
    for node in cluster.edges:
        assert node.client().get(node.base + picture).body.startswith(b"\xff\xd8")

    # A Redis without its data is told all of it again.
    cluster.redis.kill()
    answer = service.listing(second)
    assert [each["recording_id"] for each in answer["recordings"]] == [lost, kept]
    assert answer["complete"] is False
    assert "Redis" in answer["doubt"]
    for node in cluster.edges:
        assert length(node, lost) > 4
    # Without it all origins are asked, and one that gives no answer may be the one that has it.
    for node in cluster.edges:
        assert playlist(node, "rec_nobodyhasthis001")[0] == 404
    first.kill()
    for node in cluster.edges:
        status, text = playlist(node, "rec_nobodyhasthis002")
        assert status == 503, text
        assert names[first] in text
    cluster.redis.start()
    started = time.monotonic()
    key = f"wl:recordings:{{{WEDDING}}}"
    wait_until(lambda: cluster.redis.ask("hlen", key) == "1", "Redis is told again")
    took = time.monotonic() - started
    # What a node has to say that is away was not deleted.
    answer = service.listing(second)
    assert [each["recording_id"] for each in answer["recordings"]] == [lost, kept]
    assert answer["complete"] is False
    first.start()
    wait_until(lambda: cluster.redis.ask("hlen", key) == "2", "Redis is told of the other half")
    for node in everyone:
        wait_until(lambda node=node: states(node) == halves, "both are there", limit=30)  # type: ignore[misc]
        wait_until(lambda node=node: service.listing(node)["complete"], "all is known again")  # type: ignore[misc]

    # Deleted by way of a node that hasn't got it.
    status, answer = service.call(second, f"recordings/{lost}", "DELETE")
    assert (status, answer["deleted"]) == (200, True), answer
    for node in everyone:
        assert [each["recording_id"] for each in service.recordings(node)] == [kept]
    status, answer = service.call(first, f"recordings/{kept}", "DELETE")
    assert (status, answer["deleted"]) == (200, True), answer
    for node in everyone:
        assert service.recordings(node) == []
    for node in cluster.edges:
        for each in (lost, kept):
            wait_until(
                lambda node=node, each=each: playlist(node, each)[0] == 404,  # type: ignore[misc]
                "no edge has it any more",
            )
    for node in cluster.origins:
        assert list((node.data / "recordings").glob("rec_*")) == []
    assert cluster.redis.ask("exists", key, f"wl:recording:{lost}", "wl:recorded:origin-1") == "0"
    print(f"Redis was told of recordings again {took:.1f} s after it was back, empty")


def test_a_stream_is_recorded_where_it_is_whoever_is_asked(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    """Nodes know each other by certificates here, and nobody else may ask what they ask."""
    settings = {**RECORDED, "WEDLIVE_RECORDING_ENABLED": "false"}
    cluster = a_cluster(make_node, tmp_path, Authority(tmp_path / "authority"), **settings)
    service = Service(cluster)
    edge = cluster.edges[0]
    publisher = publish(edge, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, WEDDING)) > 2, "it is on the air", alive=[publisher])
    here = owner(cluster, WEDDING)
    (elsewhere,) = (node for node in cluster.origins if node is not here)
    status, answer = service.call(elsewhere, "recording/start", "POST", wedding_id=WEDDING)
    assert status == 200, answer
    (recording,) = answer["recordings"]
    assert recording["state"] == "recording"
    assert recording["node"] == f"origin-{cluster.origins.index(here) + 1}"
    # Whoever has asked for it finds it at once, on any node.
    for node in [*cluster.edges, *cluster.origins]:
        found = service.recordings(node)
        assert [each["recording_id"] for each in found] == [recording["recording_id"]]
    wait_until(
        lambda: service.recordings(here)[0]["duration"] > 2, "it is recorded", alive=[publisher]
    )
    status, answer = service.call(elsewhere, "recording/stop", "POST", wedding_id=WEDDING)
    assert status == 200, answer
    assert [each["recording_id"] for each in answer["recordings"]] == [recording["recording_id"]]
    wait_until(
        lambda: service.recordings(elsewhere)[0]["state"] == "completed", "it is made", limit=60
    )
    for node in [*cluster.edges, *cluster.origins]:
        for token in (PASS, service.token):
            asked = f"{node.base}/cluster/recordings/{recording['recording_id']}"
            for method in ("GET", "DELETE"):
                headers = {"Authorization": f"Bearer {token}"}
                assert node.client().get(asked, headers, method).status == 403
    # Through an edge, which asks any origin.
    path = f"recordings/{recording['recording_id']}"
    status, answer = service.call(edge, path, "DELETE")
    assert status == 200, answer
    assert service.recordings(here) == []
    cluster.stop()
