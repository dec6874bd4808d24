"""The dates of segments while a stream goes on at one origin after the other."""

import time
from pathlib import Path

import pytest

from support.cameras import Cameras, Picture
from support.cameras import publish as publish_camera
from support.cluster import Cluster
from support.cluster_watch import Viewer, date_jumps, listed, owner, publish, sequences
from support.exact import Published
from support.exact_viewer import Bytes, ExactViewer
from support.known_publisher import KnownPublisher
from support.media import Source
from support.node import Node
from support.processes import Process, wait_until
from support.rtmp import record

USABLE = 'wedlive_cluster_nodes{status="usable"}'


def ahead(edge: Node, wedding: str, camera: str = "main") -> float:
    """By how many seconds the end of the newest listed segment is later than it is now."""
    begun, length = listed(edge, wedding, camera)[-1]
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


@pytest.mark.timeout(240)
def test_a_program_shows_each_frame_once_where_its_origin_dies(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    """Its cameras make once more what they had announced last, and so does the program."""
    wedding, takeovers = "once", 3
    first, second = cluster.edges
    recording = record(Source(seconds=60, width=320, height=180, rate=15, gop=15, noise=True).file)
    publisher = KnownPublisher([first.publish_url(wedding)], recording)
    viewers: list[ExactViewer] = []
    try:
        cameras = Cameras(first, wedding)
        wait_until(lambda: cameras.ask("GET", f"cameras/{wedding}").status == 200, "it is known")
        altar = cameras.add("Altar")
        url = f"{second.publish_url(wedding).rpartition('/')[0]}/{altar['stream_key']}"
        cleanup.append(publish_camera(url, Picture(1), tmp_path, "altar"))
        wait_until(lambda: cameras.status(altar["camera_id"]) == "live", "both are live")
        published, all_bytes = Published(recording), Bytes()
        for edge in cluster.edges:
            viewers.append(ExactViewer(edge, wedding, published, all_bytes, path="program/source"))
        wait_until(lambda: all(each.segments >= 5 for each in viewers), "both edges have it")
        before = [ahead(edge, wedding, "program") for edge in cluster.edges]
        key = f"wl:stream:{{{wedding}}}/program"
        for takeover in range(takeovers):
            has_it = cluster.redis.ask("hget", key, "owner")
            origin = cluster.origins[int(has_it.removeprefix("origin-")) - 1]
            newest = max(each.newest for each in viewers)
            origin.kill()
            wait_until(
                lambda newest=newest: all(each.newest > newest + 3 for each in viewers),
                f"takeover {takeover}",
                limit=60,
            )
            origin.start()
            wait_until(
                lambda: all(each.metrics()[USABLE] >= 4 for each in cluster.edges),
                f"all are used again, after {takeover}",
                limit=60,
            )
        after = [ahead(edge, wedding, "program") for edge in cluster.edges]
        jumps = [jump for edge in cluster.edges for jump in date_jumps(edge, wedding, "program")]
    finally:
        for each in viewers:
            each.stop()
        publisher.stop()
    for each, old, new in zip(viewers, before, after, strict=True):
        print(f"{each.follower.repeated} frames twice; dates {old:+.2f} s, then {new:+.2f} s")
        print(f"{each.longest:.2f} s between two new segments, {len(each.breaks)} discontinuities")
    print(f"{sorted({round(each, 2) for each in jumps})}")
    assert [each.bad + each.wrong for each in viewers] == [[], []]
    assert [each.follower.repeated for each in viewers] == [0, 0]
    assert all(len(each.breaks) <= takeovers + 1 for each in viewers)
    assert max(map(abs, jumps)) < 0.2
    assert all(-3 < new < old + 0.8 for old, new in zip(before, after, strict=True))
    assert publisher.losses == []
