"""What publishers and viewers of a cluster notice of outages: Redis, networks, edges, origins."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.balancer import Balancer
from support.cluster import Cluster, Redis, Sentinel
from support.cluster_watch import Viewer, owner, owner_name, publish, sequences
from support.networks import Network, network
from support.node import Node
from support.processes import Process, wait_until

#: Between two new segments: three seconds and a segment, on a machine that may be busy.
LONGEST = 6.0
USABLE = 'wedlive_cluster_nodes{status="usable"}'


class Wedding:
    """One that is published at the first edge and watched at both."""

    def __init__(self, cluster: Cluster, name: str, publisher: Process) -> None:
        self.cluster, self.name, self.publisher = cluster, name, publisher
        wait_until(
            lambda: len(sequences(cluster.edges[-1], name)) >= 4, "on the air", alive=[publisher]
        )
        self.viewers = [Viewer(edge, name) for edge in cluster.edges]
        wait_until(lambda: all(each.segments >= 4 for each in self.viewers), "all see it")
        self.breaks = [len(each.breaks) for each in self.viewers]

    def goes_on(self, segments: int, what: str) -> None:
        """Returns when every viewer has seen that many more."""
        newest = max(each.newest for each in self.viewers)
        wait_until(
            lambda: all(each.newest > newest + segments for each in self.viewers),
            f"the stream goes on: {what}",
            limit=60.0 + 2 * segments,
            alive=[self.publisher],
        )

    def stop(self) -> None:
        for each in self.viewers:
            each.stop()

    def noticed_nothing(self, what: str, breaks: int = 1) -> None:
        assert not self.publisher.ended, "the publisher's connection stays"
        for each, before in zip(self.viewers, self.breaks, strict=True):
            print(f"{what}: {each.longest:.2f} s between two new segments")
            assert each.bad == []
            assert len(each.breaks) <= before + breaks
            assert each.longest < LONGEST


Begin = Callable[[Cluster, str], Wedding]


@pytest.fixture
def begin(cleanup: list[Process], tmp_path: Path) -> Iterator[Begin]:
    begun: list[Wedding] = []

    def make(cluster: Cluster, name: str) -> Wedding:
        publisher = publish(cluster.edges[0], name, tmp_path)
        cleanup.append(publisher)
        begun.append(Wedding(cluster, name, publisher))
        return begun[-1]

    yield make
    for each in begun:
        each.stop()


def warnings(node: Node) -> list[str]:
    """The lines of a node's log that an operator is to see."""
    lines = (line for line in node.log.read_text().splitlines() if line.startswith("{"))
    return [line for line in lines if json.loads(line)["level"] in ("warning", "error")]


def moves(wedding: Wedding, first: Node) -> None:
    """Returns when Redis says that another origin has the stream."""
    nobody = ("", first.settings["WEDLIVE_NODE_ID"])
    wait_until(
        lambda: owner_name(wedding.cluster, wedding.name) not in nobody,
        "another origin has the stream",
    )


@pytest.fixture
def replicated(make_node: MakeNode, tmp_path: Path) -> Iterator[tuple[Cluster, Sentinel, Redis]]:
    primary = Redis(tmp_path / "primary")
    replica = Redis(tmp_path / "replica", primary)
    sentinel = Sentinel(tmp_path / "sentinel", primary)
    yield Cluster(tmp_path, make_node, 2, 2, primary, sentinel.url), sentinel, replica
    for process in (sentinel.process, replica.process, primary.process):
        if process is not None:
            process.kill()


def test_a_replica_takes_over_for_redis(
    replicated: tuple[Cluster, Sentinel, Redis], begin: Begin
) -> None:
    cluster, sentinel, replica = replicated
    wedding = begin(cluster, "sentinel")
    first = owner(cluster, "sentinel")
    cluster.redis.kill()
    wait_until(lambda: sentinel.primary() == replica.port, "the replica is the primary")
    wedding.goes_on(3, "with the other Redis")
    cluster.redis = replica
    wait_until(
        lambda: all(
            node.metrics()["wedlive_redis_connected"] == 1
            for node in [*cluster.origins, *cluster.edges]
        ),
        "all have found it",
    )
    assert owner(cluster, "sentinel") is first
    # What it says counts: the other origin takes over.
    first.kill()
    moves(wedding, first)
    wedding.goes_on(6, "at the other origin")
    wedding.stop()
    wedding.noticed_nothing("Sentinel, then kill")


def test_an_origin_dies_while_redis_is_away(cluster: Cluster, begin: Begin) -> None:
    wedding = begin(cluster, "both")
    first = owner(cluster, "both")
    cluster.redis.kill()
    wedding.goes_on(3, "without Redis")
    first.kill()
    wedding.goes_on(8, "at the other origin, without Redis")
    # One line for all that comes of it; what each part lacks is for who debugs.
    for node in [*cluster.edges, *(each for each in cluster.origins if each is not first)]:
        assert len([each for each in warnings(node) if "Redis" in each]) == 1, warnings(node)
    cluster.redis.start()
    moves(wedding, first)
    wedding.goes_on(6, "with Redis")
    wedding.stop()
    wedding.noticed_nothing("kill without Redis")


