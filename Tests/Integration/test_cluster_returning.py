"""An encoder that has gone to another edge, and what the one before still does for it."""

import os
import signal
from pathlib import Path

import pytest

from support.cluster import Cluster
from support.cluster_watch import Viewer, owner, owner_name, sequences
from support.media import Source
from support.node import Node
from support.processes import Process, wait_until
from support.publishers import ffmpeg5

LEASE = "wl:lease:{moved}/main"


@pytest.mark.interop
def test_an_edge_that_hung_takes_nothing_from_where_the_encoder_went(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    """Its origin is lost meanwhile; the encoder's new edge has the stream with the next one."""
    one, two = cluster.edges
    token = one.token("publish", "moved")
    publishers: list[Process] = []
    for edge in (one, two):
        folder = tmp_path / str(len(publishers))
        folder.mkdir()
        url = f"rtmp://localhost:{edge.ports['rtmp']}/live/{token}"
        if publishers:
            first = owner_name(cluster, "moved")
            os.kill(one.pid, signal.SIGSTOP)
            owner(cluster, "moved").kill()
            wait_until(lambda: cluster.redis.ask("exists", LEASE) == "0", "nobody keeps it")
        publishers.append(ffmpeg5(url, Source(seconds=600), edge.certificates, folder))
        cleanup.append(publishers[-1])
        if len(publishers) == 1:
            wait_until(lambda: len(sequences(two, "moved")) >= 3, "on the air")
    viewer = None
    try:
        wait_until(lambda: owner_name(cluster, "moved") not in ("", first), "the next one has it")
        viewer = Viewer(two, "moved")
        watch(one, viewer, publishers[1])
    finally:
        os.kill(one.pid, signal.SIGCONT)
        if viewer is not None:
            viewer.stop()
    assert two.said("relay.refused") == []
    assert viewer.bad == []


def watch(hung: Node, viewer: Viewer, publisher: Process) -> None:
    """Until the edge that hung has come back, has asked for the stream, and got nothing."""
    wait_until(lambda: viewer.segments >= 4, "it goes on", alive=[publisher])
    os.kill(hung.pid, signal.SIGCONT)
    wait_until(
        lambda: any("already being" in each["reason"] for each in hung.said("relay.failed")),
        "the edge that hung asks for the stream",
        alive=[publisher],
    )
    newest = viewer.newest
    wait_until(lambda: viewer.newest > newest + 4, "it still goes on", alive=[publisher])
