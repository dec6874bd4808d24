"""What viewers of a live stream notice of rubbish in Redis, of a storm of purges, of a full disk."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cluster import Cluster
from support.cluster_watch import Viewer, owner, owner_name, publish, sequences
from support.http import Client
from support.node import Node
from support.processes import Process, wait_until

WEDDING = "besieged"


class Watched:
    """A stream with a viewer at each edge."""

    def __init__(self, cluster: Cluster, publisher: Process) -> None:
        self.cluster, self.publisher = cluster, publisher
        last = cluster.edges[-1]
        wait_until(lambda: len(sequences(last, WEDDING)) >= 4, "on the air", alive=[publisher])
        self.viewers = [Viewer(each, WEDDING) for each in cluster.edges]
        wait_until(lambda: all(each.segments >= 4 for each in self.viewers), "all see it")

    def goes_on(self, segments: int, what: str) -> None:
        newest = max(each.newest for each in self.viewers)
        wait_until(
            lambda: all(each.newest > newest + segments for each in self.viewers),
            f"the stream goes on: {what}",
            alive=[self.publisher],
        )

    def stop(self) -> None:
        for each in self.viewers:
            each.stop()

    def noticed_nothing(self, breaks: int = 0) -> None:
        self.stop()
        print([(f"{each.longest:.2f} s", each.breaks, each.bad) for each in self.viewers])
        assert not self.publisher.ended
        for each in self.viewers:
            assert each.bad == []
            assert len(each.breaks) <= breaks
            assert each.longest < 6


@pytest.fixture
def cluster(make_node: MakeNode, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path, make_node, origins=2, edges=1)
    yield made
    made.stop()


@pytest.fixture
def watched(cluster: Cluster, cleanup: list[Process], tmp_path: Path) -> Iterator[Watched]:
    publisher = publish(cluster.edges[0], WEDDING, tmp_path)
    cleanup.append(publisher)
    made = Watched(cluster, publisher)
    yield made
    made.stop()


#: Replaces every key by something of another type, and large.
SPOIL = """
local large = string.rep('x', 1000000)
for _, key in ipairs(redis.call('KEYS', 'wl:*')) do
  local kind = redis.call('TYPE', key).ok
  redis.call('DEL', key)
  if kind == 'string' then
    redis.call('RPUSH', key, large)
  elseif kind == 'hash' then
    redis.call('SET', key, large)
  else
    for number = 1, 1000 do redis.call('HSET', key, 'f' .. number, string.sub(large, 1, 1000)) end
  end
end
return 1
"""

#: Names of nodes that nobody is, and records without a seal.
FORGE = """
redis.call('DEL', 'wl:nodes')
for number = 1, 100000 do redis.call('SADD', 'wl:nodes', 'forged-' .. number) end
for number = 1, 300 do
  local key = 'wl:node:forged-' .. number
  redis.call('HSET', key, 'id', 'forged-' .. number, 'role', 'origin', 'http', '127.0.0.1:9',
    'state', 'ready', 'incarnation', 'x', 'beat', '1', 'seal', string.rep('0', 64))
  redis.call('PEXPIRE', key, 6000)
end
return 1
"""


@pytest.mark.interop
def test_rubbish_under_every_key_of_redis(watched: Watched) -> None:
    cluster = watched.cluster
    first = owner(cluster, WEDDING)
    for _ in range(3):
        assert cluster.redis.ask("eval", SPOIL, "0") == "1"
        watched.goes_on(2, "with rubbish")
    for _ in range(3):
        assert cluster.redis.ask("eval", FORGE, "0") == "1"
        watched.goes_on(2, "with forged nodes")
    told = json.loads(cluster.edges[0].admin("/api/nodes").text)["nodes"]
    assert {each["id"] for each in told} == {"origin-1", "origin-2", "edge-1"}
    # What nodes say puts it right by itself, as far as streams need it.
    wait_until(lambda: owner_name(cluster, WEDDING) != "", "its holder has said so")
    first.kill()
    watched.goes_on(8, "at the other origin")
    watched.noticed_nothing(breaks=1)


@pytest.mark.interop
def test_a_storm_of_purges_of_what_is_live(watched: Watched) -> None:
    edge = watched.cluster.edges[0]
    client = Client(timeout=60)
    for number in range(4):
        prefixes = [f"/hls/{WEDDING}/main/source/{each}" for each in range(2_500)]
        order = {"prefix": prefixes, "tag": WEDDING, "soft": number % 2 == 1}
        answer = client.get(
            f"http://127.0.0.1:{edge.ports['admin']}/cache/purge",
            {"Content-Type": "application/json"},
            "POST",
            json.dumps(order).encode(),
        )
        assert answer.status == 200, answer.text
        watched.goes_on(1, "in the storm")
    watched.goes_on(4, "after it")
    watched.noticed_nothing()


@pytest.mark.interop
def test_a_disk_that_is_full_while_a_stream_is_watched(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", folder]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs a small file system, which only root may mount")
    try:
        cluster = Cluster(tmp_path, make_node, origins=1, edges=0)
        edge = cluster.add("edge", "edge-1", WEDLIVE_EDGE_DISK_PATH=str(folder))
        cluster.edges.append(edge)
        (folder / "filler").write_bytes(bytes(100_000))
        publisher = publish(edge, WEDDING, tmp_path)
        cleanup.append(publisher)
        watched = Watched(cluster, publisher)
        try:
            subprocess.run(
                ["dd", "if=/dev/zero", f"of={folder}/more"], capture_output=True, check=False
            )
            assert os.statvfs(folder).f_bavail == 0
            watched.goes_on(15, "with a full disk")
            watched.noticed_nothing()
        finally:
            watched.stop()
        edge.stop()
        cluster.stop()
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


@pytest.mark.interop
def test_an_edge_is_told_twice_to_upgrade(watched: Watched) -> None:
    edge: Node = watched.cluster.edges[0]
    before = edge.pid
    for _ in range(3):
        os.kill(before, signal.SIGUSR2)
    wait_until(lambda: edge.said("upgraded"), "it is upgraded")
    edge.successor = int(edge.said("upgraded")[-1]["process"])
    # Told before it listens to it, and again by the one that has gone on.
    os.kill(edge.pid, signal.SIGUSR2)
    watched.goes_on(6, "in the new process")
    edge.successor = int(edge.said("upgraded")[-1]["process"])
    watched.noticed_nothing()