def test_the_first_origin_has_a_stream_again_while_redis_is_away(
    cluster: Cluster, begin: Begin
) -> None:
    """It was frozen, and takes the stream for its own: another has brought it further meanwhile."""
    wedding = begin(cluster, "there-and-back")
    first = owner(cluster, "there-and-back")
    second = next(each for each in cluster.origins if each is not first)
    cluster.redis.kill()
    wedding.goes_on(3, "without Redis")
    os.kill(first.pid, signal.SIGSTOP)
    wedding.goes_on(12, "at the other origin")
    os.kill(first.pid, signal.SIGCONT)
    wait_until(
        lambda: all(each.metrics()[USABLE] >= 4 for each in cluster.edges),
        "the first one is used again",
        limit=60,
    )
    second.kill()
    wedding.goes_on(8, "back at the first one")
    cluster.redis.start()
    wedding.goes_on(6, "with Redis")
    wedding.stop()
    wedding.noticed_nothing("there and back without Redis", breaks=2)


def test_redis_can_be_read_and_takes_nothing(cluster: Cluster, begin: Begin) -> None:
    """As where its memory or its disk is full: all records expire, and all nodes are well."""
    wedding = begin(cluster, "read-only")
    cluster.redis.ask("config", "set", "min-replicas-to-write", "1")
    wedding.goes_on(12, "while nothing is written")
    cluster.redis.ask("config", "set", "min-replicas-to-write", "0")
    wedding.goes_on(6, "when it is again")
    wedding.stop()
    wedding.noticed_nothing("Redis refuses writes", breaks=0)
    assert cluster.edges[0].metrics()["wedlive_relay_failovers_total"] == 0


@pytest.mark.interop
def test_redis_is_away_for_a_minute(cluster: Cluster, begin: Begin) -> None:
    wedding = begin(cluster, "minute")
    first = owner(cluster, "minute")
    cluster.redis.kill()
    back = time.monotonic() + 60
    wait_until(lambda: time.monotonic() > back, "a minute", 70, alive=[wedding.publisher])
    cluster.redis.start()
    wait_until(lambda: owner_name(cluster, "minute") != "", "the holder has said so")
    assert owner(cluster, "minute") is first
    wedding.goes_on(8, "after it")
    wedding.stop()
    wedding.noticed_nothing("Redis away for 60 s", breaks=0)


@pytest.fixture
def partitioned(make_node: MakeNode, tmp_path: Path) -> Iterator[tuple[Cluster, Network]]:
    """A cluster whose first origin, and only that, lives in another network."""
    with network() as other:
        if other is None:
            pytest.skip("this user may not make network namespaces")
        made = Cluster(tmp_path, make_node, 0, 2, Redis(tmp_path / "redis", bind=other.here))
        other.add_origin(made, "origin-1")
        yield made, other
        made.stop()


@pytest.mark.parametrize("how", ["cut", "silence", "deafen"])
def test_an_origin_is_cut_off(partitioned: tuple[Cluster, Network], begin: Begin, how: str) -> None:
    cluster, other = partitioned
    wedding = begin(cluster, "cut")
    first = owner(cluster, "cut")
    assert first is cluster.origins[0]
    cluster.origins.append(cluster.add("origin", "origin-2"))
    getattr(other, how)()
    moves(wedding, first)
    wedding.goes_on(8, "at the other origin")
    other.mend()
    # It has believed all along that the stream is its own.
    wait_until(lambda: first.metrics()["wedlive_cluster_leases"] == 0, "it has given the stream up")
    wedding.goes_on(8, "beside it")
    wedding.stop()
    wedding.noticed_nothing(how)


def test_an_edge_dies_behind_a_balancer(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    balancer = Balancer(tmp_path / "balancer", cluster.edges)
    cleanup.append(balancer.process)
    token = cluster.edges[0].token("publish", "balanced")
    url = f"rtmp://localhost:{balancer.rtmp}/live/{token}"
    stop = threading.Event()
    publisher = threading.Thread(target=balancer.republish, args=(url, tmp_path, stop, cleanup))
    publisher.start()
    try:
        wait_until(lambda: len(sequences(cluster.edges[1], "balanced")) >= 4, "on the air")
        carrier = balancer.carrier(cluster.edges)
        left = next(each for each in cluster.edges if each is not carrier)
        viewer = Viewer(left, "balanced")
        wait_until(lambda: viewer.segments >= 4, "it is watched")
        newest = viewer.newest
        carrier.kill()
        wait_until(lambda: viewer.newest > newest + 8, "the publisher is back through the balancer")
        viewer.stop()
    finally:
        stop.set()
        publisher.join()
    print(f"edge killed: {viewer.longest:.2f} s between two new segments")
    assert viewer.bad == []
