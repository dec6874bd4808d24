"""The dates of segments while a stream goes on at one origin after the other."""

import time
from pathlib import Path

import pytest

from support.cluster import Cluster
from support.cluster_watch import Viewer, date_jumps, listed, owner, publish, sequences
from support.node import Node
from support.processes import Process, wait_until

USABLE = 'wedlive_cluster_nodes{status="usable"}'


def ahead(edge: Node, wedding: str) -> float:
    """By how many seconds the end of the newest listed segment is later than it is now."""
    begun, length = listed(edge, wedding)[-1]
    return begun + length - time.time()


@pytest.mark.interop
@pytest.mark.timeout(400)
@pytest.mark.parametrize("redis", ["there", "away"])
def test_dates_stay_with_the_clock_through_eight_takeovers(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path, redis: str
) -> None:
    """What each next origin is sent once more comes late, and was filmed when it was."""
    edge = cluster.edges[1]
    publisher = publish(cluster.edges[0], "dated", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, "dated")) >= 4, "on the air", alive=[publisher])
    has_it = owner(cluster, "dated")
    # Later by what it takes to make a segment and to bring it here: never by more.
    before = ahead(edge, "dated")
    viewer = Viewer(edge, "dated")
    seen, jumps = [before], list[float]()
    try:
        wait_until(lambda: viewer.segments >= 4, "it is watched", alive=[publisher])
        if redis == "away":
            cluster.redis.kill()
        for takeover in range(8):
            wait_until(
                lambda: all(each.metrics()[USABLE] >= 4 for each in cluster.edges),
                f"all are used again, after {takeover}",
                limit=60,
                alive=[publisher],
            )
            newest = viewer.newest
            has_it.kill()
            wait_until(
                lambda newest=newest: viewer.newest > newest + 3,
                f"takeover {takeover}",
                limit=60,
                alive=[publisher],
            )
            seen.append(ahead(edge, "dated"))
            # What was sent once more begins where what was listed before has ended.
            jumps += date_jumps(edge, "dated")
            has_it.start()
            has_it = next(each for each in cluster.origins if each is not has_it)
    finally:
        viewer.stop()
    print(f"Redis {redis}: {' '.join(f'{each:+.2f}' for each in seen)}; {viewer.longest:.2f} s")
    print(f"Redis {redis}: {sorted({round(each, 2) for each in jumps if abs(each) > 0.005})}")
    assert viewer.bad == []
    assert max(map(abs, jumps)) < 0.2
    # A segment is seen up to as long as it lasts after its end, and later where the machine is busy.
    assert -3 < seen[-1] < before + 0.8, seen
    cluster.stop()
