"""Redis that is slow, or that there are two of: what publishers and viewers notice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cluster import Cluster, Redis
from support.cluster_watch import Viewer, owner_name, publish, sequences
from support.door import Door
from support.node import Node
from support.processes import Process, wait_until


class Doors:
    """Two origins and two edges, each of whom has a door of its own to Redis."""

    def __init__(self, folder: Path, make_node: MakeNode, **settings: str) -> None:
        self.redis = Redis(folder / "redis")
        self.cluster = Cluster(folder, make_node, 0, 0, self.redis)
        self.doors: dict[str, Door] = {}
        self.nodes: dict[str, Node] = {}
        for name in ("origin-1", "origin-2", "edge-1", "edge-2"):
            self.doors[name] = Door(self.redis.port)
            role = name.partition("-")[0]
            url = {"WEDLIVE_REDIS_URL": self.doors[name].url}
            node = self.cluster.add(role, name, **url, **settings)
            (self.cluster.origins if role == "origin" else self.cluster.edges).append(node)
            self.nodes[name] = node

    def lead(self, redis: Redis, *names: str) -> None:
        for name in names:
            self.doors[name].lead_to(redis.port)

    def leases(self, name: str) -> float:
        return self.nodes[name].metrics()["wedlive_cluster_leases"]

    def stop(self) -> None:
        for door in self.doors.values():
            door.close()
        self.redis.kill()


@pytest.fixture
def doors(make_node: MakeNode, tmp_path: Path) -> Iterator[Doors]:
    made = Doors(tmp_path, make_node)
    yield made
    made.stop()


def watched(doors: Doors, wedding: str, publisher: Process) -> list[Viewer]:
    """A viewer at each edge, once both see it."""
    edges = doors.cluster.edges
    wait_until(lambda: len(sequences(edges[1], wedding)) >= 4, "on the air", alive=[publisher])
    viewers = [Viewer(each, wedding) for each in edges]
    wait_until(lambda: all(each.segments >= 4 for each in viewers), "both see it")
    return viewers


def go_on(viewers: list[Viewer], segments: int, publisher: Process, what: str) -> None:
    newest = max(each.newest for each in viewers)
    wait_until(
        lambda: all(each.newest > newest + segments for each in viewers),
        f"the stream goes on: {what}",
        limit=90,
        alive=[publisher],
    )


@pytest.mark.interop
def test_an_old_primary_still_answers_some(
    doors: Doors, cleanup: list[Process], tmp_path: Path
) -> None:
    """Half of the nodes are at the primary that there was, half at the one that was promoted."""
    old, new = doors.redis, Redis(tmp_path / "new", doors.redis)
    one, two = doors.cluster.edges
    publisher = publish(one, "split", tmp_path)
    cleanup.append(publisher)
    viewers = watched(doors, "split", publisher)
    first = owner_name(doors.cluster, "split")
    other = "origin-2" if first == "origin-1" else "origin-1"
    lease = "wl:lease:{split}/main"
    wait_until(lambda: new.ask("exists", lease) == "1", "the replica has its lease")
    new.ask("replicaof", "no", "one")
    doors.lead(new, other, "edge-2")
    # Its holder doesn't refresh it there.
    wait_until(lambda: new.ask("exists", lease) == "0", "the new primary takes it for over")
    go_on(viewers, 4, publisher, "for both, wherever their edges ask")
    # Through an edge of the new side a second publisher still finds who has the stream.
    second = publish(two, "split", tmp_path, "second")
    cleanup.append(second)
    wait_until(lambda: second.ended, "it is refused")
    assert "already being published" in (tmp_path / "second/ffmpeg5.log").read_text()
    # At an origin of that side itself nobody knows better.
    third = publish(doors.nodes[other], "split", tmp_path, "third")
    cleanup.append(third)
    wait_until(lambda: doors.leases(other) == 1, "both have it", alive=[third])
    assert doors.leases(first) == 1
    go_on(viewers[:1], 4, publisher, "for those at the old side")
    assert viewers[1].bad == [], "those at the new side have what they had"
    # The old primary is found to be one no more.
    doors.lead(new, first, "edge-1")
    wait_until(lambda: doors.leases("origin-1") + doors.leases("origin-2") == 1, "one has it")
    go_on(viewers, 6, publisher, "for all")
    wait_until(lambda: third.ended, "the other publisher is told")
    for each in viewers:
        each.stop()
    print([(each.longest, each.breaks, each.bad) for each in viewers])
    assert not publisher.ended
    assert viewers[0].bad == []
    assert len(viewers[0].breaks) <= 1
    assert viewers[0].longest < 6
    # What the new side was not shown meanwhile is not listed; nothing went back.
    assert all("no longer listed" in each for each in viewers[1].bad)
    old.kill()
    new.kill()


@pytest.mark.interop
def test_redis_answers_after_seconds(doors: Doors, cleanup: list[Process], tmp_path: Path) -> None:
    one, two = doors.cluster.edges
    publisher = publish(one, "slow", tmp_path)
    cleanup.append(publisher)
    viewers = watched(doors, "slow", publisher)
    for door in doors.doors.values():
        door.delay = (1.0, 3.0)
    go_on(viewers, 8, publisher, "with a slow Redis")
    # A new one takes a while, and is let in.
    late = publish(two, "late", tmp_path, "late")
    cleanup.append(late)
    wait_until(lambda: len(sequences(one, "late")) >= 2, "another begins", alive=[late])
    # An origin dies meanwhile.
    first = owner_name(doors.cluster, "slow")
    doors.nodes[first].kill()
    go_on(viewers, 6, publisher, "at the other origin")
    for door in doors.doors.values():
        door.delay = (0.0, 0.0)
    wait_until(lambda: owner_name(doors.cluster, "slow") not in ("", first), "Redis knows it")
    go_on(viewers, 4, publisher, "with Redis as it was")
    for each in viewers:
        each.stop()
    print([(each.longest, each.breaks, each.bad) for each in viewers])
    assert not publisher.ended
    assert not late.ended
    for each in viewers:
        assert each.bad == []
        assert len(each.breaks) <= 1
        assert each.longest < 10
