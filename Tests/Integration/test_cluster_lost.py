"""What a cluster says of nodes that were killed, and of what nobody is left to tell."""

import json
from pathlib import Path
from typing import Any

from support.cluster import Cluster
from support.cluster_watch import owner_name, publish, sequences
from support.node import Node
from support.processes import Process, run, wait_until

#: What an edge can't answer by itself.
ASKED = (
    "/hls/never/index.m3u8",
    "/hls/never/main/index.m3u8",
    "/hls/never/main/source/index.m3u8",
    "/hls/never/main/source/7-0123456789abcdef.ts",
    "/api/streams/playback/never",
    "/watch/never",
)


def test_without_origins_an_edge_says_when_to_ask_again(cluster: Cluster) -> None:
    edge = cluster.edges[0]
    client = edge.client()
    wait_until(lambda: edge.metrics()["wedlive_edge_origins"] == 2, "it knows both")
    assert [client.get(edge.base + path).status for path in ASKED[:4]] == [404] * 4
    for origin in cluster.origins:
        origin.kill()
    wait_until(lambda: edge.metrics()["wedlive_edge_origins"] == 0, "it has lost both")
    for path in ASKED:
        answer = client.get(edge.base + path)
        assert answer.status == 503, f"{answer}: {answer.text}"
        assert int(answer.headers["retry-after"]) in range(1, 10), path
        assert answer.headers["cache-control"] == "no-store"
    cluster.origins[1].start()
    wait_until(
        lambda: [client.get(edge.base + path).status for path in ASKED[:4]] == [404] * 4,
        "there is somebody who knows that there is no such stream",
    )
    client.close()


def listed(node: Node, name: str) -> dict[str, Any]:
    """What a node tells of another one."""
    words = [node.binary, "status", "--node", f"127.0.0.1:{node.ports['admin']}", "--json"]
    nodes = json.loads(run(words))["nodes"]
    return next((each for each in nodes if each["id"] == name), {})


def test_a_killed_node_stays_listed_until_it_is_back(cluster: Cluster) -> None:
    edge, lost = cluster.edges[0], cluster.origins[1]
    wait_until(lambda: listed(edge, "origin-2").get("status") == "usable", "it is there")
    lost.kill()
    seen: list[tuple[str, int]] = []

    def is_down() -> bool:
        node = listed(edge, "origin-2")
        seen.append((node["status"], node["lastSeenSeconds"]))
        return bool(node["status"] == "down")

    wait_until(is_down, "it is down")
    assert "suspect" in [status for status, _ in seen], seen
    # Nothing shows that it lives, for as long as three heartbeats.
    assert seen[-1][1] >= 4, seen
    wait_until(
        lambda: "node origin-2 is gone" in edge.log.read_text(), "it is none of them any more"
    )
    node = listed(edge, "origin-2")
    assert (node["status"], node["viewers"]) == ("down", None)
    wait_until(lambda: listed(edge, "origin-2")["lastSeenSeconds"] > 10, "it is still listed")
    assert edge.metrics()['wedlive_cluster_nodes{status="down"}'] == 1
    lost.start()
    wait_until(lambda: listed(edge, "origin-2").get("status") == "usable", "it is back")
    assert edge.metrics()['wedlive_cluster_nodes{status="down"}'] == 0
    # One that was stopped is no loss.
    lost.stop()
    wait_until(lambda: listed(edge, "origin-2") == {}, "it has left")


def test_a_wedding_nobody_asked_for_is_live_though_redis_is_gone(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    """Which origin has it, nobody can say: an edge that hasn't heard of it asks them."""
    first, second = cluster.edges
    names = ["one", "other"]
    for name in names:
        cleanup.append(publish(first, name, tmp_path))
        wait_until(lambda name=name: sequences(first, name) != [], f"{name} is on the air")
    assert len({owner_name(cluster, name) for name in names}) == 2, "each origin has one"
    cluster.redis.kill()
    wait_until(lambda: second.metrics()["wedlive_redis_connected"] == 0, "Redis is gone")
    for name in [*names, "never"]:
        answer = second.client().get(f"{second.base}/api/streams/playback/{name}")
        assert json.loads(answer.text)["is_live"] is (name in names), f"{name}: {answer.text}"
