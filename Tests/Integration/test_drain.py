"""`wedlive drain`: from any node of a cluster, a node hands over what it has, and ends."""

import json
import os
import signal
import subprocess
from pathlib import Path

from conftest import MakeNode

from support.cluster import Cluster
from support.cluster_watch import Viewer, owner, publish, sequences
from support.node import Node
from support.processes import Process, wait_until


def drain(asked: Node, *words: str) -> subprocess.CompletedProcess[str]:
    """`wedlive drain`, of a node's admin port."""
    place = f"127.0.0.1:{asked.ports['admin']}"
    command = [asked.binary, "drain", "--node", place, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_nodes_are_drained_from_anywhere(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    # What has moved is waited for by nobody.
    patient = {
        "WEDLIVE_STREAMS_RECONNECT_WINDOW": "600s",
        "WEDLIVE_SHUTDOWN_HAND_OVER": "900s",
    }
    cluster = Cluster(
        tmp_path, lambda **given: make_node(**{**given, **patient}), origins=2, edges=2
    )
    edge, other = cluster.edges
    unknown = drain(edge, "origin-9")
    assert unknown.returncode != 0
    assert "origin-1" in unknown.stderr
    publisher = publish(edge, "drained", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, "drained")) >= 4, "it is on the air", alive=[publisher])
    viewer = Viewer(edge, "drained")
    try:
        wait_until(lambda: viewer.segments >= 4, "a viewer sees it")
        first = owner(cluster, "drained")
        newest = viewer.newest
        done = drain(other, first.settings["WEDLIVE_NODE_ID"], "--wait")
        assert (done.returncode, done.stdout) == (0, "drained\n"), done.stderr
        wait_until(lambda: first.process is not None and first.process.ended, "it has ended")
        wait_until(lambda: viewer.newest > newest + 6, "the stream goes on", alive=[publisher])
        assert owner(cluster, "drained") is not first
        # Another edge, by itself; whoever watches here doesn't notice.
        done = drain(other, "--wait")
        assert (done.returncode, done.stdout) == (0, "drained\n"), done.stderr
    finally:
        viewer.stop()
    assert viewer.bad == []
    assert len(viewer.breaks) <= 1
    assert not publisher.ended
    cluster.stop()


def test_an_origin_that_is_drained_tells_the_end_that_is_near(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    """Others would tell it long after, as nobody can ask this one then."""
    quick = {
        "WEDLIVE_STREAMS_RECONNECT_WINDOW": "8s",
        # Else viewers would be told by their edge, for want of an origin.
        "WEDLIVE_EDGE_LIVE_GRACE": "600s",
    }
    cluster = Cluster(tmp_path, lambda **given: make_node(**{**given, **quick}), origins=2, edges=1)
    edge = cluster.edges[0]
    publisher = publish(edge, "over", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, "over")) >= 4, "it is on the air", alive=[publisher])
    viewer = Viewer(edge, "over")
    try:
        wait_until(lambda: viewer.segments >= 4, "a viewer sees it", alive=[publisher])
        first = owner(cluster, "over")
        publisher.stop()
        wait_until(lambda: first.said("stream.stopped") != [], "its publisher has gone")
        os.kill(first.pid, signal.SIGTERM)
        wait_until(lambda: viewer.is_over, "the viewer has heard that it is over")
        wait_until(lambda: first.process is not None and first.process.ended, "it has ended")
    finally:
        viewer.stop()
    assert viewer.bad == []
    assert cluster.redis.ask("hget", "wl:stream:{over}/main", "told") != ""
    cluster.stop()


def seen(asked: Node, name: str) -> str | None:
    """How a node sees another one; None where it knows of none of that name."""
    nodes = json.loads(asked.admin("/api/nodes").text)["nodes"]
    return next((each["status"] for each in nodes if each["id"] == name), None)


def test_who_is_drained_while_redis_is_away_is_no_loss(cluster: Cluster) -> None:
    """It has nothing that it would stay for, so nobody has to look twice."""
    first, second = cluster.edges
    name = second.settings["WEDLIVE_NODE_ID"]
    everybody = [*cluster.origins, first]
    wait_until(lambda: all(seen(each, name) == "usable" for each in everybody), "all know it")
    cluster.redis.kill()
    for node in [*everybody, second]:
        wait_until(
            lambda node=node: node.metrics()["wedlive_redis_connected"] == 0, "Redis is away"
        )
    done = drain(first, name, "--wait")
    assert (done.returncode, done.stdout) == (0, "drained\n"), done.stderr
    for node in everybody:
        wait_until(lambda node=node: seen(node, name) == "drained", "it is known why it is gone")
    cluster.redis.start()
    for node in everybody:
        wait_until(lambda node=node: seen(node, name) is None, "it is forgotten", limit=60)
