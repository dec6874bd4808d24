"""Purges reach every edge of a cluster: by key, prefix and tag, also one that was away meanwhile."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cluster import Cluster
from support.http import Client, Response
from support.media import Source
from support.node import Node, Place
from support.processes import wait_until
from support.publishers import ffmpeg5

WEDDING = "purged"


@dataclass
class Recorded:
    """A cluster with two edges whose origin has a recording."""

    cluster: Cluster
    #: `/hls/{wedding}/recordings/{id}/`
    folder: str

    def get(self, edge: Node, name: str = "index.m3u8") -> Response:
        client = edge.client()
        try:
            answer = client.get(f"{edge.base}{self.folder}{name}")
        finally:
            client.close()
        assert answer.status == 200, f"{answer}: {answer.text[:300]}"
        return answer

    def word(self, edge: Node, name: str = "index.m3u8") -> str:
        return self.get(edge, name).headers["x-cache-status"]

    def word_once_asked(self, edge: Node) -> str:
        """Empty while the edge knows nobody to ask."""
        answer = edge.client().get(f"{edge.base}{self.folder}index.m3u8")
        return answer.headers["x-cache-status"] if answer.status == 200 else ""


def purge(edge: Node, **order: str | bool | list[str]) -> dict:
    """Tells an edge, which tells the others."""
    client = Client(timeout=30)
    try:
        answer = client.get(
            f"http://127.0.0.1:{edge.ports['admin']}/cache/purge",
            {"Content-Type": "application/json"},
            "POST",
            json.dumps(order).encode(),
        )
    finally:
        client.close()
    assert answer.status == 200, answer.text
    return json.loads(answer.text)


def purged(edge: Node) -> float:
    counts = edge.metrics()
    return sum(counts[f'wedlive_edge_purges_total{{mode="{mode}"}}'] for mode in ("hard", "soft"))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    nodes: list[Node] = []
    folder = tmp_path_factory.mktemp("purge")

    def make(role: str, place: Place | None = None, **settings: str) -> Node:
        more = {
            "WEDLIVE_STREAMS_FRAGMENT": "1s",
            "WEDLIVE_STREAMS_RECONNECT_WINDOW": "2s",
            "WEDLIVE_RECORDING_ENABLED": "true",
        }
        node = Node(folder / f"node-{len(nodes)}", {**more, **settings}, role=role, place=place)
        nodes.append(node)
        node.start()
        return node

    cluster: Cluster | None = None
    try:
        cluster = Cluster(folder, make, origins=1, edges=2)
        yield record(cluster, folder)
    finally:
        for node in nodes:
            node.__exit__()
        if cluster is not None:
            cluster.stop()


def record(cluster: Cluster, folder: Path) -> Recorded:
    """Publishes for a few seconds, and waits until that is a recording."""
    origin, edge = cluster.origins[0], cluster.edges[0]
    with ffmpeg5(
        origin.publish_url(WEDDING), Source(seconds=5), origin.certificates, folder
    ) as publisher:
        publisher.succeed()

    def ready() -> str:
        token = origin.token("service", WEDDING)
        answer = origin.client().get(
            f"{origin.base}/api/streams/recordings/{WEDDING}", {"Authorization": f"Bearer {token}"}
        )
        all_of_it = json.loads(answer.text)["recordings"]
        done = [each for each in all_of_it if each["state"] == "completed"]
        return done[0]["recording_id"] if done else ""

    number = wait_until(ready, "the recording is completed")
    made = Recorded(cluster, f"/hls/{WEDDING}/recordings/{number}/")
    wait_until(lambda: made.word_once_asked(edge), "the edge has it")
    return made


def kept(recorded: Recorded, edge: Node) -> None:
    """Has the recording's playlist in an edge's cache."""
    wait_until(lambda: recorded.word(edge) == "HIT", "it is kept")


def targets(recorded: Recorded) -> list[dict[str, str]]:
    return [
        {"tag": WEDDING},
        {"prefix": f"/hls/{WEDDING}/recordings/"},
        {"key": f"{recorded.folder}index.m3u8"},
    ]


def test_what_is_purged_at_one_edge_is_forgotten_by_all(recorded: Recorded) -> None:
    one, two = recorded.cluster.edges
    for target in targets(recorded):
        for edge in (one, two):
            kept(recorded, edge)
        before = purged(two)
        told = purge(one, **target)
        assert told["cluster"], told
        assert told["purged"] >= 1, told
        assert recorded.word(one) == "MISS", target
        wait_until(lambda before=before: purged(two) > before, "the other edge has heard of it")
        assert recorded.word(two) == "MISS", target
        for edge in (one, two):
            kept(recorded, edge)
        before = purged(two)
        purge(one, soft=True, **target)
        wait_until(lambda before=before: purged(two) > before, "the other edge has heard of it")
        for edge in (one, two):
            assert recorded.word(edge) == "UPDATING", target


def test_an_edge_that_was_frozen_catches_up(recorded: Recorded) -> None:
    one, two = recorded.cluster.edges
    for target in targets(recorded):
        kept(recorded, two)
        before = purged(two)
        os.kill(two.pid, signal.SIGSTOP)
        try:
            purge(one, **target)
            purge(one, key=[f"/nothing/{number}" for number in range(1_000)])
        finally:
            os.kill(two.pid, signal.SIGCONT)
        wait_until(lambda before=before: purged(two) >= before + 1_001, "it has caught up")
        assert recorded.word(two) == "MISS", target


def is_written(edge: Node) -> bool:
    """Whether something is on disk, and nothing on its way there."""
    metrics = edge.metrics()
    return (
        metrics.get("wedlive_edge_disk_objects", 0) >= 1
        and metrics.get("wedlive_edge_disk_waiting_bytes", 0) == 0
    )


def test_an_edge_that_was_killed_serves_nothing_from_disk_that_was_purged(
    recorded: Recorded,
) -> None:
    one, two = recorded.cluster.edges
    for soft in (False, True):
        for target in targets(recorded):
            kept(recorded, two)
            wait_until(lambda: is_written(two), "it is on disk")
            two.kill()
            purge(one, soft=soft, **target)
            two.start()
            # A 502 until it knows an origin.
            word = wait_until(lambda: recorded.word_once_asked(two), "an origin is known")
            # Not before it has caught up is anything of the disk's served unasked. What was purged
            # softly may be served while no origin is known yet; what is purged while it is read from
            # disk is asked for as if it weren't there.
            fair = ("UPDATING", "REVALIDATED", "STALE", "MISS") if soft else ("MISS", "REVALIDATED")
            assert word in fair, word
            wait_until(lambda: purged(two) >= 1, "it has caught up")
            kept(recorded, two)


def test_an_edge_that_missed_purges_has_everything_confirmed(recorded: Recorded) -> None:
    one, two = recorded.cluster.edges
    kept(recorded, two)
    doubts = two.metrics()["wedlive_edge_doubts_total"]
    before = recorded.cluster.redis.ask("xlen", "wl:invalidations")
    os.kill(two.pid, signal.SIGSTOP)
    try:
        purge(one, key=[f"/nothing/{number}" for number in range(100)])
        recorded.cluster.redis.ask("xtrim", "wl:invalidations", "maxlen", "0")
    finally:
        os.kill(two.pid, signal.SIGCONT)
    wait_until(
        lambda: two.metrics()["wedlive_edge_doubts_total"] > doubts,
        f"it knows that it has missed some (there were {before})",
    )
    assert recorded.word(two) == "REVALIDATED"
    assert recorded.word(two) == "HIT"


def test_a_storm_of_ten_thousand_is_borne(recorded: Recorded) -> None:
    one, two = recorded.cluster.edges
    kept(recorded, two)
    before = purged(two)
    failed = two.metrics()['wedlive_edge_requests_total{cache="FAILED"}']
    prefixes = [f"/hls/w{number}/" for number in range(9_999)]
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(purge, one, prefix=prefixes, tag=WEDDING)
        served = 0
        while purged(two) < before + 10_000:
            recorded.get(two)
            served += 1
        assert told.result()["cluster"]
    assert served > 0
    assert two.metrics()['wedlive_edge_requests_total{cache="FAILED"}'] == failed


def test_a_purge_that_says_nothing_is_refused(make_node: MakeNode, tmp_path: Path) -> None:
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS="http://127.0.0.1:9")
    address = f"http://127.0.0.1:{edge.ports['admin']}/cache/purge"
    client = Client(timeout=10)
    assert client.get(address).status == 405
    for body in (b"", b"{}", b'{"tga": "x"}', b'{"tag": ""}'):
        answer = client.get(address, None, "POST", body)
        assert answer.status == 400
        assert "bad_purge" in answer.text
    foreign = client.get(address, {"Origin": "https://evil.example"}, "POST", b'{"tag": "x"}')
    assert foreign.status == 403
    assert purge(edge, tag="x") == {"purged": 0, "cluster": False}
